/* A plan, told instead of carried out: what --dry prints is the array of actions that a run executes. */
#ifndef HAUL_CORE_PREVIEW_H
#define HAUL_CORE_PREVIEW_H

#include "context.h"
#include "folder-list.h"

/* Gets one thing that would be done. @text: one line. */
typedef void (*HaulPreviewFunc)(const char *path1, const char *path2, const char *deed,
                                const char *text, void *data);

/* Shows what @pass would do, folder by folder, and tells the report what it would come to. */
bool haul_preview(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
                  HaulPreviewFunc show, void *data, GError **error);

#endif /* HAUL_CORE_PREVIEW_H */
