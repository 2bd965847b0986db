/*
 * What the host tells a store about the account that it opens: checked settings, secrets, whether
 * somebody asked to stop, and what other stores of the account have found out. All of it is lent for the life of the store and may be read from
 * any thread.
 */
#ifndef MAILHAUL_ACCOUNT_H
#define MAILHAUL_ACCOUNT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <mailhaul/visibility.h>

G_BEGIN_DECLS

typedef struct HaulAccount HaulAccount;

/* "source" or "destination", for messages. */
HAUL_PUBLIC const char *haul_account_side(const HaulAccount *account);

/* Values of settings that the plugin declares; asking for another is a broken promise. Strings and
 * paths are NULL, numbers and durations (seconds) 0, where neither the user nor a default set them. */
HAUL_PUBLIC const char *haul_account_string(const HaulAccount *account, const char *key);
HAUL_PUBLIC uint64_t haul_account_number(const HaulAccount *account, const char *key);
HAUL_PUBLIC bool haul_account_bool(const HaulAccount *account, const char *key);

/* A secret: NUL-terminated, any other octets. It may go to the server and nowhere else. */
HAUL_PUBLIC const char *haul_account_secret(const HaulAccount *account, const char *key);

/* Whether to give up at the next occasion; blocking calls of the host return by themselves. */
HAUL_PUBLIC bool haul_account_cancelled(const HaulAccount *account);

/*
 * What a store found out about the other end, for those that are opened for this account beside it
 * or later: it holds for the run.
 *
 * forgo(): @name, an extension as users write it, does not work there. Says so, in one warning the
 * first time; returns whether it is that.
 * note_refused_size(): a message of so many octets was refused because of its size; refused_size() is
 * the least of those, or HAUL_UNKNOWN (<mailhaul/message.h>): what is as large need not be sent.
 */
HAUL_PUBLIC bool haul_account_forgo(const HaulAccount *account, const char *name);
HAUL_PUBLIC bool haul_account_forgoes(const HaulAccount *account, const char *name);
HAUL_PUBLIC void haul_account_note_refused_size(const HaulAccount *account, uint64_t octets);
HAUL_PUBLIC uint64_t haul_account_refused_size(const HaulAccount *account);

/* What identity() said of this account in the last run that was made with the same backend, host, user
 * and path; NULL if there was none, or it is not known. */
HAUL_PUBLIC const char *haul_account_known_identity(const HaulAccount *account);

G_END_DECLS
#endif /* MAILHAUL_ACCOUNT_H */
