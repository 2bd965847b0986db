/* The lanes of a pass: how many, since when, and what becomes of them. */
#ifndef HAUL_CORE_CREW_H
#define HAUL_CORE_CREW_H

#include "context.h"
#include "delivery.h"

/*
 * Carries out the actions of @pass in at most context->n_lanes lanes, which falls where a server does not
 * bear so many.
 *
 * @store1, @store2: open stores for the first lane; the others open their own. Borrowed.
 * @frame: its prepare() is called first of all that concerns the destination; its conclude() if the first
 * lane has done, or is doing, the last of the work. Both by the calling thread.
 * Returns false for what reaches beyond a folder; then some folders are incomplete.
 */
bool haul_crew_run(HaulContext *context, HaulPass *pass, HaulOpenStore *store1,
                   HaulOpenStore *store2, const HaulDeliveryFrame *frame, GError **error);

#endif /* HAUL_CORE_CREW_H */
