/*
 * Folder names: escapes that can be undone, and canonical paths.
 *
 * A place cannot hold some octets, U. Call "%", any number of "25", and the code XX of an octet of
 * U a token. Escaping turns an octet of U into the token %XX, and gives a token that was there
 * before one more "25"; unescaping takes one "25" out of a token, and makes the octet of one that
 * has none. A token holds one '%', so tokens never overlap, and each function undoes the other, for
 * every string that has no octets of U on the escaped side. A place that cannot hold an empty level
 * treats it as one more octet, of code 00, which no name holds; but its token is the whole level.
 */
#include <mailhaul/text.h>

#include <string.h>

/* What a place cannot hold. */
typedef struct {
  bool octets[256];
  bool empty; /* nor a level without any octet */
} Unheld;

static void
unheld_add(Unheld *unheld, const char *octets)
{
  for (; *octets != '\0'; octets++)
    unheld->octets[(unsigned char)*octets] = true;
}

static void
unheld_add_controls(Unheld *unheld)
{
  for (int octet = 1; octet < 0x20; octet++)
    unheld->octets[octet] = true;
  unheld->octets[0x7f] = true;
}

/* The value of an upper-case hexadecimal digit, or -1: escapes are written in one way only. */
static int
digit_value(char digit)
{
  if (digit >= '0' && digit <= '9')
    return digit - '0';
  return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Reads what may be a token at the '%' of @at. Returns the octet that its code stands for, -1 if
 * there is none; @n: gets the number of its "25", @after: where it ends. */
static int
read_token(const char *at, const char *end, size_t *n, const char **after)
{
  *n = 0;
  for (at++; end - at >= 2 && at[0] == '2' && at[1] == '5'; at += 2)
    ++*n;
  if (end - at < 2 || digit_value(at[0]) < 0 || digit_value(at[1]) < 0)
    return -1;
  *after = at + 2;
  return digit_value(at[0]) * 16 + digit_value(at[1]);
}

/* Whether a level is as a whole what stands for an empty one, or for that, and so on. */
static bool
is_empty_token(const char *level, const char *end, size_t *n)
{
  const char *after;
  return end > level && *level == '%' && read_token(level, end, n, &after) == 0 && after == end;
}

static void
append_escaped(GString *out, const char *level, size_t length, const Unheld *unheld)
{
  const char *end = level + length, *after;
  size_t n;
  if (unheld->empty && length == 0)
    g_string_append(out, "%00");
  if (unheld->empty && is_empty_token(level, end, &n)) {
    g_string_append(out, "%25");
    level++;
  }
  for (const char *at = level; at < end; at++) {
    int code = *at == '%' ? read_token(at, end, &n, &after) : -1;
    if (unheld->octets[(unsigned char)*at])
      g_string_append_printf(out, "%%%02X", (unsigned char)*at);
    else if (code >= 0 && unheld->octets[code])
      g_string_append(out, "%25");
    else
      g_string_append_c(out, *at);
  }
}

static void
append_unescaped(GString *out, const char *level, size_t length, const Unheld *unheld)
{
  const char *end = level + length, *after;
  size_t n;
  if (unheld->empty && is_empty_token(level, end, &n)) {
    if (n > 0) {
      g_string_append_c(out, '%');
      g_string_append_len(out, level + strlen("%25"), length - strlen("%25"));
    }
    return;
  }
  for (const char *at = level; at < end; at++) {
    int code = *at == '%' ? read_token(at, end, &n, &after) : -1;
    if (code >= 0 && unheld->octets[code]) {
      g_string_append_c(out, n == 0 ? (char)code : '%');
      at += 2;
    } else {
      g_string_append_c(out, *at);
    }
  }
}

static char *
escaped(const char *text, const Unheld *unheld)
{
  GString *out = g_string_sized_new(strlen(text) + 8);
  append_escaped(out, text, strlen(text), unheld);
  return g_string_free(out, FALSE);
}

static char *
unescaped(const char *text, const Unheld *unheld)
{
  GString *out = g_string_sized_new(strlen(text));
  append_unescaped(out, text, strlen(text), unheld);
  return g_string_free(out, FALSE);
}

char *
haul_name_escape(const char *level, const char *unheld)
{
  Unheld what = { .empty = false };
  unheld_add_controls(&what);
  unheld_add(&what, unheld);
  return escaped(level, &what);
}

char *
haul_name_unescape(const char *level, const char *unheld)
{
  Unheld what = { .empty = false };
  unheld_add_controls(&what);
  unheld_add(&what, unheld);
  return unescaped(level, &what);
}

/* A way to write a path. */
typedef struct {
  char separator; /* between levels */
  Unheld level;   /* what a level cannot hold */
  Unheld whole;   /* what the levels, joined, still cannot hold */
} Notation;

static Notation
canonical_notation(void)
{
  Notation notation = { .separator = '/', .level.empty = true };
  unheld_add_controls(&notation.level);
  unheld_add(&notation.level, "/");
  return notation;
}

static Notation
native_notation(char separator, const char *unheld)
{
  unheld = unheld != NULL ? unheld : "";
  Notation notation = { .separator = separator };
  unheld_add_controls(&notation.level);
  unheld_add(&notation.level, unheld);
  if (separator != '\0') {
    notation.level.octets[(unsigned char)separator] = true;
    notation.level.empty = strchr(unheld, separator) != NULL;
  } else {
    /* One name for all levels: joined by '/' or, where it cannot hold that, by what it becomes. */
    notation.separator = '/';
    notation.level.octets['/'] = true;
    if (strchr(unheld, '/') != NULL)
      unheld_add(&notation.whole, "/");
  }
  return notation;
}

static char *
translate(const char *path, const Notation *from, const Notation *to)
{
  g_autofree char *joined = unescaped(path, &from->whole);
  g_autoptr(GString) out = g_string_sized_new(strlen(path) + 8);
  const char separators[] = { from->separator, '\0' };
  for (const char *at = joined;; at++) {
    g_autofree char *written = g_strndup(at, strcspn(at, separators));
    g_autofree char *level = unescaped(written, &from->level);
    append_escaped(out, level, strlen(level), &to->level);
    at += strlen(written);
    if (*at == '\0')
      return escaped(out->str, &to->whole);
    g_string_append_c(out, to->separator);
  }
}

char *
haul_path_from_native(const char *name, char separator, const char *unheld)
{
  Notation native = native_notation(separator, unheld), canonical = canonical_notation();
  char *path = translate(name, &native, &canonical);
  size_t first = strcspn(path, "/");
  if (first == strlen("INBOX") && g_ascii_strncasecmp(path, "INBOX", first) == 0)
    memcpy(path, "INBOX", first);
  return path;
}

char *
haul_path_to_native(const char *path, char separator, const char *unheld)
{
  Notation native = native_notation(separator, unheld), canonical = canonical_notation();
  return translate(path, &canonical, &native);
}

bool
haul_path_is_inbox(const char *path)
{
  return g_ascii_strcasecmp(path, "INBOX") == 0;
}
