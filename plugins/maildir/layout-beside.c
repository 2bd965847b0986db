/* Layouts whose folders lie side by side in the root. */
#include "layout.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include <mailhaul/log.h>

#include "place.h"
#include "root.h"
#include "snapshot.h"

/* Whether an entry of the root may be a folder; says so where it would be one but for its kind. */
static bool
may_be_folder(MaildirTree *tree, const struct dirent *entry, bool dotted)
{
  const char *name = entry->d_name;
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (name[0] == '.') != dotted
      || strcmp(name, tree->inbox) == 0 || maildir_snapshot_is_place(tree->fd, name))
    return false;
  if (entry->d_type == DT_LNK && maildir_place_is_link(tree->fd, name)
      && maildir_root_tells(tree, name))
    haul_log(HAUL_LOG_WARNING, "%s/%s is a symbolic link and was left out", tree->root, name);
  return entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
}

/* Says so where mail lies that is no part of such a tree. */
static void
tell_strays(const MaildirTree *tree, const struct dirent *entry, bool dotted)
{
  const char *name = entry->d_name;
  if (dotted && name[0] != '.' && entry->d_type == DT_DIR
      && maildir_place_has_folder(tree->fd, name) && maildir_root_tells(tree, name))
    haul_log(HAUL_LOG_WARNING, "%s/%s is no part of a Maildir++ tree and was left out", tree->root,
             name);
}

static bool
walk(MaildirTree *tree, bool dotted, MaildirLayoutFunc found, void *data, GError **error)
{
  DIR *listing = maildir_file_list(tree->fd);
  if (listing == NULL)
    return maildir_error(error, HAUL_ERROR_ACCOUNT, "maildir", errno, "cannot read %s", tree->root);
  struct dirent *entry;
  while (errno = 0, (entry = readdir(listing)) != NULL) {
    tell_strays(tree, entry, dotted);
    if (may_be_folder(tree, entry, dotted)
        && (maildir_place_has_folder(tree->fd, entry->d_name)
            || errno == EACCES) /* told, for whoever opens it will hear why it cannot be read */
        && !found(entry->d_name, true, data)) {
      closedir(listing);
      return false;
    }
  }
  int failure = errno;
  closedir(listing);
  return failure == 0
         || maildir_error(error, HAUL_ERROR_ACCOUNT, "maildir", failure, "cannot read %s",
                          tree->root);
}

bool
maildir_layout_walk_dotted(MaildirTree *tree, MaildirLayoutFunc found, void *data, GError **error)
{
  return walk(tree, true, found, data, error);
}

bool
maildir_layout_walk_bare(MaildirTree *tree, MaildirLayoutFunc found, void *data, GError **error)
{
  return walk(tree, false, found, data, error);
}
