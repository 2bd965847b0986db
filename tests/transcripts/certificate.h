/* A certificate for 127.0.0.1, made on the spot, for a scripted server that speaks TLS. */
#ifndef TRANSCRIPTS_CERTIFICATE_H
#define TRANSCRIPTS_CERTIFICATE_H

#include <openssl/ssl.h>

/* Makes a key and a self-signed certificate, and writes the latter to @path for the client to trust.
 * Returns a context to serve with, owned by the caller. */
SSL_CTX *certificate_new(const char *path);

#endif /* TRANSCRIPTS_CERTIFICATE_H */
