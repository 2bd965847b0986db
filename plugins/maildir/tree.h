/*
 * The tree: its folders, found, created, and named canonically. Where they lie and how they are called
 * there, layout.h knows; what a subscription is, subscriptions.h; what is in a folder, folder.h.
 */
#ifndef MAILDIR_TREE_H
#define MAILDIR_TREE_H

#include <glib.h>
#include <stdbool.h>

#include "root.h"

/* Calls @each with the canonical path of every folder and its directory below the root ("." for that
 * itself; NULL: it only holds folders), until it returns false, which is returned. */
typedef bool (*MaildirTreeFunc)(const char *path, const char *directory, void *data);
bool maildir_tree_each(MaildirTree *tree, MaildirTreeFunc each, void *data, GError **error);

/* Returns the directory of the folder @path, to be freed, NULL if there is none: without @error set
 * unless the tree could not be read. */
char *maildir_tree_find(MaildirTree *tree, const char *path, GError **error);

/* Makes the folder @path; one that exists is fine, and one that has this name in other letters where the
 * file system takes both for one. Errors: HAUL_ERROR_FOLDER "create" where it cannot be. */
bool maildir_tree_create(MaildirTree *tree, const char *path, GError **error);

/* Puts what was created on disk. */
bool maildir_tree_settle(MaildirTree *tree, GError **error);

#endif /* MAILDIR_TREE_H */
