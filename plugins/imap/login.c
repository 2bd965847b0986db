/*
 * How a session begins. See login.h.
 *
 * What a server says in clear text before STARTTLS may be anybody's: none of it is kept, shown or
 * acted upon, but for the refusal to encrypt (RFC 9051 §11.1, §6.2.1).
 */
#include "login.h"

#include <mailhaul/log.h>
#include <mailhaul/message.h>
#include <string.h>

#define IMAPS_PORT 993
#define IMAP_PORT 143

static bool
refuse_tls(GError **error, const char *why)
{
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls", "no encryption: %s", why);
  return false;
}

/* Reads the greeting. @authenticated: gets whether no login is wanted. */
static bool
greet(ImapSession *session, bool *authenticated, GError **error)
{
  ImapResponse response;
  if (!imap_session_greeting(session, &response, error))
    return false;
  if (response.condition == IMAP_BYE) {
    g_autofree char *text =
        imap_session_is_trusted(session) ? imap_span_dup(&response.text, NULL) : NULL;
    session->dead = true;
    imap_set_refusal(error, HAUL_ERROR_BUSY, "busy", "server refused the session", NULL, text);
    return false;
  }
  *authenticated = response.condition == IMAP_PREAUTH;
  if (*authenticated && haul_stream_tls(session->stream) == HAUL_TLS_STARTTLS)
    return refuse_tls(error, "the server let us in before STARTTLS (PREAUTH)");
  return true;
}

static bool
start_tls(ImapSession *session, GError **error)
{
  g_auto(ImapReply) reply = { 0 };
  ImapCommand command = { .name = "STARTTLS", .reply = &reply };
  if (session->capabilities_known && !imap_session_can(session, IMAP_CAP_STARTTLS))
    return refuse_tls(error, "the server does not offer STARTTLS");
  if (!imap_session_send(session, &command, error, "STARTTLS")
      || !imap_session_wait(session, &reply, error))
    return false;
  if (reply.condition != IMAP_OK)
    return refuse_tls(error, "the server refused STARTTLS");
  if (!haul_stream_start_tls(session->stream, error)) {
    session->dead = true;
    return false;
  }
  session->capabilities = 0;
  session->capabilities_known = false;
  session->append_limit = HAUL_UNKNOWN;
  return true;
}

static bool
ask_capabilities(ImapSession *session, GError **error)
{
  g_auto(ImapReply) reply = { 0 };
  ImapCommand command = { .name = "CAPABILITY", .reply = &reply };
  return session->capabilities_known
         || (imap_session_send(session, &command, error, "CAPABILITY")
             && imap_session_expect(session, &reply, "CAPABILITY", HAUL_ERROR_CONNECTION,
                                    "protocol", error));
}

/* Returns the initial response of SASL PLAIN (RFC 4616) in base64; to be wiped. */
static char *
plain_response(const HaulAccount *account)
{
  const char *user = haul_account_string(account, "user");
  const char *password = haul_account_secret(account, "password");
  const char *authuser = haul_account_string(account, "authuser");
  bool delegated = authuser != NULL && *authuser != '\0';
  const char *parts[] = { delegated ? user : "", delegated ? authuser : user, password };
  size_t size = strlen(parts[0]) + strlen(parts[1]) + strlen(parts[2]) + 2;
  char *plain = g_malloc(size + 1), *at = plain;
  for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
    at = stpcpy(at, parts[i]) + 1;
  char *encoded = g_base64_encode((const guchar *)plain, size);
  explicit_bzero(plain, size);
  g_free(plain);
  return encoded;
}

static bool
write_secret(ImapSession *session, const char *before, const char *secret, GError **error)
{
  return imap_session_write(session, before, strlen(before), error)
         && imap_session_write(session, secret, strlen(secret), error)
         && imap_session_write(session, "\r\n", 2, error);
}

static bool
authenticate_plain(ImapSession *session, const ImapCommand *model, GError **error)
{
  char *response = plain_response(session->account);
  const ImapCommand *command = imap_session_begin(session, model, error);
  bool sent = command != NULL;
  haul_log(HAUL_LOG_DEBUG, "C: A%u AUTHENTICATE PLAIN ***", session->n_tags);
  if (sent && imap_session_can(session, IMAP_CAP_SASL_IR)) {
    sent = write_secret(session, "AUTHENTICATE PLAIN ", response, error);
  } else if (sent) {
    static const char line[] = "AUTHENTICATE PLAIN\r\n";
    unsigned tag = command->tag;
    bool go_ahead;
    sent = imap_session_write(session, line, sizeof line - 1, error)
           && imap_session_await(session, tag, &go_ahead, error)
           && (!go_ahead || write_secret(session, "", response, error));
  }
  explicit_bzero(response, strlen(response));
  g_free(response);
  return sent;
}

/* Writes @text as a quoted string, or a literal where it must be one. @go_ahead: false if the server
 * answered instead. */
static bool
write_astring(ImapSession *session, unsigned tag, const char *text, bool *go_ahead, GError **error)
{
  size_t size = strlen(text);
  *go_ahead = true;
  if (!imap_is_quotable(text, size))
    return imap_session_literal(session, tag, size, go_ahead, error)
           && (!*go_ahead || imap_session_write(session, text, size, error));
  GString *quoted = g_string_sized_new(2 * size + 2);
  imap_append_quoted(quoted, text, size);
  bool written = imap_session_write(session, quoted->str, quoted->len, error);
  explicit_bzero(quoted->str, quoted->len);
  g_string_free(quoted, TRUE);
  return written;
}

static bool
login(ImapSession *session, const ImapCommand *model, GError **error)
{
  const HaulAccount *account = session->account;
  const char *user = haul_account_string(account, "user");
  const char *password = haul_account_secret(account, "password");
  const ImapCommand *command = imap_session_begin(session, model, error);
  if (command == NULL)
    return false;
  unsigned tag = command->tag;
  bool go_ahead;
  haul_log(HAUL_LOG_DEBUG, "C: A%u LOGIN ***", tag);
  if (!imap_session_write(session, "LOGIN ", 6, error)
      || !write_astring(session, tag, user, &go_ahead, error))
    return false;
  if (!go_ahead)
    return true;
  if (!imap_session_write(session, " ", 1, error)
      || !write_astring(session, tag, password, &go_ahead, error))
    return false;
  return !go_ahead || imap_session_write(session, "\r\n", 2, error);
}

static bool
authenticate(ImapSession *session, GError **error)
{
  g_auto(ImapReply) reply = { 0 };
  ImapCommand command = { .name = "login", .reply = &reply };
  const char *authuser = haul_account_string(session->account, "authuser");
  bool plain = imap_session_can(session, IMAP_CAP_AUTH_PLAIN);
  bool delegated = authuser != NULL && *authuser != '\0';
  if (!plain && (delegated || imap_session_can(session, IMAP_CAP_LOGINDISABLED))) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "login", "%s",
                   delegated ? "the server offers no AUTH=PLAIN, which authuser needs"
                             : "the server allows no login by password here");
    return false;
  }

  /* The answer may list what is offered from now on; if it does not, that must be asked. */
  session->capabilities_known = false;
  if (!(plain ? authenticate_plain : login)(session, &command, error)
      || !imap_session_wait(session, &reply, error))
    return false;
  if (plain && reply.condition == IMAP_BAD && !delegated
      && !imap_session_can(session, IMAP_CAP_LOGINDISABLED)) { /* offered, but not understood */
    imap_reply_clear(&reply);
    if (!login(session, &command, error) || !imap_session_wait(session, &reply, error))
      return false;
  }
  if (reply.condition == IMAP_OK)
    return true;
  imap_set_refusal(error, HAUL_ERROR_ACCOUNT, "login", "login refused", reply.code, reply.text);
  return false;
}

/* Returns the capabilities named in the setting "no-ext". */
static uint32_t
ignored_capabilities(const HaulAccount *account)
{
  const char *list = haul_account_string(account, "no-ext");
  uint64_t limit;
  if (list == NULL)
    return 0;
  return imap_parse_capabilities((ImapCursor){ list, list + strlen(list) }, &limit);
}

ImapSession *
imap_login(const HaulAccount *account, GError **error)
{
  HaulStream *stream = haul_stream_open(account, IMAPS_PORT, IMAP_PORT, error);
  if (stream == NULL)
    return NULL;
  ImapSession *session = imap_session_new(account, stream);
  session->ignored = ignored_capabilities(account);

  bool authenticated;
  if (greet(session, &authenticated, error)
      && (haul_stream_tls(stream) != HAUL_TLS_STARTTLS || start_tls(session, error))
      && (authenticated || (ask_capabilities(session, error) && authenticate(session, error)))
      && ask_capabilities(session, error))
    return session;
  imap_session_close(session);
  return NULL;
}
