/* What killed deliveries left in tmp. */
#include "leavings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "name.h"

/* How long a file may lie in tmp, by the rule of Maildir. */
#define ABANDONED_S (36 * 3600)
/* For how long one of us may be looking whether he is alone; somebody else may hold the lock for ever. */
#define PATIENCE_TRIES 100
#define PAUSE_NS 5000000L

static bool
lock(int fd, int how, unsigned tries)
{
  while (flock(fd, how | LOCK_NB) != 0) {
    if (errno != EINTR && (errno != EWOULDBLOCK || --tries == 0))
      return false;
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    nanosleep(&pause, NULL);
  }
  return true;
}

/* The time by the file system's clock, which may be another machine's. */
static bool
time_there(int dir, struct timespec *now)
{
  const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_NOW } };
  struct stat status;
  if (futimens(dir, times) != 0 || fstat(dir, &status) != 0)
    return false;
  *now = status.st_ctim;
  return true;
}

void
maildir_leavings_guard(MaildirTree *tree)
{
  if (tree->guard >= 0)
    return;
  int fd = maildir_root_open_tmp(tree);
  if (fd < 0)
    return;
  tree->was_alone = lock(fd, LOCK_EX, 1) && time_there(fd, &tree->alone_at);
  if (lock(fd, LOCK_SH, PATIENCE_TRIES)) {
    tree->guard = fd;
    return;
  }
  tree->was_alone = false;
  close(fd);
}

/* Whether a file of that name is one of this machine's deliveries, or a small file of ours. */
static bool
is_ours(const char *name, const char *mark)
{
  const char *at = strstr(name, mark);
  return (at != NULL && strstr(at, ",W=") != NULL) || g_str_has_suffix(name, ".mailhaul");
}

/* The times of change count, for those of modification are the messages'. */
static bool
is_left(const MaildirTree *tree, const struct stat *status)
{
  const struct timespec *then = &status->st_ctim, *alone = &tree->alone_at;
  if (tree->was_alone
      && (then->tv_sec < alone->tv_sec
          || (then->tv_sec == alone->tv_sec && then->tv_nsec < alone->tv_nsec)))
    return true;
  return then->tv_sec + ABANDONED_S < time(NULL);
}

void
maildir_leavings_clear(const MaildirTree *tree, int tmp)
{
  DIR *listing = maildir_file_list(tmp);
  if (listing == NULL)
    return;
  g_autofree char *host = maildir_name_host(g_get_host_name());
  g_autofree char *mark = g_strdup_printf(".%s,S=", host);
  struct stat status;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (entry->d_name[0] != '.' && is_ours(entry->d_name, mark)
        && fstatat(tmp, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode)
        && is_left(tree, &status))
      unlinkat(tmp, entry->d_name, 0);
  closedir(listing);
}
