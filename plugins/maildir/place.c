/* Directories below the root. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Opens the next level of a path and closes the one before. */
static int
step(int at, const char *level)
{
  int next = maildir_file_open_dir(at, level);
  int failure = errno;
  close(at);
  errno = failure;
  return next;
}

int
maildir_place_open(int root, const char *path)
{
  int at = maildir_file_open_dir(root, ".");
  g_auto(GStrv) levels = g_strsplit(strcmp(path, ".") == 0 ? "" : path, "/", -1);
  for (char **level = levels; at >= 0 && *level != NULL; level++)
    at = step(at, *level);
  return at;
}

static bool
is_dir(int dir, const char *name)
{
  struct stat status;
  return fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

bool
maildir_place_has_folder(int root, const char *path)
{
  int fd = maildir_place_open(root, path);
  if (fd < 0)
    return false;
  struct stat status;
  bool is = is_dir(fd, "cur") || is_dir(fd, "new")
            || fstatat(fd, "maildirfolder", &status, AT_SYMLINK_NOFOLLOW) == 0;
  close(fd);
  errno = 0;
  return is;
}

/* Makes the directory @name in @at; @sync: whether that is to be on disk. False with errno. */
static bool
make_level(int at, const char *name, bool sync, const MaildirCreation *creation)
{
  return maildir_file_make_dir(at, name, creation) && (!sync || fsync(at) == 0);
}

int
maildir_place_make(int root, const char *path, const MaildirCreation *creation)
{
  int at = maildir_file_open_dir(root, ".");
  g_auto(GStrv) levels = g_strsplit(strcmp(path, ".") == 0 ? "" : path, "/", -1);
  for (char **level = levels; at >= 0 && *level != NULL; level++) {
    struct stat status;
    bool is_missing = fstatat(at, *level, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
    /* The root is put on disk by whoever makes many. */
    bool ok = is_missing ? make_level(at, *level, creation->sync && level != levels, creation)
                         /* One that was not yet given away when a run was killed, is now. */
                         : maildir_file_make_dir(at, *level, creation);
    if (!ok) {
      int failure = errno;
      close(at);
      errno = failure;
      return -1;
    }
    at = step(at, *level);
  }
  return at;
}

/* Whether both names lead to one and the same directory. */
static bool
are_one(int dir, const char *one, const char *two)
{
  struct stat first, second;
  return fstatat(dir, one, &first, AT_SYMLINK_NOFOLLOW) == 0
         && fstatat(dir, two, &second, AT_SYMLINK_NOFOLLOW) == 0 && first.st_dev == second.st_dev
         && first.st_ino == second.st_ino;
}

/* Whether this file system may take @name for another's. Names on disk are ASCII, so that no normal
 * forms of letters come into it. */
static bool
may_be_another(int dir, const char *name)
{
  g_autofree char *swapped = g_strdup(name), *cut = g_strdup(name);
  for (char *at = swapped; *at != '\0'; at++)
    *at = g_ascii_islower(*at) ? g_ascii_toupper(*at) : g_ascii_tolower(*at);
  for (size_t end = strlen(cut); end > 0 && strchr(". ", cut[end - 1]) != NULL; end--)
    cut[end - 1] = '\0';
  return (strcmp(swapped, name) != 0 && are_one(dir, name, swapped))
         || (cut[0] != '\0' && strcmp(cut, name) != 0 && are_one(dir, name, cut));
}

/* Returns the name by which @dir lists what it gives for @name, to be freed; NULL if it is not there. */
static char *
spelling_in(int dir, const char *name)
{
  if (!may_be_another(dir, name))
    return is_dir(dir, name) ? g_strdup(name) : NULL;
  DIR *listing = maildir_file_list(dir);
  char *found = NULL;
  for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
    bool is_it = strcmp(entry->d_name, name) == 0;
    if (!is_it && (found != NULL || entry->d_type == DT_REG || !are_one(dir, name, entry->d_name)))
      continue;
    g_free(found);
    found = g_strdup(entry->d_name);
    if (is_it)
      break;
  }
  if (listing != NULL)
    closedir(listing);
  return found;
}

bool
maildir_place_is_spelt(int root, const char *path, char **other)
{
  bool is_there = true;
  int at = maildir_file_open_dir(root, ".");
  g_autoptr(GString) spelling = g_string_new(NULL);
  g_auto(GStrv) levels = g_strsplit(path, "/", -1);
  for (char **level = levels; is_there && *level != NULL; level++) {
    g_autofree char *found = at >= 0 ? spelling_in(at, *level) : NULL;
    is_there = found != NULL;
    if (level != levels)
      g_string_append_c(spelling, '/');
    g_string_append(spelling, is_there ? found : "");
    if (is_there && level[1] != NULL)
      at = step(at, *level);
  }
  if (at >= 0)
    close(at);
  bool is_spelt = is_there && strcmp(spelling->str, path) == 0;
  if (other != NULL)
    *other = is_there && !is_spelt ? g_strdup(spelling->str) : NULL;
  return is_spelt;
}

bool
maildir_place_is_link(int dir, const char *name)
{
  struct stat itself, target;
  return fstatat(dir, name, &itself, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(itself.st_mode)
         && fstatat(dir, name, &target, 0) == 0 && S_ISDIR(target.st_mode);
}
