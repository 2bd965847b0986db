/*
 * The root of a Maildir: whether a path is one, how it is made, and who the tree is. It is made when
 * it is needed, not when it is opened: the other side may turn out to be out of reach.
 */
#ifndef MAILDIR_ROOT_H
#define MAILDIR_ROOT_H

#include <glib.h>
#include <stdbool.h>
#include <time.h>

#include <mailhaul/plugin.h>

#include "file.h"
#include "layout.h"

typedef struct MaildirTree {
  const HaulAccount *account; /* borrowed; who can be told to stop waiting; or NULL */
  char *root;                 /* owned; absolute, for messages */
  int fd;                     /* -1: not there (yet): an empty tree */
  char *uuid;                 /* owned; NULL where no identity file is */
  GHashTable *odd; /* owned; path -> directory, of folders that others named their way; NULL until
                      the tree was first read (tree.c) */
  const MaildirLayout *wanted; /* as asked for; NULL: whichever it has */
  const MaildirLayout *layout;
  MaildirNaming naming; /* that of the layout, with the separator of this tree */
  char *inbox;          /* owned; the directory of INBOX, "." for the root */
  GHashTable *told;     /* owned; what the log has been told of already */
  bool writable;
  bool is_made; /* all that maildir_root_make() makes is known to be there */
  int guard;    /* -1 until it is written to; leavings.c: */
  bool was_alone;
  struct timespec alone_at;
  MaildirCreation creation;
} MaildirTree;

/*
 * Opens the tree at @path, and leaves it as it is.
 *
 * @layout: the one that it has to have; NULL: whichever it has, or the usual one if it is new.
 * @may_be_new: whether it may be absent or empty: so for a destination. What is neither a Maildir
 * nor empty is refused. @known: its identity in the last run, if it must be the same tree, or NULL.
 * @sync: whether files are to be on disk before they count.
 * Errors: HAUL_ERROR_ACCOUNT "maildir", "disk-full" or "not-mounted".
 */
MaildirTree *maildir_root_open(const char *path, const MaildirLayout *layout, HaulIntent intent,
                               bool may_be_new, const char *known, bool sync, GError **error);

/* Makes what is missing of a tree opened for writing: its root, INBOX, and its identity. */
bool maildir_root_make(MaildirTree *tree, GError **error);
void maildir_root_close(MaildirTree *tree);

/* Writes the identity file of a tree in @root that lies as @tree does, by way of @tmp. *uuid: gets who it
 * is, to be freed. */
bool maildir_root_name(const MaildirTree *tree, int root, int tmp, char **uuid, GError **error);

/* "maildir:UUID", or "maildir:path:..." where none has been given; to be freed. */
char *maildir_root_identity(const MaildirTree *tree);

/* Excludes the other stores that change files beside the messages; close() the result to let them.
 * Returns -1 where the file system has no locks, or the tree is not ours to write. */
int maildir_root_lock(const MaildirTree *tree);

/* Makes what every folder has: tmp, new, and cur. False with errno. */
bool maildir_root_make_parts(int dir, const MaildirCreation *creation);

/* Opens a folder in which files of the root can be written first. Returns -1 with errno. */
int maildir_root_open_tmp(const MaildirTree *tree);

/* Whether the log is to be told of @what: true once. */
bool maildir_root_tells(const MaildirTree *tree, const char *what);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MaildirTree, maildir_root_close)

#endif /* MAILDIR_ROOT_H */
