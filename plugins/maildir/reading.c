/* One message being read. */
#include "reading.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/error.h>

void
maildir_reading_begin(MaildirReading *reading, const HaulStore *store, const MaildirScan *scan,
                      const MaildirEntry *entry)
{
  const char *name = maildir_scan_name(scan, entry);
  size_t id_size = MIN(maildir_scan_id_size(scan, entry), sizeof reading->id - 1);
  memcpy(reading->id, name, id_size);
  reading->id[id_size] = '\0';
  /* Copied, for the scan may be read anew meanwhile. */
  g_strlcpy(reading->name, name, sizeof reading->name);
  MaildirFlags flags = maildir_folder_flags(store->selected, name);
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

void
maildir_reading_end(MaildirReading *reading)
{
  if (reading->fd >= 0)
    close(reading->fd);
  reading->fd = -1;
}

bool
maildir_reading_is_verbatim(const MaildirReading *reading)
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

bool
maildir_reading_failed(GError **error, const HaulStore *store, const MaildirReading *reading,
                       int errnum)
{
  return maildir_error(error, HAUL_ERROR_MESSAGE, "unfetchable", errnum, "cannot read %s/%s",
                       store->selected->where, reading->name);
}

bool
maildir_reading_gone(GError **error, const HaulStore *store, const char *id)
{
  haul_set_error(error, HAUL_ERROR_MESSAGE, "unfetchable", "%s: %s was removed meanwhile",
                 store->selected->path, id);
  return false;
}

bool
maildir_reading_open(MaildirReading *reading, HaulStore *store, const MaildirEntry *entry,
                     GError **error)
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
        maildir_reading_gone(error, store, id);
      return false;
    }
    maildir_reading_begin(reading, store, &store->later, found);
    g_strlcpy(reading->id, id, sizeof reading->id);
    reading->fd = open_entry(store, found->in_new, reading->name);
  }
  if (reading->fd < 0 || fstat(reading->fd, &reading->status) != 0)
    return maildir_reading_failed(error, store, reading, errno);
  if (!S_ISREG(reading->status.st_mode))
    return maildir_reading_failed(error, store, reading, EINVAL);
  reading->item.date = reading->status.st_mtim.tv_sec;
  return true;
}

ssize_t
maildir_reading_read(MaildirReading *reading, uint8_t *buffer, size_t size)
{
  size_t got = 0;
  while (got < size) {
    ssize_t n = read(reading->fd, buffer + got, size - got);
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
