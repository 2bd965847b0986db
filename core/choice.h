/*
 * Which folders of the source a run is about, in which order, and where the user sends one of them.
 */
#ifndef HAUL_CORE_CHOICE_H
#define HAUL_CORE_CHOICE_H

#include "folder-list.h"
#include "policy.h"

/* Is told of each folder that is left out, and why. */
typedef void (*HaulLeftOutFunc)(const char *path, const char *why, void *data);

/* Refuses patterns that mean nothing. Error: "usage". */
bool haul_choice_check_policy(const HaulPolicy *policy, GError **error);

/*
 * Chooses from @list what @policy asks for (plan-choice.h); folders are named by canonical path or as the store
 * writes them. What is left out is in the log, and @left_out is told; NULL is fine.
 *
 * Returns an array of HaulPlanFolder in the order in which they are done. NULL on error: "no-folder", "usage".
 */
GArray *haul_choose_folders(const HaulFolderList *list, const HaulPolicy *policy,
                            HaulLeftOutFunc left_out, void *data, GError **error);

/*
 * Says where the only folder of @folders1 that holds mail goes, if the user names it: the folder of @list2 that
 * is @wanted (as above), or, if there is none, one of that canonical path.
 *
 * Returns its path, to be freed; NULL on error, "usage": several folders would go there.
 */
char *haul_choose_target(const GArray *folders1, const HaulFolderList *list2, const char *wanted,
                         GError **error);

/* Returns the path of the folder of @list that is @wanted (as above), or NULL; borrowed. */
const char *haul_choose_named(const HaulFolderList *list, const char *wanted);

#endif /* HAUL_CORE_CHOICE_H */
