/* Reading the selected folder: items, header fields and bodies. Files are only opened and read. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "lines.h"
#include "packed.h"
#include "reading.h"

/* The first look at a header: most end within it. Each further one is four times as long. */
#define FIRST_LOOK (MAILDIR_BUFFER >> 6)

static bool
is_cancelled(const HaulStore *store, GError **error)
{
  if (!haul_account_cancelled(store->account))
    return false;
  haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "asked to stop");
  return true;
}

/* Appends to @out the header fields @names of the open file, with CRLF line ends. */
static bool
read_header(MaildirReading *reading, HaulStore *store, const char *const *names, GByteArray *out)
{
  uint8_t *buffer = store->buffer;
  size_t filled = 0, end = 0;
  for (size_t look = FIRST_LOOK; look <= MAILDIR_BUFFER; look *= 4) {
    ssize_t n = maildir_reading_read(reading, buffer + filled, look - filled);
    if (n < 0)
      return false;
    filled += (size_t)n;
    end = haul_header_end(buffer, filled);
    if (end < filled || filled < look)
      break;
  }
  if (maildir_reading_is_verbatim(reading)) {
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
measure(MaildirReading *reading, HaulStore *store)
{
  MaildirLines lines = { 0 };
  if (lseek(reading->fd, 0, SEEK_SET) != 0)
    return false;
  for (ssize_t n; (n = maildir_reading_read(reading, store->buffer, MAILDIR_BUFFER)) != 0;) {
    if (n < 0)
      return false;
    maildir_lines_feed(&lines, store->buffer, (size_t)n);
  }
  reading->item.size =
      maildir_reading_is_verbatim(reading) ? lines.octets : maildir_lines_crlf_size(&lines);
  return true;
}

/* Whether the size is in the name. */
static bool
size_from_name(MaildirReading *reading)
{
  char field = maildir_reading_is_verbatim(reading) ? 'S' : 'W';
  return maildir_name_field(reading->name, maildir_name_base(reading->name), field,
                            &reading->item.size);
}

/* Completes the item with what was asked for. False only for an error beyond the message. */
static bool
complete_item(MaildirReading *reading, HaulStore *store, const MaildirEntry *entry, uint32_t want,
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
  if (maildir_reading_open(reading, store, entry, &why)) {
    g_byte_array_set_size(header, 0);
    if (header_fields != NULL && read_header(reading, store, header_fields, header)) {
      reading->item.header = header->data != NULL ? header->data : (const uint8_t *)"";
      reading->item.header_size = header->len;
    } else if (header_fields != NULL)
      maildir_reading_failed(&why, store, reading, errno);
    if (why == NULL && !size_from_name(reading) && (want & HAUL_WANT_SIZE) != 0
        && !measure(reading, store))
      maildir_reading_failed(&why, store, reading, errno);
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

static bool
list_one(HaulStore *store, size_t index, uint32_t want, const char *const *header_fields,
         GByteArray *header, HaulItemFunc each, void *data, GError **error)
{
  const MaildirEntry *entry = maildir_scan_entry(&store->scan, index);
  MaildirReading reading;
  maildir_reading_begin(&reading, store, &store->scan, entry);
  bool ok = complete_item(&reading, store, entry, want, header_fields, header, error);
  maildir_reading_end(&reading);
  return ok && (reading.is_gone || each(&reading.item, data));
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
  bool ok = true;
  for (size_t i = 0; ok && i < store->scan.entries->len; i++)
    if (chosen[i])
      ok = (i % 64 != 0 || !is_cancelled(store, error))
           && list_one(store, i, want, header_fields, header, each, data, error);
  maildir_store_forget_large(store);
  return ok;
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
expected_size(const MaildirReading *reading, const uint8_t *octets, size_t size, bool is_whole)
{
  uint64_t on_disk = (uint64_t)reading->status.st_size, wire;
  if (maildir_reading_is_verbatim(reading))
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
is_plain(const HaulStore *store, const MaildirReading *reading, const uint8_t *octets, size_t size,
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
fetch_body(MaildirReading *reading, HaulStore *store, HaulIntake *intake, GError **error)
{
  ssize_t n = maildir_reading_read(reading, store->buffer, MAILDIR_BUFFER);
  if (n < 0)
    return maildir_reading_failed(error, store, reading, errno);
  if (!is_plain(store, reading, store->buffer, (size_t)n, error))
    return false;
  bool is_whole = (size_t)n < MAILDIR_BUFFER, verbatim = maildir_reading_is_verbatim(reading);
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
    n = maildir_reading_read(reading, store->buffer, MAILDIR_BUFFER);
    if (n < 0)
      return maildir_reading_failed(error, store, reading, errno);
  }
  return haul_intake_commit(intake, g_steal_pointer(&body), &reading->item, error);
}

static bool
fetch_one(HaulStore *store, size_t index, HaulIntake *intake, GError **error)
{
  const MaildirEntry *entry = maildir_scan_entry(&store->scan, index);
  MaildirReading reading;
  maildir_reading_begin(&reading, store, &store->scan, entry);
  g_autoptr(GError) why = NULL;
  bool ok = maildir_reading_open(&reading, store, entry, &why)
            && fetch_body(&reading, store, intake, &why);
  maildir_reading_end(&reading);
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
    maildir_reading_gone(&why, store, range->first);
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
