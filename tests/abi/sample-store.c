/*
 * A complete small backend: mail in the memory of this process, gone when it ends.
 *
 * It shows the least that a store needs to be a source and a destination. Trees outlive the stores
 * that open them, so that what was put can be looked at by another. An id is the number of a
 * message in its folder, counted from 1; nothing is ever removed, so the epoch never changes.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

typedef struct {
  HaulMessage *message; /* referenced; holds the flags, too */
  int64_t date;
} Kept;

typedef struct {
  char *path;
  GArray *messages; /* of Kept */
} Folder;

struct HaulStore {
  const HaulAccount *account; /* borrowed */
  GPtrArray *tree;            /* of Folder *; borrowed from trees */
  Folder *selected;           /* borrowed from tree; NULL until select() */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *trees; /* name -> GPtrArray, kept as long as the process; guarded by lock */

static Folder *
find(GPtrArray *tree, const char *path, bool make)
{
  for (guint i = 0; i < tree->len; i++) {
    Folder *folder = tree->pdata[i];
    if (strcmp(folder->path, path) == 0)
      return folder;
  }
  if (!make)
    return NULL;
  Folder *folder = g_new(Folder, 1);
  folder->path = g_strdup(path);
  folder->messages = g_array_new(FALSE, FALSE, sizeof(Kept));
  g_ptr_array_add(tree, folder);
  return folder;
}

static HaulStore *
sample_open(const HaulAccount *account, HaulIntent intent, GError **error)
{
  const char *name = haul_account_string(account, "name");
  pthread_mutex_lock(&lock);
  if (trees == NULL)
    trees = g_hash_table_new(g_str_hash, g_str_equal);
  GPtrArray *tree = g_hash_table_lookup(trees, name);
  if (tree == NULL) {
    tree = g_ptr_array_new();
    find(tree, "INBOX", true);
    g_hash_table_insert(trees, g_strdup(name), tree);
  }
  pthread_mutex_unlock(&lock);
  HaulStore *store = g_new0(HaulStore, 1);
  store->account = account;
  store->tree = tree;
  return store;
}

static void
sample_close(HaulStore *store)
{
  g_free(store);
}

static char *
sample_identity(HaulStore *store)
{
  return g_strdup_printf("sample/%s", haul_account_string(store->account, "name"));
}

static HaulFolder
describe(const Folder *folder)
{
  return (HaulFolder){
    .path = folder->path,
    .epoch = 1,
    .n_messages = folder->messages->len,
    .n_octets = HAUL_UNKNOWN,
    .max_message_octets = HAUL_UNKNOWN,
    .settable_flags = HAUL_ALL_FLAGS,
    .any_keyword = true,
  };
}

static bool
sample_folders(HaulStore *store, HaulFolderFunc each, void *data, GError **error)
{
  for (guint i = 0; i < store->tree->len; i++) {
    HaulFolder folder = describe(store->tree->pdata[i]);
    if (!each(&folder, data))
      return false;
  }
  return true;
}

static bool
sample_create(HaulStore *store, const HaulFolder *folders, size_t n_folders,
              HaulFolderResultFunc each, void *data, GError **error)
{
  for (size_t i = 0; i < n_folders; i++) {
    g_autofree char *path = g_strdup(folders[i].path);
    for (char *at = strchr(path, '/'); at != NULL; at = strchr(at + 1, '/')) {
      *at = '\0';
      find(store->tree, path, true); /* parents before children */
      *at = '/';
    }
    find(store->tree, path, true);
    each(path, NULL, data);
  }
  return true;
}

static bool
sample_select(HaulStore *store, const char *path, HaulIntent intent, HaulFolder *folder,
              GError **error)
{
  store->selected = find(store->tree, path, false);
  if (store->selected == NULL) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "no-folder", "there is no folder %s", path);
    return false;
  }
  *folder = describe(store->selected);
  return true;
}

/* Calls @act with the item of each message in the ranges. */
typedef bool (*Act)(HaulMessage *message, HaulItem *item, void *data, GError **error);
static bool
each_chosen(HaulStore *store, const HaulRange *ranges, size_t n_ranges, Act act, void *data,
            GError **error)
{
  const GArray *messages = store->selected->messages;
  for (guint i = 0; i < messages->len; i++) {
    bool chosen = false;
    for (size_t k = 0; k < n_ranges; k++)
      chosen |= (ranges[k].first == NULL || strtoull(ranges[k].first, NULL, 10) <= i + 1)
                && (ranges[k].last == NULL || strtoull(ranges[k].last, NULL, 10) >= i + 1);
    if (!chosen)
      continue;
    const Kept *kept = &g_array_index(messages, Kept, i);
    HaulItem item = *haul_message_item(kept->message);
    char id[24];
    g_snprintf(id, sizeof id, "%u", i + 1);
    item.id = id;
    item.date = kept->date;
    if (!act(kept->message, &item, data, error))
      return false;
  }
  return true;
}

typedef struct {
  HaulItemFunc each;
  void *data;
  const char *const *fields;
} Listing;

static bool
list_one(HaulMessage *message, HaulItem *item, void *data, GError **error)
{
  const Listing *listing = data;
  size_t size;
  const uint8_t *octets = haul_message_window(message, 0, &size);
  g_autoptr(GByteArray) header = g_byte_array_sized_new(1);
  if (listing->fields != NULL) {
    if (octets != NULL)
      haul_header_select(octets, size, listing->fields, header);
    item->header = header->data;
    item->header_size = header->len;
  }
  return listing->each(item, listing->data);
}

static bool
sample_list(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
            const char *const *header_fields, HaulItemFunc each, void *data, GError **error)
{
  Listing listing = { each, data, header_fields };
  return each_chosen(store, ranges, n_ranges, list_one, &listing, error);
}

static bool
fetch_one(HaulMessage *message, HaulItem *item, void *data, GError **error)
{
  HaulIntake *intake = data;
  g_autoptr(HaulBodyWriter) body = haul_intake_begin(intake, item->size, error);
  for (uint64_t done = 0; body != NULL && done < item->size;) {
    size_t size, room;
    const uint8_t *octets = haul_message_window(message, done, &size);
    void *buffer = haul_body_writer_reserve(body, size, &room, error);
    if (octets == NULL || buffer == NULL)
      return false;
    memcpy(buffer, octets, room);
    haul_body_writer_advance(body, room);
    done += room;
  }
  return body != NULL && haul_intake_commit(intake, g_steal_pointer(&body), item, error);
}

static bool
sample_fetch(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
             GError **error)
{
  return each_chosen(store, ranges, n_ranges, fetch_one, intake, error);
}

static bool
sample_put(HaulStore *store, HaulMessage *message, HaulTicket *ticket, GError **error)
{
  int64_t date = haul_message_item(message)->date;
  if (date == HAUL_NO_DATE)
    date = g_get_real_time() / G_USEC_PER_SEC;
  Kept kept = { haul_message_ref(message), date };
  g_array_append_val(store->selected->messages, kept);
  char id[24];
  g_snprintf(id, sizeof id, "%u", store->selected->messages->len);
  haul_ticket_done(ticket, 1, id); /* settled at once: no flush() is needed */
  return true;
}

static const HaulSetting settings[] = {
  { "name", 's', "default", "Which of the trees in memory." },
  { NULL, 0, NULL, NULL },
};

static const HaulStoreOps ops = {
  .struct_size = sizeof ops,
  .open = sample_open,
  .close = sample_close,
  .folders = sample_folders,
  .create = sample_create,
  .select = sample_select,
  .list = sample_list,
  .fetch = sample_fetch,
  .put = sample_put,
  .identity = sample_identity,
};

HAUL_PLUGIN(sample) = {
  HAUL_PLUGIN_HEAD,     .name = "sample",
  .version = "1",       .summary = "Mail in the memory of this process.",
  .settings = settings, .store = &ops,
};
