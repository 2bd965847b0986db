/*
 * The tree: a Maildir++ root with its folders, found, created, and named canonically.
 *
 * INBOX is the root itself; the folder A/B is the directory ".A.B", its name in modified UTF-7.
 * What a subscription is, subscriptions.h knows; what is in a folder, folder.h.
 */
#ifndef MAILDIR_TREE_H
#define MAILDIR_TREE_H

#include <glib.h>
#include <stdbool.h>

#include <mailhaul/plugin.h>

#include "file.h"

typedef struct {
  char *root;      /* owned; absolute, for messages */
  int fd;          /* -1: not there yet, as a dry run may find it: an empty tree */
  char *uuid;      /* owned; NULL where no identity file is */
  GHashTable *odd; /* owned; path -> directory, of folders that others named their way;
                               NULL until the tree was first read */
  bool writable;
  MaildirCreation creation;
} MaildirTree;

/*
 * Opens the tree at @path, with HAUL_WRITE making it and its identity where it is new.
 *
 * @may_be_new: whether it may be absent or empty: so for a destination. What is neither a Maildir
 * nor empty is refused. @sync: whether files are to be on disk before they count.
 * Errors: HAUL_ERROR_ACCOUNT "maildir" or "disk-full".
 */
MaildirTree *
maildir_tree_open(const char *path, HaulIntent intent, bool may_be_new, bool sync, GError **error);
void maildir_tree_close(MaildirTree *tree);

/* "maildir:UUID", or "maildir:path:..." where none has been given; to be freed. */
char *maildir_tree_identity(const MaildirTree *tree);

/* Excludes the other stores that change files beside the messages; close() the result to let them.
 * Returns -1 where the file system has no locks, or the tree is not ours to write. */
int maildir_tree_lock(const MaildirTree *tree);

/* Calls @each with the canonical path of every folder and its directory ("." for INBOX; NULL: it
 * only holds folders), until it returns false, which is returned. */
typedef bool (*MaildirTreeFunc)(const char *path, const char *directory, void *data);
bool maildir_tree_each(MaildirTree *tree, MaildirTreeFunc each, void *data, GError **error);

/* Returns the directory of the folder @path, to be freed, NULL if there is none: without @error set
 * unless the tree could not be read. */
char *maildir_tree_find(MaildirTree *tree, const char *path, GError **error);

/* Makes the folder @path; one that exists is fine. */
bool maildir_tree_create(MaildirTree *tree, const char *path, GError **error);

/* Puts what was created on disk. */
bool maildir_tree_settle(MaildirTree *tree, GError **error);

/* The canonical path of a name as Maildir++ writes it, "A.B" in modified UTF-7, and back; to be
 * freed. Every name has one, also the malformed. */
char *maildir_tree_path_of(const char *name);
char *maildir_tree_name_of(const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MaildirTree, maildir_tree_close)

#endif /* MAILDIR_TREE_H */
