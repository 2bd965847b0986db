/* Search keys, parsed. See search-key.h; search-match.c holds them against messages. */
#include "search-key.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

/* Keys within keys: nobody writes more by hand. */
#define DEEPEST 50u
#define LONGEST ((size_t)64 << 10)

typedef enum { TAKES_NOTHING, TAKES_TEXT, TAKES_NUMBER, TAKES_DATE } Takes;

/* The keys of one word and at most one argument. */
static const struct {
  const char *name;
  HaulSearchOp op;
  Takes takes;
  bool negated;
  uint32_t flag;
  const char *field;
} words[] = {
  { "ALL", HAUL_SEARCH_ALL, TAKES_NOTHING, false, 0, NULL },
  { "ANSWERED", HAUL_SEARCH_FLAG, TAKES_NOTHING, false, HAUL_ANSWERED, NULL },
  { "DELETED", HAUL_SEARCH_FLAG, TAKES_NOTHING, false, HAUL_DELETED, NULL },
  { "DRAFT", HAUL_SEARCH_FLAG, TAKES_NOTHING, false, HAUL_DRAFT, NULL },
  { "FLAGGED", HAUL_SEARCH_FLAG, TAKES_NOTHING, false, HAUL_FLAGGED, NULL },
  { "SEEN", HAUL_SEARCH_FLAG, TAKES_NOTHING, false, HAUL_SEEN, NULL },
  { "UNANSWERED", HAUL_SEARCH_FLAG, TAKES_NOTHING, true, HAUL_ANSWERED, NULL },
  { "UNDELETED", HAUL_SEARCH_FLAG, TAKES_NOTHING, true, HAUL_DELETED, NULL },
  { "UNDRAFT", HAUL_SEARCH_FLAG, TAKES_NOTHING, true, HAUL_DRAFT, NULL },
  { "UNFLAGGED", HAUL_SEARCH_FLAG, TAKES_NOTHING, true, HAUL_FLAGGED, NULL },
  { "UNSEEN", HAUL_SEARCH_FLAG, TAKES_NOTHING, true, HAUL_SEEN, NULL },
  { "KEYWORD", HAUL_SEARCH_KEYWORD, TAKES_TEXT, false, 0, NULL },
  { "UNKEYWORD", HAUL_SEARCH_KEYWORD, TAKES_TEXT, true, 0, NULL },
  { "BEFORE", HAUL_SEARCH_BEFORE, TAKES_DATE, false, 0, NULL },
  { "ON", HAUL_SEARCH_ON, TAKES_DATE, false, 0, NULL },
  { "SINCE", HAUL_SEARCH_SINCE, TAKES_DATE, false, 0, NULL },
  { "SENTBEFORE", HAUL_SEARCH_SENTBEFORE, TAKES_DATE, false, 0, NULL },
  { "SENTON", HAUL_SEARCH_SENTON, TAKES_DATE, false, 0, NULL },
  { "SENTSINCE", HAUL_SEARCH_SENTSINCE, TAKES_DATE, false, 0, NULL },
  { "YOUNGER", HAUL_SEARCH_YOUNGER, TAKES_NUMBER, false, 0, NULL },
  { "OLDER", HAUL_SEARCH_OLDER, TAKES_NUMBER, false, 0, NULL },
  { "LARGER", HAUL_SEARCH_LARGER, TAKES_NUMBER, false, 0, NULL },
  { "SMALLER", HAUL_SEARCH_SMALLER, TAKES_NUMBER, false, 0, NULL },
  { "BCC", HAUL_SEARCH_HEADER, TAKES_TEXT, false, 0, "Bcc" },
  { "CC", HAUL_SEARCH_HEADER, TAKES_TEXT, false, 0, "Cc" },
  { "FROM", HAUL_SEARCH_HEADER, TAKES_TEXT, false, 0, "From" },
  { "SUBJECT", HAUL_SEARCH_HEADER, TAKES_TEXT, false, 0, "Subject" },
  { "TO", HAUL_SEARCH_HEADER, TAKES_TEXT, false, 0, "To" },
  { "BODY", HAUL_SEARCH_BODY, TAKES_TEXT, false, 0, NULL },
  { "TEXT", HAUL_SEARCH_TEXT, TAKES_TEXT, false, 0, NULL },
  /* What hangs on the session, or on what only some servers know. */
  { "NEW", HAUL_SEARCH_OPAQUE, TAKES_NOTHING, false, 0, NULL },
  { "OLD", HAUL_SEARCH_OPAQUE, TAKES_NOTHING, false, 0, NULL },
  { "RECENT", HAUL_SEARCH_OPAQUE, TAKES_NOTHING, false, 0, NULL },
  { "SAVEDATESUPPORTED", HAUL_SEARCH_OPAQUE, TAKES_NOTHING, false, 0, NULL },
  { "SAVEDBEFORE", HAUL_SEARCH_OPAQUE, TAKES_TEXT, false, 0, NULL },
  { "SAVEDON", HAUL_SEARCH_OPAQUE, TAKES_TEXT, false, 0, NULL },
  { "SAVEDSINCE", HAUL_SEARCH_OPAQUE, TAKES_TEXT, false, 0, NULL },
  { "MODSEQ", HAUL_SEARCH_OPAQUE, TAKES_NUMBER, false, 0, NULL },
  { "EMAILID", HAUL_SEARCH_OPAQUE, TAKES_TEXT, false, 0, NULL },
  { "THREADID", HAUL_SEARCH_OPAQUE, TAKES_TEXT, false, 0, NULL },
  { "X-GM-RAW", HAUL_SEARCH_OPAQUE, TAKES_TEXT, false, 0, NULL },
  { "X-GM-LABELS", HAUL_SEARCH_OPAQUE, TAKES_TEXT, false, 0, NULL },
  { "X-GM-MSGID", HAUL_SEARCH_OPAQUE, TAKES_NUMBER, false, 0, NULL },
  { "X-GM-THRID", HAUL_SEARCH_OPAQUE, TAKES_NUMBER, false, 0, NULL },
};

typedef struct {
  const char *at; /* the rest of a valid UTF-8 text */
  unsigned depth;
} Parser;

void
haul_search_key_free(HaulSearchKey *key)
{
  if (key == NULL)
    return;
  g_clear_pointer(&key->children, g_ptr_array_unref);
  g_clear_pointer(&key->ranges, g_array_unref);
  g_free(key->field);
  g_free(key->text);
  g_free(key->folded);
  g_free(key);
}

static HaulSearchKey *
key_new(HaulSearchOp op)
{
  HaulSearchKey *key = g_new0(HaulSearchKey, 1);
  key->op = op;
  if (op == HAUL_SEARCH_AND || op == HAUL_SEARCH_OR)
    key->children = g_ptr_array_new_with_free_func((GDestroyNotify)haul_search_key_free);
  return key;
}

static void
set_wrong(GError **error, const char *what, const char *word)
{
  g_autofree char *shown = haul_text_display(word, MIN(strlen(word), 60));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "%s: \"%s\"", what, shown);
}

static void
skip_blanks(Parser *parser)
{
  while (*parser->at == ' ')
    parser->at++;
}

/* Takes a word, or what stands in quotes. Returns it, to be freed; NULL where there is none. */
static char *
take_text(Parser *parser, GError **error)
{
  skip_blanks(parser);
  const char *at = parser->at;
  if (*at != '"') {
    size_t size = strcspn(at, " ()\"");
    if (size == 0) {
      set_wrong(error, "a word is missing", at);
      return NULL;
    }
    parser->at += size;
    return g_strndup(at, size);
  }
  g_autoptr(GString) text = g_string_new(NULL);
  for (at++; *at != '"'; at++) {
    if (*at == '\\' && (at[1] == '\\' || at[1] == '"'))
      at++;
    if (*at == '\0') {
      set_wrong(error, "a quotation mark is missing", parser->at);
      return NULL;
    }
    g_string_append_c(text, *at);
  }
  parser->at = at + 1;
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool
take_number(Parser *parser, int64_t *number, GError **error)
{
  g_autofree char *word = take_text(parser, error);
  guint64 value;
  if (word == NULL)
    return false;
  if (!g_ascii_string_to_unsigned(word, 10, 0, INT64_MAX, &value, NULL)) {
    set_wrong(error, "a number is wanted", word);
    return false;
  }
  *number = (int64_t)value;
  return true;
}

/* Takes a day such as 1-Feb-1994, as days since 1970. */
static bool
take_day(Parser *parser, int64_t *day, GError **error)
{
  static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec" };
  g_autofree char *word = take_text(parser, error);
  if (word == NULL)
    return false;
  g_auto(GStrv) parts = g_strsplit(word, "-", 4);
  guint64 number = 0, year = 0;
  guint month = 0;
  if (g_strv_length(parts) == 3) {
    while (month < 12 && g_ascii_strcasecmp(parts[1], months[month]) != 0)
      month++;
    if (!g_ascii_string_to_unsigned(parts[0], 10, 1, 31, &number, NULL)
        || !g_ascii_string_to_unsigned(parts[2], 10, 1900, 9999, &year, NULL))
      number = 0;
  }
  if (number == 0 || month == 12
      || !g_date_valid_dmy((GDateDay)number, (GDateMonth)(month + 1), (GDateYear)year)) {
    set_wrong(error, "a day such as 1-Feb-2026 is wanted", word);
    return false;
  }
  GDate date, first;
  g_date_clear(&date, 1);
  g_date_clear(&first, 1);
  g_date_set_dmy(&date, (GDateDay)number, (GDateMonth)(month + 1), (GDateYear)year);
  g_date_set_dmy(&first, 1, G_DATE_JANUARY, 1970);
  *day = (int64_t)g_date_get_julian(&date) - g_date_get_julian(&first);
  return true;
}

/* Reads a set of UIDs such as 1:4,9,12:*. */
static GArray *
parse_set(const char *text)
{
  g_auto(GStrv) parts = g_strsplit(text, ",", -1);
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, 2 * sizeof(uint64_t));
  for (guint i = 0; parts[i] != NULL; i++) {
    g_auto(GStrv) ends = g_strsplit(parts[i], ":", 3);
    guint n = g_strv_length(ends);
    uint64_t range[2];
    if (n < 1 || n > 2)
      return NULL;
    for (guint k = 0; k < 2; k++) {
      const char *end = ends[MIN(k, n - 1)];
      guint64 value = UINT32_MAX;
      if (strcmp(end, "*") != 0
          && !g_ascii_string_to_unsigned(end, 10, 1, UINT32_MAX, &value, NULL))
        return NULL;
      range[k] = value;
    }
    if (range[0] > range[1]) {
      uint64_t first = range[1];
      range[1] = range[0];
      range[0] = first;
    }
    g_array_append_vals(ranges, range, 1);
  }
  return ranges->len > 0 ? g_steal_pointer(&ranges) : NULL;
}

static HaulSearchKey *take_key(Parser *parser, GError **error);

/* Takes keys up to the end, or a ')'. */
static HaulSearchKey *
take_all(Parser *parser, GError **error)
{
  g_autoptr(HaulSearchKey) all = key_new(HAUL_SEARCH_AND);
  for (;;) {
    HaulSearchKey *key = take_key(parser, error);
    if (key == NULL)
      return NULL;
    g_ptr_array_add(all->children, key);
    skip_blanks(parser);
    if (*parser->at == '\0' || *parser->at == ')')
      return g_steal_pointer(&all);
  }
}

static HaulSearchKey *
take_parentheses(Parser *parser, GError **error)
{
  const char *start = parser->at++;
  g_autoptr(HaulSearchKey) all = take_all(parser, error);
  if (all == NULL)
    return NULL;
  if (*parser->at != ')') {
    set_wrong(error, "a parenthesis is not closed", start);
    return NULL;
  }
  parser->at++;
  return g_steal_pointer(&all);
}

static HaulSearchKey *
take_or(Parser *parser, GError **error)
{
  g_autoptr(HaulSearchKey) either = key_new(HAUL_SEARCH_OR);
  for (unsigned i = 0; i < 2; i++) {
    HaulSearchKey *key = take_key(parser, error);
    if (key == NULL)
      return NULL;
    g_ptr_array_add(either->children, key);
  }
  return g_steal_pointer(&either);
}

/* Takes the text of a key, whose case does not count. */
static bool
take_needle(Parser *parser, HaulSearchKey *key, GError **error)
{
  key->text = take_text(parser, error);
  if (key->text == NULL)
    return false;
  key->folded = g_utf8_casefold(key->text, -1);
  return true;
}

static HaulSearchKey *
take_word(Parser *parser, const char *word, GError **error)
{
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    if (g_ascii_strcasecmp(word, words[i].name) != 0)
      continue;
    g_autoptr(HaulSearchKey) key = key_new(words[i].op);
    key->negated = words[i].negated;
    key->field = g_strdup(words[i].field);
    key->number = words[i].flag;
    bool taken = words[i].takes == TAKES_NOTHING  ? true
                 : words[i].takes == TAKES_TEXT   ? take_needle(parser, key, error)
                 : words[i].takes == TAKES_NUMBER ? take_number(parser, &key->number, error)
                                                  : take_day(parser, &key->number, error);
    if (!taken)
      return NULL;
    if (key->op == HAUL_SEARCH_OPAQUE) {
      g_free(key->text);
      key->text = g_strdup(words[i].name);
    }
    return g_steal_pointer(&key);
  }
  set_wrong(error, "there is no such search key", word);
  return NULL;
}

static HaulSearchKey *
take_header(Parser *parser, GError **error)
{
  g_autoptr(HaulSearchKey) key = key_new(HAUL_SEARCH_HEADER);
  key->field = take_text(parser, error);
  return key->field != NULL && take_needle(parser, key, error) ? g_steal_pointer(&key) : NULL;
}

static HaulSearchKey *
take_uids(Parser *parser, GError **error)
{
  g_autofree char *set = take_text(parser, error);
  if (set == NULL)
    return NULL;
  g_autoptr(HaulSearchKey) key = key_new(HAUL_SEARCH_UID);
  key->ranges = parse_set(set);
  if (key->ranges != NULL)
    return g_steal_pointer(&key);
  set_wrong(error, "a set of UIDs such as 1:4,9 is wanted", set);
  return NULL;
}

static HaulSearchKey *
take_not(Parser *parser, GError **error)
{
  HaulSearchKey *key = take_key(parser, error);
  if (key != NULL)
    key->negated = !key->negated;
  return key;
}

static HaulSearchKey *
take_named(Parser *parser, GError **error)
{
  g_autofree char *word = take_text(parser, error);
  if (word == NULL)
    return NULL;
  if (g_ascii_strcasecmp(word, "NOT") == 0)
    return take_not(parser, error);
  if (g_ascii_strcasecmp(word, "OR") == 0)
    return take_or(parser, error);
  if (g_ascii_strcasecmp(word, "HEADER") == 0)
    return take_header(parser, error);
  if (g_ascii_strcasecmp(word, "UID") == 0)
    return take_uids(parser, error);
  g_autoptr(GArray) places = parse_set(word);
  if (places == NULL)
    return take_word(parser, word, error);
  HaulSearchKey *key =
      key_new(HAUL_SEARCH_OPAQUE); /* places in the folder change from day to day */
  key->text = g_steal_pointer(&word);
  return key;
}

static HaulSearchKey *
take_key(Parser *parser, GError **error)
{
  skip_blanks(parser);
  if (*parser->at == '\0') {
    set_wrong(error, "a search key is missing", "");
    return NULL;
  }
  if (++parser->depth > DEEPEST) {
    set_wrong(error, "too many keys within keys", parser->at);
    return NULL;
  }
  HaulSearchKey *key =
      *parser->at == '(' ? take_parentheses(parser, error) : take_named(parser, error);
  parser->depth--;
  return key;
}

HaulSearchKey *
haul_search_key_parse(const char *text, GError **error)
{
  if (strlen(text) > LONGEST || !g_utf8_validate(text, -1, NULL) || strpbrk(text, "\r\n") != NULL) {
    set_wrong(error, "a search key is one line of UTF-8, and not long", text);
    return NULL;
  }
  Parser parser = { text, 0 };
  skip_blanks(&parser);
  /* It says in which letters the rest is written; the words of a command line are in UTF-8. */
  if (g_ascii_strncasecmp(parser.at, "CHARSET ", strlen("CHARSET ")) == 0) {
    parser.at += strlen("CHARSET ");
    g_autofree char *charset = take_text(&parser, error);
    if (charset == NULL)
      return NULL;
    if (g_ascii_strcasecmp(charset, "UTF-8") != 0 && g_ascii_strcasecmp(charset, "US-ASCII") != 0) {
      set_wrong(error, "a search key is written in UTF-8, not in", charset);
      return NULL;
    }
  }
  g_autoptr(HaulSearchKey) key = take_all(&parser, error);
  if (key == NULL)
    return NULL;
  if (*parser.at != '\0') {
    set_wrong(error, "a parenthesis too many", parser.at);
    return NULL;
  }
  return g_steal_pointer(&key);
}
