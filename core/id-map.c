/* Under which ids the destination has messages. See id-map.h. */
#include "id-map.h"

#include <inttypes.h>
#include <string.h>

#include <mailhaul/log.h>
#include <mailhaul/plugin.h>

#include "result-file.h"

#define WHAT "the map of UIDLs"

struct HaulIdMap {
  char *path;       /* owned; what a link leads to */
  GHashTable *rows; /* owned; a set of the journal's numbers */
};

HaulIdMap *
haul_id_map_new(const char *path, GError **error)
{
  char *target = haul_result_file_find(path, WHAT, error);
  if (target == NULL)
    return NULL;
  HaulIdMap *map = g_new0(HaulIdMap, 1);
  map->path = target;
  map->rows = g_hash_table_new(g_direct_hash, g_direct_equal);
  return map;
}

void
haul_id_map_free(HaulIdMap *map)
{
  if (map == NULL)
    return;
  g_free(map->path);
  g_hash_table_unref(map->rows);
  g_free(map);
}

void
haul_id_map_note(HaulIdMap *map, const HaulPass *pass)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    if ((work->plan.folder1->attributes & HAUL_FOLDER_UIDLS) != 0 && !work->unusable)
      g_hash_table_add(map->rows, GSIZE_TO_POINTER((gsize)work->number));
  }
}

static void
append_column(GString *text, const char *value)
{
  bool is_first = text->len == 0 || text->str[text->len - 1] == '\n';
  for (const char *at = value; *at != '\0'; at++) {
    unsigned char octet = (unsigned char)*at;
    if (octet < 0x20 || octet == 0x7f || octet == '\\' || (octet == '#' && is_first))
      g_string_append_printf(text, "\\x%02X", octet);
    else
      g_string_append_c(text, *at);
    is_first = false;
  }
}

/* By the id at the destination: numbers by their value, and before texts. */
static int
compare_copies(const void *a, const void *b)
{
  HaulId x = ((const HaulPair *)a)->id2, y = ((const HaulPair *)b)->id2;
  if (haul_id_is_number(x) && haul_id_is_number(y))
    return (x > y) - (x < y);
  if (haul_id_is_number(x) != haul_id_is_number(y))
    return haul_id_is_number(x) ? -1 : 1;
  HaulIdBuffer buffer_x, buffer_y;
  return strcmp(haul_id_text(x, &buffer_x), haul_id_text(y, &buffer_y));
}

/* Whether a mail program may remember @id1: the blank of those that were made up stands in no UIDL. */
static bool
is_uidl(const char *id1)
{
  return strchr(id1, ' ') == NULL;
}

static bool
append_folder(GString *text, HaulJournal *journal, const HaulJournalFolder *folder, GError **error)
{
  g_autoptr(HaulIds) ids1 = haul_ids_new();
  g_autoptr(HaulIds) ids2 = haul_ids_new();
  g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  if (!haul_journal_load_pairs(journal, folder->number, ids1, ids2, pairs, error))
    return false;
  g_array_sort(pairs, compare_copies);
  for (guint i = 0; i < pairs->len; i++) {
    const HaulPair *pair = &g_array_index(pairs, HaulPair, i);
    HaulIdBuffer buffer1, buffer2;
    const char *id1 = haul_id_text(pair->id1, &buffer1);
    if (pair->id2 == 0 || pair->gone || !is_uidl(id1))
      continue;
    append_column(text, id1);
    g_string_append_c(text, '\t');
    append_column(text, folder->path2);
    if (folder->epoch2 != 0)
      g_string_append_printf(text, "\t%" PRIu64 "\t", folder->epoch2);
    else
      g_string_append(text, "\t-\t");
    append_column(text, haul_id_text(pair->id2, &buffer2));
    g_string_append_c(text, '\n');
  }
  return true;
}

bool
haul_id_map_write(const HaulIdMap *map, HaulJournal *journal, GError **error)
{
  g_autoptr(GString) text =
      g_string_new("# Where the messages are that a mail program knows by UIDL.\n"
                   "# UIDL\tfolder\tUIDVALIDITY\tUID\n");
  GArray *folders = haul_journal_folders(journal, error);
  if (folders == NULL)
    return false;
  if (g_hash_table_size(map->rows) == 0)
    haul_log(HAUL_LOG_WARNING, "source: it tells no UIDLs: the map of them is empty");
  for (guint i = 0; i < folders->len; i++) {
    const HaulJournalFolder *folder = &g_array_index(folders, HaulJournalFolder, i);
    if (g_hash_table_contains(map->rows, GSIZE_TO_POINTER((gsize)folder->number))
        && !append_folder(text, journal, folder, error))
      return false;
  }
  return haul_result_file_write(map->path, WHAT, text, error);
}
