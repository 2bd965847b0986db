/* Storing. */
#include "storing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "lines.h"

/* Learns how the lines of the body end; a small one is turned into LF, *@n_lf octets of the buffer, for it
 * is read once so. False if it cannot be read. */
static bool
look_through(HaulStore *store, HaulMessage *message, MaildirLines *lines, size_t *n_lf)
{
  uint64_t total = haul_message_item(message)->size;
  size_t whole;
  const uint8_t *small = total <= MAILDIR_BUFFER ? haul_message_window(message, 0, &whole) : NULL;
  *n_lf = 0;
  if (small != NULL && whole == total) {
    *n_lf = maildir_lines_convert(lines, small, whole, store->buffer);
    return true;
  }
  while (lines->octets < total) {
    size_t size;
    const uint8_t *octets = haul_message_window(message, lines->octets, &size);
    if (octets == NULL)
      return false;
    maildir_lines_feed(lines, octets, size);
  }
  return true;
}

bool
maildir_storing_spool_error(GError **error)
{
  haul_set_error(error, HAUL_ERROR_MESSAGE, "spool", "the spooled message cannot be read back");
  return false;
}

static bool
write_lf(HaulStore *store, int fd, const uint8_t *octets, size_t size, bool *held)
{
  while (size > 0) {
    size_t piece = MIN(size, MAILDIR_BUFFER);
    size_t out = maildir_lines_to_lf(held, octets, piece, store->buffer);
    if (!maildir_file_write_all(fd, store->buffer, out))
      return false;
    octets += piece;
    size -= piece;
  }
  return true;
}

/* Writes the body to @fd, with LF or as it is. */
static bool
write_body(HaulStore *store, int fd, HaulMessage *message, bool with_lf, GError **error)
{
  uint64_t total = haul_message_item(message)->size;
  bool held = false, ok = true;
  for (uint64_t offset = 0; ok && offset < total;) {
    size_t size;
    const uint8_t *octets = haul_message_window(message, offset, &size);
    if (octets == NULL)
      return maildir_storing_spool_error(error);
    ok = with_lf ? write_lf(store, fd, octets, size, &held)
                 : maildir_file_write_all(fd, octets, size);
    offset += size;
    if (haul_account_cancelled(store->account)) {
      haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "asked to stop");
      return false;
    }
  }
  if (ok && held)
    ok = maildir_file_write_all(fd, "\r", 1);
  return ok
         || maildir_folder_error(error, errno, "cannot write a message to %s",
                                 store->selected->where);
}

static bool
finish_file(const HaulStore *store, int fd, const HaulItem *item)
{
  const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = item->date } };
  return maildir_file_give(fd, &store->tree->creation)
         && (item->date == HAUL_NO_DATE || futimens(fd, times) == 0);
}

/* Makes a file in tmp that nobody else has. Returns its descriptor, or -1 with errno. */
static int
create_in_tmp(const HaulStore *store, const MaildirLines *lines, char **base)
{
  bool with_lf = maildir_lines_convertible(lines);
  uint64_t disk = with_lf ? maildir_lines_lf_size(lines) : lines->octets;
  for (unsigned try = 0;; try++) {
    *base = maildir_name_new(maildir_file_unique_time(), (unsigned)getpid(), store->host, disk,
                             maildir_lines_crlf_size(lines), maildir_lines_has_bare_lf(lines));
    int fd = openat(store->selected->tmp, *base, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 || errno != EEXIST || try == 100)
      return fd;
    g_free(*base);
  }
}

/* Fills the file. @n_lf: octets that the buffer holds of it, or 0. */
static bool
fill(HaulStore *store, int fd, HaulMessage *message, bool with_lf, size_t n_lf, GError **error)
{
  if (with_lf && n_lf > 0) {
    if (!maildir_file_write_all(fd, store->buffer, n_lf))
      return maildir_folder_error(error, errno, "cannot write a message to %s",
                                  store->selected->where);
  } else if (!write_body(store, fd, message, with_lf, error)) {
    return false;
  }
  return finish_file(store, fd, haul_message_item(message))
         || maildir_folder_error(error, errno, "cannot complete a message in %s",
                                 store->selected->where);
}

bool
maildir_storing_write(HaulStore *store, HaulMessage *message, char **base, GError **error)
{
  const char *where = store->selected->where;
  MaildirLines lines = { 0 };
  *base = NULL;
  size_t n_lf;
  if (!look_through(store, message, &lines, &n_lf))
    return maildir_storing_spool_error(error);
  int fd = create_in_tmp(store, &lines, base);
  if (fd < 0) {
    maildir_folder_error(error, errno, "cannot create a file in %s/tmp", where);
    g_clear_pointer(base, g_free);
    return false;
  }
  bool ok = fill(store, fd, message, maildir_lines_convertible(&lines), n_lf, error);
  if (close(fd) != 0 && ok) /* a network file system may tell of a full disk only now */
    ok = maildir_folder_error(error, errno, "cannot write a message to %s", where);
  return ok;
}
