/* The root: what a path turns out to be, and how it is made. */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "identity.h"
#include "leavings.h"
#include "place.h"

/* How many different things the log is told of. */
#define TOLD_LIMIT 1000

static bool
has_dir(int dir, const char *name)
{
  struct stat status;
  return fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

bool
maildir_root_make_parts(int dir, const MaildirCreation *creation)
{
  return maildir_file_make_dir(dir, "tmp", creation) && maildir_file_make_dir(dir, "new", creation)
         && maildir_file_make_dir(dir, "cur", creation);
}

/* Why what looks so is no Maildir; NULL if it is one. One where we were killed while making it counts as
 * empty, and so as new. */
static const char *
why_not(const MaildirTree *tree, const MaildirLook *look, bool may_be_new)
{
  if (look->has_parts || look->has_identity || look->n_dotted > 0)
    return NULL;
  /* Folders among others do not make a tree of what may be somebody's home, unless somebody says so. */
  bool is_said = tree->wanted != NULL && tree->wanted->naming.is_bare && look->n_bare > 0;
  if (look->inbox != NULL || is_said
      || (look->n_bare > 0 && look->n_other_dirs == 0 && !may_be_new))
    return NULL;
  if (look->n_bare > 0)
    return "it holds folders with mail, but no INBOX; if it is one, name its layout";
  if (look->n_others > 0)
    return "it holds other files and neither cur nor new";
  return may_be_new ? NULL : "it is empty; is its file system mounted?";
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

/* Decides where folders are, or will be. @look: nothing at all where there is no root yet. */
static bool
lay_out(MaildirTree *tree, const MaildirLayout *recorded, const MaildirLook *look, GError **error)
{
  tree->layout = maildir_layout_decide(tree->wanted, recorded, look, tree->root, error);
  if (tree->layout == NULL)
    return false;
  tree->naming = tree->layout->naming;
  bool is_flat = tree->layout->walk == maildir_layout_walk_bare;
  if (is_flat && look->separator != '\0')
    tree->naming.separator = look->separator;
  const char *inbox = ".";
  if (tree->naming.is_bare && !look->has_parts && look->inbox != NULL)
    inbox = look->inbox;
  else if (is_flat || (tree->naming.separator == '/' && !look->has_parts && look->n_bare > 0))
    inbox = "INBOX";
  g_free(tree->inbox);
  tree->inbox = g_strdup(inbox);
  return true;
}

/* What the tree says of itself: a layout, with the separator of a flat one where that is no dot. */
static bool
find_recorded(const MaildirTree *tree, const char *word, const MaildirLayout **recorded,
              char *separator, GError **error)
{
  *separator = '\0';
  bool is_flat = word != NULL && g_str_has_prefix(word, "flat") && strlen(word) == 5;
  if (is_flat)
    *separator = word[4];
  *recorded = word == NULL ? NULL : maildir_layout_find(is_flat ? "flat" : word);
  if (word == NULL || *recorded != NULL)
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "maildir",
                 "%s has the layout %s, as its file " MAILDIR_IDENTITY
                 " says, which this version does not know",
                 tree->root, word);
  return false;
}

/* Looks at what is there, as far as need be. */
static bool
look_at(const MaildirTree *tree, const MaildirLayout *recorded, MaildirLook *look, GError **error)
{
  *look = (MaildirLook){ .has_parts = has_dir(tree->fd, "cur") || has_dir(tree->fd, "new") };
  if (look->has_parts && recorded != NULL)
    return true;
  bool whole = recorded != NULL || tree->wanted != NULL;
  return maildir_layout_look(tree->fd, whole, look)
         || maildir_error(error, HAUL_ERROR_ACCOUNT, "maildir", errno, "cannot read %s",
                          tree->root);
}

/* Decides what the tree is. */
static bool
recognize(MaildirTree *tree, bool may_be_new, const char *word, GError **error)
{
  const MaildirLayout *recorded;
  char separator;
  g_auto(MaildirLook) look = { 0 };
  if (!find_recorded(tree, word, &recorded, &separator, error)
      || !look_at(tree, recorded, &look, error))
    return false;
  if (recorded != NULL) /* names may look as if it were another */
    look.separator = separator;
  const char *why = why_not(tree, &look, may_be_new);
  if (why == NULL)
    return lay_out(tree, recorded, &look, error);
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "maildir", "%s is not a Maildir: %s", tree->root, why);
  return false;
}

/* Looks at a root that is there, and leaves it as it is. */
static bool
examine_root(MaildirTree *tree, bool may_be_new, const char *known, GError **error)
{
  g_autofree char *word = NULL;
  if (!maildir_identity_read(tree->fd, tree->root, &tree->uuid, &word, error)
      || !maildir_identity_check(known, tree->uuid, tree->root, true, error)
      || !recognize(tree, may_be_new, word, error))
    return false;
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
maildir_root_name(const MaildirTree *tree, int root, int tmp, char **uuid, GError **error)
{
  const char other[] = { tree->naming.separator == '/' || tree->naming.separator == '.'
                             ? '\0'
                             : tree->naming.separator,
                         '\0' };
  g_autofree char *layout = g_strconcat(tree->layout->word, other, NULL);
  return maildir_identity_make(root, tmp, tree->root, layout, &tree->creation, uuid, error);
}

static bool
make_identity(MaildirTree *tree, GError **error)
{
  int tmp = maildir_root_open_tmp(tree);
  if (tmp < 0)
    return maildir_write_error(error, errno, "cannot open tmp in %s", tree->root);
  bool ok = maildir_root_name(tree, tree->fd, tmp, &tree->uuid, error);
  close(tmp);
  return ok;
}

static bool
make_inbox(const MaildirTree *tree)
{
  int inbox = maildir_place_make(tree->fd, tree->inbox, &tree->creation);
  bool ok = inbox >= 0 && maildir_root_make_parts(inbox, &tree->creation)
            && faccessat(inbox, "cur", W_OK, AT_EACCESS) == 0;
  int failure = errno;
  if (inbox >= 0)
    close(inbox);
  errno = failure;
  return ok;
}

/* Makes the folder @path and those above it, and puts on disk that they are there. False with errno. */
static bool
make_way(const char *path, bool sync)
{
  g_autofree char *made = g_strdup(path);
  GSList *ways = NULL; /* folders in which one is made, the highest first */
  while (g_access(made, F_OK) != 0 && strcmp(made, "/") != 0) {
    char *higher = g_path_get_dirname(made);
    g_free(made);
    made = higher;
    ways = g_slist_prepend(ways, g_strdup(higher));
  }
  bool ok = g_mkdir_with_parents(path, 0700) == 0;
  for (GSList *way = ways; ok && sync && way != NULL; way = way->next) {
    int fd = open(way->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = fd < 0 || fsync(fd) == 0; /* one may be allowed to write there and not to read */
    int failure = errno;
    if (fd >= 0)
      close(fd);
    errno = failure;
  }
  int failure = errno;
  g_slist_free_full(ways, g_free);
  errno = failure;
  return ok;
}

bool
maildir_root_make(MaildirTree *tree, GError **error)
{
  if (!tree->writable || tree->is_made)
    return true;
  if (tree->fd < 0) {
    g_autofree char *path = g_strdup(tree->root);
    if (!make_way(path, tree->creation.sync))
      return maildir_write_error(error, errno, "cannot create the Maildir %s", path);
    if (!open_root(tree, path, false, error) || !examine_root(tree, true, NULL, error))
      return false;
  }
  if (!make_inbox(tree))
    return maildir_write_error(error, errno, "cannot write to the Maildir %s", tree->root);
  maildir_leavings_guard(tree);
  tree->is_made = tree->uuid != NULL || make_identity(tree, error);
  return tree->is_made;
}

MaildirTree *
maildir_root_open(const char *path, const MaildirLayout *layout, HaulIntent intent, bool may_be_new,
                  const char *known, bool sync, GError **error)
{
  g_autoptr(MaildirTree) tree = g_new0(MaildirTree, 1);
  tree->fd = tree->guard = -1;
  tree->writable = (intent & HAUL_WRITE) != 0;
  tree->creation.sync = sync;
  tree->wanted = layout;
  tree->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  if (!open_root(tree, path, may_be_new, error))
    return NULL;
  const MaildirLook nothing = { 0 };
  if (tree->fd < 0 ? !maildir_identity_check(known, NULL, tree->root, false, error)
                         || !lay_out(tree, NULL, &nothing, error)
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
  if (tree->guard >= 0)
    close(tree->guard);
  g_free(tree->root);
  g_clear_pointer(&tree->odd, g_hash_table_unref);
  g_clear_pointer(&tree->told, g_hash_table_unref);
  g_free(tree->uuid);
  g_free(tree->inbox);
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
  int fd = maildir_file_open_to_lock(tree->fd, MAILDIR_IDENTITY);
  if (fd < 0)
    return -1;
  while (flock(fd, LOCK_EX) != 0)
    if (errno != EINTR) {
      close(fd);
      return -1;
    }
  return fd;
}

int
maildir_root_open_tmp(const MaildirTree *tree)
{
  int inbox = maildir_place_open(tree->fd, tree->inbox);
  if (inbox < 0)
    return -1;
  int tmp = maildir_file_open_dir(inbox, "tmp");
  int failure = errno;
  close(inbox);
  errno = failure;
  return tmp;
}

bool
maildir_root_tells(const MaildirTree *tree, const char *what)
{
  return g_hash_table_size(tree->told) < TOLD_LIMIT && g_hash_table_add(tree->told, g_strdup(what));
}
