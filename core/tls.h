/*
 * The client's side of TLS on a socket that does not block. Every call does what it can at once
 * and says what it waits for; waiting is stream.c's.
 */
#ifndef HAUL_CORE_TLS_H
#define HAUL_CORE_TLS_H

#include <glib.h>
#include <stddef.h>

#include "connect.h"

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
 * Prepares a handshake with @peer over @fd; both are borrowed for the life of the session.
 *
 * @ca_file: CA certificates to trust besides the system's; NULL or "" for none.
 * Errors: HAUL_ERROR_ACCOUNT "tls" if that file cannot be used.
 */
HaulTlsSession *haul_tls_new(int fd, const HaulPeer *peer, const char *ca_file, GError **error);

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
