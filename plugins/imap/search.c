/*
 * Searching. See search.h.
 *
 * ESEARCH (RFC 4731) answers in sets, which stay ranges; without it numbers come one by one. No SEARCH
 * line at all means that nothing was found (Apple); words in place of numbers, that the search failed
 * (263.net).
 */
#include "search.h"

#include <string.h>

#include "extensions.h"
#include "writer.h"

typedef struct {
  GArray *found; /* owned; of ImapRange, as they came */
  uint64_t n_messages, n_gone;
  char tag[12]; /* of the command */
  bool unreadable;
} Search;

static bool
take_found(ImapSession *session, ImapCommand *command, const ImapResponse *response, GError **error)
{
  Search *search = command->context;
  ImapCursor rest = response->rest;
  if (response->kind != IMAP_RESPONSE_DATA)
    return true;
  if (imap_span_is(&response->name, "SEARCH")) {
    search->unreadable |= !imap_parse_search(&rest, search->found);
  } else if (imap_span_is(&response->name, "ESEARCH")) {
    ImapSpan tag = { 0 };
    g_autoptr(GArray) told = g_array_new(FALSE, FALSE, sizeof(ImapRange));
    bool readable = imap_parse_esearch(&rest, &tag, told);
    if (tag.at != NULL && !imap_span_is(&tag, search->tag)) /* somebody else's */
      return true;
    search->unreadable |= !readable;
    g_array_append_vals(search->found, told->data, told->len);
  } else if (imap_span_is(&response->name, "EXISTS")) {
    search->n_messages = MAX(search->n_messages, response->number);
  } else {
    search->n_gone += imap_visit_count_gone(response);
  }
  /* More than there are: a server that never ends, or sets without measure. */
  if (search->found->len > search->n_messages)
    return imap_session_protocol_error(session, error, "a SEARCH finds more than there is");
  return true;
}

static bool
is_sendable(const char *key)
{
  size_t size = strlen(key);
  return size > 0 && size < IMAP_COMMAND_LIMIT && imap_is_quotable(key, size, false);
}

GArray *
imap_search_ranges(ImapVisit *visit, const char *key, GError **error)
{
  ImapSession *session = visit->store->session;
  g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  Search search = { .found = found, .n_messages = MAX(visit->n_messages, visit->n_newest) };
  g_auto(ImapReply) reply = { 0 };
  ImapCommand command = {
    .name = "SEARCH", .data = take_found, .reply = &reply, .context = &search
  };
  bool extended = imap_session_can(session, IMAP_CAP_ESEARCH);
  g_snprintf(search.tag, sizeof search.tag, "A%u", session->n_tags + 1);
  bool sent = imap_session_send(session, &command, error, "UID SEARCH %s%s",
                                extended ? "RETURN (ALL) " : "", key)
              && imap_session_wait(session, &reply, error);
  imap_session_detach(session, &search);
  visit->n_newest = search.n_messages;
  visit->n_gone += search.n_gone;
  if (!sent)
    return NULL;
  if (extended && reply.condition == IMAP_BAD) {
    imap_extensions_drop(session, IMAP_CAP_ESEARCH);
    GArray *plain = imap_search_ranges(visit, key, error);
    if (plain != NULL) /* it is not the key that it does not understand */
      imap_extensions_forgo(session, IMAP_CAP_ESEARCH);
    else
      imap_extensions_regain(session, IMAP_CAP_ESEARCH);
    return plain;
  }
  if (reply.condition != IMAP_OK) {
    imap_set_refusal(error, HAUL_ERROR_FOLDER, "unsupported", "cannot be searched", reply.code,
                     reply.text);
    return NULL;
  }
  imap_set_normalise(found);
  if (search.unreadable || imap_set_count(found) > search.n_messages) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "protocol", "%s: the search came to nothing readable",
                   visit->folder->path);
    return NULL;
  }
  return g_steal_pointer(&found);
}

bool
imap_search(HaulStore *store, const char *key, HaulItemFunc each, void *data, GError **error)
{
  if (!is_sendable(key)) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "unsupported", "this cannot be searched for");
    return false;
  }
  ImapVisit *visit =
      imap_writer_pause(store, error) ? imap_visit_begin(store, false, NULL, error) : NULL;
  g_autoptr(GArray) found = visit != NULL ? imap_search_ranges(visit, key, error) : NULL;
  if (found == NULL)
    return false;
  for (guint i = 0; i < found->len; i++) {
    const ImapRange *range = &g_array_index(found, ImapRange, i);
    for (uint64_t uid = range->first; uid <= range->last; uid++) {
      char id[12];
      g_snprintf(id, sizeof id, "%" G_GUINT64_FORMAT, uid);
      HaulItem item = { .id = id, .size = HAUL_UNKNOWN, .date = HAUL_NO_DATE };
      if (!each(&item, data))
        return false;
    }
  }
  return true;
}
