/* The layout whose folders lie in one another. */
#include "layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/log.h>

#include "place.h"
#include "root.h"
#include "snapshot.h"

/* Each level keeps a directory open. */
#define LEVELS_LIMIT 250
/* How many directories are looked at for folders before they count as somebody else's. */
#define LOOK_LIMIT 2000

typedef struct {
  MaildirTree *tree;
  MaildirLayoutFunc found;
  void *data;
  GString *path; /* of the directory at hand, from the root */
  unsigned level;
  GError **error;
} Walk;

static bool
cannot_read(const Walk *walk, int errnum)
{
  return maildir_error(walk->error, HAUL_ERROR_ACCOUNT, "maildir", errnum, "cannot read %s/%s",
                       walk->tree->root, walk->path->str);
}

static bool
is_part(const char *name)
{
  return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 || strcmp(name, "tmp") == 0;
}

/* Returns the directories in @dir that may be folders or hold some; NULL with errno. @links: if
 * not NULL, gets the symbolic links to such. */
static GPtrArray *
directories_in(int dir, bool is_root, GPtrArray *links)
{
  DIR *listing = maildir_file_list(dir);
  if (listing == NULL)
    return NULL;
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  struct dirent *entry;
  while (errno = 0, (entry = readdir(listing)) != NULL) {
    const char *name = entry->d_name;
    struct stat status;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_part(name)
        || (is_root && maildir_snapshot_is_place(dir, name)))
      continue;
    bool is_dir =
        entry->d_type == DT_DIR
        || (entry->d_type == DT_UNKNOWN && fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && S_ISDIR(status.st_mode));
    if (is_dir)
      g_ptr_array_add(names, g_strdup(name));
    else if (links != NULL && maildir_place_is_link(dir, name))
      g_ptr_array_add(links, g_strdup(name));
  }
  int failure = errno;
  closedir(listing);
  errno = failure;
  if (failure != 0)
    return NULL;
  return g_steal_pointer(&names);
}

static void
tell_links(const Walk *walk, const GPtrArray *links)
{
  for (guint i = 0; i < links->len; i++) {
    const char *name = links->pdata[i];
    g_autofree char *path =
        walk->path->len > 0 ? g_strconcat(walk->path->str, "/", name, NULL) : g_strdup(name);
    if (maildir_root_tells(walk->tree, path))
      haul_log(HAUL_LOG_WARNING, "%s/%s is a symbolic link and was left out", walk->tree->root,
               path);
  }
}

static bool walk_into(Walk *walk, int dir, const char *name);

static bool
walk_below(Walk *walk, int dir)
{
  g_autoptr(GPtrArray) links = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) names = directories_in(dir, walk->level == 0, links);
  if (names == NULL)
    return cannot_read(walk, errno);
  tell_links(walk, links);
  for (guint i = 0; i < names->len; i++)
    if (!walk_into(walk, dir, names->pdata[i]))
      return false;
  return true;
}

static bool
walk_into(Walk *walk, int dir, const char *name)
{
  if (walk->level == LEVELS_LIMIT) {
    haul_set_error(walk->error, HAUL_ERROR_ACCOUNT, "maildir", "%s goes deeper than %d levels: %s",
                   walk->tree->root, LEVELS_LIMIT, walk->path->str);
    return false;
  }
  size_t length = walk->path->len;
  if (length > 0)
    g_string_append_c(walk->path, '/');
  g_string_append(walk->path, name);
  walk->level++;
  int fd = maildir_file_open_dir(dir, name);
  bool ok = true;
  if (fd >= 0) {
    ok = strcmp(walk->path->str, walk->tree->inbox) == 0
         || walk->found(walk->path->str, maildir_place_has_folder(fd, "."), walk->data);
    ok = ok && walk_below(walk, fd);
    close(fd);
  } else if (errno == EACCES) { /* told, for whoever opens it will hear why it cannot be read */
    ok = walk->found(walk->path->str, true, walk->data);
  } else if (errno != ENOENT && errno != ELOOP && errno != ENOTDIR) /* it was there a moment ago */
    ok = cannot_read(walk, errno);
  walk->level--;
  g_string_truncate(walk->path, length);
  return ok;
}

bool
maildir_layout_walk_nested(MaildirTree *tree, MaildirLayoutFunc found, void *data, GError **error)
{
  g_autoptr(GString) path = g_string_new(NULL);
  Walk walk = { .tree = tree, .found = found, .data = data, .path = path, .error = error };
  return walk_below(&walk, tree->fd);
}

static bool
holds_folders(int dir, unsigned level, unsigned *left)
{
  g_autoptr(GPtrArray) names = directories_in(dir, false, NULL);
  bool holds = false;
  for (guint i = 0; names != NULL && !holds && i<names->len && * left> 0; i++) {
    --*left;
    int fd = maildir_file_open_dir(dir, names->pdata[i]);
    if (fd < 0)
      continue;
    holds = maildir_place_has_folder(fd, ".")
            || (level < LEVELS_LIMIT && holds_folders(fd, level + 1, left));
    close(fd);
  }
  return holds;
}

bool
maildir_layout_holds_folders(int dir)
{
  unsigned left = LOOK_LIMIT;
  return holds_folders(dir, 1, &left);
}
