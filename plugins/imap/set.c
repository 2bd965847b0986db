/* Sets of UIDs as IMAP writes them. See set.h. */
#include "set.h"

#include "wire.h"

static bool
take_set_number(ImapCursor *cursor, uint32_t *value)
{
  uint64_t number;
  if (imap_take_char(cursor, '*')) {
    *value = UINT32_MAX;
    return true;
  }
  if (!imap_take_number(cursor, &number) || number == 0 || number > UINT32_MAX)
    return false;
  *value = (uint32_t)number;
  return true;
}

size_t
imap_parse_set(const char *text, size_t size, GArray *ranges)
{
  ImapCursor cursor = { text, text + size };
  size_t consumed = 0;
  guint before = ranges->len;
  do {
    ImapRange range;
    if (ranges->len - before >= IMAP_SET_RANGES_LIMIT || !take_set_number(&cursor, &range.first))
      break;
    range.last = range.first;
    ImapCursor colon = cursor;
    uint32_t last;
    if (imap_take_char(&colon, ':') && take_set_number(&colon, &last)) {
      range.last = last;
      cursor = colon;
    }
    g_array_append_val(ranges, range);
    consumed = (size_t)(cursor.at - text);
  } while (imap_take_char(&cursor, ','));
  return consumed;
}

uint64_t
imap_set_count(const GArray *ranges)
{
  uint64_t count = 0;
  for (guint i = 0; i < ranges->len; i++) {
    const ImapRange *range = &g_array_index(ranges, ImapRange, i);
    uint32_t low = MIN(range->first, range->last), high = MAX(range->first, range->last);
    count += (uint64_t)high - low + 1;
  }
  return count;
}

static gint
compare_ranges(gconstpointer a, gconstpointer b)
{
  const ImapRange *left = a, *right = b;
  return left->first < right->first ? -1 : left->first > right->first;
}

void
imap_set_normalise(GArray *ranges)
{
  for (guint i = 0; i < ranges->len; i++) {
    ImapRange *range = &g_array_index(ranges, ImapRange, i);
    *range = (ImapRange){ MIN(range->first, range->last), MAX(range->first, range->last) };
  }
  g_array_sort(ranges, compare_ranges);
  guint kept = 0;
  for (guint i = 0; i < ranges->len; i++) {
    ImapRange range = g_array_index(ranges, ImapRange, i);
    ImapRange *last = kept > 0 ? &g_array_index(ranges, ImapRange, kept - 1) : NULL;
    if (last != NULL && range.first <= (uint64_t)last->last + 1)
      last->last = MAX(last->last, range.last);
    else
      g_array_index(ranges, ImapRange, kept++) = range;
  }
  g_array_set_size(ranges, kept);
}

void
imap_set_from_ids(GArray *ranges, const uint32_t *ids, size_t n_ids)
{
  for (size_t i = 0; i < n_ids; i++) {
    ImapRange *last = ranges->len > 0 ? &g_array_index(ranges, ImapRange, ranges->len - 1) : NULL;
    if (i > 0 && last != NULL && ids[i] == last->last + 1) {
      last->last = ids[i];
    } else {
      ImapRange range = { ids[i], ids[i] };
      g_array_append_val(ranges, range);
    }
  }
}

static void
append_set_number(GString *out, uint32_t number)
{
  if (number == UINT32_MAX)
    g_string_append_c(out, '*');
  else
    imap_append_number(out, number);
}

size_t
imap_append_set(GString *out, const GArray *ranges, size_t from, size_t limit)
{
  size_t start = out->len;
  size_t i = from;
  while (i < ranges->len) {
    const ImapRange *range = &g_array_index(ranges, ImapRange, i);
    if (i > from)
      g_string_append_c(out, ',');
    append_set_number(out, range->first);
    if (range->last != range->first) {
      g_string_append_c(out, ':');
      append_set_number(out, range->last);
    }
    i++;
    if (out->len - start >= limit)
      break;
  }
  return i;
}

bool
imap_set_has(const GArray *ranges, uint32_t uid, guint *hint)
{
  if (*hint < ranges->len) { /* answers ascend, mostly */
    const ImapRange *range = &g_array_index(ranges, ImapRange, *hint);
    if (range->first <= uid && uid <= range->last)
      return true;
  }
  for (guint low = 0, high = ranges->len; low < high;) {
    guint middle = low + (high - low) / 2;
    const ImapRange *range = &g_array_index(ranges, ImapRange, middle);
    if (uid < range->first) {
      high = middle;
    } else if (uid > range->last) {
      low = middle + 1;
    } else {
      *hint = middle;
      return true;
    }
  }
  return false;
}

void
imap_seen_init(ImapSeen *seen)
{
  *seen = (ImapSeen){ .ascending = g_array_new(FALSE, FALSE, sizeof(uint32_t)) };
}

void
imap_seen_free(ImapSeen *seen)
{
  g_clear_pointer(&seen->ascending, g_array_unref);
  g_clear_pointer(&seen->rest, g_hash_table_unref);
}

uint32_t
imap_seen_last(const ImapSeen *seen)
{
  guint n = seen->ascending->len;
  return n > 0 ? g_array_index(seen->ascending, uint32_t, n - 1) : 0;
}

uint64_t
imap_seen_count(const ImapSeen *seen)
{
  return seen->ascending->len + (seen->rest != NULL ? g_hash_table_size(seen->rest) : 0u);
}

static gint
compare_uids(gconstpointer a, gconstpointer b)
{
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

bool
imap_seen_has(const ImapSeen *seen, uint32_t uid)
{
  if (uid > imap_seen_last(seen))
    return false;
  return g_array_binary_search(seen->ascending, &uid, compare_uids, NULL)
         || (seen->rest != NULL && g_hash_table_contains(seen->rest, GUINT_TO_POINTER(uid)));
}

void
imap_seen_add(ImapSeen *seen, uint32_t uid)
{
  if (uid > imap_seen_last(seen)) {
    g_array_append_val(seen->ascending, uid);
  } else {
    if (seen->rest == NULL)
      seen->rest = g_hash_table_new(NULL, NULL);
    g_hash_table_add(seen->rest, GUINT_TO_POINTER(uid));
  }
}

GArray *
imap_seen_without(const ImapSeen *seen, const ImapSeen *without)
{
  GArray *uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  for (guint i = 0; i < seen->ascending->len; i++) {
    uint32_t uid = g_array_index(seen->ascending, uint32_t, i);
    if (!imap_seen_has(without, uid))
      g_array_append_val(uids, uid);
  }
  if (seen->rest == NULL)
    return uids;
  GHashTableIter iterator;
  gpointer key;
  g_hash_table_iter_init(&iterator, seen->rest);
  while (g_hash_table_iter_next(&iterator, &key, NULL)) {
    uint32_t uid = GPOINTER_TO_UINT(key);
    if (!imap_seen_has(without, uid))
      g_array_append_val(uids, uid);
  }
  g_array_sort(uids, compare_uids);
  return uids;
}
