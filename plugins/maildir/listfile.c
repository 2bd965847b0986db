/* The file dovecot-uidlist on disk. */
#include "listfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/log.h>

#define NAME "dovecot-uidlist"
#define CHUNK (64u << 10)

void
maildir_listfile_init(MaildirListfile *file)
{
  *file = (MaildirListfile){ .state = MAILDIR_LISTFILE_ABSENT };
  maildir_uidlist_init(&file->list);
}

void
maildir_listfile_clear(MaildirListfile *file)
{
  maildir_uidlist_clear(&file->list);
}

static int
open_list(int dir, int how)
{
  return openat(dir, NAME, how | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/*
 * Calls @each with every line, without its end, until it returns false. @cut: gets whether the last one
 * has no end; it is passed over. Returns 0; -1 where @each returned false, or a line is too long for
 * Dovecot; else what reading failed by.
 */
typedef bool (*LineFunc)(const char *line, size_t size, void *data);
static int
each_line(int fd, LineFunc each, void *data, bool *cut)
{
  g_autofree char *room = g_malloc(CHUNK);
  size_t filled = 0;
  for (;;) {
    ssize_t n = read(fd, room + filled, CHUNK - filled);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno;
    *cut = filled > 0;
    if (n == 0)
      return 0;
    filled += (size_t)n;
    char *at = room, *end = room + filled;
    for (char *lf; (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1)
      if (!each(at, (size_t)(lf - at), data))
        return -1;
    filled = (size_t)(end - at);
    memmove(room, at, filled);
    if (filled > MAILDIR_UIDLIST_LINE)
      return -1;
  }
}

static bool
feed(const char *line, size_t size, void *data)
{
  return maildir_uidlist_feed(data, line, size);
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size
         && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec
         && a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void
forget(MaildirListfile *file, MaildirListfileState state)
{
  maildir_uidlist_clear(&file->list);
  maildir_uidlist_init(&file->list);
  file->is_known = file->is_cut = false;
  file->state = state;
}

bool
maildir_listfile_read(MaildirListfile *file, int dir, GError **error)
{
  struct stat status;
  if (fstatat(dir, NAME, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    forget(file, MAILDIR_LISTFILE_ABSENT);
    return errno == ENOENT || maildir_folder_error(error, errno, "cannot look at " NAME);
  }
  if (file->is_known && is_same(&status, &file->status))
    return true;
  forget(file, MAILDIR_LISTFILE_BROKEN);
  if (!S_ISREG(status.st_mode))
    return true;
  int fd = open_list(dir, O_RDONLY);
  if (fd < 0)
    return maildir_folder_error(error, errno, "cannot open " NAME);
  int failure =
      fstat(fd, &file->status) != 0 ? errno : each_line(fd, feed, &file->list, &file->is_cut);
  close(fd);
  if (failure > 0)
    return maildir_folder_error(error, failure, "cannot read " NAME);
  file->is_known = true;
  if (failure == 0 && file->list.version != 0)
    file->state = MAILDIR_LISTFILE_THERE;
  return true;
}

static bool
feed_head(const char *line, size_t size, void *data)
{
  maildir_uidlist_feed(data, line, size);
  return false;
}

bool
maildir_listfile_peek(int dir, uint32_t *validity, uint32_t *next)
{
  MaildirUidlist list;
  struct stat status;
  bool cut;
  int fd = open_list(dir, O_RDONLY);
  if (fd < 0)
    return false;
  maildir_uidlist_init(&list);
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    each_line(fd, feed_head, &list, &cut);
  close(fd);
  bool there = list.version != 0;
  *validity = list.validity;
  *next = list.next;
  maildir_uidlist_clear(&list);
  return there;
}

/* Looking for some entries. */

typedef struct {
  unsigned version;
  const uint32_t *uids, *end;
  GHashTable *bases;
} Search;

static bool
look_at(const char *line, size_t size, void *data)
{
  Search *search = data;
  MaildirUidline parsed;
  if (!maildir_uidlist_parse_line(search->version, line, size, &parsed))
    return true; /* the head */
  while (search->uids < search->end && *search->uids < parsed.uid)
    search->uids++;
  if (search->uids < search->end && *search->uids == parsed.uid)
    g_hash_table_insert(search->bases, g_strndup(parsed.base, parsed.base_size),
                        GUINT_TO_POINTER(parsed.uid));
  return search->uids < search->end;
}

GHashTable *
maildir_listfile_bases(const MaildirListfile *file, int dir, const uint32_t *uids, size_t n_uids,
                       GError **error)
{
  g_autoptr(GHashTable) bases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  Search search = { file->list.version, uids, uids + n_uids, bases };
  bool cut;
  int fd = open_list(dir, O_RDONLY);
  int failure = fd < 0 ? errno : each_line(fd, look_at, &search, &cut);
  if (fd >= 0)
    close(fd);
  if (failure <= 0)
    return g_steal_pointer(&bases);
  maildir_folder_error(error, failure, "cannot read " NAME);
  return NULL;
}

/* Looking at all. */

typedef struct {
  MaildirUidlist list; /* owned */
  MaildirListfileFunc each;
  void *data;
} Walk;

static bool
walk_on(const char *line, size_t size, void *data)
{
  Walk *walk = data;
  bool is_head = walk->list.version == 0;
  MaildirUidline parsed;
  if (!maildir_uidlist_feed(&walk->list, line, size))
    return false;
  if (!is_head && maildir_uidlist_parse_line(walk->list.version, line, size, &parsed))
    walk->each(&parsed, walk->data);
  return true;
}

bool
maildir_listfile_each(int dir, MaildirListfileFunc each, void *data)
{
  Walk walk = { .each = each, .data = data };
  struct stat status;
  bool cut;
  int fd = open_list(dir, O_RDONLY);
  if (fd < 0)
    return false;
  maildir_uidlist_init(&walk.list);
  bool fine = fstat(fd, &status) == 0 && S_ISREG(status.st_mode)
              && each_line(fd, walk_on, &walk, &cut) == 0 && walk.list.version != 0;
  close(fd);
  maildir_uidlist_clear(&walk.list);
  return fine;
}

/* Writing. */

static bool
settle(const MaildirFolder *folder, int fd)
{
  return !folder->tree->creation.sync || fdatasync(fd) == 0;
}

/* Notes what stands in the file now. */
static void
note_added(MaildirListfile *file, uint32_t uid)
{
  g_array_append_val(file->list.uids, uid);
  file->list.next = MAX(file->list.next, uid + 1);
}

static bool
append(MaildirListfile *file, const MaildirFolder *folder, const MaildirListentry *entries,
       size_t n_entries, GError **error)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t i = 0; i < n_entries; i++)
    maildir_uidlist_print_line(entries[i].place.uid, entries[i].uidl, entries[i].base, text);
  int fd = open_list(folder->fd, O_WRONLY | O_APPEND);
  if (fd < 0)
    return maildir_folder_error(error, errno, "cannot open %s/" NAME, folder->where);
  off_t before = file->status.st_size;
  bool ok = maildir_file_write_all(fd, text->str, text->len) && settle(folder, fd)
            && fstat(fd, &file->status) == 0;
  int failure = errno;
  if (!ok) {
    file->is_known = false;
    if (ftruncate(fd, before) != 0) /* then a line may be cut: it does not count */
      haul_log(HAUL_LOG_DEBUG, "%s/" NAME ": %s", folder->where, g_strerror(errno));
  }
  close(fd);
  if (!ok)
    return maildir_folder_error(error, failure, "cannot write %s/" NAME, folder->where);
  for (size_t i = 0; i < n_entries; i++)
    note_added(file, entries[i].place.uid);
  return true;
}

/* A list on its way into another file. */
typedef struct {
  unsigned version;
  int fd;
  GString *text; /* owned; not written yet */
  const MaildirListentry *next, *end;
  GArray *uids; /* owned; of what was written */
  bool is_head; /* of the old one, to be passed over */
  int failure;  /* errno, if writing failed */
} Merge;

static bool
flush(Merge *merge)
{
  if (!maildir_file_write_all(merge->fd, merge->text->str, merge->text->len))
    merge->failure = errno;
  g_string_truncate(merge->text, 0);
  return merge->failure == 0;
}

static void
put_entry(Merge *merge)
{
  const MaildirListentry *entry = merge->next++;
  maildir_uidlist_print_line(entry->place.uid, entry->uidl, entry->base, merge->text);
  g_array_append_val(merge->uids, entry->place.uid);
}

static bool
merge_line(const char *line, size_t size, void *data)
{
  Merge *merge = data;
  MaildirUidline parsed;
  if (merge->is_head) {
    merge->is_head = false;
    return true;
  }
  if (!maildir_uidlist_parse_line(merge->version, line, size, &parsed)) {
    merge->failure = EIO; /* it was read before, and we have the lock */
    return false;
  }
  bool is_replaced = false;
  for (; merge->next < merge->end && merge->next->place.uid <= parsed.uid; put_entry(merge))
    is_replaced |= merge->next->place.uid == parsed.uid;
  if (!is_replaced) {
    maildir_uidlist_print_parsed(&parsed, merge->text);
    g_array_append_val(merge->uids, parsed.uid);
  }
  return merge->text->len < CHUNK || flush(merge);
}

/* Writes the list into @fd, a new file. Returns 0 or errno. */
static int
write_merged(Merge *merge, const MaildirListfile *file, int dir)
{
  bool cut;
  int failure = 0, old = file->state == MAILDIR_LISTFILE_THERE ? open_list(dir, O_RDONLY) : -1;
  if (file->state == MAILDIR_LISTFILE_THERE && old < 0)
    return errno;
  if (old >= 0) {
    merge->is_head = true;
    failure = each_line(old, merge_line, merge, &cut);
    close(old);
  }
  while (merge->next < merge->end)
    put_entry(merge);
  if (failure <= 0 && merge->failure == 0)
    flush(merge);
  return failure > 0 ? failure : merge->failure;
}

/* Makes a list of its own name in tmp. Returns 0 or errno. */
static int
write_aside(Merge *merge, const MaildirListfile *file, const MaildirFolder *folder,
            const char *aside)
{
  mode_t mode = file->state == MAILDIR_LISTFILE_THERE ? file->status.st_mode & 0777 : 0600;
  merge->fd = openat(folder->tmp, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (merge->fd < 0)
    return errno;
  int failure = write_merged(merge, file, folder->fd);
  if (failure == 0
      && (!maildir_file_give(merge->fd, &folder->tree->creation)
          || (mode != 0600 && fchmod(merge->fd, mode) != 0) || !settle(folder, merge->fd)))
    failure = errno;
  return close(merge->fd) != 0 && failure == 0 ? errno : failure;
}

/* Returns 32 hexadecimal digits, to be freed. */
static char *
new_guid(void)
{
  g_autofree char *uuid = g_uuid_string_random();
  g_auto(GStrv) parts = g_strsplit(uuid, "-", -1);
  return g_strjoinv("", parts);
}

static bool
replace(MaildirListfile *file, const MaildirFolder *folder, uint32_t validity, uint32_t next,
        const MaildirListentry *entries, size_t n_entries, GError **error)
{
  g_autoptr(GString) text = g_string_sized_new(CHUNK);
  g_autofree char *guid = new_guid();
  g_autofree char *aside = maildir_file_name_aside();
  g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  Merge merge = { .version = file->list.version,
                  .text = text,
                  .next = entries,
                  .end = n_entries > 0 ? entries + n_entries : entries,
                  .uids = uids };
  maildir_uidlist_print_head(&file->list, validity, next, guid, text);
  g_autofree char *head = g_strndup(text->str, text->len - 1);
  int failure = write_aside(&merge, file, folder, aside);
  if (failure == 0 && renameat(folder->tmp, aside, folder->fd, NAME) != 0)
    failure = errno;
  if (failure != 0) {
    unlinkat(folder->tmp, aside, 0);
    return maildir_folder_error(error, failure, "cannot write %s/" NAME, folder->where);
  }
  forget(file, MAILDIR_LISTFILE_THERE);
  if (!maildir_uidlist_feed(&file->list, head, strlen(head)))
    g_assert_not_reached();
  for (guint i = 0; i < uids->len; i++)
    note_added(file, g_array_index(uids, uint32_t, i));
  file->is_known = fstatat(folder->fd, NAME, &file->status, AT_SYMLINK_NOFOLLOW) == 0;
  if (folder->tree->creation.sync && fsync(folder->fd) != 0)
    return maildir_folder_error(error, errno, "cannot write %s", folder->where);
  return true;
}

bool
maildir_listfile_rewrite(MaildirListfile *file, const MaildirFolder *folder, uint32_t validity,
                         uint32_t next, GError **error)
{
  return replace(file, folder, validity, next, NULL, 0, error);
}

bool
maildir_listfile_add(MaildirListfile *file, const MaildirFolder *folder, uint32_t validity,
                     const MaildirListentry *entries, size_t n_entries, GError **error)
{
  bool can_append = file->state == MAILDIR_LISTFILE_THERE && file->list.version == 3
                    && !file->is_cut && validity == file->list.validity;
  uint32_t next = file->list.next;
  for (size_t i = 0; i < n_entries; i++) {
    can_append = can_append && entries[i].place.kind == MAILDIR_PLACE_BEHIND;
    next = MAX(next, entries[i].place.uid + 1);
  }
  return can_append ? append(file, folder, entries, n_entries, error)
                    : replace(file, folder, validity, next, entries, n_entries, error);
}
