/*
 * Which mechanism, and the conversation. See <mailhaul/sasl.h>.
 *
 * SCRAM and CRAM-MD5 are computed by GNU SASL (gnu-sasl.c), which is loaded for them only. PLAIN,
 * LOGIN and the two that carry a token are a few lines each and cost a run nothing.
 */
#include <mailhaul/sasl.h>

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "account.h"
#include "bearer.h"
#include "gnu-sasl.h"
#include "mechanisms.h"
#include "scram.h"
#include "secret.h"
#include "token.h"

/* A challenge in base64: SCRAM's have some hundred octets, a token server's complaint a few more. */
#define CHALLENGE_LIMIT_OCTETS ((size_t)16 << 10)

#define BY_GNU_SASL (HAUL_MECHANISMS_SCRAM | HAUL_SASL_CRAM_MD5)
#define BY_TOKEN HAUL_MECHANISMS_BY_TOKEN
#define SCRAM HAUL_MECHANISMS_SCRAM
#define SCRAM_PLUS HAUL_MECHANISMS_SCRAM_PLUS
#define FOR_ANOTHER (SCRAM | HAUL_SASL_PLAIN | BY_TOKEN) /* that carry an authorisation identity */

struct HaulSasl {
  const HaulAccount *account; /* borrowed */
  const HaulStream *stream;   /* borrowed; NULL: no channel binding */
  const char *user, *act_for; /* borrowed from the account; act_for may be NULL */
  uint32_t unsupported;       /* refused as such, by the server or by GNU SASL */
  uint32_t broken;            /* those that the server refused so, of what it offers */
  uint32_t offered;           /* what the server offered this time */
  char *token;                /* owned; wiped; NULL while not needed */
  bool denied_before;         /* a token was, and another one was got */
  HaulSaslMechanism gave_way; /* refused without a word on why; 0: none was */

  HaulSaslMechanism mechanism; /* begun; 0 before */
  HaulGnuSasl *gnu;            /* owned; NULL where it is not by GNU SASL */
  unsigned n_answers;          /* given so far */
  bool done;                   /* the mechanism is through */
  bool proving;                /* SCRAM: the next challenge is the server's proof */
  char *nonce;                 /* owned; SCRAM: ours */
  char *detail;                /* owned; what the server said of a failure, fit to be shown */
  char *answer;                /* owned; wiped; lent to the caller */
};

HaulSasl *
haul_sasl_new(const HaulAccount *account, const HaulStream *stream, const char *act_for)
{
  const char *authuser = haul_account_string(account, "authuser");
  HaulSasl *sasl = g_new0(HaulSasl, 1);
  sasl->account = account;
  sasl->stream = stream;
  sasl->user =
      authuser != NULL && *authuser != '\0' ? authuser : haul_account_string(account, "user");
  sasl->act_for = act_for;
  return sasl;
}

void
haul_sasl_know_binding(HaulSasl *sasl, const char *type)
{
  const char *ours = NULL;
  g_autoptr(GBytes) binding =
      sasl->stream != NULL ? haul_stream_channel_binding(sasl->stream, &ours) : NULL;
  bool differs = binding != NULL && strcmp(type, ours) != 0;
  if (differs && haul_mechanisms_allowed(sasl->account, NULL) == UINT32_MAX)
    sasl->unsupported |= SCRAM_PLUS;
}

/* Ends the conversation, but not the login. */
static void
forget_conversation(HaulSasl *sasl)
{
  g_clear_pointer(&sasl->gnu, haul_gnu_sasl_free);
  g_clear_pointer(&sasl->answer, haul_secret_free);
  g_clear_pointer(&sasl->nonce, g_free);
  g_clear_pointer(&sasl->detail, g_free);
  sasl->mechanism = 0;
  sasl->n_answers = 0;
  sasl->done = sasl->proving = false;
}

void
haul_sasl_free(HaulSasl *sasl)
{
  if (sasl == NULL)
    return;
  forget_conversation(sasl);
  haul_secret_free(sasl->token);
  g_free(sasl);
}

/* ---- choosing ---- */

static HaulSaslMechanism
none_left(const HaulSasl *sasl, bool by_token, uint32_t allowed, GError **error)
{
  g_autofree char *offered = haul_mechanisms_list(sasl->offered);
  g_autofree char *chosen = allowed != UINT32_MAX ? haul_mechanisms_list(allowed) : NULL;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "login",
                 "the server allows no login by %s%s%s here; it offers %s",
                 by_token ? "access token" : "password", chosen != NULL ? " and " : "",
                 chosen != NULL ? chosen : "", *offered != '\0' ? offered : "nothing that we know");
  return 0;
}

static bool
begin_gnu(HaulSasl *sasl, HaulSaslMechanism mechanism)
{
  const char *why;
  HaulGnuCredentials credentials = {
    .user = sasl->user,
    .act_for = sasl->act_for,
    .password = haul_account_secret(sasl->account, "password"),
  };
  /* Without PLUS the library says "n", that it cannot bind: given a binding it gives up, rather than
   * say "y", that it could (RFC 5802 §6). */
  g_autoptr(GBytes) binding = NULL;
  bool binds = (mechanism & SCRAM_PLUS) != 0;
  if (binds && sasl->stream != NULL)
    binding = haul_stream_channel_binding(sasl->stream, &credentials.binding_type);
  if (binds && binding == NULL)
    return false;
  credentials.binding = binding;
  sasl->gnu = haul_gnu_sasl_new(haul_sasl_name(mechanism), &credentials, &why);
  if (sasl->gnu == NULL)
    haul_log(HAUL_LOG_DEBUG, "%s: %s", haul_sasl_name(mechanism), why);
  return sasl->gnu != NULL;
}

static bool
has_control_octets(const char *text)
{
  while (*text != '\0' && !g_ascii_iscntrl(*text))
    text++;
  return *text != '\0';
}

static bool
need_token(HaulSasl *sasl, GError **error)
{
  if (has_control_octets(sasl->act_for != NULL ? sasl->act_for : sasl->user)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "the user's name holds control octets");
    return false;
  }
  if (sasl->token == NULL)
    sasl->token = haul_token_fetch(sasl->account, error);
  return sasl->token != NULL;
}

/* Which of these may be tried. */
static uint32_t
left_of(const HaulSasl *sasl, uint32_t mechanisms)
{
  bool by_token = haul_token_is_wanted(sasl->account);
  mechanisms &= ~sasl->unsupported & (by_token ? BY_TOKEN : ~BY_TOKEN);
  return sasl->act_for != NULL ? mechanisms & FOR_ANOTHER : mechanisms;
}

HaulSaslMechanism
haul_sasl_begin(HaulSasl *sasl, uint32_t offered, GError **error)
{
  bool by_token = haul_token_is_wanted(sasl->account);
  uint32_t allowed = haul_mechanisms_allowed(sasl->account, error);
  if (allowed == 0)
    return 0;
  forget_conversation(sasl);
  sasl->offered = offered;
  if (allowed == UINT32_MAX && haul_mechanisms_are_forgone(sasl->account, BY_GNU_SASL))
    sasl->unsupported |= BY_GNU_SASL;
  sasl->unsupported |= haul_mechanisms_broken(sasl->account);
  uint32_t left = left_of(sasl, offered & allowed);
  for (; left != 0; left &= left - 1) {
    HaulSaslMechanism mechanism = (HaulSaslMechanism)(left & -left);
    if ((mechanism & BY_TOKEN) != 0 && !need_token(sasl, error))
      return 0;
    if ((mechanism & BY_GNU_SASL) != 0 && !begin_gnu(sasl, mechanism)) {
      sasl->unsupported |= mechanism;
      continue;
    }
    return sasl->mechanism = mechanism;
  }
  return none_left(sasl, by_token, allowed, error);
}

bool
haul_sasl_speaks_first(const HaulSasl *sasl)
{
  return (sasl->mechanism & (HAUL_SASL_CRAM_MD5 | HAUL_SASL_LOGIN)) == 0;
}

/* ---- conversing ---- */

static bool
protocol_error(const HaulSasl *sasl, const char *what, GError **error)
{
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "protocol", "%s: %s", haul_sasl_name(sasl->mechanism),
                 what);
  return false;
}

/* Decodes base64 (RFC 4648 §4) and nothing else. */
static char *
decode(const HaulSasl *sasl, const char *text, size_t size, gsize *decoded_size, GError **error)
{
  size_t n = 0;
  if (size > CHALLENGE_LIMIT_OCTETS) {
    protocol_error(sasl, "a challenge of more than 16 KiB", error);
    return NULL;
  }
  while (n < size && (g_ascii_isalnum(text[n]) || text[n] == '+' || text[n] == '/'))
    n++;
  size_t n_pads = size - n;
  if (size % 4 != 0 || n_pads > 2 || (n_pads > 0 && memcmp(text + n, "==", n_pads) != 0)) {
    protocol_error(sasl, "a challenge that is not base64", error);
    return NULL;
  }
  g_autofree char *copy = g_strndup(text, size);
  *decoded_size = 0;
  return size == 0 ? g_strdup("") : (char *)g_base64_decode(copy, decoded_size);
}

static GString *
plain_response(const HaulSasl *sasl) /* RFC 4616 §2 */
{
  const char *password = haul_account_secret(sasl->account, "password");
  const char *act_for = sasl->act_for != NULL ? sasl->act_for : "";
  GString *out = g_string_sized_new(strlen(act_for) + strlen(sasl->user) + strlen(password) + 3);
  g_string_append_len(out, act_for, (gssize)strlen(act_for) + 1);
  g_string_append_len(out, sasl->user, (gssize)strlen(sasl->user) + 1);
  g_string_append(out, password);
  return out;
}

static GString *
token_response(const HaulSasl *sasl)
{
  const char *user = sasl->act_for != NULL ? sasl->act_for : sasl->user;
  if (sasl->mechanism == HAUL_SASL_XOAUTH2)
    return haul_bearer_xoauth2(user, sasl->token);
  return haul_bearer_oauthbearer(user, haul_account_string(sasl->account, "host"),
                                 haul_account_number(sasl->account, "port"), sasl->token);
}

/* Answers the error that a token met: what it is comes in the tagged answer that follows. */
static GString *
token_error_response(HaulSasl *sasl, const char *challenge, size_t size)
{
  sasl->detail = haul_bearer_status(challenge, size, sasl->token);
  /* RFC 7628 §3.2.3 wants one octet 1; XOAUTH2 nothing. */
  return g_string_new(sasl->mechanism == HAUL_SASL_OAUTHBEARER ? "\001" : "");
}

/* What SCRAM itself says of a failure (RFC 5802 §7, server-error). */
static bool
is_scram_error(HaulSasl *sasl, const char *challenge, size_t size)
{
  static const char *const bindings[] = { "unsupported-channel-binding-type",
                                          "channel-binding-not-supported" };
  if ((sasl->mechanism & SCRAM) == 0 || size < 2 || memcmp(challenge, "e=", 2) != 0)
    return false;
  sasl->detail = haul_text_display(challenge + 2, size - 2);
  for (size_t i = 0; i < G_N_ELEMENTS(bindings); i++)
    if (strcmp(sasl->detail, bindings[i]) == 0)
      sasl->unsupported |= sasl->mechanism;
  return true;
}

static GString *
gnu_response(HaulSasl *sasl, const char *challenge, size_t size, GError **error)
{
  const char *why;
  size_t answer_size;
  bool scram = (sasl->mechanism & SCRAM) != 0, proof = sasl->proving;
  if (is_scram_error(sasl, challenge, size)) {
    sasl->done = true; /* nothing but a refusal can follow */
    return g_string_new(NULL);
  }
  if (size == 0 && !(scram && sasl->n_answers == 0)) {
    protocol_error(sasl, "an empty challenge", error);
    return NULL;
  }
  if (scram && sasl->n_answers == 1 && !haul_scram_check(challenge, size, sasl->nonce, error))
    return NULL;
  char *answer = haul_gnu_sasl_step(sasl->gnu, challenge, size, &answer_size, &sasl->done, &why);
  if (answer == NULL) {
    if (proof)
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "login",
                     "the server does not know the password: its proof is wrong (%s)", why);
    else
      protocol_error(sasl, why, error);
    return NULL;
  }
  if (scram && sasl->n_answers == 0)
    sasl->nonce = haul_scram_nonce(answer, answer_size);
  sasl->proving = scram && sasl->n_answers == 1;
  GString *out = g_string_new_len(answer, (gssize)answer_size);
  explicit_bzero(answer, answer_size);
  g_free(answer);
  return out;
}

/* Composes the next answer; @challenge is NULL where we speak first. */
static GString *
respond(HaulSasl *sasl, const char *challenge, size_t size, GError **error)
{
  bool first = sasl->n_answers == 0;
  if (sasl->done) {
    protocol_error(sasl, "the server asks for more than there is to say", error);
    return NULL;
  }
  if ((sasl->mechanism & BY_GNU_SASL) != 0)
    return gnu_response(sasl, challenge, size, error);
  if ((sasl->mechanism & BY_TOKEN) != 0) {
    sasl->done = !first;
    return first ? token_response(sasl) : token_error_response(sasl, challenge, size);
  }
  bool plain = sasl->mechanism == HAUL_SASL_PLAIN;
  sasl->done = plain || !first;
  if (plain)
    return plain_response(sasl);
  return g_string_new(first ? sasl->user : haul_account_secret(sasl->account, "password"));
}

const char *
haul_sasl_answer(HaulSasl *sasl, const char *challenge, size_t size, GError **error)
{
  g_autofree char *decoded = NULL;
  gsize decoded_size = 0;
  g_clear_pointer(&sasl->answer, haul_secret_free);
  if (challenge != NULL && !(sasl->n_answers == 0 && haul_sasl_speaks_first(sasl))) {
    decoded = decode(sasl, challenge, size, &decoded_size, error);
    if (decoded == NULL)
      return NULL;
  }
  GString *response = respond(sasl, decoded, decoded_size, error);
  if (response == NULL)
    return NULL;
  sasl->n_answers++;
  sasl->answer = response->len == 0 ? g_strdup("")
                                    : g_base64_encode((const guchar *)response->str, response->len);
  explicit_bzero(response->str, response->allocated_len);
  g_string_free(response, TRUE);
  return sasl->answer;
}

bool
haul_sasl_accept(HaulSasl *sasl, GError **error)
{
  if (sasl->gave_way != 0 && (sasl->mechanism & BY_GNU_SASL) == 0)
    haul_mechanisms_forgo(sasl->account, sasl->gave_way);
  if ((sasl->mechanism & SCRAM) != 0 && !(sasl->done && sasl->detail == NULL)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "login",
                   "the server let us in without proving that it knows the password");
    return false;
  }
  haul_mechanisms_note_broken(sasl->account, sasl->broken); /* each try may cost seconds (Cyrus) */
  return true;
}

/*
 * Whether a mechanism that was refused without a reason gives way to PLAIN or LOGIN: servers that hold
 * hashes of passwords offer SCRAM and CRAM-MD5, and cannot do them (Mailutils). Once in a login, so that
 * a wrong password costs two attempts at most; not where the server has shown that it knows the
 * password, or said what it dislikes; not where the user has chosen.
 *
 * Whoever can write into the link could bring this about to see the password. TLS keeps him out, and
 * a link in clear text is taken only where it stays on this machine or the user accepts it
 * (--insecure1); there he could strike the mechanism from what is offered just as well.
 */
static bool
give_way(HaulSasl *sasl)
{
  uint32_t others = left_of(sasl, sasl->offered & (HAUL_SASL_PLAIN | HAUL_SASL_LOGIN));
  bool proved = (sasl->mechanism & SCRAM) != 0 && sasl->done;
  if ((sasl->mechanism & BY_GNU_SASL) == 0 || proved || others == 0 || sasl->detail != NULL
      || haul_mechanisms_allowed(sasl->account, NULL) != UINT32_MAX)
    return false;
  sasl->gave_way = sasl->mechanism;
  sasl->unsupported |= BY_GNU_SASL;
  return true;
}

bool
haul_sasl_refuse(HaulSasl *sasl, HaulSaslRefusal why)
{
  if ((sasl->unsupported & sasl->mechanism) != 0) /* it has said so itself */
    why = HAUL_SASL_UNSUPPORTED;
  if (why == HAUL_SASL_UNSUPPORTED) {
    sasl->unsupported |= sasl->mechanism;
    sasl->broken |= sasl->mechanism & sasl->offered;
    return true;
  }
  if (why == HAUL_SASL_UNEXPLAINED && give_way(sasl))
    return true;
  if ((sasl->mechanism & BY_TOKEN) == 0 || sasl->denied_before)
    return false;

  /* It may have run out between being given and being shown. */
  g_autoptr(GError) error = NULL;
  char *fresh = haul_token_fetch(sasl->account, &error);
  bool differs = fresh != NULL && strcmp(fresh, sasl->token) != 0;
  if (error != NULL)
    haul_log(HAUL_LOG_WARNING, "%s: no other access token: %s", haul_account_side(sasl->account),
             error->message);
  sasl->denied_before = true;
  if (differs) {
    haul_secret_free(sasl->token);
    sasl->token = g_steal_pointer(&fresh);
  }
  haul_secret_free(fresh);
  return differs;
}

const char *
haul_sasl_detail(const HaulSasl *sasl)
{
  return sasl->detail;
}
