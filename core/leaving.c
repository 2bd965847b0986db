/* Counts the messages that leave a side. */
#include "leaving.h"

void
haul_leaving_clear(HaulLeaving *leaving)
{
  g_clear_pointer(&leaving->asked, g_hash_table_unref);
}

void
haul_leaving_ask(HaulLeaving *leaving, const char *const *ids, size_t n_ids)
{
  if (leaving->asked == NULL)
    leaving->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (size_t i = 0; i < n_ids; i++)
    g_hash_table_add(leaving->asked, g_strdup(ids[i]));
}

void
haul_leaving_confirm(HaulLeaving *leaving)
{
  if (leaving->asked != NULL)
    leaving->n_gone += g_hash_table_size(leaving->asked);
  haul_leaving_stay(leaving);
}

void
haul_leaving_missed(HaulLeaving *leaving, const char *id)
{
  leaving->n_gone += leaving->asked != NULL && g_hash_table_remove(leaving->asked, id);
}

void
haul_leaving_found(HaulLeaving *leaving, const char *id)
{
  if (leaving->asked != NULL)
    g_hash_table_remove(leaving->asked, id);
}

void
haul_leaving_stay(HaulLeaving *leaving)
{
  g_clear_pointer(&leaving->asked, g_hash_table_unref);
}
