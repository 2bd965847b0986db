/* The table of layouts, and which one a tree has. */
#include "layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "identity.h"
#include "place.h"
#include "snapshot.h"

static bool
walk_nothing(struct MaildirTree *tree G_GNUC_UNUSED, MaildirLayoutFunc found G_GNUC_UNUSED,
             void *data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return true;
}

enum { PLUS, FS, FLAT, SINGLE };
static const MaildirLayout layouts[] = {
  [PLUS] = { "maildir++", ".", { '.', false }, maildir_layout_walk_dotted },
  [FS] = { "fs", "", { '/', true }, maildir_layout_walk_nested },
  [FLAT] = { "flat", "", { '.', true }, maildir_layout_walk_bare },
  [SINGLE] = { "single", "", { '\0', true }, walk_nothing },
};

const MaildirLayout *
maildir_layout_find(const char *word)
{
  for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++)
    if (strcmp(layouts[i].word, word) == 0)
      return &layouts[i];
  return NULL;
}

/* Looking. */

void
maildir_layout_look_clear(MaildirLook *look)
{
  g_free(look->inbox);
  *look = (MaildirLook){ 0 };
}

/* What lies in the root of a file system, or is ours, or was begun and not finished. */
static bool
is_nobodys(int root, const char *name)
{
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "tmp") == 0
         || strcmp(name, "lost+found") == 0 || maildir_snapshot_is_place(root, name);
}

/* Notes what a bare folder's name tells of the layout. */
static void
note_name(MaildirLook *look, const char *name)
{
  /* No letter, and nothing that modified UTF-7 or an escape is made of. */
  const char separators[] = ".:;!_=|^~";
  if (g_ascii_strncasecmp(name, "INBOX", 5) != 0)
    return;
  if (name[5] == '\0') {
    if (look->inbox == NULL || strcmp(name, "INBOX") == 0) {
      g_free(look->inbox);
      look->inbox = g_strdup(name);
    }
  } else if (g_str_has_prefix(name, "INBOX") && strchr(separators, name[5]) != NULL
             && name[6] != '\0') {
    static const char several = '/'; /* which no name holds */
    look->separator = look->separator == '\0' || look->separator == name[5] ? name[5] : several;
  }
}

static void
look_at_bare(int root, const char *name, MaildirLook *look)
{
  int dir = maildir_file_open_dir(root, name);
  if (dir < 0) {
    look->n_others++;
    return;
  }
  bool is_folder = maildir_place_has_folder(dir, "."), holds = maildir_layout_holds_folders(dir);
  struct stat status;
  if (strcmp(name, "INBOX") == 0) /* we were killed while making it */
    is_folder |= fstatat(dir, "tmp", &status, AT_SYMLINK_NOFOLLOW) == 0;
  close(dir);
  if (!is_folder && !holds) {
    look->n_others++;
    look->n_other_dirs++;
    return;
  }
  look->n_bare++;
  look->is_nested |= holds;
  if (is_folder)
    note_name(look, name);
}

bool
maildir_layout_look(int root, bool whole, MaildirLook *look)
{
  *look = (MaildirLook){ 0 };
  DIR *listing = maildir_file_list(root);
  if (listing == NULL)
    return false;
  struct dirent *entry;
  while (errno = 0, (entry = readdir(listing)) != NULL) {
    const char *name = entry->d_name;
    if (look->n_dotted > 0 && !whole)
      break;
    if (is_nobodys(root, name))
      continue;
    if (strcmp(name, "cur") == 0 || strcmp(name, "new") == 0)
      look->has_parts = true;
    else if (strcmp(name, MAILDIR_IDENTITY) == 0)
      look->has_identity = true;
    else if (name[0] == '.' && maildir_place_has_folder(root, name))
      look->n_dotted++;
    else if (name[0] == '.' || entry->d_type == DT_REG)
      look->n_others++;
    else
      look_at_bare(root, name, look);
  }
  int failure = errno;
  closedir(listing);
  if (look->separator == '/')
    look->separator = '\0';
  errno = failure;
  return failure == 0;
}

/* Deciding. */

/* The layout that a look shows; NULL where there is no folder to tell. */
static const MaildirLayout *
layout_seen(const MaildirLook *look)
{
  if (look->n_dotted > 0)
    return &layouts[PLUS];
  if (look->n_bare == 0)
    return NULL;
  bool is_flat = !look->has_parts && !look->is_nested && look->separator != '\0';
  return &layouts[is_flat ? FLAT : FS];
}

/* Whether a tree that looks so can have the layout: it shows folders of that kind. */
static bool
can_be(const MaildirLayout *layout, const MaildirLook *look)
{
  if (layout == &layouts[PLUS])
    return look->n_dotted > 0;
  if (layout == &layouts[SINGLE])
    return false;
  return look->n_bare > 0;
}

const MaildirLayout *
maildir_layout_decide(const MaildirLayout *wanted, const MaildirLayout *recorded,
                      const MaildirLook *look, const char *where, GError **error)
{
  if (recorded != NULL) {
    if (wanted == NULL || wanted == recorded)
      return recorded;
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "maildir",
                   "%s has the layout %s, as its file " MAILDIR_IDENTITY " says, and not %s", where,
                   recorded->word, wanted->word);
    return NULL;
  }
  const MaildirLayout *seen = look == NULL ? NULL : layout_seen(look);
  if (seen == NULL)
    return wanted != NULL ? wanted : &layouts[PLUS];
  if (wanted == NULL || wanted == seen || can_be(wanted, look))
    return wanted != NULL ? wanted : seen;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "maildir",
                 "%s has the layout %s, as the folders in it show, and not %s", where, seen->word,
                 wanted->word);
  return NULL;
}
