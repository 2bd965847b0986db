/* Telling a server who we are. See auth.h. */
#include "auth.h"

#include <string.h>

#include <mailhaul/log.h>
#include <mailhaul/sasl.h>

#include "limits.h"
#include "refusal.h"

enum {
  SCRAM = HAUL_SASL_SCRAM_SHA_256_PLUS | HAUL_SASL_SCRAM_SHA_256 | HAUL_SASL_SCRAM_SHA_1_PLUS
          | HAUL_SASL_SCRAM_SHA_1,
};

/* One try to log in, and how it went. */
typedef struct {
  Pop3Status status;
  Pop3LoginRefusal refusal; /* unless status.ok */
  unsigned n_answers;       /* that we gave */
} Try;

/* ---- settings ---- */

static bool
is_set(const char *text)
{
  return text != NULL && *text != '\0';
}

static bool
has_token(const HaulAccount *account)
{
  return is_set(haul_account_secret(account, "oauthaccesstoken"))
         || is_set(haul_account_string(account, "tokencmd"));
}

static bool
is_delegated(const HaulAccount *account)
{
  return is_set(haul_account_string(account, "authuser"));
}

/* Whether the user wants APOP and nothing else. */
static bool
wants_apop(const HaulAccount *account)
{
  const char *authmech = haul_account_string(account, "authmech");
  return authmech != NULL && g_ascii_strcasecmp(authmech, "APOP") == 0;
}

bool
pop3_has_login(const HaulAccount *account, GError **error)
{
  const char *user = haul_account_string(account, "user");
  const char *password = haul_account_secret(account, "password");
  unsigned side = strcmp(haul_account_side(account), "source") == 0 ? 1 : 2;
  if (user == NULL || (password == NULL && !has_token(account))) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "login",
                   "the server wants a login: use --user%u and --passfile%u", side, side);
    return false;
  }
  /* A line end would begin another command. */
  const char *texts[] = { user, haul_account_string(account, "authuser"), password };
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
    if (texts[i] != NULL && strpbrk(texts[i], "\r\n") != NULL) {
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "the %s of the %s holds a line end",
                     i == 2 ? "password" : "user's name", haul_account_side(account));
      return false;
    }
  return true;
}

/* ---- one try ---- */

bool
pop3_settle_utf8(Pop3Session *session, GError **error)
{
  Pop3Status status;
  if (!pop3_session_status(session, &status, error))
    return false;
  if (!status.ok)
    haul_account_forgo(session->account, "UTF8");
  return true;
}

/* Reads the answer to what was sent ahead of the command that a try begins with. */
static bool
skip_earlier(Pop3Session *session, GError **error)
{
  return session->n_under_way == 1 || pop3_settle_utf8(session, error);
}

/* Reads the answer that settles a try. */
static bool
settle(Pop3Session *session, Try *try, GError **error)
{
  if (!pop3_session_status(session, &try->status, error))
    return false;
  if (!try->status.ok)
    try->refusal = pop3_classify_login(try->status.code, try->status.text);
  return true;
}

/* USER and PASS (RFC 1939 §7), one after the other: a server that does not know the user need not see the
 * password. */
static bool
give_password(Pop3Session *session, Try *try, GError **error)
{
  const HaulAccount *account = session->account;
  if (!pop3_session_send_secret(session, "USER ***", "USER ", haul_account_string(account, "user"),
                                false, error)
      || !skip_earlier(session, error) || !settle(session, try, error))
    return false;
  return !try->status.ok
         || (pop3_session_send_secret(session, "PASS ***", "PASS ",
                                      haul_account_secret(account, "password"), false, error)
             && settle(session, try, error));
}

/* APOP (RFC 1939 §7). */
static bool
give_digest(Pop3Session *session, const char *stamp, Try *try, GError **error)
{
  const char *password = haul_account_secret(session->account, "password");
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_MD5);
  g_checksum_update(sum, (const guchar *)stamp, (gssize)strlen(stamp));
  g_checksum_update(sum, (const guchar *)password, (gssize)strlen(password));
  g_autofree char *before =
      g_strdup_printf("APOP %s ", haul_account_string(session->account, "user"));
  return pop3_session_send_secret(session, "APOP ***", before, g_checksum_get_string(sum), false,
                                  error)
         && skip_earlier(session, error) && settle(session, try, error);
}

/* Ends a conversation that cannot go on, and with it the session. */
static bool
give_up(Pop3Session *session, GError *why, GError **error)
{
  (void)(pop3_session_send_secret(session, "*", "*", "", true, NULL)
         && haul_stream_flush(session->stream, NULL));
  session->dead = true;
  g_propagate_error(error, why);
  return false;
}

/* Authenticates (RFC 5034 §4) by the mechanism that was begun. @initial: its first answer, sent with the
 * command, or NULL. */
static bool
converse(Pop3Session *session, HaulSasl *sasl, const char *name, const char *initial, Try *try,
         GError **error)
{
  g_autofree char *before = g_strconcat("AUTH ", name, initial != NULL ? " " : "", NULL);
  g_autofree char *shown = g_strconcat(before, initial != NULL ? "***" : "", NULL);
  const char *first = initial == NULL ? "" : *initial != '\0' ? initial : "=";
  try->n_answers = initial != NULL;
  if (!pop3_session_send_secret(session, shown, before, first, false, error)
      || !skip_earlier(session, error))
    return false;
  for (;;) {
    Pop3StatusKind kind;
    GError *why = NULL;
    if (!pop3_session_read_status(session, &kind, &try->status, error))
      return false;
    if (kind != POP3_STATUS_GO_AHEAD)
      break;
    const char *challenge = try->status.text;
    const char *answer = haul_sasl_answer(sasl, challenge, strlen(challenge), &why);
    if (answer == NULL)
      return give_up(session, why, error);
    try->n_answers++;
    if (!pop3_session_send_secret(session, "***", "", answer, true, error))
      return false;
  }
  session->n_under_way--;
  if (!try->status.ok)
    try->refusal = pop3_classify_login(try->status.code, try->status.text);
  return true;
}

static bool
is_unsupported(const Try *try)
{
  return !try->status.ok && try->refusal == POP3_LOGIN_UNSUPPORTED;
}

/*
 * Tries one mechanism, with an initial response where that fits on a line. Servers that know SASL but not
 * this way of beginning it call that a protocol error (Exchange), and some hang up then: they are asked
 * for the challenge first, from then on.
 */
static bool
try_sasl(Pop3Session *session, HaulSasl *sasl, HaulSaslMechanism mechanism, Try *try,
         GError **error)
{
  const HaulAccount *account = session->account;
  const char *name = haul_sasl_name(mechanism);
  bool misunderstood = false;
  if (haul_sasl_speaks_first(sasl) && !haul_account_forgoes(account, "SASL-IR")) {
    const char *initial = haul_sasl_answer(sasl, NULL, 0, error);
    if (initial == NULL)
      return false;
    if (strlen("AUTH ") + strlen(name) + 1 + strlen(initial) + 2 <= POP3_COMMAND_LIMIT) {
      if (!converse(session, sasl, name, initial, try, error))
        return false;
      if (!is_unsupported(try) || try->n_answers > 1)
        return true;
      misunderstood = true;
    }
    if (haul_sasl_begin(sasl, mechanism, error) != mechanism)
      return false;
  }
  GError *why = NULL;
  bool answered = converse(session, sasl, name, NULL, try, &why);
  bool lost = !answered && haul_error_reach(why) == HAUL_ERROR_CONNECTION;
  if (misunderstood && (lost || (answered && try->status.ok)))
    haul_account_forgo(account, "SASL-IR");
  if (!answered)
    g_propagate_error(error, why);
  return answered;
}

static bool
try_mechanism(Pop3Session *session, HaulSasl *sasl, HaulSaslMechanism mechanism, Try *try,
              GError **error)
{
  bool by_sasl = (session->can.mechanisms & mechanism) != 0;
  if (mechanism != HAUL_SASL_LOGIN || (by_sasl && !pop3_session_can(session, POP3_CAN_USER)))
    return try_sasl(session, sasl, mechanism, try, error);
  if (!give_password(session, try, error))
    return false;
  return !is_unsupported(try) || !by_sasl || try_sasl(session, sasl, mechanism, try, error);
}

/* ---- all of them ---- */

/* The error for a login that was refused. */
static GError *
refusal_of(Pop3Session *session, const Try *try, const HaulSasl *sasl)
{
  const char *detail = sasl != NULL ? haul_sasl_detail(sasl) : NULL;
  g_autofree char *what = detail == NULL ? g_strdup("login refused")
                                         : g_strdup_printf("login refused (status %s)", detail);
  return pop3_session_refusal_as(session, &try->status, HAUL_ERROR_ACCOUNT, "login", what);
}

static HaulSaslRefusal
sasl_refusal(Pop3LoginRefusal refusal)
{
  return refusal == POP3_LOGIN_UNSUPPORTED   ? HAUL_SASL_UNSUPPORTED
         : refusal == POP3_LOGIN_UNEXPLAINED ? HAUL_SASL_UNEXPLAINED
                                             : HAUL_SASL_DENIED;
}

/* Says why we are not let in: what a refusal said tells more than what became of the tries behind it,
 * which many servers hang up upon. */
static bool
fail(GError **error, GError *refusal, GError *why)
{
  HaulError reach = why != NULL ? haul_error_reach(why) : HAUL_ERROR_CANCELLED;
  bool told = refusal != NULL
              && (why == NULL || reach == HAUL_ERROR_ACCOUNT || reach == HAUL_ERROR_CONNECTION);
  g_propagate_error(error, told ? refusal : why);
  g_clear_error(told ? &why : &refusal);
  return false;
}

/* @refusal: what a try before these came to, taken, or NULL. */
static bool
authenticate_by_sasl(Pop3Session *session, GError *refusal, GError **error)
{
  const HaulAccount *account = session->account;
  g_autoptr(HaulSasl) sasl =
      haul_sasl_new(account, session->stream,
                    is_delegated(account) ? haul_account_string(account, "user") : NULL);
  if (session->can.is_cyrus)
    haul_sasl_know_binding(sasl, "tls-unique");
  uint32_t offered = session->can.mechanisms | HAUL_SASL_LOGIN;
  for (;;) {
    Try try = { 0 };
    GError *why = NULL;
    HaulSaslMechanism mechanism = haul_sasl_begin(sasl, offered, &why);
    if (mechanism == 0 || !try_mechanism(session, sasl, mechanism, &try, &why))
      return fail(error, refusal, why);
    if (try.status.ok) {
      g_clear_error(&refusal);
      return haul_sasl_accept(sasl, error);
    }
    g_clear_error(&refusal);
    refusal = refusal_of(session, &try, sasl);
    if ((mechanism & SCRAM) != 0 && try.n_answers > 1
        && try.refusal != POP3_LOGIN_UNSUPPORTED) /* it was understood */
      offered &= ~(uint32_t)SCRAM;
    if (try.refusal == POP3_LOGIN_FOR_NOW || !haul_sasl_refuse(sasl, sasl_refusal(try.refusal)))
      return fail(error, refusal, NULL);
  }
}

/* Whether to begin with APOP: it hides the password where nothing else does. Over TLS it only weakens
 * what the server knows of it. */
static bool
is_apop_best(const Pop3Session *session)
{
  const HaulAccount *account = session->account;
  const char *authmech = haul_account_string(account, "authmech");
  bool by_user = is_set(authmech) && g_ascii_strcasecmp(authmech, "auto") != 0;
  bool better = (session->can.mechanisms & (SCRAM | HAUL_SASL_CRAM_MD5)) != 0;
  return !by_user && !better && !haul_stream_is_encrypted(session->stream);
}

bool
pop3_authenticate(Pop3Session *session, const char *stamp, GError **error)
{
  const HaulAccount *account = session->account;
  bool only_apop = wants_apop(account);
  bool fits = haul_account_secret(account, "password") != NULL && !has_token(account)
              && !is_delegated(account)
              && strchr(haul_account_string(account, "user"), ' ') == NULL;
  if (only_apop && (stamp == NULL || !fits)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "login", "%s",
                   stamp == NULL ? "the server does not offer APOP"
                                 : "APOP takes a name without blanks and a password");
    return false;
  }
  GError *refusal = NULL;
  if (stamp != NULL && fits && (only_apop || is_apop_best(session))) {
    Try try = { 0 };
    if (!give_digest(session, stamp, &try, error))
      return false;
    if (try.status.ok)
      return true;
    refusal = refusal_of(session, &try, NULL);
    /* Servers that hold hashes of passwords greet with a stamp, and cannot do APOP, which they call bad
     * credentials (Mailutils). Once: a wrong password costs two attempts there. */
    bool other_way =
        try.refusal == POP3_LOGIN_UNEXPLAINED || try.refusal == POP3_LOGIN_UNSUPPORTED
        || (try.status.code == POP3_CODE_AUTH
            && pop3_classify_login(POP3_CODE_NONE, try.status.text) == POP3_LOGIN_UNEXPLAINED);
    if (only_apop || !other_way)
      return fail(error, refusal, NULL);
  }
  return authenticate_by_sasl(session, refusal, error);
}
