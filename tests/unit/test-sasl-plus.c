/*
 * Tests channel binding: the imap plugin against a server whose SASL is GNU SASL's and whose TLS is
 * OpenSSL's, asked for what it saw of the connection itself. It knows just enough IMAP.
 */
#include "suite.h"

#include <gsasl.h>
#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>

#include "certificate.h"
#include "peer.h"
#include "store.h"

extern const HaulPlugin haul_plugin_imap;

typedef struct {
  const char *capabilities; /* that it greets with */
  const char *name;         /* by which it calls itself, or NULL */
  int newest;               /* protocol version of TLS; 0: any */
  bool between;        /* binds to another connection, as one between us and the server would */
  const char *refused; /* what it says NO to the login with, instead of [AUTHENTICATIONFAILED] */
  const char *broken;  /* the same, in place of its proof */

  SSL_CTX *context;                 /* borrowed */
  SSL *ssl;                         /* while it serves */
  char mechanisms[256], first[256]; /* what came: names, and the client's first message */
} Server;

static int
credentials(Gsasl *context, Gsasl_session *session, Gsasl_property property)
{
  Server *server = gsasl_session_hook_get(session);
  bool exporter = property == GSASL_CB_TLS_EXPORTER;
  if (property == GSASL_PASSWORD)
    return gsasl_property_set(session, property, "pencil");
  if (property != GSASL_CB_TLS_EXPORTER && property != GSASL_CB_TLS_UNIQUE)
    return GSASL_NO_CALLBACK;
  if (exporter != (SSL_version(server->ssl) >= TLS1_3_VERSION))
    return exporter ? GSASL_NO_CB_TLS_EXPORTER : GSASL_NO_CB_TLS_UNIQUE;
  unsigned char octets[64];
  size_t size = 32;
  if (exporter)
    SSL_export_keying_material(server->ssl, octets, size, "EXPORTER-Channel-Binding", 24, NULL, 0,
                               1);
  else
    size = SSL_get_peer_finished(server->ssl, octets, sizeof octets);
  octets[0] ^= server->between;
  g_autofree char *binding = g_base64_encode(octets, size);
  return gsasl_property_set(session, property, binding);
}

static void G_GNUC_PRINTF(2, 3) say(Server *server, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autofree char *line = g_strconcat(text, "\r\n", NULL);
  SSL_write(server->ssl, line, (int)strlen(line));
}

/* Reads a line without its end; false when there is none. */
static bool
hear(Server *server, char *line, size_t size)
{
  size_t length = 0;
  while (length < size - 1 && SSL_read(server->ssl, line + length, 1) == 1) {
    if (line[length] == '\n') {
      line[length] = '\0';
      g_strchomp(line);
      return true;
    }
    length++;
  }
  return false;
}

/* Returns whether the client is in. */
static bool
authenticate(Server *server, Gsasl *context, const char *tag, const char *mechanism)
{
  Gsasl_session *session;
  char line[2048];
  g_strlcat(server->mechanisms, mechanism, sizeof server->mechanisms);
  g_strlcat(server->mechanisms, " ", sizeof server->mechanisms);
  if (server->refused != NULL && g_str_has_suffix(mechanism, "-PLUS")) {
    say(server, "%s NO %s", tag, server->refused);
    return false;
  }
  if (gsasl_server_start(context, mechanism, &session) != GSASL_OK) {
    say(server, "%s NO [CANNOT] unknown", tag);
    return false;
  }
  gsasl_session_hook_set(session, server);
  say(server, "+ ");
  int code = GSASL_NEEDS_MORE;
  while (code == GSASL_NEEDS_MORE && hear(server, line, sizeof line)) {
    if (server->first[0] == '\0') {
      gsize size;
      g_autofree guchar *first = g_base64_decode(line, &size);
      g_strlcpy(server->first, (char *)first, MIN(size + 1, sizeof server->first));
    }
    char *answer = NULL;
    code = gsasl_step64(session, line, &answer);
    bool speaks = code == GSASL_NEEDS_MORE || (code == GSASL_OK && *answer != '\0');
    if (speaks)
      say(server, "+ %s", answer);
    gsasl_free(answer);
    if (speaks && code == GSASL_OK)
      hear(server, line, sizeof line); /* nothing, in agreement */
  }
  gsasl_finish(session);
  if (code == GSASL_OK)
    say(server, "%s OK [CAPABILITY IMAP4rev1] welcome", tag);
  else if (server->broken != NULL)
    say(server, "%s NO %s", tag, server->broken);
  else
    say(server, "%s NO [AUTHENTICATIONFAILED] %s", tag, gsasl_strerror_name(code));
  return code == GSASL_OK;
}

static void
serve(int fd, void *data)
{
  Server *server = data;
  char line[2048];
  Gsasl *context;
  gsasl_init(&context);
  gsasl_callback_set(context, credentials);
  SSL_CTX_set_max_proto_version(server->context, server->newest);
  server->ssl = SSL_new(server->context);
  SSL_set_fd(server->ssl, fd);
  if (SSL_accept(server->ssl) == 1) {
    say(server, "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED %s] localhost %s ready",
        server->capabilities, server->name != NULL ? server->name : "server");
    while (hear(server, line, sizeof line)) {
      g_auto(GStrv) words = g_strsplit(line, " ", 3);
      if (g_strv_length(words) < 2)
        break;
      if (strcmp(words[1], "AUTHENTICATE") == 0) {
        authenticate(server, context, words[0], words[2]);
        continue;
      }
      if (strcmp(words[1], "LIST") == 0)
        say(server, "* LIST () \"/\" INBOX");
      say(server, "%s OK done", words[0]);
    }
  }
  SSL_free(server->ssl);
  gsasl_done(context);
  peer_hear_end(fd);
}

/* Logs in to @server. Returns whether that went well. */
static bool
log_in(Server *server, const char *password, GError **error)
{
  static const CertificateTerms terms = { "localhost", "DNS:localhost,IP:127.0.0.1", -1, 30,
                                          false };
  Authority *authority = authority_new("sasl");
  server->context = authority_serve(authority, &terms);
  Peer *peer = peer_start(serve, server);
  g_autofree char *port = g_strdup_printf("%u", peer_port(peer));
  g_autoptr(HaulAccount) account = haul_account_new(1, &haul_plugin_imap, NULL);
  peer_set(account, "host", "localhost");
  peer_set(account, "port", port);
  peer_set(account, "tls-ca", authority_file(authority));
  peer_set(account, "user", "user");
  peer_set(account, "password", password);
  HaulOpenStore *store = haul_store_open(account, HAUL_READ, error);
  bool fine = store != NULL;
  haul_store_close(store);
  peer_join(peer);
  SSL_CTX_free(server->context);
  authority_free(authority);
  return fine;
}

static void
a_login_is_bound_to_its_connection(void)
{
  static const struct {
    int newest;
    const char *capabilities, *mechanisms, *first;
  } table[] = {
    { 0, "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN", "SCRAM-SHA-256-PLUS ",
      "p=tls-exporter,,n=user,r=" },
    { TLS1_2_VERSION, "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256", "SCRAM-SHA-256-PLUS ",
      "p=tls-unique,,n=user,r=" },
    { 0, "AUTH=SCRAM-SHA-1-PLUS AUTH=SCRAM-SHA-1", "SCRAM-SHA-1-PLUS ",
      "p=tls-exporter,,n=user,r=" },
    { TLS1_2_VERSION, "AUTH=SCRAM-SHA-1-PLUS", "SCRAM-SHA-1-PLUS ", "p=tls-unique,,n=user,r=" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    Server server = { .capabilities = table[i].capabilities, .newest = table[i].newest };
    g_autoptr(GError) error = NULL;
    CU_ASSERT_TRUE(log_in(&server, "pencil", &error));
    if (error != NULL)
      printf("%s\n", error->message);
    CU_ASSERT_STRING_EQUAL(server.mechanisms, table[i].mechanisms);
    CU_ASSERT(g_str_has_prefix(server.first, table[i].first));
  }
}

static void
who_stands_between_cannot_pass_the_login_on(void)
{
  Server server = { .capabilities = "AUTH=SCRAM-SHA-256-PLUS AUTH=PLAIN", .between = true };
  g_autoptr(GError) error = NULL;
  CU_ASSERT_FALSE(log_in(&server, "pencil", &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "login", "refused");
  CU_ASSERT_STRING_EQUAL(server.mechanisms, "SCRAM-SHA-256-PLUS "); /* and PLAIN is not tried */
}

static void
a_wrong_password_is_tried_once(void)
{
  Server server = { .capabilities = "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN" };
  g_autoptr(GError) error = NULL;
  CU_ASSERT_FALSE(log_in(&server, "crayon", &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "login", "AUTHENTICATIONFAILED");
  CU_ASSERT_STRING_EQUAL(server.mechanisms, "SCRAM-SHA-256-PLUS ");
}

/* GNU SASL 2.2 says that it cannot bind, where no binding is offered. */
static void
without_an_offer_of_plus_nothing_is_bound(void)
{
  Server server = { .capabilities = "AUTH=SCRAM-SHA-256" };
  g_autoptr(GError) error = NULL;
  CU_ASSERT_TRUE(log_in(&server, "pencil", &error));
  CU_ASSERT(g_str_has_prefix(server.first, "n,,n=user,r="));
}

/* A server whose PLUS cannot be used. */
static void
plus_refused_as_unsupported_leaves_plain_scram(void)
{
  Server server = { .capabilities = "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256",
                    .refused = "[CANNOT] no such binding" };
  g_autoptr(GError) error = NULL;
  CU_ASSERT_TRUE(log_in(&server, "pencil", &error));
  CU_ASSERT_STRING_EQUAL(server.mechanisms, "SCRAM-SHA-256-PLUS SCRAM-SHA-256 ");
  CU_ASSERT(g_str_has_prefix(server.first, "n,,n=user,r="));
}

/* A Cyrus with TLS 1.3. The proof was shown by then, and the password is not shown after it. */
static void
plus_that_binds_in_another_way_leaves_plain_scram(void)
{
  Server server = { .capabilities = "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN",
                    .between = true,
                    .broken = "bad protocol / cancel" };
  g_autoptr(GError) error = NULL;
  CU_ASSERT_TRUE(log_in(&server, "pencil", &error));
  CU_ASSERT_STRING_EQUAL(server.mechanisms, "SCRAM-SHA-256-PLUS SCRAM-SHA-256 ");
}

/* Which takes three seconds to refuse that. */
static void
who_is_known_to_bind_in_another_way_is_not_asked_to(void)
{
  static const struct {
    const char *capabilities;
    int newest;
    const char *mechanisms;
  } table[] = {
    { "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256", 0, "SCRAM-SHA-256 " },
    { "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-1", 0, "SCRAM-SHA-1 " },
    { "AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256", TLS1_2_VERSION, "SCRAM-SHA-256-PLUS " },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    Server server = { .capabilities = table[i].capabilities,
                      .name = "Cyrus IMAP 3.6.1 server",
                      .newest = table[i].newest };
    g_autoptr(GError) error = NULL;
    CU_ASSERT_TRUE(log_in(&server, "pencil", &error));
    CU_ASSERT_STRING_EQUAL(server.mechanisms, table[i].mechanisms);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_login_is_bound_to_its_connection),
    CASE(who_stands_between_cannot_pass_the_login_on),
    CASE(a_wrong_password_is_tried_once),
    CASE(without_an_offer_of_plus_nothing_is_bound),
    CASE(plus_refused_as_unsupported_leaves_plain_scram),
    CASE(plus_that_binds_in_another_way_leaves_plain_scram),
    CASE(who_is_known_to_bind_in_another_way_is_not_asked_to),
  };
  return RUN_SUITE("sasl-plus", cases);
}
