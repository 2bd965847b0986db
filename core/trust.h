/* Whom TLS trusts, and what to tell a user whose server is not trusted. */
#ifndef HAUL_CORE_TRUST_H
#define HAUL_CORE_TRUST_H

#include <openssl/ssl.h>

#include "connect.h"

/*
 * Returns the context that all sessions with the same @ca_file (NULL or "" for none) share; a new
 * reference, for SSL_CTX_free(). Making one costs a millisecond, so it is kept for the next.
 *
 * Errors: HAUL_ERROR_ACCOUNT "tls" if @ca_file cannot be used.
 */
SSL_CTX *haul_trust_context(const char *ca_file, GError **error);

/* Has the certificate of @ssl verified for the host of @peer. */
bool haul_trust_expect(SSL *ssl, const HaulPeer *peer);

/* Sets @error to what is wrong with the certificate that @verification has just refused. */
void haul_trust_explain(X509_STORE_CTX *verification, const HaulPeer *peer, GError **error);

#endif /* HAUL_CORE_TRUST_H */
