/* A CA in memory, with one file, and server certificates that it signs. */
#include "certificate.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

struct Authority {
  EVP_PKEY *key;     /* owned */
  X509 *certificate; /* owned */
  char *file;        /* owned */
};

static void
add_extension(X509 *certificate, int nid, const char *value)
{
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  g_assert(extension != NULL);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

static X509 *
make_certificate(EVP_PKEY *key, const CertificateTerms *terms)
{
  static long serial;
  X509 *certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), terms->from_days * 86400L);
  X509_gmtime_adj(X509_getm_notAfter(certificate), terms->to_days * 86400L);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             (const unsigned char *)terms->common_name, -1, -1, 0);
  if (terms->names != NULL)
    add_extension(certificate, NID_subject_alt_name, terms->names);
  return certificate;
}

/* Makes a file of its own; its name is to be freed. */
static FILE *
new_file(char **name)
{
  GError *error = NULL;
  int fd = g_file_open_tmp("mailhaul-ca-XXXXXX", name, &error);
  g_assert_no_error(error);
  return fdopen(fd, "w");
}

static char *
save(X509 *certificate)
{
  char *name = NULL;
  FILE *file = new_file(&name);
  PEM_write_X509(file, certificate);
  fclose(file);
  return name;
}

char *
certificate_save_key(SSL_CTX *context)
{
  char *name = NULL;
  FILE *file = new_file(&name);
  PEM_write_PrivateKey(file, SSL_CTX_get0_privatekey(context), NULL, NULL, 0, NULL, NULL);
  fclose(file);
  return name;
}

char *
certificate_save(SSL_CTX *context)
{
  return save(SSL_CTX_get0_certificate(context));
}

Authority *
authority_new(const char *name)
{
  const CertificateTerms terms = { name, NULL, -1, 30, true };
  Authority *authority = g_new0(Authority, 1);
  authority->key = EVP_EC_gen("P-256");
  authority->certificate = make_certificate(authority->key, &terms);
  X509_set_issuer_name(authority->certificate, X509_get_subject_name(authority->certificate));
  add_extension(authority->certificate, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(authority->certificate, authority->key, EVP_sha256());

  authority->file = save(authority->certificate);
  return authority;
}

void
authority_free(Authority *authority)
{
  g_unlink(authority->file);
  g_free(authority->file);
  X509_free(authority->certificate);
  EVP_PKEY_free(authority->key);
  g_free(authority);
}

const char *
authority_file(const Authority *authority)
{
  return authority->file;
}

SSL_CTX *
authority_serve(Authority *authority, const CertificateTerms *terms)
{
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = make_certificate(key, terms);
  X509 *issuer = terms->self_signed ? certificate : authority->certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  X509_sign(certificate, terms->self_signed ? key : authority->key, EVP_sha256());

  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}
