/*
 * Tunnels: a process of the user's whose standard input and output are a connection, such as ssh
 * that runs the server at the other end. Started without a shell, in a session of its own, and
 * ended and reaped when the connection is.
 */
#ifndef HAUL_CORE_TUNNEL_H
#define HAUL_CORE_TUNNEL_H

#include "connect.h"
#include "duplex.h"

typedef struct HaulTunnel HaulTunnel;

/*
 * Fills @peer for a tunnel by @command; it is to be cleared in any case.
 *
 * @host: whose certificate is expected within, or "". Errors: HAUL_ERROR_ACCOUNT "usage" for what
 * is not a command, or not a host.
 */
bool haul_tunnel_peer_init(HaulPeer *peer, const char *command, const char *host, unsigned side,
                           HaulCancel *cancel, GError **error);

/*
 * Starts @command.
 *
 * @duplex: gets our ends, which do not block; to be closed before the tunnel is. They are pipes, for
 * some servers take a socket as their standard output for a client that has yet to log in.
 * Errors: HAUL_ERROR_ACCOUNT "connect" if it cannot be started.
 */
HaulTunnel *
haul_tunnel_open(const HaulPeer *peer, const char *command, HaulDuplex *duplex, GError **error);

/* Returns the first line that the process wrote to its standard error, to be freed; NULL if there is
 * none. */
char *haul_tunnel_words(const HaulTunnel *tunnel);

/* Gives the process a moment to end by itself, ends it and what it has started, and reaps it. */
void haul_tunnel_close(HaulTunnel *tunnel);

#endif /* HAUL_CORE_TUNNEL_H */
