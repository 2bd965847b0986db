/*
 * A link: a connection that never blocks, to a server or to a tunnel, clear or encrypted, and how long
 * its peer is waited for.
 * It moves octets and holds none; buffers are stream.c's.
 *
 * Errors are those of <mailhaul/stream.h>; after one a link is good for nothing but closing, except
 * that a failure to receive leaves the other way usable.
 */
#ifndef HAUL_CORE_LINK_H
#define HAUL_CORE_LINK_H

#include "connect.h"
#include "duplex.h"
#include "tls.h"
#include "tunnel.h"

typedef struct {
  HaulPeer peer; /* owned */
  char *command; /* owned; of a tunnel; NULL: TCP */
  HaulTrustTerms trust;
  uint64_t timeout_s;  /* what a silent peer is given; scales all deadlines; 0: for ever */
  HaulDuplex duplex;   /* owned; none until it is open */
  HaulTunnel *tunnel;  /* owned; NULL: TCP */
  HaulTlsSession *tls; /* owned; NULL in clear text */

  bool greeted;      /* anything came at all */
  int64_t silent_us; /* waited since an octet last moved */
  int64_t waited_us; /* waited in the present stretch: see haul_link_await() */
  uint64_t moved;    /* octets in that stretch */
} HaulLink;

/* Connects to link->peer, in clear text. link->duplex is to be none, -1, before. */
bool haul_link_open(HaulLink *link, bool loopback_only, GError **error);

/* Shakes hands. */
bool haul_link_encrypt(HaulLink *link, GError **error);

/* Closes, without waiting, what was opened, and frees what @link owns. */
void haul_link_clear(HaulLink *link);

/* Moves what can be moved at once: DONE with at least one octet, WAIT_IN, WAIT_OUT, or FAILED (the
 * end of the connection is a failure here). */
HaulIo haul_link_receive(HaulLink *link, void *buffer, size_t size, size_t *got, GError **error);
HaulIo
haul_link_transmit(HaulLink *link, const void *octets, size_t size, size_t *sent, GError **error);

/* Whether a received octet waits in the kernel: for what must not be there before a handshake. */
bool haul_link_peek(const HaulLink *link);

/* How many octets were transmitted and have not reached the other end; 0 if that is not known. */
size_t haul_link_backlog(const HaulLink *link);

/* Begins a stretch, such as a command and its answer: patience starts anew. */
void haul_link_be_patient(HaulLink *link);

/*
 * Waits for one of the poll() @events, which @came gets.
 *
 * Gives up when nothing has moved for the time of link->timeout_s (half of it until the greeting),
 * or less than 1 KiB a minute in the present stretch. Time spent elsewhere does not count.
 */
bool haul_link_await(HaulLink *link, short events, short *came, GError **error);

/* Whether to go on: false, with an error, once the run is cancelled. */
bool haul_link_check(const HaulLink *link, GError **error);

#endif /* HAUL_CORE_LINK_H */
