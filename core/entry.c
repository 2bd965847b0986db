/* Ids as numbers. */
#include "entry.h"

#include <string.h>

/* User-space addresses never have their highest bit set, nor has a number that we take as one. */
#define TEXT_BIT (UINT64_C(1) << 63)

struct HaulIds {
  GStringChunk *texts; /* owned; keeps one copy of each */
};

HaulIds *
haul_ids_new(void)
{
  HaulIds *ids = g_new(HaulIds, 1);
  ids->texts = g_string_chunk_new(4000);
  return ids;
}

void
haul_ids_free(HaulIds *ids)
{
  if (ids == NULL)
    return;
  g_string_chunk_free(ids->texts);
  g_free(ids);
}

/* Parses a decimal without sign, leading zero or overflow of 18 digits; 0 if it is none. */
static uint64_t
plain_number(const char *text)
{
  if (*text < '1' || *text > '9')
    return 0;
  uint64_t value = 0;
  for (const char *at = text; *at != '\0'; at++) {
    if (*at < '0' || *at > '9' || at - text >= 18)
      return 0;
    value = value * 10 + (uint64_t)(*at - '0');
  }
  return value;
}

HaulId
haul_id_intern(HaulIds *ids, const char *text)
{
  if (text == NULL)
    return 0;
  uint64_t number = plain_number(text);
  if (number != 0)
    return number;
  return (uint64_t)(uintptr_t)g_string_chunk_insert_const(ids->texts, text) | TEXT_BIT;
}

bool
haul_id_is_number(HaulId id)
{
  return (id & TEXT_BIT) == 0;
}

const char *
haul_id_text(HaulId id, HaulIdBuffer *buffer)
{
  if (id == 0)
    return NULL;
  if (!haul_id_is_number(id))
    return (const char *)(uintptr_t)(id & ~TEXT_BIT);
  char *at = buffer->text + sizeof buffer->text - 1;
  *at = '\0';
  for (uint64_t left = id; left > 0; left /= 10)
    *--at = (char)('0' + left % 10);
  return at;
}

static int
compare_ids(const void *a, const void *b, void *unused)
{
  HaulId x = *(const HaulId *)a, y = *(const HaulId *)b;
  return (x > y) - (x < y);
}

HaulId *
haul_ids_in_order(const HaulId *ids, size_t n)
{
  if (n == 0)
    return NULL;
  HaulId *ordered = g_memdup2(ids, n * sizeof *ids);
  for (size_t i = 1; i < n; i++)
    if (ordered[i - 1] > ordered[i]) {
      g_qsort_with_data(ordered, (int)n, sizeof *ordered, compare_ids, NULL);
      break;
    }
  return ordered;
}

size_t
haul_id_find(const HaulId *ids, size_t n, HaulId id)
{
  size_t low = 0, high = n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (ids[middle] < id)
      low = middle + 1;
    else
      high = middle;
  }
  return low < n && ids[low] == id ? low : n;
}
