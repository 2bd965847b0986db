/* Messages made anew: repaired after a refusal. What is done to octets is decided next door, by repair.h. */
#ifndef HAUL_CORE_MEND_H
#define HAUL_CORE_MEND_H

#include <stdbool.h>

#include "message.h"
#include "repair.h"

/* How far the repairs of a message have got; all zero at first. */
typedef struct {
  unsigned next; /* HaulRepair: what is tried next                  */
  unsigned done; /* a set: what the last try changed in its message */
} HaulMending;

/*
 * Repairs @message as little as makes a difference to what was tried last.
 *
 * @spool: folder for large bodies. @queue: whose room the new message takes, without waiting for it; or NULL.
 * Returns the new message; NULL without @error where no repair is left that would change it.
 */
HaulMessage *haul_mend(HaulMessage *message, HaulMending *mending, const char *spool,
                       HaulQueue *queue, GError **error);

#endif /* HAUL_CORE_MEND_H */
