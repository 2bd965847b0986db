/* The folders of one side, as the store told them. */
#ifndef HAUL_CORE_FOLDER_LIST_H
#define HAUL_CORE_FOLDER_LIST_H

#include "plan.h"
#include "store.h"

typedef struct {
  GArray *folders;     /* owned; of HaulPlanFolder */
  GPtrArray *natives;  /* owned; of char *, beside them: the store's own names, or NULL */
  GStringChunk *texts; /* owned; what both point into */
  GHashTable *index;   /* owned; path -> place in folders, plus 1 */
} HaulFolderList;

HaulFolderList *haul_folder_list_read(HaulOpenStore *store, GError **error);
void haul_folder_list_free(HaulFolderList *list);
const HaulPlanFolder *haul_folder_list_find(const HaulFolderList *list, const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulFolderList, haul_folder_list_free)

#endif /* HAUL_CORE_FOLDER_LIST_H */
