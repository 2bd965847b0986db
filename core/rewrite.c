/* Substitutions on names of folders and on messages. See rewrite.h. */
#include "rewrite.h"

#include <stdbool.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

/* A name of a few dozen octets takes some thousand steps; this many take some milliseconds. */
#define LIMIT_STEPS "(*LIMIT_MATCH=200000)"
#define LIMIT_OCTETS 4096
/* A message has some more of both: this many take a second or so. */
#define LIMIT_MESSAGE_STEPS "(*LIMIT_MATCH=20000000)(*LIMIT_HEAP=65536)"

struct HaulRewrite {
  char *text, *replacement; /* owned */
  GRegex *regex;            /* owned */
  bool everywhere;
  bool is_raw; /* of octets */
};

static const char *
option_name(const HaulRewrite *rewrite)
{
  return rewrite->is_raw ? "--regexmess" : "--regextrans2";
}

static bool
fail(GError **error, const HaulRewrite *rewrite, const char *what)
{
  g_autofree char *shown = haul_text_display(rewrite->text, strlen(rewrite->text));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "%s takes s/PATTERN/REPLACEMENT/FLAGS; in %s %s", option_name(rewrite), shown,
                 what);
  return false;
}

static char
closing(char opening)
{
  static const char pairs[] = "(){}[]<>";
  const char *at = strchr(pairs, opening);
  return at != NULL && (at - pairs) % 2 == 0 ? at[1] : opening;
}

/* Takes what is between *at, behind the opening delimiter, and the closing one; moves *at behind that. Brackets
 * nest. NULL if it does not end. */
static char *
take_part(const char **at, char opening)
{
  char end = closing(opening);
  unsigned depth = 0;
  for (const char *here = *at; *here != '\0'; here++) {
    if (*here == '\\' && here[1] != '\0') {
      here++;
    } else if (*here == end && depth == 0) {
      char *part = g_strndup(*at, (size_t)(here - *at));
      *at = here + 1;
      return part;
    } else if (end != opening) {
      depth += *here == opening;
      depth -= *here == end;
    }
  }
  return NULL;
}

/* Reads a reference to what was matched at the '$' or '\\' of *at. Returns its number, 0 for all of it, and
 * moves *at behind it; -1 if it is none. */
static int
take_reference(const char **at)
{
  const char *here = *at + 1;
  bool is_dollar = **at == '$', braced = is_dollar && *here == '{';
  if (is_dollar && *here == '&') {
    *at = here + 1;
    return 0;
  }
  here += braced;
  if (!g_ascii_isdigit(*here) || (*here == '0'))
    return -1;
  int number = 0;
  while (g_ascii_isdigit(*here) && number < 100)
    number = number * 10 + (*here++ - '0');
  if (braced && *here++ != '}')
    return -1;
  *at = here;
  return number;
}

static bool
check_replacement(const HaulRewrite *rewrite, GError **error)
{
  for (const char *at = rewrite->replacement; *at != '\0';) {
    int number = *at == '$' || *at == '\\' ? take_reference(&at) : -2;
    if (number > g_regex_get_capture_count(rewrite->regex)) {
      g_autofree char *what = g_strdup_printf("there is no group %d", number);
      return fail(error, rewrite, what);
    }
    if (number >= 0)
      continue;
    if (number == -1 && *at == '$' && at[1] != '\0')
      return fail(error, rewrite,
                  "a \"$\" is neither $1 nor $&: nothing is computed; \\$ is the sign itself");
    const char *letters = rewrite->is_raw ? "LUElunrt" : "LUElu";
    if (number == -1 && *at == '\\' && (at[1] == '\0' || strchr(letters, at[1]) == NULL)
        && (at[1] == '\0' || g_ascii_isalnum(at[1])))
      return fail(error, rewrite,
                  "the replacement has a backslash before what means nothing behind one");
    at += number == -1 && *at == '\\' ? 2 : 1;
  }
  return true;
}

static bool
take_flags(HaulRewrite *rewrite, const char *flags, GRegexCompileFlags *compile, GError **error)
{
  for (; *flags != '\0'; flags++) {
    if (*flags == 'g')
      rewrite->everywhere = true;
    else if (*flags == 'i')
      *compile |= G_REGEX_CASELESS;
    else if (*flags == 'x')
      *compile |= G_REGEX_EXTENDED;
    else if (rewrite->is_raw && *flags == 'm')
      *compile |= G_REGEX_MULTILINE;
    else if (rewrite->is_raw && *flags == 's')
      *compile |= G_REGEX_DOTALL;
    else if (*flags == 'e')
      return fail(error, rewrite, "the flag e asks for code to be executed: it is not");
    else
      return fail(error, rewrite,
                  rewrite->is_raw ? "the flags may be g, i, m, s and x"
                                  : "the flags may be g, i and x");
  }
  return true;
}

static HaulRewrite *
parse(const char *text, bool is_raw, GError **error)
{
  g_autoptr(HaulRewrite) rewrite = g_new0(HaulRewrite, 1);
  rewrite->text = g_strdup(text);
  rewrite->is_raw = is_raw;
  const char *at = text;
  if (!g_utf8_validate(text, -1, NULL) || *at != 's' || !g_ascii_ispunct(at[1]) || at[1] == '\\'
      || at[1] == '_') {
    fail(error, rewrite, "there is no such form");
    return NULL;
  }
  char opening = at[1];
  at += 2;
  g_autofree char *pattern = take_part(&at, opening);
  if (pattern != NULL && closing(opening) != opening) {
    at += strspn(at, " \t");
    opening = *at != '\0' ? *at++ : opening;
  }
  rewrite->replacement = pattern != NULL ? take_part(&at, opening) : NULL;
  if (rewrite->replacement == NULL) {
    fail(error, rewrite,
         pattern == NULL ? "the pattern does not end" : "the replacement does not end");
    return NULL;
  }
  GRegexCompileFlags compile = is_raw ? G_REGEX_RAW | G_REGEX_NEWLINE_LF : 0;
  if (!take_flags(rewrite, at, &compile, error))
    return NULL;
  g_autofree char *limited = g_strconcat(is_raw ? LIMIT_MESSAGE_STEPS : LIMIT_STEPS, pattern, NULL);
  g_autoptr(GError) why = NULL;
  rewrite->regex = g_regex_new(limited, compile, 0, &why);
  if (rewrite->regex == NULL) {
    /* GLib counts characters of what it was given, and says so with our limit in front. */
    const char *words = strrchr(why->message, ':');
    g_autofree char *what =
        g_strdup_printf("the pattern is none:%s", words != NULL ? words + 1 : "");
    fail(error, rewrite, what);
    return NULL;
  }
  return check_replacement(rewrite, error) ? g_steal_pointer(&rewrite) : NULL;
}

HaulRewrite *
haul_rewrite_parse(const char *text, GError **error)
{
  return parse(text, false, error);
}

HaulRewrite *
haul_rewrite_parse_octets(const char *text, GError **error)
{
  return parse(text, true, error);
}

void
haul_rewrite_free(HaulRewrite *rewrite)
{
  if (rewrite == NULL)
    return;
  g_free(rewrite->text);
  g_free(rewrite->replacement);
  g_clear_pointer(&rewrite->regex, g_regex_unref);
  g_free(rewrite);
}

const char *
haul_rewrite_text(const HaulRewrite *rewrite)
{
  return rewrite->text;
}

/* How the replacement's letters are to be written: until further notice, and the next one alone. */
typedef struct {
  char all, next; /* 'U' or 'L', 'u' or 'l'; 0: as they are */
} Case;

static void
append_cased(GString *out, const char *text, size_t size, Case *how)
{
  g_autofree char *valid = g_strndup(text, size);
  g_autofree char *cased = how->all == 'U'   ? g_utf8_strup(valid, -1)
                           : how->all == 'L' ? g_utf8_strdown(valid, -1)
                                             : g_strdup(valid);
  if (how->next == 0 || *cased == '\0') {
    g_string_append(out, cased);
    return;
  }
  gunichar first = g_utf8_get_char(cased);
  g_string_append_unichar(out,
                          how->next == 'u' ? g_unichar_toupper(first) : g_unichar_tolower(first));
  g_string_append(out, g_utf8_next_char(cased));
  how->next = 0;
}

typedef struct {
  const HaulRewrite *rewrite;
  bool too_long;
} Replacing;

static gboolean
replace(const GMatchInfo *match, GString *out, gpointer data)
{
  Replacing *replacing = data;
  Case how = { 0, 0 };
  for (const char *at = replacing->rewrite->replacement; *at != '\0';) {
    int number = *at == '$' || *at == '\\' ? take_reference(&at) : -1;
    if (number >= 0) {
      g_autofree char *group = g_match_info_fetch(match, number);
      if (group != NULL)
        append_cased(out, group, strlen(group), &how);
      continue;
    }
    if (*at == '\\' && strchr("LUE", at[1]) != NULL) {
      how.all = at[1] == 'E' ? 0 : at[1];
    } else if (*at == '\\' && strchr("lu", at[1]) != NULL) {
      how.next = at[1];
    } else {
      at += *at == '\\';
      append_cased(out, at, (size_t)(g_utf8_next_char(at) - at), &how);
      at = g_utf8_next_char(at);
      continue;
    }
    at += 2;
  }
  replacing->too_long |= out->len > LIMIT_OCTETS;
  return replacing->too_long || !replacing->rewrite->everywhere;
}

char *
haul_rewrite_apply(const HaulRewrite *rewrite, const char *name, GError **error)
{
  Replacing replacing = { .rewrite = rewrite };
  g_autoptr(GError) why = NULL;
  g_autofree char *result =
      g_regex_replace_eval(rewrite->regex, name, -1, 0, 0, replace, &replacing, &why);
  if (result != NULL && !replacing.too_long)
    return g_steal_pointer(&result);
  g_autofree char *shown = haul_text_display(name, strlen(name));
  g_autofree char *rule = haul_text_display(rewrite->text, strlen(rewrite->text));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--regextrans2 %s %s of folder \"%s\"", rule,
                 result == NULL ? "takes too long on the name" : "makes too much", shown);
  return NULL;
}

/* ---- octets ---- */

static void
append_octets(GByteArray *out, const uint8_t *octets, size_t size, Case *how)
{
  for (size_t i = 0; i < size; i++) {
    char letter = how->next != 0 ? how->next : (char)g_ascii_tolower(how->all);
    uint8_t octet = letter == 'u'   ? (uint8_t)g_ascii_toupper((char)octets[i])
                    : letter == 'l' ? (uint8_t)g_ascii_tolower((char)octets[i])
                                    : octets[i];
    how->next = 0;
    g_byte_array_append(out, &octet, 1);
  }
}

static void
append_replacement(const HaulRewrite *rewrite, const GMatchInfo *match, const uint8_t *octets,
                   GByteArray *out)
{
  static const char letters[] = "nrt", meant[] = "\n\r\t";
  Case how = { 0, 0 };
  for (const char *at = rewrite->replacement; *at != '\0';) {
    int start, end, number = *at == '$' || *at == '\\' ? take_reference(&at) : -1;
    const char *letter;
    if (number >= 0) {
      if (g_match_info_fetch_pos(match, number, &start, &end) && start >= 0)
        append_octets(out, octets + start, (size_t)(end - start), &how);
      continue;
    }
    if (*at == '\\' && strchr("LUE", at[1]) != NULL) {
      how.all = at[1] == 'E' ? 0 : at[1];
      at += 2;
    } else if (*at == '\\' && strchr("lu", at[1]) != NULL) {
      how.next = at[1];
      at += 2;
    } else if (*at == '\\' && (letter = strchr(letters, at[1])) != NULL) {
      append_octets(out, (const uint8_t *)&meant[letter - letters], 1, &how);
      at += 2;
    } else {
      at += *at == '\\';
      append_octets(out, (const uint8_t *)at++, 1, &how);
    }
  }
}

GByteArray *
haul_rewrite_apply_octets(const HaulRewrite *rewrite, const uint8_t *octets, size_t size,
                          size_t limit, GError **error)
{
  g_autoptr(GMatchInfo) match = NULL;
  g_autoptr(GError) why = NULL;
  g_autoptr(GByteArray) out = g_byte_array_sized_new((guint)size);
  size_t copied = 0;
  g_regex_match_full(rewrite->regex, (const char *)octets, (gssize)size, 0, 0, &match, &why);
  while (why == NULL && g_match_info_matches(match) && out->len <= limit) {
    int start, end;
    if (!g_match_info_fetch_pos(match, 0, &start, &end))
      break;
    g_byte_array_append(out, octets + copied, (guint)((size_t)start - copied));
    append_replacement(rewrite, match, octets, out);
    copied = (size_t)end;
    if (!rewrite->everywhere || !g_match_info_next(match, &why))
      break;
  }
  if (size > copied)
    g_byte_array_append(out, octets + copied, (guint)(size - copied));
  if (why == NULL && out->len <= limit)
    return g_steal_pointer(&out);
  g_autofree char *rule = haul_text_display(rewrite->text, strlen(rewrite->text));
  haul_set_error(error, HAUL_ERROR_MESSAGE, "usage", "--regexmess %s %s", rule,
                 why != NULL ? "takes too long on it" : "makes too much of it");
  return NULL;
}
