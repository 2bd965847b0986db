/*
 * How a session begins. See login.h.
 *
 * What a server says in clear text before STARTTLS may be anybody's: none of it is kept, shown or
 * acted upon, but for the refusal to encrypt (RFC 9051 §11.1, §6.2.1).
 */
#include "login.h"

#include <mailhaul/log.h>
#include <mailhaul/message.h>
#include <mailhaul/sasl.h>
#include <string.h>

#include "extensions.h"

#define IMAPS_PORT 993
#define IMAP_PORT 143

enum {
  SCRAM = HAUL_SASL_SCRAM_SHA_256_PLUS | HAUL_SASL_SCRAM_SHA_256 | HAUL_SASL_SCRAM_SHA_1_PLUS
          | HAUL_SASL_SCRAM_SHA_1,
  MOST_BAD = 2, /* which may mean a wrong password, and accounts get locked */
};

/* What the tries of one login have cost. */
typedef struct {
  unsigned n_answers; /* that we gave in the last one */
  bool shown;         /* in the last one, the secret or a proof of it */
  unsigned n_bad;     /* tries that showed it and were answered BAD */
} Tries;

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
  g_autofree char *text =
      imap_session_is_trusted(session) ? imap_span_dup(&response.text, NULL) : NULL;
  session->is_cyrus = session->is_cyrus || (text != NULL && strstr(text, "Cyrus IMAP") != NULL);
  if (response.condition == IMAP_BYE) {
    session->dead = true;
    imap_set_refusal(error, HAUL_ERROR_BUSY, "busy", "server refused the session", NULL, text);
    return false;
  }
  *authenticated = response.condition == IMAP_PREAUTH;
  if (!*authenticated || haul_stream_is_tunnel(session->stream))
    return true;
  if (haul_stream_tls(session->stream) == HAUL_TLS_STARTTLS)
    return refuse_tls(error, "the server let us in before STARTTLS (PREAUTH)");
  /* Over TLS only our certificate can have told who we are: else it takes us for somebody. */
  const char *certificate = haul_account_string(session->account, "tls-cert");
  if (haul_stream_is_encrypted(session->stream) && *certificate == '\0') {
    session->dead = true;
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "login",
                   "the server let us in without asking who we are (PREAUTH), which is right only "
                   "through a tunnel or with a certificate of ours");
    return false;
  }
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
  imap_extensions_reset(session);
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

/* Ends a conversation that cannot go on, and with it the session. */
static bool
give_up(ImapSession *session, GError *why, GError **error)
{
  haul_log(HAUL_LOG_DEBUG, "C: *");
  (void)(imap_session_write(session, "*\r\n", 3, NULL) && haul_stream_flush(session->stream, NULL));
  session->dead = true;
  g_propagate_error(error, why);
  return false;
}

/* Authenticates (RFC 9051 §6.2.2) by the mechanism that was begun. @initial: its first answer, sent
 * with the command (RFC 4959), or NULL. */
static bool
converse(ImapSession *session, HaulSasl *sasl, const char *name, const char *initial,
         const ImapCommand *model, Tries *tries, GError **error)
{
  tries->n_answers = initial != NULL;
  const ImapCommand *command = imap_session_begin(session, model, error);
  if (command == NULL)
    return false;
  unsigned tag = command->tag;
  haul_log(HAUL_LOG_DEBUG, "C: A%u AUTHENTICATE %s%s", tag, name, initial != NULL ? " ***" : "");
  if (!imap_session_write(session, "AUTHENTICATE ", 13, error)
      || !imap_session_write(session, name, strlen(name), error)
      || (initial != NULL
          && (!imap_session_write(session, " ", 1, error)
              || !imap_session_write(session, initial, strlen(initial), error)))
      || !imap_session_write(session, "\r\n", 2, error))
    return false;
  for (;;) {
    bool go_ahead;
    GError *why = NULL;
    if (!imap_session_await(session, tag, &go_ahead, error))
      return false;
    if (!go_ahead)
      return true;
    ImapSpan *challenge = &session->challenge;
    const char *answer = haul_sasl_answer(sasl, challenge->at, challenge->size, &why);
    if (answer == NULL)
      return give_up(session, why, error);
    haul_log(HAUL_LOG_DEBUG, "C: ***");
    tries->n_answers++;
    if (!imap_session_write(session, answer, strlen(answer), error)
        || !imap_session_write(session, "\r\n", 2, error))
      return false;
  }
}

/* Writes @text as a quoted string, or a literal where it must be one. @go_ahead: false if the server
 * answered instead. */
static bool
write_astring(ImapSession *session, unsigned tag, const char *text, bool *go_ahead, GError **error)
{
  size_t size = strlen(text);
  *go_ahead = true;
  if (!imap_is_quotable(text, size, false))
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
login(ImapSession *session, const ImapCommand *model, Tries *tries, GError **error)
{
  tries->n_answers = 0;
  const HaulAccount *account = session->account;
  const char *authuser = haul_account_string(account, "authuser");
  const char *user =
      authuser != NULL && *authuser != '\0' ? authuser : haul_account_string(account, "user");
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
  tries->n_answers = go_ahead ? 2 : 1;
  return !go_ahead || imap_session_write(session, "\r\n", 2, error);
}

/* Whether what was tried is to be tried in another form. */
static bool
is_unsupported(const ImapReply *reply)
{
  return reply->condition != IMAP_OK
         && imap_classify_login(reply->condition == IMAP_BAD, reply->code, reply->text)
                == IMAP_LOGIN_UNSUPPORTED;
}

/* Waits for the answer to one try. */
static bool
await_answer(ImapSession *session, HaulSaslMechanism mechanism, ImapReply *reply, Tries *tries,
             GError **error)
{
  bool answered = imap_session_wait(session, reply, error);
  bool name_first = (mechanism & (SCRAM | HAUL_SASL_LOGIN)) != 0;
  tries->shown = tries->n_answers > (name_first ? 1 : 0);
  tries->n_bad += answered && tries->shown && reply->condition == IMAP_BAD;
  return answered;
}

/*
 * Tries one mechanism, first in the form that costs the fewest round trips: the command LOGIN before
 * the mechanism of that name, an initial response before one that is asked for (some servers offer
 * SASL-IR and do not know what it is).
 *
 * @reply: gets the answer.
 */
static bool
try_mechanism(ImapSession *session, HaulSasl *sasl, HaulSaslMechanism mechanism, ImapReply *reply,
              Tries *tries, GError **error)
{
  ImapCommand command = { .name = "login", .reply = reply };
  const char *name = haul_sasl_name(mechanism), *initial = NULL;
  bool misunderstood = false;
  bool short_form = haul_sasl_speaks_first(sasl) && imap_session_can(session, IMAP_CAP_SASL_IR);
  if (mechanism == HAUL_SASL_LOGIN && !imap_session_can(session, IMAP_CAP_LOGINDISABLED)) {
    if (!login(session, &command, tries, error)
        || !await_answer(session, mechanism, reply, tries, error))
      return false;
    if (!is_unsupported(reply) || (session->mechanisms & HAUL_SASL_LOGIN) == 0
        || tries->n_bad >= MOST_BAD)
      return true;
    imap_reply_clear(reply);
  }
  if (short_form) {
    initial = haul_sasl_answer(sasl, NULL, 0, error);
    if (initial == NULL)
      return false;
    if (strlen(initial) < IMAP_COMMAND_LIMIT) {
      if (!converse(session, sasl, name, initial, &command, tries, error)
          || !await_answer(session, mechanism, reply, tries, error))
        return false;
      if (reply->condition != IMAP_BAD || !is_unsupported(reply) || tries->n_answers > 1
          || tries->n_bad >= MOST_BAD)
        return true;
      imap_reply_clear(reply);
      misunderstood = true;
    }
    if (haul_sasl_begin(sasl, mechanism, error) != mechanism)
      return false;
  }
  if (!converse(session, sasl, name, NULL, &command, tries, error)
      || !await_answer(session, mechanism, reply, tries, error))
    return false;
  if (misunderstood && reply->condition == IMAP_OK)
    imap_extensions_forgo(session, IMAP_CAP_SASL_IR);
  return true;
}

/* Sets the error for a login that was refused. */
static void
set_login_refusal(const HaulSasl *sasl, ImapLoginRefusal kind, const ImapReply *reply,
                  GError **error)
{
  const char *detail = haul_sasl_detail(sasl);
  g_autofree char *what = detail == NULL ? g_strdup("login refused")
                                         : g_strdup_printf("login refused (status %s)", detail);
  bool busy = kind == IMAP_LOGIN_FOR_NOW;
  imap_set_plain_refusal(error, busy ? HAUL_ERROR_BUSY : HAUL_ERROR_ACCOUNT,
                         busy ? "busy" : "login", what, reply->code, reply->text);
}

static HaulSaslRefusal
sasl_refusal(ImapLoginRefusal kind)
{
  return kind == IMAP_LOGIN_UNSUPPORTED   ? HAUL_SASL_UNSUPPORTED
         : kind == IMAP_LOGIN_UNEXPLAINED ? HAUL_SASL_UNEXPLAINED
                                          : HAUL_SASL_DENIED;
}

static bool
authenticate(ImapSession *session, GError **error)
{
  const HaulAccount *account = session->account;
  const char *authuser = haul_account_string(account, "authuser");
  bool delegated =
      authuser != NULL && *authuser != '\0' && !haul_account_bool(account, "proxyauth");
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, session->stream,
                                           delegated ? haul_account_string(account, "user") : NULL);
  if (session->is_cyrus)
    haul_sasl_know_binding(sasl, "tls-unique");
  uint32_t offered = session->mechanisms;
  if (!imap_session_can(session, IMAP_CAP_LOGINDISABLED))
    offered |= HAUL_SASL_LOGIN;
  g_autoptr(GError) refusal = NULL;
  Tries tries = { 0 };
  for (;;) {
    g_auto(ImapReply) reply = { 0 };
    GError *why = NULL;
    HaulSaslMechanism mechanism = haul_sasl_begin(sasl, offered, &why);
    if (mechanism == 0) { /* that the last one was refused tells more than that none is left */
      bool told = refusal != NULL && haul_error_reach(why) == HAUL_ERROR_ACCOUNT;
      g_propagate_error(error, told ? g_steal_pointer(&refusal) : g_steal_pointer(&why));
      g_clear_error(&why);
      return false;
    }
    /* The answer may list what is offered from now on; if it does not, that must be asked. */
    session->capabilities_known = false;
    if (!try_mechanism(session, sasl, mechanism, &reply, &tries, error))
      return false;
    if (reply.condition == IMAP_OK)
      return haul_sasl_accept(sasl, error);
    ImapLoginRefusal kind =
        imap_classify_login(reply.condition == IMAP_BAD, reply.code, reply.text);
    g_clear_error(&refusal);
    set_login_refusal(sasl, kind, &reply, &refusal);
    if ((mechanism & SCRAM) != 0 && tries.shown && kind != IMAP_LOGIN_UNSUPPORTED) /* understood */
      offered &= ~SCRAM;
    bool again = kind != IMAP_LOGIN_FOR_NOW && tries.n_bad < MOST_BAD
                 && haul_sasl_refuse(sasl, sasl_refusal(kind));
    if (!again) {
      g_propagate_error(error, g_steal_pointer(&refusal));
      return false;
    }
  }
}

/* Becomes "user" where "authuser" has logged in: Sun's servers and their heirs. */
static bool
proxy(ImapSession *session, GError **error)
{
  const char *user = haul_account_string(session->account, "user");
  const char *authuser = haul_account_string(session->account, "authuser");
  g_auto(ImapReply) reply = { 0 };
  ImapCommand command = { .name = "PROXYAUTH", .reply = &reply };
  if (authuser == NULL || *authuser == '\0' || !haul_account_bool(session->account, "proxyauth"))
    return true;
  session->capabilities_known = false;
  return imap_session_send_named(session, &command, "PROXYAUTH ", user, strlen(user), "", error)
         && imap_session_expect(session, &reply, "PROXYAUTH refused", HAUL_ERROR_ACCOUNT, "login",
                                error);
}

static bool
identify_done(ImapSession *session, ImapCommand *command, const ImapResponse *response,
              GError **error)
{
  if (response->condition == IMAP_BAD)
    imap_extensions_forgo(session, IMAP_CAP_ID);
  return true;
}

bool
imap_identify(ImapSession *session, ImapReply *reply, GError **error)
{
  ImapCommand id = { .name = "ID", .done = identify_done, .reply = reply };
  return imap_session_send(session, &id, error,
                           "ID (\"name\" \"mailhaul\" \"version\" \"" HAUL_VERSION "\")");
}

/* Whether we can log in, as everybody must who has not come by a tunnel that lets us in. */
static bool
has_login(const ImapSession *session, GError **error)
{
  const HaulAccount *account = session->account;
  unsigned side = strcmp(haul_account_side(account), "source") == 0 ? 1 : 2;
  bool has_token = *haul_account_secret(account, "oauthaccesstoken") != '\0'
                   || *haul_account_string(account, "tokencmd") != '\0';
  if (haul_account_string(account, "user") != NULL
      && (has_token || haul_account_secret(account, "password") != NULL))
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "login",
                 "the server wants a login: use --user%u and --passfile%u", side, side);
  return false;
}

ImapSession *
imap_login(const HaulAccount *account, GError **error)
{
  HaulStream *stream = haul_stream_open(account, IMAPS_PORT, IMAP_PORT, error);
  if (stream == NULL)
    return NULL;
  ImapSession *session = imap_session_new(account, stream);

  bool authenticated;
  if (greet(session, &authenticated, error)
      && (haul_stream_tls(stream) != HAUL_TLS_STARTTLS || start_tls(session, error))
      && (authenticated
          || (has_login(session, error) && ask_capabilities(session, error)
              && authenticate(session, error) && proxy(session, error)))
      && ask_capabilities(session, error)) {
    session->logged_in = true;
    return session;
  }
  imap_session_close(session);
  return NULL;
}
