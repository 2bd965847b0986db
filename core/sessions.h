/*
 * Sessions: how a folder that shows a part of its messages at a time (HAUL_FOLDER_BATCHES) is worked on until a
 * connection brings nothing new, and how its account adds up over all of them.
 */
#ifndef HAUL_CORE_SESSIONS_H
#define HAUL_CORE_SESSIONS_H

#include "context.h"

/* Whether a folder is of that kind. */
bool haul_sessions_are_needed(const HaulPlanFolder *folder1);

/*
 * Counts, once a pass is planned, what such folders have shown in earlier sessions of this run and do not show any
 * more: what has a copy, or is in trouble, is accounted for so; what was neither copied nor given up is lost for
 * this run ("withdrawn"). Part of the survey.
 */
bool haul_sessions_account(const HaulContext *context, const HaulPass *pass, GError **error);

/* Whether the session that has ended well brought something from such a folder, so that another one is worth
 * while; says so. */
bool haul_sessions_go_on(HaulReport *report);

#endif /* HAUL_CORE_SESSIONS_H */
