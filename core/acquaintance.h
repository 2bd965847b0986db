/*
 * Acquaintances: who was found at a place on this machine, so that a tree that is not mounted is not taken for
 * an empty one. Of servers nothing is kept: who their accounts are, settings say.
 *
 * A small file of the state folder for each place, replaced as a whole, so that runs need not wait for each
 * other.
 */
#ifndef HAUL_CORE_ACQUAINTANCE_H
#define HAUL_CORE_ACQUAINTANCE_H

#include "account.h"

/* Tells @account who was there when it was last opened, if that is known. To be called before its first store
 * is opened. */
void haul_acquaintance_recall(const char *state_folder, HaulAccount *account);

/*
 * Notes that @account, in the place where it lies, is @identity; nothing is written where that is known. The state
 * folder is there.
 *
 * Errors: HAUL_ERROR_ACCOUNT, "state", "disk-full".
 */
bool haul_acquaintance_note(const char *state_folder, const HaulAccount *account,
                            const char *identity, GError **error);

#endif /* HAUL_CORE_ACQUAINTANCE_H */
