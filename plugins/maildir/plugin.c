/*
 * The maildir plugin: Maildirs on a local disk, in the layouts that programs give them.
 *
 * Here are the settings, the table of callbacks, and what concerns whole trees; reading and writing
 * messages is done in reader.c, writer.c and flags.c. Ids are base names, which live as long as
 * their message and are never given twice, so the epoch never changes.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "dotlock.h"
#include "store.h"
#include "snapshot.h"
#include "subscriptions.h"

#define EPOCH 1
/* Messages of a folder that is not kept in memory longer than need be. */
#define LARGE_FOLDER 10000

static const HaulSetting settings[] = {
  { "path", 'p', NULL, "Folder that is the Maildir; a destination is made where it is missing." },
  { "layout", 's', "auto",
    "How folders lie in it: auto (as they do; maildir++ in a new one), maildir++, fs, flat, "
    "single." },
  { "fsync", 's', "batch",
    "When messages are put on disk: batch (several at a time), always (each), never." },
  { "verify", 'b', "false",
    "Whether each message is read back from the disk and compared before it counts." },
  { "newtree", 'b', "false",
    "Whether the tree may be another than in the last run: one that was removed on purpose." },
  { "snapshot", 'b', "false",
    "Whether the tree, as a run leaves it, is kept below snapshots/ under the date." },
  { "keep", 'n', "0", "How many snapshots stay, the latest; 0: all." },
  { NULL, 0, NULL, NULL },
};

static bool
parse_fsync(const HaulAccount *account, MaildirFsync *fsync, GError **error)
{
  static const char *const words[] = { "batch", "always", "never", NULL };
  const char *word = haul_account_string(account, "fsync");
  for (int i = 0; words[i] != NULL; i++)
    if (strcmp(word, words[i]) == 0) {
      *fsync = (MaildirFsync)i;
      return true;
    }
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "fsync is batch, always or never, not \"%s\"",
                 word);
  return false;
}

static bool
parse_layout(const HaulAccount *account, const MaildirLayout **layout, GError **error)
{
  const char *word = haul_account_string(account, "layout");
  bool is_open = strcmp(word, "auto") == 0;
  *layout = is_open ? NULL : maildir_layout_find(word);
  if (is_open || *layout != NULL)
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "layout is auto, maildir++, fs, flat or single, not \"%s\"", word);
  return false;
}

static void
maildir_close(HaulStore *store)
{
  maildir_writer_clear(store);
  maildir_numbering_unref(store->numbering);
  maildir_epilogue_leave(store->epilogue);
  maildir_scan_clear(&store->scan);
  maildir_scan_clear(&store->later);
  maildir_folder_unref(store->selected);
  maildir_root_close(store->tree);
  g_free(store->host);
  g_free(store->buffer);
  g_free(store->native);
  g_free(store);
}

static HaulStore *
maildir_open(const HaulAccount *account, HaulIntent intent, GError **error)
{
  MaildirFsync fsync;
  const MaildirLayout *layout;
  if (!parse_fsync(account, &fsync, error) || !parse_layout(account, &layout, error))
    return NULL;
  /* A source that is not there, or empty, is a disk that was not mounted rather than no mail. */
  if (haul_account_number(account, "keep") > 0 && !haul_account_bool(account, "snapshot")) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "keep is of snapshots: it goes with --snapshot");
    return NULL;
  }
  bool verify = haul_account_bool(account, "verify");
  if (verify && fsync == MAILDIR_FSYNC_NEVER) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "verify reads back from the disk: it does not go with fsync never");
    return NULL;
  }
  bool may_be_new = strcmp(haul_account_side(account), "destination") == 0;
  const char *known =
      haul_account_bool(account, "newtree") ? NULL : haul_account_known_identity(account);
  MaildirTree *tree = maildir_root_open(haul_account_string(account, "path"), layout, intent,
                                        may_be_new, known, fsync != MAILDIR_FSYNC_NEVER, error);
  if (tree == NULL)
    return NULL;
  HaulStore *store = g_new0(HaulStore, 1);
  store->account = account;
  store->tree = tree;
  tree->account = account;
  store->fsync = fsync;
  store->verify = verify;
  store->host = maildir_name_host(g_get_host_name());
  store->buffer = g_malloc(MAILDIR_BUFFER + 1);
  maildir_scan_init(&store->scan);
  maildir_scan_init(&store->later);
  maildir_writer_init(store);
  store->epilogue = maildir_epilogue_join(tree->root);
  return store;
}

static char *
maildir_identity(HaulStore *store)
{
  g_autoptr(GError) why = NULL;
  if (!maildir_root_make(store->tree, &why)) /* whoever writes will hear of it */
    haul_log(HAUL_LOG_DEBUG, "%s", why->message);
  return maildir_root_identity(store->tree);
}

bool
maildir_store_scan(HaulStore *store, bool again, GError **error)
{
  g_assert(store->selected != NULL);
  if (store->scanned && !again)
    return true;
  store->scanned = maildir_scan_read(&store->scan, store->selected, error);
  g_clear_pointer(&store->later.stamp, g_free);
  return store->scanned;
}

static void
forget_scans(HaulStore *store)
{
  maildir_scan_clear(&store->scan);
  maildir_scan_clear(&store->later);
  maildir_scan_init(&store->scan);
  maildir_scan_init(&store->later);
  store->scanned = false;
}

void
maildir_store_forget_large(HaulStore *store)
{
  if (store->scan.entries->len > LARGE_FOLDER)
    forget_scans(store);
}

MaildirEntry *
maildir_store_find_again(HaulStore *store, const char *id, GError **error)
{
  g_autofree char *stamp = maildir_folder_stamp(store->selected);
  if ((store->later.stamp == NULL || strcmp(stamp, store->later.stamp) != 0)
      && !maildir_scan_read(&store->later, store->selected, error))
    return NULL;
  return maildir_scan_find(&store->later, id);
}

/* Folders. */

typedef struct {
  HaulStore *store;
  GHashTable *subscribed;
  HaulFolderFunc each;
  void *data;
} Telling;

static HaulFolder
unknown_folder(const char *path, const char *native)
{
  return (HaulFolder){
    .path = path,
    .native = native,
    .epoch = EPOCH,
    .n_messages = HAUL_UNKNOWN,
    .n_octets = HAUL_UNKNOWN,
    .max_message_octets = HAUL_UNKNOWN,
    .settable_flags = HAUL_ALL_FLAGS,
    .any_keyword = true,
  };
}

static const char *
native_of(const char *directory)
{
  return strcmp(directory, ".") == 0 ? "INBOX" : directory;
}

static bool
tell_folder(const char *path, const char *directory, void *data)
{
  Telling *telling = data;
  HaulFolder told = unknown_folder(path, directory == NULL ? NULL : native_of(directory));
  if (g_hash_table_contains(telling->subscribed, path))
    told.attributes |= HAUL_FOLDER_SUBSCRIBED;
  if (directory == NULL) {
    told.attributes |= HAUL_FOLDER_NOSELECT;
    return telling->each(&told, telling->data);
  }

  g_autoptr(GError) why = NULL;
  g_autoptr(MaildirFolder) folder =
      maildir_folder_open(telling->store->tree, path, HAUL_READ, &why);
  g_autofree char *token = NULL;
  if (folder != NULL && telling->store->tree->writable)
    maildir_dotlock_tidy(folder->fd);
  if (folder != NULL)
    told.change_token = token =
        maildir_folder_count(folder, &told.n_messages, &told.n_octets, &why);
  if (why != NULL) {
    /* It is there; whoever selects it will hear why it cannot be read. */
    haul_log(HAUL_LOG_WARNING, "%s", why->message);
    told.n_messages = told.n_octets = HAUL_UNKNOWN;
  }
  return telling->each(&told, telling->data);
}

static bool
maildir_folders(HaulStore *store, HaulFolderFunc each, void *data, GError **error)
{
  g_autoptr(GHashTable) subscribed = maildir_subscriptions_read(store->tree);
  Telling telling = { .store = store, .subscribed = subscribed, .each = each, .data = data };
  return maildir_tree_each(store->tree, tell_folder, &telling, error);
}

/* A folder just made that stays empty for now gets the UIDVALIDITY of its source at once: no delivery
 * will do it. */
static bool
found_empty(HaulStore *store, const HaulFolder *source, GError **error)
{
  g_autoptr(MaildirNumbering) numbering = maildir_numbering_new(source);
  if (numbering == NULL || source->n_messages != 0)
    return true;
  g_autoptr(MaildirFolder) folder =
      maildir_folder_open(store->tree, source->path, HAUL_READ | HAUL_WRITE, error);
  if (folder == NULL || !maildir_numbering_found(numbering, folder, store->account, error))
    return false;
  maildir_epilogue_note(store->epilogue, source->path, numbering);
  return true;
}

static bool
maildir_create(HaulStore *store, const HaulFolder *folders, size_t n_folders,
               HaulFolderResultFunc each, void *data, GError **error)
{
  if (!maildir_root_make(store->tree, error))
    return false;
  for (size_t i = 0; i < n_folders; i++) {
    g_autoptr(GError) why = NULL;
    /* One that only holds others needs no directory: those bear its name. */
    if ((folders[i].attributes & HAUL_FOLDER_NOSELECT) == 0
        && maildir_tree_create(store->tree, folders[i].path, &why))
      found_empty(store, &folders[i], &why);
    each(folders[i].path, why, data);
    if (why != NULL && haul_error_reach(why) != HAUL_ERROR_FOLDER) {
      g_propagate_error(error, g_steal_pointer(&why));
      return false;
    }
  }
  return maildir_tree_settle(store->tree, error);
}

static bool
maildir_subscribe(HaulStore *store, const HaulFolder *folders, size_t n_folders,
                  HaulFolderResultFunc each, void *data, GError **error)
{
  g_autoptr(GError) why = NULL;
  if (maildir_root_make(store->tree, &why))
    maildir_subscriptions_add(store->tree, folders, n_folders, &why);
  for (size_t i = 0; i < n_folders; i++)
    each(folders[i].path, why, data);
  if (why == NULL || haul_error_reach(why) == HAUL_ERROR_FOLDER)
    return true;
  g_propagate_error(error, g_steal_pointer(&why));
  return false;
}

static bool
maildir_select(HaulStore *store, const char *path, HaulIntent intent, HaulFolder *folder,
               GError **error)
{
  if ((intent & HAUL_WRITE) != 0 && !maildir_root_make(store->tree, error))
    return false;
  MaildirFolder *opened = maildir_folder_open(store->tree, path, intent, error);
  if (opened == NULL)
    return false;
  /* Deliveries to the folder before hold on to it by themselves. */
  g_clear_pointer(&store->numbering, maildir_numbering_unref);
  maildir_folder_unref(store->selected);
  store->selected = opened;
  forget_scans(store);
  g_free(store->native);
  store->native = g_strdup(native_of(opened->directory));

  *folder = unknown_folder(opened->path, store->native);
  return true;
}

/* Whether something is delivered then or not: the source may have given UIDs, and have removed them since. */
static void
maildir_origin(HaulStore *store, const HaulFolder *source)
{
  g_clear_pointer(&store->numbering, maildir_numbering_unref);
  store->numbering = maildir_numbering_new(source);
  if (store->numbering != NULL && maildir_numbering_look(store->numbering, store->selected))
    maildir_epilogue_note(store->epilogue, store->selected->path, store->numbering);
}

static bool
maildir_finish(HaulStore *store, GError **error)
{
  if (!store->tree->writable)
    return true;
  if (!maildir_epilogue_perform(store->epilogue, store->tree, store->account, error))
    return false;
  return !haul_account_bool(store->account, "snapshot")
         || maildir_snapshot_make(store->tree, haul_account_number(store->account, "keep"), error);
}

static const HaulStoreOps ops = {
  .struct_size = sizeof ops,
  .open = maildir_open,
  .close = maildir_close,
  .folders = maildir_folders,
  .create = maildir_create,
  .subscribe = maildir_subscribe,
  .select = maildir_select,
  .list = maildir_list,
  .fetch = maildir_fetch,
  .put = maildir_put,
  .flush = maildir_flush,
  .set_flags = maildir_set_flags,
  .copy = maildir_copy,
  .expunge = maildir_expunge,
  .identity = maildir_identity,
  .origin = maildir_origin,
  .finish = maildir_finish,
};

HAUL_PLUGIN(maildir) = {
  HAUL_PLUGIN_HEAD,        .name = "maildir",
  .version = HAUL_VERSION, .summary = "Maildirs on a local disk, as Dovecot and others keep them.",
  .settings = settings,    .store = &ops,
};
