/* Tests search-key.c and search-match.c: which keys are understood, and which messages they hold of. */
#include "suite.h"

#include <string.h>

#include <mailhaul/error.h>

#include "search-key.h"

#define NOW INT64_C(1700000000) /* 2023-11-14 22:13:20 UTC */

/* A message that all rows of the table look at: 3,000 octets, flagged and read, $Work and a label, UID 42,
 * come at 2023-03-31 23:30 in a zone two hours east (21:30 UTC). */
static const char octets[] = "From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <jm@example.org>\r\n"
                             "To: ann@example.com,\r\n\tbob@example.com\r\n"
                             "Cc: carl@example.net\r\n"
                             "Subject: =?iso-8859-1?B?R3L832Ug?= =?iso-8859-1?q?aus_Z=FCrich?=\r\n"
                             "Date: Thu, 30 Mar 2023 23:50:00 -0500\r\n"
                             "X-Empty:\r\n"
                             "\r\n"
                             "Dear Ann,\r\nthe aaab is here.\r\n";

static const uint8_t *
lend(void *data, uint64_t offset, size_t *size)
{
  size_t left = offset < strlen(octets) ? strlen(octets) - (size_t)offset : 0;
  *size = MIN(left, 7); /* in pieces: what is looked for lies across them */
  if (offset == 0)
    *size = strlen(octets) - 20;
  return left > 0 ? (const uint8_t *)octets + offset : NULL;
}

static HaulSearchSubject
subject_of(HaulItem *item)
{
  static const char *const keywords[] = { "$Work", "later", NULL };
  *item = (HaulItem){
    .id = "42",
    .size = 3000,
    .date = 1680298200,
    .date_zone = 7200,
    .flags = HAUL_SEEN | HAUL_FLAGGED,
    .keywords = keywords,
    .header = (const uint8_t *)octets,
    .header_size = strlen(octets),
  };
  return (HaulSearchSubject){ item, lend, NULL, NOW };
}

typedef struct {
  const char *key;
  bool holds;
} Row;

static void
keys_hold_of_what_they_say(void)
{
  static const Row rows[] = {
    { "ALL", true },
    { "SEEN", true },
    { "UNSEEN", false },
    { "seen", true },
    { "FLAGGED", true },
    { "UNFLAGGED", false },
    { "ANSWERED", false },
    { "UNANSWERED", true },
    { "DELETED", false },
    { "UNDELETED", true },
    { "DRAFT", false },
    { "UNDRAFT", true },
    { "NOT SEEN", false },
    { "NOT NOT SEEN", true },
    { "NOT UNSEEN", true },
    { "SEEN FLAGGED", true },
    { "SEEN ANSWERED", false },
    { "OR SEEN ANSWERED", true },
    { "OR ANSWERED DRAFT", false },
    { "OR ANSWERED OR DRAFT SEEN", true },
    { "NOT (SEEN ANSWERED)", true },
    { "(SEEN) (FLAGGED)", true },
    { "OR (SEEN DRAFT) (FLAGGED UNDRAFT)", true },
    { "NOT OR SEEN DRAFT", false },
    { "KEYWORD $Work", true },
    { "KEYWORD $work", true },
    { "KEYWORD other", false },
    { "UNKEYWORD later", false },
    { "UNKEYWORD other", true },
    { "LARGER 2999", true },
    { "LARGER 3000", false },
    { "SMALLER 3000", false },
    { "SMALLER 3001", true },
    { "BEFORE 1-Apr-2023", true },
    { "BEFORE 31-Mar-2023", false },
    { "ON 31-Mar-2023", true },
    { "ON 30-Mar-2023", false },
    { "SINCE 31-Mar-2023", true },
    { "SINCE 1-Apr-2023", false },
    { "SINCE \"31-mar-2023\"", true },
    { "SENTBEFORE 31-Mar-2023", true },
    { "SENTBEFORE 30-Mar-2023", false },
    { "SENTON 30-Mar-2023", true },
    { "SENTON 31-Mar-2023", false },
    { "SENTSINCE 30-Mar-2023", true },
    { "SENTSINCE 31-Mar-2023", false },
    { "YOUNGER 19701800", true },
    { "YOUNGER 19701799", false },
    { "OLDER 19701800", true },
    { "OLDER 19701801", false },
    { "FROM jm@example.org", true },
    { "FROM \"jürgen MÜLLER\"", true },
    { "FROM ann", false },
    { "TO ann", true },
    { "TO \", bob\"", true },
    { "CC carl", true },
    { "BCC carl", false },
    { "SUBJECT \"Grüße aus zürich\"", true },
    { "SUBJECT \"Grüße  aus\"", false },
    { "SUBJECT iso-8859", false },
    { "HEADER subject Z\xc3\xbcrich", true },
    { "HEADER X-Empty \"\"", true },
    { "HEADER X-None \"\"", false },
    { "BODY aab", true },
    { "BODY \"DEAR ann\"", true },
    { "BODY example", false },
    { "BODY here.", true },
    { "BODY zzz", false },
    { "TEXT example.NET", true },
    { "TEXT aaab", true },
    { "TEXT z\xc3\xbcrich", true },
    { "TEXT nothing", false },
    { "UID 42", true },
    { "UID 1:41", false },
    { "UID 7,40:50", true },
    { "UID 50:40", true },
    { "UID 43:*", false },
    { "CHARSET UTF-8 SUBJECT z\xc3\xbcrich", true },
    { "  SEEN   FLAGGED ", true },
    { "FROM \"a\\\"b\"", false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    HaulItem item;
    HaulSearchSubject subject = subject_of(&item);
    g_autoptr(GError) error = NULL;
    g_autoptr(HaulSearchKey) key = haul_search_key_parse(rows[i].key, &error);
    bool holds = key != NULL && haul_search_key_holds(key, &subject);
    if (key == NULL || holds != rows[i].holds)
      printf("  %s: %s\n", rows[i].key, error != NULL ? error->message : "holds the other way");
    CU_ASSERT(key != NULL && holds == rows[i].holds);
  }
}

static void
what_is_not_known_holds_of_neither(void)
{
  static const char *const keys[] = { "BEFORE 1-Jan-2030",
                                      "SINCE 1-Jan-1980",
                                      "SENTSINCE 1-Jan-1980",
                                      "SENTBEFORE 1-Jan-2030",
                                      "YOUNGER 9999999999",
                                      "OLDER 1",
                                      "LARGER 0",
                                      "SMALLER 999999999",
                                      "SUBJECT \"\"",
                                      "UID 1:*" };
  HaulItem item = { .id = "none", .size = HAUL_UNKNOWN, .date = HAUL_NO_DATE };
  HaulSearchSubject subject = { &item, lend, NULL, NOW };
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
    g_autoptr(HaulSearchKey) key = haul_search_key_parse(keys[i], NULL);
    CU_ASSERT(key != NULL && !haul_search_key_holds(key, &subject));
  }
}

static void
mistakes_are_named(void)
{
  static const struct {
    const char *key, *words;
  } rows[] = {
    { "", "missing" },
    { "   ", "missing" },
    { "FOO", "\"FOO\"" },
    { "SEEN BAR", "\"BAR\"" },
    { "NOT", "missing" },
    { "OR SEEN", "missing" },
    { "(SEEN", "not closed" },
    { "()", "missing" },
    { "SEEN)", "too many" },
    { "SUBJECT", "missing" },
    { "SUBJECT \"open", "quotation" },
    { "LARGER x", "number" },
    { "LARGER -1", "number" },
    { "LARGER 99999999999999999999", "number" },
    { "SINCE yesterday", "1-Feb-2026" },
    { "SINCE 31-Feb-2023", "1-Feb-2026" },
    { "SINCE 1-Foo-2023", "1-Feb-2026" },
    { "SINCE 2023-01-01", "1-Feb-2026" },
    { "UID x", "set of UIDs" },
    { "UID 1:2:3", "set of UIDs" },
    { "UID 0", "set of UIDs" },
    { "CHARSET KOI8-R SEEN", "UTF-8" },
    { "SUBJECT a\r\nSEEN", "one line" },
    { "SUBJECT \xff", "UTF-8" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(haul_search_key_parse(rows[i].key, &error));
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", rows[i].words);
  }
}

static void
what_only_servers_know_is_named(void)
{
  static const char *const rows[][2] = {
    { "SEEN X-GM-RAW \"has:attachment\"", "X-GM-RAW" },
    { "NOT (OR RECENT SEEN)", "RECENT" },
    { "1:5", "1:5" },
    { "MODSEQ 620162338", "MODSEQ" },
    { "SEEN LARGER 5", NULL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(HaulSearchKey) key = haul_search_key_parse(rows[i][0], NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    CU_ASSERT_EQUAL(g_strcmp0(haul_search_key_opaque(key), rows[i][1]), 0);
  }
}

static void
it_tells_what_it_needs(void)
{
  g_autoptr(HaulSearchKey) key = haul_search_key_parse(
      "OR (SUBJECT a LARGER 5) NOT (SENTON 1-Feb-2020 BODY b BEFORE 1-Feb-2020)", NULL);
  g_autoptr(GPtrArray) fields = g_ptr_array_new();
  CU_ASSERT_EQUAL(haul_search_key_needs(key, fields),
                  HAUL_SEARCH_NEEDS_SIZE | HAUL_SEARCH_NEEDS_DATE | HAUL_SEARCH_NEEDS_OCTETS);
  CU_ASSERT_EQUAL_FATAL(fields->len, 2);
  CU_ASSERT_STRING_EQUAL(fields->pdata[0], "Subject");
  CU_ASSERT_STRING_EQUAL(fields->pdata[1], "Date");
}

static void
nesting_has_an_end_and_time_is_linear(void)
{
  g_autoptr(GString) deep = g_string_new(NULL), wide = g_string_new("SEEN");
  for (unsigned i = 0; i < 10000; i++) {
    g_string_append(deep, "NOT ");
    g_string_append(wide, " SEEN");
  }
  g_string_append(deep, "SEEN");
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_search_key_parse(deep->str, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "within keys");
  int64_t start = cpu_time_us();
  g_autoptr(HaulSearchKey) key = haul_search_key_parse(wide->str, NULL);
  CU_ASSERT_PTR_NOT_NULL(key);
  CU_ASSERT(cpu_time_us() - start < 1000000);
}

static void
words_without_end_take_linear_time(void)
{
  static const char *const parts[] = { "=?a?q?", "=?a?q?b", "=?a?q? ", "=?" };
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_autoptr(GString) value = g_string_new(NULL);
    while (value->len < (1u << 22))
      g_string_append(value, parts[i]);
    int64_t start_us = g_get_monotonic_time();
    g_autofree char *decoded = haul_search_decode((const uint8_t *)value->str, value->len);
    CU_ASSERT_STRING_EQUAL(decoded, value->str);
    CU_ASSERT(g_get_monotonic_time() - start_us < INT64_C(5000000));
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(keys_hold_of_what_they_say),
    CASE(what_is_not_known_holds_of_neither),
    CASE(mistakes_are_named),
    CASE(what_only_servers_know_is_named),
    CASE(it_tells_what_it_needs),
    CASE(words_without_end_take_linear_time),
    CASE(nesting_has_an_end_and_time_is_linear),
  };
  return RUN_SUITE("search-key", cases);
}
