/* Whether what is to be copied fits into the destination. */
#ifndef HAUL_CORE_FIT_H
#define HAUL_CORE_FIT_H

#include "context.h"

/*
 * Adds up what @actions copy, as far as it is known.
 *
 * @complete: gets whether all of it is.
 */
uint64_t haul_fit_octets(const GArray *actions, bool *complete);

/* Warns if @pass has more to copy than the quota of @store2 leaves room for; asks only if there is
 * something to copy. That something is refused later, if it is, is no business of this. */
bool haul_fit_warn(const HaulPass *pass, HaulOpenStore *store2, GError **error);

#endif /* HAUL_CORE_FIT_H */
