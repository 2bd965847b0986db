/* Removing messages: their files and no other, wherever they are by now. */
#include <errno.h>
#include <unistd.h>

#include "store.h"

/* Removes the file of one message. False with errno: ENOENT if it is not there (any more). */
static bool
unlink_one(const MaildirFolder *folder, const MaildirScan *scan, const MaildirEntry *entry)
{
  return unlinkat(entry->in_new ? folder->new : folder->cur, maildir_scan_name(scan, entry), 0)
         == 0;
}

static bool
remove_one(HaulStore *store, const char *id, GError **error)
{
  const MaildirEntry *entry = maildir_scan_find(&store->scan, id);
  if (entry != NULL && unlink_one(store->selected, &store->scan, entry))
    return true;
  if (entry == NULL || errno == ENOENT) {
    g_autoptr(GError) why = NULL;
    entry = maildir_store_find_again(store, id, &why);
    if (why != NULL) {
      g_propagate_error(error, g_steal_pointer(&why));
      return false;
    }
    if (entry == NULL || unlink_one(store->selected, &store->later, entry) || errno == ENOENT)
      return true;
  }
  return maildir_folder_error(error, errno, "cannot remove a message of %s",
                              store->selected->where);
}

bool
maildir_expunge(HaulStore *store, const char *const *ids, size_t n_ids, GError **error)
{
  const MaildirFolder *folder = store->selected;
  g_assert(folder != NULL);
  if (n_ids == 0)
    return true;
  if (!maildir_flush(store, error) || !maildir_store_scan(store, false, error))
    return false;
  bool going = true;
  for (size_t i = 0; going && i < n_ids; i++)
    going = remove_one(store, ids[i], error);
  store->scanned = false;
  if (!going || store->fsync == MAILDIR_FSYNC_NEVER)
    return going;
  return (fsync(folder->cur) == 0 && fsync(folder->new) == 0)
         || maildir_folder_error(error, errno, "cannot write %s", folder->where);
}
