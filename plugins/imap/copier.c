/*
 * Copying and moving within the account. See copier.h.
 *
 * COPY of a set passes over what is not there (RFC 9051 §6.4.9), so an OK alone does not tell what was
 * copied: COPYUID does. Where none comes that can be believed, the server is asked which of the messages
 * there are: afterwards, so that what vanishes meanwhile is never taken for copied. A set that is too
 * long for a line goes in several commands, which are all under way at once.
 */
#include "copier.h"

#include <string.h>

#include "copyuid.h"
#include "extensions.h"
#include "lines.h"
#include "reader.h"
#include "visit.h"
#include "writer.h"

#define UNDER_WAY 16

typedef struct {
  HaulStore *store;   /* borrowed */
  ImapFolder *target; /* borrowed */
  ImapVisit *visit;   /* borrowed */
  bool move;
  HaulCopiedFunc each;
  void *data;
  GArray *copied; /* owned; of uint32_t: what is there, and may be removed here */
  GArray *untold; /* owned; of ImapRange: OK was all that was said of them */
  guint n_answered;
  bool is_stopped; /* @each wants no more */
  GError *why;     /* owned; the first refusal */
} Copier;

/* One command. */
typedef struct {
  Copier *copier; /* borrowed */
  GArray *asked;  /* owned; of ImapRange */
  ImapCopyUid copied;
  bool is_told; /* copied holds what COPYUID said */
} Part;

static void
part_free(gpointer data)
{
  Part *part = data;
  imap_session_detach(part->copier->store->session, part);
  g_array_unref(part->asked);
  imap_copyuid_clear(&part->copied);
  g_free(part);
}

static void
copier_clear(Copier *copier)
{
  g_clear_pointer(&copier->copied, g_array_unref);
  g_clear_pointer(&copier->untold, g_array_unref);
  g_clear_error(&copier->why);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Copier, copier_clear)

/* ---- what comes ---- */

/* Takes COPYUID, which MOVE gives before its answer (RFC 6851 §4.3). */
static void
take_code(Part *part, const ImapResponse *response)
{
  const ImapSession *session = part->copier->store->session;
  ImapCopyUid copied;
  if (part->is_told || (session->ignored & IMAP_CAP_UIDPLUS) != 0
      || !imap_span_is(&response->code, "COPYUID"))
    return;
  if (!imap_parse_copyuid(response->argument, part->asked, &copied)) {
    imap_copyuid_clear(&copied);
    return;
  }
  part->copied = copied;
  part->is_told = true;
}

static bool
part_data(ImapSession *session, ImapCommand *command, const ImapResponse *response, GError **error)
{
  Part *part = command->context;
  if (response->kind == IMAP_RESPONSE_STATUS)
    take_code(part, response);
  else
    part->copier->visit->n_gone += imap_visit_count_gone(response);
  return true;
}

static bool
tell(Copier *copier, uint32_t uid, const char *new_id)
{
  char id[12];
  g_snprintf(id, sizeof id, "%" G_GUINT32_FORMAT, uid);
  g_array_append_val(copier->copied, uid);
  copier->is_stopped = copier->is_stopped || !copier->each(id, new_id, copier->data);
  return !copier->is_stopped;
}

static bool
tell_named(uint32_t from, uint32_t to, void *data)
{
  char id[12];
  g_snprintf(id, sizeof id, "%" G_GUINT32_FORMAT, to);
  return tell(data, from, id);
}

static bool
part_done(ImapSession *session, ImapCommand *command, const ImapResponse *response, GError **error)
{
  Part *part = command->context;
  Copier *copier = part->copier;
  copier->n_answered++;
  if (response->condition == IMAP_BAD && copier->move) /* offered, but not understood */
    imap_extensions_forgo(session, IMAP_CAP_MOVE);
  if (response->condition != IMAP_OK) {
    g_autofree char *code = response->code.at != NULL ? imap_span_dup(&response->code, NULL) : NULL;
    g_autofree char *text = imap_span_dup(&response->text, NULL);
    ImapRefusal kind = imap_classify_append(code, text);
    if (copier->why == NULL && kind == IMAP_REFUSED_OVER_QUOTA)
      imap_set_plain_refusal(&copier->why, HAUL_ERROR_ACCOUNT, "over-quota", "cannot be copied",
                             code, text);
    else if (copier->why == NULL)
      imap_set_refusal(&copier->why, HAUL_ERROR_FOLDER,
                       kind == IMAP_REFUSED_NO_FOLDER ? "no-folder" : "refused",
                       "messages cannot be copied", code, text);
    return true;
  }
  take_code(part, response);
  if (part->is_told) {
    if (copier->target->epoch == 0)
      copier->target->epoch = part->copied.uid_validity;
    if (copier->target->epoch == part->copied.uid_validity)
      imap_copyuid_each(&part->copied, tell_named, copier);
    else if (copier->why == NULL)
      haul_set_error(&copier->why, HAUL_ERROR_FOLDER, "epoch", "%s: the folder was replaced",
                     copier->target->path);
  } else
    g_array_append_vals(copier->untold, part->asked->data, part->asked->len);
  return true;
}

/* ---- sending ---- */

static bool
send_part(Copier *copier, Part *part, GError **error)
{
  g_autoptr(GString) line = g_string_new(copier->move ? "UID MOVE " : "UID COPY ");
  ImapCommand command = {
    .name = "UID COPY", .data = part_data, .done = part_done, .context = part
  };
  imap_append_set(line, part->asked, 0, SIZE_MAX);
  g_string_append_c(line, ' ');
  return imap_session_send_named(copier->store->session, &command, line->str, copier->target->wire,
                                 strlen(copier->target->wire), "", error);
}

/* Copies @uids in as many commands as it takes, and waits for all answers. */
static bool
send_all(Copier *copier, const GArray *uids, GError **error)
{
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(part_free);
  g_autoptr(GString) scratch = g_string_new(NULL);
  bool fine = true;
  for (guint from = 0; fine && from < uids->len;) {
    Part *part = g_new0(Part, 1);
    part->copier = copier;
    part->asked = g_array_new(FALSE, FALSE, sizeof(ImapRange));
    g_ptr_array_add(parts, part);
    g_string_truncate(scratch, 0);
    guint next = (guint)imap_append_set(scratch, uids, from, IMAP_COMMAND_LIMIT / 2);
    g_array_append_vals(part->asked, &g_array_index(uids, ImapRange, from), next - from);
    from = next;
    while (fine && parts->len - 1 - copier->n_answered >= UNDER_WAY)
      fine = imap_session_step(copier->store->session, error);
    fine = fine && send_part(copier, part, error);
  }
  while (fine && copier->n_answered < parts->len)
    fine = imap_session_step(copier->store->session, error);
  return fine;
}

/* Removes what was copied (RFC 4315 §2.1: this and no other). */
static bool
remove_copied(Copier *copier, GError **error)
{
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < copier->copied->len; i++) {
    uint32_t uid = g_array_index(copier->copied, uint32_t, i);
    ImapRange one = { uid, uid };
    g_array_append_val(ranges, one);
  }
  imap_set_normalise(ranges);
  static const char *const forms[][2] = { { "UID STORE ", " +FLAGS.SILENT (\\Deleted)" },
                                          { "UID EXPUNGE ", "" } };
  for (size_t form = 0; form < G_N_ELEMENTS(forms); form++)
    for (size_t from = 0; from < ranges->len;) {
      GString *line = g_string_new(forms[form][0]);
      from = imap_append_set(line, ranges, from, IMAP_COMMAND_LIMIT / 2);
      g_string_append(line, forms[form][1]);
      g_ptr_array_add(lines, g_string_free(line, FALSE));
    }
  if (lines->len == 0)
    return true;
  ImapVisit *visit = imap_visit_begin(copier->store, true, lines, error);
  if (visit == NULL || !imap_visit_run(visit, NULL, NULL, error))
    return false;
  if (visit->refused)
    imap_set_refusal(error, HAUL_ERROR_FOLDER, "refused", "messages cannot be moved", visit->code,
                     visit->text);
  return !visit->refused;
}

static bool
keep_id(const HaulItem *item, void *data)
{
  GArray *uids = data;
  uint32_t uid = (uint32_t)g_ascii_strtoull(item->id, NULL, 10);
  ImapRange one = { uid, uid };
  g_array_append_val(uids, one);
  return true;
}

/* Returns which messages of @ranges are there, normalised. */
static GArray *
existing(HaulStore *store, const HaulRange *ranges, size_t n_ranges, GError **error)
{
  g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  if (!imap_list(store, ranges, n_ranges, 0, NULL, keep_id, uids, error))
    return NULL;
  imap_set_normalise(uids);
  return g_steal_pointer(&uids);
}

/* The same of what OK was said of. */
static GArray *
existing_untold(Copier *copier, GError **error)
{
  guint n = copier->untold->len;
  g_autofree HaulRange *ranges = g_new(HaulRange, n);
  g_autoptr(GStringChunk) texts = g_string_chunk_new(1024);
  for (guint i = 0; i < n; i++) {
    const ImapRange *range = &g_array_index(copier->untold, ImapRange, i);
    char first[12], last[12];
    g_snprintf(first, sizeof first, "%" G_GUINT32_FORMAT, range->first);
    g_snprintf(last, sizeof last, "%" G_GUINT32_FORMAT, range->last);
    ranges[i] =
        (HaulRange){ g_string_chunk_insert(texts, first), g_string_chunk_insert(texts, last) };
  }
  return existing(copier->store, ranges, n, error);
}

/* Tells of what was copied, or moved, without a word on what became of it. What was to be moved we have
 * seen before. */
static bool
tell_untold(Copier *copier, GError **error)
{
  if (copier->untold->len == 0)
    return true;
  g_autoptr(GArray) uids =
      copier->move ? g_array_copy(copier->untold) : existing_untold(copier, error);
  if (uids == NULL)
    return false;
  for (guint i = 0; i < uids->len && !copier->is_stopped; i++) {
    const ImapRange *range = &g_array_index(uids, ImapRange, i);
    for (uint64_t uid = range->first; uid <= range->last && !copier->is_stopped; uid++)
      tell(copier, (uint32_t)uid, NULL);
  }
  return !copier->is_stopped;
}

bool
imap_copy(HaulStore *store, const char *const *ids, size_t n_ids, const char *to_path, bool move,
          HaulCopiedFunc each, void *data, GError **error)
{
  const ImapSession *session = store->session;
  bool can_move = imap_session_can(session, IMAP_CAP_MOVE);
  if (move && !can_move && !imap_session_can(session, IMAP_CAP_UIDPLUS)) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "unsupported",
                   "the server can neither MOVE messages nor expunge single ones");
    return false;
  }
  g_autofree HaulRange *ranges = g_new(HaulRange, MAX(n_ids, 1));
  for (size_t i = 0; i < n_ids; i++)
    ranges[i] = (HaulRange){ ids[i], ids[i] };
  g_auto(Copier) copier = { .store = store,
                            .target = imap_folder_find(store, to_path, error),
                            .move = move && can_move,
                            .each = each,
                            .data = data,
                            .copied = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                            .untold = g_array_new(FALSE, FALSE, sizeof(ImapRange)) };
  if (copier.target == NULL || !imap_writer_pause(store, error))
    return false;
  bool looks_first = copier.move && !imap_session_can(session, IMAP_CAP_UIDPLUS);
  g_autoptr(GArray) uids =
      looks_first ? existing(store, ranges, n_ids, error) : imap_ranges_parse(ranges, n_ids, error);
  if (uids == NULL || uids->len == 0)
    return uids != NULL;
  copier.visit = imap_visit_begin(store, move, NULL, error);
  if (copier.visit == NULL || !send_all(&copier, uids, error) || copier.is_stopped
      || !tell_untold(&copier, error))
    return false;
  if (copier.move && copier.copied->len == 0 && !imap_session_can(session, IMAP_CAP_MOVE))
    return imap_copy(store, ids, n_ids, to_path, move, each, data, error);
  if (copier.why != NULL) {
    g_propagate_error(error, g_steal_pointer(&copier.why));
    return false;
  }
  return !move || can_move || remove_copied(&copier, error);
}
