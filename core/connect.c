/*
 * Reaching a server: checks of what the user calls a host, and the race between its addresses.
 * Names are looked up in resolve.c.
 */
#include "connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mailhaul/error.h>
#include <mailhaul/text.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolve.h"

#define STAGGER_US (250 * G_TIME_SPAN_MILLISECOND) /* RFC 8305 §5, Connection Attempt Delay */
#define HOST_LIMIT_OCTETS 255                      /* RFC 1035 §2.3.4 */

/* What a host can never hold: it would end a line, or divert a URL. */
static bool
is_host(const char *host)
{
  size_t length = strlen(host);
  if (length == 0 || length > HOST_LIMIT_OCTETS)
    return false;
  for (size_t i = 0; i < length; i++) {
    unsigned char octet = (unsigned char)host[i];
    if (octet <= ' ' || octet == 0x7f || strchr("@/\\?#", octet) != NULL)
      return false;
  }
  return true;
}

bool
haul_peer_init(HaulPeer *peer, const char *host, uint64_t port, unsigned side, HaulCancel *cancel,
               GError **error)
{
  *peer = (HaulPeer){ .side = side, .cancel = cancel };
  if (host == NULL || *host == '\0') {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "no server is named: use --host%u NAME",
                   side);
    return false;
  }
  if (is_host(host))
    peer->host = g_hostname_is_non_ascii(host) ? g_hostname_to_ascii(host) : g_strdup(host);
  if (peer->host == NULL) {
    g_autofree char *shown = haul_text_display(host, strlen(host));
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "\"%s\" is not a host: --host%u takes a name or an address alone", shown, side);
    return false;
  }
  if (port == 0 || port > UINT16_MAX) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "%" G_GUINT64_FORMAT " is not a TCP port: --port%u takes 1 to 65535", port,
                   side);
    return false;
  }
  peer->port = (uint16_t)port;
  peer->name = g_strdup_printf(strchr(peer->host, ':') == NULL ? "%s:%u" : "[%s]:%u", peer->host,
                               peer->port);
  return true;
}

void
haul_peer_clear(HaulPeer *peer)
{
  g_clear_pointer(&peer->host, g_free);
  g_clear_pointer(&peer->name, g_free);
}

bool
haul_peer_is_address(const HaulPeer *peer)
{
  return g_hostname_is_ip_address(peer->host);
}

static bool
is_loopback(const struct sockaddr *address)
{
  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *v4 = (const void *)address;
    return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  if (address->sa_family == AF_INET6) {
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6)
           || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
  }
  return false;
}

/* One connection being made to several addresses at a time. */
typedef struct {
  const HaulPeer *peer;                             /* borrowed */
  const struct addrinfo *addresses[HAUL_WAIT_MOST]; /* borrowed; in order of attempt */
  size_t n_addresses, n_started;
  struct pollfd live[HAUL_WAIT_MOST]; /* owned sockets */
  size_t n_live;
  int problem; /* errno of the last that failed */
} Race;

/* Takes the addresses of @found, families in turn (RFC 8305 §4), for one of them may be dead. */
static void
race_enter(Race *race, const struct addrinfo *found, bool loopback_only)
{
  const struct addrinfo *first = found, *other = found;
  bool turn = false;
  while (race->n_addresses < G_N_ELEMENTS(race->addresses)) {
    const struct addrinfo **next = turn ? &other : &first;
    while (*next != NULL
           && (((*next)->ai_family != found->ai_family) != turn
               || (loopback_only && !is_loopback((*next)->ai_addr))))
      *next = (*next)->ai_next;
    if (*next != NULL) {
      race->addresses[race->n_addresses++] = *next;
      *next = (*next)->ai_next;
    }
    turn = !turn;
    if (first == NULL && other == NULL)
      break;
  }
}

/* Starts the next attempt. Returns its socket if it is connected already, else -1. */
static int
race_start(Race *race)
{
  const struct addrinfo *address = race->addresses[race->n_started++];
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0)
    return fd;
  if (fd >= 0 && errno == EINPROGRESS) {
    race->live[race->n_live++] = (struct pollfd){ .fd = fd, .events = POLLOUT };
    return -1;
  }
  race->problem = errno;
  if (fd >= 0)
    close(fd);
  return -1;
}

/* Returns, and takes out, a socket that got connected; -1 if none is. Drops those that failed. */
static int
race_winner(Race *race)
{
  for (size_t i = 0; i < race->n_live;) {
    if (race->live[i].revents == 0) {
      i++;
      continue;
    }
    int fd = race->live[i].fd;
    int problem = 0;
    socklen_t size = sizeof problem;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) != 0)
      problem = errno;
    race->live[i] = race->live[--race->n_live];
    if (problem == 0)
      return fd;
    race->problem = problem;
    close(fd);
  }
  return -1;
}

static int
race_run(Race *race, int64_t deadline_us, GError **error)
{
  const HaulPeer *peer = race->peer;
  int64_t next_us = 0; /* when the next attempt is due */
  for (;;) {
    if (race->n_started < race->n_addresses
        && (race->n_live == 0 || g_get_monotonic_time() >= next_us)) {
      int fd = race_start(race);
      if (fd >= 0)
        return fd;
      next_us = g_get_monotonic_time() + STAGGER_US;
      continue; /* at once, if that one failed at once */
    }
    if (race->n_live == 0) {
      haul_set_error(error, HAUL_ERROR_CONNECTION, "connect",
                     "%s: cannot connect: %s; check --host%u and --port%u", peer->name,
                     g_strerror(race->problem), peer->side, peer->side);
      return -1;
    }

    bool more = race->n_started < race->n_addresses;
    int64_t until_us = more ? MIN(next_us, deadline_us) : deadline_us;
    switch (haul_cancel_wait(peer->cancel, race->live, race->n_live, until_us)) {
    case HAUL_WAIT_CANCELLED:
      haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "%s: stopped on request",
                     peer->name);
      return -1;
    case HAUL_WAIT_DEADLINE:
      if (until_us != deadline_us)
        break;
      haul_set_error(error, HAUL_ERROR_CONNECTION, "timeout",
                     "%s: no answer to the connection request; check --host%u and --port%u",
                     peer->name, peer->side, peer->side);
      return -1;
    case HAUL_WAIT_READY: {
      size_t n_before = race->n_live;
      int fd = race_winner(race);
      if (fd >= 0)
        return fd;
      if (race->n_live < n_before)
        next_us = 0; /* one failed: its successor need not wait */
      break;
    }
    }
  }
}

/* Options that help but are not needed: a failure to set one is none of the connection's. */
static void
tune(int fd)
{
  static const struct {
    int level, name, value;
  } options[] = {
    { IPPROTO_TCP, TCP_NODELAY, 1 },   { SOL_SOCKET, SO_KEEPALIVE, 1 },
    { IPPROTO_TCP, TCP_KEEPIDLE, 60 }, { IPPROTO_TCP, TCP_KEEPINTVL, 20 },
    { IPPROTO_TCP, TCP_KEEPCNT, 3 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
    setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

int
haul_connect(const HaulPeer *peer, int64_t deadline_us, bool loopback_only, GError **error)
{
  struct addrinfo *found = haul_resolve(peer, deadline_us, error);
  if (found == NULL)
    return -1;

  Race race = { .peer = peer, .problem = EHOSTUNREACH };
  race_enter(&race, found, loopback_only);
  int fd = -1;
  if (race.n_addresses == 0)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls",
                   "%s: clear text may not leave this machine; use TLS, or accept that others can "
                   "read everything with --insecure%u",
                   peer->name, peer->side);
  else
    fd = race_run(&race, deadline_us, error);
  for (size_t i = 0; i < race.n_live; i++)
    close(race.live[i].fd);
  freeaddrinfo(found);
  if (fd >= 0)
    tune(fd);
  return fd;
}
