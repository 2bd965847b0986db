/* Asking for messages. See call.h. */
#include "call.h"

#include "lines.h"

bool
imap_call_init(ImapCall *call, HaulStore *store, const HaulRange *ranges, size_t n_ranges,
               GError **error)
{
  *call = (ImapCall){ .store = store };
  imap_seen_init(&call->seen);
  imap_fetch_init(&call->fetch);
  imap_item_room_init(&call->room);
  call->ranges = imap_ranges_parse(ranges, n_ranges, error);
  return call->ranges != NULL;
}

void
imap_call_clear(ImapCall *call)
{
  imap_seen_free(&call->seen);
  imap_fetch_free(&call->fetch);
  imap_item_room_free(&call->room);
  g_clear_pointer(&call->ranges, g_array_unref);
}

ImapVisit *
imap_call_begin(ImapCall *call, const char *items, GError **error)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  imap_fetch_lines(lines, call->ranges, items);
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
  return fetch->uid != 0 && imap_set_has(call->ranges, (uint32_t)fetch->uid, &call->hint)
         && !imap_seen_has(&call->seen, (uint32_t)fetch->uid);
}

bool
imap_call_is_short(const ImapCall *call, const ImapVisit *visit)
{
  const ImapRange *first = &g_array_index(call->ranges, ImapRange, 0);
  bool all = call->ranges->len == 1 && first->first == 1 && first->last == UINT32_MAX;
  return all && imap_seen_count(&call->seen) + visit->n_gone < visit->n_messages;
}

bool
imap_call_refused(const ImapVisit *visit, GError **error)
{
  imap_set_refusal(error, HAUL_ERROR_FOLDER, "failed", "cannot be read", visit->code, visit->text);
  return false;
}
