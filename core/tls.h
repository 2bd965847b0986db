/*
 * The client's side of TLS on a connection that does not block. Every call does what it can at once
 * and says what it waits for; waiting is stream.c's.
 */
#ifndef HAUL_CORE_TLS_H
#define HAUL_CORE_TLS_H

#include <glib.h>
#include <stddef.h>

#include "connect.h"
#include "duplex.h"
#include "trust.h"

typedef struct HaulTlsSession HaulTlsSession;

/* What a transfer came to. */
typedef enum {
  HAUL_IO_DONE,     /* moved something                       */
  HAUL_IO_WAIT_IN,  /* nothing, until the socket is readable */
  HAUL_IO_WAIT_OUT, /* nothing, until it takes octets        */
  HAUL_IO_END,      /* the peer has closed                   */
  HAUL_IO_FAILED,   /* see the error                         */
} HaulIo;

/*
 * Prepares a handshake with @peer over @duplex; both are borrowed for the life of the session.
 *
 * Errors: HAUL_ERROR_ACCOUNT "tls" or "usage" if the terms cannot be met.
 */
HaulTlsSession *haul_tls_new(const HaulDuplex *duplex, const HaulPeer *peer,
                             const HaulTrustTerms *terms, GError **error);

/* Says good-bye without waiting, if there was a handshake and no failure. */
void haul_tls_free(HaulTlsSession *session);

/* Shakes hands: TLS 1.2 or later, the certificate verified for the host. DONE once that is over.
 * Errors: HAUL_ERROR_ACCOUNT "tls", which says what is wrong and what to do. */
HaulIo haul_tls_handshake(HaulTlsSession *session, GError **error);

/* Errors: HAUL_ERROR_CONNECTION "closed". A write that was to wait is repeated with the same octets
 * at the same place. */
HaulIo
haul_tls_read(HaulTlsSession *session, void *buffer, size_t size, size_t *got, GError **error);
HaulIo haul_tls_write(HaulTlsSession *session, const void *octets, size_t size, size_t *sent,
                      GError **error);

/* The channel binding of <mailhaul/stream.h>; NULL before the handshake is over. */
GBytes *haul_tls_channel_binding(const HaulTlsSession *session, const char **type);

#endif /* HAUL_CORE_TLS_H */
