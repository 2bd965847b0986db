/* What a server means by NO and BAD. See refusal.h. */
#include "refusal.h"

#include <mailhaul/text.h>
#include <string.h>

static bool
text_has_any(const char *text, const char *const *words)
{
  g_autofree char *folded = g_ascii_strdown(text, -1);
  for (; *words != NULL; words++) {
    if (strstr(folded, *words) != NULL)
      return true;
  }
  return false;
}

static bool
is_over_quota(const char *code, const char *text)
{
  /* Gmail says OVERQUOTA of bandwidth, too; Courier and Cyrus know no code. */
  static const char *const words[] = {
    "over quota",      "overquota",     "quota exceeded",
    "exceeded quota",  "exceeds quota", "exceeded your mail quota",
    "mailbox is full", "mailbox full",  NULL
  };
  static const char *const others[] = { "bandwidth", "command", NULL };
  bool coded = g_strcmp0(code, "OVERQUOTA") == 0;
  return (coded && !text_has_any(text, others)) || (!coded && text_has_any(text, words));
}

static bool
is_too_big(const char *code, const char *text)
{
  static const char *const words[] = { "too large",    "too big",    "toobig",
                                       "maximum size", "size limit", NULL };
  return g_strcmp0(code, "TOOBIG") == 0 || text_has_any(text, words);
}

bool
imap_asks_for_patience(const char *code, const char *text)
{
  static const char *const codes[] = { "UNAVAILABLE", "INUSE", "LIMIT", "THROTTLED" };
  static const char *const texts[] = { "throttl",
                                       "rate limit",
                                       "bandwidth",
                                       "back-off",
                                       "backoff",
                                       "try again",
                                       "try later",
                                       "too many simultaneous",
                                       "too many concurrent",
                                       "too many connections",
                                       "too many sessions",
                                       "too many requests",
                                       "too many commands",
                                       "too many login",
                                       "number of connections" };
  for (size_t i = 0; code != NULL && i < G_N_ELEMENTS(codes); i++) {
    if (g_ascii_strcasecmp(code, codes[i]) == 0)
      return true;
  }
  g_autofree char *folded = g_ascii_strdown(text != NULL ? text : "", -1);
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    if (strstr(folded, texts[i]) != NULL)
      return true;
  }
  return false;
}

void
imap_set_plain_refusal(GError **error, HaulError reach, const char *reason, const char *what,
                       const char *code, const char *text)
{
  g_autofree char *shown =
      haul_text_display(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
  bool coded = code != NULL && *code != '\0';
  g_autofree char *shown_code = haul_text_display(coded ? code : "", coded ? strlen(code) : 0);
  haul_set_error(error, reach, reason, "%s: %s%s%s%s", what, coded ? "[" : "", shown_code,
                 coded ? "] " : "", *shown != '\0' ? shown : "no reason given");
}

void
imap_set_refusal(GError **error, HaulError reach, const char *reason, const char *what,
                 const char *code, const char *text)
{
  bool busy = imap_asks_for_patience(code, text);
  imap_set_plain_refusal(error, busy ? HAUL_ERROR_BUSY : reach, busy ? "busy" : reason, what, code,
                         text);
}

static bool
code_is_any(const char *code, const char *const *codes)
{
  for (; code != NULL && *codes != NULL; codes++)
    if (g_ascii_strcasecmp(code, *codes) == 0)
      return true;
  return false;
}

ImapLoginRefusal
imap_classify_login(bool bad, const char *code, const char *text)
{
  static const char *const final[] = { "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED",
                                       "PRIVACYREQUIRED",      "CONTACTADMIN",        NULL };
  static const char *const busy[] = { "SERVERBUG", NULL }; /* its own trouble, and likely to pass */
  static const char *const other_way[] = { "CANNOT", NULL };
  static const char *const unknown[] = { "unsupported",       "not supported",
                                         "unknown mechanism", "unknown authentication",
                                         "not implemented",   "no such mechanism",
                                         "mechanism not",     NULL };
  static const char *const wrong[] = { "credential",   "password",        "authentication failed",
                                       "login failed", "login incorrect", NULL };
  if (code_is_any(code, final))
    return IMAP_LOGIN_DENIED;
  if (code_is_any(code, busy) || imap_asks_for_patience(code, text))
    return IMAP_LOGIN_FOR_NOW;
  if (code_is_any(code, other_way) || text_has_any(text, unknown))
    return IMAP_LOGIN_UNSUPPORTED;
  return bad && !text_has_any(text, wrong) ? IMAP_LOGIN_UNSUPPORTED : IMAP_LOGIN_DENIED;
}

bool
imap_says_logged_out(const char *code, const char *text)
{
  static const char *const codes[] = { "AUTHENTICATIONFAILED", "EXPIRED", NULL };
  static const char *const words[] = { "accesstokenexpired",
                                       "access token expired",
                                       "token has expired",
                                       "session invalidated",
                                       "session expired",
                                       "session is expired",
                                       NULL };
  return code_is_any(code, codes) || text_has_any(text, words);
}

bool
imap_wants_id(const char *text)
{
  static const char *const words[] = { "unsafe login", NULL };
  return text_has_any(text, words);
}

ImapRefusal
imap_classify_append(const char *code, const char *text)
{
  bool limited = g_strcmp0(code, "LIMIT") == 0;
  if (is_too_big(code, text))
    return IMAP_REFUSED_TOO_BIG;
  if (is_over_quota(code, text))
    return IMAP_REFUSED_OVER_QUOTA;
  if (imap_asks_for_patience(limited ? NULL : code, text))
    return IMAP_REFUSED_FOR_NOW;
  if (limited) /* of what a message may be, if not of us */
    return IMAP_REFUSED_TOO_BIG;
  bool absent = g_strcmp0(code, "TRYCREATE") == 0 || g_strcmp0(code, "NONEXISTENT") == 0;
  return absent ? IMAP_REFUSED_NO_FOLDER : IMAP_REFUSED;
}
