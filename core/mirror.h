/*
 * Removing messages at the destination that the source does not have, when all else of a pass went well and
 * its receipts are durable.
 *
 * Which ones is decided by plan-mirror.h, from what was listed when the pass was planned: what comes meanwhile
 * is in no listing, and stays. Nothing needs to be noted before: what is to go is no copy of anything, and
 * should a run be killed, the next one finds the rest by looking.
 */
#ifndef HAUL_CORE_MIRROR_H
#define HAUL_CORE_MIRROR_H

#include "context.h"
#include "folder-list.h"
#include "plan-mirror.h"

/* Refuses what contradicts itself, or is only half said. Error: HAUL_ERROR_ACCOUNT, "usage". */
bool haul_mirror_check_policy(const HaulPolicy *policy, bool stateless, GError **error);

/* Refuses accounts of which one cannot say that a message is not there, or that cannot be removed from.
 * Error: HAUL_ERROR_ACCOUNT. */
bool haul_mirror_check(const HaulPolicy *policy, const HaulFolderList *list1,
                       const HaulOpenStore *store2, const HaulFolderList *list2, GError **error);

/* Removes what may go in the folders of a pass. Refusals, and what befalls a folder, are in the report. */
bool haul_mirror(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
                 HaulOpenStore *store2, const HaulFolderList *list2, GError **error);

/* Decides what would go of one folder of a pass as things are; @plan is to be cleared. */
bool
haul_mirror_foresee(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
                    const HaulFolderWork *work, HaulIds *ids, HaulMirrorPlan *plan, GError **error);

/* Reports of a source of which nothing is left that nothing goes for the folders that it does not show. */
bool haul_mirror_report_vanished(const HaulContext *context, const HaulFolderList *list1,
                                 GError **error);

/* Reports that nothing goes in a folder, and why. */
void haul_mirror_refuse(const HaulContext *context, const HaulFolderWork *work, const char *text);

/* What speaks against deleting anything: no folder shows a message; most folders that earlier runs knew were
 * numbered anew; something of a folder went wrong. */
bool haul_mirror_is_empty(const HaulFolderList *list1);
bool haul_mirror_is_other_source(const HaulPass *pass);
bool haul_mirror_is_in_trouble(const HaulContext *context, const HaulFolderWork *work);

#endif /* HAUL_CORE_MIRROR_H */
