/* The host's side of the intake: who gets what a store fetches. */
#ifndef HAUL_CORE_INTAKE_H
#define HAUL_CORE_INTAKE_H

#include <mailhaul/intake.h>

#include "cancel.h"
#include "message.h"

/* Gets @message, taken. Returns false with @error set to end the fetch. */
typedef bool (*HaulIntakeDeliver)(HaulMessage *message, void *data, GError **error);
typedef void (*HaulIntakeSkip)(const char *id, const GError *why, void *data);

/* @spool: folder for large bodies, @queue: whose room the bodies hold, or NULL; @cancel may be NULL;
 * all borrowed. */
HaulIntake *haul_intake_new(const char *spool, HaulQueue *queue, HaulCancel *cancel,
                            HaulIntakeDeliver deliver, HaulIntakeSkip skip, void *data);
void haul_intake_free(HaulIntake *intake);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulIntake, haul_intake_free)

#endif /* HAUL_CORE_INTAKE_H */
