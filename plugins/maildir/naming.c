/* Names of folders. */
#include "naming.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/text.h>

/* What a file name cannot hold, besides the separator. */
#define UNHELD "/"

/* What lies beside folders, by the names that programs give it. */
static const char *const reserved[] = {
  "cur",
  "new",
  "tmp",
  "snapshots",
  "subscriptions",
  "maildirfolder",
  "maildirsize",
  "dovecot-uidlist",
  "dovecot-keywords",
  "dovecot-uidvalidity",
  "mailhaul-keywords",
  "courierimapkeywords",
  "courierimapsubscribed",
  "courierimapuiddb",
};

/* Whether a directory must not be called @first followed by @rest. */
static bool
is_reserved(char first, const char *rest)
{
  if (first == '.')
    return true;
  for (size_t i = 0; i < G_N_ELEMENTS(reserved); i++)
    if (first == reserved[i][0] && strcmp(rest, reserved[i] + 1) == 0)
      return true;
  return false;
}

/* Whether @level is "%", @n times "25", and the code of an octet that makes a reserved name of what
 * follows; *plain: gets that name, to be freed. */
static bool
is_token(const char *level, size_t *n, char **plain)
{
  if (level[0] != '%')
    return false;
  const char *at = level + 1;
  for (*n = 0; g_str_has_prefix(at, "25"); at += 2)
    ++*n;
  if (!g_ascii_isxdigit(at[0]) || !g_ascii_isxdigit(at[1]) || g_ascii_islower(at[0])
      || g_ascii_islower(at[1]))
    return false;
  char first = (char)(g_ascii_xdigit_value(at[0]) * 16 + g_ascii_xdigit_value(at[1]));
  if (first == '\0' || !is_reserved(first, at + 2))
    return false;
  *plain = g_strdup_printf("%c%s", first, at + 2);
  return true;
}

static char *
escape_reserved(const char *level)
{
  size_t n;
  g_autofree char *plain = NULL;
  if (is_token(level, &n, &plain))
    return g_strconcat("%25", level + 1, NULL);
  if (level[0] != '\0' && is_reserved(level[0], level + 1))
    return g_strdup_printf("%%%02X%s", (unsigned char)level[0], level + 1);
  return g_strdup(level);
}

static char *
unescape_reserved(const char *level)
{
  size_t n;
  g_autofree char *plain = NULL;
  if (!is_token(level, &n, &plain))
    return g_strdup(level);
  return n == 0 ? g_steal_pointer(&plain) : g_strconcat("%", level + strlen("%25"), NULL);
}

/* Escapes, as %XX, what keeps @name from being read as modified UTF-7 of UTF-8. */
static char *
escape_malformed(const char *name)
{
  bool is_utf8 = g_utf8_validate(name, -1, NULL);
  GString *result = g_string_new(NULL);
  for (; *name != '\0'; name++)
    if (*name == '&' || (!is_utf8 && (*name & 0x80) != 0))
      g_string_append_printf(result, "%%%02X", (unsigned char)*name);
    else
      g_string_append_c(result, *name);
  return g_string_free(result, FALSE);
}

/* Calls @change for each level of @text, or for all of it. */
static char *
by_level(const char *text, char separator, bool split, char *(*change)(const char *level))
{
  if (!split || separator == '\0')
    return change(text);
  const char separators[] = { separator, '\0' };
  g_auto(GStrv) levels = g_strsplit(text, separators, -1);
  for (char **level = levels; *level != NULL; level++) {
    char *changed = change(*level);
    g_free(*level);
    *level = changed;
  }
  return g_strjoinv(separators, levels);
}

/* Some write UTF-8 as it is; it has no encoding of its own to get lost. */
static char *
decode(const char *level)
{
  char *decoded = haul_utf7_decode(level);
  return decoded != NULL ? decoded : escape_malformed(level);
}

char *
maildir_naming_path(MaildirNaming naming, const char *name)
{
  bool by_directory = naming.separator == '/';
  g_autofree char *bare = naming.is_bare
                              ? by_level(name, naming.separator, by_directory, unescape_reserved)
                              : g_strdup(name);
  g_autofree char *decoded = by_level(bare, naming.separator, true, decode);
  /* "INBOX" is a folder beside the root, which has taken its name; and what is below "inbox" is not
   * below the root's. */
  const char separators[] = { naming.separator, '\0' };
  size_t level = strcspn(decoded, separators);
  if (level == 5 && g_ascii_strncasecmp(decoded, "INBOX", level) == 0
      && (decoded[level] == '\0' || memcmp(decoded, "INBOX", level) != 0)) {
    g_autofree char *rest = haul_path_from_native(decoded + 1, naming.separator, UNHELD);
    return g_strdup_printf("%%%02X%s", (unsigned char)decoded[0], rest);
  }
  return haul_path_from_native(decoded, naming.separator, UNHELD);
}

char *
maildir_naming_name(MaildirNaming naming, const char *path)
{
  bool by_directory = naming.separator == '/';
  g_autofree char *native = haul_path_to_native(path, naming.separator, UNHELD);
  g_autofree char *encoded = haul_utf7_encode(native);
  g_autofree char *name = naming.is_bare
                              ? by_level(encoded, naming.separator, by_directory, escape_reserved)
                              : g_strdup(encoded);
  g_autofree char *back = maildir_naming_path(naming, name);
  bool is_name = name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(back, path) == 0;
  return is_name ? g_steal_pointer(&name) : NULL;
}
