/*
 * TLS by OpenSSL. Whom to trust is trust.c's; here are the session, its input and output, and what a
 * failed handshake means. Nothing of OpenSSL is touched before the first session.
 */
#include "tls.h"

#include <errno.h>
#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>

struct HaulTlsSession {
  SSL *ssl;             /* owned */
  const HaulPeer *peer; /* borrowed */
  GError *refusal;      /* owned; why the certificate was refused, or NULL */
  bool shaken;          /* the handshake is over */
  bool broken;          /* no more may be sent, not even a good-bye */
};

/*
 * The octets between OpenSSL and the connection. OpenSSL's own socket BIO calls write(), and a peer
 * that is gone would then raise SIGPIPE.
 */
static int
bio_result(BIO *bio, ssize_t moved, int retry, size_t *done)
{
  BIO_clear_retry_flags(bio);
  *done = moved > 0 ? (size_t)moved : 0;
  if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
  if (moved == 0 && retry == BIO_FLAGS_READ)
    BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return moved > 0;
}

static int
bio_write(BIO *bio, const char *octets, size_t size, size_t *sent)
{
  ssize_t moved = haul_duplex_write(BIO_get_data(bio), octets, size);
  return bio_result(bio, moved, BIO_FLAGS_WRITE, sent);
}

static int
bio_read(BIO *bio, char *buffer, size_t size, size_t *got)
{
  ssize_t moved = haul_duplex_read(BIO_get_data(bio), buffer, size);
  return bio_result(bio, moved, BIO_FLAGS_READ, got);
}

static long
bio_control(BIO *bio, int command, long number, void *pointer)
{
  switch (command) {
  case BIO_CTRL_FLUSH:
    return 1;
  case BIO_CTRL_EOF:
    return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
  default:
    return 0;
  }
}

static BIO_METHOD *bio_method; /* for the life of the process */

static void
bio_method_make(void)
{
  bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mailhaul socket");
  BIO_meth_set_write_ex(bio_method, bio_write);
  BIO_meth_set_read_ex(bio_method, bio_read);
  BIO_meth_set_ctrl(bio_method, bio_control);
}

static BIO *
bio_new(const HaulDuplex *duplex)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, bio_method_make);
  BIO *bio = BIO_new(bio_method);
  BIO_set_data(bio, (void *)duplex);
  BIO_set_init(bio, 1);
  return bio;
}

/* Keeps why a certificate is refused: it is gone when the handshake has failed. */
static int
on_verified(int ok, X509_STORE_CTX *verification)
{
  SSL *ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
  HaulTlsSession *session = SSL_get_app_data(ssl);
  if (!ok && session->refusal == NULL)
    haul_trust_explain(verification, session->peer, &session->refusal);
  return ok;
}

HaulTlsSession *
haul_tls_new(const HaulDuplex *duplex, const HaulPeer *peer, const HaulTrustTerms *terms,
             GError **error)
{
  SSL_CTX *context = haul_trust_context(terms, error);
  if (context == NULL)
    return NULL;
  HaulTlsSession *session = g_new0(HaulTlsSession, 1);
  session->peer = peer;
  session->ssl = SSL_new(context);
  SSL_CTX_free(context);
  g_assert(session->ssl != NULL); /* only memory can have been short */

  BIO *bio = bio_new(duplex);
  SSL_set_bio(session->ssl, bio, bio);
  SSL_set_app_data(session->ssl, session);
  SSL_set_verify(session->ssl, SSL_VERIFY_PEER, on_verified);
  SSL_set_connect_state(session->ssl);
  if (!haul_trust_expect(session->ssl, peer)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls",
                   "%s: no certificate can be checked for such a name", peer->name);
    ERR_clear_error();
    haul_tls_free(session);
    return NULL;
  }
  return session;
}

void
haul_tls_free(HaulTlsSession *session)
{
  if (session == NULL)
    return;
  if (session->shaken && !session->broken)
    SSL_shutdown(session->ssl);
  SSL_free(session->ssl);
  g_clear_error(&session->refusal);
  g_free(session);
}

/* What OpenSSL waits for after a call that returned @result; END and FAILED leave the reason in its
 * queue of errors. */
static HaulIo
outcome(HaulTlsSession *session, int result)
{
  switch (SSL_get_error(session->ssl, result)) {
  case SSL_ERROR_NONE:
    return HAUL_IO_DONE;
  case SSL_ERROR_WANT_READ:
    return HAUL_IO_WAIT_IN;
  case SSL_ERROR_WANT_WRITE:
    return HAUL_IO_WAIT_OUT;
  case SSL_ERROR_ZERO_RETURN:
    return HAUL_IO_END;
  case SSL_ERROR_SYSCALL:
    session->broken = true;
    return ERR_peek_error() == 0 ? HAUL_IO_END : HAUL_IO_FAILED;
  default:
    session->broken = true;
    return HAUL_IO_FAILED;
  }
}

static const char *
openssl_reason(void)
{
  const char *reason = ERR_reason_error_string(ERR_peek_error());
  return reason == NULL ? "no reason known" : reason;
}

static void
set_handshake_error(const HaulPeer *peer, GError **error)
{
  switch (ERR_GET_REASON(ERR_peek_error())) {
  case SSL_R_WRONG_VERSION_NUMBER:
  case SSL_R_HTTP_REQUEST:
  case SSL_R_PACKET_LENGTH_TOO_LONG:
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls",
                   "%s: the server does not speak TLS here; use --port%u for the port where it "
                   "does, or --tls%u for STARTTLS",
                   peer->name, peer->side, peer->side);
    break;
  case SSL_R_UNSUPPORTED_PROTOCOL:
  case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls",
                   "%s: the server speaks no TLS newer than 1.1, which is no protection",
                   peer->name);
    break;
  case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls",
                   "%s: the server wants a certificate of ours: use --tls-cert%u", peer->name,
                   peer->side);
    break;
  default:
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls", "%s: the TLS handshake failed: %s", peer->name,
                   openssl_reason());
  }
}

HaulIo
haul_tls_handshake(HaulTlsSession *session, GError **error)
{
  ERR_clear_error();
  HaulIo io = outcome(session, SSL_do_handshake(session->ssl));
  if (io == HAUL_IO_DONE) {
    session->shaken = true;
    haul_log(HAUL_LOG_DEBUG, "%s: encrypted with %s, %s", session->peer->name,
             SSL_get_version(session->ssl), SSL_get_cipher_name(session->ssl));
  }
  if (io == HAUL_IO_FAILED && session->refusal != NULL)
    g_propagate_error(error, g_steal_pointer(&session->refusal));
  else if (io == HAUL_IO_FAILED)
    set_handshake_error(session->peer, error);
  return io;
}

static HaulIo
transferred(HaulTlsSession *session, int result, GError **error)
{
  if (result == 1)
    return HAUL_IO_DONE;
  HaulIo io = outcome(session, result);
  /* In TLS 1.3 the server looks at our certificate when the handshake is over for us. */
  if (io == HAUL_IO_FAILED
      && ERR_GET_REASON(ERR_peek_error()) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED)
    set_handshake_error(session->peer, error);
  else if (io == HAUL_IO_FAILED)
    haul_set_error(error, HAUL_ERROR_CONNECTION, "closed", "%s: the TLS connection broke: %s",
                   session->peer->name, openssl_reason());
  return io;
}

HaulIo
haul_tls_read(HaulTlsSession *session, void *buffer, size_t size, size_t *got, GError **error)
{
  ERR_clear_error(); /* what others left in this thread's queue would pass for ours */
  return transferred(session, SSL_read_ex(session->ssl, buffer, size, got), error);
}

HaulIo
haul_tls_write(HaulTlsSession *session, const void *octets, size_t size, size_t *sent,
               GError **error)
{
  ERR_clear_error();
  return transferred(session, SSL_write_ex(session->ssl, octets, size, sent), error);
}

GBytes *
haul_tls_channel_binding(const HaulTlsSession *session, const char **type)
{
  static const char label[] = "EXPORTER-Channel-Binding"; /* RFC 9266 §4.2 */
  if (!session->shaken)
    return NULL;
  uint8_t octets[EVP_MAX_MD_SIZE];
  size_t size = 32;
  if (SSL_version(session->ssl) >= TLS1_3_VERSION) {
    *type = "tls-exporter";
    if (SSL_export_keying_material(session->ssl, octets, size, label, sizeof label - 1, NULL, 0, 1)
        != 1)
      size = 0;
  } else { /* we never resume, so the first Finished is ours (RFC 5929 §3.1) */
    *type = "tls-unique";
    size = SSL_get_finished(session->ssl, octets, sizeof octets);
  }
  return size == 0 ? NULL : g_bytes_new(octets, size);
}
