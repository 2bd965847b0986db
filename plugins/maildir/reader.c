/* Reading the selected folder: items, header fields and bodies. Files are only opened and read. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "lines.h"
#include "packed.h"
#include "store.h"

/* The first look at a header: most end within it. Each further one is four times as long. */
#define FIRST_LOOK (MAILDIR_BUFFER >> 6)

/* One message being read: its item, and what the item points into. */
typedef struct {
  HaulItem item;
  char id[NAME_MAX + 1];
  char name[NAME_MAX + 1];
  MaildirKeywordList keywords;
  int fd;       /* -1 until opened */
  bool is_gone; /* looked for in vain: it was removed meanwhile */
  struct stat status;
} Reading;

static bool
is_cancelled(const HaulStore *store, GError **error)
{
  if (!haul_account_cancelled(store->account))
    return false;
  haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "asked to stop");
  return true;
}

/* Sets what the name tells. The name is copied: the scan may be read anew meanwhile. */
static void
begin_reading(Reading *reading, const HaulStore *store, const MaildirScan *scan,
              const MaildirEntry *entry)
{
  const char *name = maildir_scan_name(scan, entry);
  size_t id_size = MIN(maildir_scan_id_size(scan, entry), sizeof reading->id - 1);
  memcpy(reading->id, name, id_size);
  reading->id[id_size] = '\0';
  g_strlcpy(reading->name, name, sizeof reading->name);
  MaildirFlags flags = maildir_name_flags(name);
  reading->fd = -1;
  reading->is_gone = false;
  reading->item = (HaulItem){
    .id = reading->id,
    .size = HAUL_UNKNOWN,
    .date = HAUL_NO_DATE,
    .flags = flags.flags,
    .keywords = maildir_folder_keywords(store->selected, &flags, &reading->keywords),
  };
}

static void
end_reading(Reading *reading)
{
  if (reading->fd >= 0)
    close(reading->fd);
  reading->fd = -1;
}

static bool
is_verbatim(const Reading *reading)
{
  uint64_t mark;
  return maildir_name_field(reading->name, maildir_name_base(reading->name), 'V', &mark)
         && mark != 0;
}

static int
open_entry(const HaulStore *store, bool in_new, const char *name)
{
  return openat(in_new ? store->selected->new : store->selected->cur, name,
                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static bool
could_not_read(GError **error, const HaulStore *store, const Reading *reading, int errnum)
{
  return maildir_error(error, HAUL_ERROR_MESSAGE, "unfetchable", errnum, "cannot read %s/%s",
                       store->selected->where, reading->name);
}

static void
gone(GError **error, const HaulStore *store, const char *id)
{
  haul_set_error(error, HAUL_ERROR_MESSAGE, "unfetchable", "%s: %s was removed meanwhile",
                 store->selected->path, id);
}

/* Opens the file, wherever it is by now. Errors: HAUL_ERROR_MESSAGE; farther where the folder cannot
 * be read. */
static bool
open_reading(Reading *reading, HaulStore *store, const MaildirEntry *entry, GError **error)
{
  reading->fd = open_entry(store, entry->in_new, reading->name);
  if (reading->fd < 0 && errno == ENOENT) {
    g_autoptr(GError) why = NULL;
    g_autofree char *id = g_strdup(reading->id);
    const MaildirEntry *found = maildir_store_find_again(store, id, &why);
    if (found == NULL) {
      reading->is_gone = why == NULL;
      if (why != NULL)
        g_propagate_error(error, g_steal_pointer(&why));
      else
        gone(error, store, id);
      return false;
    }
    begin_reading(reading, store, &store->later, found);
    g_strlcpy(reading->id, id, sizeof reading->id);
    reading->fd = open_entry(store, found->in_new, reading->name);
  }
  if (reading->fd < 0 || fstat(reading->fd, &reading->status) != 0)
    return could_not_read(error, store, reading, errno);
  if (!S_ISREG(reading->status.st_mode))
    return could_not_read(error, store, reading, EINVAL);
  reading->item.date = reading->status.st_mtim.tv_sec;
  return true;
}

/* Reads up to @size octets from where the file stands. Returns -1 with errno. */
static ssize_t
read_some(int fd, uint8_t *buffer, size_t size)
{
  size_t got = 0;
  while (got < size) {
    ssize_t n = read(fd, buffer + got, size - got);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    got += (size_t)n;
  }
  return (ssize_t)got;
}

/* Appends to @out the header fields @names of the open file, with CRLF line ends. */
static bool
read_header(const Reading *reading, HaulStore *store, const char *const *names, GByteArray *out)
{
  uint8_t *buffer = store->buffer;
  size_t filled = 0, end = 0;
  for (size_t look = FIRST_LOOK; look <= MAILDIR_BUFFER; look *= 4) {
    ssize_t n = read_some(reading->fd, buffer + filled, look - filled);
    if (n < 0)
      return false;
    filled += (size_t)n;
    end = haul_header_end(buffer, filled);
    if (end < filled || filled < look)
      break;
  }
  if (is_verbatim(reading)) {
    haul_header_select(buffer, end, names, out);
    return true;
  }
  g_autofree uint8_t *header = g_malloc(2 * end + 1);
  uint8_t last = 0;
  size_t used, size = maildir_lines_to_crlf(&last, buffer, end, &used, header, 2 * end + 1);
  haul_header_select(header, size, names, out);
  return true;
}

/* Counts the octets of the open file as it will be read. */
static bool
measure(Reading *reading, HaulStore *store)
{
  MaildirLines lines = { 0 };
  if (lseek(reading->fd, 0, SEEK_SET) != 0)
    return false;
  for (ssize_t n; (n = read_some(reading->fd, store->buffer, MAILDIR_BUFFER)) != 0;) {
    if (n < 0)
      return false;
    maildir_lines_feed(&lines, store->buffer, (size_t)n);
  }
  reading->item.size = is_verbatim(reading) ? lines.octets : maildir_lines_crlf_size(&lines);
  return true;
}

/* Whether the size is in the name. */
static bool
size_from_name(Reading *reading)
{
  char field = is_verbatim(reading) ? 'S' : 'W';
  return maildir_name_field(reading->name, maildir_name_base(reading->name), field,
                            &reading->item.size);
}

/* Completes the item with what was asked for. False only for an error beyond the message. */
static bool
complete_item(Reading *reading, HaulStore *store, const MaildirEntry *entry, uint32_t want,
              const char *const *header_fields, GByteArray *header, GError **error)
{
  bool must_measure = !size_from_name(reading) && (want & HAUL_WANT_SIZE) != 0;
  if (header_fields == NULL && !must_measure) {
    struct stat status;
    if ((want & HAUL_WANT_DATE) == 0)
      return true;
    int part = entry->in_new ? store->selected->new : store->selected->cur;
    if (fstatat(part, reading->name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
      reading->item.date = status.st_mtim.tv_sec;
      return true;
    }
  }

  g_autoptr(GError) why = NULL;
  if (open_reading(reading, store, entry, &why)) {
    g_byte_array_set_size(header, 0);
    if (header_fields != NULL && read_header(reading, store, header_fields, header)) {
      reading->item.header = header->data != NULL ? header->data : (const uint8_t *)"";
      reading->item.header_size = header->len;
    } else if (header_fields != NULL)
      could_not_read(&why, store, reading, errno);
    if (why == NULL && !size_from_name(reading) && (want & HAUL_WANT_SIZE) != 0
        && !measure(reading, store))
      could_not_read(&why, store, reading, errno);
  }
  if (why == NULL)
    return true;
  if (haul_error_reach(why) != HAUL_ERROR_MESSAGE) {
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  /* It is listed with what the name tells; fetching it will say why it cannot be had. */
  if (!reading->is_gone)
    haul_log(HAUL_LOG_WARNING, "%s", why->message);
  return true;
}

bool
maildir_list(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
             const char *const *header_fields, HaulItemFunc each, void *data, GError **error)
{
  if (n_ranges == 0)
    return true;
  if (!maildir_store_scan(store, true, error))
    return false;
  if (header_fields != NULL && header_fields[0] == NULL)
    header_fields = NULL;
  g_autofree uint8_t *chosen = maildir_scan_choose(&store->scan, ranges, n_ranges);
  g_autoptr(GByteArray) header = g_byte_array_new();
  for (size_t i = 0; i < store->scan.entries->len; i++) {
    if (!chosen[i])
      continue;
    if (i % 64 == 0 && is_cancelled(store, error))
      return false;
    const MaildirEntry *entry = maildir_scan_entry(&store->scan, i);
    Reading reading;
    begin_reading(&reading, store, &store->scan, entry);
    bool ok = complete_item(&reading, store, entry, want, header_fields, header, error);
    end_reading(&reading);
    if (!ok || (!reading.is_gone && !each(&reading.item, data)))
      return false;
  }
  return true;
}

/* Moves octets into @body, with CRLF line ends unless they are to stay as they are. */
static bool
pour(HaulBodyWriter *body, bool verbatim, uint8_t *last, const uint8_t *octets, size_t size,
     GError **error)
{
  while (size > 0) {
    size_t room, used;
    uint8_t *out = haul_body_writer_reserve(body, size, &room, error);
    if (out == NULL)
      return false;
    size_t filled;
    if (verbatim) {
      used = filled = MIN(room, size);
      memcpy(out, octets, used);
    } else
      filled = maildir_lines_to_crlf(last, octets, size, &used, out, room);
    haul_body_writer_advance(body, filled);
    octets += used;
    size -= used;
  }
  return true;
}

/* How many octets the body will have: exactly where the whole file is at hand, else about. */
static uint64_t
expected_size(const Reading *reading, const uint8_t *octets, size_t size, bool is_whole)
{
  uint64_t on_disk = (uint64_t)reading->status.st_size, wire;
  if (is_verbatim(reading))
    return is_whole ? size : on_disk;
  if (is_whole) {
    MaildirLines lines = { 0 };
    maildir_lines_feed(&lines, octets, size);
    return maildir_lines_crlf_size(&lines);
  }
  if (maildir_name_field(reading->name, maildir_name_base(reading->name), 'W', &wire)
      && wire >= on_disk && wire / 2 <= on_disk)
    return wire;
  return on_disk + on_disk / 32;
}

/* Whether the octets are those of a message. A packed one would be carried as garbage; one whose
 * size on disk is as its name says only begins like it. */
static bool
is_plain(const HaulStore *store, const Reading *reading, const uint8_t *octets, size_t size,
         GError **error)
{
  const char *how = maildir_packed_how(octets, size);
  uint64_t disk_size;
  if (how == NULL
      || (maildir_name_field(reading->name, maildir_name_base(reading->name), 'S', &disk_size)
          && disk_size == (uint64_t)reading->status.st_size))
    return true;
  haul_set_error(error, HAUL_ERROR_MESSAGE, "unfetchable",
                 "%s/%s is compressed (%s), which this version cannot read; let Dovecot serve it",
                 store->selected->where, reading->name, how);
  return false;
}

static bool
fetch_body(Reading *reading, HaulStore *store, HaulIntake *intake, GError **error)
{
  ssize_t n = read_some(reading->fd, store->buffer, MAILDIR_BUFFER);
  if (n < 0)
    return could_not_read(error, store, reading, errno);
  if (!is_plain(store, reading, store->buffer, (size_t)n, error))
    return false;
  bool is_whole = (size_t)n < MAILDIR_BUFFER, verbatim = is_verbatim(reading);
  g_autoptr(HaulBodyWriter) body =
      haul_intake_begin(intake, expected_size(reading, store->buffer, (size_t)n, is_whole), error);
  if (body == NULL)
    return false;
  uint8_t last = 0;
  while (n > 0) {
    if (!pour(body, verbatim, &last, store->buffer, (size_t)n, error))
      return false;
    if (is_whole)
      break;
    if (is_cancelled(store, error))
      return false;
    n = read_some(reading->fd, store->buffer, MAILDIR_BUFFER);
    if (n < 0)
      return could_not_read(error, store, reading, errno);
  }
  return haul_intake_commit(intake, g_steal_pointer(&body), &reading->item, error);
}

static bool
fetch_one(HaulStore *store, size_t index, HaulIntake *intake, GError **error)
{
  const MaildirEntry *entry = maildir_scan_entry(&store->scan, index);
  Reading reading;
  begin_reading(&reading, store, &store->scan, entry);
  g_autoptr(GError) why = NULL;
  bool ok = open_reading(&reading, store, entry, &why) && fetch_body(&reading, store, intake, &why);
  end_reading(&reading);
  if (ok)
    return true;
  if (haul_error_reach(why) != HAUL_ERROR_MESSAGE) {
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  haul_intake_skip(intake, reading.id, why);
  return true;
}

/* Answers for single messages that are not there any more. */
static void
skip_gone(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake)
{
  for (size_t i = 0; i < n_ranges; i++) {
    const HaulRange *range = &ranges[i];
    if (range->first == NULL || range->last == NULL || strcmp(range->first, range->last) != 0
        || maildir_scan_find(&store->scan, range->first) != NULL)
      continue;
    g_autoptr(GError) why = NULL;
    gone(&why, store, range->first);
    haul_intake_skip(intake, range->first, why);
  }
}

bool
maildir_fetch(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
              GError **error)
{
  if (n_ranges == 0)
    return true;
  if (!maildir_store_scan(store, false, error))
    return false;
  skip_gone(store, ranges, n_ranges, intake);
  g_autofree uint8_t *chosen = maildir_scan_choose(&store->scan, ranges, n_ranges);
  for (size_t i = 0; i < store->scan.entries->len; i++)
    if (chosen[i] && (is_cancelled(store, error) || !fetch_one(store, i, intake, error)))
      return false;
  return true;
}
