/*
 * A ticket: one delivery waiting for its receipt. Whoever was handed it by put() settles it once,
 * in the thread that called put() or flush(); it is gone after that.
 */
#ifndef MAILHAUL_TICKET_H
#define MAILHAUL_TICKET_H

#include <glib.h>
#include <stdint.h>
#include <mailhaul/visibility.h>

G_BEGIN_DECLS

typedef struct HaulTicket HaulTicket;

/* The message is kept, durably as far as the store can tell. @epoch: the one that @new_id is of, 0
 * if unknown; @new_id: NULL where the store did not say. */
HAUL_PUBLIC void haul_ticket_done(HaulTicket *ticket, uint64_t epoch, const char *new_id);

/* The message is not there. HAUL_ERROR_MESSAGE: it was refused. A farther reach: it was not tried,
 * or nobody knows, and the delivery is looked up before it is repeated. @why: copied. */
HAUL_PUBLIC void haul_ticket_fail(HaulTicket *ticket, const GError *why);

G_END_DECLS
#endif /* MAILHAUL_TICKET_H */
