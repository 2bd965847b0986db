/* Which folders of the source a run is about, and in which order. */
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

#endif /* HAUL_CORE_CHOICE_H */
