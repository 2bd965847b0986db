/*
 * Sets of UIDs, and the receipts that are made of them: for small numbers each operation does what it
 * does on a plain array of truth values.
 */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include "../../plugins/imap/copyuid.h"
#include "../../plugins/imap/response.h"
#include "../../plugins/imap/set.h"

#define SMALL 2000u /* numbers of the model */

/* Marks in @model what @ranges hold below SMALL. */
static void
spread(const GArray *ranges, bool *model)
{
  memset(model, 0, SMALL * sizeof *model);
  for (guint i = 0; i < ranges->len; i++) {
    const ImapRange *range = &g_array_index(ranges, ImapRange, i);
    uint32_t low = MIN(range->first, range->last), high = MAX(range->first, range->last);
    for (uint32_t uid = low; uid < SMALL && uid <= high; uid++)
      model[uid] = true;
  }
}

static void
try_set(const char *text, size_t size)
{
  static bool before[SMALL], after[SMALL];
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  size_t consumed = imap_parse_set(text, size, ranges);
  FUZZ_ASSERT(consumed <= size && (consumed == 0) == (ranges->len == 0));
  FUZZ_ASSERT(ranges->len <= consumed); /* never more than was written */
  spread(ranges, before);
  uint64_t count = imap_set_count(ranges);
  imap_set_normalise(ranges);
  spread(ranges, after);
  FUZZ_ASSERT(memcmp(before, after, sizeof before) == 0 && imap_set_count(ranges) <= count);
  guint hint = 0;
  for (uint32_t uid = 0; uid < SMALL; uid++)
    FUZZ_ASSERT(imap_set_has(ranges, uid, &hint) == after[uid]);
  for (guint i = 1; i < ranges->len; i++)
    FUZZ_ASSERT(g_array_index(ranges, ImapRange, i).first
                > (uint64_t)g_array_index(ranges, ImapRange, i - 1).last + 1);
}

/* UIDs one after the other, as a listing tells them. */
static void
try_seen(const uint8_t *data, size_t size)
{
  static bool model[SMALL];
  ImapSeen seen, none;
  uint64_t n = 0;
  memset(model, 0, sizeof model);
  imap_seen_init(&seen);
  imap_seen_init(&none);
  for (size_t i = 0; i + 1 < size; i += 2) {
    uint32_t uid = 1 + (data[i] << 8 | data[i + 1]) % (SMALL - 1);
    FUZZ_ASSERT(imap_seen_has(&seen, uid) == model[uid]);
    if (model[uid])
      continue;
    imap_seen_add(&seen, uid);
    model[uid] = true;
    n++;
  }
  FUZZ_ASSERT(imap_seen_count(&seen) == n);
  g_autoptr(GArray) all = imap_seen_without(&seen, &none);
  FUZZ_ASSERT(all->len == n);
  for (guint i = 0; i < all->len; i++) {
    uint32_t uid = g_array_index(all, uint32_t, i);
    FUZZ_ASSERT(model[uid] && (i == 0 || uid > g_array_index(all, uint32_t, i - 1)));
  }
  imap_seen_free(&seen);
  imap_seen_free(&none);
}

static bool
count_pair(uint32_t from, uint32_t to, void *data)
{
  uint64_t *n = data;
  FUZZ_ASSERT(from != 0 && to != 0);
  return ++*n < 100000;
}

static void
try_receipts(const char *text, size_t size)
{
  ImapCursor argument = { text, text + size };
  g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  uint32_t validity;
  for (uint64_t expected = 1; expected <= 3; expected++) {
    g_array_set_size(uids, 0);
    if (!imap_parse_appenduid(argument, expected, &validity, uids))
      continue;
    FUZZ_ASSERT(validity != 0 && imap_set_count(uids) == expected && uids->len <= expected);
  }
  g_autoptr(GArray) asked = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  ImapRange few = { 2, 90 };
  g_array_append_val(asked, few);
  g_auto(ImapCopyUid) copied = { 0 };
  if (imap_parse_copyuid(argument, asked, &copied)) {
    uint64_t n = 0;
    FUZZ_ASSERT(imap_copyuid_each(&copied, count_pair, &n));
    FUZZ_ASSERT(n == imap_set_count(copied.from) && n == imap_set_count(copied.to) && n <= 89);
  }
}

/* Sets within responses: ranges, as many as were written. */
static void
try_responses(const char *text, size_t size)
{
  bool earlier;
  ImapSpan tag = { 0 };
  ImapCursor cursor = { text, text + size };
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  if (imap_parse_vanished(&cursor, &earlier, ranges))
    FUZZ_ASSERT(ranges->len > 0 && ranges->len <= size);
  cursor = (ImapCursor){ text, text + size };
  g_array_set_size(ranges, 0);
  if (imap_parse_esearch(&cursor, &tag, ranges)) {
    FUZZ_ASSERT(tag.at == NULL || (tag.at >= text && tag.at + tag.size <= text + size));
    FUZZ_ASSERT(ranges->len <= size);
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_memdup2(data, size + (size == 0)); /* exact, for checkers */
  try_set(text, size);
  try_receipts(text, size);
  try_responses(text, size);
  try_seen(data, size);
  return 0;
}

const char *const fuzz_seeds[] = {
  "1:4,9,7:*",
  "9:3,4294967295",
  "1,2,3:5,5,1999:2003",
  "38505 3955",
  "9 4:6",
  "9 41,43",
  "1 1:4294967295",
  "7 2:4 11:13",
  "7 2,4,3 5:6,100",
  "0 1",
  "(EARLIER) 41,43:116,1:4294967295",
  "(TAG \"A9\") UID MIN 3 ALL 3,40:45",
  "(TAG \"A9\") UID",
  "zz a b ab",
  NULL,
};
