/*
 * A lane: a source store with a reader thread, a byte-bounded queue, and a destination store with a
 * writer. Within a folder one writer keeps the order.
 */
#ifndef HAUL_CORE_LANE_H
#define HAUL_CORE_LANE_H

#include "context.h"
#include "delivery.h"
#include "errand.h"

/* What the lanes of a pass share. All is borrowed. */
typedef struct {
  const HaulContext *context;
  HaulPass *pass;
  HaulErrandList *list;
  _Atomic unsigned n_at_work; /* lanes that may have folders of the list under way */
} HaulShare;

typedef struct HaulLane HaulLane;

/* @share: borrowed. @bound_octets: of what it holds in memory on its way. */
HaulLane *haul_lane_new(HaulShare *share, uint64_t bound_octets);
void haul_lane_free(HaulLane *lane);

/* Gives it its stores: open ones, borrowed, or new ones of its own. */
void haul_lane_lend(HaulLane *lane, HaulOpenStore *store1, HaulOpenStore *store2);
bool haul_lane_open(HaulLane *lane, GError **error);

/* Does errands until none is left; the calling thread writes. @frame: see haul_deliver(). */
void haul_lane_run(HaulLane *lane, const HaulDeliveryFrame *frame);

/* Puts into @worst the error that reaches farthest, of the one there and those of the lane. */
void haul_lane_take_worst(HaulLane *lane, GError **worst);

#endif /* HAUL_CORE_LANE_H */
