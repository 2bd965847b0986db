/* The tree: finding, creating and naming folders. */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/log.h>
#include <mailhaul/text.h>

/* What a file name cannot hold, besides the separator. */
#define UNHELD "/"

/* Names. */

/* Escapes, as %XX, what keeps @name from being read as modified UTF-7 of UTF-8. */
static char *
escape_malformed(const char *name)
{
  bool is_utf8 = g_utf8_validate(name, -1, NULL);
  GString *result = g_string_new(NULL);
  for (; *name != '\0'; name++)
    if (*name == '&' || (!is_utf8 && (*name & 0x80) != 0))
      g_string_append_printf(result, "%%%02X", (unsigned char)*name);
    else
      g_string_append_c(result, *name);
  return g_string_free(result, FALSE);
}

char *
maildir_tree_path_of(const char *name)
{
  g_autofree char *decoded = haul_utf7_decode(name);
  /* Some write UTF-8 as it is; it has no encoding of its own to get lost. */
  if (decoded == NULL)
    decoded = escape_malformed(name);
  /* ".INBOX" is a folder beside the root, which has taken its name; and what is below "inbox" is
   * not below the root's. */
  size_t level = strcspn(decoded, ".");
  if (level == 5 && g_ascii_strncasecmp(decoded, "INBOX", level) == 0
      && (decoded[level] == '\0' || memcmp(decoded, "INBOX", level) != 0)) {
    g_autofree char *rest = haul_path_from_native(decoded + 1, '.', UNHELD);
    return g_strdup_printf("%%%02X%s", (unsigned char)decoded[0], rest);
  }
  return haul_path_from_native(decoded, '.', UNHELD);
}

char *
maildir_tree_name_of(const char *path)
{
  g_autofree char *native = haul_path_to_native(path, '.', UNHELD);
  return haul_utf7_encode(native);
}

/* Folders. */

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

/* Remembers a folder whose directory is not named as we would have named it. */
static void
note_if_odd(MaildirTree *tree, const char *path, const char *directory)
{
  g_autofree char *name = maildir_tree_name_of(path);
  if (strcmp(name, directory + 1) != 0)
    g_hash_table_replace(tree->odd, g_strdup(path), g_strdup(directory));
}

/* Gathers path -> directory of all folders but INBOX. */
static GHashTable *
read_tree(MaildirTree *tree, GError **error)
{
  g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  if (tree->odd == NULL)
    tree->odd = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  if (tree->fd < 0)
    return g_steal_pointer(&paths);
  DIR *listing = maildir_file_list(tree->fd);
  if (listing == NULL) {
    maildir_error(error, HAUL_ERROR_ACCOUNT, "maildir", errno, "cannot read %s", tree->root);
    return NULL;
  }
  struct dirent *entry;
  while (errno = 0, (entry = readdir(listing)) != NULL) {
    const char *name = entry->d_name;
    if (name[0] != '.' || name[1] == '\0' || strcmp(name, "..") == 0)
      continue;
    if (entry->d_type == DT_LNK)
      haul_log(HAUL_LOG_WARNING, "%s/%s is a symbolic link and was left out", tree->root, name);
    if ((entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
        || !maildir_root_has_folder(tree->fd, name))
      continue;
    g_autofree char *path = maildir_tree_path_of(name + 1);
    if (g_hash_table_contains(paths, path))
      haul_log(HAUL_LOG_WARNING, "%s/%s: another folder is called %s, too; it was left out",
               tree->root, name, path);
    else {
      note_if_odd(tree, path, name);
      g_hash_table_insert(paths, g_steal_pointer(&path), g_strdup(name));
    }
  }
  int failure = errno;
  closedir(listing);
  if (failure != 0) {
    maildir_error(error, HAUL_ERROR_ACCOUNT, "maildir", failure, "cannot read %s", tree->root);
    return NULL;
  }
  return g_steal_pointer(&paths);
}

bool
maildir_tree_each(MaildirTree *tree, MaildirTreeFunc each, void *data, GError **error)
{
  g_autoptr(GHashTable) paths = read_tree(tree, error);
  if (paths == NULL)
    return false;
  if (!each("INBOX", ".", data) || !tell_ancestors(paths, each, data))
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
    return g_strdup(".");
  if (tree->fd < 0)
    return NULL;
  g_autofree char *name = maildir_tree_name_of(path);
  g_autofree char *directory = g_strconcat(".", name, NULL);
  g_autofree char *back = maildir_tree_path_of(name);
  if (strcmp(back, path) == 0 && maildir_root_has_folder(tree->fd, directory))
    return g_steal_pointer(&directory);
  if (tree->odd == NULL) {
    g_autoptr(GHashTable) paths = read_tree(tree, error);
    if (paths == NULL)
      return NULL;
  }
  return g_strdup(g_hash_table_lookup(tree->odd, path));
}

static bool
make_folder(MaildirTree *tree, const char *directory)
{
  if (!maildir_file_make_dir(tree->fd, directory, &tree->creation))
    return false;
  int fd = maildir_file_open_dir(tree->fd, directory);
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
  g_autofree char *name = maildir_tree_name_of(path);
  g_autofree char *directory = g_strconcat(".", name, NULL);
  g_autofree char *back = maildir_tree_path_of(name);
  if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(back, path) != 0) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "create", "a Maildir cannot hold a folder called %s",
                   path);
    return false;
  }
  if (make_folder(tree, directory))
    return true;
  if (errno == ENAMETOOLONG || errno == EINVAL || errno == ENOTDIR || errno == ELOOP)
    return maildir_error(error, HAUL_ERROR_FOLDER, "create", errno, "cannot create %s/%s",
                         tree->root, directory);
  return maildir_write_error(error, errno, "cannot create %s/%s", tree->root, directory);
}

bool
maildir_tree_settle(MaildirTree *tree, GError **error)
{
  if (!tree->creation.sync || fsync(tree->fd) == 0)
    return true;
  return maildir_write_error(error, errno, "cannot write %s", tree->root);
}
