/*
 * What the user wants changed in messages on their way. Made once, used by all lanes at once.
 *
 * A message that cannot be changed is delivered as it is, and that is told.
 */
#ifndef HAUL_CORE_TRANSFORM_H
#define HAUL_CORE_TRANSFORM_H

#include <stdbool.h>

#include "cancel.h"
#include "message.h"
#include "policy.h"

typedef struct HaulTransform HaulTransform;

/* Sets @transform to what @policy asks for, NULL for nothing. @cancel: borrowed, or NULL. Errors: "usage". */
bool haul_transform_new(const HaulPolicy *policy, const HaulCancel *cancel,
                        HaulTransform **transform, GError **error);
void haul_transform_free(HaulTransform *transform); /* NULL is fine */

/*
 * Makes of @message what is to be delivered.
 *
 * @spool: folder for large bodies. @queue: whose room the new message takes, without waiting for it; or NULL.
 * Returns the new message; NULL if it stays as it is, with @error where that is for want of better.
 */
HaulMessage *haul_transform_apply(const HaulTransform *transform, const HaulMessage *message,
                                  const char *spool, HaulQueue *queue, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulTransform, haul_transform_free)

#endif /* HAUL_CORE_TRANSFORM_H */
