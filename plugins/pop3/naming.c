/* Ids of messages that no UIDL names. See naming.h. */
#include "naming.h"

#include <mailhaul/error.h>

#include "flight.h"
#include "head.h"
#include "ids.h"

#define UNREADABLE "unreadable "

/* A message that is being read for its id. */
typedef struct {
  Pop3Head head;
  Pop3Print print;
  bool begun;    /* the print: its header is there */
  bool is_whole; /* RETR, not TOP */
  bool was_refused;
  GArray *too_few; /* owned; indices of those that need RETR, for TOP does not tell enough */
} Reading;

static void
reading_clear(Reading *reading)
{
  pop3_head_clear(&reading->head);
  pop3_print_clear(&reading->print);
  g_clear_pointer(&reading->too_few, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static bool
read_on(const uint8_t *octets, size_t size, void *data)
{
  Reading *reading = data;
  size_t used = pop3_head_feed(&reading->head, octets, size);
  if (reading->head.is_complete && !reading->begun) {
    pop3_print_begin(&reading->print, reading->head.octets->data, reading->head.octets->len,
                     reading->head.is_cut);
    reading->begun = true;
  }
  if (reading->begun && reading->is_whole)
    pop3_print_feed(&reading->print, octets + used, size - used);
  return reading->is_whole || !reading->begun;
}

/* Takes a header, or a whole message, and names it if that is enough. */
static bool
take(HaulStore *store, guint index, const Pop3Status *status, void *data, GError **error)
{
  Reading *reading = data;
  if (!status->ok) {
    if (!pop3_store_refused(store, status, "unfetchable", reading->is_whole ? "RETR" : "TOP", NULL,
                            error))
      return false;
    reading->was_refused = true;
    if (reading->is_whole)
      pop3_name_unreadable(store, index);
    else
      g_array_append_val(reading->too_few, index);
    return true;
  }
  pop3_head_reset(&reading->head);
  reading->begun = false;
  if (!pop3_session_body(store->session, read_on, reading, NULL, error))
    return false;
  if (!reading->begun)
    pop3_print_begin(&reading->print, reading->head.octets->data, reading->head.octets->len, false);
  if (reading->print.needs_body && !reading->is_whole) {
    g_array_append_val(reading->too_few, index);
    return true;
  }
  g_autofree char *id = pop3_print_end(&reading->print);
  pop3_mailbox_give_name(store->mailbox, index, id);
  return true;
}

static GArray *
nameless(const Pop3Mailbox *mailbox)
{
  GArray *indices = g_array_new(FALSE, FALSE, sizeof(guint));
  for (guint i = 0; i < mailbox->entries->len; i++)
    if (pop3_mailbox_entry(mailbox, i)->id == NULL)
      g_array_append_val(indices, i);
  return indices;
}

/* Names what TOP tells enough of. The first message tries whether it works at all: many that are refused
 * cost a round trip each. */
static bool
name_by_top(HaulStore *store, Reading *reading, const GArray *indices, GError **error)
{
  Pop3Flight flight = { "TOP", " 0", false, take, reading, false };
  g_autoptr(GArray) first = g_array_new(FALSE, FALSE, sizeof(guint));
  g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(guint));
  g_array_append_vals(first, indices->data, 1);
  g_array_append_vals(others, &g_array_index(indices, guint, 1), indices->len - 1);
  bool works = pop3_store_uses_top(store);
  if (works) {
    if (!pop3_flight(store, &flight, first, error))
      return false;
    works = !reading->was_refused;
  } else
    g_array_append_vals(reading->too_few, first->data, first->len);
  if (works)
    return pop3_flight(store, &flight, others, error);
  g_array_append_vals(reading->too_few, others->data, others->len);
  return true;
}

bool
pop3_name_messages(HaulStore *store, bool sparing, GError **error)
{
  if (!store->mailbox->lacks_names)
    return true;
  g_autoptr(GArray) indices = nameless(store->mailbox);
  if (indices->len == 0) { /* all were named as they passed */
    store->mailbox->lacks_names = false;
    return true;
  }
  g_auto(Reading) reading = { .too_few = g_array_new(FALSE, FALSE, sizeof(guint)) };
  pop3_head_init(&reading.head);
  if (!name_by_top(store, &reading, indices, error))
    return false;
  if (sparing && reading.too_few->len > 0)
    return true;
  g_autoptr(GArray) rest = g_steal_pointer(&reading.too_few);
  reading.is_whole = true;
  Pop3Flight flight = { "RETR", "", true, take, &reading, false };
  if (!pop3_flight(store, &flight, rest, error))
    return false;
  store->mailbox->lacks_names = false;
  return true;
}

void
pop3_name_unreadable(HaulStore *store, guint index)
{
  g_autofree char *id =
      g_strdup_printf(UNREADABLE "%u", pop3_mailbox_entry(store->mailbox, index)->number);
  pop3_mailbox_give_name(store->mailbox, index, id);
}

bool
pop3_is_name_for_session(const char *id)
{
  return g_str_has_prefix(id, UNREADABLE);
}
