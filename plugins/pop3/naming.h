/*
 * Ids of messages that no UIDL names: made of their header, by TOP, and of all of them, by RETR, where the
 * header is not enough or cannot be had.
 */
#ifndef POP3_NAMING_H
#define POP3_NAMING_H

#include <glib.h>
#include <stdbool.h>

#include "store.h"

/*
 * Makes ids of all messages that have none. @sparing: only of those that TOP tells enough of; the others
 * are going to be fetched in their order, and named as they pass.
 */
bool pop3_name_messages(HaulStore *store, bool sparing, GError **error);

/* Gives a message that cannot be read a name for the session, under which it can be reported. */
void pop3_name_unreadable(HaulStore *store, guint index);
/* Whether @id is such a name, under which nothing must be remembered: its number is another's later. */
bool pop3_is_name_for_session(const char *id);

#endif /* POP3_NAMING_H */
