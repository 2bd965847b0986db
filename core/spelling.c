/* Other spellings of folders' names at the destination. See spelling.h. */
#include "spelling.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/plugin.h>

static char *
fold(const char *path)
{
  return g_utf8_validate(path, -1, NULL) ? g_utf8_casefold(path, -1) : g_ascii_strdown(path, -1);
}

/* Spellings that fold to the same. */
typedef struct {
  const char *first; /* borrowed */
  bool more;         /* there are others */
} Spellings;

static void
note(GHashTable *by_fold, const char *path)
{
  char *folded = fold(path);
  Spellings *there = g_hash_table_lookup(by_fold, folded);
  if (there == NULL) {
    there = g_new0(Spellings, 1);
    there->first = path;
    g_hash_table_insert(by_fold, folded, there);
    return;
  }
  there->more |= strcmp(there->first, path) != 0;
  g_free(folded);
}

static const Spellings *
spellings_like(GHashTable *by_fold, const char *path)
{
  g_autofree char *folded = fold(path);
  return g_hash_table_lookup(by_fold, folded);
}

static void
note_all(GHashTable *by_fold, const GArray *folders)
{
  for (guint i = 0; i < folders->len; i++)
    note(by_fold, g_array_index(folders, HaulPlanFolder, i).path);
}

static GHashTable *
spellings_new(void)
{
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* Returns the folders (HaulFolder) that are not there, and may be under another spelling, or be made
 * under one that is another's. */
static GArray *
find_suspects(const GArray *folders1, const HaulFolderList *list2)
{
  g_autoptr(GHashTable) by_fold = spellings_new();
  note_all(by_fold, list2->folders);
  note_all(by_fold, folders1);
  GArray *suspects = g_array_new(FALSE, TRUE, sizeof(HaulFolder));
  for (guint i = 0; i < folders1->len; i++) {
    const HaulPlanFolder *folder1 = &g_array_index(folders1, HaulPlanFolder, i);
    HaulFolder folder = { .path = folder1->path, .attributes = folder1->attributes };
    if ((folder1->attributes & HAUL_FOLDER_NOSELECT) == 0
        && spellings_like(by_fold, folder1->path)->more
        && haul_folder_list_find(list2, folder1->path) == NULL)
      g_array_append_val(suspects, folder);
  }
  return suspects;
}

/* The nearest folder above @path that has another spelling has it in @path, too; NULL if there is none. */
static char *
spell_as_above(GHashTable *others, const char *path)
{
  g_autofree char *above = g_strdup(path);
  for (char *slash; (slash = strrchr(above, '/')) != NULL;) {
    *slash = '\0';
    const char *other = g_hash_table_lookup(others, above);
    if (other != NULL)
      return g_strconcat(other, path + strlen(above), NULL);
  }
  return NULL;
}

/* Lets what is still to be made in such a folder have the name that it will have there. */
static void
spell_children(GHashTable *others, const GArray *folders1, const HaulFolderList *list2)
{
  for (guint i = 0; i < folders1->len && g_hash_table_size(others) > 0; i++) {
    const char *path = g_array_index(folders1, HaulPlanFolder, i).path;
    if (g_hash_table_contains(others, path) || haul_folder_list_find(list2, path) != NULL)
      continue;
    char *other = spell_as_above(others, path);
    if (other != NULL)
      g_hash_table_insert(others, g_strdup(path), other);
  }
}

static void
create_result(const char *path, const GError *why, void *data)
{
  if (why == NULL) /* else it is asked for again, and fails with these words */
    g_ptr_array_add(data, g_strdup(path));
}

/* Returns the folders that there are to be at the destination, of HaulPlanFolder. */
static GArray *
wanted_folders(const GArray *folders1, const GArray *mappings)
{
  GArray *wanted = g_array_new(FALSE, TRUE, sizeof(HaulPlanFolder));
  g_array_append_vals(wanted, folders1->data, folders1->len);
  for (guint i = 0; i < wanted->len; i++) {
    HaulPlanFolder *folder = &g_array_index(wanted, HaulPlanFolder, i);
    const HaulMapping *mapping = &g_array_index(mappings, HaulMapping, i);
    folder->path = mapping->path2;
    if (mapping->is_wish)
      folder->attributes &= HAUL_FOLDER_NOSELECT;
  }
  return wanted;
}

/* Returns path -> owned spelling, for those of @reached that the destination lists under another. */
static GHashTable *
other_spellings(const GPtrArray *reached, const HaulFolderList *list2)
{
  GHashTable *others = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(GHashTable) by_fold = spellings_new();
  note_all(by_fold, list2->folders);
  for (guint i = 0; i < reached->len; i++) {
    const char *path = reached->pdata[i];
    const Spellings *there = spellings_like(by_fold, path);
    if (there == NULL || haul_folder_list_find(list2, path) != NULL)
      continue;
    haul_log(HAUL_LOG_INFO, "destination: folder \"%s\" is \"%s\" there", path, there->first);
    g_hash_table_insert(others, g_strdup(path), g_strdup(there->first));
  }
  return others;
}

GHashTable *
haul_spelling_ask(const GArray *folders1, const GArray *mappings, HaulOpenStore *store2,
                  HaulFolderList **list2, GHashTable *made, GError **error)
{
  g_autoptr(GArray) wanted = wanted_folders(folders1, mappings);
  g_autoptr(GArray) suspects = find_suspects(wanted, *list2);
  g_autoptr(GPtrArray) reached = g_ptr_array_new_with_free_func(g_free);
  if (suspects->len > 0) {
    if (!haul_store_create(store2, (const HaulFolder *)(void *)suspects->data, suspects->len,
                           create_result, reached, error))
      return NULL;
    HaulFolderList *fresh = haul_folder_list_read(store2, error);
    if (fresh == NULL)
      return NULL;
    haul_folder_list_free(*list2);
    *list2 = fresh;
  }
  for (guint i = 0; i < reached->len; i++)
    if (haul_folder_list_find(*list2, reached->pdata[i]) != NULL)
      g_hash_table_add(made, g_strdup(reached->pdata[i]));
  GHashTable *others = other_spellings(reached, *list2);
  spell_children(others, wanted, *list2);
  return others;
}

/* Whether the destination has a folder by the name of @path, listed or not. */
static bool
answers_to(HaulOpenStore *store2, const char *path, bool *answers, GError **error)
{
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  GError *why = NULL;
  *answers = haul_store_select(store2, path, HAUL_READ, &folder, &why);
  if (*answers || haul_error_reach(why) <= HAUL_ERROR_FOLDER) {
    g_clear_error(&why);
    return true;
  }
  g_propagate_error(error, why);
  return false;
}

GHashTable *
haul_spelling_look(const GArray *folders1, const GArray *mappings, HaulOpenStore *store2,
                   const HaulFolderList *list2, GError **error)
{
  g_autoptr(GArray) wanted = wanted_folders(folders1, mappings);
  g_autoptr(GArray) suspects = find_suspects(wanted, list2);
  g_autoptr(GPtrArray) reached = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GHashTable) by_fold = spellings_new();
  note_all(by_fold, list2->folders);
  for (guint i = 0; i < suspects->len; i++) {
    const char *path = g_array_index(suspects, HaulFolder, i).path;
    bool answers = false;
    if (spellings_like(by_fold, path) == NULL)
      haul_log(HAUL_LOG_WARNING,
               "whether the destination takes \"%s\" and what differs by case for one folder is "
               "known only when they are made",
               path);
    else if (!answers_to(store2, path, &answers, error))
      return NULL;
    if (answers)
      g_ptr_array_add(reached, g_strdup(path));
  }
  GHashTable *others = other_spellings(reached, list2);
  spell_children(others, wanted, list2);
  return others;
}
