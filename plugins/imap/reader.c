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
  HaulIntake *intake;      /* borrowed */
  const HaulRange *ranges; /* borrowed: as the core named them */
  size_t n_ranges;
  uint64_t unread; /* UID of the message given last, if it was not \Seen; else 0 */
} ImapReader;

static void
reader_clear(ImapReader *reader)
{
  imap_call_clear(&reader->call);
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
  reader->call.store->octets_read += size;
  *body = haul_intake_begin(reader->intake, size, error);
  return *body != NULL
         && (session->in_body ? read_body(session, *body, error)
                              : copy_body(&reader->call.fetch, *body, error));
}

/* Takes what the response says behind the body; what it said before is kept already. */
static bool
take_rest(ImapReader *reader, ImapCursor *rest, GError **error)
{
  ImapFetch *fetch = &reader->call.fetch;
  ImapItemRoom *room = &reader->call.room;
  bool had_flags = fetch->has_flags, had_object_id = fetch->object_id.at != NULL;
  bool had_labels = fetch->labels->len > 0;
  if (!imap_call_parse_rest(&reader->call, rest, error))
    return false;
  if (!had_flags && fetch->has_flags)
    imap_item_keep_keywords(room, fetch);
  if (!had_object_id && fetch->object_id.at != NULL)
    imap_item_keep_object_id(room, fetch);
  if (!had_labels && fetch->labels->len > 0)
    imap_item_keep_labels(room, reader->call.store, fetch);
  return true;
}

/* Says once if the server marks as read what it just gave, though it was asked to let us peek only:
 * iCloud does. */
static void
notice_mark(ImapReader *reader)
{
  const ImapFetch *fetch = &reader->call.fetch;
  HaulStore *store = reader->call.store;
  if (fetch->uid == 0 || fetch->uid != reader->unread || store->marks_read
      || (fetch->flags.flags & HAUL_SEEN) == 0)
    return;
  store->marks_read = true;
  haul_log(HAUL_LOG_WARNING, "%s: the server marks messages as read that are only peeked at",
           haul_account_side(store->account));
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
  imap_item_keep(&reader->call.room, visit->store, fetch);
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
    if (!imap_input_end_body(session, &rest, error) || !take_rest(reader, &rest, error))
      return false;
  }

  if (fetch->body_kind == IMAP_BODY_NONE || fetch->body_kind == IMAP_BODY_NIL) {
    notice_mark(reader);
    imap_call_note(&reader->call);
    return true;
  }
  GError *bad = NULL;
  if (!imap_call_awaits(&reader->call, &bad)) {
    if (bad == NULL)
      return true;
    g_propagate_error(error, bad);
    return false;
  }
  imap_seen_add(&reader->call.seen, (uint32_t)fetch->uid);
  reader->unread = (fetch->flags.flags & HAUL_SEEN) == 0 ? fetch->uid : 0;
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

/* Skips what a flight of singles has not brought. */
static void
skip_missing(ImapReader *reader, const ImapVisit *visit, const uint32_t *uids, guint n_uids)
{
  g_autoptr(GError) why = NULL;
  if (visit->refused)
    imap_set_reading_refusal(&why, HAUL_ERROR_MESSAGE, "unfetchable", "the server refused it",
                             visit->code, visit->text);
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

/* Asks for messages one by one, @uids; those that fail again are skipped. */
static bool
fetch_singly(ImapReader *reader, const GArray *uids, GError **error)
{
  for (guint first = 0; first < uids->len; first += SINGLES_UNDER_WAY) {
    guint n = MIN(uids->len - first, (guint)SINGLES_UNDER_WAY);
    uint64_t before = imap_seen_count(&reader->call.seen);
    const uint32_t *flight = &g_array_index(uids, uint32_t, first);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++)
      g_ptr_array_add(lines, g_strdup_printf("UID FETCH %" G_GUINT32_FORMAT " %s", flight[i],
                                             imap_fetch_items(reader->call.store)));
    ImapVisit *visit = imap_visit_begin(reader->call.store, false, lines, error);
    if (visit == NULL || !imap_visit_run(visit, take_message, reader, error))
      return false;
    bool none = imap_seen_count(&reader->call.seen) == before;
    if (none && n > 1 && visit->refused && imap_puts_reading_off(visit->code, visit->text))
      return imap_call_refused(visit, error);
    skip_missing(reader, visit, flight, n);
  }
  return true;
}

/* Skips messages that the core named one by one, and that are there no more. */
static void
skip_vanished(ImapReader *reader)
{
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_MESSAGE, "vanished", "it was removed while we worked");
  for (size_t i = 0; i < reader->n_ranges; i++) {
    const HaulRange *range = &reader->ranges[i];
    if (range->first == NULL || range->last == NULL || strcmp(range->first, range->last) != 0)
      continue;
    uint32_t uid = (uint32_t)g_ascii_strtoull(range->first, NULL, 10);
    if (!imap_seen_has(&reader->call.seen, uid))
      skip(reader, uid, why);
  }
}

bool
imap_fetch(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
           GError **error)
{
  g_auto(ImapReader) reader = { .intake = intake, .ranges = ranges, .n_ranges = n_ranges };
  ImapCall *call = &reader.call;
  if (!imap_call_init(call, store, ranges, n_ranges, error))
    return false;
  if (call->ranges->len == 0)
    return true;
  ImapVisit *visit = imap_call_begin(call, imap_fetch_items(store), error);
  if (visit == NULL)
    return false;
  if (visit->n_messages == 0 && visit->n_sent == 0) {
    imap_visit_end(store);
    skip_vanished(&reader);
    return true;
  }
  if (!imap_visit_run(visit, take_message, &reader, error))
    return false;
  if (visit->n_messages > 0) { /* some servers refuse to fetch where nothing is */
    /* UNAVAILABLE may mean one message of them (Yahoo), other pleas mean us. */
    if (visit->refused && imap_puts_reading_off(visit->code, visit->text)
        && g_strcmp0(visit->code, "UNAVAILABLE") != 0)
      return imap_call_refused(visit, error);
    g_autoptr(GArray) missing = imap_call_missing(call, visit, error);
    if (missing == NULL || !fetch_singly(&reader, missing, error))
      return false;
  }
  skip_vanished(&reader);
  return true;
}
