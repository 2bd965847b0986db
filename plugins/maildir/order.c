/* The order of a folder that is read. */
#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "listfile.h"

typedef struct {
  const MaildirScan *scan;
  uint32_t *uids; /* borrowed; of the entries; UINT32_MAX: not listed */
  size_t next;    /* the entry behind the last one that was found: names ascend with UIDs, mostly */
} Order;

static bool
is_called(const Order *order, size_t index, const MaildirUidline *line)
{
  if (index >= order->scan->entries->len)
    return false;
  const MaildirEntry *entry = maildir_scan_entry(order->scan, index);
  return maildir_scan_id_size(order->scan, entry) == line->base_size
         && memcmp(maildir_scan_name(order->scan, entry), line->base, line->base_size) == 0;
}

static void
take_line(const MaildirUidline *line, void *data)
{
  Order *order = data;
  size_t index = order->next;
  if (!is_called(order, index, line)) {
    g_autofree char *base = g_strndup(line->base, line->base_size);
    index = maildir_scan_lower_bound(order->scan, base);
    if (!is_called(order, index, line))
      return; /* gone, or not there yet */
  }
  order->uids[index] = line->uid;
  order->next = index + 1;
}

typedef struct {
  uint32_t uid, index;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
  const Ranked *one = a, *two = b;
  if (one->uid != two->uid)
    return one->uid < two->uid ? -1 : 1;
  return (one->index > two->index) - (one->index < two->index);
}

/* Puts the entries in order; by_name leads to where each is then. */
static void
reorder(MaildirScan *scan, const uint32_t *uids)
{
  guint n = scan->entries->len;
  g_autofree Ranked *ranked = g_new(Ranked, n);
  for (guint i = 0; i < n; i++)
    ranked[i] = (Ranked){ uids[i], i };
  qsort(ranked, n, sizeof *ranked, compare_ranked);
  GArray *entries = g_array_sized_new(FALSE, FALSE, sizeof(MaildirEntry), n);
  scan->by_name = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), n);
  g_array_set_size(scan->by_name, n);
  for (guint i = 0; i < n; i++) {
    g_array_append_vals(entries, maildir_scan_entry(scan, ranked[i].index), 1);
    g_array_index(scan->by_name, uint32_t, ranked[i].index) = i;
  }
  g_array_unref(scan->entries);
  scan->entries = entries;
}

void
maildir_order_by_uid(MaildirScan *scan, const MaildirFolder *folder)
{
  guint n = scan->entries->len;
  g_assert(scan->by_name == NULL);
  if (n < 2)
    return;
  g_autofree uint32_t *uids = g_malloc(n * sizeof *uids);
  memset(uids, 0xff, n * sizeof *uids);
  Order order = { .scan = scan, .uids = uids };
  if (!maildir_listfile_each(folder->fd, take_line, &order))
    return;
  for (guint i = 1; i < n; i++)
    if (uids[i] < uids[i - 1]) {
      reorder(scan, uids);
      return;
    }
}
