/*
 * The tree: the folders below a Maildir++ root, found, created, and named canonically.
 *
 * INBOX is the root itself; the folder A/B is the directory ".A.B", its name in modified UTF-7.
 * What a subscription is, subscriptions.h knows; what is in a folder, folder.h.
 */
#ifndef MAILDIR_TREE_H
#define MAILDIR_TREE_H

#include <glib.h>
#include <stdbool.h>

#include "root.h"

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

#endif /* MAILDIR_TREE_H */
