/* Messages keep their UIDs: the file dovecot-uidlist of one folder. */
#include "numbering.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <mailhaul/log.h>

#include "dotlock.h"
#include "listfile.h"
#include "uidlist.h"

struct MaildirNumbering {
  unsigned references;
  bool by_uid;       /* else by UIDL */
  uint32_t validity; /* the source's, by UID                     */
  uint32_t next;     /* its UIDNEXT; 0: not known                 */
  MaildirListfile file;
  int lock;     /* -1: not held */
  bool is_told; /* that the list is of no use */
  bool lags;
};

static MaildirNumbering *
begin_new(bool by_uid)
{
  MaildirNumbering *numbering = g_new0(MaildirNumbering, 1);
  numbering->references = 1;
  numbering->by_uid = by_uid;
  numbering->lock = -1;
  maildir_listfile_init(&numbering->file);
  return numbering;
}

MaildirNumbering *
maildir_numbering_new(const HaulFolder *source)
{
  bool by_uid = (source->attributes & HAUL_FOLDER_UIDS) != 0;
  if (by_uid ? source->epoch == 0 || source->epoch > UINT32_MAX
             : (source->attributes & HAUL_FOLDER_UIDLS) == 0)
    return NULL;
  MaildirNumbering *numbering = begin_new(by_uid);
  if (by_uid) {
    numbering->validity = (uint32_t)source->epoch;
    if (source->next_id == NULL || !maildir_uidlist_parse_number(source->next_id, &numbering->next))
      numbering->next = 0;
  }
  return numbering;
}

MaildirNumbering *
maildir_numbering_copy(const MaildirNumbering *numbering)
{
  MaildirNumbering *copy = begin_new(numbering->by_uid);
  copy->validity = numbering->validity;
  copy->next = numbering->next;
  return copy;
}

MaildirNumbering *
maildir_numbering_ref(MaildirNumbering *numbering)
{
  numbering->references++;
  return numbering;
}

void
maildir_numbering_unref(MaildirNumbering *numbering)
{
  if (numbering == NULL || --numbering->references > 0)
    return;
  g_assert(numbering->lock < 0);
  maildir_listfile_clear(&numbering->file);
  g_free(numbering);
}

bool
maildir_numbering_lags(const MaildirNumbering *numbering)
{
  return numbering->lags;
}

/* Calls @each for the messages of cur and new, until it returns false. */
static bool
each_message(const MaildirFolder *folder, bool (*each)(const char *name, void *data), void *data,
             GError **error)
{
  const int parts[] = { folder->new, folder->cur };
  bool going = true;
  for (size_t i = 0; going && i < G_N_ELEMENTS(parts); i++) {
    DIR *listing = maildir_file_list(parts[i]);
    if (listing == NULL)
      return maildir_folder_error(error, errno, "cannot read %s", folder->where);
    struct dirent *entry;
    while (errno = 0, going && (entry = readdir(listing)) != NULL)
      going = entry->d_name[0] == '.' || each(entry->d_name, data);
    int failure = going ? errno : 0;
    closedir(listing);
    if (failure != 0)
      return maildir_folder_error(error, failure, "cannot read %s", folder->where);
  }
  return true;
}

static bool
note_message(const char *name G_GNUC_UNUSED, void *data)
{
  *(bool *)data = true;
  return false;
}

static bool
cross_off(const char *name, void *data)
{
  g_autofree char *base = g_strndup(name, maildir_name_base(name));
  g_hash_table_remove(data, base);
  return g_hash_table_size(data) > 0;
}

/* Whether the list, as it was just read, is one to write to. @validity: gets what it is to have. */
static bool
is_ours(MaildirNumbering *numbering, const MaildirFolder *folder, uint32_t *validity, bool *ours,
        GError **error)
{
  const MaildirUidlist *list = &numbering->file.list;
  *ours = false;
  *validity = numbering->by_uid ? numbering->validity : list->validity;
  if (numbering->file.state == MAILDIR_LISTFILE_BROKEN) {
    if (!numbering->is_told)
      haul_log(
          HAUL_LOG_WARNING,
          "%s/dovecot-uidlist is damaged and was left alone: Dovecot numbers the messages anew",
          folder->where);
    numbering->is_told = true;
    return true;
  }
  if (numbering->file.state == MAILDIR_LISTFILE_THERE) {
    bool never_used = list->next == 1 && list->uids->len == 0;
    *ours = *validity == list->validity || never_used;
    return true;
  }
  bool has_message = false;
  if (!each_message(folder, note_message, &has_message, error))
    return false;
  if (!numbering->by_uid)
    *validity = (uint32_t)time(NULL);
  *ours = !has_message;
  return true;
}

/* Takes the lock and reads the list if it changed since. @ours: gets whether it is one to write to; if
 * not, or on an error, the lock is not held. */
static bool
begin(MaildirNumbering *numbering, const MaildirFolder *folder, const HaulAccount *account,
      uint32_t *validity, bool *ours, GError **error)
{
  g_assert(numbering->lock < 0);
  numbering->lags = false;
  *ours = false;
  /* Where only cur, new and tmp may be written, the list is kept elsewhere, or by others. */
  if (faccessat(folder->fd, ".", W_OK, AT_EACCESS) != 0)
    return true;
  numbering->lock = maildir_dotlock_take(folder->fd, folder->tmp, folder->where, account,
                                         &folder->tree->creation, error);
  if (numbering->lock < 0)
    return false;
  bool ok = maildir_listfile_read(&numbering->file, folder->fd, error)
            && is_ours(numbering, folder, validity, ours, error);
  if (!ok || !*ours)
    maildir_numbering_leave(numbering, folder);
  return ok;
}

void
maildir_numbering_leave(MaildirNumbering *numbering, const MaildirFolder *folder)
{
  maildir_dotlock_release(folder->fd, numbering->lock);
  numbering->lock = -1;
}

/* Whether a Dovecot has looked at the folder. */
static bool
is_indexed(const MaildirFolder *folder)
{
  return faccessat(folder->fd, "dovecot.index.log", F_OK, AT_SYMLINK_NOFOLLOW) == 0
         || faccessat(folder->fd, "dovecot.index", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether a Dovecot may have looked since the list was written: it knows of every UID in it then. */
static bool
was_looked_at(const MaildirNumbering *numbering, const MaildirFolder *folder)
{
  static const char *const names[] = { "dovecot.index.log", "dovecot.index" };
  const struct timespec *written = &numbering->file.status.st_mtim;
  struct stat status;
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (fstatat(folder->fd, names[i], &status, AT_SYMLINK_NOFOLLOW) == 0
        && (status.st_mtim.tv_sec > written->tv_sec
            || (status.st_mtim.tv_sec == written->tv_sec
                && status.st_mtim.tv_nsec >= written->tv_nsec)))
      return true;
  return false;
}

static int
compare_uids(const void *a, const void *b)
{
  const uint32_t *one = a, *two = b;
  return (*one > *two) - (*one < *two);
}

/* Finds those of @places whose UID is listed, and whose message is not there: we were killed between the
 * list and the file, or it is gone. None where a Dovecot may know: to it, such a UID is used up. */
static bool
find_lost(MaildirNumbering *numbering, const MaildirFolder *folder, const MaildirPlace *places,
          size_t n, GArray *lost, GError **error)
{
  g_autoptr(GArray) listed = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  for (size_t i = 0; i < n; i++)
    if (places[i].wanted != 0 && maildir_uidlist_has(&numbering->file.list, places[i].wanted))
      g_array_append_val(listed, places[i].wanted);
  if (listed->len == 0 || was_looked_at(numbering, folder))
    return true;
  g_array_sort(listed, compare_uids);
  g_autoptr(GHashTable) bases = maildir_listfile_bases(
      &numbering->file, folder->fd, (const uint32_t *)(void *)listed->data, listed->len, error);
  if (bases == NULL || !each_message(folder, cross_off, bases, error))
    return false;
  GHashTableIter iterator;
  gpointer uid;
  g_hash_table_iter_init(&iterator, bases);
  while (g_hash_table_iter_next(&iterator, NULL, &uid)) {
    uint32_t number = GPOINTER_TO_UINT(uid);
    g_array_append_val(lost, number);
  }
  g_array_sort(lost, compare_uids);
  return true;
}

static bool
place(MaildirNumbering *numbering, const MaildirFolder *folder, const MaildirNumbered *messages,
      size_t n, MaildirPlace *places, GError **error)
{
  for (size_t i = 0; i < n; i++)
    if (!numbering->by_uid || !maildir_uidlist_parse_number(messages[i].id, &places[i].wanted))
      places[i].wanted = 0;
  g_autoptr(GArray) lost = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  if (!find_lost(numbering, folder, places, n, lost, error))
    return false;
  if (maildir_uidlist_place(&numbering->file.list, (const uint32_t *)(void *)lost->data, lost->len,
                            numbering->next, is_indexed(folder), places, n))
    return true;
  haul_set_error(error, HAUL_ERROR_FOLDER, "append", "%s: no UID is left", folder->where);
  return false;
}

static int
compare_entries(const void *a, const void *b)
{
  const MaildirListentry *one = a, *two = b;
  return (one->place.uid > two->place.uid) - (one->place.uid < two->place.uid);
}

bool
maildir_numbering_enter(MaildirNumbering *numbering, const MaildirFolder *folder,
                        const HaulAccount *account, const MaildirNumbered *messages, size_t n,
                        GError **error)
{
  bool ours;
  uint32_t validity;
  if (!begin(numbering, folder, account, &validity, &ours, error))
    return false;
  if (!ours)
    return true;
  g_autofree MaildirPlace *places = g_new0(MaildirPlace, n);
  g_autofree MaildirListentry *entries = g_new0(MaildirListentry, n);
  bool ok = place(numbering, folder, messages, n, places, error);
  for (size_t i = 0; i < n; i++)
    entries[i] = (MaildirListentry){
      .place = places[i],
      .base = messages[i].base,
      .uidl =
          !numbering->by_uid && maildir_uidlist_holds_uidl(messages[i].id) ? messages[i].id : NULL,
    };
  qsort(entries, n, sizeof *entries, compare_entries);
  ok = ok && maildir_listfile_add(&numbering->file, folder, validity, entries, n, error);
  if (!ok)
    maildir_numbering_leave(numbering, folder);
  numbering->lags = ok && numbering->file.list.next < numbering->next;
  return ok;
}

/* Writes the list with the UIDVALIDITY and, if @raise, the next UID of the source. */
static bool
rewrite(MaildirNumbering *numbering, const MaildirFolder *folder, const HaulAccount *account,
        bool raise, GError **error)
{
  bool ours, ok = true;
  uint32_t validity;
  if (!begin(numbering, folder, account, &validity, &ours, error))
    return false;
  if (!ours)
    return true;
  uint32_t next = numbering->file.list.next;
  numbering->lags = next < numbering->next;
  if (numbering->file.state != MAILDIR_LISTFILE_THERE || validity != numbering->file.list.validity
      || (raise && numbering->lags))
    ok = maildir_listfile_rewrite(&numbering->file, folder, validity,
                                  raise ? MAX(next, numbering->next) : next, error);
  if (ok && raise)
    numbering->lags = false;
  maildir_numbering_leave(numbering, folder);
  return ok;
}

bool
maildir_numbering_found(MaildirNumbering *numbering, const MaildirFolder *folder,
                        const HaulAccount *account, GError **error)
{
  return !numbering->by_uid || rewrite(numbering, folder, account, false, error);
}

bool
maildir_numbering_finish(MaildirNumbering *numbering, const MaildirFolder *folder,
                         const HaulAccount *account, GError **error)
{
  return !numbering->by_uid || rewrite(numbering, folder, account, true, error);
}

bool
maildir_numbering_look(MaildirNumbering *numbering, const MaildirFolder *folder)
{
  uint32_t validity, next;
  numbering->lags = numbering->by_uid && maildir_listfile_peek(folder->fd, &validity, &next)
                    && validity == numbering->validity && next < numbering->next;
  return numbering->lags;
}
