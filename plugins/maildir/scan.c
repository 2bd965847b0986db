/* What lies in a folder. */
#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "order.h"

/* How often a folder that changes meanwhile is read before what was seen has to do. */
#define READINGS 8
/* What the name of a file in new begins with where one in cur has the same. */
#define HERE "./"

void
maildir_scan_init(MaildirScan *scan)
{
  scan->names = g_string_new(NULL);
  scan->entries = g_array_new(FALSE, FALSE, sizeof(MaildirEntry));
  scan->by_name = NULL;
  scan->stamp = NULL;
}

void
maildir_scan_clear(MaildirScan *scan)
{
  if (scan->names != NULL)
    g_string_free(scan->names, TRUE);
  if (scan->entries != NULL)
    g_array_unref(scan->entries);
  g_clear_pointer(&scan->by_name, g_array_unref);
  g_free(scan->stamp);
  *scan = (MaildirScan){ 0 };
}

const char *
maildir_scan_name(const MaildirScan *scan, const MaildirEntry *entry)
{
  return scan->names->str + entry->name;
}

size_t
maildir_scan_id_size(const MaildirScan *scan, const MaildirEntry *entry)
{
  const char *name = maildir_scan_name(scan, entry);
  return entry->is_double ? strlen(name) : maildir_name_base(name);
}

static int
compare_entries(gconstpointer a, gconstpointer b, gpointer data)
{
  const MaildirEntry *one = a, *two = b;
  const MaildirScan *scan = data;
  if (one->seconds != two->seconds)
    return one->seconds < two->seconds ? -1 : 1;
  int order = maildir_name_compare(maildir_scan_name(scan, one), maildir_scan_id_size(scan, one),
                                   maildir_scan_name(scan, two), maildir_scan_id_size(scan, two));
  if (order != 0)
    return order;
  /* Two files with one base: the shorter name first, for it may be the base itself. */
  order = strcmp(maildir_scan_name(scan, one), maildir_scan_name(scan, two));
  if (order != 0)
    return order;
  return one->in_new - two->in_new;
}

static bool
read_part(MaildirScan *scan, const MaildirFolder *folder, int part, bool in_new, GError **error)
{
  if (part < 0)
    return true;
  DIR *listing = maildir_file_list(part);
  if (listing == NULL)
    return maildir_error(error, HAUL_ERROR_FOLDER, "select", errno, "cannot read %s",
                         folder->where);
  struct dirent *entry;
  while (errno = 0, (entry = readdir(listing)) != NULL) {
    if (!maildir_folder_is_message(folder, part, entry, false))
      continue;
    if (scan->names->len > UINT32_MAX - sizeof entry->d_name) {
      errno = EOVERFLOW;
      break;
    }
    MaildirEntry added = { .seconds = maildir_name_seconds(entry->d_name),
                           .name = (uint32_t)scan->names->len,
                           .in_new = in_new };
    g_array_append_val(scan->entries, added);
    g_string_append_len(scan->names, entry->d_name, (gssize)strlen(entry->d_name) + 1);
  }
  int failure = errno;
  closedir(listing);
  return failure == 0
         || maildir_error(error, HAUL_ERROR_FOLDER, "select", failure, "cannot read %s",
                          folder->where);
}

static bool
same_file(const MaildirScan *scan, const MaildirFolder *folder, const MaildirEntry *one,
          const MaildirEntry *two)
{
  struct stat first, second;
  if (fstatat(one->in_new ? folder->new : folder->cur, maildir_scan_name(scan, one), &first,
              AT_SYMLINK_NOFOLLOW)
          != 0
      || fstatat(two->in_new ? folder->new : folder->cur, maildir_scan_name(scan, two), &second,
                 AT_SYMLINK_NOFOLLOW)
             != 0)
    return true; /* one of them was a name of the past */
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* Makes the id of an entry its whole name, as its file's path where another part has that name, too. */
static void
tell_apart(MaildirScan *scan, MaildirEntry *entry, const MaildirEntry *before)
{
  g_autofree char *name = g_strdup(maildir_scan_name(scan, entry));
  entry->is_double = true;
  if (strcmp(name, maildir_scan_name(scan, before)) != 0)
    return;
  entry->name = (uint32_t)scan->names->len;
  g_string_append(scan->names, HERE);
  g_string_append_len(scan->names, name, (gssize)strlen(name) + 1);
}

static bool
have_one_base(const MaildirScan *scan, const MaildirEntry *first, const MaildirEntry *second)
{
  const char *one = maildir_scan_name(scan, first), *two = maildir_scan_name(scan, second);
  size_t base = maildir_name_base(one);
  return maildir_name_base(two) == base && memcmp(one, two, base) == 0;
}

/* Leaves one entry per message, and tells those apart that have one base. */
static void
resolve_doubles(MaildirScan *scan, const MaildirFolder *folder)
{
  bool found = false;
  guint kept = 0, first = 0; /* first: of those with the base at hand */
  for (guint i = 0; i < scan->entries->len; i++) {
    MaildirEntry *entry = maildir_scan_entry(scan, i);
    if (kept > 0 && have_one_base(scan, maildir_scan_entry(scan, first), entry)) {
      MaildirEntry *before = maildir_scan_entry(scan, kept - 1);
      if (same_file(scan, folder, before, entry)) {
        if (before->in_new && !entry->in_new) { /* where it is on its way to */
          entry->is_double = before->is_double;
          *before = *entry;
        }
        continue;
      }
      tell_apart(scan, entry, before);
      found = true;
    } else
      first = kept;
    *maildir_scan_entry(scan, kept++) = *entry;
  }
  g_array_set_size(scan->entries, kept);
  if (found)
    g_array_sort_with_data(scan->entries, compare_entries, scan);
}

bool
maildir_scan_read(MaildirScan *scan, MaildirFolder *folder, GError **error)
{
  for (unsigned reading = 1;; reading++) {
    g_string_truncate(scan->names, 0);
    g_array_set_size(scan->entries, 0);
    g_clear_pointer(&scan->by_name, g_array_unref);
    g_free(scan->stamp);
    scan->stamp = maildir_folder_stamp(folder);
    /* New before cur: messages go that way, and so none slips through. */
    if (!read_part(scan, folder, folder->new, true, error)
        || !read_part(scan, folder, folder->cur, false, error))
      return false;
    g_autofree char *stamp = maildir_folder_stamp(folder);
    if (strcmp(stamp, scan->stamp) == 0 || reading == READINGS)
      break;
  }
  g_array_sort_with_data(scan->entries, compare_entries, scan);
  resolve_doubles(scan, folder);
  if (!folder->tree->writable) /* where messages are put, names tell their order */
    maildir_order_by_uid(scan, folder);
  /* After the names: whoever gives a message a new letter writes its meaning first. */
  return maildir_folder_load_keywords(folder, error);
}

/* Returns the index of the entry that is the @rank-th by name. */
static size_t
index_of(const MaildirScan *scan, size_t rank)
{
  return scan->by_name == NULL || rank == scan->entries->len
             ? rank
             : g_array_index(scan->by_name, uint32_t, rank);
}

size_t
maildir_scan_lower_bound(const MaildirScan *scan, const char *id)
{
  size_t id_size = strlen(id), low = 0, high = scan->entries->len;
  uint64_t seconds = maildir_name_seconds(id + (g_str_has_prefix(id, HERE) ? strlen(HERE) : 0));
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const MaildirEntry *entry = maildir_scan_entry(scan, index_of(scan, middle));
    bool below = entry->seconds != seconds
                     ? entry->seconds < seconds
                     : maildir_name_compare(maildir_scan_name(scan, entry),
                                            maildir_scan_id_size(scan, entry), id, id_size)
                           < 0;
    if (below)
      low = middle + 1;
    else
      high = middle;
  }
  return index_of(scan, low);
}

static bool
has_id(const MaildirScan *scan, const MaildirEntry *entry, const char *id)
{
  size_t size = maildir_scan_id_size(scan, entry);
  return strlen(id) == size && memcmp(maildir_scan_name(scan, entry), id, size) == 0;
}

MaildirEntry *
maildir_scan_find(const MaildirScan *scan, const char *id)
{
  size_t index = maildir_scan_lower_bound(scan, id);
  if (index == scan->entries->len)
    return NULL;
  MaildirEntry *entry = maildir_scan_entry(scan, index);
  return has_id(scan, entry, id) ? entry : NULL;
}

void
maildir_scan_renamed(MaildirScan *scan, MaildirEntry *entry, const char *name)
{
  entry->name = (uint32_t)scan->names->len;
  entry->in_new = false;
  g_string_append_len(scan->names, name, (gssize)strlen(name) + 1);
}

uint8_t *
maildir_scan_choose(const MaildirScan *scan, const HaulRange *ranges, size_t n_ranges)
{
  size_t n = scan->entries->len;
  /* Counts how many ranges open before each entry and close behind it: linear, however they lie. */
  g_autofree int32_t *steps = g_new0(int32_t, n + 1);
  for (size_t i = 0; i < n_ranges; i++) {
    size_t first = ranges[i].first == NULL ? 0 : maildir_scan_lower_bound(scan, ranges[i].first);
    size_t end = n;
    if (ranges[i].last != NULL) {
      end = maildir_scan_lower_bound(scan, ranges[i].last);
      if (end < n && has_id(scan, maildir_scan_entry(scan, end), ranges[i].last))
        end++;
    }
    if (first < end) {
      steps[first]++;
      steps[end]--;
    }
  }
  uint8_t *chosen = g_new(uint8_t, n + 1);
  int32_t open = 0;
  for (size_t i = 0; i < n; i++)
    chosen[i] = (open += steps[i]) > 0;
  chosen[n] = 0;
  return chosen;
}
