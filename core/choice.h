/*
 * Which folders of the source a run is about, in which order, and where the user sends one of them.
 */
#ifndef HAUL_CORE_CHOICE_H
#define HAUL_CORE_CHOICE_H

#include "folder-list.h"

/*
 * Chooses from @list: those named in @wanted (NULL-terminated; by canonical path or as the store writes
 * them), or, if that is NULL, all; but not those that only show what is in all mail, if that is shown.
 *
 * Returns an array of HaulPlanFolder, INBOX first, then by name and such views last, or as they are named;
 * the folder of all mail, where folders are labels, after all: the others come first to what they have.
 * NULL on error: "no-folder".
 */
GArray *haul_choose_folders(const HaulFolderList *list, const char *const *wanted, GError **error);

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
