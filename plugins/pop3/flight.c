/* Commands for many messages. See flight.h. */
#include "flight.h"

#include "store.h"

/* Octets of messages that are asked for at a time: some more than a fast long link holds (1 Gbit/s, 50 ms).
 * The server sends no faster than we take them. */
#define FLIGHT_OCTETS (UINT64_C(8) << 20)
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

/* Takes the sizes that were asked for in front. @octets: gets what is under way by them. */
static bool
take_sizes(HaulStore *store, const Pop3Flight *flight, const guint *at, guint sent,
           uint64_t *octets, GError **error)
{
  if (!pop3_mailbox_take_sizes(store, error))
    return false;
  *octets = 0;
  for (guint i = 0; i < sent; i++)
    *octets += octets_of(store, flight, at[i]);
  return true;
}

static bool
fly(HaulStore *store, const Pop3Flight *flight, const GArray *indices, GError **error)
{
  const guint *at = (const guint *)(const void *)indices->data;
  guint window = pop3_session_window(store->session), n = indices->len, sent = 0;
  uint64_t octets = 0; /* under way */
  if (flight->asks_sizes && !pop3_session_send(store->session, error, "LIST"))
    return false;
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
    if (answered == 0 && flight->asks_sizes && !take_sizes(store, flight, at, sent, &octets, error))
      return false;
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
