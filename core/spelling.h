/*
 * Folder names that differ by case alone. Some stores take them for one: a folder that was made, or
 * is said to exist, is then listed under the name that it had before.
 */
#ifndef HAUL_CORE_SPELLING_H
#define HAUL_CORE_SPELLING_H

#include "folder-list.h"

/*
 * Finds out where the destination has another spelling for a folder of the source, by making it: which
 * the run would do anyway, and which is asked only of folders that differ from another one, on either
 * side, by nothing but case. Costs nothing where there is none.
 *
 * @mappings: where each goes; HaulMapping beside @folders1.
 * @list2: the destination's folders; replaced if they may have become more.
 * Returns a table of path -> path as the destination lists it, or will: what is still to be made in a
 * folder that has another spelling is spelt like it. To be freed; NULL on error.
 * @made: set of owned paths; gets those that were made for it.
 */
GHashTable *haul_spelling_ask(const GArray *folders1, const GArray *mappings, HaulOpenStore *store2,
                              HaulFolderList **list2, GHashTable *made, GError **error);

/*
 * The same without writing, for a plan: a folder that can be opened and is not listed has another spelling.
 * What is nowhere at the destination yet cannot be found out so: there is a warning.
 */
GHashTable *haul_spelling_look(const GArray *folders1, const GArray *mappings,
                               HaulOpenStore *store2, const HaulFolderList *list2, GError **error);

#endif /* HAUL_CORE_SPELLING_H */
