/* The host's side of tickets. */
#ifndef HAUL_CORE_TICKET_H
#define HAUL_CORE_TICKET_H

#include <mailhaul/ticket.h>

/* Called once per ticket. @why: NULL if it was delivered; else lent, as are @new_id and @data. */
typedef void (*HaulTicketSettled)(void *data, uint64_t epoch, const char *new_id,
                                  const GError *why);

HaulTicket *haul_ticket_new(HaulTicketSettled settled, void *data);

#endif /* HAUL_CORE_TICKET_H */
