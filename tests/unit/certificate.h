/* Certificates for tests of TLS, made on the spot. */
#ifndef TESTS_CERTIFICATE_H
#define TESTS_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>

typedef struct Authority Authority;

/* What a server's certificate holds. */
typedef struct {
  const char *common_name;
  const char *names;      /* of the extension subjectAltName, such as "DNS:localhost"; NULL: none */
  int from_days, to_days; /* validity, relative to now */
  bool self_signed;
} CertificateTerms;

/* A CA called @name, whose certificate lies in a file. */
Authority *authority_new(const char *name);
void authority_free(Authority *authority); /* removes the file */
const char *authority_file(const Authority *authority);

/* A server context with a certificate by @authority on @terms. */
SSL_CTX *authority_serve(Authority *authority, const CertificateTerms *terms);

/* Writes the certificate of @context to a file of its own; its name is to be freed. */
char *certificate_save(SSL_CTX *context);
/* The same for its key. */
char *certificate_save_key(SSL_CTX *context);

#endif /* TESTS_CERTIFICATE_H */
