/* Dovecot's lock of the file dovecot-uidlist. */
#include "dotlock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LIST "dovecot-uidlist"
#define LOCK "dovecot-uidlist.lock"
#define STALE_S 120
#define PATIENCE_MS 30000
#define TEXT_LIMIT 511

/* Reads the process that a lock names, if it is one of this host; else 0. */
static pid_t
local_pid(const char *text, size_t size, const char *host)
{
  char copy[TEXT_LIMIT + 1];
  size = MIN(size, TEXT_LIMIT);
  memcpy(copy, text, size);
  copy[size] = '\0';
  char *colon = strchr(copy, ':'), *end;
  if (colon == NULL)
    return 0;
  g_strchomp(colon);
  *colon = '\0';
  long pid = g_ascii_isdigit(copy[0]) ? strtol(copy, &end, 10) : 0;
  return pid > 0 && pid <= G_MAXINT && end == colon && strcmp(colon + 1, host) == 0 ? (pid_t)pid
                                                                                    : 0;
}

bool
maildir_dotlock_is_stale(const char *text, size_t size, int64_t age_s, const char *host)
{
  pid_t pid = local_pid(text, size, host);
  if (pid == 0)
    return age_s > STALE_S;
  /* Our own: of another thread, which then has it locked, or of one before us who had our number. */
  return pid == getpid() || (kill(pid, 0) != 0 && errno == ESRCH);
}

/* Seconds since the lock or the list changed. */
static int64_t
age_of(int dir, const struct stat *lock)
{
  struct stat list;
  time_t latest = MAX(lock->st_mtime, lock->st_ctime);
  if (fstatat(dir, LIST, &list, AT_SYMLINK_NOFOLLOW) == 0)
    latest = MAX(latest, MAX(list.st_mtime, list.st_ctime));
  return (int64_t)time(NULL) - latest;
}

/* Keeps other threads and processes of ours from taking the lock for one that was left behind. */
static bool
hold(int fd)
{
  return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno == EOPNOTSUPP || errno == ENOLCK;
}

/* Removes the lock if it was left behind. Two who think so at once do not both remove one: each first
 * locks the file that it looked at. Returns whether it is worth trying again at once. */
static bool
remove_stale(int dir)
{
  int fd = maildir_file_open_to_lock(dir, LOCK);
  if (fd < 0)
    return errno == ENOENT;
  char text[TEXT_LIMIT];
  struct stat opened, now;
  bool removed = false;
  if (hold(fd) && fstat(fd, &opened) == 0 && S_ISREG(opened.st_mode)) {
    ssize_t n = read(fd, text, sizeof text);
    removed = n >= 0
              && maildir_dotlock_is_stale(text, (size_t)n, age_of(dir, &opened), g_get_host_name())
              && fstatat(dir, LOCK, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_dev == opened.st_dev
              && now.st_ino == opened.st_ino && unlinkat(dir, LOCK, 0) == 0;
  }
  close(fd);
  return removed;
}

/* Makes the lock, aside first: were we killed while it has no text, nobody could tell for two minutes that
 * it was left behind. Returns its descriptor, or -1 with errno. */
static int
make(int dir, int tmp, const MaildirCreation *creation)
{
  if (faccessat(dir, LOCK, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return -1;
  }
  g_autofree char *aside = maildir_file_name_aside();
  g_autofree char *text = g_strdup_printf("%d:%s", (int)getpid(), g_get_host_name());
  int fd = openat(tmp, aside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return -1;
  if (hold(fd) && maildir_file_write_all(fd, text, strlen(text)) && maildir_file_give(fd, creation)
      && maildir_file_rename_new(tmp, aside, dir, LOCK))
    return fd;
  int failure = errno;
  unlinkat(tmp, aside, 0);
  close(fd);
  errno = failure;
  return -1;
}

int
maildir_dotlock_take(int dir, int tmp, const char *where, const HaulAccount *account,
                     const MaildirCreation *creation, GError **error)
{
  int64_t give_up = g_get_monotonic_time() + PATIENCE_MS * INT64_C(1000);
  for (unsigned pause_ms = 2;; pause_ms = MIN(2 * pause_ms, 100)) {
    int fd = make(dir, tmp, creation);
    if (fd >= 0)
      return fd;
    if (errno != EEXIST) {
      maildir_folder_error(error, errno, "cannot create %s/" LOCK, where);
      return -1;
    }
    if (account != NULL && haul_account_cancelled(account)) {
      haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "asked to stop");
      return -1;
    }
    if (remove_stale(dir))
      continue;
    if (g_get_monotonic_time() >= give_up) {
      haul_set_error(error, HAUL_ERROR_BUSY, "busy",
                     "%s/" LOCK " is there, and whoever made it does not let go", where);
      return -1;
    }
    struct timespec pause = { .tv_nsec = pause_ms * 1000000L };
    nanosleep(&pause, NULL);
  }
}

void
maildir_dotlock_release(int dir, int lock)
{
  if (lock < 0)
    return;
  struct stat mine, now;
  if (fstat(lock, &mine) == 0 && fstatat(dir, LOCK, &now, AT_SYMLINK_NOFOLLOW) == 0
      && mine.st_dev == now.st_dev && mine.st_ino == now.st_ino)
    unlinkat(dir, LOCK, 0);
  close(lock);
}

void
maildir_dotlock_tidy(int dir)
{
  if (faccessat(dir, LOCK, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
    remove_stale(dir);
}
