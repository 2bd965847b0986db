/*
 * Name look-up. getaddrinfo() knows neither deadlines nor cancellation, and may sit for half a
 * minute on a dead name server; so it runs in a thread of its own, which is left to finish alone
 * when nobody wants its answer any more. Addresses need no thread.
 */
#include "resolve.h"

#include <errno.h>
#include <mailhaul/error.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  atomic_int refs; /* the thread's and the waiting one's */
  char *host;      /* owned */
  char port[8];
  int family;
  int done_fd; /* owned; readable when the rest is filled */
  atomic_bool done;
  int result;             /* of getaddrinfo() */
  int problem;            /* errno with EAI_SYSTEM */
  struct addrinfo *found; /* owned */
} Lookup;

static int
look_up(const char *host, const char *port, int family, int flags, struct addrinfo **found)
{
  struct addrinfo hints = { .ai_family = family,
                            .ai_socktype = SOCK_STREAM,
                            .ai_flags = AI_NUMERICSERV | flags };
  return getaddrinfo(host, port, &hints, found);
}

static void
lookup_unref(Lookup *lookup)
{
  if (atomic_fetch_sub(&lookup->refs, 1) != 1)
    return;
  if (lookup->found != NULL)
    freeaddrinfo(lookup->found);
  if (lookup->done_fd >= 0)
    close(lookup->done_fd);
  g_free(lookup->host);
  g_free(lookup);
}

static void *
lookup_thread(void *data)
{
  Lookup *lookup = data;
  lookup->result = look_up(lookup->host, lookup->port, lookup->family, 0, &lookup->found);
  lookup->problem = errno;
  atomic_store(&lookup->done, true);
  uint64_t one = 1;
  ssize_t written = write(lookup->done_fd, &one, sizeof one);
  (void)written;
  lookup_unref(lookup);
  return NULL;
}

static Lookup *
lookup_start(const HaulPeer *peer, GError **error)
{
  Lookup *lookup = g_new0(Lookup, 1);
  atomic_init(&lookup->refs, 2);
  lookup->host = g_strdup(peer->host);
  lookup->family = peer->family;
  g_snprintf(lookup->port, sizeof lookup->port, "%u", peer->port);
  lookup->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int problem = lookup->done_fd < 0 ? errno : 0;

  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  if (problem == 0)
    problem = pthread_create(&thread, &attributes, lookup_thread, lookup);
  pthread_attr_destroy(&attributes);
  if (problem == 0)
    return lookup;

  haul_set_error(error, HAUL_ERROR_CONNECTION, "connect", "%s: cannot look up the name: %s",
                 peer->name, g_strerror(problem));
  atomic_store(&lookup->refs, 1);
  lookup_unref(lookup);
  return NULL;
}

static void
set_unknown(const HaulPeer *peer, const char *why, GError **error)
{
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "resolve",
                 "%s: the name cannot be resolved: %s; check --host%u", peer->name, why,
                 peer->side);
}

/* An address, or a name with addresses, of the family that was not asked for. */
static void
set_no_address(const HaulPeer *peer, GError **error)
{
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "resolve",
                 "%s: there is no IPv%d address; see --inet%u", peer->name,
                 peer->family == AF_INET6 ? 6 : 4, peer->side);
}

static void
set_lookup_error(const HaulPeer *peer, int result, int problem, GError **error)
{
  switch (result) {
  case EAI_NODATA:
  case EAI_ADDRFAMILY:
    if (peer->family != AF_UNSPEC)
      set_no_address(peer, error);
    else
      set_unknown(peer, gai_strerror(result), error);
    break;
  case EAI_AGAIN:
  case EAI_MEMORY:
    haul_set_error(error, HAUL_ERROR_CONNECTION, "connect",
                   "%s: the name cannot be resolved now: %s; check --host%u and the network",
                   peer->name, gai_strerror(result), peer->side);
    break;
  case EAI_SYSTEM:
    haul_set_error(error, HAUL_ERROR_CONNECTION, "connect",
                   "%s: the name cannot be resolved now: %s", peer->name, g_strerror(problem));
    break;
  default:
    set_unknown(peer, gai_strerror(result), error);
  }
}

/* Whether @host lies below "invalid.", which resolves nowhere (RFC 6761 §6.4): no need to ask. */
static bool
is_invalid_by_rule(const char *host)
{
  size_t length = strlen(host);
  if (length > 0 && host[length - 1] == '.')
    length--;
  return length >= 8 && g_ascii_strncasecmp(host + length - 8, ".invalid", 8) == 0;
}

struct addrinfo *
haul_resolve(const HaulPeer *peer, int64_t deadline_us, GError **error)
{
  struct addrinfo *found = NULL;
  char port[8];
  g_snprintf(port, sizeof port, "%u", peer->port);
  if (look_up(peer->host, port, peer->family, AI_NUMERICHOST, &found) == 0)
    return found;
  if (haul_peer_is_address(peer)) {
    set_no_address(peer, error);
    return NULL;
  }
  if (is_invalid_by_rule(peer->host)) {
    set_unknown(peer, "no name under .invalid exists", error);
    return NULL;
  }

  Lookup *lookup = lookup_start(peer, error);
  if (lookup == NULL)
    return NULL;
  struct pollfd done = { .fd = lookup->done_fd, .events = POLLIN };
  switch (haul_cancel_wait(peer->cancel, &done, 1, deadline_us)) {
  case HAUL_WAIT_CANCELLED:
    haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "%s: stopped on request", peer->name);
    break;
  case HAUL_WAIT_DEADLINE:
    haul_set_error(error, HAUL_ERROR_CONNECTION, "timeout", "%s: no name server answered in time",
                   peer->name);
    break;
  case HAUL_WAIT_READY:
    if (!atomic_load(&lookup->done))
      g_assert_not_reached();
    if (lookup->result == 0)
      found = g_steal_pointer(&lookup->found);
    else
      set_lookup_error(peer, lookup->result, lookup->problem, error);
    break;
  }
  lookup_unref(lookup);
  return found;
}
