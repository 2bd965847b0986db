/* A plan, told instead of carried out: what --dry prints is the array of actions that a run executes. */
#ifndef HAUL_CORE_PREVIEW_H
#define HAUL_CORE_PREVIEW_H

#include "context.h"

/* Gets one thing that would be done. @text: one line. */
typedef void (*HaulPreviewFunc)(const char *path1, const char *path2, const char *deed,
                                const char *text, void *data);

/* @removes: whether copied messages would be deleted at the source. */
bool haul_preview(const HaulContext *context, const HaulPass *pass, bool removes,
                  HaulPreviewFunc show, void *data, GError **error);

#endif /* HAUL_CORE_PREVIEW_H */
