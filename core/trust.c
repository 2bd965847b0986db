/*
 * Trust: the system's certificates are looked up by their hash, one by one as a chain needs them.
 * Its bundle, which costs more than the rest of a run that has nothing to do, is read only when
 * they do not suffice. Where keys are pinned, they alone decide. A refusal is explained in words
 * that name the certificate and what can be done.
 */
#include "trust.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <mailhaul/error.h>
#include <mailhaul/text.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pin.h"

#define NAMES_SHOWN 4

/* A context, and the system's bundle, which is read when a chain cannot do without it. */
typedef struct {
  SSL_CTX *context; /* owned */
  GArray *pins;     /* owned HaulPins; NULL: chains decide */
  pthread_mutex_t lock;
  char *bundle; /* owned; the file, or NULL once it is read; under lock */
} Trust;

/* Those made so far, by their terms; for the life of the process. */
static pthread_mutex_t trusts_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *trusts;

static char *
find_bundle(void)
{
  const char *named = g_getenv(X509_get_default_cert_file_env());
  const char *file = named != NULL ? named : X509_get_default_cert_file();
  return g_access(file, R_OK) == 0 ? g_strdup(file) : NULL;
}

/* Not by X509_STORE_load_file(): other threads may be verifying with @store. */
static void
read_bundle(X509_STORE *store, const char *file)
{
  BIO *bio = BIO_new_file(file, "r");
  if (bio == NULL)
    return;
  for (X509 *certificate; (certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL;) {
    X509_STORE_add_cert(store, certificate);
    X509_free(certificate);
  }
  BIO_free(bio);
}

/* Whether the chain of @verification ends at somebody whom its store does not know. */
static bool
lacks_issuer(X509_STORE_CTX *verification)
{
  X509_STORE_CTX *trial = X509_STORE_CTX_new();
  X509_STORE_CTX_init(trial, X509_STORE_CTX_get0_store(verification),
                      X509_STORE_CTX_get0_cert(verification),
                      X509_STORE_CTX_get0_untrusted(verification));
  X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(trial), X509_STORE_CTX_get0_param(verification));
  bool lacks = false;
  if (X509_verify_cert(trial) != 1) {
    switch (X509_STORE_CTX_get_error(trial)) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      lacks = true;
    }
  }
  X509_STORE_CTX_free(trial);
  return lacks;
}

void
haul_trust_terms_clear(HaulTrustTerms *terms)
{
  g_clear_pointer(&terms->ca_file, g_free);
  g_clear_pointer(&terms->pins, g_free);
  g_clear_pointer(&terms->certificate, g_free);
  g_clear_pointer(&terms->key, g_free);
}

/* The digest of the key of @certificate; false if there is none to take. */
static bool
take_pin(X509 *certificate, HaulPin *pin)
{
  unsigned char *octets = NULL;
  int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &octets);
  bool taken =
      size > 0 && EVP_Digest(octets, (size_t)size, pin->digest, NULL, EVP_sha256(), NULL) == 1;
  OPENSSL_free(octets);
  return taken;
}

/* Verifies by the key alone: names, dates and signatures say less than somebody who has seen it. */
static int
verify_pinned(X509_STORE_CTX *verification, const GArray *pins)
{
  HaulPin pin;
  X509 *certificate = X509_STORE_CTX_get0_cert(verification);
  if (certificate != NULL && take_pin(certificate, &pin) && haul_pins_have(pins, &pin)) {
    X509_STORE_CTX_set_error(verification, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION);
  return X509_STORE_CTX_get_verify_cb(verification)(0, verification);
}

/* Verifies as OpenSSL would, but reads the bundle first if that may help. */
static int
verify(X509_STORE_CTX *verification, void *data)
{
  Trust *trust = data;
  if (trust->pins != NULL)
    return verify_pinned(verification, trust->pins);
  pthread_mutex_lock(&trust->lock);
  if (trust->bundle != NULL && lacks_issuer(verification)) {
    read_bundle(X509_STORE_CTX_get0_store(verification), trust->bundle);
    g_clear_pointer(&trust->bundle, g_free);
  }
  pthread_mutex_unlock(&trust->lock);
  ERR_clear_error();
  return X509_verify_cert(verification);
}

static bool
load_ca_file(SSL_CTX *context, const char *ca_file, GError **error)
{
  if (SSL_CTX_load_verify_file(context, ca_file) == 1)
    return true;
  const char *why = ERR_reason_error_string(ERR_peek_error());
  g_autofree char *shown = haul_text_display(ca_file, strlen(ca_file));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls",
                 "cannot read certificates (PEM) from the CA file %s: %s", shown,
                 why == NULL ? "no reason known" : why);
  ERR_clear_error();
  return false;
}

/* Keys with a passphrase cannot be used: who would be asked for it in the middle of the night? */
static int
no_passphrase(char *buffer, int size, int writing, void *data)
{
  return 0;
}

/* Has @context show our certificate to a server that asks for one. */
static bool
load_own(SSL_CTX *context, const HaulTrustTerms *terms, GError **error)
{
  const char *certificate = terms->certificate,
             *key = terms->key == NULL || *terms->key == '\0' ? certificate : terms->key;
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  bool has_certificate = SSL_CTX_use_certificate_chain_file(context, certificate) == 1;
  if (has_certificate && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1
      && SSL_CTX_check_private_key(context) == 1)
    return true;
  const char *why = ERR_reason_error_string(ERR_peek_last_error());
  const char *file = has_certificate ? key : certificate;
  g_autofree char *shown = haul_text_display(file, strlen(file));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls",
                 "cannot use %s for TLS: %s; --tls-%s%u takes a file in PEM%s", shown,
                 why == NULL ? "no reason known" : why,
                 has_certificate && key != certificate ? "key" : "cert", terms->side,
                 has_certificate ? " that holds the key of the certificate, without passphrase"
                                 : "");
  ERR_clear_error();
  return false;
}

static bool
says(const char *term)
{
  return term != NULL && *term != '\0';
}

static SSL_CTX *
context_new(const HaulTrustTerms *terms, GError **error)
{
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (context == NULL) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls", "OpenSSL cannot be used: %s",
                   ERR_reason_error_string(ERR_peek_error()));
    ERR_clear_error();
    return NULL;
  }
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                                   | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  /* Several records a system call, not two calls a record. */
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 64 * 1024);
  /* A certificate in the user's CA file is trusted as such, whoever has signed it. */
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_default_verify_dir(context);
  if ((says(terms->ca_file) && !load_ca_file(context, terms->ca_file, error))
      || (says(terms->certificate) && !load_own(context, terms, error)))
    g_clear_pointer(&context, SSL_CTX_free);
  ERR_clear_error();
  return context;
}

static Trust *
trust_new(const HaulTrustTerms *terms, GError **error)
{
  g_autofree char *bad = NULL;
  g_autoptr(GArray) pins = says(terms->pins) ? haul_pins_parse(terms->pins, &bad) : NULL;
  if (bad != NULL) {
    g_autofree char *shown = haul_text_display(bad, strlen(bad));
    haul_set_error(
        error, HAUL_ERROR_ACCOUNT, "usage",
        "--tls-pin%u takes sha256: and the digest of a public key, 64 hexadecimal digits "
        "or base64, not \"%s\"",
        terms->side, shown);
    return NULL;
  }
  if (says(terms->key) && !says(terms->certificate)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--tls-key%u needs --tls-cert%u, too",
                   terms->side, terms->side);
    return NULL;
  }
  SSL_CTX *context = context_new(terms, error);
  if (context == NULL)
    return NULL;
  Trust *trust = g_new0(Trust, 1);
  trust->context = context;
  trust->pins = g_steal_pointer(&pins);
  pthread_mutex_init(&trust->lock, NULL);
  trust->bundle = find_bundle();
  SSL_CTX_set_cert_verify_callback(context, verify, trust);
  return trust;
}

/* Equal for equal terms. An option cannot hold a line end. */
static char *
terms_key(const HaulTrustTerms *terms)
{
  const char *texts[] = { terms->ca_file, terms->pins, terms->certificate, terms->key };
  GString *key = g_string_new(NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
    g_string_append_printf(key, "%s\n", texts[i] == NULL ? "" : texts[i]);
  return g_string_free(key, FALSE);
}

SSL_CTX *
haul_trust_context(const HaulTrustTerms *terms, GError **error)
{
  g_autofree char *key = terms_key(terms);
  pthread_mutex_lock(&trusts_lock);
  if (trusts == NULL)
    trusts = g_hash_table_new(g_str_hash, g_str_equal);
  Trust *trust = g_hash_table_lookup(trusts, key);
  if (trust == NULL && (trust = trust_new(terms, error)) != NULL)
    g_hash_table_insert(trusts, g_steal_pointer(&key), trust);
  pthread_mutex_unlock(&trusts_lock);
  if (trust == NULL)
    return NULL;
  SSL_CTX_up_ref(trust->context);
  return trust->context;
}

bool
haul_trust_expect(SSL *ssl, const HaulPeer *peer)
{
  if (*peer->host == '\0')
    return true;
  X509_VERIFY_PARAM *expected = SSL_get0_param(ssl);
  /* RFC 9525 §6.3: names come from subjectAltName alone, and '*' is a whole label. */
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS
                                                | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (haul_peer_is_address(peer))
    return X509_VERIFY_PARAM_set1_ip_asc(expected, peer->host) == 1;

  /* RFC 6066 §3: without the dot that may end a name, and never an address. */
  g_autofree char *name = g_strdup(peer->host);
  size_t length = strlen(name);
  if (length > 1 && name[length - 1] == '.')
    name[length - 1] = '\0';
  return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

/* Returns a name or address of a certificate, fit to be shown; NULL for kinds that name no server. */
static char *
show_name(const GENERAL_NAME *name)
{
  if (name->type == GEN_DNS)
    return haul_text_display(ASN1_STRING_get0_data(name->d.dNSName),
                             (size_t)ASN1_STRING_length(name->d.dNSName));
  if (name->type != GEN_IPADD)
    return NULL;
  const unsigned char *octets = ASN1_STRING_get0_data(name->d.iPAddress);
  int size = ASN1_STRING_length(name->d.iPAddress);
  char text[INET6_ADDRSTRLEN];
  if ((size != 4 && size != 16)
      || inet_ntop(size == 4 ? AF_INET : AF_INET6, octets, text, sizeof text) == NULL)
    return NULL;
  return g_strdup(text);
}

static char *
list_names(const X509 *certificate)
{
  g_autoptr(GString) list = g_string_new(NULL);
  GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  int n_names = names == NULL ? 0 : sk_GENERAL_NAME_num(names);
  unsigned n_shown = 0;
  for (int i = 0; i < n_names && n_shown <= NAMES_SHOWN; i++) {
    g_autofree char *shown = show_name(sk_GENERAL_NAME_value(names, i));
    if (shown == NULL)
      continue;
    g_string_append_printf(list, "%s%s", n_shown == 0 ? "" : ", ",
                           n_shown < NAMES_SHOWN ? shown : "...");
    n_shown++;
  }
  GENERAL_NAMES_free(names);
  if (n_shown == 0)
    g_string_append(list, "no name at all");
  return g_string_free(g_steal_pointer(&list), FALSE);
}

static char *
show_subject(const X509 *certificate)
{
  BIO *memory = BIO_new(BIO_s_mem());
  /* Octets beyond ASCII stay as they are: the display escapes what is not fit for it. */
  X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0,
                     XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
  char *text;
  long length = BIO_get_mem_data(memory, &text);
  char *shown = haul_text_display(text, (size_t)length);
  BIO_free(memory);
  return shown;
}

static char *
show_date(const ASN1_TIME *time)
{
  struct tm utc;
  if (ASN1_TIME_to_tm(time, &utc) != 1)
    return g_strdup("an unreadable date");
  return g_strdup_printf("%04d-%02d-%02d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

/* Says why @certificate was refused with @problem, and in @advice what can be done about it. */
static char *
complain(int problem, X509 *certificate, const HaulPeer *peer, char **advice)
{
  g_autofree char *detail = NULL;
  HaulPin pin;
  switch (problem) {
  case X509_V_ERR_APPLICATION_VERIFICATION:
    detail = take_pin(certificate, &pin) ? haul_pin_show(&pin) : g_strdup("unreadable");
    *advice =
        g_strdup_printf("if you know that it is right, name that one with --tls-pin%u", peer->side);
    return g_strdup_printf("its key is %s, which is not pinned", detail);
  case X509_V_ERR_CERT_HAS_EXPIRED:
    detail = show_date(X509_get0_notAfter(certificate));
    *advice = g_strdup("its owner has to renew it, unless this machine's clock is wrong");
    return g_strdup_printf("it expired on %s", detail);
  case X509_V_ERR_CERT_NOT_YET_VALID:
    detail = show_date(X509_get0_notBefore(certificate));
    *advice = g_strdup("is this machine's clock right?");
    return g_strdup_printf("it is not valid before %s", detail);
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    detail = list_names(certificate);
    *advice = g_strdup_printf("use a name that it is for with --host%u", peer->side);
    return g_strdup_printf("it is for %s, not for %s", detail, peer->host);
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    detail = g_strdup("it is self-signed");
    break;
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    detail = g_strdup("it is signed by nobody that this machine trusts");
    break;
  default:
    detail = g_strdup(X509_verify_cert_error_string(problem));
  }
  *advice =
      g_strdup_printf("if you know that it is right, trust its CA with --tls-ca%u FILE, or its key "
                      "with --tls-pin%u",
                      peer->side, peer->side);
  return g_steal_pointer(&detail);
}

void
haul_trust_explain(X509_STORE_CTX *verification, const HaulPeer *peer, GError **error)
{
  X509 *certificate = X509_STORE_CTX_get_current_cert(verification);
  if (certificate == NULL)
    certificate = X509_STORE_CTX_get0_cert(verification);
  g_autofree char *advice = NULL;
  g_autofree char *complaint =
      complain(X509_STORE_CTX_get_error(verification), certificate, peer, &advice);
  g_autofree char *subject = show_subject(certificate);
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls",
                 "%s: the server's certificate (%s) is not accepted: %s; %s", peer->name, subject,
                 complaint, advice);
}
