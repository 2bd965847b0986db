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
code_is(const char *code, const char *name)
{
  return code != NULL && g_ascii_strcasecmp(code, name) == 0;
}

/* Courier and Cyrus know no code; a size that is too large for the mailbox is one, too. */
static bool
speaks_of_quota(const char *text)
{
  static const char *const words[] = {
    "over quota",   "overquota", "mailbox is full", "mailbox full", "mailbox exceeds",
    "mailbox size", NULL
  };
  static const char *const quota[] = { "quota", NULL }, *const exceed[] = { "exceed", NULL };
  static const char *const others[] = { "bandwidth", "message size", NULL };
  return text_has_any(text, words)
         || (text_has_any(text, quota) && text_has_any(text, exceed)
             && !text_has_any(text, others));
}

/* Whether it is a part of the message that is too long: smaller ones may have it, and larger ones not. */
static bool
speaks_of_a_part(const char *text)
{
  static const char *const words[] = { "header",      "line too",  "line is too", "lines too",
                                       "line length", "long line", NULL };
  return text_has_any(text, words);
}

static bool
speaks_of_size(const char *text)
{
  static const char *const words[] = { "too large",    "too big",    "toobig",
                                       "maximum size", "size limit", NULL };
  return text_has_any(text, words);
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
                                       "try again later",
                                       "try again in ",
                                       "try again after",
                                       "try again shortly",
                                       "try again soon",
                                       "temporarily unavailable",
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

bool
imap_puts_reading_off(const char *code, const char *text)
{
  return imap_asks_for_patience(code, text)
         || (code != NULL && g_ascii_strcasecmp(code, "OVERQUOTA") == 0);
}

bool
imap_says_throttled(const char *text, size_t size)
{
  return size > 0 && g_strstr_len(text, (gssize)size, "[THROTTLED]") != NULL;
}

/* Returns the length of the unit of time that @text begins with, in milliseconds; seconds where it names
 * none. */
static uint64_t
unit_ms(const char *text)
{
  static const struct {
    const char *name;
    uint64_t ms;
  } units[] = { { "milli", 1 },         { "msec", 1 },      { "ms", 1 },
                { "min", 60 * 1000 },   { "m", 60 * 1000 }, { "hour", 60 * 60 * 1000 },
                { "h", 60 * 60 * 1000 } };
  while (*text == ' ' || *text == '-')
    text++;
  for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
    size_t size = strlen(units[i].name);
    if (strncmp(text, units[i].name, size) == 0 && (size > 1 || !g_ascii_isalpha(text[1])))
      return units[i].ms;
  }
  return 1000;
}

unsigned
imap_wait_asked_ms(const char *text)
{
  static const char *const words[] = { "backoff",     "back-off",     "retry after",
                                       "retry-after", "try again in", "try again after",
                                       "retry in",    "wait" };
  enum { DISTANCE = 24, LIMIT_MS = 60 * 60 * 1000 };
  if (text == NULL)
    return 0;
  g_autofree char *folded = g_ascii_strdown(text, -1);
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    const char *word = strstr(folded, words[i]);
    if (word == NULL)
      continue;
    const char *digits = word + strlen(words[i]);
    const char *end = digits + DISTANCE;
    while (digits < end && *digits != '\0' && *digits != '.' && !g_ascii_isdigit(*digits))
      digits++;
    if (digits == end || !g_ascii_isdigit(*digits))
      continue;
    char *after;
    uint64_t number = g_ascii_strtoull(digits, &after, 10); /* UINT64_MAX where it is too large */
    uint64_t unit = unit_ms(after);
    return number > LIMIT_MS / unit ? LIMIT_MS : (unsigned)(number * unit);
  }
  return 0;
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
  if (reach == HAUL_ERROR_BUSY && error != NULL)
    haul_error_set_wait(*error, imap_wait_asked_ms(text));
}

void
imap_set_refusal(GError **error, HaulError reach, const char *reason, const char *what,
                 const char *code, const char *text)
{
  bool busy = imap_asks_for_patience(code, text);
  imap_set_plain_refusal(error, busy ? HAUL_ERROR_BUSY : reach, busy ? "busy" : reason, what, code,
                         text);
}

void
imap_set_reading_refusal(GError **error, HaulError reach, const char *reason, const char *what,
                         const char *code, const char *text)
{
  bool busy = imap_puts_reading_off(code, text);
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
  static const char *const unknown[] = { "unsupported",
                                         "not supported",
                                         "unknown mechanism",
                                         "unknown authentication",
                                         "not implemented",
                                         "no such mechanism",
                                         "mechanism not",
                                         "bad protocol", /* Cyrus */
                                         NULL };
  static const char *const wrong[] = { "credential",   "password",        "authentication failed",
                                       "login failed", "login incorrect", NULL };
  static const char *const disproved[] = { "credential", "password", "locked",    "disabled",
                                           "blocked",    "expired",  "suspended", NULL };
  if (code_is_any(code, final))
    return IMAP_LOGIN_DENIED;
  if (code_is_any(code, busy) || imap_asks_for_patience(code, text))
    return IMAP_LOGIN_FOR_NOW;
  if (code_is_any(code, other_way) || text_has_any(text, unknown))
    return IMAP_LOGIN_UNSUPPORTED;
  if (bad)
    return text_has_any(text, wrong) ? IMAP_LOGIN_DENIED : IMAP_LOGIN_UNSUPPORTED;
  /* Mailutils says the same of a wrong password and of a mechanism that it has no secret for. */
  bool uncoded = code == NULL || *code == '\0';
  return uncoded && !text_has_any(text, disproved) ? IMAP_LOGIN_UNEXPLAINED : IMAP_LOGIN_DENIED;
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
  /* Gmail says OVERQUOTA of bandwidth, too. */
  static const char *const traffic[] = { "bandwidth", "command limit", NULL };
  bool limited = code_is(code, "LIMIT");
  if (code_is(code, "OVERQUOTA"))
    return text_has_any(text, traffic) ? IMAP_REFUSED_FOR_NOW : IMAP_REFUSED_OVER_QUOTA;
  if (code_is(code, "TOOBIG"))
    return IMAP_REFUSED_TOO_BIG;
  if (speaks_of_quota(text))
    return IMAP_REFUSED_OVER_QUOTA;
  bool partial = speaks_of_a_part(text);
  if (!partial && speaks_of_size(text))
    return IMAP_REFUSED_TOO_BIG;
  if (imap_asks_for_patience(limited ? NULL : code, text))
    return IMAP_REFUSED_FOR_NOW;
  if (limited && !partial) /* of what a message may be, if not of us */
    return IMAP_REFUSED_TOO_BIG;
  bool absent = code_is(code, "TRYCREATE") || code_is(code, "NONEXISTENT");
  return absent ? IMAP_REFUSED_NO_FOLDER : IMAP_REFUSED;
}
