/* Whom TLS trusts, and what to tell a user whose server is not trusted. */
#ifndef HAUL_CORE_TRUST_H
#define HAUL_CORE_TRUST_H

#include <openssl/types.h>

#include "connect.h"

/* What a user says of trust, and of whom we are. NULL or "" where nothing is said. */
typedef struct {
  char *ca_file; /* owned; CA certificates to trust besides the system's (PEM)                 */
  char *pins;    /* owned; keys to trust instead of all that, as haul_pins_parse() takes them  */
  char
      *certificate; /* owned; file of ours, with its chain (PEM)                                  */
  char *key;        /* owned; file of its key; where there is none, it is in the same file        */
  unsigned side;    /* whose options an error names                                               */
} HaulTrustTerms;
void haul_trust_terms_clear(HaulTrustTerms *terms);

/*
 * Returns the context that all sessions on the same @terms share; a new reference, for
 * SSL_CTX_free(). Making one costs a millisecond, so it is kept for the next.
 *
 * Errors: HAUL_ERROR_ACCOUNT "tls" if a file cannot be used, "usage" for what is not a pin.
 */
SSL_CTX *haul_trust_context(const HaulTrustTerms *terms, GError **error);

/* Has the certificate of @ssl verified for the host of @peer, which may be "" where keys are
 * pinned: whoever holds such a key is the server, whatever it is called. */
bool haul_trust_expect(SSL *ssl, const HaulPeer *peer);

/* Sets @error to what is wrong with the certificate that @verification has just refused. */
void haul_trust_explain(X509_STORE_CTX *verification, const HaulPeer *peer, GError **error);

#endif /* HAUL_CORE_TRUST_H */
