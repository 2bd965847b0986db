/*
 * Reading the selected folder. See reader.h.
 *
 * Answers are believed where they were asked for: by UID, once, and with what was asked. Everything
 * else that a server may send meanwhile (flags that others changed, messages of others, the same
 * one twice) is passed over.
 */
#include "reader.h"

#include <string.h>

#include "item.h"
#include "visit.h"

/* How many messages are asked for one by one at a time, after they failed together. */
#define SINGLES_UNDER_WAY 16

typedef struct {
  HaulStore *store;  /* borrowed */
  GArray *ranges;    /* owned: asked for */
  guint hint;        /* of imap_set_has() */
  ImapSeen seen;     /* answered */
  ImapFetch fetch;   /* the response at hand */
  ImapItemRoom room;

  /* list() */
  uint32_t want;
  bool wants_header;
  HaulItemFunc each;
  void *data;
  GPtrArray *late; /* owned ImapLate: came after greater ones */
  bool ended;      /* each() wants no more */

  /* fetch() */
  HaulIntake *intake;
  GArray *empty; /* owned uint32_t: the server says that they have no body */
} ImapCall;

static bool
call_init(ImapCall *call, HaulStore *store, const HaulRange *ranges, size_t n_ranges,
          GError **error)
{
  *call = (ImapCall){ .store = store };
  imap_seen_init(&call->seen);
  imap_fetch_init(&call->fetch);
  imap_item_room_init(&call->room);
  call->empty = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  call->ranges = imap_ranges_parse(ranges, n_ranges, error);
  return call->ranges != NULL;
}

static void
call_clear(ImapCall *call)
{
  imap_seen_free(&call->seen);
  imap_fetch_free(&call->fetch);
  imap_item_room_free(&call->room);
  g_clear_pointer(&call->ranges, g_array_unref);
  g_clear_pointer(&call->late, g_ptr_array_unref);
  g_clear_pointer(&call->empty, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImapCall, call_clear)

static bool
asks_for_all(const ImapCall *call)
{
  const ImapRange *first = &g_array_index(call->ranges, ImapRange, 0);
  return call->ranges->len == 1 && first->first == 1 && first->last == UINT32_MAX;
}

/* Whether fewer messages were answered than EXISTS promised, those gone since aside. */
static bool
is_short(const ImapCall *call, const ImapVisit *visit)
{
  return asks_for_all(call) && imap_seen_count(&call->seen) + visit->n_gone < visit->n_messages;
}

static bool
malformed(ImapVisit *visit, GError **error)
{
  return imap_session_protocol_error(visit->store->session, error, "FETCH in \"%s\"",
                                     visit->folder->path);
}

/* Whether the message at hand was asked for and not yet answered. @error is set if its UID is none
 * (RFC 9051 §2.3.1.1): what else this folder says cannot be trusted. */
static bool
is_awaited(ImapCall *call, GError **error)
{
  const ImapFetch *fetch = &call->fetch;
  if (fetch->bad_uid) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "protocol", "the server gives UIDs that are none");
    return false;
  }
  return fetch->uid != 0 && imap_set_has(call->ranges, (uint32_t)fetch->uid, &call->hint)
         && !imap_seen_has(&call->seen, (uint32_t)fetch->uid);
}

/* list() ----------------------------------------------------------------------------------- */

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

static void
keep_late(ImapCall *call)
{
  ImapLate *late = g_new0(ImapLate, 1);
  late->fetch = call->fetch;
  late->fetch.flags.keywords = NULL;
  imap_item_room_init(&late->room);
  imap_item_keep_keywords(&late->room, &call->fetch);
  if (call->fetch.object_id.at != NULL) {
    late->room.object_id = imap_span_dup(&call->fetch.object_id, NULL);
    late->fetch.object_id
        = (ImapSpan){ late->room.object_id, strlen(late->room.object_id), false };
  }
  if (call->fetch.header.at != NULL) {
    late->header = imap_span_dup(&call->fetch.header, &late->fetch.header.size);
    late->fetch.header.at = late->header;
  }
  if (call->late == NULL)
    call->late = g_ptr_array_new_with_free_func(late_free);
  g_ptr_array_add(call->late, late);
}

static gint
compare_late(gconstpointer a, gconstpointer b)
{
  const ImapLate *left = *(ImapLate *const *)a, *right = *(ImapLate *const *)b;
  return left->fetch.uid < right->fetch.uid ? -1 : left->fetch.uid > right->fetch.uid;
}

static bool
give_late(ImapCall *call)
{
  if (call->late == NULL)
    return true;
  g_ptr_array_sort(call->late, compare_late);
  for (guint i = 0; i < call->late->len; i++) {
    ImapLate *late = g_ptr_array_index(call->late, i);
    g_autofree char *object_id = g_steal_pointer(&late->room.object_id);
    HaulItem item;
    imap_item_fill(&late->room, &late->fetch, &item);
    if (!call->each(&item, call->data))
      return false;
  }
  return true;
}

/* Whether the response holds what was asked for, rather than flags that somebody changed. */
static bool
is_listing(const ImapCall *call)
{
  const ImapFetch *fetch = &call->fetch;
  if (!fetch->has_flags)
    return false;
  if ((call->want & (HAUL_WANT_SIZE | HAUL_WANT_DATE)) == 0 && !call->wants_header)
    return true;
  return ((call->want & HAUL_WANT_SIZE) != 0 && fetch->has_size)
         || ((call->want & HAUL_WANT_DATE) != 0 && fetch->has_date)
         || (call->wants_header && fetch->has_header);
}

static bool
take_listed(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  ImapCall *call = visit->context;
  ImapCursor cursor = response->rest;
  HaulItem item;
  GError *why = NULL;
  imap_fetch_clear(&call->fetch);
  if (!imap_parse_fetch(&cursor, false, &call->fetch) && !visit->store->session->in_body)
    return malformed(visit, error);
  if (!is_awaited(call, &why) || !is_listing(call)) {
    if (why != NULL)
      g_propagate_error(error, why);
    return why == NULL;
  }
  bool late = call->fetch.uid < imap_seen_last(&call->seen);
  imap_seen_add(&call->seen, (uint32_t)call->fetch.uid);
  if (late) {
    keep_late(call);
    return true;
  }
  imap_item_keep_keywords(&call->room, &call->fetch);
  imap_item_fill(&call->room, &call->fetch, &item);
  call->ended = !call->each(&item, call->data);
  return !call->ended;
}

static bool
refuse_listing(const ImapVisit *visit, GError **error)
{
  imap_set_refusal(error, HAUL_ERROR_FOLDER, "failed", visit->folder->path, visit->code,
                   visit->text);
  return false;
}

bool
imap_list(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
          const char *const *header_fields, HaulItemFunc each, void *data, GError **error)
{
  g_auto(ImapCall) call = { 0 };
  if (!call_init(&call, store, ranges, n_ranges, error))
    return false;
  if (call.ranges->len == 0)
    return true;
  call.want = want;
  call.wants_header = header_fields != NULL && *header_fields != NULL;
  call.each = each;
  call.data = data;

  g_autofree char *items = imap_list_items(store, want, header_fields);
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  imap_fetch_lines(lines, call.ranges, items);
  ImapVisit *visit = imap_visit_begin(store, false, lines, error);
  if (visit == NULL)
    return false;
  if (visit->n_messages == 0 && visit->n_sent == 0)
    return true;
  if (!imap_visit_run(visit, take_listed, &call, error))
    return false;
  /* Some servers refuse to fetch from a folder that holds nothing. */
  if (visit->refused && visit->n_messages > 0 && g_strcmp0(visit->code, "EXPUNGEISSUED") != 0)
    return refuse_listing(visit, error);
  if (is_short(&call, visit)) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "protocol",
                   "%s: the server listed %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " messages",
                   visit->folder->path, imap_seen_count(&call.seen), visit->n_messages);
    return false;
  }
  return give_late(&call);
}

/* fetch() ---------------------------------------------------------------------------------- */

static void
skip(ImapCall *call, uint32_t uid, const GError *why)
{
  char id[12];
  g_snprintf(id, sizeof id, "%" G_GUINT32_FORMAT, uid);
  haul_intake_skip(call->intake, id, why);
  if (!imap_seen_has(&call->seen, uid))
    imap_seen_add(&call->seen, uid);
}

/* Moves the body that comes from the stream into @body. False with HAUL_ERROR_MESSAGE if only the
 * body is lost. */
static bool
read_body(ImapSession *session, HaulBodyWriter *body, GError **error)
{
  while (session->body_left > 0) {
    size_t room;
    void *buffer
        = haul_body_writer_reserve(body, (size_t)MIN(session->body_left, G_MAXUINT), &room, error);
    if (buffer == NULL)
      return false;
    size_t got = imap_session_read_body(session, buffer, room, error);
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
take_body(ImapCall *call, HaulBodyWriter **body, GError **error)
{
  ImapSession *session = call->store->session;
  uint64_t size = session->in_body ? call->fetch.body_size : call->fetch.body.size;
  *body = haul_intake_begin(call->intake, size, error);
  return *body != NULL
         && (session->in_body ? read_body(session, *body, error)
                              : copy_body(&call->fetch, *body, error));
}

/* Takes one message: what the response says of it, its body from the stream, and what the response
 * says behind that. */
static bool
take_message(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  ImapCall *call = visit->context;
  ImapFetch *fetch = &call->fetch;
  ImapSession *session = visit->store->session;
  ImapCursor cursor = response->rest;
  g_autoptr(HaulBodyWriter) body = NULL;
  g_autoptr(GError) why = NULL;
  imap_fetch_clear(fetch);
  if (!imap_parse_fetch(&cursor, false, fetch)
      || (fetch->body_kind == IMAP_BODY_COMES) != session->in_body)
    return malformed(visit, error);

  imap_item_keep_keywords(&call->room, fetch);
  bool has_flags = fetch->has_flags;
  bool wanted = fetch->uid == 0 || is_awaited(call, &why); /* it may be told behind the body */
  if (why != NULL) {
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  if (wanted && (fetch->body_kind == IMAP_BODY_COMES || fetch->body_kind == IMAP_BODY_STRING)
      && !take_body(call, &body, &why)) {
    if (session->dead || haul_error_reach(why) != HAUL_ERROR_MESSAGE) {
      g_propagate_error(error, g_steal_pointer(&why));
      return false;
    }
    g_clear_pointer(&body, haul_body_writer_free);
  }
  if (session->in_body) {
    if (!imap_session_end_body(session, &cursor, error))
      return false;
    if (!imap_parse_fetch(&cursor, true, fetch))
      return malformed(visit, error);
    if (!has_flags)
      imap_item_keep_keywords(&call->room, fetch);
  }

  GError *bad = NULL;
  if (fetch->body_kind == IMAP_BODY_NONE || !is_awaited(call, &bad)) {
    if (bad != NULL)
      g_propagate_error(error, bad);
    return bad == NULL;
  }
  uint32_t uid = (uint32_t)fetch->uid;
  if (fetch->body_kind == IMAP_BODY_NIL) {
    g_array_append_val(call->empty, uid);
    return true;
  }
  imap_seen_add(&call->seen, uid);
  HaulItem item;
  imap_item_fill(&call->room, fetch, &item);
  if (body != NULL && haul_intake_commit(call->intake, g_steal_pointer(&body), &item, &why))
    return true;
  if (haul_error_reach(why) != HAUL_ERROR_MESSAGE) {
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  haul_intake_skip(call->intake, item.id, why);
  return true;
}

static bool
take_uid(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  ImapCall *call = visit->context;
  ImapCursor cursor = response->rest;
  GError *why = NULL;
  imap_fetch_clear(&call->fetch);
  if (!imap_parse_fetch(&cursor, false, &call->fetch) && !visit->store->session->in_body)
    return malformed(visit, error);
  if (is_awaited(call, &why)) {
    uint32_t uid = (uint32_t)call->fetch.uid;
    g_array_append_val(call->empty, uid);
  }
  if (why != NULL)
    g_propagate_error(error, why);
  return why == NULL;
}

/* Gathers in call->empty every message of the ranges that was not answered. */
static bool
find_missing(ImapCall *call, GError **error)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  imap_fetch_lines(lines, call->ranges, "(UID)");
  ImapVisit *visit = imap_visit_begin(call->store, false, lines, error);
  g_array_set_size(call->empty, 0);
  if (visit == NULL || !imap_visit_run(visit, take_uid, call, error))
    return false;
  return !visit->refused || refuse_listing(visit, error);
}

static gint
compare_uids(gconstpointer a, gconstpointer b)
{
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

/* Skips what a flight of singles has not brought. @n_impatient counts those refused because the
 * server wants to be left alone. */
static void
skip_missing(ImapCall *call, const ImapVisit *visit, const uint32_t *uids, guint n_uids)
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
    if (!imap_seen_has(&call->seen, uids[i]))
      skip(call, uids[i], why);
  }
}

/* Asks for the messages in call->empty one by one, so that the one that cannot be read does not take
 * the others with it; those that fail again are skipped. */
static bool
fetch_singly(ImapCall *call, GError **error)
{
  g_autoptr(GArray) uids = g_steal_pointer(&call->empty);
  call->empty = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_array_sort(uids, compare_uids);
  for (guint first = 0; first < uids->len; first += SINGLES_UNDER_WAY) {
    guint n = MIN(uids->len - first, (guint)SINGLES_UNDER_WAY);
    uint64_t before = imap_seen_count(&call->seen);
    const uint32_t *flight = &g_array_index(uids, uint32_t, first);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++)
      g_ptr_array_add(lines, g_strdup_printf("UID FETCH %" G_GUINT32_FORMAT " " IMAP_FETCH_ITEMS,
                                             flight[i]));
    ImapVisit *visit = imap_visit_begin(call->store, false, lines, error);
    if (visit == NULL || !imap_visit_run(visit, take_message, call, error))
      return false;
    bool none = imap_seen_count(&call->seen) == before;
    if (none && n > 1 && visit->refused && imap_asks_for_patience(visit->code, visit->text))
      return refuse_listing(visit, error);
    skip_missing(call, visit, flight, n);
  }
  return true;
}

/* Adds messages that the core named one by one, and that were not answered, to call->empty. */
static void
add_named(ImapCall *call, const HaulRange *ranges, size_t n_ranges)
{
  for (size_t i = 0; i < n_ranges; i++) {
    if (ranges[i].first == NULL || ranges[i].last == NULL
        || strcmp(ranges[i].first, ranges[i].last) != 0)
      continue;
    uint32_t uid = (uint32_t)g_ascii_strtoull(ranges[i].first, NULL, 10);
    if (!imap_seen_has(&call->seen, uid))
      g_array_append_val(call->empty, uid);
  }
}

bool
imap_fetch(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
           GError **error)
{
  g_auto(ImapCall) call = { 0 };
  if (!call_init(&call, store, ranges, n_ranges, error))
    return false;
  if (call.ranges->len == 0)
    return true;
  call.intake = intake;

  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  imap_fetch_lines(lines, call.ranges, IMAP_FETCH_ITEMS);
  ImapVisit *visit = imap_visit_begin(store, false, lines, error);
  if (visit == NULL)
    return false;
  if (visit->n_messages == 0 && visit->n_sent == 0)
    return true;
  if (!imap_visit_run(visit, take_message, &call, error))
    return false;
  if (visit->n_messages == 0)
    return true;
  if (visit->refused) {
    /* UNAVAILABLE may mean one message of them (Yahoo), the other pleas mean us. */
    if (imap_asks_for_patience(visit->code, visit->text)
        && g_strcmp0(visit->code, "UNAVAILABLE") != 0)
      return refuse_listing(visit, error);
  }
  if (visit->refused || is_short(&call, visit)) {
    if (!find_missing(&call, error))
      return false;
  } else {
    add_named(&call, ranges, n_ranges);
  }
  return call.empty->len == 0 || fetch_singly(&call, error);
}
