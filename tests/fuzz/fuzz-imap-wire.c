/* Tokens, sets and dates of plugins/imap: what was parsed is printed, and parses the same. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/message.h>

#include "../../plugins/imap/date.h"
#include "../../plugins/imap/set.h"
#include "../../plugins/imap/wire.h"

static bool
same_ranges(const GArray *a, const GArray *b)
{
  return a->len == b->len
         && (a->len == 0 || memcmp(a->data, b->data, a->len * sizeof(ImapRange)) == 0);
}

static void
try_set(const char *text, size_t size)
{
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  g_autoptr(GArray) again = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  g_autoptr(GString) out = g_string_new(NULL);
  FUZZ_ASSERT(imap_parse_set(text, size, ranges) <= size);
  uint64_t count = imap_set_count(ranges);
  imap_set_normalise(ranges);
  FUZZ_ASSERT(imap_set_count(ranges) <= count);
  for (size_t from = 0; from < ranges->len;) {
    g_string_truncate(out, 0);
    from = imap_append_set(out, ranges, from, 50);
    FUZZ_ASSERT(imap_parse_set(out->str, out->len, again) == out->len);
  }
  FUZZ_ASSERT(same_ranges(ranges, again));
  for (guint i = 0; i < ranges->len; i++) {
    guint hint = (guint)size;
    FUZZ_ASSERT(imap_set_has(ranges, g_array_index(ranges, ImapRange, i).last, &hint));
  }
}

static void
try_date(const char *text, size_t size)
{
  int64_t seconds, seconds_again;
  int32_t zone, zone_again;
  g_autoptr(GString) out = g_string_new(NULL);
  if (!imap_parse_date(text, size, &seconds, &zone) || !imap_append_date(out, seconds, zone))
    return;
  FUZZ_ASSERT(imap_parse_date(out->str + 1, out->len - 2, &seconds_again, &zone_again));
  FUZZ_ASSERT(seconds == seconds_again && ABS(zone) > 15 * 3600 ? true : zone == zone_again);
}

static void
try_string(const char *text, size_t size)
{
  ImapCursor cursor = { text, text + size };
  ImapSpan span, again;
  if (!imap_take_string(&cursor, &span))
    return;
  size_t length, length_again;
  g_autofree char *copy = imap_span_dup(&span, &length);
  FUZZ_ASSERT(cursor.at <= cursor.end && length <= span.size && span.size <= size);
  if (!imap_is_quotable(copy, length, false))
    return;
  g_autoptr(GString) out = g_string_new(NULL);
  imap_append_quoted(out, copy, length);
  ImapCursor quoted = { out->str, out->str + out->len };
  FUZZ_ASSERT(imap_take_string(&quoted, &again) && quoted.at == quoted.end);
  g_autofree char *copy_again = imap_span_dup(&again, &length_again);
  FUZZ_ASSERT(length == length_again && memcmp(copy, copy_again, length) == 0);
}

/* No keyword can end the list that it stands in. */
static void
try_keyword(const char *text, size_t size)
{
  g_autofree char *word = g_strndup(text, size);
  const char *const keywords[] = { word, NULL };
  g_autoptr(GString) out = g_string_new(NULL);
  imap_append_flags(out, HAUL_SEEN, keywords);
  ImapCursor cursor = { out->str, out->str + out->len };
  FUZZ_ASSERT(imap_skip_value(&cursor) && cursor.at == cursor.end);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_memdup2(data, size + (size == 0)); /* exact, for checkers */
  ImapCursor cursor = { text, text + size };
  uint64_t octets;
  (void)imap_skip_value(&cursor);
  FUZZ_ASSERT(cursor.at <= cursor.end);
  FUZZ_ASSERT(imap_literal_at_end(text, size, &octets) <= (int)size);
  const char *bracket = imap_find_bracket(text, text + size);
  FUZZ_ASSERT(bracket == NULL || *bracket == ']');
  try_set(text, size);
  try_date(text, size);
  try_string(text, size);
  try_keyword(text, size);
  return 0;
}

const char *const fuzz_seeds[] = {
  "1:4,9,7:*",
  "9:3,4294967295",
  "17-Jul-1996 02:44:25 -0700",
  " 1-Jan-1990 00:00:00 +0000",
  "\"a \\\"b\\\\\"",
  "{4}\r\nab\r\n",
  "(a (b {2}\r\n)) \"(\") NIL ())",
  "~{1}\r\n)",
  "x [y \"]\" (])] z",
  "$Forwarded",
  "* 1 FETCH (BODY[] {12}",
  NULL,
};
