/* Several folders of the source in one of the destination. See sharing.h. */
#include "sharing.h"

#include <string.h>

static void
enter(GHashTable *by_path2, const char *path2, int64_t number)
{
  GArray *numbers = g_hash_table_lookup(by_path2, path2);
  if (numbers == NULL)
    g_hash_table_insert(by_path2, (char *)path2,
                        numbers = g_array_new(FALSE, FALSE, sizeof(int64_t)));
  for (guint i = 0; i < numbers->len; i++)
    if (g_array_index(numbers, int64_t, i) == number)
      return;
  g_array_append_val(numbers, number);
}

void
haul_sharing_begin(HaulPass *pass, const GArray *journal)
{
  g_autoptr(GHashTable) by_path2 =
      g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_array_unref);
  g_autoptr(GHashTable) works = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    enter(by_path2, work->plan.path2, work->number);
    g_hash_table_insert(works, (char *)work->plan.path2, (void *)work);
  }
  for (guint i = 0; i < journal->len; i++) {
    const HaulJournalFolder *row = &g_array_index(journal, HaulJournalFolder, i);
    const HaulFolderWork *work = g_hash_table_lookup(works, row->path2);
    /* Ids of another epoch name other messages. */
    if (work != NULL && (row->epoch2 == 0 || work->epoch2 == 0 || row->epoch2 == work->epoch2))
      enter(by_path2, row->path2, row->number);
  }
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    GArray *numbers = g_hash_table_lookup(by_path2, work->plan.path2);
    if (numbers->len > 1)
      work->sharers = g_array_ref(numbers);
  }
}

bool
haul_sharing_is_on(const HaulPass *pass)
{
  for (guint i = 0; i < pass->folders->len; i++)
    if (g_array_index(pass->folders, HaulFolderWork, i).sharers != NULL)
      return true;
  return false;
}

bool
haul_sharing_load(const HaulContext *context, const HaulFolderWork *work, HaulIds *ids2,
                  GArray *covered, GError **error)
{
  if (work->sharers == NULL)
    return true;
  g_autoptr(HaulIds) ids1 = haul_ids_new();
  g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  for (guint i = 0; i < work->sharers->len; i++) {
    int64_t number = g_array_index(work->sharers, int64_t, i);
    if (number != work->number
        && !haul_journal_load_pairs(context->journal, number, ids1, ids2, pairs, error))
      return false;
  }
  for (guint i = 0; i < pairs->len; i++) {
    HaulId id2 = g_array_index(pairs, HaulPair, i).id2;
    if (id2 != 0)
      g_array_append_val(covered, id2);
  }
  return true;
}
