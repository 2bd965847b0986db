/* FETCH commands. See lines.h. */
#include "lines.h"

#include <string.h>

#include "changes.h"

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

bool
imap_ranges_are_all(const GArray *ranges)
{
  const ImapRange *first = &g_array_index(ranges, ImapRange, 0);
  return ranges->len == 1 && first->first == 1 && first->last == UINT32_MAX;
}

bool
imap_call_lines(GPtrArray *lines, const GArray *ranges, const char *items)
{
  imap_fetch_lines(lines, ranges, items);
  bool may_have_holes = imap_set_count(ranges) > ranges->len && !imap_ranges_are_all(ranges);
  if (may_have_holes)
    imap_fetch_lines(lines, ranges, IMAP_UID_ITEMS);
  return may_have_holes;
}

const char *
imap_fetch_items(const HaulStore *store)
{
  return imap_session_can(store->session, IMAP_CAP_GMAIL)
             ? "(UID FLAGS INTERNALDATE X-GM-MSGID X-GM-LABELS BODY.PEEK[])"
             : "(UID FLAGS INTERNALDATE BODY.PEEK[])";
}

uint32_t
imap_list_want(const HaulStore *store, uint32_t want)
{
  bool sizes = (store->session->ignored & IMAP_CAP_SIZES) == 0;
  return sizes ? want : want & ~(uint32_t)HAUL_WANT_SIZE;
}

char *
imap_list_items(const HaulStore *store, uint32_t want, const char *const *header_fields)
{
  GString *items = g_string_new("(UID FLAGS");
  if ((imap_list_want(store, want) & HAUL_WANT_SIZE) != 0)
    g_string_append(items, " RFC822.SIZE");
  if ((want & HAUL_WANT_DATE) != 0)
    g_string_append(items, " INTERNALDATE");
  if ((want & HAUL_WANT_OBJECT_ID) != 0 && imap_session_can(store->session, IMAP_CAP_GMAIL))
    g_string_append(items, " X-GM-MSGID X-GM-LABELS");
  else if ((want & HAUL_WANT_OBJECT_ID) != 0 && imap_session_can(store->session, IMAP_CAP_OBJECTID))
    g_string_append(items, " EMAILID");
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

GPtrArray *
imap_visit_lines(const HaulStore *store, const HaulVisit *named)
{
  if (named->kind == HAUL_VISIT_CHANGES) {
    GPtrArray *changes = g_ptr_array_new_with_free_func(g_free);
    imap_changes_lines(changes, store, g_hash_table_lookup(store->by_path, named->path),
                       named->since);
    return changes;
  }
  g_autoptr(GArray) ranges = imap_ranges_parse(named->ranges, named->n_ranges, NULL);
  g_autofree char *items = named->kind == HAUL_VISIT_LIST
                               ? imap_list_items(store, named->want, named->header_fields)
                               : g_strdup(imap_fetch_items(store));
  GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
  if (ranges != NULL)
    imap_call_lines(lines, ranges, items);
  return lines;
}

bool
imap_lines_equal(const GPtrArray *a, const GPtrArray *b)
{
  if (a->len != b->len)
    return false;
  for (guint i = 0; i < a->len; i++) {
    if (strcmp(g_ptr_array_index(a, i), g_ptr_array_index(b, i)) != 0)
      return false;
  }
  return true;
}
