/* Tests tls.c and trust.c, and what TLS means for streams. */
#include "suite.h"

#include <glib/gstdio.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/stream.h>

#include "certificate.h"
#include "peer.h"

#define MIB ((size_t)1 << 20)

static Authority *authority;        /* trusted by those who name its file */
static Authority *system_authority; /* by everybody: its file passes for the system's */

/* What a server does: says @preface in clear text, shakes hands, then plays @run. */
typedef struct {
  const char *preface; /* NULL for none; else one octet is heard first: the request for it */
  CertificateTerms terms;
  SSL_CTX *context; /* instead of one on these terms; NULL for none */
  int newest;       /* protocol version; 0: any */
  void (*run)(SSL *ssl, void *data);
  void *data;
} Server;

static const CertificateTerms good_terms = { "localhost", "DNS:localhost,IP:127.0.0.1", -1, 30,
                                             false };

static void
serve(int fd, void *data)
{
  const Server *server = data;
  char octet;
  if (server->preface != NULL
      && (!peer_hear(fd, &octet, 1) || !peer_say(fd, server->preface, strlen(server->preface))))
    return;
  SSL_CTX *context = server->context;
  if (context != NULL)
    SSL_CTX_up_ref(context);
  else
    context = authority_serve(authority, &server->terms);
  if (server->newest != 0)
    SSL_CTX_set_security_level(context, 0); /* lets the old ones be spoken */
  SSL_CTX_set_max_proto_version(context, server->newest);
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  if (SSL_accept(ssl) == 1 && server->run != NULL)
    server->run(ssl, server->data);
  SSL_free(ssl);
  SSL_CTX_free(context);
  peer_hear_end(fd);
}

static HaulStream *
reach(const Peer *peer, const char *host, const char *tls, bool trusting, GError **error)
{
  g_autoptr(HaulAccount) account = peer_account(peer_port(peer), tls, NULL);
  peer_set(account, "host", host);
  if (trusting)
    peer_set(account, "tls-ca", authority_file(authority));
  return haul_stream_open(account, 993, 143, error);
}

static HaulStream *
reach_well(const Peer *peer, const char *tls)
{
  g_autoptr(GError) error = NULL;
  HaulStream *stream = reach(peer, "127.0.0.1", tls, true, &error);
  if (stream == NULL)
    g_error("%s", error->message);
  return stream;
}

static void
echo(SSL *ssl, void *data)
{
  char buffer[10000];
  for (int n; (n = SSL_read(ssl, buffer, sizeof buffer)) > 0;)
    SSL_write(ssl, buffer, n);
}

static void
octets_pass_both_ways(int newest)
{
  Server server = { .terms = good_terms, .newest = newest, .run = echo };
  Peer *peer = peer_start(serve, &server);
  HaulStream *stream = reach_well(peer, "implicit");
  CU_ASSERT(haul_stream_is_encrypted(stream));
  /* Twice as much as fits between two ends of which one does not read. */
  g_autofree uint8_t *octets = g_malloc(MIB);
  for (size_t from = 0; from < 3 * MIB; from += MIB) {
    pattern_fill(octets, from, MIB);
    CU_ASSERT(haul_stream_write(stream, octets, MIB, NULL));
  }
  for (size_t from = 0; from < 3 * MIB;) {
    size_t got = haul_stream_read(stream, octets, MIN(MIB, 3 * MIB - from), NULL);
    CU_ASSERT_FATAL(got > 0 && pattern_holds(octets, from, got));
    from += got;
  }
  for (unsigned i = 0; i < 100; i++) {
    g_autofree char *line = g_strdup_printf("%u", i);
    CU_ASSERT(haul_stream_printf(stream, NULL, "%s\r\n", line));
    size_t length;
    const char *came = haul_stream_read_line(stream, 100, &length, NULL);
    CU_ASSERT_FATAL(came != NULL);
    CU_ASSERT_STRING_EQUAL(came, line);
  }
  haul_stream_close(stream);
  peer_join(peer);
}

static void
a_trusted_server_is_talked_to(void)
{
  octets_pass_both_ways(TLS1_2_VERSION);
  octets_pass_both_ways(TLS1_3_VERSION);
}

static void
say_3_mib_then_hear_32(SSL *ssl, void *data)
{
  g_autofree uint8_t *octets = g_malloc(32 * MIB);
  pattern_fill(octets, 0, 32 * MIB);
  size_t sent;
  if (SSL_write_ex(ssl, octets, 3 * MIB, &sent) != 1)
    return;
  for (size_t got = 0, n; got < 32 * MIB; got += n)
    if (SSL_read_ex(ssl, octets + got, 32 * MIB - got, &n) != 1)
      return;
  *(bool *)data = pattern_holds(octets, 0, 32 * MIB);
}

static void
an_encrypted_peer_that_sends_before_it_reads_is_no_deadlock(void)
{
  bool held = false;
  Server server = { .terms = good_terms, .run = say_3_mib_then_hear_32, .data = &held };
  Peer *peer = peer_start(serve, &server);
  HaulStream *stream = reach_well(peer, "implicit");
  g_autofree uint8_t *octets = g_malloc(32 * MIB);
  pattern_fill(octets, 0, 32 * MIB);
  CU_ASSERT(haul_stream_write(stream, octets, 32 * MIB, NULL));
  size_t got = 0;
  while (got < 3 * MIB) {
    size_t n = haul_stream_read(stream, octets + got, 3 * MIB - got, NULL);
    CU_ASSERT_FATAL(n > 0);
    got += n;
  }
  CU_ASSERT(pattern_holds(octets, 0, 3 * MIB));
  haul_stream_close(stream);
  peer_join(peer);
  CU_ASSERT(held);
}

static void
a_name_is_verified_as_a_name(void)
{
  Server server = { .terms = { "x", "DNS:*.example,DNS:localhost", -1, 30, false } };
  Peer *peer = peer_start(serve, &server);
  g_autoptr(GError) error = NULL;
  HaulStream *stream = reach(peer, "localhost", "implicit", true, &error);
  if (stream == NULL)
    printf("%s\n", error->message);
  CU_ASSERT(stream != NULL);
  haul_stream_close(stream);
  peer_join(peer);
}

static void
what_is_wrong_with_a_certificate_is_said(void)
{
  static const struct {
    CertificateTerms terms;
    const char *host;
    const char *words, *advice;
    bool distrusting;
  } table[] = {
    { { "localhost", "DNS:localhost", -1, 30, false },
      "localhost",
      "signed by nobody that this machine trusts",
      "--tls-ca1 FILE",
      true },
    { { "localhost", "DNS:localhost", -1, 30, true },
      "localhost",
      "it is self-signed",
      "--tls-ca1 FILE",
      false },
    { { "localhost", "DNS:other.example,DNS:b.example,IP:192.0.2.7", -1, 30, false },
      "localhost",
      "it is for other.example, b.example, 192.0.2.7, not for localhost",
      "--host1",
      false },
    { { "a", "DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f", -1, 30, false },
      "localhost",
      "it is for a, b, c, d, ..., not",
      "--host1",
      false },
    { { "localhost", NULL, -1, 30, false },
      "localhost",
      "it is for no name at all",
      "--host1",
      false },
    { { "localhost", "DNS:localhost", -1, 30, false },
      "127.0.0.1",
      "it is for localhost, not for 127.0.0.1",
      "--host1",
      false },
    { { "127.0.0.1", "DNS:127.0.0.1,DNS:*.0.0.1", -1, 30, false },
      "127.0.0.1",
      "not for 127.0.0.1",
      "--host1",
      false },
    { { "*", "DNS:*", -1, 30, false }, "localhost", "not for localhost", "--host1", false },
    { { "localhost", "DNS:localhost", -30, -2, false },
      "localhost",
      "it expired on 20",
      "renew",
      false },
    { { "localhost", "DNS:localhost", 2, 30, false },
      "localhost",
      "it is not valid before 20",
      "clock",
      false },
    { { "evil\033]0;pwn\007\n", "DNS:localhost", -1, 30, true },
      "localhost",
      "\\1B]0\\;pwn",
      "--tls",
      false },
    { { "D\303\274rer", "DNS:localhost", -1, 30, true },
      "localhost",
      "(CN=D\303\274rer)",
      "--tls",
      false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    Server server = { .terms = table[i].terms };
    Peer *peer = peer_start(serve, &server);
    g_autoptr(GError) error = NULL;
    HaulStream *stream = reach(peer, table[i].host, "implicit", !table[i].distrusting, &error);
    CU_ASSERT(stream == NULL);
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "tls", table[i].words);
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "tls", table[i].advice);
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "tls", table[i].host);
    CU_ASSERT(error != NULL && strpbrk(error->message, "\n\033\007") == NULL);
    haul_stream_close(stream);
    peer_join(peer);
  }
}

static void
a_certificate_in_the_file_is_trusted_whoever_signed_it(void)
{
  for (int self_signed = 0; self_signed < 2; self_signed++) {
    CertificateTerms terms = good_terms;
    terms.self_signed = self_signed;
    SSL_CTX *context = authority_serve(authority, &terms);
    g_autofree char *file = certificate_save(context);
    Server server = { .context = context };
    Peer *peer = peer_start(serve, &server);
    g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "implicit", NULL);
    peer_set(account, "tls-ca", file);
    g_autoptr(GError) error = NULL;
    HaulStream *stream = haul_stream_open(account, 993, 143, &error);
    if (stream == NULL)
      printf("%s\n", error->message);
    CU_ASSERT(stream != NULL);
    haul_stream_close(stream);
    peer_join(peer);
    SSL_CTX_free(context);
    g_unlink(file);
  }
}

static void
the_bundle_of_the_system_is_trusted_too(void)
{
  SSL_CTX *context = authority_serve(system_authority, &good_terms);
  for (int trusting = 0; trusting < 2; trusting++) {
    Server server = { .context = context };
    Peer *peer = peer_start(serve, &server);
    g_autoptr(GError) error = NULL;
    HaulStream *stream = reach(peer, "127.0.0.1", "implicit", trusting, &error);
    if (stream == NULL)
      printf("%s\n", error->message);
    CU_ASSERT(stream != NULL);
    haul_stream_close(stream);
    peer_join(peer);
  }
  SSL_CTX_free(context);
}

static void
old_protocols_are_refused(void)
{
  Server server = { .terms = good_terms, .newest = TLS1_1_VERSION };
  Peer *peer = peer_start(serve, &server);
  g_autoptr(GError) error = NULL;
  CU_ASSERT(reach(peer, "127.0.0.1", "implicit", true, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "tls", "no TLS newer than 1.1");
  peer_join(peer);
}

/* Asks for STARTTLS and reads its answer; what comes of the handshake is returned. */
static bool
upgrade(const char *preface, HaulStream **stream, Peer **peer, Server *server, GError **error)
{
  *server = (Server){ .terms = good_terms, .preface = preface, .run = echo };
  *peer = peer_start(serve, server);
  *stream = reach_well(*peer, "starttls");
  CU_ASSERT(haul_stream_tls(*stream) == HAUL_TLS_STARTTLS);
  CU_ASSERT(!haul_stream_is_encrypted(*stream));
  CU_ASSERT(haul_stream_write(*stream, "s", 1, NULL));
  size_t length;
  CU_ASSERT(haul_stream_read_line(*stream, 100, &length, NULL) != NULL);
  return haul_stream_start_tls(*stream, error);
}

static void
a_clear_stream_is_upgraded(void)
{
  HaulStream *stream;
  Peer *peer;
  Server server;
  g_autoptr(GError) error = NULL;
  CU_ASSERT(upgrade("a1 OK Begin TLS\r\n", &stream, &peer, &server, &error));
  CU_ASSERT(haul_stream_is_encrypted(stream));
  CU_ASSERT(haul_stream_printf(stream, NULL, "hello\r\n"));
  size_t length;
  const char *line = haul_stream_read_line(stream, 100, &length, NULL);
  CU_ASSERT(line != NULL && strcmp(line, "hello") == 0);
  haul_stream_close(stream);
  peer_join(peer);
}

static void
agree_and_fall_silent(int fd, void *data)
{
  if (peer_say(fd, "a1 OK\r\n", 7))
    peer_hear_end(fd);
}

/* T07 (CVE-2011-1947). */
static void
silence_after_starttls_has_an_end(void)
{
  g_autoptr(GError) error = NULL;
  size_t length;
  Peer *peer = peer_start(agree_and_fall_silent, NULL);
  g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "starttls", NULL);
  peer_set(account, "timeout", "1"); /* of 120 s, as all deadlines: a handshake has 30 */
  HaulStream *stream = haul_stream_open(account, 993, 143, NULL);
  CU_ASSERT_FATAL(stream != NULL);
  CU_ASSERT(haul_stream_read_line(stream, 100, &length, NULL) != NULL);
  CU_ASSERT(!haul_stream_start_tls(stream, &error));
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "timeout", NULL);
  haul_stream_close(stream);
  peer_join(peer);
}

static void
octets_before_the_handshake_are_an_attack(void)
{
  static const char *const prefaces[] = {
    "a1 OK Begin TLS\r\na2 OK logged in\r\n* LIST () \"/\" x\r\n",
    "a1 OK Begin TLS\r\n*",
    "a1 OK Begin TLS\r\n\r\n",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(prefaces); i++) {
    HaulStream *stream;
    Peer *peer;
    Server server;
    g_autoptr(GError) error = NULL;
    CU_ASSERT(!upgrade(prefaces[i], &stream, &peer, &server, &error));
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "tls", "came after the answer to STARTTLS");
    CU_ASSERT(!haul_stream_is_encrypted(stream));
    haul_stream_close(stream);
    peer_join(peer);
  }
}

static void
say_line_slowly(int fd, void *data)
{
  char octet;
  if (!peer_hear(fd, &octet, 1) || !peer_say(fd, "OK\r\n", 4) || !peer_hear(fd, &octet, 1)
      || !peer_say(fd, "x", 1))
    return;
  haul_cancel_set(data); /* not to cancel: its descriptor tells the other thread */
  peer_hear_end(fd);
}

static void
octets_that_still_lie_in_the_kernel_count_too(void)
{
  HaulCancel *sent = haul_cancel_new();
  Peer *peer = peer_start(say_line_slowly, sent);
  HaulStream *stream = reach_well(peer, "starttls");
  CU_ASSERT(haul_stream_write(stream, "s", 1, NULL));
  size_t length;
  CU_ASSERT(haul_stream_read_line(stream, 100, &length, NULL) != NULL);
  CU_ASSERT(haul_stream_write(stream, "s", 1, NULL) && haul_stream_flush(stream, NULL));
  struct pollfd fd = { .fd = haul_cancel_fd(sent), .events = POLLIN };
  CU_ASSERT(haul_cancel_wait(NULL, &fd, 1, HAUL_NEVER) == HAUL_WAIT_READY);
  g_autoptr(GError) error = NULL;
  CU_ASSERT(!haul_stream_start_tls(stream, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "tls", "came after the answer to STARTTLS");
  haul_stream_close(stream);
  peer_join(peer);
  haul_cancel_free(sent);
}

static void
say_and_wait(int fd, void *data)
{
  const char *text = data;
  if (*text != '\0' && !peer_say(fd, text, strlen(text)))
    return;
  peer_hear_end(fd);
}

static void
hear_and_close(int fd, void *data)
{
  char octet;
  peer_hear(fd, &octet, 1);
}

static void
a_failed_handshake_says_why(void)
{
  static const struct {
    PeerRun run;
    const char *text;
    int reach;
    const char *reason, *words;
  } table[] = {
    { say_and_wait, "* OK [CAPABILITY IMAP4rev1] ready\r\n", HAUL_ERROR_ACCOUNT, "tls",
      "does not speak TLS here" },
    { say_and_wait, "", HAUL_ERROR_CONNECTION, "timeout", "handshake was not over in 0.25 s" },
    { hear_and_close, "", HAUL_ERROR_CONNECTION, "closed", "during the TLS handshake" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *text = g_strdup(table[i].text);
    Peer *peer = peer_start(table[i].run, text);
    g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "implicit", NULL);
    peer_set(account, "timeout", "1");
    g_autoptr(GError) error = NULL;
    CU_ASSERT(haul_stream_open(account, 993, 143, &error) == NULL);
    CHECK_ERROR(error, table[i].reach, table[i].reason, table[i].words);
    peer_join(peer);
  }
}

/* The digest of the key of @context's certificate, as --tls-pin takes it. */
static char *
pin_of(SSL_CTX *context)
{
  unsigned char *octets = NULL, digest[EVP_MAX_MD_SIZE];
  unsigned size;
  int length = i2d_PUBKEY(X509_get0_pubkey(SSL_CTX_get0_certificate(context)), &octets);
  EVP_Digest(octets, (size_t)length, digest, &size, EVP_sha256(), NULL);
  OPENSSL_free(octets);
  GString *pin = g_string_new("sha256:");
  for (unsigned i = 0; i < size; i++)
    g_string_append_printf(pin, "%02x", digest[i]);
  return g_string_free(pin, FALSE);
}

static void
a_pinned_key_is_trusted_whatever_its_certificate_says(void)
{
  static const CertificateTerms terms[] = {
    { "localhost", "DNS:localhost", -1, 30, true },
    { "other", "DNS:other.example", -30, -2, false },
    { "nameless", NULL, -1, 30, true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(terms); i++) {
    SSL_CTX *context = authority_serve(authority, &terms[i]);
    g_autofree char *pin = pin_of(context);
    g_autofree char *pins =
        g_strdup_printf("sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,%s", pin);
    Server server = { .context = context };
    Peer *peer = peer_start(serve, &server);
    g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "implicit", NULL);
    peer_set(account, "tls-pin", pins);
    g_autoptr(GError) error = NULL;
    HaulStream *stream = haul_stream_open(account, 993, 143, &error);
    if (stream == NULL)
      printf("%s\n", error->message);
    CU_ASSERT(stream != NULL && haul_stream_is_encrypted(stream));
    haul_stream_close(stream);
    peer_join(peer);
    SSL_CTX_free(context);
  }
}

static void
a_key_that_is_not_pinned_is_refused_and_shown(void)
{
  /* By an authority that is trusted, and for the right name: with pins that is not enough. */
  SSL_CTX *context = authority_serve(authority, &good_terms);
  g_autofree char *pin = pin_of(context);
  Server server = { .context = context };
  Peer *peer = peer_start(serve, &server);
  g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "implicit", NULL);
  peer_set(account, "tls-ca", authority_file(authority));
  peer_set(account, "tls-pin", "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  g_autoptr(GError) error = NULL;
  CU_ASSERT(haul_stream_open(account, 993, 143, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "tls", pin);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "tls", "--tls-pin1");
  peer_join(peer);
  SSL_CTX_free(context);
}

static void
what_is_no_pin_is_said_before_anything_is_sent(void)
{
  Server server = { .terms = good_terms };
  Peer *peer = peer_start(serve, &server);
  g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "implicit", NULL);
  peer_set(account, "tls-pin", "md5:0123");
  g_autoptr(GError) error = NULL;
  CU_ASSERT(haul_stream_open(account, 993, 143, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "\"md5:0123\"");
  peer_join(peer);
}

/* Reports in @data, a bool, whether the client showed a certificate; then says so. */
static void
look_at_client(SSL *ssl, void *data)
{
  *(bool *)data = SSL_get0_peer_certificate(ssl) != NULL;
  SSL_write(ssl, "seen\r\n", 6);
}

static int
accept_any(int ok, X509_STORE_CTX *verification)
{
  return 1;
}

static void
our_certificate_is_shown_to_a_server_that_asks(void)
{
  SSL_CTX *ours = authority_serve(authority, &good_terms);
  SSL_CTX *strangers = authority_serve(authority, &good_terms);
  g_autofree char *certificate = certificate_save(ours), *key = certificate_save_key(ours),
                  *strange_key = certificate_save_key(strangers);
  const struct {
    const char *certificate, *key;
    int newest;
    const char *reason, *words; /* NULL: it is accepted */
  } table[] = {
    { certificate, key, TLS1_2_VERSION, NULL, NULL },
    { certificate, key, TLS1_3_VERSION, NULL, NULL },
    { "", "", TLS1_2_VERSION, "tls", "handshake failed" },
    { "", "", TLS1_3_VERSION, "tls", "wants a certificate of ours: use --tls-cert1" },
    { certificate, strange_key, TLS1_3_VERSION, "tls", "--tls-key1" },
    { certificate, "", TLS1_3_VERSION, "tls", "--tls-cert1" },
    { "/nonexistent", key, TLS1_3_VERSION, "tls", "/nonexistent" },
    { "", key, TLS1_3_VERSION, "usage", "needs --tls-cert1" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    SSL_CTX *context = authority_serve(authority, &good_terms);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    bool seen = false;
    Server server = {
      .context = context, .newest = table[i].newest, .run = look_at_client, .data = &seen
    };
    Peer *peer = peer_start(serve, &server);
    g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "implicit", NULL);
    peer_set(account, "tls-ca", authority_file(authority));
    peer_set(account, "tls-cert", table[i].certificate);
    peer_set(account, "tls-key", table[i].key);
    g_autoptr(GError) error = NULL;
    HaulStream *stream = haul_stream_open(account, 993, 143, &error);
    size_t length;
    if (stream != NULL)
      haul_stream_read_line(stream, 100, &length, &error);
    CU_ASSERT((error == NULL) == (table[i].words == NULL));
    if (error != NULL && table[i].words != NULL)
      CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, table[i].reason, table[i].words);
    haul_stream_close(stream);
    peer_join(peer);
    CU_ASSERT(seen == (table[i].words == NULL));
    SSL_CTX_free(context);
  }
  g_unlink(certificate);
  g_unlink(key);
  g_unlink(strange_key);
  SSL_CTX_free(ours);
  SSL_CTX_free(strangers);
}

static void
a_ca_file_that_cannot_be_read_is_named(void)
{
  Server server = { .terms = good_terms };
  Peer *peer = peer_start(serve, &server);
  g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "implicit", NULL);
  peer_set(account, "tls-ca", "/nonexistent/ca.pem");
  g_autoptr(GError) error = NULL;
  CU_ASSERT(haul_stream_open(account, 993, 143, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "tls", "/nonexistent/ca.pem");
  peer_join(peer);
}

static void
say_two_lines(SSL *ssl, void *data)
{
  char octet;
  SSL_read(ssl, &octet, 1);
  SSL_write(ssl, "1\r\n2\r\n", 6);
}

static void
an_encrypted_end_comes_after_its_octets(void)
{
  Server server = { .terms = good_terms, .run = say_two_lines };
  Peer *peer = peer_start(serve, &server);
  HaulStream *stream = reach_well(peer, "implicit");
  CU_ASSERT(!haul_stream_pending(stream)); /* session tickets are nothing to read */
  CU_ASSERT(haul_stream_write(stream, "g", 1, NULL));
  size_t length;
  CU_ASSERT(haul_stream_read_line(stream, 10, &length, NULL) != NULL);
  CU_ASSERT(haul_stream_pending(stream));
  CU_ASSERT(haul_stream_read_line(stream, 10, &length, NULL) != NULL);
  CU_ASSERT(!haul_stream_pending(stream));
  haul_stream_close(stream);
  peer_join(peer);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_trusted_server_is_talked_to),
    CASE(an_encrypted_peer_that_sends_before_it_reads_is_no_deadlock),
    CASE(a_name_is_verified_as_a_name),
    CASE(what_is_wrong_with_a_certificate_is_said),
    CASE(a_certificate_in_the_file_is_trusted_whoever_signed_it),
    CASE(the_bundle_of_the_system_is_trusted_too),
    CASE(old_protocols_are_refused),
    CASE(a_clear_stream_is_upgraded),
    CASE(silence_after_starttls_has_an_end),
    CASE(octets_before_the_handshake_are_an_attack),
    CASE(octets_that_still_lie_in_the_kernel_count_too),
    CASE(a_failed_handshake_says_why),
    CASE(a_pinned_key_is_trusted_whatever_its_certificate_says),
    CASE(a_key_that_is_not_pinned_is_refused_and_shown),
    CASE(what_is_no_pin_is_said_before_anything_is_sent),
    CASE(our_certificate_is_shown_to_a_server_that_asks),
    CASE(a_ca_file_that_cannot_be_read_is_named),
    CASE(an_encrypted_end_comes_after_its_octets),
  };
  authority = authority_new("user's CA");
  system_authority = authority_new("system's CA");
  g_setenv("SSL_CERT_FILE", authority_file(system_authority), TRUE);
  int code = RUN_SUITE("tls", cases);
  authority_free(system_authority);
  authority_free(authority);
  return code;
}
