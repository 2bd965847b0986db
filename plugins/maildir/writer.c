/*
 * Writing to the selected folder: a message is written in tmp, put on disk, and renamed into cur,
 * never over another.
 *
 * Waiting for the disk message by message is slow, so deliveries gather in tmp and are put on disk
 * together; until then their tickets are not settled, and nobody sees the files. Whatever happens,
 * a file is in cur whole or not at all. How a message becomes a file, storing.c knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "place.h"
#include "store.h"
#include "storing.h"
#include "verify.h"

/* How much gathers before it is put on disk. */
#define BATCH_DELIVERIES 256
#define BATCH_OCTETS (8u << 20)
#define BATCH_FOLDERS 16
/* How many files are open at a time while a batch is put on disk. */
#define SYNC_FILES 64

typedef struct {
  MaildirFolder *folder;       /* referenced */
  char *base;                  /* owned; its name in tmp, and the id */
  char *name;                  /* owned; in cur */
  char *id;                    /* owned; at the source, where it is kept */
  MaildirNumbering *numbering; /* referenced; NULL as in the store */
  HaulTicket *ticket;
  GError *why;    /* owned; set once it has failed */
  MaildirSum sum; /* where it is to be verified */
  bool is_in_tmp;
} Delivery;

static Delivery *
delivery(const HaulStore *store, guint index)
{
  return &g_array_index(store->pending, Delivery, index);
}

static void
remove_from_tmp(Delivery *one)
{
  if (one->is_in_tmp)
    unlinkat(one->folder->tmp, one->base, 0);
  one->is_in_tmp = false;
}

/* Removes the file, if it is still in tmp, and frees what the delivery holds. */
static void
clear_delivery(Delivery *one)
{
  remove_from_tmp(one);
  maildir_folder_unref(one->folder);
  g_free(one->base);
  g_free(one->name);
  g_free(one->id);
  maildir_numbering_unref(one->numbering);
  g_clear_error(&one->why);
}

static void
settle_ticket(Delivery *one)
{
  if (one->why != NULL)
    haul_ticket_fail(one->ticket, one->why);
  else
    haul_ticket_done(one->ticket, 1, one->base);
  one->ticket = NULL;
}

void
maildir_writer_init(HaulStore *store)
{
  store->pending = g_array_new(FALSE, TRUE, sizeof(Delivery));
}

void
maildir_writer_clear(HaulStore *store)
{
  for (guint i = 0; i < store->pending->len; i++) {
    Delivery *one = delivery(store, i);
    if (one->why == NULL)
      haul_set_error(&one->why, HAUL_ERROR_CANCELLED, "cancelled", "not finished: %s",
                     one->folder->path);
    settle_ticket(one);
    clear_delivery(one);
  }
  g_array_unref(store->pending);
}

/* Settling. */

static void
fail_delivery(Delivery *one, int errnum, const char *tried)
{
  if (one->why == NULL)
    maildir_folder_error(&one->why, errnum, "cannot %s a message in %s", tried, one->folder->where);
}

/* Puts the octets of some deliveries on disk. All are sent there before the first is waited for, so
 * that a journal writes once for all. */
static void
sync_files(const HaulStore *store, guint first, guint end)
{
  int files[SYNC_FILES];
  for (guint i = first; i < end; i++) {
    Delivery *one = delivery(store, i);
    int fd = openat(one->folder->tmp, one->base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
      fail_delivery(one, errno, "reopen");
    else
      sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    files[i - first] = fd;
  }
  for (guint i = first; i < end; i++) {
    int fd = files[i - first];
    Delivery *one = delivery(store, i);
    if (fd >= 0 && fsync(fd) != 0)
      fail_delivery(one, errno, "store");
    else if (fd >= 0 && store->verify)
      maildir_verify_file(store, fd, one->base, &one->sum, &one->why);
    if (fd >= 0)
      close(fd);
  }
}

static void
move_to_cur(Delivery *one)
{
  if (one->why != NULL)
    return;
  if (!maildir_file_rename_new(one->folder->tmp, one->base, one->folder->cur, one->name))
    fail_delivery(one, errno, "deliver");
  else
    one->is_in_tmp = false;
}

/* Moves deliveries of one folder and origin, which are entered in its list of UIDs first: who numbers
 * files by finding them must not be faster. */
static void
number_and_move(const HaulStore *store, guint first, guint end)
{
  const MaildirFolder *folder = delivery(store, first)->folder;
  MaildirNumbering *numbering = delivery(store, first)->numbering;
  g_autoptr(GArray) messages = g_array_new(FALSE, FALSE, sizeof(MaildirNumbered));
  for (guint i = first; i < end; i++) {
    const Delivery *one = delivery(store, i);
    MaildirNumbered message = { one->id, one->base };
    if (one->why == NULL)
      g_array_append_val(messages, message);
  }
  if (messages->len == 0)
    return;
  g_autoptr(GError) why = NULL;
  if (!maildir_numbering_enter(numbering, folder, store->account,
                               (const MaildirNumbered *)(void *)messages->data, messages->len,
                               &why)) {
    for (guint i = first; i < end; i++)
      if (delivery(store, i)->why == NULL)
        delivery(store, i)->why = g_error_copy(why);
    return;
  }
  for (guint i = first; i < end; i++)
    move_to_cur(delivery(store, i));
  maildir_numbering_leave(numbering, folder);
  maildir_epilogue_note(store->epilogue, folder->path, numbering);
}

static void
move_all(const HaulStore *store)
{
  guint n = store->pending->len;
  for (guint first = 0, end; first < n; first = end) {
    const Delivery *one = delivery(store, first);
    for (end = first + 1; end < n; end++)
      if (delivery(store, end)->folder != one->folder
          || delivery(store, end)->numbering != one->numbering)
        break;
    if (one->numbering != NULL)
      number_and_move(store, first, end);
    else
      for (guint i = first; i < end; i++)
        move_to_cur(delivery(store, i));
  }
}

/* Calls @act once for each folder of the batch; where it fails, so do its deliveries. */
static void
for_each_folder(const HaulStore *store, bool (*act)(MaildirFolder *folder, GError **error))
{
  for (guint i = 0; i < store->pending->len; i++) {
    MaildirFolder *folder = delivery(store, i)->folder;
    if (i > 0 && delivery(store, i - 1)->folder == folder)
      continue;
    g_autoptr(GError) why = NULL;
    if (act(folder, &why))
      continue;
    for (guint k = i; k < store->pending->len; k++) {
      Delivery *one = delivery(store, k);
      if (one->folder == folder && one->why == NULL)
        one->why = g_error_copy(why);
    }
  }
}

static bool
sync_cur(MaildirFolder *folder, GError **error)
{
  return fsync(folder->cur) == 0
         || maildir_folder_error(error, errno, "cannot write %s/cur", folder->where);
}

/* One that was renamed meanwhile would take the messages along to where nobody asked for them. */
static bool
check_place(MaildirFolder *folder, GError **error)
{
  struct stat here, there;
  int fd = maildir_place_open(folder->tree->fd, folder->directory);
  bool is_known = fd >= 0 && fstat(folder->fd, &here) == 0 && fstat(fd, &there) == 0;
  int failure = errno;
  if (fd >= 0)
    close(fd);
  if (!is_known)
    return maildir_folder_error(error, failure, "cannot write to %s", folder->where);
  if (here.st_dev == there.st_dev && here.st_ino == there.st_ino)
    return true;
  haul_set_error(error, HAUL_ERROR_FOLDER, "no-folder", "%s was replaced", folder->where);
  return false;
}

/* Settles every delivery, in their order; fails with the first error that reaches beyond folders. */
static bool
settle(HaulStore *store, GError **error)
{
  guint n = store->pending->len;
  if (n == 0)
    return true;
  bool sync = store->fsync != MAILDIR_FSYNC_NEVER;
  for (guint first = 0; sync && first < n; first += SYNC_FILES)
    sync_files(store, first, MIN(n, first + SYNC_FILES));
  for_each_folder(store, maildir_folder_settle_keywords);
  for_each_folder(store, check_place);
  move_all(store);
  if (sync)
    for_each_folder(store, sync_cur);

  g_autoptr(GError) first = NULL;
  for (guint i = 0; i < n; i++) {
    Delivery *one = delivery(store, i);
    if (first == NULL && one->why != NULL && haul_error_reach(one->why) > HAUL_ERROR_FOLDER)
      first = g_error_copy(one->why);
    settle_ticket(one);
    clear_delivery(one);
  }
  g_array_set_size(store->pending, 0);
  store->pending_octets = 0;
  if (first == NULL)
    return true;
  g_propagate_error(error, g_steal_pointer(&first));
  return false;
}

/* Writing. */

static bool
write_file(HaulStore *store, HaulMessage *message, Delivery *one, GError **error)
{
  const HaulItem *item = haul_message_item(message);
  MaildirFlags flags = { .flags = item->flags };
  if ((store->verify && !maildir_verify_sum(message, &one->sum, error))
      || !maildir_folder_add_keywords(one->folder, item->keywords, &flags, error))
    return false;
  bool ok = maildir_storing_write(store, message, &one->base, error);
  one->is_in_tmp = one->base != NULL;
  if (!ok)
    return false;
  one->name = maildir_name_with_flags(one->base, &flags);
  maildir_folder_keep_keywords(one->folder, one->base, &flags);
  return true;
}

static guint
n_pending_folders(const HaulStore *store)
{
  guint n = 0;
  for (guint i = 0; i < store->pending->len; i++)
    if (i == 0 || delivery(store, i)->folder != delivery(store, i - 1)->folder)
      n++;
  return n;
}

static bool
batch_is_full(const HaulStore *store)
{
  return store->fsync == MAILDIR_FSYNC_ALWAYS || store->pending->len >= BATCH_DELIVERIES
         || store->pending_octets >= BATCH_OCTETS || n_pending_folders(store) >= BATCH_FOLDERS;
}

bool
maildir_put(HaulStore *store, HaulMessage *message, HaulTicket *ticket, GError **error)
{
  g_assert(store->selected != NULL && store->selected->writable);
  store->scanned = false;
  Delivery one = { .folder = maildir_folder_ref(store->selected), .ticket = ticket };
  if (store->numbering != NULL) {
    one.numbering = maildir_numbering_ref(store->numbering);
    one.id = g_strdup(haul_message_item(message)->id);
  }
  if (write_file(store, message, &one, &one.why)) {
    g_array_append_val(store->pending, one);
    store->pending_octets += haul_message_item(message)->size;
    return !batch_is_full(store) || settle(store, error);
  }

  bool ok = haul_error_reach(one.why) <= HAUL_ERROR_FOLDER;
  if (!ok) {
    /* What was written before is whole and gets its chance; then all tickets are settled. On a full
     * disk the half of a message that did not fit is what the list of UIDs has room in. */
    remove_from_tmp(&one);
    settle(store, NULL);
    if (error != NULL)
      *error = g_error_copy(one.why);
  }
  settle_ticket(&one);
  clear_delivery(&one);
  return ok;
}

bool
maildir_flush(HaulStore *store, GError **error)
{
  return settle(store, error);
}
