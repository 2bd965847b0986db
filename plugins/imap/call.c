/* Asking for messages. See call.h. */
#include "call.h"

#include "lines.h"

bool
imap_call_init(ImapCall *call, HaulStore *store, const HaulRange *ranges, size_t n_ranges,
               GError **error)
{
  *call = (ImapCall){ .store = store };
  imap_seen_init(&call->seen);
  imap_seen_init(&call->there);
  imap_fetch_init(&call->fetch);
  imap_item_room_init(&call->room);
  call->ranges = imap_ranges_parse(ranges, n_ranges, error);
  return call->ranges != NULL;
}

void
imap_call_clear(ImapCall *call)
{
  imap_seen_free(&call->seen);
  imap_seen_free(&call->there);
  imap_fetch_free(&call->fetch);
  imap_item_room_free(&call->room);
  g_clear_pointer(&call->ranges, g_array_unref);
}

ImapVisit *
imap_call_begin(ImapCall *call, const char *items, GError **error)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  call->asks_uids = imap_call_lines(lines, call->ranges, items);
  return imap_visit_begin(call->store, false, lines, error);
}

static bool
malformed(const ImapCall *call, GError **error)
{
  return imap_session_protocol_error(call->store->session, error, "FETCH in \"%s\"",
                                     call->store->current->path);
}

bool
imap_call_parse(ImapCall *call, const ImapResponse *response, ImapCursor *rest, GError **error)
{
  *rest = response->rest;
  imap_fetch_clear(&call->fetch);
  if (imap_parse_fetch(rest, false, &call->fetch)
      && (call->fetch.body_kind == IMAP_BODY_COMES) == call->store->session->in_body)
    return true;
  return malformed(call, error);
}

bool
imap_call_parse_rest(ImapCall *call, ImapCursor *rest, GError **error)
{
  return imap_parse_fetch(rest, true, &call->fetch) || malformed(call, error);
}

bool
imap_call_awaits(ImapCall *call, GError **error)
{
  const ImapFetch *fetch = &call->fetch;
  if (fetch->bad_uid) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "protocol", "the server gives UIDs that are none");
    return false;
  }
  if (imap_seen_count(&call->seen) + imap_seen_count(&call->there) > IMAP_MESSAGES_LIMIT) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "protocol", "more than %u messages",
                   IMAP_MESSAGES_LIMIT);
    return false;
  }
  return fetch->uid != 0 && imap_set_has(call->ranges, (uint32_t)fetch->uid, &call->hint)
         && !imap_seen_has(&call->seen, (uint32_t)fetch->uid);
}

void
imap_call_note(ImapCall *call)
{
  const ImapFetch *fetch = &call->fetch;
  uint32_t uid = fetch->bad_uid ? 0 : (uint32_t)fetch->uid;
  if (uid != 0 && imap_set_has(call->ranges, uid, &call->hint) && !imap_seen_has(&call->there, uid))
    imap_seen_add(&call->there, uid);
}

bool
imap_call_short(const ImapCall *call, uint64_t n, uint64_t n_all, GError **error)
{
  haul_set_error(error, HAUL_ERROR_FOLDER, "protocol",
                 "%s: the server listed %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " messages",
                 call->store->current->path, n, n_all);
  return false;
}

static bool
take_uid(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  ImapCall *call = visit->context;
  ImapCursor rest;
  GError *why = NULL;
  if (!imap_call_parse(call, response, &rest, error))
    return false;
  imap_call_awaits(call, &why);
  if (why != NULL) {
    g_propagate_error(error, why);
    return false;
  }
  imap_call_note(call);
  return true;
}

/* Asks which messages of the ranges there are. */
static bool
ask_uids(ImapCall *call, GError **error)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  imap_fetch_lines(lines, call->ranges, IMAP_UID_ITEMS);
  imap_seen_free(&call->there);
  imap_seen_init(&call->there);
  ImapVisit *visit = imap_visit_begin(call->store, false, lines, error);
  if (visit == NULL || !imap_visit_run(visit, take_uid, call, error))
    return false;
  if (visit->refused && visit->n_messages > 0)
    return imap_call_refused(visit, error);
  uint64_t n_there = imap_seen_count(&call->there);
  return !imap_ranges_are_all(call->ranges) || n_there + visit->n_gone >= visit->n_messages
         || imap_call_short(call, n_there, visit->n_messages, error);
}

GArray *
imap_call_missing(ImapCall *call, const ImapVisit *visit, GError **error)
{
  uint64_t n_asked_for =
      imap_ranges_are_all(call->ranges) ? visit->n_messages : imap_set_count(call->ranges);
  bool is_complete = !visit->refused && imap_seen_count(&call->seen) >= n_asked_for;
  if (is_complete)
    return g_array_new(FALSE, FALSE, sizeof(uint32_t));
  if ((visit->refused || !call->asks_uids) && !ask_uids(call, error))
    return NULL;
  return imap_seen_without(&call->there, &call->seen);
}

bool
imap_call_refused(const ImapVisit *visit, GError **error)
{
  imap_set_reading_refusal(error, HAUL_ERROR_FOLDER, "failed", "cannot be read", visit->code,
                           visit->text);
  return false;
}
