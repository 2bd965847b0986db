/* Verification. */
#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "lines.h"
#include "storing.h"

#define PIECE (64u << 10)

static void
take_sum(GChecksum *checksum, MaildirSum *sum)
{
  gsize size = sizeof sum->octets;
  g_checksum_get_digest(checksum, sum->octets, &size);
}

bool
maildir_verify_sum(const HaulMessage *message, MaildirSum *sum, GError **error)
{
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  uint64_t total = haul_message_item(message)->size;
  for (uint64_t offset = 0; offset < total;) {
    size_t size;
    const uint8_t *octets = haul_message_window(message, offset, &size);
    if (octets == NULL)
      return maildir_storing_spool_error(error);
    g_checksum_update(checksum, octets, (gssize)size);
    offset += size;
  }
  take_sum(checksum, sum);
  return true;
}

/* Feeds octets of the file as they will be read: with CRLF, or as they are. */
static void
feed(GChecksum *checksum, bool verbatim, uint8_t *last, const uint8_t *octets, size_t size,
     uint8_t *out)
{
  if (verbatim) {
    g_checksum_update(checksum, octets, (gssize)size);
    return;
  }
  while (size > 0) {
    size_t used, filled = maildir_lines_to_crlf(last, octets, size, &used, out, PIECE);
    g_checksum_update(checksum, out, (gssize)filled);
    octets += used;
    size -= used;
  }
}

bool
maildir_verify_file(const HaulStore *store, int fd, const char *base, const MaildirSum *wanted,
                    GError **error)
{
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  g_autofree uint8_t *out = g_malloc(PIECE);
  uint64_t mark;
  bool verbatim = maildir_name_field(base, strlen(base), 'V', &mark) && mark != 0;
  uint8_t last = 0;
  ssize_t n;
  while ((n = read(fd, store->buffer, PIECE)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0)
      feed(checksum, verbatim, &last, store->buffer, (size_t)n, out);
  if (n < 0)
    return maildir_error(error, HAUL_ERROR_MESSAGE, "verify", errno, "cannot read back %s", base);
  MaildirSum found;
  take_sum(checksum, &found);
  if (memcmp(&found, wanted, sizeof found) == 0)
    return true;
  haul_set_error(error, HAUL_ERROR_MESSAGE, "verify",
                 "what was stored as %s reads back as something else", base);
  return false;
}
