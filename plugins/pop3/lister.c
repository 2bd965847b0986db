/* list(): what UIDL and LIST tell, and header fields by TOP, or by RETR where TOP does not do. */
#include <string.h>

#include <mailhaul/account.h>
#include <mailhaul/text.h>

#include "flight.h"
#include "head.h"
#include "naming.h"
#include "store.h"

typedef struct {
  const char *const *fields;
  HaulItemFunc each;
  void *data;
  Pop3Head head;
  GByteArray *selected; /* owned; the fields of the message at hand */
  GByteArray *compared; /* owned; those that TOP gave, while RETR is held against it; else NULL */
  bool top_lies;
} Listing;

static void
listing_clear(Listing *listing)
{
  pop3_head_clear(&listing->head);
  g_byte_array_unref(listing->selected);
  g_clear_pointer(&listing->compared, g_byte_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Listing, listing_clear)

static HaulItem
item_of(const Pop3Entry *entry)
{
  return (HaulItem){ .id = entry->id, .size = entry->size, .date = HAUL_NO_DATE };
}

static bool
keep_head(const uint8_t *octets, size_t size, void *data)
{
  Pop3Head *head = data;
  pop3_head_feed(head, octets, size);
  return !head->is_complete;
}

/* Reads the header of a message, however it comes, and selects the fields. */
static bool
read_fields(HaulStore *store, Listing *listing, GError **error)
{
  pop3_head_reset(&listing->head);
  if (!pop3_session_body(store->session, keep_head, &listing->head, NULL, error))
    return false;
  g_byte_array_set_size(listing->selected, 0);
  haul_header_select(listing->head.octets->data, listing->head.octets->len, listing->fields,
                     listing->selected);
  return true;
}

/* Tells of a message with the fields that came; without, where it was refused: fetching it will say why. */
static bool
tell(HaulStore *store, guint index, const Pop3Status *status, void *data, GError **error)
{
  Listing *listing = data;
  HaulItem item = item_of(pop3_mailbox_entry(store->mailbox, index));
  if (!status->ok) {
    if (!pop3_store_refused(store, status, "unfetchable", "the header", NULL, error))
      return false;
    return listing->each(&item, listing->data);
  }
  if (!read_fields(store, listing, error))
    return false;
  item.header = listing->selected->data != NULL ? listing->selected->data : (const uint8_t *)"";
  item.header_size = listing->selected->len;
  return listing->each(&item, listing->data);
}

/* Takes the header of one message by TOP, then by RETR, to be compared. */
static bool
compare(HaulStore *store, guint index, const Pop3Status *status, void *data, GError **error)
{
  Listing *listing = data;
  if (!status->ok) {
    /* TOP is offered and does not work, or the message cannot be had at all: RETR will tell. */
    listing->top_lies |= listing->compared == NULL;
    return pop3_store_refused(store, status, "unfetchable", "the header", NULL, error);
  }
  if (!read_fields(store, listing, error))
    return false;
  if (listing->compared == NULL) {
    listing->compared = g_steal_pointer(&listing->selected);
    listing->selected = g_byte_array_new();
    return true;
  }
  guint size = listing->selected->len;
  listing->top_lies =
      listing->compared->len != size
      || (size > 0 && memcmp(listing->compared->data, listing->selected->data, size) != 0);
  return true;
}

/*
 * Whether TOP gives the header that RETR gives, as the first of the messages shows: keys are made of it, and
 * RETR decides (field: P-14). Where a message that was read is hidden from then on, none is read for that.
 */
static bool
judge_top(HaulStore *store, const GArray *chosen, Listing *listing, GError **error)
{
  if (store->top_is_judged || store->hides_read || chosen->len == 0 || !pop3_store_uses_top(store))
    return true;
  g_autoptr(GArray) first = g_array_new(FALSE, FALSE, sizeof(guint));
  g_array_append_vals(first, chosen->data, 1);
  Pop3Flight flight = { "TOP", " 0", false, compare, listing, false };
  if (!pop3_flight(store, &flight, first, error))
    return false;
  if (!listing->top_lies) {
    flight = (Pop3Flight){ "RETR", "", true, compare, listing, false };
    if (!pop3_flight(store, &flight, first, error))
      return false;
  }
  store->top_is_judged = true;
  if (listing->top_lies)
    haul_account_forgo(store->account, "TOP");
  return true;
}

static bool
list_fields(HaulStore *store, const GArray *chosen, const char *const *fields, HaulItemFunc each,
            void *data, GError **error)
{
  g_auto(Listing)
      listing = { .fields = fields, .each = each, .data = data, .selected = g_byte_array_new() };
  pop3_head_init(&listing.head);
  if (!judge_top(store, chosen, &listing, error))
    return false;
  bool by_top = pop3_store_uses_top(store);
  Pop3Flight flight = {
    by_top ? "TOP" : "RETR", by_top ? " 0" : "", !by_top, tell, &listing, false
  };
  return pop3_flight(store, &flight, chosen, error);
}

bool
pop3_list(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
          const char *const *header_fields, HaulItemFunc each, void *data, GError **error)
{
  if (n_ranges == 0)
    return true;
  /* Sizes or not, LIST is asked, too: what UIDL leaves out must not be missing. */
  if (!pop3_mailbox_look(store, POP3_LOOK_ALL, error) || !pop3_name_messages(store, false, error))
    return false;
  g_autoptr(GArray) chosen = pop3_mailbox_choose(store->mailbox, ranges, n_ranges, error);
  if (chosen == NULL)
    return false;
  if (header_fields != NULL && header_fields[0] != NULL)
    return list_fields(store, chosen, header_fields, each, data, error);
  for (guint i = 0; i < chosen->len; i++) {
    HaulItem item = item_of(pop3_mailbox_entry(store->mailbox, g_array_index(chosen, guint, i)));
    if (!each(&item, data))
      return false;
  }
  return true;
}
