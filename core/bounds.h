/*
 * What a run may do in all, counted over its lanes: how fast it copies, how much, and how many errors it
 * goes on after. From any thread.
 */
#ifndef HAUL_CORE_BOUNDS_H
#define HAUL_CORE_BOUNDS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cancel.h"
#include "policy.h"
#include "report.h"

typedef struct HaulBounds HaulBounds;

/* All is borrowed. */
HaulBounds *haul_bounds_new(const HaulPolicy *policy, HaulReport *report, const HaulCancel *cancel);
void haul_bounds_free(HaulBounds *limits); /* NULL is fine */

/* Another pass begins: what was on its way and did not arrive counts no more. */
void haul_bounds_begin_pass(HaulBounds *limits);

/* Whether another message may be taken from the source; if so, it counts. Errors: "byte-limit",
 * "too-many-errors"; both end the run. */
bool haul_bounds_admit(HaulBounds *limits, uint64_t octets, GError **error);

/* Whether the run may go on after the errors that there were. Errors: "too-many-errors". */
bool haul_bounds_bear(const HaulBounds *limits, GError **error);

/* Lets a message of this size go, at its time. Returns for how long it has to wait, in microseconds. */
int64_t haul_bounds_pace(HaulBounds *limits, uint64_t octets);

/* Waits so long. Errors: HAUL_ERROR_CANCELLED. */
bool haul_bounds_wait(const HaulBounds *limits, int64_t wait_us, GError **error);

#endif /* HAUL_CORE_BOUNDS_H */
