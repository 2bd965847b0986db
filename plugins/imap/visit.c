/* Visits, made and sent ahead. See visit.h. */
#include "visit.h"

#include <mailhaul/text.h>
#include <string.h>

#include "compress.h"
#include "extensions.h"
#include "lines.h"
#include "login.h"
#include "writer.h"

enum {
  AHEAD_LISTS = 8,    /* visits sent ahead, so many if they list ...                          */
  AHEAD_FETCHES = 32, /* ... or fetch, as long as they are small: what is given up must still */
  AHEAD_OCTETS = 16 << 20, /* be read past, bodies and all                                    */
  AHEAD_LINES = 2,         /* of a visit sent ahead, which is sent in part if it has more     */
  LINES_UNDER_WAY = 3,
  OCTETS_UNKNOWN = 8 << 10, /* of a message whose folder does not tell its size               */
  FIRST_OCTETS = 2 << 20,   /* at 40 ms, twice what a link passes that is to be compressed    */
};

struct ImapVisits {
  ImapVisit *current;     /* owned; NULL: nothing is open for reading */
  GQueue ahead;           /* owned: sent, not yet made, next first */
  const HaulVisit *named; /* borrowed until the next ahead() */
  size_t n_named, next;   /* of named: the first that is not sent */
};

static void
visit_free(gpointer data)
{
  ImapVisit *visit = data;
  imap_session_detach(visit->store->session, visit);
  imap_reply_clear(&visit->select);
  g_clear_pointer(&visit->flags.keywords, g_array_unref);
  g_clear_pointer(&visit->lines, g_ptr_array_unref);
  g_free(visit->code);
  g_free(visit->text);
  g_free(visit);
}

ImapVisits *
imap_visits_new(void)
{
  ImapVisits *visits = g_new0(ImapVisits, 1);
  g_queue_init(&visits->ahead);
  return visits;
}

static void
drop_ahead(ImapVisits *visits)
{
  g_queue_clear_full(&visits->ahead, visit_free);
}

void
imap_visits_free(ImapVisits *visits)
{
  drop_ahead(visits);
  g_clear_pointer(&visits->current, visit_free);
  g_free(visits);
}

void
imap_visit_end(HaulStore *store)
{
  g_clear_pointer(&store->visits->current, visit_free);
}

/* What comes ------------------------------------------------------------------------------- */

static uint32_t
code_number(const ImapResponse *response)
{
  ImapCursor argument = response->argument;
  uint64_t number;
  return imap_take_number(&argument, &number) && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static bool
take_code(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  if (imap_span_is(&response->code, "UIDVALIDITY")) {
    uint32_t epoch = code_number(response);
    if (visit->select.finished && epoch == visit->epoch)
      return true;
    if (visit->select.finished && visit->take == NULL) {
      visit->spoiled = true;
      return true;
    }
    if (visit->select.finished) {
      haul_set_error(error, HAUL_ERROR_FOLDER, "epoch", "UIDVALIDITY changed while we read");
      return false;
    }
    visit->epoch = epoch;
  } else if (imap_span_is(&response->code, "UIDNEXT")) {
    visit->next_id = code_number(response);
  } else if (imap_span_is(&response->code, "HIGHESTMODSEQ")) {
    ImapCursor argument = response->argument;
    if (!imap_take_number(&argument, &visit->mod_sequence))
      visit->mod_sequence = HAUL_UNKNOWN;
  } else if (imap_span_is(&response->code, "PERMANENTFLAGS")) {
    ImapCursor argument = response->argument;
    visit->has_flags = imap_take_flags(&argument, &visit->flags);
  } else if (imap_span_is(&response->code, "MAILBOXID") && visit->folder->object_id == NULL) {
    ImapCursor argument = response->argument;
    ImapSpan id; /* RFC 8474 §4.2 */
    if (imap_take_char(&argument, '(') && imap_take_astring(&argument, &id))
      visit->folder->object_id = imap_span_dup(&id, NULL);
  }
  return true;
}

/* Counts what vanished while the folder was open. Returns whether it did so earlier. */
static bool
is_earlier(ImapVisit *visit, ImapCursor rest)
{
  bool earlier;
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  if (imap_parse_vanished(&rest, &earlier, ranges) && !earlier)
    visit->n_gone += imap_set_count(ranges);
  return earlier;
}

uint64_t
imap_visit_count_gone(const ImapResponse *response)
{
  ImapCursor rest = response->rest;
  bool earlier;
  if (imap_span_is(&response->name, "EXPUNGE"))
    return 1;
  if (!imap_span_is(&response->name, "VANISHED"))
    return 0;
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  return imap_parse_vanished(&rest, &earlier, ranges) && !earlier ? imap_set_count(ranges) : 0;
}

static bool
visit_data(ImapSession *session, ImapCommand *command, const ImapResponse *response, GError **error)
{
  ImapVisit *visit = command->context;
  if (response->kind == IMAP_RESPONSE_STATUS)
    return take_code(visit, response, error);
  if (imap_span_is(&response->name, "FETCH")) {
    if (visit->take != NULL)
      return visit->take(visit, response, error);
    visit->spoiled |= visit->select.finished;
  } else if (imap_span_is(&response->name, "EXISTS")) {
    visit->n_newest = response->number;
    if (!visit->select.finished)
      visit->n_messages = response->number;
  } else if (imap_span_is(&response->name, "EXPUNGE")) {
    visit->n_gone++;
  } else if (imap_span_is(&response->name, "ESEARCH")
             || (imap_span_is(&response->name, "VANISHED") && is_earlier(visit, response->rest))) {
    if (visit->take_other != NULL)
      return visit->take_other(visit, response, error);
    visit->spoiled |= visit->select.finished;
  }
  return true;
}

static bool
select_done(ImapSession *session, ImapCommand *command, const ImapResponse *response,
            GError **error)
{
  ImapVisit *visit = command->context;
  if (response->condition != IMAP_OK && g_strcmp0(session->selected, visit->folder->wire) == 0)
    g_clear_pointer(&session->selected, g_free);
  return true;
}

static bool
line_done(ImapSession *session, ImapCommand *command, const ImapResponse *response, GError **error)
{
  ImapVisit *visit = command->context;
  visit->n_answered++;
  visit->misunderstood |= response->condition == IMAP_BAD;
  if (response->condition != IMAP_OK && !visit->refused) {
    visit->refused = true;
    visit->refused_last = command->tag == visit->last_tag;
    visit->code = response->code.at != NULL ? imap_span_dup(&response->code, NULL) : NULL;
    visit->text = imap_span_dup(&response->text, NULL);
  }
  return true;
}

/* Sending ---------------------------------------------------------------------------------- */

/* Sends SELECT or EXAMINE. Returns the new visit, NULL on error. */
static ImapVisit *
visit_new(HaulStore *store, ImapFolder *folder, bool writing, GError **error)
{
  ImapSession *session = store->session;
  ImapVisit *visit = g_new0(ImapVisit, 1);
  visit->store = store;
  visit->folder = folder;
  visit->writing = writing;
  visit->mod_sequence = HAUL_UNKNOWN;
  visit->flags.keywords = g_array_new(FALSE, FALSE, sizeof(ImapSpan));
  visit->lines = g_ptr_array_new_with_free_func(g_free);
  ImapCommand command = { .name = writing ? "SELECT" : "EXAMINE",
                          .data = visit_data,
                          .done = select_done,
                          .reply = &visit->select,
                          .context = visit };
  g_free(session->selected);
  session->selected = g_strdup(folder->wire);
  session->selected_for_writing = writing;
  if (imap_session_send_named(session, &command, writing ? "SELECT " : "EXAMINE ", folder->wire,
                              strlen(folder->wire), "", error))
    return visit;
  visit_free(visit);
  return NULL;
}

static bool
unselect_done(ImapSession *session, ImapCommand *command, const ImapResponse *response,
              GError **error)
{
  const ImapFolder *folder = command->context;
  if (response->condition == IMAP_OK)
    return true;
  imap_extensions_forgo(session, IMAP_CAP_UNSELECT);
  if (session->selected == NULL) /* or nothing: then leaving it once more does no harm */
    session->selected = g_strdup(folder->wire);
  return true;
}

bool
imap_visit_leave(HaulStore *store, ImapFolder *folder, GError **error)
{
  ImapSession *session = store->session;
  ImapCommand command = { .name = "CLOSE" };
  if (g_strcmp0(session->selected, folder->wire) != 0)
    return true;
  imap_visit_end(store);
  bool unselect = imap_session_can(session, IMAP_CAP_UNSELECT);
  if (!unselect && session->selected_for_writing /* CLOSE would expunge */
      && !imap_session_send_named(session, &command, "EXAMINE ", folder->wire, strlen(folder->wire),
                                  "", error))
    return false;
  g_clear_pointer(&session->selected, g_free);
  if (unselect)
    command = (ImapCommand){ .name = "UNSELECT", .done = unselect_done, .context = folder };
  return imap_session_send(session, &command, error, unselect ? "UNSELECT" : "CLOSE");
}

static bool
send_line(ImapVisit *visit, GError **error)
{
  ImapCommand command = {
    .name = "UID FETCH", .data = visit_data, .done = line_done, .context = visit, .streams = true
  };
  const char *line = g_ptr_array_index(visit->lines, visit->n_sent++);
  bool sent = imap_session_send(visit->store->session, &command, error, "%s", line);
  visit->last_tag = visit->store->session->n_tags;
  return sent;
}

static bool
is_all_sent(const ImapVisit *visit)
{
  return visit == NULL || (visit->lines->len > 0 && visit->n_sent == visit->lines->len);
}

/* What is likely to come for a visit that fetches. */
static uint64_t
expected_octets(const ImapVisit *visit)
{
  const ImapFolder *folder = visit->folder;
  if (folder->n_octets != HAUL_UNKNOWN)
    return folder->n_octets;
  return folder->n_messages == HAUL_UNKNOWN ? OCTETS_UNKNOWN : folder->n_messages * OCTETS_UNKNOWN;
}

/*
 * Whether enough is under way. As long as the link may have to be compressed, which it cannot be
 * before all that was asked for is there, no more is asked for than has come without its being found
 * slow: so a slow one passes at most twice as much before.
 */
static bool
is_enough_ahead(const HaulStore *store)
{
  uint64_t octets = 0, limit = AHEAD_OCTETS;
  if (imap_compress_is_open(store->session))
    limit = MIN(limit, FIRST_OCTETS + store->octets_read);
  for (const GList *link = store->visits->ahead.head; link != NULL; link = link->next)
    octets += expected_octets(link->data);
  return octets >= limit;
}

/* Sends visits that come next, as many as may be under way. Whatever goes wrong shows when they are
 * made. */
static void
send_ahead(HaulStore *store)
{
  ImapVisits *visits = store->visits;
  if (store->session->mid_command || !is_all_sent(visits->current)
      || imap_compress_is_due(store->session) || imap_throttle_is_on(&store->session->throttle))
    return;
  for (; visits->next < visits->n_named && !store->session->dead; visits->next++) {
    const HaulVisit *named = &visits->named[visits->next];
    if (named->kind == HAUL_VISIT_PUT)
      return;
    guint limit = named->kind == HAUL_VISIT_FETCH ? AHEAD_FETCHES : AHEAD_LISTS;
    ImapFolder *folder = imap_folder_find(store, named->path, NULL);
    const ImapVisit *last = g_queue_peek_tail(&visits->ahead);
    if (folder == NULL || visits->ahead.length >= limit
        || (named->kind == HAUL_VISIT_FETCH && is_enough_ahead(store))
        || (last != NULL && last->n_sent < last->lines->len))
      return;
    ImapVisit *visit = visit_new(store, folder, false, NULL);
    if (visit == NULL)
      return;
    g_ptr_array_unref(visit->lines);
    visit->lines = imap_visit_lines(store, named);
    g_queue_push_tail(&visits->ahead, visit);
    guint n = visit->lines->len <= AHEAD_LINES ? visit->lines->len : 1;
    while (visit->n_sent < n) {
      if (!send_line(visit, NULL))
        return;
    }
  }
}

static bool
is_named(HaulStore *store, const ImapVisit *visit, const HaulVisit *named)
{
  if (g_strcmp0(visit->folder->path, named->path) != 0 || named->kind == HAUL_VISIT_PUT)
    return false;
  g_autoptr(GPtrArray) lines = imap_visit_lines(store, named);
  return imap_lines_equal(visit->lines, lines);
}

void
imap_ahead(HaulStore *store, const HaulVisit *visits, size_t n_visits)
{
  ImapVisits *own = store->visits;
  own->named = visits;
  own->n_named = n_visits;
  own->next = 0;
  for (GList *link = own->ahead.head; link != NULL; link = link->next, own->next++) {
    if (own->next == n_visits || !is_named(store, link->data, &visits[own->next])) {
      while (own->ahead.length > own->next)
        visit_free(g_queue_pop_tail(&own->ahead));
      break;
    }
  }
  send_ahead(store);
}

/* Making ----------------------------------------------------------------------------------- */

static bool
await_select(ImapVisit *visit, GError **error)
{
  ImapFolder *folder = visit->folder;
  if (!imap_session_wait(visit->store->session, &visit->select, error))
    return false;
  if (visit->select.condition != IMAP_OK) {
    bool absent = g_strcmp0(visit->select.code, "NONEXISTENT") == 0;
    imap_set_reading_refusal(error, HAUL_ERROR_FOLDER, absent ? "no-folder" : "select",
                             "cannot be opened", visit->select.code, visit->select.text);
    return false;
  }
  folder->epoch = visit->epoch;
  if (visit->next_id != 0) /* Courier tells it by STATUS only */
    folder->next_id = visit->next_id;
  folder->n_messages = visit->n_messages;
  folder->mod_sequence = visit->mod_sequence;
  if (visit->has_flags && visit->writing) { /* read-only, none is permanent */
    folder->flags_known = true;
    folder->settable_flags = visit->flags.flags;
    folder->any_keyword = visit->flags.any_keyword;
  }
  return true;
}

/* The same for the current visit, which is made once more, after an ID, where the server says that it
 * would not let in one who did not say who it is. */
static bool
await_current(HaulStore *store, GError **error)
{
  ImapVisits *visits = store->visits;
  ImapVisit *visit = visits->current;
  g_auto(ImapReply) id = { 0 };
  GError *why = NULL;
  if (await_select(visit, &why))
    return true;
  if (store->session->dead || visit->select.condition != IMAP_NO
      || !imap_wants_id(visit->select.text)) {
    g_propagate_error(error, why);
    return false;
  }
  g_clear_error(&why);
  ImapFolder *folder = visit->folder;
  bool writing = visit->writing;
  drop_ahead(visits);
  visits->n_named = visits->next = 0;
  imap_visit_end(store);
  if (!imap_identify(store->session, &id, error) || !imap_session_wait(store->session, &id, error))
    return false;
  visits->current = visit_new(store, folder, writing, error);
  return visits->current != NULL && await_select(visits->current, error);
}

/* For writing a folder is not opened: APPEND names it. What is wanted is where new ids begin, which
 * @known, the core's, may tell. */
static bool
know_for_writing(HaulStore *store, ImapFolder *folder, const HaulFolder *known, GError **error)
{
  g_auto(ImapReply) reply = { 0 };
  ImapCommand status = {
    .name = "STATUS", .data = imap_folders_take, .context = store, .reply = &reply
  };
  if (folder->epoch == 0 && known->epoch != 0 && known->next_id != NULL) {
    uint64_t next_id = 0;
    ImapCursor digits = { known->next_id, known->next_id + strlen(known->next_id) };
    if (imap_take_number(&digits, &next_id)) {
      folder->epoch = known->epoch;
      folder->next_id = next_id;
    }
  }
  if (folder->epoch != 0 && folder->next_id != 0)
    return true;
  return imap_writer_pause(store, error)
         && imap_session_send_named(store->session, &status, "STATUS ", folder->wire,
                                    strlen(folder->wire), " (MESSAGES UIDNEXT UIDVALIDITY)", error)
         && imap_session_expect(store->session, &reply, "cannot be written to", HAUL_ERROR_FOLDER,
                                "no-folder", error);
}

bool
imap_select(HaulStore *store, const char *path, HaulIntent intent, HaulFolder *out, GError **error)
{
  ImapVisits *visits = store->visits;
  ImapFolder *folder = imap_folder_find(store, path, error);
  bool stays = folder != NULL && folder == store->current && (intent & HAUL_WRITE) != 0;
  imap_visit_end(store);
  store->current = NULL;
  if (folder != NULL)
    g_clear_error(&folder->gone);
  if (folder == NULL || (!stays && !imap_writer_pause(store, error)))
    return false;

  ImapVisit *next = g_queue_peek_head(&visits->ahead);
  if (next != NULL && next->folder == folder && (intent & HAUL_WRITE) == 0 && !next->spoiled) {
    visits->current = g_queue_pop_head(&visits->ahead);
  } else {
    drop_ahead(visits);
    bool expected = visits->next < visits->n_named
                    && g_strcmp0(visits->named[visits->next].path, folder->path) == 0;
    visits->next = expected ? visits->next + 1 : visits->n_named;
    if (!imap_compress(store->session, error))
      return false;
    if ((intent & HAUL_WRITE) == 0)
      visits->current = visit_new(store, folder, false, error);
  }

  bool fine = (intent & HAUL_WRITE) != 0 ? know_for_writing(store, folder, out, error)
                                         : visits->current != NULL && await_current(store, error);
  if (!fine) {
    imap_visit_end(store);
    return false;
  }
  store->current = folder;
  store->current_intent = intent;
  imap_folder_describe(store, folder, out);
  return true;
}

static bool
is_open(const HaulStore *store, bool writing)
{
  const ImapSession *session = store->session;
  return g_strcmp0(session->selected, store->current->wire) == 0
         && (!writing || session->selected_for_writing);
}

/* Opens the selected folder (again): visits sent ahead have left it, or it was never open. */
static ImapVisit *
reopen(HaulStore *store, bool writing, GError **error)
{
  ImapVisits *visits = store->visits;
  uint32_t epoch = visits->current != NULL ? visits->current->epoch : 0;
  drop_ahead(visits);
  visits->n_named = visits->next = 0;
  imap_visit_end(store);
  ImapVisit *visit =
      imap_writer_pause(store, error) ? visit_new(store, store->current, writing, error) : NULL;
  visits->current = visit;
  if (visit == NULL || !await_current(store, error)) {
    imap_visit_end(store);
    return NULL;
  }
  visit = visits->current;
  if (epoch != 0 && epoch != visit->epoch) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "epoch", "UIDVALIDITY changed while we read");
    return NULL;
  }
  return visit;
}

ImapVisit *
imap_visit_begin(HaulStore *store, bool writing, GPtrArray *lines, GError **error)
{
  ImapVisit *visit = store->visits->current;
  bool under_way = visit != NULL && !visit->made && !visit->spoiled && visit->lines->len > 0
                   && (lines == NULL || imap_lines_equal(visit->lines, lines));
  if (under_way && !writing && lines != NULL) {
    visit->made = true;
    return visit;
  }
  /* An unmade call would answer into the one that we are about to make. */
  bool usable = visit != NULL && visit->n_answered == visit->n_sent && is_open(store, writing);
  if (!usable)
    visit = reopen(store, writing, error);
  if (visit == NULL)
    return NULL;
  g_ptr_array_set_size(visit->lines, 0);
  visit->n_sent = visit->n_answered = 0;
  visit->made = true;
  visit->spoiled = visit->refused = visit->refused_last = visit->misunderstood = false;
  g_clear_pointer(&visit->code, g_free);
  g_clear_pointer(&visit->text, g_free);
  for (guint i = 0; lines != NULL && i < lines->len; i++)
    g_ptr_array_add(visit->lines, g_strdup(g_ptr_array_index(lines, i)));
  return visit;
}

bool
imap_visit_run(ImapVisit *visit, ImapVisitFunc take, void *context, GError **error)
{
  HaulStore *store = visit->store;
  bool fine = true;
  visit->take = take;
  visit->context = context;
  while (fine && visit->n_answered < visit->lines->len) {
    if (visit->n_sent == visit->n_answered)
      fine = imap_compress(store->session, error);
    bool one =
        imap_compress_is_due(store->session) || imap_throttle_is_on(&store->session->throttle);
    guint limit = one ? 1 : LINES_UNDER_WAY;
    while (fine && visit->n_sent < visit->lines->len && visit->n_sent - visit->n_answered < limit)
      fine = send_line(visit, error);
    if (is_all_sent(visit))
      send_ahead(store);
    fine = fine && imap_session_step(store->session, error);
  }
  visit->take = visit->take_other = NULL;
  visit->context = NULL;
  if (!fine)
    imap_visit_end(store);
  return fine;
}
