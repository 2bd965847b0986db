/* Tests the octets of plugins/imap: wire.c, set.c, date.c. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/message.h>

#include "../../plugins/imap/date.h"
#include "../../plugins/imap/set.h"
#include "../../plugins/imap/wire.h"

/* A cursor over a copy that ends where the text does, for checkers. */
#define CURSOR(name, text)                                                                         \
  size_t name##_size = sizeof(text) - 1;                                                           \
  g_autofree char *name##_copy = g_memdup2(text, name##_size + (name##_size == 0));                \
  ImapCursor name = { name##_copy, name##_copy + name##_size }

static bool
span_equals(const ImapSpan *span, const char *text)
{
  size_t size;
  g_autofree char *copy = imap_span_dup(span, &size);
  return size == strlen(text) && memcmp(copy, text, size) == 0;
}

static void
strings_are_read_in_every_form(void)
{
  ImapSpan span;
  CURSOR(quoted, "\"a \\\"b\\\\\" rest");
  CU_ASSERT(imap_take_string(&quoted, &span) && span_equals(&span, "a \"b\\"));
  CU_ASSERT(imap_take_spaces(&quoted) && quoted.end - quoted.at == 4);
  CURSOR(literal, "{4}\r\n\"\r\n)tail");
  CU_ASSERT(imap_take_string(&literal, &span) && span_equals(&span, "\"\r\n)"));
  CURSOR(literal8, "~{2}\r\nab");
  CU_ASSERT(imap_take_string(&literal8, &span) && span_equals(&span, "ab"));
  CURSOR(atom, "Archive)");
  CU_ASSERT(imap_take_astring(&atom, &span) && span_equals(&span, "Archive"));
  CURSOR(nil, "nil \"x\"");
  CU_ASSERT(imap_take_nstring(&nil, &span) && span.at == NULL);
  CURSOR(empty, "\"\"");
  CU_ASSERT(imap_take_nstring(&empty, &span) && span.at != NULL && span.size == 0);
}

static void
a_string_never_passes_its_end(void)
{
  static const char *const table[] = { "\"abc",
                                       "\"abc\\",
                                       "\"a\r\nb\"",
                                       "{5}\r\nabc",
                                       "{5}",
                                       "{5}\r",
                                       "{",
                                       "{}",
                                       "{-1}\r\na",
                                       "{99999999999999999999}\r\na",
                                       "{18446744073709551615}\r\na",
                                       "~",
                                       "~{",
                                       "",
                                       ")" };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    size_t size = strlen(table[i]);
    g_autofree char *copy = g_memdup2(table[i], size + (size == 0));
    ImapCursor cursor = { copy, copy + size };
    ImapSpan span;
    bool taken = imap_take_astring(&cursor, &span) && table[i][0] != '~';
    CU_ASSERT(!taken && cursor.at <= cursor.end);
  }
}

static void
a_value_of_any_shape_is_skipped(void)
{
  static const char *const table[] = {
    "atom", "\"q\"", "{1}\r\n(", "(a (b {2}\r\n)) \"(\") NIL ())", "()", "12:4,5", "~{1}\r\n)"
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    ImapCursor cursor = { table[i], table[i] + strlen(table[i]) };
    CU_ASSERT(imap_skip_value(&cursor) && cursor.at == cursor.end);
  }
  g_autofree char *deep = g_strnfill(IMAP_NESTING_LIMIT + 1, '(');
  ImapCursor cursor = { deep, deep + strlen(deep) };
  CU_ASSERT(!imap_skip_value(&cursor));
}

static void
numbers_do_not_wrap(void)
{
  uint64_t number;
  CURSOR(greatest, "18446744073709551615");
  CU_ASSERT(imap_take_number(&greatest, &number) && number == UINT64_MAX);
  CURSOR(beyond, "18446744073709551616");
  CU_ASSERT(!imap_take_number(&beyond, &number));
  CURSOR(padded, "007x");
  CU_ASSERT(imap_take_number(&padded, &number) && number == 7);
  CURSOR(none, "-1");
  CU_ASSERT(!imap_take_number(&none, &number));
}

static void
a_literal_is_announced_at_the_end_of_a_line(void)
{
  static const struct {
    const char *line;
    int announced;
    uint64_t octets;
  } table[] = {
    { "* 1 FETCH (BODY[] {12}", 4, 12 },
    { "{0}", 3, 0 },
    { "x {007}", 5, 7 },
    { "x {2147483648}", 12, 2147483648u },
    { "x {18446744073709551615}", 22, UINT64_MAX },
    { "x {99999999999999999999}", -1, 0 },
    { "x {-1}", 0, 0 },
    { "x {}", 0, 0 },
    { "}", 0, 0 },
    { "x 12}", 0, 0 },
    { "x {12} ", 0, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    uint64_t octets = 0;
    int announced = imap_literal_at_end(table[i].line, strlen(table[i].line), &octets);
    CU_ASSERT_EQUAL(announced, table[i].announced);
    CU_ASSERT(announced <= 0 || octets == table[i].octets);
  }
}

static GArray *
ranges_new(void)
{
  return g_array_new(FALSE, FALSE, sizeof(ImapRange));
}

static void
sets_are_read_up_to_where_they_end(void)
{
  static const struct {
    const char *text;
    size_t consumed;
    guint n_ranges;
    uint64_t count;
  } table[] = {
    { "1", 1, 1, 1 },
    { "2:4,7,9:*", 9, 3, 3 + 1 + 4294967287u },
    { "9:3", 3, 1, 7 },
    { "1,", 1, 1, 1 },
    { "1:,2", 1, 1, 1 },
    { "1:4294967295", 12, 1, 4294967295u },
    { "1:4294967295,1:4294967295", 25, 2, 8589934590u }, /* never expanded: CVE-2025-25186 */
    { "4294967296", 0, 0, 0 },
    { "0", 0, 0, 0 },
    { "0:5", 0, 0, 0 },
    { "", 0, 0, 0 },
    { "x", 0, 0, 0 },
    { "5 6", 1, 1, 1 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GArray) ranges = ranges_new();
    CU_ASSERT_EQUAL(imap_parse_set(table[i].text, strlen(table[i].text), ranges),
                    table[i].consumed);
    CU_ASSERT_EQUAL(ranges->len, table[i].n_ranges);
    CU_ASSERT_EQUAL(imap_set_count(ranges), table[i].count);
  }
}

static void
a_set_is_normalised_written_and_read_again(void)
{
  static const struct {
    const char *text, *normal;
  } table[] = {
    { "5,3,4", "3:5" },
    { "1:3,2:9,11", "1:9,11" },
    { "*:4", "4:*" },
    { "7,7,7", "7" },
    { "9:3,1", "1,3:9" },
    { "4294967295", "*" },
    { "1:4294967294,*", "1:*" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GArray) ranges = ranges_new();
    g_autoptr(GString) out = g_string_new(NULL);
    imap_parse_set(table[i].text, strlen(table[i].text), ranges);
    imap_set_normalise(ranges);
    CU_ASSERT_EQUAL(imap_append_set(out, ranges, 0, 1000), ranges->len);
    CU_ASSERT_STRING_EQUAL(out->str, table[i].normal);
  }
}

static void
a_long_set_is_written_in_lines_of_bounded_length(void)
{
  g_autoptr(GArray) ranges = ranges_new();
  uint32_t ids[5000];
  for (uint32_t i = 0; i < G_N_ELEMENTS(ids); i++)
    ids[i] = 4000000000u + 2 * i;
  imap_set_from_ids(ranges, ids, G_N_ELEMENTS(ids));
  CU_ASSERT_EQUAL(ranges->len, 5000);
  size_t lines = 0;
  g_autoptr(GArray) again = ranges_new();
  for (size_t from = 0; from < ranges->len; lines++) {
    g_autoptr(GString) out = g_string_new(NULL);
    from = imap_append_set(out, ranges, from, 1000);
    CU_ASSERT(out->len < 1000 + 24);
    CU_ASSERT_EQUAL(imap_parse_set(out->str, out->len, again), out->len);
  }
  CU_ASSERT(lines > 50 && imap_set_count(again) == 5000);
}

static void
neighbours_become_a_range(void)
{
  g_autoptr(GArray) ranges = ranges_new();
  g_autoptr(GString) out = g_string_new(NULL);
  static const uint32_t ids[] = { 1, 2, 3, 5, 9, 10 };
  imap_set_from_ids(ranges, ids, G_N_ELEMENTS(ids));
  imap_append_set(out, ranges, 0, 1000);
  CU_ASSERT_STRING_EQUAL(out->str, "1:3,5,9:10");
}

static void
membership_is_found_from_any_hint(void)
{
  g_autoptr(GArray) ranges = ranges_new();
  guint hint = 0;
  imap_parse_set("3:5,9,20:*", 10, ranges);
  static const uint32_t in[] = { 3, 5, 9, 20, 4294967295u, 4 }, outside[] = { 1, 2, 6, 8, 10, 19 };
  for (size_t i = 0; i < G_N_ELEMENTS(in); i++) {
    CU_ASSERT(imap_set_has(ranges, in[i], &hint));
    CU_ASSERT(!imap_set_has(ranges, outside[i], &hint));
  }
}

static void
what_was_seen_is_known_in_any_order(void)
{
  ImapSeen seen;
  imap_seen_init(&seen);
  static const uint32_t ids[] = { 4, 9, 2, 7, 11, 1 };
  for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
    CU_ASSERT(!imap_seen_has(&seen, ids[i]));
    imap_seen_add(&seen, ids[i]);
    CU_ASSERT(imap_seen_has(&seen, ids[i]));
  }
  CU_ASSERT(imap_seen_count(&seen) == 6 && imap_seen_last(&seen) == 11);
  CU_ASSERT(!imap_seen_has(&seen, 3) && !imap_seen_has(&seen, 12));
  imap_seen_free(&seen);
}

static void
dates_are_read_as_servers_write_them(void)
{
  static const struct {
    const char *text;
    int64_t seconds;
    int32_t zone;
  } table[] = {
    { "17-Jul-1996 02:44:25 -0700", 837596665, -25200 },
    { " 1-Jan-1990 00:00:00 +0000", 631152000, 0 },
    { "01-Jan-1970 00:00:00 +0000", 0, 0 },
    { "1-jan-1970 00:00:00 +0000", 0, 0 },
    { "31-Dec-1969 23:59:59 +0000", -1, 0 },
    { "29-Feb-2000 12:00:00 +0530", 951805800, 19800 },
    { "31-Dec-9999 23:59:59 +0000", 253402300799, 0 },
    { "01-Jan-2017 00:59:60 +0100", 1483228800, 3600 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    int64_t seconds;
    int32_t zone;
    CU_ASSERT(imap_parse_date(table[i].text, strlen(table[i].text), &seconds, &zone));
    CU_ASSERT(seconds == table[i].seconds && zone == table[i].zone);
  }
}

static void
what_names_no_instant_is_no_date(void)
{
  static const char *const table[] = {
    "",
    "00-Jan-0000 00:00:00 +0000",
    "31-Feb-2020 00:00:00 +0000",
    "29-Feb-1900 00:00:00 +0000",
    "01-Xyz-2020 00:00:00 +0000",
    "01-Jan-2020 24:00:00 +0000",
    "01-Jan-2020 00:00:00 +9999",
    "01-Jan-2020 00:00:00",
    "01-Jan-2020 00:00:00 +0000x",
    "01-Jan-20200 00:00:00 +0000",
    "Mon, 1 Jan 2020 00:00:00 +0000",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    int64_t seconds;
    int32_t zone;
    CU_ASSERT(!imap_parse_date(table[i], strlen(table[i]), &seconds, &zone));
  }
}

static void
a_date_is_written_in_its_zone_and_read_again(void)
{
  static const struct {
    int64_t seconds;
    int32_t zone;
    const char *text;
  } table[] = {
    { 837596665, -25200, "\"17-Jul-1996 02:44:25 -0700\"" },
    { 0, 0, "\"01-Jan-1970 00:00:00 +0000\"" },
    { -1, 3600, "\"01-Jan-1970 00:59:59 +0100\"" },
    { 951805800, 19800, "\"29-Feb-2000 12:00:00 +0530\"" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GString) out = g_string_new(NULL);
    int64_t seconds;
    int32_t zone;
    CU_ASSERT(imap_append_date(out, table[i].seconds, table[i].zone));
    CU_ASSERT_STRING_EQUAL(out->str, table[i].text);
    CU_ASSERT(imap_parse_date(out->str + 1, out->len - 2, &seconds, &zone));
    CU_ASSERT(seconds == table[i].seconds && zone == table[i].zone);
  }
  uint32_t seed = 7;
  for (unsigned i = 0; i < 20000; i++) {
    g_autoptr(GString) out = g_string_new(NULL);
    int64_t when = (int64_t)(next_random(&seed) % 250000) * 1000000 + next_random(&seed) % 1000000;
    int64_t seconds;
    int32_t zone, east = ((int32_t)(next_random(&seed) % 1800) - 900) * 60;
    CU_ASSERT(imap_append_date(out, when, east));
    CU_ASSERT(imap_parse_date(out->str + 1, out->len - 2, &seconds, &zone) && seconds == when
              && zone == east);
  }
}

static void
a_date_that_does_not_fit_is_not_written(void)
{
  g_autoptr(GString) out = g_string_new(NULL);
  CU_ASSERT(!imap_append_date(out, 253402300800, 0));
  CU_ASSERT(!imap_append_date(out, INT64_MAX, 0));
  CU_ASSERT(!imap_append_date(out, INT64_MIN + 1, 0));
  CU_ASSERT(imap_append_date(out, 253402300800, -60)); /* still 9999 there */
}

static void
flags_are_written_without_what_is_no_atom(void)
{
  g_autoptr(GString) out = g_string_new(NULL);
  static const char *const keywords[] = { "$Forwarded",  "two words", "",       "a\"b", "x{1}",
                                          "caf\xc3\xa9", "\\Seen",    "a\r\nb", "ok",   NULL };
  CU_ASSERT_EQUAL(imap_append_flags(out, HAUL_SEEN | HAUL_DRAFT, keywords), 2);
  CU_ASSERT_STRING_EQUAL(out->str, "(\\Seen \\Draft $Forwarded ok)");
  g_string_truncate(out, 0);
  CU_ASSERT_EQUAL(imap_append_flags(out, 0, NULL), 0);
  CU_ASSERT_STRING_EQUAL(out->str, "()");
}

static void
what_is_quoted_is_read_again(void)
{
  g_autofree char *hard = g_strnfill(5000, '\\');
  const char *const table[] = { "", "INBOX", "a \"b\" \\ c", hard };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GString) out = g_string_new(NULL);
    ImapSpan span;
    CU_ASSERT(imap_is_quotable(table[i], strlen(table[i]), false));
    imap_append_quoted(out, table[i], strlen(table[i]));
    ImapCursor cursor = { out->str, out->str + out->len };
    CU_ASSERT(imap_take_string(&cursor, &span) && cursor.at == cursor.end);
    CU_ASSERT(span_equals(&span, table[i]));
  }
  CU_ASSERT(!imap_is_quotable("a\r\nA9 DELETE INBOX", 18, false));
  CU_ASSERT(!imap_is_quotable("\xc3\xa9", 2, false) && !imap_is_quotable("\0", 1, false));
  CU_ASSERT(imap_is_quotable("\xc3\xa9", 2, true) && !imap_is_quotable("\xc3", 1, true));
  CU_ASSERT(!imap_is_quotable("\x7f", 1, true) && !imap_is_quotable("\r", 1, true));
}

int
main(void)
{
  static const Case cases[] = {
    CASE(strings_are_read_in_every_form),
    CASE(a_string_never_passes_its_end),
    CASE(a_value_of_any_shape_is_skipped),
    CASE(numbers_do_not_wrap),
    CASE(a_literal_is_announced_at_the_end_of_a_line),
    CASE(sets_are_read_up_to_where_they_end),
    CASE(a_set_is_normalised_written_and_read_again),
    CASE(a_long_set_is_written_in_lines_of_bounded_length),
    CASE(neighbours_become_a_range),
    CASE(membership_is_found_from_any_hint),
    CASE(what_was_seen_is_known_in_any_order),
    CASE(dates_are_read_as_servers_write_them),
    CASE(what_names_no_instant_is_no_date),
    CASE(a_date_is_written_in_its_zone_and_read_again),
    CASE(a_date_that_does_not_fit_is_not_written),
    CASE(flags_are_written_without_what_is_no_atom),
    CASE(what_is_quoted_is_read_again),
  };
  return RUN_SUITE("imap-wire", cases);
}
