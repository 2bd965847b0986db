/* The root: what a path turns out to be, and how it is made. */
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity.h"

static bool
has_dir(int dir, const char *name)
{
  struct stat status;
  return fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

bool
maildir_root_has_folder(int root, const char *name)
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

bool
maildir_root_make_parts(int dir, const MaildirCreation *creation)
{
  return maildir_file_make_dir(dir, "tmp", creation) && maildir_file_make_dir(dir, "new", creation)
         && maildir_file_make_dir(dir, "cur", creation);
}

typedef enum { ROOT_MAILDIR, ROOT_EMPTY, ROOT_FOREIGN } RootKind;

/* Says what the directory is. One where we were killed while making it counts as empty. */
static RootKind
kind_of_root(int root, GError **error)
{
  if (has_dir(root, "cur") || has_dir(root, "new"))
    return ROOT_MAILDIR;
  DIR *listing = maildir_file_list(root);
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
    if (strcmp(name, MAILDIR_IDENTITY) == 0
        || (name[0] == '.' && maildir_root_has_folder(root, name)))
      kind = ROOT_MAILDIR;
    else
      kind = ROOT_FOREIGN;
  }
  closedir(listing);
  return kind;
}

/* Returns the real path of what is not there: that of the folder above it which is, and the rest. */
static char *
resolve_absent(const char *path)
{
  g_autofree char *absolute = g_canonicalize_filename(path, NULL);
  g_autofree char *above = g_strdup(absolute);
  char *real = realpath(above, NULL);
  while (real == NULL && strcmp(above, "/") != 0) {
    char *higher = g_path_get_dirname(above);
    g_free(above);
    above = higher;
    real = realpath(above, NULL);
  }
  if (real == NULL)
    return g_steal_pointer(&absolute);
  char *resolved = g_build_filename(real, absolute + strlen(above), NULL);
  free(real);
  return resolved;
}

static bool
cannot_open(const char *path, GError **error)
{
  return maildir_error(error, HAUL_ERROR_ACCOUNT, "maildir", errno, "cannot open the Maildir %s",
                       path);
}

static bool
open_root(MaildirTree *tree, const char *path, bool may_be_absent, GError **error)
{
  char *real = realpath(path, NULL);
  if (real == NULL && errno == ENOENT && may_be_absent) {
    tree->root = resolve_absent(path);
    return true;
  }
  if (real == NULL)
    return cannot_open(path, error);
  g_free(tree->root);
  tree->root = g_strdup(real);
  free(real);
  tree->fd = open(tree->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return tree->fd >= 0 || cannot_open(path, error);
}

/* Looks at a root that is there, and leaves it as it is. */
static bool
examine_root(MaildirTree *tree, bool may_be_new, const char *known, GError **error)
{
  if (!maildir_identity_read(tree->fd, tree->root, &tree->uuid, error)
      || !maildir_identity_check(known, tree->uuid, tree->root, true, error))
    return false;
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
  const char *written = has_dir(tree->fd, "cur") ? "cur" : ".";
  if (tree->writable && faccessat(tree->fd, written, W_OK, AT_EACCESS) != 0)
    return maildir_write_error(error, errno, "cannot write to the Maildir %s", tree->root);
  return true;
}

bool
maildir_root_make(MaildirTree *tree, GError **error)
{
  if (!tree->writable || tree->is_made)
    return true;
  if (tree->fd < 0) {
    g_autofree char *path = g_strdup(tree->root);
    if (g_mkdir_with_parents(path, 0700) != 0)
      return maildir_write_error(error, errno, "cannot create the Maildir %s", path);
    if (!open_root(tree, path, false, error) || !examine_root(tree, true, NULL, error))
      return false;
  }
  if (!maildir_root_make_parts(tree->fd, &tree->creation)
      || faccessat(tree->fd, "cur", W_OK, AT_EACCESS) != 0)
    return maildir_write_error(error, errno, "cannot write to the Maildir %s", tree->root);
  tree->is_made =
      tree->uuid != NULL
      || maildir_identity_make(tree->fd, tree->root, &tree->creation, &tree->uuid, error);
  return tree->is_made;
}

MaildirTree *
maildir_root_open(const char *path, HaulIntent intent, bool may_be_new, const char *known,
                  bool sync, GError **error)
{
  g_autoptr(MaildirTree) tree = g_new0(MaildirTree, 1);
  tree->fd = -1;
  tree->writable = (intent & HAUL_WRITE) != 0;
  tree->creation.sync = sync;
  if (!open_root(tree, path, may_be_new, error))
    return NULL;
  if (tree->fd < 0 ? !maildir_identity_check(known, NULL, tree->root, false, error)
                   : !examine_root(tree, may_be_new, known, error))
    return NULL;
  return g_steal_pointer(&tree);
}

void
maildir_root_close(MaildirTree *tree)
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
maildir_root_identity(const MaildirTree *tree)
{
  return maildir_identity_text(tree->uuid, tree->root);
}

int
maildir_root_lock(const MaildirTree *tree)
{
  int fd = openat(tree->fd, MAILDIR_IDENTITY, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return -1;
  while (flock(fd, LOCK_EX) != 0)
    if (errno != EINTR) {
      close(fd);
      return -1;
    }
  return fd;
}
