/*
 * Layouts: where in a tree its folders lie, and how they are called there. Each is a row of a table;
 * what all share, tree.h does. Which one a tree has is found out by looking at it, once.
 *
 *   maildir++  INBOX is the root itself, A/B the directory ".A.B"
 *   fs         INBOX is the root, or its directory INBOX; A/B is the directory B in A
 *   flat       INBOX is the root's directory INBOX, A/B its directory "A.B"
 *   single     INBOX is the root, and there are no others
 */
#ifndef MAILDIR_LAYOUT_H
#define MAILDIR_LAYOUT_H

#include <glib.h>
#include <stdbool.h>

#include "naming.h"

struct MaildirTree;

/* Told of a directory below the root. @is_folder: whether it is one itself, or only holds some. */
typedef bool (*MaildirLayoutFunc)(const char *directory, bool is_folder, void *data);

typedef struct {
  const char *word;     /* as settings and .mailhaul say it */
  const char *prefix;   /* what a directory begins with before its name */
  MaildirNaming naming; /* a separator of '\0': there is no folder but INBOX */
  /* Calls @found for every folder of the tree but INBOX, until it returns false, which is returned.
   * Errors: HAUL_ERROR_ACCOUNT "maildir". */
  bool (*walk)(struct MaildirTree *tree, MaildirLayoutFunc found, void *data, GError **error);
} MaildirLayout;

/* What a directory looks like that may be a root. */
typedef struct {
  bool has_parts;    /* cur or new */
  bool has_identity; /* .mailhaul */
  guint n_dotted;    /* folders ".A" */
  guint n_bare;      /* folders "A", or directories that hold some */
  guint n_others;    /* what belongs to no Maildir, directories among it counted as follows */
  guint n_other_dirs;
  bool is_nested; /* a bare one holds some */
  char separator; /* what follows INBOX in all bare names that begin with it; '\0' if not one */
  char *inbox;    /* owned; the bare folder called INBOX, in any case; or NULL */
} MaildirLook;

/* Looks at @root; where not at the @whole of it, only until a folder ".A" is seen. False with errno where
 * it cannot be read. */
bool maildir_layout_look(int root, bool whole, MaildirLook *look);
void maildir_layout_look_clear(MaildirLook *look);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MaildirLook, maildir_layout_look_clear)

/* Returns the layout called @word; NULL if there is none. */
const MaildirLayout *maildir_layout_find(const char *word);

/*
 * Decides the layout of a tree.
 *
 * @wanted: as asked for, or NULL. @recorded: as the tree says of itself, or NULL. @look: NULL for a
 * tree that is yet to be made. @where: the root, for messages.
 * Errors: HAUL_ERROR_ACCOUNT "maildir" where it is not as wanted.
 */
const MaildirLayout *
maildir_layout_decide(const MaildirLayout *wanted, const MaildirLayout *recorded,
                      const MaildirLook *look, const char *where, GError **error);

/* layout-beside.c: folders side by side in the root. layout-nested.c: folders in folders. */
bool maildir_layout_walk_dotted(struct MaildirTree *tree, MaildirLayoutFunc found, void *data,
                                GError **error);
bool maildir_layout_walk_bare(struct MaildirTree *tree, MaildirLayoutFunc found, void *data,
                              GError **error);
bool maildir_layout_walk_nested(struct MaildirTree *tree, MaildirLayoutFunc found, void *data,
                                GError **error);

/* Whether @dir holds a folder at any depth below; it gives up after a number of directories. */
bool maildir_layout_holds_folders(int dir);

#endif /* MAILDIR_LAYOUT_H */
