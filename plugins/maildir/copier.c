/*
 * Copying messages of the selected folder into another one. The copy is another name of the same file,
 * which nobody changes, or, where the file system knows no such thing, a file with the same octets. It
 * comes into cur whole or not at all, never over another.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "store.h"

typedef struct {
  HaulStore *store;      /* borrowed */
  MaildirFolder *target; /* owned */
  bool move;
} Copier;

/* What became of one message. */
typedef struct {
  const char *id; /* borrowed */
  char *base;     /* owned; its new id */
} Copy;

static void
copy_clear(Copy *copy)
{
  g_free(copy->base);
}

/* Returns a name for the copy of @name: a base of its own, with the sizes of the old one. NULL where
 * that does not tell them: it is not worth reading a message for. */
static char *
new_base(const HaulStore *store, const char *name)
{
  size_t base = maildir_name_base(name);
  uint64_t disk, wire, verbatim = 0;
  if (!maildir_name_field(name, base, 'S', &disk) || !maildir_name_field(name, base, 'W', &wire))
    return NULL;
  maildir_name_field(name, base, 'V', &verbatim);
  return maildir_name_new(maildir_file_unique_time(), (unsigned)getpid(), store->host, disk, wire,
                          verbatim == 1);
}

/* Copies the octets of a file into tmp of the target, and renames it. False with errno. */
static bool
copy_octets(const Copier *copier, int part, const char *name, const char *base,
            const char *new_name)
{
  const HaulStore *store = copier->store;
  struct stat status;
  int from = openat(part, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (from < 0)
    return false;
  int to = openat(copier->target->tmp, base, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool done = to >= 0 && fstat(from, &status) == 0;
  ssize_t n = 0;
  while (done && (n = read(from, store->buffer, MAILDIR_BUFFER)) > 0)
    done = maildir_file_write_all(to, store->buffer, (size_t)n);
  done = done && n == 0 && maildir_file_give(to, &store->tree->creation);
  if (done) {
    struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, status.st_mtim };
    done = futimens(to, times) == 0 && (store->fsync == MAILDIR_FSYNC_NEVER || fsync(to) == 0);
  }
  int failure = errno;
  if (to >= 0 && close(to) != 0 && done) {
    done = false;
    failure = errno;
  }
  close(from);
  if (done && maildir_file_rename_new(copier->target->tmp, base, copier->target->cur, new_name))
    return true;
  failure = done ? errno : failure;
  if (to >= 0)
    unlinkat(copier->target->tmp, base, 0);
  errno = failure;
  return false;
}

/* Copies one message. *@base: gets the new id; NULL if it is not there, or cannot be copied so. */
static bool
copy_one(const Copier *copier, const char *id, char **base, GError **error)
{
  HaulStore *store = copier->store;
  MaildirFolder *source = store->selected, *target = copier->target;
  MaildirEntry *entry = maildir_scan_find(&store->scan, id);
  *base = NULL;
  if (entry == NULL)
    return true;
  const char *name = maildir_scan_name(&store->scan, entry);
  int part = entry->in_new ? source->new : source->cur;
  MaildirFlags flags = maildir_folder_flags(source, name);
  MaildirKeywordList list;
  const char *const *keywords = maildir_folder_keywords(source, &flags, &list);
  MaildirFlags new_flags = { .flags = flags.flags };
  if (!maildir_folder_add_keywords(target, keywords, &new_flags, error))
    return false;
  g_autofree char *made = new_base(store, name);
  if (made == NULL)
    return true;
  g_autofree char *new_name = maildir_name_with_flags(made, &new_flags);
  bool copied = linkat(part, name, target->cur, new_name, 0) == 0
                || ((errno == EPERM || errno == EMLINK || errno == EXDEV || errno == EOPNOTSUPP)
                    && copy_octets(copier, part, name, made, new_name));
  if (!copied
      && errno == ENOENT) /* renamed or removed meanwhile: who wants it copies it otherwise */
    return true;
  if (!copied)
    return maildir_folder_error(error, errno, "cannot copy a message to %s", target->where);
  maildir_folder_keep_keywords(target, made, &new_flags);
  *base = g_steal_pointer(&made);
  return true;
}

static bool
settle(const Copier *copier, GError **error)
{
  MaildirFolder *target = copier->target;
  if (!maildir_folder_settle_keywords(target, error))
    return false;
  return copier->store->fsync == MAILDIR_FSYNC_NEVER || fsync(target->cur) == 0
         || maildir_folder_error(error, errno, "cannot write %s/cur", target->where);
}

/* Removes what was moved, now that its copy is on disk. */
static bool
remove_moved(const Copier *copier, const GArray *copies, GError **error)
{
  HaulStore *store = copier->store;
  for (guint i = 0; i < copies->len; i++) {
    const MaildirEntry *entry = maildir_scan_find(&store->scan, g_array_index(copies, Copy, i).id);
    const char *name = maildir_scan_name(&store->scan, entry);
    if (unlinkat(entry->in_new ? store->selected->new : store->selected->cur, name, 0) != 0
        && errno != ENOENT)
      return maildir_folder_error(error, errno, "cannot remove a message of %s",
                                  store->selected->where);
  }
  store->scanned = false;
  return store->fsync == MAILDIR_FSYNC_NEVER || fsync(store->selected->cur) == 0
         || maildir_folder_error(error, errno, "cannot write %s/cur", store->selected->where);
}

bool
maildir_copy(HaulStore *store, const char *const *ids, size_t n_ids, const char *to_path, bool move,
             HaulCopiedFunc each, void *data, GError **error)
{
  g_assert(store->selected != NULL);
  g_autoptr(MaildirFolder) target = NULL;
  if (!maildir_flush(store, error) || !maildir_store_scan(store, false, error))
    return false;
  target = maildir_folder_open(store->tree, to_path, HAUL_READ | HAUL_WRITE, error);
  if (target == NULL)
    return false;
  Copier copier = { store, target, move };
  g_autoptr(GArray) copies = g_array_new(FALSE, TRUE, sizeof(Copy));
  g_array_set_clear_func(copies, (GDestroyNotify)copy_clear);
  bool fine = true;
  for (size_t i = 0; fine && i < n_ids; i++) {
    Copy copy = { .id = ids[i] };
    fine = copy_one(&copier, ids[i], &copy.base, error);
    if (copy.base != NULL)
      g_array_append_val(copies, copy);
  }
  /* What is there is told of, whatever befell the others. */
  GError *why = NULL;
  if (!settle(&copier, &why) || (move && fine && !remove_moved(&copier, copies, &why))) {
    if (fine)
      g_propagate_error(error, why);
    else
      g_error_free(why);
    return false;
  }
  for (guint i = 0; i < copies->len; i++) {
    const Copy *copy = &g_array_index(copies, Copy, i);
    if (!each(copy->id, copy->base, data))
      return false;
  }
  return fine;
}
