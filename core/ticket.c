/*
 * Tickets: what a plugin holds while a delivery waits for its receipt. A ticket knows only whom to
 * tell; what a receipt means is the lane's affair.
 */
#include "ticket.h"

#include <mailhaul/error.h>

struct HaulTicket {
  HaulTicketSettled settled;
  void *data; /* borrowed by whoever waits */
};

HaulTicket *
haul_ticket_new(HaulTicketSettled settled, void *data)
{
  g_assert(settled != NULL);
  HaulTicket *ticket = g_new(HaulTicket, 1);
  ticket->settled = settled;
  ticket->data = data;
  return ticket;
}

/* Frees the ticket before it tells of it, so that settling it again while being told is caught by
 * any memory checker. */
static void
settle(HaulTicket *ticket, uint64_t epoch, const char *new_id, const GError *why)
{
  HaulTicket last = *ticket;
  g_free(ticket);
  last.settled(last.data, epoch, new_id, why);
}

void
haul_ticket_done(HaulTicket *ticket, uint64_t epoch, const char *new_id)
{
  settle(ticket, epoch, new_id, NULL);
}

void
haul_ticket_fail(HaulTicket *ticket, const GError *why)
{
  if (why != NULL) {
    settle(ticket, 0, NULL, why);
    return;
  }
  /* Without a reason nobody knows what became of it: the reach that has it looked up. */
  g_autoptr(GError) unknown = NULL;
  haul_set_error(&unknown, HAUL_ERROR_CONNECTION, "plugin",
                 "the plugin gave a delivery up without saying why");
  settle(ticket, 0, NULL, unknown);
}
