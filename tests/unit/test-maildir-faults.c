/*
 * Tests writer.c of the maildir plugin when the disk fails it: each call that writes fails once, at
 * each of its turns. Whatever fails, a message that was called delivered is there, whole; one that
 * was not is not seen; all tickets are settled once; nothing is left in tmp.
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

#include "../conformance/subject.h"

extern const HaulPlugin haul_plugin_maildir;
Subject subject;

/* The calls that can be made to fail stand in front of those of the C library. */
typedef enum { WRITE, FSYNC, FUTIMENS, RENAME, N_CALLS } Call;
static struct {
  bool armed;
  Call call;
  unsigned left; /* turns before the one that fails; it fails once */
  int errnum;
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

ssize_t
write(int fd, const void *octets, size_t size)
{
  return fails(WRITE) ? -1 : syscall(SYS_write, fd, octets, size);
}

int
fsync(int fd)
{
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
  return fails(RENAME) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
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
                || strcmp(haul_error_reason(why), fault.errnum == EIO ? "maildir" : "disk-full"));
  /* Where only the folder could not be synced, nobody knows; else what failed is not there. */
  *wrong += fault.call == FSYNC ? count_in(root, "cur") < n_done : count_in(root, "cur") != n_done;
  *wrong += count_in(root, "tmp") != 0;
  return struck;
}

static void
check_call(Call call, int errnum)
{
  static const char *const ways[] = { "fsync=batch", "fsync=always", "fsync=never" };
  for (size_t way = 0; way < G_N_ELEMENTS(ways); way++) {
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

static void
a_write_that_fails_loses_nothing(void)
{
  check_call(WRITE, ENOSPC);
  check_call(WRITE, EIO);
}

static void
a_sync_that_fails_is_not_called_delivered(void)
{
  check_call(FSYNC, EIO);
  check_call(FSYNC, EDQUOT);
}

static void
a_time_that_cannot_be_set_fails_the_delivery(void)
{
  check_call(FUTIMENS, EIO);
}

static void
a_rename_that_fails_leaves_nothing_behind(void)
{
  check_call(RENAME, ENOSPC);
  check_call(RENAME, EIO);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_write_that_fails_loses_nothing),
    CASE(a_sync_that_fails_is_not_called_delivered),
    CASE(a_time_that_cannot_be_set_fails_the_delivery),
    CASE(a_rename_that_fails_leaves_nothing_behind),
  };
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
