/* The tree: finding, creating and naming folders. */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/log.h>
#include <mailhaul/text.h>

#define IDENTITY ".mailhaul"
#define IDENTITY_LIMIT 4096
/* What a file name cannot hold, besides the separator. */
#define UNHELD "/"

static const char *const parts[] = { "tmp", "new", "cur" };

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

/* Opening. */

static DIR *
open_listing(int dir)
{
  int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = fd < 0 ? NULL : fdopendir(fd);
  if (listing == NULL && fd >= 0)
    close(fd);
  return listing;
}

static bool
has_dir(int dir, const char *name)
{
  struct stat status;
  return fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* Whether the directory @name of the root is a folder. */
static bool
is_folder(int root, const char *name)
{
  int fd = maildir_file_open_dir(root, name);
  if (fd < 0)
    return false;
  struct stat status;
  bool is = has_dir(fd, "cur") || has_dir(fd, "new")
            || fstatat(fd, "maildirfolder", &status, AT_SYMLINK_NOFOLLOW) == 0;
  close(fd);
  return is;
}

typedef enum { ROOT_MAILDIR, ROOT_EMPTY, ROOT_FOREIGN } RootKind;

/* Says what the directory is. One where we were killed while making it counts as empty. */
static RootKind
kind_of_root(int root, GError **error)
{
  if (has_dir(root, "cur") || has_dir(root, "new"))
    return ROOT_MAILDIR;
  DIR *listing = open_listing(root);
  if (listing == NULL) {
    maildir_error(error, HAUL_ERROR_ACCOUNT, "maildir", errno, "cannot read the folder");
    return ROOT_FOREIGN;
  }
  RootKind kind = ROOT_EMPTY;
  for (struct dirent *entry; kind != ROOT_MAILDIR && (entry = readdir(listing)) != NULL;) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "tmp") == 0
        || strcmp(name, "lost+found") == 0)
      continue;
    if (strcmp(name, IDENTITY) == 0 || (name[0] == '.' && is_folder(root, name)))
      kind = ROOT_MAILDIR;
    else
      kind = ROOT_FOREIGN;
  }
  closedir(listing);
  return kind;
}

static bool
read_identity(MaildirTree *tree, GError **error)
{
  g_autoptr(GString) text = g_string_new(NULL);
  if (!maildir_file_read(tree->fd, IDENTITY, IDENTITY_LIMIT, text, NULL, error))
    return false;
  if (text->len == 0)
    return true;
  g_autoptr(GKeyFile) file = g_key_file_new();
  g_autofree char *uuid = NULL;
  if (g_key_file_load_from_data(file, text->str, text->len, G_KEY_FILE_NONE, NULL))
    uuid = g_key_file_get_string(file, "maildir", "uuid", NULL);
  if (uuid == NULL || !g_uuid_string_is_valid(uuid)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "maildir",
                   "%s/" IDENTITY " is damaged: it names no UUID; remove it, and messages are "
                   "paired anew by matching",
                   tree->root);
    return false;
  }
  tree->uuid = g_steal_pointer(&uuid);
  return true;
}

/* Gives the tree a name of its own. Another store may do so at this very moment: the first wins. */
static bool
make_identity(MaildirTree *tree, GError **error)
{
  g_autofree char *uuid = g_uuid_string_random();
  g_autofree char *text =
      g_strdup_printf("# Names this Maildir to mailhaul. A copy of the tree that is to be another\n"
                      "# account must not have this file.\n[maildir]\nuuid=%s\n",
                      uuid);
  int tmp = maildir_file_open_dir(tree->fd, "tmp");
  if (tmp < 0)
    return maildir_write_error(error, errno, "cannot open %s/tmp", tree->root);
  bool ok = maildir_file_replace(tree->fd, tmp, IDENTITY, text, strlen(text), true, &tree->creation,
                                 error);
  close(tmp);
  return ok && read_identity(tree, error);
}

/* Makes @path with its parents. */
static bool
make_root(const char *path, GError **error)
{
  if (g_mkdir_with_parents(path, 0700) == 0)
    return true;
  return maildir_write_error(error, errno, "cannot create the Maildir %s", path);
}

static bool
open_root(MaildirTree *tree, const char *path, HaulIntent intent, bool may_be_new, GError **error)
{
  char *real = realpath(path, NULL);
  if (real == NULL && errno == ENOENT && may_be_new) {
    if ((intent & HAUL_WRITE) == 0) {
      tree->root = g_canonicalize_filename(path, NULL);
      return true;
    }
    if (!make_root(path, error))
      return false;
    real = realpath(path, NULL);
  }
  if (real == NULL)
    return maildir_error(error, HAUL_ERROR_ACCOUNT, "maildir", errno, "cannot open the Maildir %s",
                         path);
  tree->root = g_strdup(real);
  free(real);
  tree->fd = open(tree->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (tree->fd < 0)
    return maildir_error(error, HAUL_ERROR_ACCOUNT, "maildir", errno, "cannot open the Maildir %s",
                         path);
  return true;
}

static bool
prepare_root(MaildirTree *tree, bool may_be_new, GError **error)
{
  g_autoptr(GError) why = NULL;
  RootKind kind = kind_of_root(tree->fd, &why);
  if (why != NULL) {
    g_propagate_prefixed_error(error, g_steal_pointer(&why), "%s: ", tree->root);
    return false;
  }
  if (kind == ROOT_FOREIGN || (kind == ROOT_EMPTY && !may_be_new)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "maildir", "%s is not a Maildir: %s", tree->root,
                   kind == ROOT_EMPTY ? "it is empty; is its file system mounted?"
                                      : "it holds other files and neither cur nor new");
    return false;
  }
  struct stat status;
  if (fstat(tree->fd, &status) == 0 && geteuid() == 0 && status.st_uid != 0) {
    tree->creation.give_away = true;
    tree->creation.uid = status.st_uid;
    tree->creation.gid = status.st_gid;
  }
  if (!read_identity(tree, error))
    return false;
  if (!tree->writable)
    return true;
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
    if (!maildir_file_make_dir(tree->fd, parts[i], &tree->creation))
      return maildir_write_error(error, errno, "cannot write to the Maildir %s", tree->root);
  if (faccessat(tree->fd, "cur", W_OK, AT_EACCESS) != 0)
    return maildir_write_error(error, errno, "cannot write to the Maildir %s", tree->root);
  return tree->uuid != NULL || make_identity(tree, error);
}

MaildirTree *
maildir_tree_open(const char *path, HaulIntent intent, bool may_be_new, bool sync, GError **error)
{
  g_autoptr(MaildirTree) tree = g_new0(MaildirTree, 1);
  tree->fd = -1;
  tree->writable = (intent & HAUL_WRITE) != 0;
  tree->creation.sync = sync;
  if (!open_root(tree, path, intent, may_be_new, error))
    return NULL;
  if (tree->fd >= 0 && !prepare_root(tree, may_be_new, error))
    return NULL;
  return g_steal_pointer(&tree);
}

void
maildir_tree_close(MaildirTree *tree)
{
  if (tree == NULL)
    return;
  if (tree->fd >= 0)
    close(tree->fd);
  g_free(tree->root);
  g_clear_pointer(&tree->odd, g_hash_table_unref);
  g_free(tree->uuid);
  g_free(tree);
}

char *
maildir_tree_identity(const MaildirTree *tree)
{
  if (tree->uuid != NULL)
    return g_strdup_printf("maildir:%s", tree->uuid);
  return g_strdup_printf("maildir:path:%s", tree->root);
}

int
maildir_tree_lock(const MaildirTree *tree)
{
  int fd = openat(tree->fd, IDENTITY, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return -1;
  while (flock(fd, LOCK_EX) != 0)
    if (errno != EINTR) {
      close(fd);
      return -1;
    }
  return fd;
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
  DIR *listing = open_listing(tree->fd);
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
    if ((entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) || !is_folder(tree->fd, name))
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
  if (strcmp(back, path) == 0 && is_folder(tree->fd, directory))
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
  bool ok = true;
  for (size_t i = 0; ok && i < G_N_ELEMENTS(parts); i++)
    ok = maildir_file_make_dir(fd, parts[i], &tree->creation);
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
