/* What a folder has shown in this run. See batch.h. */
#include "batch.h"

void
haul_batch_clear(HaulBatch *batch)
{
  g_clear_pointer(&batch->shown, g_hash_table_unref);
  g_clear_pointer(&batch->listed, g_hash_table_unref);
}

static GHashTable *
ids_new(void)
{
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void
haul_batch_begin_listing(HaulBatch *batch)
{
  GHashTableIter iter;
  gpointer id;
  if (batch->shown == NULL)
    batch->shown = ids_new();
  if (batch->listed != NULL) {
    g_hash_table_iter_init(&iter, batch->listed);
    while (g_hash_table_iter_next(&iter, &id, NULL))
      g_hash_table_add(batch->shown, g_strdup(id));
    g_hash_table_unref(batch->listed);
  }
  batch->listed = ids_new();
  batch->is_listed = true;
}

void
haul_batch_listed(HaulBatch *batch, const char *id)
{
  g_hash_table_add(batch->listed, g_strdup(id));
}

void
haul_batch_left(HaulBatch *batch, const char *id)
{
  if (batch->shown != NULL)
    g_hash_table_remove(batch->shown, id);
}

bool
haul_batch_has_shown(const HaulBatch *batch)
{
  return batch->listed != NULL;
}

bool
haul_batch_shows(const HaulBatch *batch, const char *id)
{
  return batch->listed != NULL && g_hash_table_contains(batch->listed, id);
}

void
haul_batch_end_listing(HaulBatch *batch, HaulBatchFunc each, void *data)
{
  GHashTableIter iter;
  gpointer id;
  if (!batch->is_listed)
    return;
  g_hash_table_iter_init(&iter, batch->shown);
  while (g_hash_table_iter_next(&iter, &id, NULL))
    if (!g_hash_table_contains(batch->listed, id))
      each(id, data);
  batch->is_listed = false;
}

bool
haul_batch_goes_on(HaulBatch *batch, uint64_t n_settled)
{
  bool more = n_settled > batch->n_settled;
  batch->n_settled = n_settled;
  batch->n_sessions += more;
  return more;
}
