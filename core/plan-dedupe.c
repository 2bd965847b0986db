/* Which messages of a folder are there more than once: pure, no I/O. */
#include "plan-dedupe.h"

#include <string.h>

#include <mailhaul/message.h>

static bool
is_known(const HaulKey *key)
{
  static const HaulKey nothing;
  return memcmp(key, &nothing, sizeof nothing) != 0;
}

static bool
counts(const HaulDedupeInput *input, uint32_t index)
{
  return (input->items[index].flags & HAUL_DELETED) == 0 && is_known(&input->keys[index])
         && (input->contents == NULL || is_known(&input->contents[index]));
}

static int
compare(const void *a, const void *b, void *data)
{
  const HaulDedupeInput *input = data;
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  int order = memcmp(&input->keys[x], &input->keys[y], sizeof(HaulKey));
  if (order == 0 && input->contents != NULL)
    order = memcmp(&input->contents[x], &input->contents[y], sizeof(HaulKey));
  return order != 0 ? order : (x > y) - (x < y);
}

static bool
is_same(const HaulDedupeInput *input, uint32_t x, uint32_t y)
{
  return memcmp(&input->keys[x], &input->keys[y], sizeof(HaulKey)) == 0
         && (input->contents == NULL
             || memcmp(&input->contents[x], &input->contents[y], sizeof(HaulKey)) == 0);
}

/* Returns the indices of what counts, equal ones side by side, each lot in the folder's order. */
static GArray *
order_by_sameness(const HaulDedupeInput *input)
{
  GArray *order = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  for (uint32_t i = 0; i < input->n; i++)
    if (counts(input, i))
      g_array_append_val(order, i);
  g_array_sort_with_data(order, compare, (void *)input);
  return order;
}

static int
compare_indices(const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

GArray *
haul_dedupe_suspects(const HaulDedupeInput *input)
{
  g_autoptr(GArray) order = order_by_sameness(input);
  GArray *suspects = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  for (guint i = 0; i < order->len; i++) {
    uint32_t index = g_array_index(order, uint32_t, i);
    bool as_before = i > 0 && is_same(input, g_array_index(order, uint32_t, i - 1), index);
    bool as_next =
        i + 1 < order->len && is_same(input, index, g_array_index(order, uint32_t, i + 1));
    if (as_before || as_next)
      g_array_append_val(suspects, index);
  }
  g_array_sort(suspects, compare_indices);
  return suspects;
}

static int
compare_victims(const void *a, const void *b)
{
  uint32_t x = ((const HaulDuplicate *)a)->victim, y = ((const HaulDuplicate *)b)->victim;
  return (x > y) - (x < y);
}

GArray *
haul_plan_dedupe(const HaulDedupeInput *input)
{
  g_autoptr(GArray) order = order_by_sameness(input);
  GArray *duplicates = g_array_new(FALSE, FALSE, sizeof(HaulDuplicate));
  HaulDuplicate duplicate = { 0 };
  for (guint i = 0; i < order->len; i++) {
    duplicate.victim = g_array_index(order, uint32_t, i);
    if (i > 0 && is_same(input, duplicate.kept, duplicate.victim))
      g_array_append_val(duplicates, duplicate);
    else
      duplicate.kept = duplicate.victim;
  }
  g_array_sort(duplicates, compare_victims);
  return duplicates;
}
