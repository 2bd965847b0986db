/* A self-signed certificate for 127.0.0.1. */
#include "certificate.h"

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static void
add_extension(X509 *certificate, int nid, const char *value)
{
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  g_assert_nonnull(extension);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

SSL_CTX *
certificate_new(const char *path)
{
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = X509_new();
  g_assert(key != NULL && certificate != NULL);
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             (const unsigned char *)"127.0.0.1", -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_set_pubkey(certificate, key);
  add_extension(certificate, NID_subject_alt_name, "IP:127.0.0.1");
  add_extension(certificate, NID_basic_constraints, "CA:TRUE");
  X509_sign(certificate, key, EVP_sha256());

  FILE *file = fopen(path, "w");
  g_assert_nonnull(file);
  PEM_write_X509(file, certificate);
  fclose(file);

  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(tls, certificate);
  SSL_CTX_use_PrivateKey(tls, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return tls;
}
