/* Where a state file lives and who holds it. */
#include "journal-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>

struct HaulJournalFile {
  char *path;  /* owned */
  int lock_fd; /* -1: nothing to lock */
};

bool
haul_own_folder(const char *folder, GError **error)
{
  struct stat info;
  if (g_mkdir_with_parents(folder, 0700) != 0 || lstat(folder, &info) != 0) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, errno == ENOSPC ? "disk-full" : "state",
                   "state folder %s: %s; choose another with --state", folder, g_strerror(errno));
    return false;
  }
  if (S_ISLNK(info.st_mode) && stat(folder, &info) != 0)
    info.st_mode = 0;
  if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid()) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "state",
                   "state folder %s is not a folder of yours; choose another with --state", folder);
    return false;
  }
  return true;
}

static char *
state_name(const char *identity1, const char *identity2)
{
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  g_checksum_update(sum, (const guchar *)identity1, (gssize)strlen(identity1) + 1);
  g_checksum_update(sum, (const guchar *)identity2, (gssize)strlen(identity2) + 1);
  return g_strndup(g_checksum_get_string(sum), 32);
}

static void
report_holder(int fd, const char *path, GError **error)
{
  char holder[128] = "";
  ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
  if (n > 0)
    g_strstrip(holder);
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "locked",
                 "these two accounts are being synced already (%s; lock %s); wait for it to end",
                 n > 0 ? holder : "by another process", path);
}

static bool
take_lock(HaulJournalFile *file, const char *path, bool create, GError **error)
{
  file->lock_fd = open(path, (create ? O_CREAT | O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file->lock_fd < 0 && !create && errno == ENOENT)
    return true;
  if (file->lock_fd < 0) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, errno == ENOSPC ? "disk-full" : "state",
                   "lock %s: %s", path, g_strerror(errno));
    return false;
  }
  struct flock lock = { .l_type = create ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET };
  if (fcntl(file->lock_fd, F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES)
      report_holder(file->lock_fd, path, error);
    else
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "state", "lock %s: %s", path, g_strerror(errno));
    return false;
  }
  if (create) {
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *when = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    g_autofree char *holder = g_strdup_printf("pid %d since %s\n", (int)getpid(), when);
    /* Only a courtesy to who finds the lock taken. */
    if (ftruncate(file->lock_fd, 0) != 0 || pwrite(file->lock_fd, holder, strlen(holder), 0) < 0)
      g_debug("lock %s: %s", path, g_strerror(errno));
  }
  return true;
}

/* Makes the file before SQLite would, which takes the mode of what is there for all that it adds. */
static bool
make_private(const char *path, GError **error)
{
  int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, errno == ENOSPC ? "disk-full" : "state",
                   "state %s: %s", path, g_strerror(errno));
    return false;
  }
  close(fd);
  return true;
}

HaulJournalFile *
haul_journal_file_open(const char *folder, const char *identity1, const char *identity2,
                       bool create, GError **error)
{
  if (create && !haul_own_folder(folder, error))
    return NULL;
  HaulJournalFile *file = g_new0(HaulJournalFile, 1);
  g_autofree char *name = state_name(identity1, identity2);
  g_autofree char *database = g_strconcat(name, ".db", NULL);
  g_autofree char *lock_name = g_strconcat(name, ".lock", NULL);
  g_autofree char *lock = g_build_filename(folder, lock_name, NULL);
  file->path = g_build_filename(folder, database, NULL);
  if (!take_lock(file, lock, create, error) || (create && !make_private(file->path, error))) {
    haul_journal_file_close(file);
    return NULL;
  }
  return file;
}

void
haul_journal_file_close(HaulJournalFile *file)
{
  if (file == NULL)
    return;
  if (file->lock_fd >= 0)
    close(file->lock_fd);
  g_free(file->path);
  g_free(file);
}

const char *
haul_journal_file_path(const HaulJournalFile *file)
{
  return file->path;
}

bool
haul_journal_file_put_aside(HaulJournalFile *file, GError **error)
{
  static const char *const parts[] = { "", "-wal" };
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_autofree char *from = g_strconcat(file->path, parts[i], NULL);
    g_autofree char *to = g_strconcat(file->path, ".damaged", parts[i], NULL);
    if (rename(from, to) != 0 && errno != ENOENT) {
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "state",
                     "cannot put aside the damaged state %s: %s", from, g_strerror(errno));
      return false;
    }
  }
  return true;
}
