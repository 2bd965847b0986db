/*
 * Messages that are delivered keep the UIDs or UIDLs that the source calls them by: they are entered in
 * dovecot-uidlist before Dovecot can number them.
 *
 * A folder keeps the source's UIDs where its list has the source's UIDVALIDITY, or can be given it: it
 * has no list and no message, or a list that never numbered one. In any other, and where the list is
 * damaged, Dovecot numbers what comes, as it does with every file that it finds. Which number is
 * free, uidlist.h knows; who may look, dotlock.h.
 */
#ifndef MAILDIR_NUMBERING_H
#define MAILDIR_NUMBERING_H

#include <mailhaul/plugin.h>

#include "folder.h"

typedef struct MaildirNumbering MaildirNumbering;

/* Returns how messages of that folder of the source are numbered; NULL if it tells no ids that last. */
MaildirNumbering *maildir_numbering_new(const HaulFolder *source);
MaildirNumbering *maildir_numbering_ref(MaildirNumbering *numbering);
void maildir_numbering_unref(MaildirNumbering *numbering);

/* One message about to be delivered. */
typedef struct {
  const char *id;   /* its UID or UIDL at the source */
  const char *base; /* its base name here            */
} MaildirNumbered;

/*
 * Enters messages in the folder's list and, until leave(), keeps everybody else from numbering any: in
 * between their files get their names. Each of those that were entered before counts as there.
 *
 * Errors: "busy", "disk-full", ...; then nothing is entered, and there is nothing to leave.
 */
bool maildir_numbering_enter(MaildirNumbering *numbering, const MaildirFolder *folder,
                             const HaulAccount *account, const MaildirNumbered *messages, size_t n,
                             GError **error);
void maildir_numbering_leave(MaildirNumbering *numbering, const MaildirFolder *folder);

/* Gives a folder without messages the source's UIDVALIDITY, if nobody has given it another one. */
bool maildir_numbering_found(MaildirNumbering *numbering, const MaildirFolder *folder,
                             const HaulAccount *account, GError **error);

/* Sees to it that Dovecot gives no UID that the source may have given: raises the next one to that of
 * the source. For when all is delivered: what comes later and is below it may lose its UID. */
bool maildir_numbering_finish(MaildirNumbering *numbering, const MaildirFolder *folder,
                              const HaulAccount *account, GError **error);

/* Sees, without the lock, whether a folder that is ours seems to lag. */
bool maildir_numbering_look(MaildirNumbering *numbering, const MaildirFolder *folder);

/* Whether maildir_numbering_finish() has something to do, as far as the last call knew. */
bool maildir_numbering_lags(const MaildirNumbering *numbering);

/* Returns what stands for the source of @numbering and holds no list. */
MaildirNumbering *maildir_numbering_copy(const MaildirNumbering *numbering);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MaildirNumbering, maildir_numbering_unref)

#endif /* MAILDIR_NUMBERING_H */
