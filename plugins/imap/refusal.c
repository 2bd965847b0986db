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
  static const char *const words[] = { "over quota",     "overquota",
                                       "quota exceeded", "exceeded quota",
                                       "exceeds quota",  "mailbox is full",
                                       "mailbox full",   NULL };
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
imap_set_refusal(GError **error, HaulError reach, const char *reason, const char *what,
                 const char *code, const char *text)
{
  g_autofree char *shown =
      haul_text_display(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
  bool coded = code != NULL && *code != '\0';
  g_autofree char *shown_code = haul_text_display(coded ? code : "", coded ? strlen(code) : 0);
  if (imap_asks_for_patience(code, text)) {
    reach = HAUL_ERROR_BUSY;
    reason = "busy";
  }
  haul_set_error(error, reach, reason, "%s: %s%s%s%s", what, coded ? "[" : "", shown_code,
                 coded ? "] " : "", *shown != '\0' ? shown : "no reason given");
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
