/* Snapshots of a tree, by hard links. See snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <mailhaul/log.h>

#include "folder.h"
#include "place.h"
#include "scan.h"

/* A date in UTC, ISO 8601: sorts as it passes. */
#define NAME_FORMAT "%Y%m%dT%H%M%SZ"
#define NAME_SHAPE "ddddddddTddddddZ" /* d: a digit */
/* What these begin with is not complete: being made, or being removed. */
#define MAKING ".making-"
#define REMOVING ".removing-"
/* How often a folder is begun anew because others rename its files meanwhile. */
#define TRIES 10
#define COPY_OCTETS (64u << 10)

/* What is written in place, or replaced with the rest left as it was: copied. Indexes are not taken, for
 * who finds none makes them. */
static const char *const beside[] = {
  "dovecot-uidlist",       "dovecot-keywords",
  "dovecot-uidvalidity",   "subscriptions",
  "mailhaul-keywords",     "maildirfolder",
  "courierimapsubscribed", ".uidvalidity",
  "courierimapuiddb",      NULL,
};

typedef struct {
  MaildirTree *tree; /* borrowed */
  const char *name;  /* borrowed; of the snapshot */
  int fd;            /* of the snapshot's root */
  uint64_t n_messages;
  GError *error;
} Snapshot;

bool
maildir_snapshot_is_place(int root, const char *name)
{
  return strcmp(name, MAILDIR_SNAPSHOTS) == 0 && !maildir_place_has_folder(root, name);
}

static bool
cannot(GError **error, const char *name)
{
  if (errno == EPERM || errno == EXDEV || errno == EMLINK || errno == EOPNOTSUPP)
    return maildir_error(error, HAUL_ERROR_ACCOUNT, "maildir", errno,
                         "cannot make the snapshot " MAILDIR_SNAPSHOTS
                         "/%s: no further hard link can be made here",
                         name);
  return maildir_write_error(error, errno, "cannot make the snapshot " MAILDIR_SNAPSHOTS "/%s",
                             name);
}

/* ---- making ---- */

static bool
copy_octets(int from, int to)
{
  g_autofree char *buffer = g_malloc(COPY_OCTETS);
  for (;;) {
    ssize_t got = read(from, buffer, COPY_OCTETS);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return got == 0;
    if (!maildir_file_write_all(to, buffer, (size_t)got))
      return false;
  }
}

/* Copies a file beside the messages; one that is not there, or no file, is none. False with errno. */
static bool
copy_beside(const MaildirTree *tree, int from_dir, int to_dir, const char *name)
{
  int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat status;
  if (from < 0)
    return errno == ENOENT || errno == ELOOP;
  if (fstat(from, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(from);
    return true;
  }
  int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, status.st_mode & 0777);
  bool ok = to >= 0 && copy_octets(from, to) && maildir_file_give(to, &tree->creation)
            && (!tree->creation.sync || fsync(to) == 0);
  int failure = errno;
  if (to >= 0)
    close(to);
  close(from);
  errno = failure;
  return ok;
}

/* Makes the directory @path below @dir, with those above it. Returns it opened; -1 with errno. */
static int
make_path(const MaildirTree *tree, int dir, const char *path)
{
  int at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_auto(GStrv) steps = g_strsplit(path, "/", -1);
  for (char **step = steps; at >= 0 && *step != NULL; step++) {
    if (**step == '\0' || strcmp(*step, ".") == 0)
      continue;
    int next =
        maildir_file_make_dir(at, *step, &tree->creation) ? maildir_file_open_dir(at, *step) : -1;
    int failure = errno;
    close(at);
    errno = failure;
    at = next;
  }
  return at;
}

static bool
forget_links(int part)
{
  DIR *listing = maildir_file_list(part);
  if (listing == NULL)
    return false;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (entry->d_name[0] != '.')
      unlinkat(part, entry->d_name, 0);
  closedir(listing);
  return true;
}

/* Links what the scan saw. False with errno: ENOENT where a file has another name by now. */
static bool
link_scanned(const MaildirScan *scan, const MaildirFolder *folder, int cur, int new)
{
  for (guint i = 0; i < scan->entries->len; i++) {
    const MaildirEntry *entry = maildir_scan_entry(scan, i);
    const char *name = maildir_scan_name(scan, entry);
    if (linkat(entry->in_new ? folder->new : folder->cur, name, entry->in_new ? new : cur, name, 0)
        != 0)
      return false;
  }
  return true;
}

/* Puts every message of the folder into @cur and @new. */
static bool
link_messages(Snapshot *snapshot, MaildirFolder *folder, int cur, int new)
{
  MaildirScan scan;
  maildir_scan_init(&scan);
  bool linked = false;
  for (unsigned try = 0; !linked && try < TRIES; try++) {
    if (!maildir_scan_read(&scan, folder, &snapshot->error))
      break;
    linked = link_scanned(&scan, folder, cur, new);
    bool moved = !linked && errno == ENOENT;
    if (!linked && (!moved || !forget_links(cur) || !forget_links(new))) {
      cannot(&snapshot->error, snapshot->name);
      break;
    }
  }
  if (!linked && snapshot->error == NULL) {
    errno = EBUSY;
    cannot(&snapshot->error, snapshot->name);
  }
  snapshot->n_messages += linked ? scan.entries->len : 0;
  maildir_scan_clear(&scan);
  return linked;
}

static bool
settle_dirs(const MaildirTree *tree, const int *dirs, size_t n)
{
  for (size_t i = 0; tree->creation.sync && i < n; i++)
    if (fsync(dirs[i]) != 0)
      return false;
  return true;
}

/* Opens what a folder consists of, making it: dirs gets the folder, cur, new and tmp. */
static bool
open_parts(const Snapshot *snapshot, const char *directory, int dirs[4])
{
  static const char *const parts[] = { "cur", "new", "tmp" };
  dirs[0] = make_path(snapshot->tree, snapshot->fd, directory);
  if (dirs[0] < 0 || !maildir_root_make_parts(dirs[0], &snapshot->tree->creation))
    return false;
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
    if ((dirs[i + 1] = maildir_file_open_dir(dirs[0], parts[i])) < 0)
      return false;
  return true;
}

static bool
take_folder(const char *path, const char *directory, void *data)
{
  Snapshot *snapshot = data;
  if (directory == NULL) /* it only holds others, which bear its name */
    return true;
  g_autoptr(MaildirFolder) folder =
      maildir_folder_open(snapshot->tree, path, HAUL_READ, &snapshot->error);
  if (folder == NULL)
    return false;
  int dirs[4] = { -1, -1, -1, -1 };
  bool ok = open_parts(snapshot, directory, dirs);
  for (size_t i = 0; ok && beside[i] != NULL; i++)
    ok = copy_beside(snapshot->tree, folder->fd, dirs[0], beside[i]);
  if (!ok)
    cannot(&snapshot->error, snapshot->name);
  ok = ok && link_messages(snapshot, folder, dirs[1], dirs[2]);
  if (ok && !settle_dirs(snapshot->tree, dirs, G_N_ELEMENTS(dirs)))
    ok = cannot(&snapshot->error, snapshot->name);
  for (size_t i = 0; i < G_N_ELEMENTS(dirs); i++)
    if (dirs[i] >= 0)
      close(dirs[i]);
  return ok;
}

static void
write_name(char *name, size_t size, time_t when)
{
  struct tm utc;
  gmtime_r(&when, &utc);
  strftime(name, size, NAME_FORMAT, &utc);
}

/* Gives the complete one its name: the date, or the next second that is free. */
static bool
publish(const MaildirTree *tree, int snapshots, const char *making, char *name, size_t size)
{
  for (time_t when = time(NULL);; when++) {
    write_name(name, size, when);
    if (maildir_file_rename_new(snapshots, making, snapshots, name))
      return settle_dirs(tree, &snapshots, 1);
    if (errno != EEXIST)
      return false;
  }
}

/* ---- removing ---- */

static bool remove_tree(int dir, const char *name);

static bool
empty_dir(int fd)
{
  DIR *listing = maildir_file_list(fd);
  if (listing == NULL)
    return false;
  bool ok = true;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      ok = (unlinkat(fd, entry->d_name, 0) == 0
            || ((errno == EISDIR || errno == EPERM) && remove_tree(fd, entry->d_name)))
           && ok;
  closedir(listing);
  return ok;
}

/* Removes a directory with all that is in it, and follows no link. False with errno. */
static bool
remove_tree(int dir, const char *name)
{
  int fd = maildir_file_open_dir(dir, name);
  if (fd < 0)
    return errno == ENOENT;
  bool ok = empty_dir(fd);
  int failure = errno;
  close(fd);
  errno = failure;
  return ok && unlinkat(dir, name, AT_REMOVEDIR) == 0;
}

static bool
is_snapshot(const char *name)
{
  const char *shape = NAME_SHAPE;
  if (strlen(name) != strlen(shape))
    return false;
  for (size_t i = 0; shape[i] != '\0'; i++)
    if (shape[i] == 'd' ? !g_ascii_isdigit(name[i]) : name[i] != shape[i])
      return false;
  return true;
}

static int
compare_names(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Removes what is not complete, and all but the @keep latest snapshots (0: all stay). */
static bool
tidy(int snapshots, uint64_t keep, GError **error)
{
  DIR *listing = maildir_file_list(snapshots);
  if (listing == NULL)
    return maildir_write_error(error, errno, "cannot read " MAILDIR_SNAPSHOTS);
  g_autoptr(GPtrArray) doomed = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (g_str_has_prefix(entry->d_name, MAKING) || g_str_has_prefix(entry->d_name, REMOVING))
      g_ptr_array_add(doomed, g_strdup(entry->d_name));
    else if (is_snapshot(entry->d_name))
      g_ptr_array_add(names, g_strdup(entry->d_name));
  closedir(listing);
  g_ptr_array_sort(names, compare_names);
  for (guint i = 0; keep != 0 && i + keep < names->len; i++) {
    /* Under another name first: what is half removed must not look like one. */
    char *removing = g_strconcat(REMOVING, names->pdata[i], NULL);
    g_ptr_array_add(doomed, removing);
    if (renameat(snapshots, names->pdata[i], snapshots, removing) != 0)
      return maildir_write_error(error, errno, "cannot remove " MAILDIR_SNAPSHOTS "/%s",
                                 (const char *)names->pdata[i]);
  }
  for (guint i = 0; i < doomed->len; i++)
    if (!remove_tree(snapshots, doomed->pdata[i]))
      return maildir_write_error(error, errno, "cannot remove " MAILDIR_SNAPSHOTS "/%s",
                                 (const char *)doomed->pdata[i]);
  return true;
}

/* ---- the whole ---- */

static bool
make_one(MaildirTree *tree, int snapshots, GError **error)
{
  char name[sizeof "00000000T000000Z"];
  write_name(name, sizeof name, time(NULL));
  g_autofree char *making = g_strconcat(MAKING, name, NULL);
  Snapshot snapshot = { .tree = tree, .name = name, .fd = -1 };
  if (!maildir_file_make_dir(snapshots, making, &tree->creation)
      || (snapshot.fd = maildir_file_open_dir(snapshots, making)) < 0)
    return cannot(error, name);
  g_autofree char *uuid = NULL;
  /* Its folders need not show by themselves how it lies; and it is a tree of its own. */
  bool ok = maildir_tree_each(tree, take_folder, &snapshot, &snapshot.error)
            && maildir_root_name(tree, snapshot.fd, snapshot.fd, &uuid, &snapshot.error);
  if (ok
      && !(settle_dirs(tree, &snapshot.fd, 1)
           && publish(tree, snapshots, making, name, sizeof name)))
    ok = cannot(&snapshot.error, name);
  close(snapshot.fd);
  if (ok)
    haul_log(HAUL_LOG_INFO,
             "destination: snapshot %s/" MAILDIR_SNAPSHOTS "/%s: %" PRIu64 " messages", tree->root,
             name, snapshot.n_messages);
  else {
    remove_tree(snapshots, making);
    g_propagate_error(error, snapshot.error);
  }
  return ok;
}

bool
maildir_snapshot_make(MaildirTree *tree, uint64_t keep, GError **error)
{
  if (!maildir_root_make(tree, error))
    return false;
  if (maildir_place_has_folder(tree->fd, MAILDIR_SNAPSHOTS)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "maildir",
                   "%s/" MAILDIR_SNAPSHOTS " is a folder with mail: no snapshot can be kept there",
                   tree->root);
    return false;
  }
  int lock = maildir_root_lock(tree);
  int snapshots = make_path(tree, tree->fd, MAILDIR_SNAPSHOTS);
  bool ok = snapshots >= 0 ? tidy(snapshots, 0, error) && make_one(tree, snapshots, error)
                                 && tidy(snapshots, keep, error)
                           : maildir_write_error(error, errno, "cannot make %s/" MAILDIR_SNAPSHOTS,
                                                 tree->root);
  if (snapshots >= 0)
    close(snapshots);
  if (lock >= 0)
    close(lock);
  return ok;
}
