/* What differs since a change token. See changes.h. */
#include "changes.h"

#include <string.h>

#include "call.h"
#include "extensions.h"
#include "lines.h"

/* Of a folder of which all UIDs are asked for: then a set fits on a line, however full of gaps it is
 * (IMAP_DATA_LIMIT, IMAP_SET_RANGES_LIMIT). */
#define ESEARCH_MESSAGES 90000u

#define SEARCH_LINE "UID SEARCH RETURN (ALL) ALL"

typedef struct {
  uint64_t epoch, next_id, n_messages, mod_sequence;
} Token;

static bool
parse_token(const char *text, Token *token)
{
  ImapCursor cursor = { text, text + strlen(text) };
  return imap_take_number(&cursor, &token->epoch) && imap_take_char(&cursor, '-')
         && imap_take_number(&cursor, &token->next_id) && imap_take_char(&cursor, '-')
         && imap_take_number(&cursor, &token->n_messages) && imap_take_char(&cursor, '-')
         && imap_take_number(&cursor, &token->mod_sequence) && cursor.at == cursor.end;
}

static bool
has_qresync(const ImapSession *session)
{
  return (session->enabled & session->capabilities & IMAP_CAP_QRESYNC) != 0;
}

/* QRESYNC without CONDSTORE is not offered by servers that can count (RFC 7162 §3.2.3). */
static bool
can_tell(const HaulStore *store)
{
  return !store->changes_refused
         && (has_qresync(store->session) || imap_session_can(store->session, IMAP_CAP_CONDSTORE));
}

/* Asking ----------------------------------------------------------------------------------- */

/* Whether as many messages are there as there were, and as can have come since: then none is gone. */
static bool
adds_up(const Token *since, uint64_t n_new, uint64_t n_messages)
{
  return since->n_messages <= n_messages && n_messages - since->n_messages == n_new;
}

/* Whether the UIDs that are there can be asked for. */
static bool
can_search(const HaulStore *store, uint64_t n_messages)
{
  return imap_session_can(store->session, IMAP_CAP_ESEARCH) && n_messages <= ESEARCH_MESSAGES;
}

void
imap_changes_lines(GPtrArray *lines, const HaulStore *store, const ImapFolder *folder,
                   const char *since)
{
  Token token;
  if (since == NULL || !parse_token(since, &token) || !can_tell(store))
    return;
  g_ptr_array_add(
      lines, g_strdup_printf("UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE %" G_GUINT64_FORMAT "%s)",
                             token.mod_sequence, has_qresync(store->session) ? " VANISHED" : ""));
  /* Where UIDs were given that are not there, or older ones are not, all that are there are asked for:
   * at once, for it costs less than another round trip. */
  bool counted = folder != NULL && folder->n_messages != HAUL_UNKNOWN && folder->next_id != 0;
  if (!has_qresync(store->session) && counted && folder->next_id >= token.next_id
      && !adds_up(&token, folder->next_id - token.next_id, folder->n_messages)
      && can_search(store, folder->n_messages))
    g_ptr_array_add(lines, g_strdup(SEARCH_LINE));
}

/* Taking ----------------------------------------------------------------------------------- */

typedef struct {
  ImapCall call;
  Token since;
  uint64_t n_new;  /* given, and not there then */
  bool searched;   /* ESEARCH came ... */
  GArray *there;   /* owned; ... and told of these ranges */
  bool unreadable; /* what came is not to be believed */
  HaulItemFunc changed;
  HaulGoneFunc gone;
  void *data;
} Changes;

static void
changes_clear(Changes *changes)
{
  imap_call_clear(&changes->call);
  g_clear_pointer(&changes->there, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Changes, changes_clear)

static bool
take_changed(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  Changes *changes = visit->context;
  ImapCall *call = &changes->call;
  ImapCursor rest;
  GError *why = NULL;
  if (!imap_call_parse(call, response, &rest, error))
    return false;
  /* What came after the folder was opened is the next run's: it is not among those counted. */
  bool wanted = imap_call_awaits(call, &why) && call->fetch.has_flags
                && (visit->next_id == 0 || call->fetch.uid < visit->next_id);
  if (why != NULL) {
    g_propagate_error(error, why);
    return false;
  }
  if (!wanted)
    return true;
  imap_seen_add(&call->seen, (uint32_t)call->fetch.uid);
  changes->n_new += call->fetch.uid >= changes->since.next_id;
  HaulItem item;
  imap_item_keep_keywords(&call->room, &call->fetch);
  imap_item_fill(&call->room, &call->fetch, &item);
  return changes->changed(&item, changes->data);
}

/* Says that the UIDs of @first to @last are gone. */
static bool
tell_gone(const Changes *changes, uint32_t first, uint32_t last)
{
  char texts[2][12];
  g_snprintf(texts[0], sizeof texts[0], "%" G_GUINT32_FORMAT, first);
  g_snprintf(texts[1], sizeof texts[1], "%" G_GUINT32_FORMAT, last);
  HaulRange range = { texts[0], texts[1] };
  return changes->gone(&range, changes->data);
}

static bool
take_vanished(Changes *changes, ImapCursor rest)
{
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  bool earlier;
  if (!imap_parse_vanished(&rest, &earlier, ranges)) {
    changes->unreadable = true;
    return true;
  }
  imap_set_normalise(ranges);
  for (guint i = 0; i < ranges->len; i++) {
    const ImapRange *range = &g_array_index(ranges, ImapRange, i);
    if (!tell_gone(changes, range->first, range->last))
      return false;
  }
  return true;
}

/* Takes the UIDs that there are. An answer to somebody else's search, or one in the old form, which a
 * server gives that does not know the new one, leaves us without. */
static void
take_esearch(Changes *changes, const ImapVisit *visit, ImapCursor rest)
{
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  g_autofree char *tag = g_strdup_printf("A%u", visit->last_tag);
  ImapSpan told;
  bool readable = imap_parse_esearch(&rest, &told, ranges);
  if (!readable || changes->searched || !imap_span_is(&told, tag))
    return;
  imap_set_normalise(ranges);
  changes->searched = true;
  changes->there = g_steal_pointer(&ranges);
}

static bool
take_other(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  Changes *changes = visit->context;
  if (imap_span_is(&response->name, "VANISHED"))
    return take_vanished(changes, response->rest);
  if (imap_span_is(&response->name, "ESEARCH"))
    take_esearch(changes, visit, response->rest);
  return true;
}

/* Says that everything is gone that could have been there then, and is not now. */
static bool
tell_gaps(const Changes *changes)
{
  uint64_t next = 1;
  for (guint i = 0; i < changes->there->len && next < changes->since.next_id; i++) {
    const ImapRange *range = &g_array_index(changes->there, ImapRange, i);
    if (range->first > next
        && !tell_gone(changes, (uint32_t)next,
                      (uint32_t)MIN(range->first - 1, changes->since.next_id - 1)))
      return false;
    next = (uint64_t)range->last + 1;
  }
  return next >= changes->since.next_id
         || tell_gone(changes, (uint32_t)next, (uint32_t)(changes->since.next_id - 1));
}

static bool
unsupported(GError **error, const char *why)
{
  haul_set_error(error, HAUL_ERROR_FOLDER, "unsupported", "what changed cannot be told: %s", why);
  return false;
}

/* Learns from a refusal; the core lists. */
static bool
refused(HaulStore *store, const ImapVisit *visit, GError **error)
{
  ImapSession *session = store->session;
  if (imap_asks_for_patience(visit->code, visit->text))
    return imap_call_refused(visit, error);
  if (visit->refused_last && visit->lines->len > 1) /* the search */
    imap_extensions_forgo(session, IMAP_CAP_ESEARCH);
  else if (has_qresync(session) && imap_session_can(session, IMAP_CAP_CONDSTORE))
    imap_extensions_forgo(session, IMAP_CAP_QRESYNC);
  else
    store->changes_refused = true;
  return unsupported(error, "the server refuses to");
}

/* Finds out what is gone, where the server has not told. */
static bool
find_gone(const Changes *changes, const ImapVisit *visit, GError **error)
{
  if (adds_up(&changes->since, changes->n_new, visit->n_messages))
    return true;
  if (changes->searched)
    return tell_gaps(changes);
  if (visit->lines->len > 1) /* asked for, and not told */
    imap_extensions_forgo(visit->store->session, IMAP_CAP_ESEARCH);
  return unsupported(error, "which messages are gone");
}

static bool
check_folder(const Changes *changes, const ImapVisit *visit, GError **error)
{
  if (visit->epoch != changes->since.epoch)
    return unsupported(error, "it is another folder");
  if (visit->mod_sequence == HAUL_UNKNOWN || visit->mod_sequence == 0)
    return unsupported(error, "it has no mod-sequences");
  if (visit->mod_sequence < changes->since.mod_sequence
      || (visit->next_id != 0 && visit->next_id < changes->since.next_id))
    return unsupported(error, "the server has lost count");
  return true;
}

bool
imap_changes(HaulStore *store, const char *since_token, HaulItemFunc changed, HaulGoneFunc gone,
             void *data, GError **error)
{
  static const HaulRange all = { NULL, NULL };
  g_auto(Changes) changes = { .changed = changed, .gone = gone, .data = data };
  if (!imap_call_init(&changes.call, store, &all, 1, error))
    return false;
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  imap_changes_lines(lines, store, store->current, since_token);
  if (lines->len == 0 || !parse_token(since_token, &changes.since)) {
    imap_visit_end(store);
    return unsupported(error, "no CONDSTORE, or a token that is none");
  }
  bool qresync = has_qresync(store->session);
  ImapVisit *visit = imap_visit_begin(store, false, lines, error);
  if (visit == NULL)
    return false;
  if (!check_folder(&changes, visit, error)) {
    imap_visit_end(store);
    return false;
  }
  if (visit->n_messages == 0) { /* where some servers refuse to fetch */
    imap_visit_end(store);
    return gone(&all, data);
  }
  visit->take_other = take_other;
  if (!imap_visit_run(visit, take_changed, &changes, error))
    return false;
  if (visit->refused)
    return refused(store, visit, error);
  if (changes.unreadable)
    return unsupported(error, "a set that cannot be read");
  return qresync || find_gone(&changes, visit, error);
}
