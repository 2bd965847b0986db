/* The receipt of COPY and MOVE. See copyuid.h. */
#include "copyuid.h"

#include <string.h>

void
imap_copyuid_clear(ImapCopyUid *copied)
{
  g_clear_pointer(&copied->from, g_array_unref);
  g_clear_pointer(&copied->to, g_array_unref);
}

/* Takes a set of ids that can be counted on: "*" is no id. */
static bool
take_set(ImapCursor *cursor, GArray *ranges)
{
  const char *end = cursor->at;
  while (end < cursor->end && *end != ' ')
    end++;
  size_t size = (size_t)(end - cursor->at);
  if (size == 0 || memchr(cursor->at, '*', size) != NULL
      || imap_parse_set(cursor->at, size, ranges) != size)
    return false;
  cursor->at = end;
  for (guint i = 0; i < ranges->len; i++)
    if (g_array_index(ranges, ImapRange, i).first == 0
        || g_array_index(ranges, ImapRange, i).last == 0)
      return false;
  return true;
}

/* How many ids ranges hold that may run either way, 3:1 as well as 1:3. */
static uint64_t
count(const GArray *ranges)
{
  uint64_t n = 0;
  for (guint i = 0; i < ranges->len; i++) {
    const ImapRange *range = &g_array_index(ranges, ImapRange, i);
    n += (uint64_t)MAX(range->first, range->last) - MIN(range->first, range->last) + 1;
  }
  return n;
}

/* Whether all of @ranges were asked for, each once: as ranges, for a set may say anything. */
static bool
is_asked(const GArray *ranges, const GArray *asked)
{
  g_autoptr(GArray) sorted = g_array_copy((GArray *)ranges);
  imap_set_normalise(sorted);
  if (imap_set_count(sorted) != count(ranges))
    return false;
  guint hint = 0;
  for (guint i = 0; i < sorted->len; i++) {
    const ImapRange *range = &g_array_index(sorted, ImapRange, i);
    if (!imap_set_has(asked, range->first, &hint)
        || range->last > g_array_index(asked, ImapRange, hint).last)
      return false;
  }
  return true;
}

bool
imap_parse_copyuid(ImapCursor argument, const GArray *asked, ImapCopyUid *copied)
{
  uint64_t validity;
  *copied = (ImapCopyUid){ .from = g_array_new(FALSE, FALSE, sizeof(ImapRange)),
                           .to = g_array_new(FALSE, FALSE, sizeof(ImapRange)) };
  if (!imap_take_number(&argument, &validity) || validity == 0 || validity > UINT32_MAX
      || !imap_take_spaces(&argument) || !take_set(&argument, copied->from)
      || !imap_take_spaces(&argument) || !take_set(&argument, copied->to) || !imap_at_end(&argument)
      || count(copied->from) != count(copied->to) || !is_asked(copied->from, asked))
    return false;
  copied->uid_validity = (uint32_t)validity;
  return true;
}

/* The id @n places into @range, whichever way it runs. */
static uint32_t
id_at(const ImapRange *range, uint32_t n)
{
  return range->first <= range->last ? range->first + n : range->first - n;
}

static uint32_t
span_of(const ImapRange *range)
{
  return MAX(range->first, range->last) - MIN(range->first, range->last);
}

bool
imap_copyuid_each(const ImapCopyUid *copied, ImapCopyUidFunc each, void *data)
{
  guint at = 0;
  uint32_t n = 0;
  for (guint i = 0; i < copied->from->len; i++) {
    const ImapRange *from = &g_array_index(copied->from, ImapRange, i);
    for (uint32_t k = 0; k <= span_of(from); k++) {
      const ImapRange *to = &g_array_index(copied->to, ImapRange, at);
      if (!each(id_at(from, k), id_at(to, n), data))
        return false;
      if (n == span_of(to)) {
        at++;
        n = 0;
      } else
        n++;
    }
  }
  return true;
}
