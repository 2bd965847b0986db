/*
 * Removing messages. See expunge.h.
 *
 * UID EXPUNGE removes ours alone (RFC 4315 §2.1). Without it EXPUNGE removes whatever is marked as
 * deleted, so it is used only if a search right before it shows just our own, all that are there: one
 * that shows less cannot be relied upon to show others'. What somebody else has marked meanwhile
 * stays, and so do ours.
 */
#include "expunge.h"

#include "extensions.h"
#include "fetch.h"
#include "lines.h"
#include "search.h"
#include "visit.h"
#include "writer.h"

static void
add_lines(GPtrArray *lines, const char *before, const GArray *uids, const char *after)
{
  for (size_t from = 0; from < uids->len;) {
    GString *line = g_string_new(before);
    from = imap_append_set(line, uids, from, IMAP_COMMAND_LIMIT / 2);
    g_string_append(line, after);
    g_ptr_array_add(lines, g_string_free(line, FALSE));
  }
}

/* Carries out commands in the selected folder, open for writing. @misunderstood: one was answered BAD. */
static bool
carry_out(HaulStore *store, GPtrArray *lines, bool *misunderstood, GError **error)
{
  *misunderstood = false;
  ImapVisit *visit = imap_visit_begin(store, true, lines, error);
  if (visit == NULL || !imap_visit_run(visit, NULL, NULL, error))
    return false;
  *misunderstood = visit->misunderstood;
  if (visit->refused)
    imap_set_refusal(error, HAUL_ERROR_FOLDER, "refused", "messages cannot be removed", visit->code,
                     visit->text);
  return !visit->refused;
}

static void
add_marks(GPtrArray *lines, const GArray *uids, char sign)
{
  add_lines(lines, "UID STORE ", uids,
            sign == '+' ? " +FLAGS.SILENT (\\Deleted)" : " -FLAGS.SILENT (\\Deleted)");
}

static bool
mark(HaulStore *store, const GArray *uids, char sign, GError **error)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  bool misunderstood;
  add_marks(lines, uids, sign);
  return uids->len == 0 || carry_out(store, lines, &misunderstood, error);
}

/* Returns what is marked as deleted, ImapRanges, to be freed. */
static GArray *
find_deleted(HaulStore *store, GError **error)
{
  ImapVisit *visit = imap_visit_begin(store, true, NULL, error);
  return visit != NULL ? imap_search_ranges(visit, "DELETED", error) : NULL;
}

/* Whether all of @some, normalised, are among @all. */
static bool
is_within(const GArray *some, const GArray *all)
{
  g_autoptr(GArray) both = g_array_copy((GArray *)all);
  g_array_append_vals(both, some->data, some->len);
  imap_set_normalise(both);
  return imap_set_count(both) == imap_set_count(all);
}

/* Returns those of @uids that are not in @marked, ImapRanges, to be freed. */
static GArray *
not_in(const GArray *uids, const GArray *marked)
{
  GArray *rest = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  guint at = 0;
  for (guint i = 0; i < uids->len; i++) {
    uint64_t first = g_array_index(uids, ImapRange, i).first;
    uint64_t last = g_array_index(uids, ImapRange, i).last;
    while (at < marked->len && g_array_index(marked, ImapRange, at).last < first)
      at++;
    for (guint k = at; k < marked->len && first <= last; k++) {
      const ImapRange *gap = &g_array_index(marked, ImapRange, k);
      if (gap->first > last)
        break;
      if (gap->first > first) {
        ImapRange before = { (uint32_t)first, gap->first - 1 };
        g_array_append_val(rest, before);
      }
      first = (uint64_t)gap->last + 1;
    }
    if (first <= last) {
      ImapRange after = { (uint32_t)first, (uint32_t)last };
      g_array_append_val(rest, after);
    }
  }
  return rest;
}

static bool
refuse(const HaulStore *store, const char *why, GError **error)
{
  haul_set_error(error, HAUL_ERROR_FOLDER, "refused",
                 "%s: nothing is removed: %s, and this server cannot remove some of them alone",
                 store->current->path, why);
  return false;
}

static bool
take_there(ImapVisit *visit, const ImapResponse *response, GError **error)
{
  bool *there = visit->context;
  ImapFetch fetch;
  ImapCursor rest = response->rest;
  imap_fetch_init(&fetch);
  *there |= !imap_parse_fetch(&rest, false, &fetch) || fetch.uid != 0; /* unasked flags have none */
  imap_fetch_free(&fetch);
  return true;
}

/* Finds out whether any of @uids is there, not by a search. */
static bool
are_there(HaulStore *store, const GArray *uids, bool *there, GError **error)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  *there = false;
  if (uids->len == 0)
    return true;
  add_lines(lines, "UID FETCH ", uids, " (UID)");
  ImapVisit *visit = imap_visit_begin(store, true, lines, error);
  if (visit == NULL || !imap_visit_run(visit, take_there, there, error))
    return false;
  *there |= visit->refused;
  return true;
}

/* Removes @uids by EXPUNGE, unless it would remove others, too. */
static bool
expunge_all(HaulStore *store, const GArray *uids, GError **error)
{
  const char *others = "other messages are marked as deleted";
  g_autoptr(GArray) before = find_deleted(store, error);
  if (before == NULL)
    return false;
  if (!is_within(before, uids))
    return refuse(store, others, error);
  g_autoptr(GArray) unmarked = not_in(uids, before);
  if (!mark(store, unmarked, '+', error))
    return false;
  g_autoptr(GArray) after = find_deleted(store, error);
  if (after == NULL)
    return false;
  g_autoptr(GArray) missed = not_in(uids, after);
  bool unreliable;
  if (!are_there(store, missed, &unreliable, error))
    return false;
  if (unreliable || !is_within(after, uids))
    return mark(store, unmarked, '-', error)
           && refuse(store, unreliable ? "SEARCH does not show what is marked as deleted" : others,
                     error);
  if (after->len == 0) /* they are gone */
    return true;
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(lines, g_strdup("EXPUNGE"));
  bool misunderstood;
  return carry_out(store, lines, &misunderstood, error);
}

/* What is not marked, UID EXPUNGE leaves: both can be under way at once. */
static bool
expunge_by_uid(HaulStore *store, const GArray *uids, GError **error)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  bool misunderstood;
  GError *why = NULL;
  add_marks(lines, uids, '+');
  add_lines(lines, "UID EXPUNGE ", uids, "");
  if (carry_out(store, lines, &misunderstood, &why))
    return true;
  if (!misunderstood) {
    g_propagate_error(error, why);
    return false;
  }
  g_clear_error(&why);
  imap_extensions_drop(store->session, IMAP_CAP_UIDPLUS);
  if (!expunge_all(store, uids, error))
    return false;
  imap_extensions_forgo(store->session, IMAP_CAP_UIDPLUS);
  return true;
}

bool
imap_expunge(HaulStore *store, const char *const *ids, size_t n_ids, GError **error)
{
  g_autofree HaulRange *ranges = g_new(HaulRange, MAX(n_ids, 1));
  for (size_t i = 0; i < n_ids; i++)
    ranges[i] = (HaulRange){ ids[i], ids[i] };
  g_autoptr(GArray) uids = imap_ranges_parse(ranges, n_ids, error);
  if (uids == NULL || !imap_writer_pause(store, error))
    return false;
  if (uids->len == 0)
    return true;
  bool done = imap_session_can(store->session, IMAP_CAP_UIDPLUS)
                  ? expunge_by_uid(store, uids, error)
                  : expunge_all(store, uids, error);
  imap_visit_end(store); /* what it knows of the folder holds no longer */
  return done;
}
