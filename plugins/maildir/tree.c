/* The tree: finding, creating and naming folders. */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "place.h"

/* Returns the canonical path of a directory below the root; to be freed. */
static char *
path_of(const MaildirTree *tree, const char *directory)
{
  g_autofree char *name = g_strdup(directory + strlen(tree->layout->prefix));
  if (tree->naming.separator == '/') {
    /* Some hide the folders within a folder: A/.B (mbsync's "Legacy"). */
    for (char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
      if (slash[1] == '.' && slash[2] != '\0' && slash[2] != '/')
        memmove(slash + 1, slash + 2, strlen(slash + 2) + 1);
  }
  /* What is below "Inbox" is below INBOX where that is its directory. */
  size_t inbox = strlen(tree->inbox);
  if (strcmp(tree->inbox, ".") != 0 && g_str_has_prefix(name, tree->inbox)
      && name[inbox] == tree->naming.separator)
    memcpy(name, "INBOX", inbox);
  return maildir_naming_path(tree->naming, name);
}

/*
 * Returns the directory that the folder @path has, or is to have; to be freed. NULL where the layout
 * cannot hold it. What others have named their way bears that name also in what lies in it.
 */
static char *
directory_of(const MaildirTree *tree, const char *path)
{
  if (tree->naming.separator == '\0')
    return NULL;
  g_autofree char *name = maildir_naming_name(tree->naming, path);
  if (name == NULL)
    return NULL;
  if (tree->naming.separator == '/' && tree->odd != NULL) {
    g_autofree char *above = g_strdup(path);
    unsigned levels = 1;
    for (char *slash; (slash = strrchr(above, '/')) != NULL; levels++) {
      *slash = '\0';
      const char *odd = g_hash_table_lookup(tree->odd, above);
      if (odd == NULL)
        continue;
      const char *rest = name + strlen(name);
      for (unsigned left = levels; left > 0; left -= *rest == '/')
        rest--;
      return g_strconcat(odd, rest, NULL);
    }
  }
  return g_strconcat(tree->layout->prefix, name, NULL);
}

/* Reading. */

typedef struct {
  MaildirTree *tree;
  GHashTable *paths; /* path -> directory */
} Gathering;

/* Remembers a folder whose directory is not named as we would have named it. */
static void
note_if_odd(MaildirTree *tree, const char *path, const char *directory)
{
  g_autofree char *name = maildir_naming_name(tree->naming, path);
  if (name == NULL || strcmp(name, directory + strlen(tree->layout->prefix)) != 0)
    g_hash_table_replace(tree->odd, g_strdup(path), g_strdup(directory));
}

static bool
gather(const char *directory, bool is_folder, void *data)
{
  Gathering *gathering = data;
  MaildirTree *tree = gathering->tree;
  g_autofree char *path = path_of(tree, directory);
  if (!is_folder) {
    note_if_odd(tree, path, directory);
  } else if (g_hash_table_contains(gathering->paths, path)) {
    if (maildir_root_tells(tree, directory))
      haul_log(HAUL_LOG_WARNING, "%s/%s: another folder is called %s, too; it was left out",
               tree->root, directory, path);
  } else {
    note_if_odd(tree, path, directory);
    g_hash_table_insert(gathering->paths, g_steal_pointer(&path), g_strdup(directory));
  }
  return true;
}

/* Gathers path -> directory of all folders but INBOX. */
static GHashTable *
read_tree(MaildirTree *tree, GError **error)
{
  g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  if (tree->odd == NULL)
    tree->odd = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  if (strcmp(tree->inbox, ".") != 0)
    note_if_odd(tree, "INBOX", tree->inbox);
  Gathering gathering = { .tree = tree, .paths = paths };
  if (tree->fd >= 0 && !tree->layout->walk(tree, gather, &gathering, error))
    return NULL;
  return g_steal_pointer(&paths);
}

static bool
tell_ancestors(GHashTable *paths, MaildirTreeFunc each, void *data)
{
  g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iterator;
  gpointer key;
  g_hash_table_iter_init(&iterator, paths);
  while (g_hash_table_iter_next(&iterator, &key, NULL)) {
    g_autofree char *path = g_strdup(key);
    for (char *slash; (slash = strrchr(path, '/')) != NULL;) {
      *slash = '\0';
      if (path[0] == '\0' || g_hash_table_contains(paths, path) || haul_path_is_inbox(path))
        continue;
      if (!g_hash_table_add(told, g_strdup(path)))
        break; /* and so all above it */
      if (!each(path, NULL, data))
        return false;
    }
  }
  return true;
}

bool
maildir_tree_each(MaildirTree *tree, MaildirTreeFunc each, void *data, GError **error)
{
  g_autoptr(GHashTable) paths = read_tree(tree, error);
  if (paths == NULL)
    return false;
  if (!each("INBOX", tree->inbox, data) || !tell_ancestors(paths, each, data))
    return false;
  GHashTableIter iterator;
  gpointer path, directory;
  g_hash_table_iter_init(&iterator, paths);
  while (g_hash_table_iter_next(&iterator, &path, &directory))
    if (!each(path, directory, data))
      return false;
  return true;
}

char *
maildir_tree_find(MaildirTree *tree, const char *path, GError **error)
{
  if (haul_path_is_inbox(path))
    return g_strdup(tree->inbox);
  if (tree->fd < 0)
    return NULL;
  g_autofree char *directory = directory_of(tree, path);
  if (directory != NULL && maildir_place_has_folder(tree->fd, directory)
      && maildir_place_is_spelt(tree->fd, directory, NULL))
    return g_steal_pointer(&directory);
  if (tree->odd == NULL) {
    g_autoptr(GHashTable) paths = read_tree(tree, error);
    if (paths == NULL)
      return NULL;
  }
  return g_strdup(g_hash_table_lookup(tree->odd, path));
}

/* Creating. */

static bool
cannot_hold(const MaildirTree *tree, const char *path, GError **error)
{
  if (tree->naming.separator == '\0')
    haul_set_error(error, HAUL_ERROR_FOLDER, "create",
                   "%s is a single Maildir and holds INBOX alone, not %s", tree->root, path);
  else
    haul_set_error(error, HAUL_ERROR_FOLDER, "create", "a Maildir cannot hold a folder called %s",
                   path);
  return false;
}

/* Whether the file system holds names as long. */
static bool
fits(const MaildirTree *tree, const char *path, const char *directory, GError **error)
{
  long limit = fpathconf(tree->fd, _PC_NAME_MAX);
  if (limit <= 0)
    limit = NAME_MAX;
  for (const char *level = directory; *level != '\0'; level += *level == '/') {
    size_t size = strcspn(level, "/");
    if (size > (size_t)limit) {
      const char *hint = tree->naming.separator != '/' && strchr(path, '/') != NULL
                             ? "; the layout fs has a name for each level"
                             : "";
      haul_set_error(error, HAUL_ERROR_FOLDER, "create",
                     "the name of the folder %s is too long: %zu octets on disk, where %s holds "
                     "%ld%s",
                     path, size, tree->root, limit, hint);
      return false;
    }
    level += size;
  }
  return true;
}

static bool
make_folder(const MaildirTree *tree, const char *directory)
{
  int fd = maildir_place_make(tree->fd, directory, &tree->creation);
  if (fd < 0)
    return false;
  bool ok = maildir_root_make_parts(fd, &tree->creation);
  if (ok) {
    int mark =
        openat(fd, "maildirfolder", O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    ok = mark >= 0 && maildir_file_give(mark, &tree->creation);
    if (mark >= 0)
      close(mark);
  }
  if (ok && tree->creation.sync)
    ok = fsync(fd) == 0;
  int failure = errno;
  close(fd);
  errno = failure;
  return ok;
}

/* Whether the file system takes the directory for another one. If they differ by case alone, whoever asks
 * finds it under that name; else it is an error. */
static bool
check_twin(const MaildirTree *tree, const char *path, const char *directory, bool *is_twin,
           GError **error)
{
  g_autofree char *other = NULL;
  *is_twin = false;
  if (maildir_place_is_spelt(tree->fd, directory, &other) || other == NULL)
    return true;
  *is_twin = true;
  g_autofree char *other_path = path_of(tree, other);
  g_autofree char *folded = g_utf8_casefold(path, -1);
  g_autofree char *other_folded = g_utf8_casefold(other_path, -1);
  if (strcmp(folded, other_folded) == 0)
    return true;
  haul_set_error(error, HAUL_ERROR_FOLDER, "create",
                 "the file system of %s takes the folders %s and %s for one", tree->root, path,
                 other_path);
  return false;
}

bool
maildir_tree_create(MaildirTree *tree, const char *path, GError **error)
{
  g_autoptr(GError) why = NULL;
  g_autofree char *found = maildir_tree_find(tree, path, &why);
  if (found != NULL)
    return true;
  if (why != NULL) {
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  g_autofree char *directory = directory_of(tree, path);
  if (directory == NULL)
    return cannot_hold(tree, path, error);
  bool is_twin;
  if (!fits(tree, path, directory, error) || !check_twin(tree, path, directory, &is_twin, error))
    return false;
  if (is_twin)
    return true;
  if (make_folder(tree, directory))
    return check_twin(tree, path, directory, &is_twin, error);
  if (errno == ENAMETOOLONG || errno == EINVAL || errno == ENOTDIR || errno == ELOOP)
    return maildir_error(error, HAUL_ERROR_FOLDER, "create", errno,
                         "cannot create the folder %s, %s/%s", path, tree->root, directory);
  return maildir_write_error(error, errno, "cannot create %s/%s", tree->root, directory);
}

bool
maildir_tree_settle(MaildirTree *tree, GError **error)
{
  if (!tree->creation.sync || fsync(tree->fd) == 0)
    return true;
  return maildir_write_error(error, errno, "cannot write %s", tree->root);
}
