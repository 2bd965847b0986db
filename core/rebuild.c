/* The listing of a folder, rebuilt. */
#include "rebuild.h"

static int
compare_ranges(const void *a, const void *b)
{
  const HaulIdRange *x = a, *y = b;
  return (x->first > y->first) - (x->first < y->first);
}

static int
compare_entries(const void *a, const void *b)
{
  const HaulEntry *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

/* Sorting takes as much room as there is to be sorted, and mostly nothing is. */
static void
sort_entries(GArray *items)
{
  for (guint i = 1; i < items->len; i++)
    if (g_array_index(items, HaulEntry, i - 1).id > g_array_index(items, HaulEntry, i).id) {
      g_array_sort(items, compare_entries);
      return;
    }
}

/* Sorts ranges, and merges those that overlap. */
static void
put_in_order(GArray *ranges)
{
  g_array_sort(ranges, compare_ranges);
  guint kept = 0;
  for (guint i = 0; i < ranges->len; i++) {
    HaulIdRange range = g_array_index(ranges, HaulIdRange, i);
    HaulIdRange *last = kept > 0 ? &g_array_index(ranges, HaulIdRange, kept - 1) : NULL;
    if (last != NULL && range.first <= last->last)
      last->last = MAX(last->last, range.last);
    else
      g_array_index(ranges, HaulIdRange, kept++) = range;
  }
  g_array_set_size(ranges, kept);
}

/* Drops from @items, which ascend, what @ranges hold, which do too. */
static void
drop_gone(GArray *items, const GArray *ranges)
{
  guint kept = 0, range = 0;
  for (guint i = 0; i < items->len; i++) {
    HaulEntry entry = g_array_index(items, HaulEntry, i);
    while (range < ranges->len && g_array_index(ranges, HaulIdRange, range).last < entry.id)
      range++;
    if (range == ranges->len || entry.id < g_array_index(ranges, HaulIdRange, range).first)
      g_array_index(items, HaulEntry, kept++) = entry;
  }
  g_array_set_size(items, kept);
}

/* Returns @items with what changed, @changed, put in. Both ascend; the result does so strictly if they do. */
static GArray *
merge_changed(const GArray *items, const GArray *changed)
{
  GArray *merged = g_array_sized_new(FALSE, FALSE, sizeof(HaulEntry), items->len + changed->len);
  guint i = 0, k = 0;
  while (i < items->len || k < changed->len) {
    const HaulEntry *old = i < items->len ? &g_array_index(items, HaulEntry, i) : NULL;
    const HaulEntry *new = k < changed->len ? &g_array_index(changed, HaulEntry, k) : NULL;
    bool takes_new = old == NULL || (new != NULL &&new->id <= old->id);
    i += old != NULL && (!takes_new || new->id == old->id);
    k += takes_new;
    g_array_append_vals(merged, takes_new ? new : old, 1);
  }
  return merged;
}

static bool
ascends_strictly(const GArray *items)
{
  for (guint i = 1; i < items->len; i++)
    if (g_array_index(items, HaulEntry, i - 1).id >= g_array_index(items, HaulEntry, i).id)
      return false;
  return true;
}

/* Returns what the state takes to be there. */
static GArray *
items_known(const GArray *pairs, const GArray *strays, unsigned side)
{
  guint n = side == 2 ? strays->len : 0;
  g_autofree HaulId *others = haul_ids_in_order((const HaulId *)(void *)strays->data, n);
  GArray *items = g_array_sized_new(FALSE, FALSE, sizeof(HaulEntry), pairs->len + n);
  g_autofree uint8_t *covered = g_malloc0(MAX(n, 1)); /* since then they have a pair */
  for (guint i = 0; i < pairs->len; i++) {
    const HaulPair *pair = &g_array_index(pairs, HaulPair, i);
    HaulEntry entry = { .id = side == 1 ? pair->id1 : pair->id2,
                        .size = HAUL_UNKNOWN,
                        .flags = pair->flags,
                        .keywords = pair->keywords };
    if (entry.id != 0 && (side == 1 ? !pair->left : !pair->gone))
      g_array_append_val(items, entry);
    size_t place = haul_id_find(others, n, entry.id);
    if (place < n)
      covered[place] = true;
  }
  for (guint i = 0; i < n; i++) {
    HaulEntry entry = { .id = others[i], .size = HAUL_UNKNOWN };
    if (!covered[i])
      g_array_append_val(items, entry);
  }
  return items;
}

static bool
are_numbers(const GArray *items)
{
  for (guint i = 0; i < items->len; i++)
    if (!haul_id_is_number(g_array_index(items, HaulEntry, i).id))
      return false;
  return true;
}

bool
haul_rebuild_listing(HaulListing *listing, const GArray *pairs, const GArray *strays, unsigned side,
                     bool changed)
{
  GArray *items = items_known(pairs, strays, side);
  if (changed) {
    g_autoptr(GArray) old = items;
    put_in_order(listing->gone);
    sort_entries(old);
    sort_entries(listing->items);
    drop_gone(old, listing->gone);
    items = merge_changed(old, listing->items);
  }
  g_array_unref(listing->items);
  listing->items = items;
  listing->unordered = !changed;
  return listing->n_messages != HAUL_UNKNOWN && items->len == listing->n_messages
         && (!changed || (are_numbers(items) && ascends_strictly(items)));
}
