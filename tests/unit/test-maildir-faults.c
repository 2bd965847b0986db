/*
 * Tests writer.c of the maildir plugin when the disk fails it: each call that writes fails once, at
 * each of its turns. Whatever fails, a message that was called delivered is there, whole; one that
 * was not is not seen; all tickets are settled once; nothing is left in tmp. And verify.c, when what
 * was written is not what is stored.
 */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "../../plugins/maildir/file.h"
#include "../conformance/subject.h"

extern const HaulPlugin haul_plugin_maildir;
Subject subject;

/* The calls that can be made to fail stand in front of those of the C library. */
typedef enum { OPEN, WRITE, FSYNC, FUTIMENS, CLOSE, RENAME, RENAME_OVER, LINK } Call;
static struct {
  bool armed;
  Call call;
  unsigned left;  /* turns before the one that fails; it fails once */
  int errnum;     /* 0: one octet is written as another, and no error is told */
  bool no_rename; /* the file system cannot rename without replacing */
} fault;

static bool
fails(Call call)
{
  if (!fault.armed || fault.call != call || fault.left-- > 0)
    return false;
  fault.armed = false;
  errno = fault.errnum;
  return true;
}

int
openat(int dir, const char *path, int flags, ...)
{
  va_list arguments;
  va_start(arguments, flags);
  unsigned mode = (flags & O_CREAT) != 0 ? va_arg(arguments, unsigned) : 0;
  va_end(arguments);
  return (flags & O_CREAT) != 0 && fails(OPEN) ? -1
                                               : (int)syscall(SYS_openat, dir, path, flags, mode);
}

ssize_t
write(int fd, const void *octets, size_t size)
{
  if (!fails(WRITE))
    return syscall(SYS_write, fd, octets, size);
  if (fault.errnum != 0)
    return -1;
  g_autofree char *flipped = g_memdup2(octets, size);
  flipped[size / 2] ^= 1;
  return syscall(SYS_write, fd, flipped, size);
}

/* As a network file system fails it: the descriptor is gone all the same. */
int
close(int fd)
{
  bool is_written = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
  int result = (int)syscall(SYS_close, fd);
  return is_written && fails(CLOSE) ? -1 : result;
}

static GHashTable *synced; /* inodes that were put on disk; NULL while nobody asks */

int
fsync(int fd)
{
  struct stat status;
  if (synced != NULL && fstat(fd, &status) == 0)
    g_hash_table_add(synced, GSIZE_TO_POINTER((gsize)status.st_ino));
  return fails(FSYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int
futimens(int fd, const struct timespec times[2])
{
  return fails(FUTIMENS) ? -1 : (int)syscall(SYS_utimensat, fd, NULL, times, 0);
}

int
renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
  if (fault.no_rename) {
    errno = EINVAL;
    return -1;
  }
  return fails(RENAME) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
  return fails(RENAME_OVER) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
  return fails(LINK) ? -1 : (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

#define N_MESSAGES 5

static char *scratch;

static unsigned
count_in(const char *root, const char *part)
{
  g_autofree char *path = g_build_filename(root, part, NULL);
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  unsigned n = 0;
  while (dir != NULL && g_dir_read_name(dir) != NULL)
    n++;
  return n;
}

/* Whether the message is in cur under the name of its receipt, whole. */
static bool
is_there(const char *root, const Receipt *receipt, unsigned number)
{
  g_autofree char *path = g_strdup_printf("%s/cur/%s:2,Sa", root, receipt->id);
  g_autofree char *wanted = g_strdup_printf("Number: %u\n\nx\n", number), *octets = NULL;
  return g_file_get_contents(path, &octets, NULL, NULL) && strcmp(octets, wanted) == 0;
}

static bool
is_full(void)
{
  return fault.errnum == ENOSPC || fault.errnum == EDQUOT;
}

/* Puts some messages and flushes. Returns whether the fault struck; *wrong: gets what went wrong. */
static bool
deliver(const char *root, char **settings, unsigned *wrong)
{
  subject.settings = settings;
  Receipt receipts[N_MESSAGES] = { 0 };
  const char *const keywords[] = { "Key", NULL };
  const HaulItem item = { .date = 1000, .flags = HAUL_SEEN, .keywords = keywords };
  g_autoptr(GError) why = NULL;
  unsigned n_put = 0, n_done = 0;
  bool struck;
  {
    Call call = fault.call;
    bool armed = fault.armed;
    fault.armed = false; /* opening is not what is tested here */
    g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
    HaulFolder folder = { 0 };
    *wrong += !haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, NULL);
    fault.armed = armed;
    fault.call = call;
    for (; n_put < N_MESSAGES && why == NULL; n_put++) {
      g_autofree char *octets = g_strdup_printf("Number: %u\r\n\r\nx\r\n", n_put);
      put_one(&opened, &item, octets, strlen(octets), &receipts[n_put], &why);
    }
    if (why == NULL)
      haul_store_flush(opened.store, &why);
    struck = armed && !fault.armed;
    fault.armed = false;
    *wrong += struck != (why != NULL);
    /* All are settled by then, before the store is closed. */
    for (unsigned i = 0; i < n_put; i++)
      *wrong += receipts[i].settled != 1;
  }
  for (unsigned i = 0; i < n_put; i++) {
    n_done += !receipts[i].refused;
    *wrong += !receipts[i].refused && !is_there(root, &receipts[i], i);
    *wrong += receipts[i].refused && receipts[i].reach != HAUL_ERROR_ACCOUNT;
    receipt_clear(&receipts[i]);
  }
  *wrong += why != NULL
            && (haul_error_reach(why) != HAUL_ERROR_ACCOUNT
                || strcmp(haul_error_reason(why), is_full() ? "disk-full" : "maildir"));
  /* Where only the folder could not be synced, nobody knows; else what failed is not there. */
  *wrong += fault.call == FSYNC ? count_in(root, "cur") < n_done : count_in(root, "cur") != n_done;
  *wrong += count_in(root, "tmp") != 0;
  return struck;
}

static void
check_call(Call call, int errnum)
{
  static const char *const ways[] = { "fsync=batch", "fsync=always", "fsync=never" };
  /* The others go the same ways as these two. */
  size_t n_ways = errnum == ENOSPC || errnum == EIO ? G_N_ELEMENTS(ways) : 1;
  for (size_t way = 0; way < n_ways; way++) {
    bool struck = true;
    for (unsigned turn = 0; struck; turn++) {
      static unsigned number;
      g_autofree char *root = g_strdup_printf("%s/tree-%u", scratch, number++);
      g_autofree char *path = g_strdup_printf("path=%s", root);
      g_autofree char *sync = g_strdup(ways[way]);
      char *settings[] = { path, sync, NULL };
      unsigned wrong = 0;
      fault.armed = true;
      fault.call = call;
      fault.left = turn;
      fault.errnum = errnum;
      struck = deliver(root, settings, &wrong);
      CU_ASSERT_EQUAL(wrong, 0);
      if (wrong > 0)
        printf("call %d, turn %u, %s: %u wrong\n", (int)call, turn, ways[way], wrong);
      CU_ASSERT_FATAL(turn < 100);
      CU_ASSERT(turn > 0 || struck || (call == FSYNC && way == 2));
    }
  }
}

/* Field notes M-9: these, at each call of a delivery. */
static void
check_call_by_all(Call call)
{
  static const int numbers[] = { ENOSPC, EDQUOT, EIO, EROFS };
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
    check_call(call, numbers[i]);
}

static void
a_file_that_cannot_be_made_is_not_called_delivered(void)
{
  check_call_by_all(OPEN);
}

static void
a_write_that_fails_loses_nothing(void)
{
  check_call_by_all(WRITE);
}

static void
a_sync_that_fails_is_not_called_delivered(void)
{
  check_call_by_all(FSYNC);
}

static void
a_time_that_cannot_be_set_fails_the_delivery(void)
{
  check_call_by_all(FUTIMENS);
}

static void
a_close_that_fails_is_a_write_that_failed(void)
{
  check_call_by_all(CLOSE);
}

static void
a_rename_that_fails_leaves_nothing_behind(void)
{
  check_call_by_all(RENAME);
  check_call_by_all(RENAME_OVER); /* of dovecot-keywords */
}

static void
it_is_the_same_where_a_second_name_has_to_do(void)
{
  fault.no_rename = true;
  check_call_by_all(LINK);
  fault.no_rename = false;
}

static void
no_delivery_replaces_a_file(void)
{
  for (int way = 0; way < 2; way++) {
    g_autofree char *root = g_strdup_printf("%s/taken-%d", scratch, way);
    CU_ASSERT(g_mkdir(root, 0700) == 0);
    int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autofree char *mine = g_build_filename(root, "mine", NULL);
    g_autofree char *theirs = g_build_filename(root, "theirs", NULL), *octets = NULL;
    CU_ASSERT(g_file_set_contents(mine, "mine", -1, NULL));
    CU_ASSERT(g_file_set_contents(theirs, "theirs", -1, NULL));
    fault.no_rename = way == 1;
    CU_ASSERT(!maildir_file_rename_new(dir, "mine", dir, "theirs") && errno == EEXIST);
    CU_ASSERT(g_file_get_contents(theirs, &octets, NULL, NULL) && strcmp(octets, "theirs") == 0);
    CU_ASSERT(maildir_file_rename_new(dir, "mine", dir, "free"));
    CU_ASSERT(g_access(mine, F_OK) != 0);
    fault.no_rename = false;
    close(dir);
  }
}

/* Puts messages of which each @turn-th write flips an octet. Returns how many were refused. */
static unsigned
deliver_flipped(const char *root, unsigned turn, bool verify, const char *octets, unsigned *wrong)
{
  g_autofree char *path = g_strdup_printf("path=%s", root);
  char how[] = "verify=true", fsync[] = "fsync=batch";
  char *settings[] = { path, verify ? how : fsync, NULL };
  subject.settings = settings;
  Receipt receipts[N_MESSAGES] = { 0 };
  const HaulItem item = { .date = 1000 };
  unsigned n_refused = 0;
  {
    g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
    HaulFolder folder = { 0 };
    MUST(haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
    fault.armed = true;
    fault.call = WRITE;
    fault.left = turn;
    fault.errnum = 0;
    for (unsigned i = 0; i < N_MESSAGES; i++)
      MUST(put_one(&opened, &item, octets, strlen(octets), &receipts[i], error));
    MUST(haul_store_flush(opened.store, error)); /* the others are none the worse for it */
    *wrong += fault.armed;
    fault.armed = false;
  }
  for (unsigned i = 0; i < N_MESSAGES; i++) {
    *wrong += receipts[i].settled != 1;
    *wrong += receipts[i].refused && receipts[i].reach != HAUL_ERROR_MESSAGE;
    *wrong += verify && receipts[i].refused != (i == turn);
    n_refused += receipts[i].refused;
    receipt_clear(&receipts[i]);
  }
  *wrong += count_in(root, "tmp") != 0 || count_in(root, "cur") != N_MESSAGES - n_refused;
  return n_refused;
}

/* Whether the file or folder was put on disk. */
static bool
is_synced(const char *path)
{
  struct stat status;
  return g_stat(path, &status) == 0
         && g_hash_table_contains(synced, GSIZE_TO_POINTER((gsize)status.st_ino));
}

static void
what_was_made_for_a_message_is_on_disk_with_it(void)
{
  static const char *const folders[] = { "", "/deep", "/deep/er", "/deep/er/tree",
                                         "/deep/er/tree/cur" };
  static const char *const ways[] = { "fsync=batch", "fsync=always", "fsync=never" };
  for (size_t way = 0; way < G_N_ELEMENTS(ways); way++) {
    g_autofree char *above = g_strdup_printf("%s/way-%zu", scratch, way);
    g_autofree char *path = g_strdup_printf("path=%s/deep/er/tree", above);
    g_autofree char *how = g_strdup(ways[way]);
    char *settings[] = { path, how, NULL };
    subject.settings = settings;
    CU_ASSERT(g_mkdir(above, 0700) == 0);
    synced = g_hash_table_new(NULL, NULL);
    g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
    HaulFolder folder = { 0 };
    const HaulItem item = { .date = 1000 };
    g_auto(Receipt) receipt = { 0 };
    MUST(haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
    MUST(put_one(&opened, &item, "x", 1, &receipt, error));
    MUST(haul_store_flush(opened.store, error));
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
      g_autofree char *one = g_strconcat(above, folders[i], NULL);
      CU_ASSERT(is_synced(one) == (way < 2));
    }
    g_autofree char *name =
        g_strdup_printf("%s/deep/er/tree/cur/%s:2,", above, receipt.id != NULL ? receipt.id : "");
    CU_ASSERT(is_synced(name) == (way < 2));
    g_clear_pointer(&synced, g_hash_table_unref);
  }
}

static void
what_reads_back_as_something_else_is_refused_and_removed(void)
{
  /* Stored with LF, and as it is. */
  static const char *const messages[] = { "A: b\r\n\r\nthe body\r\n", "A: b\n\nthe\r\r\nbody" };
  unsigned number = 0, wrong = 0;
  for (size_t i = 0; i < G_N_ELEMENTS(messages); i++)
    for (unsigned turn = 0; turn < N_MESSAGES; turn++) {
      g_autofree char *root = g_strdup_printf("%s/flipped-%u", scratch, number++);
      CU_ASSERT_EQUAL(deliver_flipped(root, turn, true, messages[i], &wrong), 1);
      g_autofree char *careless = g_strdup_printf("%s/flipped-%u", scratch, number++);
      CU_ASSERT_EQUAL(deliver_flipped(careless, turn, false, messages[i], &wrong), 0);
    }
  CU_ASSERT_EQUAL(wrong, 0);
}

static void
verification_goes_with_the_disk_only(void)
{
  HaulCancel *cancel = haul_cancel_new();
  HaulAccount *account = haul_account_new(2, subject.plugin, cancel);
  CU_ASSERT(haul_account_set(account, "path", scratch, NULL));
  CU_ASSERT(haul_account_set(account, "verify", "true", NULL));
  CU_ASSERT(haul_account_set(account, "fsync", "never", NULL));
  g_autoptr(GError) why = NULL;
  CU_ASSERT(haul_store_open(account, HAUL_READ | HAUL_WRITE, &why) == NULL);
  CHECK_ERROR(why, HAUL_ERROR_ACCOUNT, "usage", "fsync never");
  haul_account_free(account);
  haul_cancel_free(cancel);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_file_that_cannot_be_made_is_not_called_delivered),
    CASE(a_write_that_fails_loses_nothing),
    CASE(a_sync_that_fails_is_not_called_delivered),
    CASE(a_time_that_cannot_be_set_fails_the_delivery),
    CASE(a_close_that_fails_is_a_write_that_failed),
    CASE(a_rename_that_fails_leaves_nothing_behind),
    CASE(it_is_the_same_where_a_second_name_has_to_do),
    CASE(no_delivery_replaces_a_file),
    CASE(what_was_made_for_a_message_is_on_disk_with_it),
    CASE(what_reads_back_as_something_else_is_refused_and_removed),
    CASE(verification_goes_with_the_disk_only),
  };
  /* In memory where that can be had: the disk that fails here is played. */
  scratch = g_mkdtemp(g_strdup("/dev/shm/maildir-XXXXXX"));
  if (scratch == NULL)
    scratch = g_dir_make_tmp("maildir-XXXXXX", NULL);
  g_assert(scratch != NULL);
  subject.plugin = &haul_plugin_maildir;
  subject.spool = scratch;
  subject.base = g_strdup("base");
  subject.lenient = true;
  int code = RUN_SUITE("maildir faults", cases);
  g_autofree char *command = g_strdup_printf("rm -rf '%s'", scratch);
  return system(command) == 0 ? code : EXIT_FAILURE;
}
