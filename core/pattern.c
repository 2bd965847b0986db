/* What a user writes to mean folders. See pattern.h. */
#include "pattern.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

/* A name of a few dozen octets takes some thousand steps; this many take some milliseconds. */
#define LIMIT_STEPS "(*LIMIT_MATCH=200000)"

struct HaulPattern {
  uint32_t special; /* HaulFolderAttributes; 0: by name */
  GRegex *regex;    /* owned; NULL of a special use */
};

static const struct {
  const char *name;
  uint32_t attribute;
} specials[] = {
  { "all", HAUL_FOLDER_ALL },
  { "archive", HAUL_FOLDER_ARCHIVE },
  { "drafts", HAUL_FOLDER_DRAFTS },
  { "flagged", HAUL_FOLDER_FLAGGED },
  { "important", HAUL_FOLDER_IMPORTANT },
  { "junk", HAUL_FOLDER_JUNK },
  { "sent", HAUL_FOLDER_SENT },
  { "trash", HAUL_FOLDER_TRASH },
};

static void
fail(GError **error, const char *text, const char *what)
{
  g_autofree char *shown = haul_text_display(text, strlen(text));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "\"%s\" means no folder: %s", shown, what);
}

static uint32_t
find_special(const char *name)
{
  for (size_t i = 0; i < G_N_ELEMENTS(specials); i++)
    if (g_ascii_strcasecmp(specials[i].name, name) == 0)
      return specials[i].attribute;
  return 0;
}

/* Whether it cannot be meant as a path. */
static bool
looks_like_a_regex(const char *text)
{
  return text[0] == '^' || g_str_has_suffix(text, "$") || strpbrk(text, "|\\") != NULL
         || strstr(text, ".*") != NULL || strstr(text, ".+") != NULL || strstr(text, "(?") != NULL;
}

static char *
regex_of_glob(const char *glob)
{
  GString *regex = g_string_new("\\A(?:");
  for (const char *at = glob; *at != '\0'; at++) {
    if (*at == '*' && at[1] == '*') {
      g_string_append(regex, ".*");
      at++;
    } else if (*at == '*') {
      g_string_append(regex, "[^/]*");
    } else if (*at == '?') {
      g_string_append(regex, "[^/]");
    } else {
      g_autofree char *mark = g_regex_escape_string(at, 1);
      g_string_append(regex, (unsigned char)*at < 0x80 ? mark : "");
      if ((unsigned char)*at >= 0x80)
        g_string_append_c(regex, *at);
    }
  }
  g_string_append(regex, ")(?:/.*)?\\z");
  return g_string_free(regex, FALSE);
}

HaulPattern *
haul_pattern_parse(const char *text, GError **error)
{
  g_autoptr(HaulPattern) pattern = g_new0(HaulPattern, 1);
  if (!g_utf8_validate(text, -1, NULL) || *text == '\0') {
    fail(error, text, *text == '\0' ? "it is empty" : "it is not UTF-8");
    return NULL;
  }
  if (g_str_has_prefix(text, "special:")) {
    pattern->special = find_special(text + strlen("special:"));
    if (pattern->special == 0)
      fail(error, text,
           "of special uses there are all, archive, drafts, flagged, important, junk, sent and "
           "trash");
    return pattern->special != 0 ? g_steal_pointer(&pattern) : NULL;
  }
  bool is_regex = g_str_has_prefix(text, "re:") || looks_like_a_regex(text);
  const char *body = g_str_has_prefix(text, "re:") ? text + strlen("re:") : text;
  g_autofree char *plain = is_regex ? g_strdup(body) : regex_of_glob(text);
  g_autofree char *bounded = g_strconcat(LIMIT_STEPS, plain, NULL);
  g_autoptr(GError) why = NULL;
  /* INBOX alone has no case (RFC 9051 §5.1); a path is lent some, for it is not worth a folder. */
  GRegexCompileFlags flags = is_regex ? 0 : G_REGEX_CASELESS;
  pattern->regex = g_regex_new(bounded, flags, 0, &why);
  if (pattern->regex == NULL)
    fail(error, text, why->message);
  return pattern->regex != NULL ? g_steal_pointer(&pattern) : NULL;
}

void
haul_pattern_free(HaulPattern *pattern)
{
  if (pattern == NULL)
    return;
  g_clear_pointer(&pattern->regex, g_regex_unref);
  g_free(pattern);
}

static bool
finds(const HaulPattern *pattern, const char *name)
{
  return name != NULL && g_utf8_validate(name, -1, NULL)
         && g_regex_match(pattern->regex, name, 0, NULL);
}

bool
haul_pattern_matches(const HaulPattern *pattern, const char *path, const char *native,
                     uint32_t attributes)
{
  if (pattern->special != 0)
    return (attributes & pattern->special) != 0;
  g_autofree char *decoded = native != NULL ? haul_utf7_decode(native) : NULL;
  return finds(pattern, path) || finds(pattern, native) || finds(pattern, decoded);
}
