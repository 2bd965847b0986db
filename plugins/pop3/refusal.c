/* What a server means by -ERR. See refusal.h. */
#include "refusal.h"

#include <string.h>

static bool
has_any(const char *folded, const char *const *words)
{
  for (; *words != NULL; words++) {
    if (strstr(folded, *words) != NULL)
      return true;
  }
  return false;
}

/* Whether it is the mailbox that is locked, and not somebody out. Those without response codes say it in
 * many ways: "mailbox locked", "maildrop lock busy", "Unable to lock maildrop", "/var/mail/x lock busy! Is
 * another session active?", "Can't get lock", "-ERR  mailbox in use" (qpopper, popa3d, Mailutils, ipop3d). */
static bool
speaks_of_lock(const char *folded)
{
  static const char *const taken[] = { "in use by",
                                       "already in use",
                                       "is in use",
                                       "mailbox in use",
                                       "maildrop in use",
                                       "lock busy",
                                       "mailbox busy",
                                       "mailbox is busy",
                                       "maildrop busy",
                                       "another session",
                                       "another pop",
                                       "already open",
                                       "being used",
                                       "exclusive lock",
                                       "get lock",
                                       "file lock",
                                       "lock file",
                                       "to lock mail",
                                       "lock the mail",
                                       "lock your mail",
                                       "lock on mail",
                                       "session lock",
                                       "mailbox is locked",
                                       "mailbox locked",
                                       "maildrop is locked",
                                       "maildrop locked",
                                       "maildrop already locked",
                                       "mailbox already locked",
                                       "mailbox is already locked",
                                       "maildrop lock",
                                       "mailbox lock",
                                       NULL };
  return has_any(folded, taken);
}

/* Whether somebody is locked out: trying on makes that worse. */
static bool
speaks_of_lockout(const char *folded)
{
  static const char *const locked[] = { "locked out", "user is locked", "user locked", NULL };
  return has_any(folded, locked)
         || (strstr(folded, "account") != NULL && strstr(folded, "locked") != NULL);
}

static bool
asks_for_patience(const char *folded)
{
  static const char *const words[] = {
    "try again later",   "try again in",          "try again after",
    "try again shortly", "try again soon",        "try later",
    "retry later",       "temporarily",           "temporary",
    "too many sim",      "too many concurrent",   "too many connections",
    "too many sessions", "too many requests",     "too many login",
    "too frequent",      "login frequen",         "login delay",
    "login-delay",       "number of connections", "throttl",
    "rate limit",        "service unavailable",   "service is unavailable",
    "minimum time",      "system error",          NULL
  };
  return has_any(folded, words);
}

static bool
says_farewell(const char *folded)
{
  static const char *const words[] = { "timeout",
                                       "timed out",
                                       "time out",
                                       "inactivity",
                                       "closing conn",
                                       "closing session",
                                       "shutting down",
                                       "disconnecting",
                                       "session expired",
                                       "autologout",
                                       NULL };
  return has_any(folded, words);
}

static bool
is_for_now(Pop3Code code)
{
  return code == POP3_CODE_IN_USE || code == POP3_CODE_LOGIN_DELAY || code == POP3_CODE_SYS_TEMP;
}

Pop3Refusal
pop3_classify_for_message(Pop3Code code, const char *text)
{
  g_autofree char *folded = g_ascii_strdown(text, -1);
  return is_for_now(code) ? POP3_REFUSED_FOR_NOW
         : says_farewell(folded) && code != POP3_CODE_SYS_PERM && code != POP3_CODE_AUTH
             ? POP3_REFUSED_AND_LEAVING
             : POP3_REFUSED;
}

Pop3Refusal
pop3_classify(Pop3Code code, const char *text)
{
  switch (code) {
  case POP3_CODE_IN_USE:
  case POP3_CODE_LOGIN_DELAY:
  case POP3_CODE_SYS_TEMP:
    return POP3_REFUSED_FOR_NOW;
  case POP3_CODE_SYS_PERM:
  case POP3_CODE_AUTH:
    return POP3_REFUSED_FOR_GOOD;
  case POP3_CODE_NONE:
  case POP3_CODE_UTF8:
  case POP3_CODE_OTHER:
    break;
  }
  g_autofree char *folded = g_ascii_strdown(text, -1);
  return speaks_of_lockout(folded)                             ? POP3_REFUSED_FOR_GOOD
         : speaks_of_lock(folded) || asks_for_patience(folded) ? POP3_REFUSED_FOR_NOW
         : says_farewell(folded)                               ? POP3_REFUSED_AND_LEAVING
                                                               : POP3_REFUSED;
}

Pop3LoginRefusal
pop3_classify_login(Pop3Code code, const char *text)
{
  static const char *const unknown[] = { "unsupported",
                                         "not supported",
                                         "unknown mechanism",
                                         "unknown authentication",
                                         "unknown command",
                                         "not implemented",
                                         "no such mechanism",
                                         "mechanism not",
                                         "unrecognized",
                                         "unrecognised",
                                         "invalid command",
                                         "bad command",
                                         "protocol error",
                                         "syntax",
                                         "command not",
                                         "not valid in this state",
                                         "unimplemented",
                                         "invalid parameter",
                                         "illegal command",
                                         "bad arguments",
                                         "bad protocol",
                                         "invalid number",
                                         "too many arg",
                                         "wrong number",
                                         NULL };
  static const char *const disproved[] = { "credential", "password", "locked",    "disabled",
                                           "blocked",    "expired",  "suspended", NULL };
  g_autofree char *folded = g_ascii_strdown(text, -1);
  if (code == POP3_CODE_SYS_PERM)
    return POP3_LOGIN_DENIED;
  if (code == POP3_CODE_AUTH) /* Cyrus says it of a conversation that broke down, too */
    return strstr(folded, "bad protocol") != NULL ? POP3_LOGIN_UNSUPPORTED : POP3_LOGIN_DENIED;
  if (pop3_classify(code, text) == POP3_REFUSED_FOR_NOW)
    return POP3_LOGIN_FOR_NOW;
  return has_any(folded, disproved) ? POP3_LOGIN_DENIED
         : has_any(folded, unknown) ? POP3_LOGIN_UNSUPPORTED
                                    : POP3_LOGIN_UNEXPLAINED;
}

/* The length of the unit of time that @text begins with; seconds where it names none. */
static uint64_t
unit_ms(const char *text)
{
  while (*text == ' ' || *text == '-')
    text++;
  return g_str_has_prefix(text, "min")    ? 60 * 1000
         : g_str_has_prefix(text, "hour") ? 60 * 60 * 1000
                                          : 1000;
}

unsigned
pop3_wait_asked_ms(const char *text)
{
  static const char *const words[] = { "again in", "again after", "retry in", "retry after",
                                       "wait" };
  enum { DISTANCE = 24, LIMIT_MS = 60 * 60 * 1000 };
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
    uint64_t number = g_ascii_strtoull(digits, &after, 10), unit = unit_ms(after);
    return number > LIMIT_MS / unit ? LIMIT_MS : (unsigned)(number * unit);
  }
  return 0;
}
