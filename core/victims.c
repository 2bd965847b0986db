/* Messages that are about to be removed at the destination. See victims.h. */
#include "victims.h"

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

void
haul_victims_clear(HaulVictims *victims)
{
  g_clear_pointer(&victims->ids, g_ptr_array_unref);
  g_clear_pointer(&victims->names, g_ptr_array_unref);
}

static bool
take_name(const char *name, size_t name_size, const uint8_t *value, size_t value_size, void *data)
{
  while (value_size > 0 && g_ascii_isspace(*value)) {
    value++;
    value_size--;
  }
  *(char **)data = haul_text_display(value, value_size);
  return false;
}

static bool
take_present(const HaulItem *item, void *data)
{
  HaulVictims *victims = data;
  char *name = NULL;
  if (item->header != NULL)
    haul_header_each(item->header, item->header_size, take_name, &name);
  g_ptr_array_add(victims->ids, g_strdup(item->id));
  g_ptr_array_add(victims->names, name);
  return true;
}

bool
haul_victims_look(HaulOpenStore *store2, const char *path2, uint64_t epoch2, const GArray *ids,
                  HaulVictims *victims, GError **error)
{
  static const char *const fields[] = { "Message-ID", NULL };
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  victims->ids = g_ptr_array_new_with_free_func(g_free);
  victims->names = g_ptr_array_new_with_free_func(g_free);
  if (!haul_store_select(store2, path2, HAUL_READ, &folder, error))
    return false;
  if (folder.epoch != 0 && epoch2 != 0 && folder.epoch != epoch2) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "epoch",
                   "destination: the folder was replaced while we looked at it; run again");
    return false;
  }
  victims->n_messages = folder.n_messages;
  guint n = ids != NULL ? ids->len : 0;
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, MAX(n, 1));
  g_autofree HaulRange *ranges = g_new0(HaulRange, MAX(n, 1));
  for (guint i = 0; i < n; i++) {
    const char *id = haul_id_text(g_array_index(ids, HaulId, i), &buffers[i]);
    ranges[i] = (HaulRange){ id, id };
  }
  return haul_store_list(store2, ranges, ids != NULL ? n : 1, 0, fields, take_present, victims,
                         error);
}

/* ---- the trash ---- */

static void
note_made(const char *path, const GError *why, void *data)
{
  if (why != NULL)
    g_propagate_error(data, g_error_copy(why));
}

/* Makes the trash, if need be. */
static bool
make_trash(const HaulContext *context, HaulOpenStore *store2, const HaulFolderList *list2,
           GError **error)
{
  HaulFolder trash = { .path = context->trash2, .n_messages = HAUL_UNKNOWN };
  const HaulPlanFolder *known = haul_folder_list_find(list2, context->trash2);
  if (known != NULL && (known->attributes & HAUL_FOLDER_NOSELECT) == 0)
    return true;
  GError *why = NULL;
  if (!haul_store_create(store2, &trash, 1, note_made, &why, error)) {
    g_clear_error(&why);
    return false;
  }
  if (why == NULL)
    return true;
  haul_set_error(error, HAUL_ERROR_FOLDER, "create", "--trash2: %s", why->message);
  g_error_free(why);
  return false;
}

static bool
note_copied(const char *id, const char *new_id, void *data)
{
  g_hash_table_add(data, g_strdup(id));
  return true;
}

bool
haul_victims_to_trash(const HaulContext *context, HaulOpenStore *store2,
                      const HaulFolderList *list2, const char *path2, HaulVictims *victims,
                      GError **error)
{
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  g_autoptr(GHashTable) copied = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  guint n = victims->ids->len;
  if (!make_trash(context, store2, list2, error)
      || !haul_store_select(store2, path2, HAUL_READ, &folder, error)
      || !haul_store_copy(store2, (const char *const *)victims->ids->pdata, n, context->trash2,
                          false, note_copied, copied, error))
    return false;
  for (guint i = n; i-- > 0;)
    if (!g_hash_table_contains(copied, victims->ids->pdata[i])) {
      g_ptr_array_remove_index(victims->ids, i);
      g_ptr_array_remove_index(victims->names, i);
    }
  if (victims->ids->len == n)
    return true;
  haul_set_error(error, HAUL_ERROR_FOLDER, "refused",
                 "%u messages could not be copied to the trash, and nothing was deleted",
                 n - victims->ids->len);
  return false;
}

void
haul_victims_log(const HaulContext *context, const char *path2, const HaulVictims *victims)
{
  for (guint i = 0; i < victims->ids->len; i++) {
    const char *name = victims->names->pdata[i];
    haul_log(HAUL_LOG_INFO, "%s: %s message %s %s", path2,
             context->trash2 != NULL ? "moved to the trash" : "deleted",
             (const char *)victims->ids->pdata[i], name != NULL ? name : "without Message-Id");
  }
}
