/*
 * Listing the selected folder: list() of the contract.
 *
 * Items are given as they come, for servers answer in the order of UIDs. What comes late is kept and
 * given at the end, in order among itself.
 */
#include "reader.h"

#include <string.h>

#include "call.h"
#include "lines.h"

typedef struct {
  ImapCall call;
  uint32_t want;
  bool wants_header;
  HaulItemFunc each;
  void *data;
  GPtrArray *late; /* owned ImapLate: came after greater ones */
  size_t late_octets;
} ImapLister;

typedef struct {
  ImapFetch fetch;
  ImapItemRoom room;
  char *header; /* owned */
} ImapLate;

static void
late_free(gpointer data)
{
  ImapLate *late = data;
  imap_fetch_free(&late->fetch);
  imap_item_room_free(&late->room);
  g_free(late->header);
  g_free(late);
}

/* About what an item takes that is kept. */
static size_t
size_of_late(const ImapFetch *fetch)
{
  size_t octets = 512 + fetch->header.size;
  for (guint i = 0; i < fetch->flags.keywords->len; i++)
    octets += g_array_index(fetch->flags.keywords, ImapSpan, i).size;
  for (guint i = 0; i < fetch->labels->len; i++)
    octets += g_array_index(fetch->labels, ImapSpan, i).size;
  return octets;
}

static bool
keep_late(ImapLister *lister, GError **error)
{
  lister->late_octets += size_of_late(&lister->call.fetch);
  if (lister->late_octets > IMAP_LATE_LIMIT) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "protocol",
                   "the server lists more in disorder than can be sorted");
    return false;
  }
  ImapLate *late = g_new0(ImapLate, 1);
  late->fetch = lister->call.fetch;
  late->fetch.flags.keywords = late->fetch.labels = NULL;
  imap_item_room_init(&late->room);
  imap_item_keep(&late->room, lister->call.store, &lister->call.fetch);
  if (lister->call.fetch.header.at != NULL) {
    late->header = imap_span_dup(&lister->call.fetch.header, &late->fetch.header.size);
    late->fetch.header.at = late->header;
  }
  if (lister->late == NULL)
    lister->late = g_ptr_array_new_with_free_func(late_free);
  g_ptr_array_add(lister->late, late);
  return true;
}

static gint
compare_late(gconstpointer a, gconstpointer b)
{
  const ImapLate *left = *(ImapLate *const *)a, *right = *(ImapLate *const *)b;
  return left->fetch.uid < right->fetch.uid ? -1 : left->fetch.uid > right->fetch.uid;
}

static bool
give_late(ImapLister *lister)
{
  if (lister->late == NULL)
    return true;
  g_ptr_array_sort(lister->late, compare_late);
  for (guint i = 0; i < lister->late->len; i++) {
    ImapLate *late = g_ptr_array_index(lister->late, i);
    HaulItem item;
    imap_item_fill(&late->room, &late->fetch, &item);
    if (!lister->each(&item, lister->data))
      return false;
  }
  return true;
}

/* Whether the response holds what was asked for, rather than flags that somebody changed. */
static bool
is_listing(const ImapLister *lister)
{
  const ImapFetch *fetch = &lister->call.fetch;
  if (!fetch->has_flags)
    return false;
  if ((lister->want & HAUL_WANT_OBJECT_ID) != 0 && !fetch->has_object_id
      && imap_session_can(lister->call.store->session, IMAP_CAP_GMAIL))
    return false;
  if ((lister->want & (HAUL_WANT_SIZE | HAUL_WANT_DATE)) == 0 && !lister->wants_header)
    return true;
  return ((lister->want & HAUL_WANT_SIZE) != 0 && fetch->has_size)
         || ((lister->want & HAUL_WANT_DATE) != 0 && fetch->has_date)
         || (lister->wants_header && fetch->has_header);
}

static bool
take_listed(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  ImapLister *lister = visit->context;
  ImapCall *call = &lister->call;
  ImapCursor rest;
  HaulItem item;
  GError *why = NULL;
  if (!imap_call_parse(call, response, &rest, error))
    return false;
  if (!imap_call_awaits(call, &why) || !is_listing(lister)) {
    if (why != NULL) {
      g_propagate_error(error, why);
      return false;
    }
    imap_call_note(call);
    return true;
  }
  bool late = call->fetch.uid < imap_seen_last(&call->seen);
  imap_seen_add(&call->seen, (uint32_t)call->fetch.uid);
  /* An item is an answer, and there are no more of them than messages: DavMail reads each message
   * from its own server in order to tell its size. */
  haul_stream_answered(visit->store->session->stream);
  if (late)
    return keep_late(lister, error);
  imap_item_keep(&call->room, call->store, &call->fetch);
  imap_item_fill(&call->room, &call->fetch, &item);
  return lister->each(&item, lister->data);
}

static void
lister_clear(ImapLister *lister)
{
  imap_call_clear(&lister->call);
  g_clear_pointer(&lister->late, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImapLister, lister_clear)

/* Lists what the server has left out; what it leaves out again it must not keep to itself. */
static bool
list_missing(ImapLister *lister, const GArray *uids, const char *items, GError **error)
{
  ImapCall *call = &lister->call;
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  uint64_t n_before = imap_seen_count(&call->seen);
  imap_set_from_ids(ranges, &g_array_index(uids, uint32_t, 0), uids->len);
  imap_fetch_lines(lines, ranges, items);
  ImapVisit *visit = imap_visit_begin(call->store, false, lines, error);
  if (visit == NULL || !imap_visit_run(visit, take_listed, lister, error))
    return false;
  if (visit->refused)
    return imap_call_refused(visit, error);
  for (guint i = 0; i < uids->len; i++) {
    if (!imap_seen_has(&call->seen, g_array_index(uids, uint32_t, i)))
      return imap_call_short(call, imap_seen_count(&call->seen), n_before + uids->len, error);
  }
  return true;
}

bool
imap_list(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
          const char *const *header_fields, HaulItemFunc each, void *data, GError **error)
{
  g_auto(ImapLister) lister = { .want = imap_list_want(store, want),
                                .wants_header = header_fields != NULL && *header_fields != NULL,
                                .each = each,
                                .data = data };
  ImapCall *call = &lister.call;
  if (!imap_call_init(call, store, ranges, n_ranges, error))
    return false;
  if (call->ranges->len == 0)
    return true;
  g_autofree char *items = imap_list_items(store, want, header_fields);
  ImapVisit *visit = imap_call_begin(call, items, error);
  if (visit == NULL)
    return false;
  if (visit->n_messages == 0 && visit->n_sent == 0) {
    imap_visit_end(store);
    return true;
  }
  if (!imap_visit_run(visit, take_listed, &lister, error))
    return false;
  if (visit->n_messages == 0) /* where some servers refuse to fetch */
    return give_late(&lister);
  if (visit->refused && g_strcmp0(visit->code, "EXPUNGEISSUED") != 0)
    return imap_call_refused(visit, error);
  uint64_t n_seen = imap_seen_count(&call->seen);
  if (imap_ranges_are_all(call->ranges) && n_seen + visit->n_gone < visit->n_messages)
    return imap_call_short(call, n_seen, visit->n_messages, error);
  g_autoptr(GArray) missing = imap_call_missing(call, visit, error);
  if (missing == NULL || (missing->len > 0 && !list_missing(&lister, missing, items, error)))
    return false;
  return give_late(&lister);
}
