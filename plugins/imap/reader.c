/*
 * Fetching from the selected folder: fetch() of the contract.
 *
 * All is asked for at once. What the server refuses together, or leaves out, is asked for again one
 * by one, so that a message which cannot be read does not take others with it.
 */
#include "reader.h"

#include <string.h>

#include "call.h"
#include "input.h"
#include "lines.h"

/* How many messages are asked for one by one at a time, after they failed together. */
#define SINGLES_UNDER_WAY 16

typedef struct {
  ImapCall call;
  HaulIntake *intake; /* borrowed */
  GArray *missing;    /* owned uint32_t: there, but without a body so far */
} ImapReader;

static void
reader_clear(ImapReader *reader)
{
  imap_call_clear(&reader->call);
  g_clear_pointer(&reader->missing, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImapReader, reader_clear)

static void
skip(ImapReader *reader, uint32_t uid, const GError *why)
{
  char id[12];
  g_snprintf(id, sizeof id, "%" G_GUINT32_FORMAT, uid);
  haul_intake_skip(reader->intake, id, why);
  if (!imap_seen_has(&reader->call.seen, uid))
    imap_seen_add(&reader->call.seen, uid);
}

/* Moves the body that comes from the stream into @body. False with HAUL_ERROR_MESSAGE if only the
 * body is lost. */
static bool
read_body(ImapSession *session, HaulBodyWriter *body, GError **error)
{
  while (session->body_left > 0) {
    size_t room;
    void *buffer =
        haul_body_writer_reserve(body, (size_t)MIN(session->body_left, G_MAXUINT), &room, error);
    if (buffer == NULL)
      return false;
    size_t got = imap_input_body(session, buffer, room, error);
    if (got == 0)
      return false; /* dropped with its body: nothing half-read leaves this function */
    haul_body_writer_advance(body, got);
  }
  return true;
}

/* The same for one that came as a quoted string: "" and other short ones. */
static bool
copy_body(const ImapFetch *fetch, HaulBodyWriter *body, GError **error)
{
  size_t size;
  g_autofree char *text = imap_span_dup(&fetch->body, &size);
  for (size_t done = 0; done < size;) {
    size_t room;
    void *buffer = haul_body_writer_reserve(body, size - done, &room, error);
    if (buffer == NULL)
      return false;
    memcpy(buffer, text + done, room);
    haul_body_writer_advance(body, room);
    done += room;
  }
  return true;
}

static bool
take_body(ImapReader *reader, HaulBodyWriter **body, GError **error)
{
  ImapSession *session = reader->call.store->session;
  uint64_t size = session->in_body ? reader->call.fetch.body_size : reader->call.fetch.body.size;
  *body = haul_intake_begin(reader->intake, size, error);
  return *body != NULL
         && (session->in_body ? read_body(session, *body, error)
                              : copy_body(&reader->call.fetch, *body, error));
}

/* Takes one message: what the response says of it, its body from the stream, and what the response
 * says behind that. */
static bool
take_message(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  ImapReader *reader = visit->context;
  ImapFetch *fetch = &reader->call.fetch;
  ImapSession *session = visit->store->session;
  ImapCursor rest;
  g_autoptr(HaulBodyWriter) body = NULL;
  g_autoptr(GError) why = NULL;
  if (!imap_call_parse(&reader->call, response, &rest, error))
    return false;
  imap_item_keep_keywords(&reader->call.room, fetch);
  bool has_flags = fetch->has_flags;
  /* The UID may be told behind the body. */
  bool wanted = fetch->uid == 0 || imap_call_awaits(&reader->call, &why);
  if (why != NULL) {
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  if (wanted && (fetch->body_kind == IMAP_BODY_COMES || fetch->body_kind == IMAP_BODY_STRING)
      && !take_body(reader, &body, &why)) {
    if (session->dead || haul_error_reach(why) != HAUL_ERROR_MESSAGE) {
      g_propagate_error(error, g_steal_pointer(&why));
      return false;
    }
    g_clear_pointer(&body, haul_body_writer_free);
  }
  if (session->in_body) {
    if (!imap_input_end_body(session, &rest, error)
        || !imap_call_parse_rest(&reader->call, &rest, error))
      return false;
    if (!has_flags)
      imap_item_keep_keywords(&reader->call.room, fetch);
  }

  GError *bad = NULL;
  if (fetch->body_kind == IMAP_BODY_NONE || !imap_call_awaits(&reader->call, &bad)) {
    if (bad == NULL)
      return true;
    g_propagate_error(error, bad);
    return false;
  }
  uint32_t uid = (uint32_t)fetch->uid;
  if (fetch->body_kind == IMAP_BODY_NIL) {
    g_array_append_val(reader->missing, uid);
    return true;
  }
  imap_seen_add(&reader->call.seen, uid);
  HaulItem item;
  imap_item_fill(&reader->call.room, fetch, &item);
  if (body != NULL && haul_intake_commit(reader->intake, g_steal_pointer(&body), &item, &why))
    return true;
  if (haul_error_reach(why) != HAUL_ERROR_MESSAGE) {
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  haul_intake_skip(reader->intake, item.id, why);
  return true;
}

static bool
take_uid(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  ImapReader *reader = visit->context;
  ImapCursor rest;
  GError *why = NULL;
  if (!imap_call_parse(&reader->call, response, &rest, error))
    return false;
  if (imap_call_awaits(&reader->call, &why)) {
    uint32_t uid = (uint32_t)reader->call.fetch.uid;
    g_array_append_val(reader->missing, uid);
  }
  if (why != NULL)
    g_propagate_error(error, why);
  return why == NULL;
}

/* Gathers in reader->missing every message of the ranges that was not answered. */
static bool
find_missing(ImapReader *reader, GError **error)
{
  ImapVisit *visit = imap_call_begin(&reader->call, "(UID)", error);
  g_array_set_size(reader->missing, 0);
  if (visit == NULL || !imap_visit_run(visit, take_uid, reader, error))
    return false;
  return !visit->refused || imap_call_refused(visit, error);
}

static gint
compare_uids(gconstpointer a, gconstpointer b)
{
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

/* Skips what a flight of singles has not brought. */
static void
skip_missing(ImapReader *reader, const ImapVisit *visit, const uint32_t *uids, guint n_uids)
{
  g_autoptr(GError) why = NULL;
  if (visit->refused)
    imap_set_refusal(&why, HAUL_ERROR_MESSAGE, "unfetchable", "the server refused it", visit->code,
                     visit->text);
  if (why == NULL || haul_error_reach(why) != HAUL_ERROR_MESSAGE) {
    g_autofree char *text = why != NULL ? g_strdup(why->message) : NULL;
    g_clear_error(&why);
    haul_set_error(&why, HAUL_ERROR_MESSAGE, "unfetchable", "%s",
                   text != NULL ? text : "the server lists it, but gives no body");
  }
  for (guint i = 0; i < n_uids; i++) {
    if (!imap_seen_has(&reader->call.seen, uids[i]))
      skip(reader, uids[i], why);
  }
}

/* Asks for the messages in reader->missing one by one; those that fail again are skipped. */
static bool
fetch_singly(ImapReader *reader, GError **error)
{
  g_autoptr(GArray) uids = g_steal_pointer(&reader->missing);
  reader->missing = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_array_sort(uids, compare_uids);
  for (guint first = 0; first < uids->len; first += SINGLES_UNDER_WAY) {
    guint n = MIN(uids->len - first, (guint)SINGLES_UNDER_WAY);
    uint64_t before = imap_seen_count(&reader->call.seen);
    const uint32_t *flight = &g_array_index(uids, uint32_t, first);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++)
      g_ptr_array_add(
          lines, g_strdup_printf("UID FETCH %" G_GUINT32_FORMAT " " IMAP_FETCH_ITEMS, flight[i]));
    ImapVisit *visit = imap_visit_begin(reader->call.store, false, lines, error);
    if (visit == NULL || !imap_visit_run(visit, take_message, reader, error))
      return false;
    bool none = imap_seen_count(&reader->call.seen) == before;
    if (none && n > 1 && visit->refused && imap_asks_for_patience(visit->code, visit->text))
      return imap_call_refused(visit, error);
    skip_missing(reader, visit, flight, n);
  }
  return true;
}

/* Adds messages that the core named one by one, and that were not answered, to reader->missing. */
static void
add_named(ImapReader *reader, const HaulRange *ranges, size_t n_ranges)
{
  for (size_t i = 0; i < n_ranges; i++) {
    if (ranges[i].first == NULL || ranges[i].last == NULL
        || strcmp(ranges[i].first, ranges[i].last) != 0)
      continue;
    uint32_t uid = (uint32_t)g_ascii_strtoull(ranges[i].first, NULL, 10);
    if (!imap_seen_has(&reader->call.seen, uid))
      g_array_append_val(reader->missing, uid);
  }
}

bool
imap_fetch(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
           GError **error)
{
  g_auto(ImapReader) reader = { .intake = intake };
  ImapCall *call = &reader.call;
  reader.missing = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  if (!imap_call_init(call, store, ranges, n_ranges, error))
    return false;
  if (call->ranges->len == 0)
    return true;
  ImapVisit *visit = imap_call_begin(call, IMAP_FETCH_ITEMS, error);
  if (visit == NULL)
    return false;
  if (visit->n_messages == 0 && visit->n_sent == 0) {
    imap_visit_end(store);
    return true;
  }
  if (!imap_visit_run(visit, take_message, &reader, error))
    return false;
  if (visit->n_messages == 0) /* where some servers refuse to fetch */
    return true;
  /* UNAVAILABLE may mean one message of them (Yahoo), other pleas mean us. */
  if (visit->refused && imap_asks_for_patience(visit->code, visit->text)
      && g_strcmp0(visit->code, "UNAVAILABLE") != 0)
    return imap_call_refused(visit, error);
  if (!visit->refused && !imap_call_is_short(call, visit))
    add_named(&reader, ranges, n_ranges);
  else if (!find_missing(&reader, error))
    return false;
  return reader.missing->len == 0 || fetch_singly(&reader, error);
}
