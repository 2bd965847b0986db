/*
 * Dovecot's lock of the file dovecot-uidlist: dovecot-uidlist.lock beside it, made where none is. Who
 * has it numbers messages; Dovecot takes it before it looks for new ones.
 *
 * Its text is "PID:HOST". A process of this host that is gone has left its lock behind, as has anybody
 * whose lock and list did not change for two minutes (Dovecot, src/lib/file-dotlock.c and
 * MAILDIR_UIDLIST_LOCK_STALE_TIMEOUT).
 */
#ifndef MAILDIR_DOTLOCK_H
#define MAILDIR_DOTLOCK_H

#include <glib.h>

#include <mailhaul/account.h>

#include "file.h"

/*
 * Takes the lock in the folder @dir, waiting for whoever has it, half a minute at most. Returns a
 * descriptor to be given to maildir_dotlock_release(), or -1.
 *
 * @tmp: its tmp. @where: the folder, for messages. @account: or NULL.
 * Errors: HAUL_ERROR_BUSY "busy" where another one has it all the time; HAUL_ERROR_CANCELLED; of the
 * file system.
 */
int maildir_dotlock_take(int dir, int tmp, const char *where, const HaulAccount *account,
                         const MaildirCreation *creation, GError **error);

/* Lets the lock go, unless another one has taken it over. @lock: -1 is fine. */
void maildir_dotlock_release(int dir, int lock);

/* Removes a lock that was left behind, so that Dovecot need not wait for it to become old. */
void maildir_dotlock_tidy(int dir);

/* Whether a lock with that text, @age_s seconds old, was left behind, or is held by another thread of
 * ours; for tests. @text: @size octets. */
bool maildir_dotlock_is_stale(const char *text, size_t size, int64_t age_s, const char *host);

#endif /* MAILDIR_DOTLOCK_H */
