/* Visits, made and sent ahead. See visit.h. */
#include "visit.h"

#include <mailhaul/text.h>
#include <string.h>

#include "writer.h"

enum {
  AHEAD_LISTS = 8,   /* visits sent ahead, so many if they list ... */
  AHEAD_FETCHES = 4, /* ... or fetch: one given up must be read past, bodies and all */
  LINES_UNDER_WAY = 3,
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

/* Commands -------------------------------------------------------------------------------- */

GArray *
imap_ranges_parse(const HaulRange *ranges, size_t n_ranges, GError **error)
{
  g_autoptr(GArray) parsed = g_array_sized_new(FALSE, FALSE, sizeof(ImapRange), (guint)n_ranges);
  for (size_t i = 0; i < n_ranges; i++) {
    const char *ends[] = { ranges[i].first, ranges[i].last };
    uint64_t values[] = { 1, UINT32_MAX };
    for (unsigned end = 0; end < 2; end++) {
      if (ends[end] == NULL)
        continue;
      ImapCursor digits = { ends[end], ends[end] + strlen(ends[end]) };
      if (!imap_take_number(&digits, &values[end]) || digits.at != digits.end || values[end] == 0
          || values[end] > UINT32_MAX) {
        haul_set_error(error, HAUL_ERROR_FOLDER, "failed", "\"%s\" is no UID", ends[end]);
        return NULL;
      }
    }
    ImapRange range = { (uint32_t)values[0], (uint32_t)values[1] };
    if (range.first <= range.last)
      g_array_append_val(parsed, range);
  }
  imap_set_normalise(parsed);
  return g_steal_pointer(&parsed);
}

void
imap_fetch_lines(GPtrArray *lines, const GArray *ranges, const char *items)
{
  size_t from = 0;
  while (from < ranges->len) {
    g_autoptr(GString) line = g_string_new("UID FETCH ");
    from = imap_append_set(line, ranges, from, IMAP_COMMAND_LIMIT - MIN(strlen(items), 4000u));
    g_string_append_c(line, ' ');
    g_string_append(line, items);
    g_ptr_array_add(lines, g_string_free(g_steal_pointer(&line), FALSE));
  }
}

char *
imap_list_items(const HaulStore *store, uint32_t want, const char *const *header_fields)
{
  GString *items = g_string_new("(UID FLAGS");
  if ((want & HAUL_WANT_SIZE) != 0)
    g_string_append(items, " RFC822.SIZE");
  if ((want & HAUL_WANT_DATE) != 0)
    g_string_append(items, " INTERNALDATE");
  if ((want & HAUL_WANT_OBJECT_ID) != 0 && imap_session_can(store->session, IMAP_CAP_OBJECTID))
    g_string_append(items, " EMAILID");
  else if ((want & HAUL_WANT_OBJECT_ID) != 0 && imap_session_can(store->session, IMAP_CAP_GMAIL))
    g_string_append(items, " X-GM-MSGID");
  if (header_fields != NULL && *header_fields != NULL) {
    g_string_append(items, " BODY.PEEK[HEADER.FIELDS (");
    for (unsigned i = 0; header_fields[i] != NULL; i++) {
      g_string_append(items, i > 0 ? " " : "");
      if (imap_is_keyword(header_fields[i]))
        g_string_append(items, header_fields[i]);
      else
        imap_append_quoted(items, header_fields[i], strlen(header_fields[i]));
    }
    g_string_append(items, ")]");
  }
  g_string_append_c(items, ')');
  return g_string_free(items, FALSE);
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
  }
  return true;
}

static bool
take_vanished(ImapVisit *visit, ImapCursor rest)
{
  if (rest.at < rest.end && *rest.at == '(') /* EARLIER: before our time */
    return true;
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  if (imap_parse_set(rest.at, (size_t)(rest.end - rest.at), ranges) > 0)
    visit->n_gone += imap_set_count(ranges);
  return true;
}

static bool
visit_data(ImapSession *session, ImapCommand *command, const ImapResponse *response,
           GError **error)
{
  ImapVisit *visit = command->context;
  if (response->kind == IMAP_RESPONSE_STATUS)
    return take_code(visit, response, error);
  if (imap_span_is(&response->name, "FETCH")) {
    if (visit->take != NULL)
      return visit->take(visit, response, error);
    visit->spoiled |= visit->select.finished;
  } else if (imap_span_is(&response->name, "EXISTS")) {
    if (!visit->select.finished)
      visit->n_messages = response->number;
  } else if (imap_span_is(&response->name, "EXPUNGE")) {
    visit->n_gone++;
  } else if (imap_span_is(&response->name, "VANISHED")) {
    return take_vanished(visit, response->rest);
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
  if (response->condition != IMAP_OK && !visit->refused) {
    visit->refused = true;
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
  ImapCommand command = { .name = writing ? "SELECT" : "EXAMINE", .data = visit_data,
                          .done = select_done, .reply = &visit->select, .context = visit };
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
send_line(ImapVisit *visit, GError **error)
{
  ImapCommand command = { .name = "UID FETCH", .data = visit_data, .done = line_done,
                          .context = visit, .streams = true };
  const char *line = g_ptr_array_index(visit->lines, visit->n_sent++);
  return imap_session_send(visit->store->session, &command, error, "%s", line);
}

static GPtrArray *
lines_of(HaulStore *store, const HaulVisit *named)
{
  g_autoptr(GArray) ranges = imap_ranges_parse(named->ranges, named->n_ranges, NULL);
  g_autofree char *items = named->kind == HAUL_VISIT_LIST
                               ? imap_list_items(store, named->want, named->header_fields)
                               : g_strdup(IMAP_FETCH_ITEMS);
  GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
  if (ranges != NULL)
    imap_fetch_lines(lines, ranges, items);
  return lines;
}

static bool
same_lines(const GPtrArray *a, const GPtrArray *b)
{
  if (a->len != b->len)
    return false;
  for (guint i = 0; i < a->len; i++) {
    if (strcmp(g_ptr_array_index(a, i), g_ptr_array_index(b, i)) != 0)
      return false;
  }
  return true;
}

static bool
is_all_sent(const ImapVisit *visit)
{
  return visit == NULL || (visit->lines->len > 0 && visit->n_sent == visit->lines->len);
}

/* Sends visits that come next, as many as may be under way. Whatever goes wrong shows when they are
 * made. */
static void
send_ahead(HaulStore *store)
{
  ImapVisits *visits = store->visits;
  if (store->session->mid_command || !is_all_sent(visits->current))
    return;
  for (; visits->next < visits->n_named && !store->session->dead; visits->next++) {
    const HaulVisit *named = &visits->named[visits->next];
    if (named->kind != HAUL_VISIT_LIST && named->kind != HAUL_VISIT_FETCH)
      return;
    guint limit = named->kind == HAUL_VISIT_LIST ? AHEAD_LISTS : AHEAD_FETCHES;
    ImapFolder *folder = imap_folder_find(store, named->path, NULL);
    if (folder == NULL || visits->ahead.length >= limit
        || !is_all_sent(g_queue_peek_tail(&visits->ahead)))
      return;
    ImapVisit *visit = visit_new(store, folder, false, NULL);
    if (visit == NULL)
      return;
    g_ptr_array_unref(visit->lines);
    visit->lines = lines_of(store, named);
    g_queue_push_tail(&visits->ahead, visit);
    if (visit->lines->len > 0 && !send_line(visit, NULL))
      return;
  }
}

static bool
is_named(HaulStore *store, const ImapVisit *visit, const HaulVisit *named)
{
  if (g_strcmp0(visit->folder->path, named->path) != 0
      || (named->kind != HAUL_VISIT_LIST && named->kind != HAUL_VISIT_FETCH))
    return false;
  g_autoptr(GPtrArray) lines = lines_of(store, named);
  return same_lines(visit->lines, lines);
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
    imap_set_refusal(error, HAUL_ERROR_FOLDER, absent ? "no-folder" : "select", folder->path,
                     visit->select.code, visit->select.text);
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

/* For writing a folder is not opened: APPEND names it. What is wanted is where new ids begin. */
static bool
know_for_writing(HaulStore *store, ImapFolder *folder, GError **error)
{
  g_auto(ImapReply) reply = { 0 };
  ImapCommand status = { .name = "STATUS", .data = imap_folders_take, .context = store,
                         .reply = &reply };
  if (folder->epoch != 0 && folder->next_id != 0)
    return true;
  return imap_writer_pause(store, error)
         && imap_session_send_named(store->session, &status, "STATUS ", folder->wire,
                                 strlen(folder->wire), " (MESSAGES UIDNEXT UIDVALIDITY)", error)
         && imap_session_expect(store->session, &reply, folder->path, HAUL_ERROR_FOLDER,
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
    if ((intent & HAUL_WRITE) == 0)
      visits->current = visit_new(store, folder, false, error);
  }

  bool fine = (intent & HAUL_WRITE) != 0
                  ? know_for_writing(store, folder, error)
                  : visits->current != NULL && await_select(visits->current, error);
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
  ImapVisit *visit
      = imap_writer_pause(store, error) ? visit_new(store, store->current, writing, error) : NULL;
  visits->current = visit;
  if (visit == NULL || !await_select(visit, error)) {
    imap_visit_end(store);
    return NULL;
  }
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
                   && (lines == NULL || same_lines(visit->lines, lines));
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
  visit->spoiled = visit->refused = false;
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
    while (fine && visit->n_sent < visit->lines->len
           && visit->n_sent - visit->n_answered < LINES_UNDER_WAY)
      fine = send_line(visit, error);
    if (is_all_sent(visit))
      send_ahead(store);
    fine = fine && imap_session_step(store->session, error);
  }
  visit->take = NULL;
  visit->context = NULL;
  if (!fine)
    imap_visit_end(store);
  return fine;
}
