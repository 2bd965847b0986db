/*
 * The identity file of a tree, .mailhaul in its root: a UUID by which the state knows it again
 * wherever it is mounted, and by whose absence it shows that it is not.
 */
#ifndef MAILDIR_IDENTITY_H
#define MAILDIR_IDENTITY_H

#include <glib.h>
#include <stdbool.h>

#include "file.h"

#define MAILDIR_IDENTITY ".mailhaul"

/* Reads who the tree is; *uuid is NULL where it has no such file. *layout: gets the word for its layout,
 * to be freed, or NULL; itself NULL where nobody asks. @where: the root, for messages.
 * Errors: HAUL_ERROR_ACCOUNT "maildir". */
bool maildir_identity_read(int root, const char *where, char **uuid, char **layout, GError **error);

/* Gives the tree a name of its own, written first in the folder @tmp, and notes its layout. Another store
 * may do so at this very moment: the first wins, and *uuid is whose it is. */
bool maildir_identity_make(int root, int tmp, const char *where, const char *layout,
                           const MaildirCreation *creation, char **uuid, GError **error);

/* "maildir:UUID", or "maildir:path:..." where none has been given; to be freed. */
char *maildir_identity_text(const char *uuid, const char *where);

/*
 * Checks that the tree is the one of the last run. One that had a UUID then and has none, or another,
 * is a disk that is not mounted, or not this one: it must not count as an empty tree.
 *
 * @known: its identity then, or NULL for none. @is_there: whether the root exists.
 * Errors: HAUL_ERROR_ACCOUNT "not-mounted".
 */
bool maildir_identity_check(const char *known, const char *uuid, const char *where, bool is_there,
                            GError **error);

#endif /* MAILDIR_IDENTITY_H */
