/* Commands for many messages. See flight.h. */
#include "flight.h"

#include "store.h"

/* Octets of messages that are asked for at a time: some more than a fast long link holds (100 MB/s at
 * 20 ms), and what a server has read in vain if we are gone. */
#define FLIGHT_OCTETS (UINT64_C(2) << 20)
/* What a message without a size is reckoned at. */
#define USUAL_OCTETS 8192u

static uint64_t
octets_of(const HaulStore *store, const Pop3Flight *flight, guint index)
{
  if (!flight->brings_messages)
    return 0;
  uint64_t size = pop3_mailbox_entry(store->mailbox, index)->size;
  return size == HAUL_UNKNOWN ? USUAL_OCTETS : MIN(size, FLIGHT_OCTETS);
}

static bool
fly(HaulStore *store, const Pop3Flight *flight, const GArray *indices, GError **error)
{
  const guint *at = (const guint *)(const void *)indices->data;
  guint window = pop3_session_window(store->session), n = indices->len, sent = 0;
  uint64_t octets = 0; /* under way */
  for (guint answered = 0; answered < n; answered++) {
    /* Half a window at a time: commands that go out one by one cost a packet each. */
    bool fills = sent - answered <= window / 2;
    while (fills && sent < n && sent - answered < window
           && (sent == answered || octets < FLIGHT_OCTETS)) {
      uint32_t number = pop3_mailbox_entry(store->mailbox, at[sent])->number;
      if (!pop3_session_send(store->session, error, "%s %u%s", flight->command, number,
                             flight->argument))
        return false;
      octets += octets_of(store, flight, at[sent++]);
    }
    Pop3Status status;
    if (!pop3_session_status(store->session, &status, error)
        || !flight->answer(store, at[answered], &status, flight->data, error))
      return false;
    octets -= octets_of(store, flight, at[answered]);
  }
  return true;
}

bool
pop3_flight(HaulStore *store, const Pop3Flight *flight, const GArray *indices, GError **error)
{
  if (fly(store, flight, indices, error))
    return true;
  pop3_store_drop(store);
  return false;
}
