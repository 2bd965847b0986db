/* What of a run's additions can be taken back: pure, no I/O. */
#include "plan-undo.h"

#include <string.h>

#include <mailhaul/message.h>

/* Returns the ids of @items in ascending order; to be freed, or NULL for none. */
static HaulId *
ids_in_order(const HaulEntry *items, size_t n)
{
  g_autofree HaulId *ids = g_new(HaulId, MAX(n, 1));
  for (size_t i = 0; i < n; i++)
    ids[i] = items[i].id;
  return haul_ids_in_order(ids, n);
}

/* An addition, by the id of its copy. */
typedef struct {
  HaulId id2;
  size_t index;
} Place;

static int
compare_places(const void *a, const void *b)
{
  const Place *x = a, *y = b;
  return (x->id2 > y->id2) - (x->id2 < y->id2);
}

/* Of what cannot be told apart nothing is taken back: a key is needed, or a size. */
static bool
is_as_added(const HaulAddition *added, uint64_t size, const HaulKey *key)
{
  static const HaulKey none;
  bool sizes_tell = added->size != HAUL_UNKNOWN && size != HAUL_UNKNOWN;
  return memcmp(&added->key, key, sizeof *key) == 0 && (!sizes_tell || added->size == size)
         && (sizes_tell || memcmp(key, &none, sizeof none) != 0);
}

GArray *
haul_plan_undo(const HaulUndoInput *input)
{
  GArray *fates = g_array_sized_new(FALSE, TRUE, sizeof(uint8_t), (guint)input->n_added);
  g_array_set_size(fates, (guint)input->n_added);
  g_autofree HaulId *ids1 = ids_in_order(input->items1, input->n_items1);
  g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(Place));
  for (size_t i = 0; i < input->n_added; i++) {
    Place place = { input->added[i].id2, i };
    g_array_append_val(places, place);
    g_array_index(fates, uint8_t, i) = place.id2 == 0 ? HAUL_UNDO_UNNAMED : HAUL_UNDO_ABSENT;
  }
  g_array_sort(places, compare_places);
  for (size_t i = 0; i < input->n_items2; i++) {
    Place wanted = { input->items2[i].id, 0 };
    guint at;
    if (wanted.id2 == 0 || !g_array_binary_search(places, &wanted, compare_places, &at))
      continue;
    size_t index = g_array_index(places, Place, at).index;
    const HaulAddition *added = &input->added[index];
    bool at_source = !added->left && input->n_items1 > 0
                     && haul_id_find(ids1, input->n_items1, added->id1) < input->n_items1;
    g_array_index(fates, uint8_t, index) =
        !is_as_added(added, input->items2[i].size, &input->keys2[i]) ? HAUL_UNDO_ALTERED
        : at_source                                                  ? HAUL_UNDO_REMOVE
                                                                     : HAUL_UNDO_ALONE;
  }
  return fates;
}
