/*
 * Where a state file lives and who holds it: its folder (0700, ours), its name (a hash of both
 * identities), and the lock beside it, which the kernel drops with the process that took it.
 */
#ifndef HAUL_CORE_JOURNAL_FILE_H
#define HAUL_CORE_JOURNAL_FILE_H

#include <glib.h>
#include <stdbool.h>

typedef struct HaulJournalFile HaulJournalFile;

/*
 * Takes the lock of the pair. @create: make the folder if it is not there; without it nothing is
 * written, and a missing folder is no error.
 *
 * Errors: HAUL_ERROR_ACCOUNT "locked" (names the holder and since when), "state".
 */
HaulJournalFile *haul_journal_file_open(const char *folder, const char *identity1,
                                        const char *identity2, bool create, GError **error);
void haul_journal_file_close(HaulJournalFile *file); /* NULL is fine */

const char *haul_journal_file_path(const HaulJournalFile *file);

/* Renames the state, which cannot be used, to NAME.damaged. */
bool haul_journal_file_put_aside(HaulJournalFile *file, GError **error);

/* Makes a folder of ours, and its parents, or checks the one that is there. */
bool haul_own_folder(const char *folder, GError **error);

#endif /* HAUL_CORE_JOURNAL_FILE_H */
