/*
 * The part of the planner that decides what becomes of flags: a three-way merge, by the mode that the user
 * chose. Pure.
 */
#ifndef HAUL_CORE_PLAN_FLAGS_H
#define HAUL_CORE_PLAN_FLAGS_H

#include "plan.h"

/*
 * What is to become of the flags of @copy, by what both sides did since they agreed on @agreed.
 *
 * @agreed: becomes what they agree on once that is done.
 * Returns whether the destination has to change: then @action is filled, but for its folder.
 */
bool haul_plan_flags(HaulFlagsMode mode, HaulKeywords *keywords, const HaulEntry *source,
                     const HaulEntry *copy, HaulRebase *agreed, HaulAction *action);

#endif /* HAUL_CORE_PLAN_FLAGS_H */
