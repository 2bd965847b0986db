/* fetch(): RETR, many under way, each message straight into its body. */
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "flight.h"
#include "head.h"
#include "glued.h"
#include "ids.h"
#include "naming.h"
#include "status.h"
#include "store.h"

/* Octets of a body that are reserved before they have come: sizes are hints. */
#define LARGEST_HINT (UINT64_C(1) << 20)

typedef struct {
  HaulIntake *intake; /* borrowed */
  Pop3Head head;
  HaulBodyWriter *body; /* owned; of the message at hand; NULL: there is no room for it ... */
  GError *why;          /* owned; ... for this reason */
  Pop3Print print;
  bool prints, begun; /* the print */
  Pop3Glued glued;
} Fetching;

static void
fetching_clear(Fetching *fetching)
{
  pop3_head_clear(&fetching->head);
  pop3_print_clear(&fetching->print);
  g_clear_pointer(&fetching->body, haul_body_writer_free);
  g_clear_error(&fetching->why);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fetching, fetching_clear)

/* How much room to ask for: what LIST says, and what it leaves out where it counts line ends once. */
static uint64_t
hint(uint64_t size)
{
  return size == HAUL_UNKNOWN ? size : MIN(size + size / 32, LARGEST_HINT);
}

static bool
pour(HaulBodyWriter *body, const uint8_t *octets, size_t size, GError **error)
{
  while (size > 0) {
    size_t room;
    void *out = haul_body_writer_reserve(body, size, &room, error);
    if (out == NULL)
      return false;
    memcpy(out, octets, room);
    haul_body_writer_advance(body, room);
    octets += room;
    size -= room;
  }
  return true;
}

/* Looks at what passes: the header for its flags, and what an id is made of. */
static void
look_at(Fetching *fetching, const uint8_t *octets, size_t size)
{
  size_t used = 0;
  if (!fetching->head.is_complete)
    used = pop3_head_feed(&fetching->head, octets, size);
  if (!fetching->prints)
    return;
  if (fetching->head.is_complete && !fetching->begun) {
    pop3_print_begin(&fetching->print, fetching->head.octets->data, fetching->head.octets->len,
                     fetching->head.is_cut);
    fetching->begun = true;
  }
  if (fetching->begun)
    pop3_print_feed(&fetching->print, octets + used, size - used);
}

/* Takes octets of the message at hand. What has no room is read past all the same. */
static bool
take_octets(const uint8_t *octets, size_t size, void *data)
{
  Fetching *fetching = data;
  look_at(fetching, octets, size);
  pop3_glued_feed(&fetching->glued, octets, size);
  if (fetching->body != NULL && !pour(fetching->body, octets, size, &fetching->why))
    g_clear_pointer(&fetching->body, haul_body_writer_free);
  return true;
}

/* Gives the message that has passed its id, if it has none yet. */
static void
name(HaulStore *store, Fetching *fetching, guint index)
{
  if (!fetching->prints)
    return;
  if (!fetching->begun)
    pop3_print_begin(&fetching->print, fetching->head.octets->data, fetching->head.octets->len,
                     false);
  g_autofree char *id = pop3_print_end(&fetching->print);
  pop3_mailbox_give_name(store->mailbox, index, id);
}

/* Hands the message on, or says why not. False for what reaches farther than it. */
static bool
hand_on(HaulStore *store, Fetching *fetching, guint index, GError **error)
{
  const Pop3Entry *entry = pop3_mailbox_entry(store->mailbox, index);
  g_autoptr(GError) why = g_steal_pointer(&fetching->why);
  if (fetching->body != NULL) {
    HaulItem item = {
      .id = entry->id,
      .size = HAUL_UNKNOWN,
      .date = HAUL_NO_DATE,
      .flags = pop3_status_flags(fetching->head.octets->data, fetching->head.octets->len)
               | (store->marks_seen ? HAUL_SEEN : 0),
    };
    if (haul_intake_commit(fetching->intake, g_steal_pointer(&fetching->body), &item, &why))
      return true;
  }
  if (why == NULL)
    return false;
  if (haul_error_reach(why) != HAUL_ERROR_MESSAGE) {
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  haul_intake_skip(fetching->intake, entry->id, why);
  return true;
}

/* Passes over a message that could not be read when it was to be named: a later session names it. */
static bool
pass_over(HaulStore *store, const Pop3Entry *entry, Fetching *fetching, GError **error)
{
  g_autoptr(GError) why = NULL;
  if (!pop3_session_body(store->session, NULL, NULL, NULL, error))
    return false;
  haul_set_error(&why, HAUL_ERROR_MESSAGE, "unfetchable",
                 "RETR was refused at first, and nothing else names the message");
  haul_intake_skip(fetching->intake, entry->id, why);
  return true;
}

static bool
take(HaulStore *store, guint index, const Pop3Status *status, void *data, GError **error)
{
  Fetching *fetching = data;
  const Pop3Entry *entry = pop3_mailbox_entry(store->mailbox, index);
  g_autoptr(GError) why = NULL;
  if (!status->ok) {
    if (!pop3_store_refused(store, status, "unfetchable", "RETR", &why, error))
      return false;
    if (entry->id == NULL)
      pop3_name_unreadable(store, index);
    haul_intake_skip(fetching->intake, entry->id, why);
    return true;
  }
  if (entry->id != NULL && pop3_is_name_for_session(entry->id))
    return pass_over(store, entry, fetching, error);
  pop3_head_reset(&fetching->head);
  fetching->prints = entry->id == NULL;
  fetching->begun = false;
  fetching->body = haul_intake_begin(fetching->intake, hint(entry->size), &fetching->why);
  if (fetching->body == NULL && haul_error_reach(fetching->why) != HAUL_ERROR_MESSAGE) {
    g_propagate_error(error, g_steal_pointer(&fetching->why));
    return false;
  }
  fetching->glued = (Pop3Glued){ .announced = entry->size };
  /* Dropped with the flight if it does not come to its end. */
  if (!pop3_session_body(store->session, take_octets, fetching, NULL, error))
    return false;
  if (fetching->glued.found && store->session->n_under_way > 0)
    return pop3_session_protocol_error(
        store->session, error, "%s is longer than announced, and seems to hold the next answer",
        entry->id != NULL ? entry->id : "a message");
  name(store, fetching, index);
  return hand_on(store, fetching, index, error);
}

/* Answers for single messages that are not there any more. */
static void
skip_gone(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake)
{
  for (size_t i = 0; i < n_ranges; i++) {
    if (!pop3_range_is_single(&ranges[i])
        || pop3_mailbox_find(store->mailbox, ranges[i].first) < store->mailbox->entries->len)
      continue;
    g_autoptr(GError) why = NULL;
    haul_set_error(&why, HAUL_ERROR_MESSAGE, "unfetchable", "%s was removed meanwhile",
                   ranges[i].first);
    haul_intake_skip(intake, ranges[i].first, why);
  }
}

/* Fetches what only LIST has shown, while the others were fetched. */
static bool
fetch_left_out(HaulStore *store, Fetching *fetching, GError **error)
{
  g_autoptr(GArray) left_out = pop3_mailbox_admit_left_out(store->mailbox);
  Pop3Flight flight = { "RETR", "", true, take, fetching, false };
  return pop3_name_messages(store, true, error) && pop3_flight(store, &flight, left_out, error);
}

bool
pop3_fetch(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
           GError **error)
{
  if (n_ranges == 0)
    return true;
  bool is_all = n_ranges == 1 && ranges[0].first == NULL && ranges[0].last == NULL;
  if (!pop3_mailbox_look(store, POP3_LOOK_UIDLS, error))
    return false;
  bool asks_sizes = is_all && pop3_mailbox_can_ask_along(store);
  if (!asks_sizes
      && (!pop3_mailbox_look(store, POP3_LOOK_ALL, error)
          || !pop3_name_messages(store, is_all, error)))
    return false;
  skip_gone(store, ranges, n_ranges, intake);
  g_autoptr(GArray) chosen = pop3_mailbox_choose(store->mailbox, ranges, n_ranges, error);
  if (chosen == NULL)
    return false;
  g_auto(Fetching) fetching = { .intake = intake };
  pop3_head_init(&fetching.head);
  Pop3Flight flight = { "RETR", "", true, take, &fetching, asks_sizes };
  return pop3_flight(store, &flight, chosen, error)
         && (!asks_sizes || fetch_left_out(store, &fetching, error));
}
