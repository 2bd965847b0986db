/* Files beside the messages, and errors of the file system. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_error(GError **error, HaulError reach, const char *reason, int errnum,
                      const char *format, va_list arguments) G_GNUC_PRINTF(5, 0);

static void
set_error(GError **error, HaulError reach, const char *reason, int errnum, const char *format,
          va_list arguments)
{
  g_autofree char *tried = g_strdup_vprintf(format, arguments);
  haul_set_error(error, reach, reason, "%s: %s", tried, g_strerror(errnum));
}

bool
maildir_error(GError **error, HaulError reach, const char *reason, int errnum, const char *format,
              ...)
{
  va_list arguments;
  va_start(arguments, format);
  set_error(error, reach, reason, errnum, format, arguments);
  va_end(arguments);
  return false;
}

static void set_write_error(GError **error, int errnum, const char *format, va_list arguments)
    G_GNUC_PRINTF(3, 0);

static void
set_write_error(GError **error, int errnum, const char *format, va_list arguments)
{
  if (errnum == ENOSPC || errnum == EDQUOT)
    set_error(error, HAUL_ERROR_ACCOUNT, "disk-full", errnum, format, arguments);
  else if (errnum == EFBIG)
    set_error(error, HAUL_ERROR_MESSAGE, "too-big", errnum, format, arguments);
  else
    set_error(error, HAUL_ERROR_ACCOUNT, "maildir", errnum, format, arguments);
}

bool
maildir_write_error(GError **error, int errnum, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  set_write_error(error, errnum, format, arguments);
  va_end(arguments);
  return false;
}

bool
maildir_folder_error(GError **error, int errnum, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  if (errnum == ENOENT || errnum == ENOTDIR || errnum == ESTALE)
    set_error(error, HAUL_ERROR_FOLDER, "no-folder", errnum, format, arguments);
  else
    set_write_error(error, errnum, format, arguments);
  va_end(arguments);
  return false;
}

int
maildir_file_open_dir(int dir, const char *name)
{
  return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
maildir_file_open_to_lock(int dir, const char *name)
{
  const int how = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  int fd = openat(dir, name, O_RDWR | how);
  return fd >= 0 || errno == ENOENT ? fd : openat(dir, name, O_RDONLY | how);
}

DIR *
maildir_file_list(int dir)
{
  int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = fd < 0 ? NULL : fdopendir(fd);
  if (listing == NULL && fd >= 0)
    close(fd);
  return listing;
}

bool
maildir_file_give(int fd, const MaildirCreation *creation)
{
  if (!creation->give_away)
    return true;
  /* Only what is ours: in a tree that its owner changes meanwhile, a name may mean another file. */
  struct stat status;
  if (fstat(fd, &status) != 0)
    return false;
  return status.st_uid != geteuid() || fchown(fd, creation->uid, creation->gid) == 0;
}

static bool
is_empty(int dir)
{
  DIR *listing = maildir_file_list(dir);
  bool empty = listing != NULL;
  for (struct dirent *entry; empty && (entry = readdir(listing)) != NULL;)
    empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
  if (listing != NULL)
    closedir(listing);
  return empty;
}

bool
maildir_file_make_dir(int dir, const char *name, const MaildirCreation *creation)
{
  bool is_new = mkdirat(dir, name, 0700) == 0;
  if (!creation->give_away || (!is_new && errno != EEXIST))
    return is_new || errno == EEXIST;
  int fd = maildir_file_open_dir(dir, name);
  if (fd < 0)
    return !is_new; /* who needs it will say why */
  /* One that is there may have been made by a run that was killed before it gave it away. */
  bool ok = (!is_new && !is_empty(fd)) || maildir_file_give(fd, creation);
  int failure = errno;
  close(fd);
  errno = failure;
  return ok;
}

bool
maildir_file_write_all(int fd, const void *octets, size_t size)
{
  const char *at = octets;
  while (size > 0) {
    ssize_t n = write(fd, at, size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      if (n == 0)
        errno = ENOSPC;
      return false;
    }
    at += n;
    size -= (size_t)n;
  }
  return true;
}

bool
maildir_file_read(int dir, const char *name, size_t limit, GString *out, bool *cut, HaulError reach,
                  GError **error)
{
  g_string_truncate(out, 0);
  if (cut != NULL)
    *cut = false;
  int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return errno == ENOENT || maildir_error(error, reach, "maildir", errno, "cannot open %s", name);
  struct stat status;
  ssize_t n = -1;
  if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode))
    errno = EINVAL;
  else {
    char buffer[4096];
    while ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
      if (n > 0)
        g_string_append_len(out, buffer, MIN((size_t)n, limit - out->len));
      if (n > 0 && out->len == limit) {
        n = read(fd, buffer, 1);
        if (cut != NULL)
          *cut = n != 0;
        n = 0;
        break;
      }
    }
  }
  int failure = errno;
  close(fd);
  return n == 0 || maildir_error(error, reach, "maildir", failure, "cannot read %s", name);
}

char *
maildir_file_name_aside(void)
{
  return g_strdup_printf("%" G_GUINT64_FORMAT ".P%u.mailhaul", maildir_file_unique_time(),
                         (unsigned)getpid());
}

/* Writes a file of its own in @tmp. Returns its name, to be freed, or NULL with errno. */
static char *
write_aside(int tmp, const char *text, size_t size, mode_t mode, const MaildirCreation *creation)
{
  g_autofree char *aside = maildir_file_name_aside();
  int fd = openat(tmp, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return NULL;
  bool ok = maildir_file_write_all(fd, text, size) && maildir_file_give(fd, creation)
            && (mode == 0600 || fchmod(fd, mode) == 0) && (!creation->sync || fsync(fd) == 0);
  int failure = errno;
  if (close(fd) != 0 && ok) {
    ok = false;
    failure = errno;
  }
  if (!ok) {
    unlinkat(tmp, aside, 0);
    errno = failure;
    return NULL;
  }
  return g_steal_pointer(&aside);
}

bool
maildir_file_replace(int dir, int tmp, const char *name, const char *text, size_t size, bool keep,
                     const MaildirCreation *creation, GError **error)
{
  struct stat old;
  mode_t mode = 0600;
  if (fstatat(dir, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(old.st_mode))
    mode = old.st_mode & 0777;
  g_autofree char *aside = write_aside(tmp, text, size, mode, creation);
  if (aside == NULL)
    return maildir_folder_error(error, errno, "cannot write %s", name);

  bool ok = keep ? linkat(tmp, aside, dir, name, 0) == 0 || errno == EEXIST
                 : renameat(tmp, aside, dir, name) == 0;
  int failure = errno;
  if (keep || !ok)
    unlinkat(tmp, aside, 0);
  if (ok && creation->sync && fsync(dir) != 0) {
    ok = false;
    failure = errno;
  }
  return ok || maildir_folder_error(error, failure, "cannot write %s", name);
}

bool
maildir_file_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
  if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
    return true;
  if (errno != EINVAL && errno != ENOSYS)
    return false;
  /* The file system cannot; a second name does it with the same care. */
  if (linkat(from_dir, from, to_dir, to, 0) != 0)
    return false;
  unlinkat(from_dir, from, 0); /* a first name that stays is cleared away later, from tmp */
  return true;
}

uint64_t
maildir_file_unique_time(void)
{
  static _Atomic uint64_t latest;
  uint64_t now = (uint64_t)g_get_real_time();
  uint64_t before = atomic_load(&latest), mine;
  do
    mine = now > before ? now : before + 1;
  while (!atomic_compare_exchange_weak(&latest, &before, mine));
  return mine;
}
