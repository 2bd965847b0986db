/*
 * Removing folders at the destination of which the source has none any more, after mirror.h, when all folders of
 * a pass went well. Which may go is decided by plan-prune.h; whether one is empty of others' mail, by looking
 * right before.
 */
#ifndef HAUL_CORE_PRUNE_H
#define HAUL_CORE_PRUNE_H

#include "mirror.h"

/* Refuses expressions that are none. Error: HAUL_ERROR_ACCOUNT, "usage". */
bool haul_prune_check_policy(const HaulPolicy *policy, GError **error);

/* Refuses a store that removes no folders. Error: HAUL_ERROR_ACCOUNT, "unsupported". */
bool haul_prune_check(const HaulPolicy *policy, const HaulOpenStore *store2, GError **error);

/* Gets what would go, or does not: a line. */
typedef void (*HaulPruneFunc)(const char *path2, const char *deed, const char *text, void *data);

/* Removes what may go, or, with @show, tells of it instead. Refusals, and what befalls a folder, are in the
 * report. */
bool haul_prune(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
                HaulOpenStore *store2, const HaulFolderList *list2, HaulPruneFunc show, void *data,
                GError **error);

#endif /* HAUL_CORE_PRUNE_H */
