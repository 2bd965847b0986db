/*
 * The subscriptions file, as Dovecot keeps it in the root: a line per folder, names in modified
 * UTF-7. Version 2 begins with "V\t2" and an empty line and separates levels by tabs; the old form
 * has no head and separates them as the layout does. Where there is none, Courier's is read, whose names
 * all begin with "INBOX".
 */
#ifndef MAILDIR_SUBSCRIPTIONS_H
#define MAILDIR_SUBSCRIPTIONS_H

#include <glib.h>
#include <stdbool.h>

#include "tree.h"

/* Reads the canonical paths subscribed, a set of strings. A file that cannot be read says nothing,
 * with a line in the log: folders are told all the same. */
GHashTable *maildir_subscriptions_read(const MaildirTree *tree);

/* Adds the folders to the file, which keeps its form and what it held. Errors: HAUL_ERROR_FOLDER
 * where it cannot be read, or not whole. */
bool maildir_subscriptions_add(const MaildirTree *tree, const HaulFolder *folders, size_t n_folders,
                               GError **error);

/* What the octets of such a file say: a set of canonical paths. @is_new_form: whether to write
 * version 2 (so also for an empty file); may be NULL. */
GHashTable *maildir_subscriptions_parse(const char *text, MaildirNaming naming, bool *is_new_form);

/* The same of Courier's file. */
GHashTable *maildir_subscriptions_parse_courier(const char *text);

/* Returns a line, without its end, that says @path; to be freed. NULL if no folder can be called so. */
char *maildir_subscriptions_line(const char *path, MaildirNaming naming, bool is_new_form);

#endif /* MAILDIR_SUBSCRIPTIONS_H */
