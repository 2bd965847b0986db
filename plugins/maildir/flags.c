/* Changing flags: a message is renamed, wherever it is by now. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "store.h"

/* Gives one message its new name. False with errno: ENOENT if it is not there (any more). */
static bool
rename_one(MaildirFolder *folder, MaildirScan *scan, MaildirEntry *entry,
           const HaulFlagChange *change, const MaildirFlags *add)
{
  const char *name = maildir_scan_name(scan, entry);
  MaildirFlags flags = maildir_folder_flags(folder, name);
  maildir_folder_remove_keywords(folder, change->remove_keywords, &flags);
  flags.flags = (flags.flags & ~change->remove) | add->flags;
  flags.letters |= add->letters;
  flags.passed |= add->passed;
  for (size_t i = 0; add->beyond != NULL && add->beyond[i] != NULL; i++)
    flags.beyond = maildir_beyond_with(folder->beyond, flags.beyond, add->beyond[i]);
  g_autofree char *renamed = maildir_name_with_flags(name, &flags);
  bool same = !entry->in_new && strcmp(name, renamed) == 0;
  if (same) {
    maildir_folder_keep_keywords(folder, name, &flags);
    return true;
  }
  int part = entry->in_new ? folder->new : folder->cur;
  /* Not over another file: it would have the same base, and be another message. */
  if (!maildir_file_rename_new(part, name, folder->cur, renamed))
    return false;
  maildir_folder_keep_keywords(folder, renamed, &flags);
  maildir_scan_renamed(scan, entry, renamed);
  return true;
}

static bool
change_one(HaulStore *store, const char *id, const HaulFlagChange *change, const MaildirFlags *add,
           GError **error)
{
  MaildirEntry *entry = maildir_scan_find(&store->scan, id);
  if (entry != NULL && rename_one(store->selected, &store->scan, entry, change, add))
    return true;
  if (entry == NULL || errno == ENOENT) {
    g_autoptr(GError) why = NULL;
    MaildirEntry *found = maildir_store_find_again(store, id, &why);
    if (why != NULL) {
      g_propagate_error(error, g_steal_pointer(&why));
      return false;
    }
    if (found == NULL) { /* then it has no flags to set */
      haul_log(HAUL_LOG_DEBUG, "%s: %s was removed meanwhile", store->selected->path, id);
      return true;
    }
    if (rename_one(store->selected, &store->later, found, change, add))
      return true;
  }
  if (errno == EEXIST || errno == ENOENT || errno == ENAMETOOLONG) {
    haul_log(HAUL_LOG_WARNING, "%s: the flags of %s stay as they are: %s", store->selected->path,
             id, g_strerror(errno));
    return true;
  }
  return maildir_folder_error(error, errno, "cannot set flags in %s", store->selected->where);
}

bool
maildir_set_flags(HaulStore *store, const char *const *ids, size_t n_ids,
                  const HaulFlagChange *change, GError **error)
{
  MaildirFolder *folder = store->selected;
  g_assert(folder != NULL && folder->writable);
  MaildirFlags add = { .flags = change->add };
  /* Deliveries that wait in tmp may be among them. */
  if (!maildir_flush(store, error) || !maildir_store_scan(store, false, error)
      || !maildir_folder_add_keywords(folder, change->add_keywords, &add, error))
    return false;
  if (!maildir_folder_settle_keywords(folder, error))
    return false;
  for (size_t i = 0; i < n_ids; i++)
    if (!change_one(store, ids[i], change, &add, error))
      return false;
  if (!maildir_folder_settle_keywords(folder, error))
    return false;
  if (store->fsync != MAILDIR_FSYNC_NEVER && n_ids > 0 && fsync(folder->cur) != 0)
    return maildir_folder_error(error, errno, "cannot write %s/cur", folder->where);
  return true;
}
