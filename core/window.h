/* Servers that show a window of a folder: its newest 1,000 messages, or so. */
#ifndef HAUL_CORE_WINDOW_H
#define HAUL_CORE_WINDOW_H

#include "plan.h"

/* Whether a folder of so many messages may be the window of a larger one. Pure. */
bool haul_window_is_round(uint64_t n_messages);

/* Returns how many of @folders (HaulPlanFolder) hold just as many messages as such servers show at
 * most. @path: gets that of the first of them, borrowed; untouched if there is none. Pure. */
guint haul_window_count(const GArray *folders, const char **path);

/* Says so once, for what lies beyond the window nobody can copy, nor know of. */
void haul_window_warn(const GArray *folders);

#endif /* HAUL_CORE_WINDOW_H */
