/*
 * Storing: how a message becomes a file in tmp, with LF where that loses nothing, its date, and its
 * owner. What becomes of the file, writer.c knows.
 */
#ifndef MAILDIR_STORING_H
#define MAILDIR_STORING_H

#include "store.h"

/*
 * Makes a file in tmp of the selected folder that holds the message.
 *
 * *base: gets its name, to be freed; NULL where there is none, which there may be after a failure, too.
 */
bool maildir_storing_write(HaulStore *store, HaulMessage *message, char **base, GError **error);

/* Sets the error for a message whose octets cannot be had. Returns false. */
bool maildir_storing_spool_error(GError **error);

#endif /* MAILDIR_STORING_H */
