/*
 * Links: what stream.c does its input and output with. Making the connection is connect.c's,
 * encryption tls.c's; haul_link_await() is the one place that waits for a connected peer.
 */
#include "link.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

/* Deadlines in seconds, for a timeout of 120. */
#define CONNECT_S 30
#define HANDSHAKE_S 30
#define GREETING_S 60
#define SILENCE_S 120
#define PROGRESS_OCTETS 2048 /* in SILENCE_S of waiting: 1 KiB a minute */

static int64_t
scaled_us(const HaulLink *link, int64_t seconds)
{
  if (link->timeout_s == 0)
    return HAUL_NEVER;
  return seconds * G_USEC_PER_SEC * (int64_t)link->timeout_s / SILENCE_S;
}

static int64_t
deadline_us(const HaulLink *link, int64_t seconds)
{
  int64_t wait_us = scaled_us(link, seconds);
  return wait_us == HAUL_NEVER ? HAUL_NEVER : g_get_monotonic_time() + wait_us;
}

bool
haul_link_open(HaulLink *link, bool loopback_only, GError **error)
{
  if (link->command != NULL) {
    link->tunnel = haul_tunnel_open(&link->peer, link->command, &link->duplex, error);
    return link->tunnel != NULL;
  }
  int fd = haul_connect(&link->peer, deadline_us(link, CONNECT_S), loopback_only, error);
  if (fd < 0)
    return false;
  link->duplex = (HaulDuplex){ fd, fd };
  haul_log(HAUL_LOG_DEBUG, "%s: connected", link->peer.name);
  return true;
}

void
haul_link_clear(HaulLink *link)
{
  g_clear_pointer(&link->tls, haul_tls_free);
  haul_duplex_close(&link->duplex);
  g_clear_pointer(&link->tunnel, haul_tunnel_close);
  haul_peer_clear(&link->peer);
  g_clear_pointer(&link->command, g_free);
  haul_trust_terms_clear(&link->trust);
}

static bool
fail_cancelled(const HaulLink *link, GError **error)
{
  haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "%s: stopped on request",
                 link->peer.name);
  return false;
}

bool
haul_link_check(const HaulLink *link, GError **error)
{
  if (link->peer.cancel != NULL && haul_cancel_is_set(link->peer.cancel))
    return fail_cancelled(link, error);
  return true;
}

/* Says that the connection has ended, and of a tunnel what its process said of that. */
static void
fail_ended(const HaulLink *link, const char *meanwhile, GError **error)
{
  g_autofree char *words = link->tunnel == NULL ? NULL : haul_tunnel_words(link->tunnel);
  haul_set_error(error, HAUL_ERROR_CONNECTION, "closed",
                 "%s: the server closed the connection%s%s%s", link->peer.name, meanwhile,
                 words == NULL ? "" : ": ", words == NULL ? "" : words);
}

/* Waits for one of @events, each on the way that it is of; @came gets those that came. */
static HaulWait
await(const HaulLink *link, short events, int64_t until_us, short *came)
{
  const HaulDuplex *duplex = &link->duplex;
  bool socket = duplex->in == duplex->out;
  struct pollfd fds[] = { { .fd = duplex->in, .events = socket ? events : events & POLLIN },
                          { .fd = duplex->out, .events = events & POLLOUT } };
  /* A pipe that is not asked about is left out: that it has ended would wake us for ever. */
  if (!socket && (events & POLLIN) == 0)
    fds[0].fd = -1;
  if (socket || (events & POLLOUT) == 0)
    fds[1].fd = -1;
  HaulWait wait = haul_cancel_wait(link->peer.cancel, fds, G_N_ELEMENTS(fds), until_us);
  *came = fds[0].fd < 0 ? 0 : fds[0].revents;
  if (fds[1].fd >= 0 && fds[1].revents != 0)
    *came |= POLLOUT; /* or an error, which the next attempt to write finds */
  return wait;
}

static bool
shake_hands(HaulLink *link, GError **error)
{
  int64_t until_us = deadline_us(link, HANDSHAKE_S);
  for (;;) {
    HaulIo io = haul_tls_handshake(link->tls, error);
    if (io == HAUL_IO_DONE || io == HAUL_IO_FAILED)
      return io == HAUL_IO_DONE;
    if (io == HAUL_IO_END) {
      fail_ended(link, " during the TLS handshake", error);
      return false;
    }
    short came;
    HaulWait wait = await(link, io == HAUL_IO_WAIT_OUT ? POLLOUT : POLLIN, until_us, &came);
    if (wait == HAUL_WAIT_CANCELLED)
      return fail_cancelled(link, error);
    if (wait == HAUL_WAIT_DEADLINE) {
      haul_set_error(error, HAUL_ERROR_CONNECTION, "timeout",
                     "%s: the TLS handshake was not over in %g s (see --timeout%u)",
                     link->peer.name, (double)scaled_us(link, HANDSHAKE_S) / G_USEC_PER_SEC,
                     link->peer.side);
      return false;
    }
  }
}

bool
haul_link_encrypt(HaulLink *link, GError **error)
{
  link->tls = haul_tls_new(&link->duplex, &link->peer, &link->trust, error);
  if (link->tls == NULL)
    return false;
  if (shake_hands(link, error))
    return true;
  g_clear_pointer(&link->tls, haul_tls_free);
  return false;
}

bool
haul_link_peek(const HaulLink *link)
{
  struct pollfd in = { .fd = link->duplex.in, .events = POLLIN };
  int waiting = 0;
  return poll(&in, 1, 0) > 0 && ioctl(in.fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

/* Makes a result of what a transfer in clear text returned, and of errno. */
static HaulIo
clear_outcome(const HaulLink *link, ssize_t moved, HaulIo wait, GError **error)
{
  if (moved > 0)
    return HAUL_IO_DONE;
  if (moved == 0 || errno == EPIPE || errno == ECONNRESET)
    return HAUL_IO_END;
  if (errno == EAGAIN || errno == EWOULDBLOCK)
    return wait;
  haul_set_error(error, HAUL_ERROR_CONNECTION, "closed", "%s: the connection broke: %s",
                 link->peer.name, g_strerror(errno));
  return HAUL_IO_FAILED;
}

static HaulIo
clear_receive(const HaulLink *link, void *buffer, size_t size, size_t *got, GError **error)
{
  ssize_t moved = haul_duplex_read(&link->duplex, buffer, size);
  if (moved > 0)
    *got = (size_t)moved;
  return clear_outcome(link, moved, HAUL_IO_WAIT_IN, error);
}

static HaulIo
clear_transmit(const HaulLink *link, const void *octets, size_t size, size_t *sent, GError **error)
{
  ssize_t moved = haul_duplex_write(&link->duplex, octets, size);
  if (moved > 0)
    *sent = (size_t)moved;
  return clear_outcome(link, moved, HAUL_IO_WAIT_OUT, error);
}

/* Keeps the clocks, and makes an error of an end. */
static HaulIo
settle(HaulLink *link, HaulIo io, size_t moved, const char *meanwhile, GError **error)
{
  if (io == HAUL_IO_DONE) {
    link->moved += moved;
    link->silent_us = 0;
  }
  if (io != HAUL_IO_END)
    return io;
  fail_ended(link, meanwhile, error);
  return HAUL_IO_FAILED;
}

HaulIo
haul_link_receive(HaulLink *link, void *buffer, size_t size, size_t *got, GError **error)
{
  *got = 0;
  HaulIo io = link->tls == NULL ? clear_receive(link, buffer, size, got, error)
                                : haul_tls_read(link->tls, buffer, size, got, error);
  if (io == HAUL_IO_DONE)
    link->greeted = true;
  return settle(link, io, *got, "", error);
}

HaulIo
haul_link_transmit(HaulLink *link, const void *octets, size_t size, size_t *sent, GError **error)
{
  *sent = 0;
  HaulIo io = link->tls == NULL ? clear_transmit(link, octets, size, sent, error)
                                : haul_tls_write(link->tls, octets, size, sent, error);
  return settle(link, io, *sent, " while we were sending", error);
}

size_t
haul_link_backlog(const HaulLink *link)
{
  int octets = 0; /* of a pipe: those that its reader has not taken */
  unsigned long what = link->tunnel == NULL ? SIOCOUTQ : FIONREAD;
  return ioctl(link->duplex.out, what, &octets) == 0 && octets > 0 ? (size_t)octets : 0;
}

void
haul_link_be_patient(HaulLink *link)
{
  link->silent_us = 0;
  link->waited_us = 0;
  link->moved = 0;
}

static bool
fail_late(const HaulLink *link, bool sending, int64_t limit_us, GError **error)
{
  double limit_s = (double)limit_us / G_USEC_PER_SEC;
  if (link->silent_us
      < limit_us / 10 * 9) /* of what came at the start of it, nobody wants to hear */
    haul_set_error(error, HAUL_ERROR_CONNECTION, "timeout",
                   "%s: only %" G_GUINT64_FORMAT " octets in %g s", link->peer.name, link->moved,
                   limit_s);
  else
    haul_set_error(error, HAUL_ERROR_CONNECTION, "timeout",
                   sending ? "%s: the server has taken nothing for %g s (see --timeout%u)"
                           : "%s: the server has sent nothing for %g s (see --timeout%u)",
                   link->peer.name, limit_s, link->peer.side);
  return false;
}

bool
haul_link_await(HaulLink *link, short events, short *came, GError **error)
{
  int64_t limit_us = scaled_us(link, link->greeted ? SILENCE_S : GREETING_S);
  for (;;) {
    int64_t before_us = g_get_monotonic_time();
    int64_t until_us = HAUL_NEVER;
    if (limit_us != HAUL_NEVER)
      until_us = before_us + limit_us - MAX(link->silent_us, link->waited_us);
    /* A server without TCP_NODELAY (Courier) holds its next answer until the last one is
     * acknowledged, for which we would take 40 ms: each literal that waits for "+" would cost them. */
    if ((events & POLLIN) != 0 && link->tunnel == NULL)
      (void)setsockopt(link->duplex.in, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
    HaulWait wait = await(link, events, until_us, came);
    if (wait == HAUL_WAIT_CANCELLED)
      return fail_cancelled(link, error);

    int64_t waited_us = g_get_monotonic_time() - before_us;
    link->silent_us += waited_us;
    link->waited_us += waited_us;
    if (wait == HAUL_WAIT_READY)
      return true;
    if (link->silent_us >= limit_us || link->moved < PROGRESS_OCTETS)
      return fail_late(link, (events & POLLOUT) != 0, limit_us, error);
    link->waited_us = 0;
    link->moved = 0;
  }
}
