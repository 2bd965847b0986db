/* Name look-up that can be abandoned. */
#ifndef HAUL_CORE_RESOLVE_H
#define HAUL_CORE_RESOLVE_H

#include <netdb.h>

#include "connect.h"

/*
 * Looks up the addresses of @peer.
 *
 * Returns them in the order in which to try them, for freeaddrinfo(); NULL on error, with those of
 * haul_connect().
 */
struct addrinfo *haul_resolve(const HaulPeer *peer, int64_t deadline_us, GError **error);

#endif /* HAUL_CORE_RESOLVE_H */
