/* Reaching a server: name look-up and TCP, both bounded by one deadline. */
#ifndef HAUL_CORE_CONNECT_H
#define HAUL_CORE_CONNECT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cancel.h"

/* The other end of a connection, and what error messages say of it. */
typedef struct {
  char *host; /* owned; a name in its ASCII form, or an address */
  uint16_t port;
  int family;         /* AF_INET, AF_INET6; 0: either */
  unsigned side;      /* 1 or 2: advice names options */
  char *name;         /* owned; "host:port" */
  HaulCancel *cancel; /* borrowed; may be NULL */
} HaulPeer;

/*
 * Fills @peer, which is to be cleared in any case.
 *
 * @host: as the user gave it. Errors: HAUL_ERROR_ACCOUNT "usage" for what is not a host or a port;
 * nothing of it then reaches a resolver.
 */
bool haul_peer_init(HaulPeer *peer, const char *host, uint64_t port, unsigned side,
                    HaulCancel *cancel, GError **error);
void haul_peer_clear(HaulPeer *peer);

/* Whether the host of @peer is an address rather than a name. */
bool haul_peer_is_address(const HaulPeer *peer);

/*
 * Connects to @peer: its addresses are tried in order, the next one when one has failed or kept us
 * waiting for a quarter of a second (RFC 8305, without racing the look-ups).
 *
 * @loopback_only: never leaves this machine; an error "tls" where @peer is elsewhere.
 * Returns a socket that does not block, sends without delay and keeps alive; -1 on error.
 * Errors: HAUL_ERROR_ACCOUNT "resolve" or "tls"; HAUL_ERROR_CONNECTION "connect" or "timeout";
 * HAUL_ERROR_CANCELLED.
 */
int haul_connect(const HaulPeer *peer, int64_t deadline_us, bool loopback_only, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaulPeer, haul_peer_clear)

#endif /* HAUL_CORE_CONNECT_H */
