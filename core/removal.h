/*
 * Removing messages at the source, when all else of a pass went well and its receipts are durable.
 *
 * Which ones is decided by plan-removal.h. That they are about to go is noted first; that they are gone, as
 * soon as the store says so, for some servers give their ids to other messages. What the store was asked for
 * and did not answer is neither gone nor there until the next pass looks.
 */
#ifndef HAUL_CORE_REMOVAL_H
#define HAUL_CORE_REMOVAL_H

#include "context.h"
#include "folder-list.h"

/* Refuses an account whose messages cannot be removed, or would be copied again for it. Error:
 * HAUL_ERROR_ACCOUNT. */
bool haul_removal_check(const HaulOpenStore *store1, const HaulFolderList *list1, GError **error);

/* Removes what may go in the folders of a pass. What befalls a folder is in the report. */
bool haul_remove_at_source(const HaulContext *context, const HaulPass *pass, HaulOpenStore *store1,
                           GError **error);

/* Counts what would be removed of a folder as things are. */
bool haul_removal_count(const HaulContext *context, const HaulFolderWork *work, guint *n,
                        GError **error);

#endif /* HAUL_CORE_REMOVAL_H */
