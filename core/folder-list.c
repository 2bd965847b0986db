/* The folders of one side. */
#include "folder-list.h"

static char *
keep(HaulFolderList *list, const char *text)
{
  return text != NULL ? g_string_chunk_insert(list->texts, text) : NULL;
}

static bool
take_folder(const HaulFolder *folder, void *data)
{
  HaulFolderList *list = data;
  HaulPlanFolder copy = {
    .path = keep(list, folder->path),
    .token = keep(list, folder->change_token),
    .next_id = keep(list, folder->next_id),
    .epoch = folder->epoch,
    .n_messages = folder->n_messages,
    .n_octets = folder->n_octets,
    .attributes = folder->attributes,
  };
  g_array_append_val(list->folders, copy);
  g_ptr_array_add(list->natives, keep(list, folder->native));
  g_hash_table_insert(list->index, (char *)copy.path, GUINT_TO_POINTER(list->folders->len));
  return true;
}

HaulFolderList *
haul_folder_list_read(HaulOpenStore *store, GError **error)
{
  g_autoptr(HaulFolderList) list = g_new0(HaulFolderList, 1);
  list->folders = g_array_new(FALSE, TRUE, sizeof(HaulPlanFolder));
  list->natives = g_ptr_array_new();
  list->index = g_hash_table_new(g_str_hash, g_str_equal);
  list->texts = g_string_chunk_new(4000);
  if (!haul_store_folders(store, take_folder, list, error))
    return NULL;
  return g_steal_pointer(&list);
}

void
haul_folder_list_free(HaulFolderList *list)
{
  if (list == NULL)
    return;
  g_array_unref(list->folders);
  g_ptr_array_unref(list->natives);
  g_hash_table_unref(list->index);
  g_string_chunk_free(list->texts);
  g_free(list);
}

const HaulPlanFolder *
haul_folder_list_find(const HaulFolderList *list, const char *path)
{
  guint place = GPOINTER_TO_UINT(g_hash_table_lookup(list->index, path));
  return place > 0 ? &g_array_index(list->folders, HaulPlanFolder, place - 1) : NULL;
}
