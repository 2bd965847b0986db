/*
 * Keywords that a folder does not take. One that is refused takes those beside it along, not those of all
 * other messages: a folder takes none only after two different sets of them were refused. What is left out
 * is counted, and told of when the store is closed.
 */
#ifndef IMAP_KEYWORDS_H
#define IMAP_KEYWORDS_H

#include "store.h"

/* Whether @keywords, NULL-terminated or NULL, are to be left out in @folder. */
bool imap_keywords_are_refused(const ImapFolder *folder, const char *const *keywords);

/* Takes note that what was refused with @keywords went through without. */
void imap_keywords_refuse(const HaulStore *store, ImapFolder *folder, const char *const *keywords);

/* Returns how many of @keywords are not sent, @bare or because no server could read them. */
unsigned imap_keywords_left_out(const char *const *keywords, bool bare);

/* Warns of what was left out, once for each folder. */
void imap_keywords_tell(const HaulStore *store);

#endif /* IMAP_KEYWORDS_H */
