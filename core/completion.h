/* Which folders are complete after a pass, so that the next run need not look at them. */
#ifndef HAUL_CORE_COMPLETION_H
#define HAUL_CORE_COMPLETION_H

#include "context.h"
#include "folder-list.h"

/* Whether what was delivered is in what the destination says of its folders in the end, @after, as far as
 * it says anything. */
bool haul_adds_up(const HaulPass *pass, const HaulFolderList *after);

/* Tells the state which folders are complete, under which tokens. @after: NULL if nothing was written. */
bool haul_note_complete(const HaulContext *context, const HaulPass *pass,
                        const HaulFolderList *after, GError **error);

#endif /* HAUL_CORE_COMPLETION_H */
