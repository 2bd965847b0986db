/* Changing flags, by UID STORE. See flags.h. */
#include "flags.h"

#include "keywords.h"
#include "lines.h"
#include "visit.h"

/* Appends STORE commands that add (@sign '+') or remove flags; none if there is nothing to. */
static void
add_lines(GPtrArray *lines, const GArray *uids, char sign, uint32_t flags,
          const char *const *keywords)
{
  g_autoptr(GString) list = g_string_new(NULL);
  if (imap_append_flags(list, flags, keywords) == 0 && flags == 0)
    return;
  for (size_t from = 0; from < uids->len;) {
    GString *line = g_string_new("UID STORE ");
    from = imap_append_set(line, uids, from, IMAP_COMMAND_LIMIT / 2);
    g_string_append_printf(line, " %cFLAGS.SILENT %s", sign, list->str);
    g_ptr_array_add(lines, g_string_free(line, FALSE));
  }
}

/* Makes one attempt, with or without keywords. @refused: whether the server said NO or BAD. */
static bool
store_flags(HaulStore *store, const GArray *uids, const HaulFlagChange *change, bool bare,
            bool *refused, GError **error)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  add_lines(lines, uids, '+', change->add, bare ? NULL : change->add_keywords);
  add_lines(lines, uids, '-', change->remove, bare ? NULL : change->remove_keywords);
  *refused = false;
  if (lines->len == 0)
    return true;
  ImapVisit *visit = imap_visit_begin(store, true, lines, error);
  if (visit == NULL || !imap_visit_run(visit, NULL, NULL, error))
    return false;
  *refused = visit->refused;
  if (visit->refused)
    imap_set_refusal(error, HAUL_ERROR_FOLDER, "flags", "flags cannot be changed", visit->code,
                     visit->text);
  return !visit->refused;
}

bool
imap_set_flags(HaulStore *store, const char *const *ids, size_t n_ids, const HaulFlagChange *change,
               GError **error)
{
  g_autofree HaulRange *ranges = g_new(HaulRange, n_ids);
  for (size_t i = 0; i < n_ids; i++)
    ranges[i] = (HaulRange){ ids[i], ids[i] };
  g_autoptr(GArray) uids = imap_ranges_parse(ranges, n_ids, error);
  if (uids == NULL)
    return false;

  bool refused;
  g_autoptr(GError) why = NULL;
  bool adds = change->add_keywords != NULL && *change->add_keywords != NULL;
  const char *const *keywords = adds ? change->add_keywords : change->remove_keywords;
  bool bare = imap_keywords_are_refused(store->current, keywords);
  if (store_flags(store, uids, change, bare, &refused, &why)) {
    store->current->n_left_out += n_ids * imap_keywords_left_out(keywords, bare);
    return true;
  }
  bool has_keywords = keywords != NULL && *keywords != NULL;
  if (refused && has_keywords && !bare && haul_error_reach(why) == HAUL_ERROR_FOLDER) {
    g_clear_error(&why);
    if (store_flags(store, uids, change, true, &refused, &why)) {
      imap_keywords_refuse(store, store->current, keywords);
      store->current->n_left_out += n_ids * imap_keywords_left_out(keywords, true);
      return true;
    }
  }
  g_propagate_error(error, g_steal_pointer(&why));
  return false;
}
