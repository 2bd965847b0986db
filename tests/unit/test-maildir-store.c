/*
 * Tests the maildir plugin on trees that others have left, in ways that a conformance suite cannot
 * make: foreign names and files, doubles, full and read-only disks.
 */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "../conformance/subject.h"

extern const HaulPlugin haul_plugin_maildir;
Subject subject;

static char *root;    /* of the tree in use; below scratch */
static char *scratch; /* removed by main() */

static void run(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Runs a shell command in the tree. */
static void
run(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *command = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autofree char *quoted = g_shell_quote(root);
  g_autofree char *whole = g_strdup_printf("cd %s && { %s\n}", quoted, command);
  int status = system(whole);
  CU_ASSERT(status == 0);
  if (status != 0)
    printf("failed: %s\n", command);
}

/* Goes to a tree that does not exist yet, with the settings for it. */
static void
new_tree(void)
{
  static unsigned number;
  static char batch[] = "fsync=batch", *settings[3];
  g_free(root);
  root = g_strdup_printf("%s/tree-%u", scratch, ++number);
  g_free(settings[0]);
  settings[0] = g_strdup_printf("path=%s", root);
  settings[1] = batch;
  subject.settings = settings;
}

/* Goes to a tree with cur, new and tmp. */
static void
new_maildir(void)
{
  new_tree();
  CU_ASSERT(g_mkdir(root, 0700) == 0);
  run("mkdir cur new tmp");
}

static HaulOpenStore *
try_open(unsigned side, HaulIntent intent, GError **error)
{
  HaulCancel *cancel = haul_cancel_new();
  HaulAccount *account = haul_account_new(side, subject.plugin, cancel);
  haul_account_set(account, "path", root, NULL);
  HaulOpenStore *store = haul_store_open(account, intent, error);
  if (store != NULL) {
    haul_store_close(store);
    store = NULL;
    g_clear_error(error);
  }
  haul_account_free(account);
  haul_cancel_free(cancel);
  return store;
}

/* Whether opening as side 1 or 2 is refused with these words; NULL: that it is not. */
static bool
opens(unsigned side, HaulIntent intent, const char *words)
{
  g_autoptr(GError) why = NULL;
  try_open(side, intent, &why);
  if (words == NULL) {
    if (why != NULL)
      printf("%s\n", why->message);
    return why == NULL;
  }
  return check_error(why, HAUL_ERROR_ACCOUNT, "maildir", words, __LINE__);
}

static GPtrArray *
list_folder(const char *path, uint32_t want, const char *const *fields)
{
  g_auto(Opened) opened = open_subject(HAUL_READ);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  GPtrArray *items = NULL;
  MUST((items = list_all(&opened, want, fields, error)) != NULL);
  return items;
}

static void
a_source_must_be_there(void)
{
  new_tree();
  CU_ASSERT(opens(1, HAUL_READ, "No such file"));
  CU_ASSERT(g_mkdir(root, 0700) == 0);
  CU_ASSERT(opens(1, HAUL_READ, "is empty"));
  run("echo > file");
  CU_ASSERT(opens(1, HAUL_READ, "is not a Maildir"));
  run("mkdir -p cur");
  CU_ASSERT(opens(1, HAUL_READ, NULL));
}

static void
a_destination_is_made_but_not_among_other_files(void)
{
  new_tree();
  CU_ASSERT(opens(2, HAUL_READ, NULL)); /* a dry run: an empty tree, and none is made */
  CU_ASSERT(g_access(root, F_OK) != 0);
  CU_ASSERT(opens(2, HAUL_READ | HAUL_WRITE, NULL)); /* the source may yet be out of reach */
  CU_ASSERT(g_access(root, F_OK) != 0);

  new_tree();
  CU_ASSERT(g_mkdir(root, 0700) == 0);
  run("echo > notes.txt");
  CU_ASSERT(opens(2, HAUL_READ | HAUL_WRITE, "is not a Maildir"));
  CU_ASSERT(opens(2, HAUL_READ, "is not a Maildir"));
  run("test $(ls -A | wc -l) = 1");

  new_tree(); /* killed while it was made */
  CU_ASSERT(g_mkdir(root, 0700) == 0);
  run("mkdir tmp");
  CU_ASSERT(opens(2, HAUL_READ | HAUL_WRITE, NULL));

  new_tree();
  g_autofree char *file = g_strdup(root);
  CU_ASSERT(g_file_set_contents(file, "x", 1, NULL));
  CU_ASSERT(opens(2, HAUL_READ | HAUL_WRITE, "Not a directory"));
}

static void
a_destination_is_made_when_it_is_needed(void)
{
  for (int what = 0; what < 3; what++) {
    new_tree();
    g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
    g_autoptr(GHashTable) all = told_folders(&opened);
    CU_ASSERT(g_hash_table_size(all) == 1);
    HaulFolder folder = { 0 };
    CU_ASSERT(g_access(root, F_OK) != 0);
    if (what == 0)
      g_free(haul_store_identity(opened.store));
    else if (what == 1)
      MUST(create_one(&opened, "A", error));
    else
      MUST(haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
    run("test -d cur -a -d new -a -d tmp -a -f .mailhaul && test $(stat -c %%a .) = 700");
  }
}

static void
the_identity_of_what_is_absent_is_its_real_path(void)
{
  new_tree();
  g_autofree char *parent = realpath(scratch, NULL);
  g_autofree char *name = g_path_get_basename(root);
  g_autofree char *wanted = g_strconcat("maildir:path:", parent, "/", name, "/below/here", NULL);
  g_autofree char *link = g_strconcat(scratch, "/link", NULL);
  CU_ASSERT(symlink(".", link) == 0);
  g_autofree char *setting = g_strconcat("path=", link, "/", name, "/below/here", NULL);
  char *settings[] = { setting, NULL };
  subject.settings = settings;
  g_auto(Opened) opened = open_subject(HAUL_READ);
  g_autofree char *identity = haul_store_identity(opened.store);
  CU_ASSERT_STRING_EQUAL(identity, wanted);
  CU_ASSERT(g_remove(link) == 0);
}

static void
a_dry_run_sees_an_empty_tree(void)
{
  new_tree();
  g_auto(Opened) opened = open_subject(HAUL_READ);
  g_autoptr(GHashTable) all = told_folders(&opened);
  CU_ASSERT(g_hash_table_size(all) == 1 && g_hash_table_contains(all, "INBOX"));
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, 0, NULL, error)) != NULL);
  CU_ASSERT(items != NULL && items->len == 0);
  CU_ASSERT(!haul_store_select(opened.store, "Absent", HAUL_READ, &folder, NULL));
  CU_ASSERT(g_access(root, F_OK) != 0);
}

static void
an_identity_stays_with_the_tree(void)
{
  new_maildir();
  g_auto(Opened) reader = open_subject(HAUL_READ);
  g_autofree char *by_path = haul_store_identity(reader.store);
  g_autofree char *real = realpath(root, NULL);
  g_autofree char *wanted = g_strconcat("maildir:path:", real, NULL);
  CU_ASSERT_STRING_EQUAL(by_path, wanted);
  run("test ! -e .mailhaul"); /* reading leaves nothing behind */

  g_auto(Opened) writer = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *given = haul_store_identity(writer.store);
  run("mkdir ../moved && mv * .mailhaul ../moved/ && rmdir ../moved/x 2>/dev/null; "
      "mv ../moved/* ../moved/.mailhaul .");
  g_auto(Opened) again = open_subject(HAUL_READ);
  g_autofree char *later = haul_store_identity(again.store);
  CU_ASSERT_STRING_EQUAL(given, later);
  CU_ASSERT(strlen(given) == strlen("maildir:") + 36);

  run("echo garbage > .mailhaul");
  CU_ASSERT(opens(1, HAUL_READ, "is damaged"));
  run("rm -r ../moved");
}

static void
foreign_names_are_understood(void)
{
  new_maildir();
  run("printf 'A: b\\n\\nx\\n' > cur/1500000000.1_2.host:2,RS");
  run("printf 'A: b\\n\\nx\\n' > cur/1400000000.M1P2.host,S=8,W=99:2,FPb");
  run("printf 'A: b\\n\\nx\\n' > new/1600000000.M1P2.host");
  run("printf 'A: b\\n\\nx\\n' > new/1600000001.M1P2.host,S=8,W=11:2,Sa"); /* as Dovecot may */
  run("printf 'A: b\\r\\n\\r\\nx\\n' > cur/no-number");
  run("touch -d '2001-02-03 04:05:06 UTC' cur/* new/*");
  run("printf '0 Work\\n' > dovecot-keywords");
  static const struct {
    const char *id;
    uint32_t flags;
    const char *keyword;
    uint64_t size;
  } wanted[] = {
    { "no-number", 0, NULL, 11 },
    { "1400000000.M1P2.host,S=8,W=99", HAUL_FLAGGED, "$Forwarded", 99 }, /* a hint */
    { "1500000000.1_2.host", HAUL_SEEN | HAUL_ANSWERED, NULL, 11 },
    { "1600000000.M1P2.host", 0, NULL, 11 },
    { "1600000001.M1P2.host,S=8,W=11", HAUL_SEEN, "Work", 11 },
  };
  g_autoptr(GPtrArray) items = list_folder("INBOX", HAUL_WANT_SIZE | HAUL_WANT_DATE, NULL);
  CU_ASSERT_FATAL(items != NULL && items->len == G_N_ELEMENTS(wanted));
  for (guint i = 0; i < items->len; i++) {
    const ListedItem *item = listed(items, i);
    CU_ASSERT_STRING_EQUAL(item->id, wanted[i].id);
    CU_ASSERT_EQUAL(item->flags, wanted[i].flags);
    CU_ASSERT(g_strcmp0(item->keywords[0], wanted[i].keyword) == 0);
    CU_ASSERT_EQUAL(item->size, wanted[i].size);
    CU_ASSERT_EQUAL(item->date, 981173106);
  }
  const HaulRange all = { NULL, NULL };
  g_auto(Opened) opened = open_subject(HAUL_READ);
  HaulFolder folder = { 0 };
  g_auto(Fetched) fetched = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ, &folder, error));
  MUST(fetch_ranges(&opened, &all, 1, &fetched, error));
  CU_ASSERT_FATAL(fetched.messages->len == G_N_ELEMENTS(wanted));
  for (guint i = 0; i < fetched.messages->len; i++) {
    g_autoptr(GBytes) octets = octets_of(fetched.messages->pdata[i]);
    g_autoptr(GBytes) crlf = g_bytes_new_static("A: b\r\n\r\nx\r\n", 11);
    CU_ASSERT(g_bytes_equal(octets, crlf));
  }
}

static void
only_regular_files_are_messages(void)
{
  new_maildir();
  run("mkfifo cur/1.fifo; mkdir cur/2.folder; ln -s /etc/passwd cur/3.link; echo > cur/.4.dot");
  run("echo x > cur/5.message; : > cur/6.empty; chmod 0600 cur/5.message");
  g_autoptr(GPtrArray) items = list_folder("INBOX", HAUL_WANT_SIZE, NULL);
  CU_ASSERT_FATAL(items != NULL && items->len == 2);
  CU_ASSERT_STRING_EQUAL(listed(items, 0)->id, "5.message");
  CU_ASSERT_STRING_EQUAL(listed(items, 1)->id, "6.empty");
  CU_ASSERT_EQUAL(listed(items, 1)->size, 0);
}

static void
compressed_messages_are_named_and_not_carried_as_garbage(void)
{
  new_maildir();
  run("printf 'A: b\\n\\nx\\n' | gzip > cur/1.gz,S=8,W=11:2,S");
  run("printf '\\037\\213\\010 is how it begins\\n' > cur/2.odd,S=21"); /* a message after all */
  g_auto(Opened) opened = open_subject(HAUL_READ);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ, &folder, error));
  const HaulRange all = { NULL, NULL };
  g_auto(Fetched) fetched = { 0 };
  MUST(fetch_ranges(&opened, &all, 1, &fetched, error));
  CU_ASSERT_FATAL(fetched.messages->len == 1 && fetched.skipped->len == 1);
  CU_ASSERT_STRING_EQUAL(fetched.skipped->pdata[0], "1.gz,S=8,W=11");
}

static void
two_files_with_one_base_are_two_messages(void)
{
  new_maildir();
  run("echo one > cur/7.x:2,; echo two > cur/7.x:2,S; echo three > new/7.x; echo four > cur/8.x");
  run("ln cur/8.x new/8.x"); /* a second name of the same file is not another message */
  run("echo five > cur/9.x; echo six > new/9.x; echo seven > cur/9.x:2,S");
  g_autoptr(GPtrArray) items = list_folder("INBOX", 0, NULL);
  CU_ASSERT_FATAL(items != NULL && items->len == 7);
  g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GHashTable) texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_auto(Opened) opened = open_subject(HAUL_READ);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ, &folder, error));
  for (guint i = 0; i < items->len; i++) {
    const char *id = listed(items, i)->id;
    CU_ASSERT(g_hash_table_add(ids, (char *)id));
    const HaulRange one = { id, id };
    g_auto(Fetched) fetched = { 0 };
    MUST(fetch_ranges(&opened, &one, 1, &fetched, error));
    CU_ASSERT_FATAL(fetched.messages->len == 1);
    size_t size;
    CU_ASSERT(g_hash_table_add(
        texts,
        g_strndup((const char *)haul_message_window(fetched.messages->pdata[0], 0, &size), 3)));
  }
}

static void
folders_of_all_kinds_are_told(void)
{
  new_maildir();
  run("mkdir -p .A.B.C/cur .Mark .NoMail .INBOX/cur .inbox/new '.a&b/cur' .Entw\303\274rfe/cur");
  run("touch .Mark/maildirfolder; ln -s /tmp .Link; echo > .file");
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autoptr(GHashTable) all = told_folders(&opened);
  static const struct {
    const char *path;
    bool selectable;
  } wanted[] = {
    { "INBOX", true },   { "A", false },    { "A/B", false },
    { "A/B/C", true },   { "Mark", true },  { "%49NBOX", true },
    { "%69nbox", true }, { "a%26b", true }, { "Entw\303\274rfe", true },
  };
  CU_ASSERT_EQUAL(g_hash_table_size(all), G_N_ELEMENTS(wanted));
  for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
    const ToldFolder *told = g_hash_table_lookup(all, wanted[i].path);
    CU_ASSERT_FATAL(told != NULL);
    CU_ASSERT_EQUAL((told->attributes & HAUL_FOLDER_NOSELECT) == 0, wanted[i].selectable);
    HaulFolder folder = { 0 };
    CU_ASSERT_EQUAL(haul_store_select(opened.store, wanted[i].path, HAUL_READ, &folder, NULL),
                    wanted[i].selectable);
    MUST(create_one(&opened, wanted[i].path, error)); /* also what others named their way */
  }
  run("test $(ls -d .Entw* | wc -l) = 1 && test -d .A/cur -a -d .A.B/cur");
}

static void
a_name_too_long_fails_its_folder_only(void)
{
  new_tree();
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *path = g_strnfill(300, 'x');
  g_autoptr(GError) why = NULL;
  CU_ASSERT(!create_one(&opened, path, &why));
  CHECK_ERROR(why, HAUL_ERROR_FOLDER, "create", "too long");
}

static const HaulItem plain_item = { .date = 1000000000 };

static bool
put_to(Opened *opened, const HaulItem *item, const void *octets, size_t size, Receipt *receipt,
       GError **error)
{
  HaulFolder folder = { 0 };
  return haul_store_select(opened->store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error)
         && put_one(opened, item, octets, size, receipt, error);
}

static void
nothing_is_seen_before_it_is_on_disk(void)
{
  new_tree();
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_auto(Receipt) receipt = { 0 };
  MUST(put_to(&opened, &plain_item, "A: b\r\n\r\nx\r\n", 11, &receipt, error));
  CU_ASSERT_EQUAL(receipt.settled, 0);
  run("test $(ls cur | wc -l) = 0 -a $(ls tmp | wc -l) = 1");
  MUST(haul_store_flush(opened.store, error));
  CU_ASSERT(receipt.settled == 1 && !receipt.refused);
  run("test $(ls cur | wc -l) = 1 -a $(ls tmp | wc -l) = 0 -a $(ls new | wc -l) = 0");
  run("test \"$(cat cur/*)\" = \"$(printf 'A: b\\n\\nx')\" && test $(stat -c %%a.%%Y cur/*) = "
      "600.1000000000");
  run("ls cur | grep -q ',S=8,W=11:2,$'");
}

static void
what_is_not_settled_leaves_nothing(void)
{
  new_tree();
  g_auto(Receipt) receipt = { 0 };
  {
    g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
    MUST(put_to(&opened, &plain_item, "x", 1, &receipt, error));
  }
  CU_ASSERT(receipt.settled == 1 && receipt.refused);
  run("test $(ls cur | wc -l) = 0 -a $(ls tmp | wc -l) = 0");
}

static void
old_leavings_of_ours_are_cleared_away(void)
{
  new_maildir();
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_auto(Receipt) receipt = { 0 };
  run("echo > tmp/somebody.elses");
  MUST(put_to(&opened, &plain_item, "x", 1, &receipt, error)); /* young: stays */
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
  run("test $(ls tmp | wc -l) = 2");
  MUST(haul_store_flush(opened.store, error));
  run("test $(ls tmp) = somebody.elses");
}

/* Leaves in tmp what a killed delivery would, and what is nobody's business; waits for the clock to tick. */
static void
leave_in_tmp(void)
{
  g_autofree char *host = g_strdup(g_get_host_name());
  run("cd tmp && touch somebody.elses 5.M1P1.%s 5.M2P2.%s,S=3 5.P1.mailhaul 5.M1P1.%s,S=1,W=1 &&"
      " until [ ../tick -nt 5.M1P1.%s,S=1,W=1 ]; do touch ../tick; done",
      host, host, host, host);
}

static void
select_inbox(Opened *opened)
{
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened->store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
}

static void
leavings_go_at_once_where_nobody_else_writes(void)
{
  new_maildir();
  leave_in_tmp();
  g_auto(Opened) first = open_subject(HAUL_READ | HAUL_WRITE);
  select_inbox(&first);
  run("test $(ls tmp | wc -l) = 3 -a -e tmp/somebody.elses -a ! -e tmp/5.P1.mailhaul");
  leave_in_tmp();
  g_auto(Opened) second = open_subject(HAUL_READ | HAUL_WRITE);
  select_inbox(&second); /* the first may be about to deliver it */
  run("test $(ls tmp | wc -l) = 5");
  select_inbox(&first); /* it may be the second's */
  run("test $(ls tmp | wc -l) = 5");
}

static void
a_lock_that_somebody_holds_keeps_nobody_from_writing(void)
{
  new_maildir();
  leave_in_tmp();
  g_autofree char *tmp = g_build_filename(root, "tmp", NULL);
  int fd = open(tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CU_ASSERT(fd >= 0 && flock(fd, LOCK_EX) == 0);
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  select_inbox(&opened);
  run("test $(ls tmp | wc -l) = 5");
  close(fd);
}

/* Puts a message into a folder, behind what was put before. */
static void
put_into(Opened *opened, const char *path, const char *meanwhile, Receipt *receipt)
{
  const char *const names[] = { path, NULL };
  const HaulItem item = { .date = HAUL_NO_DATE, .keywords = names };
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened->store, path, HAUL_READ | HAUL_WRITE, &folder, error));
  if (meanwhile != NULL)
    run("%s", meanwhile);
  MUST(put_one(opened, &item, "x", 1, receipt, error));
}

static void
a_folder_that_vanishes_fails_alone(void)
{
  static const char *const paths[] = { "A", "B", "C", "D" };
  new_maildir();
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  Receipt receipts[G_N_ELEMENTS(paths)] = { 0 };
  for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++)
    MUST(create_one(&opened, paths[i], error));
  put_into(&opened, "A", NULL, &receipts[0]);
  put_into(&opened, "B", NULL, &receipts[1]);
  put_into(&opened, "C", "rm -r .C", &receipts[2]); /* known as soon as it is put */
  CU_ASSERT(receipts[2].settled == 1);
  put_into(&opened, "D", NULL, &receipts[3]);
  run("rm -r .A && mv .B elsewhere");
  MUST(haul_store_flush(opened.store, error));
  for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
    CU_ASSERT_EQUAL(receipts[i].settled, 1);
    CU_ASSERT_EQUAL(receipts[i].refused, i < 3);
    CU_ASSERT(i == 3 || receipts[i].reach == HAUL_ERROR_FOLDER);
    receipt_clear(&receipts[i]);
  }
  run("test $(find elsewhere/cur elsewhere/tmp -type f | wc -l) = 0 && rm -r elsewhere");
  run("test $(ls .D/cur | wc -l) = 1");
}

static void
keywords_beyond_26_are_kept_beside(void)
{
  new_tree();
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  Receipt receipts[30] = { 0 };
  for (unsigned i = 0; i < G_N_ELEMENTS(receipts); i++) {
    g_autofree char *name = g_strdup_printf("Key%u", i);
    const char *const names[] = { name, "Key0", "with blank", NULL };
    const HaulItem item = { .date = HAUL_NO_DATE, .keywords = names };
    MUST(put_to(&opened, &item, "x", 1, &receipts[i], error));
  }
  MUST(haul_store_flush(opened.store, error));
  g_autoptr(GPtrArray) items = list_folder("INBOX", 0, NULL);
  CU_ASSERT_FATAL(items != NULL && items->len == G_N_ELEMENTS(receipts));
  for (unsigned i = 0; i < G_N_ELEMENTS(receipts); i++) {
    CU_ASSERT(receipts[i].settled == 1 && !receipts[i].refused);
    CU_ASSERT_EQUAL(g_strv_length(listed(items, i)->keywords), i == 0 ? 1 : 2);
    receipt_clear(&receipts[i]);
  }
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
  CU_ASSERT(folder.any_keyword);
}

/* The keywords of a message, joined, in order; to be freed. */
static char *
keywords_of(const char *id)
{
  g_autoptr(GPtrArray) items = list_folder("INBOX", 0, NULL);
  for (guint i = 0; items != NULL && i < items->len; i++)
    if (strcmp(listed(items, i)->id, id) == 0)
      return listed(items, i)->keywords == NULL ? g_strdup("")
                                                : g_strjoinv(" ", listed(items, i)->keywords);
  return NULL;
}

static void
keywords_beyond_26_change_like_the_others(void)
{
  new_maildir();
  run("for i in $(seq 0 25); do echo $i Taken$i; done > dovecot-keywords");
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  const char *const names[] = { "One", "taken3", "Two", "ONE", NULL };
  const HaulItem item = { .date = HAUL_NO_DATE, .keywords = names };
  g_auto(Receipt) receipt = { 0 };
  MUST(put_to(&opened, &item, "x", 1, &receipt, error));
  MUST(haul_store_flush(opened.store, error));
  g_autofree char *given = keywords_of(receipt.id);
  CU_ASSERT_STRING_EQUAL(given, "One Taken3 Two");
  run("printf 'cut short' >> mailhaul-keywords");
  const char *const add[] = { "Three", NULL }, *const remove[] = { "one", NULL };
  const char *ids[] = { receipt.id };
  const HaulFlagChange change = { .add_keywords = add, .remove_keywords = remove };
  MUST(haul_store_set_flags(opened.store, ids, 1, &change, error));
  g_autofree char *changed = keywords_of(receipt.id);
  CU_ASSERT_STRING_EQUAL(changed, "Taken3 Three Two");
  const char *const rest[] = { "Two", "Three", "Taken3", NULL };
  const HaulFlagChange clear = { .remove_keywords = rest };
  MUST(haul_store_set_flags(opened.store, ids, 1, &clear, error));
  g_autofree char *cleared = keywords_of(receipt.id);
  CU_ASSERT_STRING_EQUAL(cleared, "");
}

static void
keywords_beyond_26_that_others_gave_stay_when_lines_are_dropped(void)
{
  new_maildir();
  run("for i in $(seq 0 25); do echo $i Taken$i; done > dovecot-keywords");
  run("echo x > cur/1.x:2, && echo y > cur/2.x:2,");
  run("for i in $(seq 1200); do printf '1.x\\tOld\\n'; done > mailhaul-keywords");
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, 0, NULL, error)) != NULL);
  run("printf '2.x\\tTheirs\\n' >> mailhaul-keywords");
  const char *const add[] = { "Ours", NULL };
  const char *ids[] = { "1.x" };
  const HaulFlagChange change = { .add_keywords = add };
  MUST(haul_store_set_flags(opened.store, ids, 1, &change, error));
  run("test $(wc -l < mailhaul-keywords) = 2");
  g_autofree char *ours = keywords_of("1.x"), *theirs = keywords_of("2.x");
  CU_ASSERT_STRING_EQUAL(ours, "Old Ours");
  CU_ASSERT_STRING_EQUAL(theirs, "Theirs");
}

static void
keywords_that_others_gave_meanwhile_are_kept(void)
{
  new_maildir();
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
  run("printf '0 Theirs\\n' > dovecot-keywords && chmod 0640 dovecot-keywords");
  const char *const names[] = { "Ours", NULL };
  const HaulItem item = { .date = HAUL_NO_DATE, .keywords = names };
  g_auto(Receipt) receipt = { 0 };
  MUST(put_one(&opened, &item, "x", 1, &receipt, error));
  MUST(haul_store_flush(opened.store, error));
  run("test \"$(cat dovecot-keywords)\" = \"$(printf '0 Theirs\\n1 Ours')\"");
  run("test $(stat -c %%a dovecot-keywords) = 640 && ls cur | grep -q ':2,b$'");
}

static void
a_letter_is_given_when_nobody_else_gives_one(void)
{
  new_maildir();
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
  /* As Dovecot does: it has read that no letter is taken, and writes what it makes of that. */
  run("sh -c 'echo $$:%s > dovecot-uidlist.lock && sleep 0.5 && echo 0 Theirs > dovecot-keywords"
      " && rm dovecot-uidlist.lock' & until test -s dovecot-uidlist.lock; do sleep 0.01; done",
      g_get_host_name());
  const char *const names[] = { "Ours", NULL };
  const HaulItem item = { .date = HAUL_NO_DATE, .keywords = names };
  g_auto(Receipt) receipt = { 0 };
  MUST(put_one(&opened, &item, "x", 1, &receipt, error));
  MUST(haul_store_flush(opened.store, error));
  run("wait; test \"$(cat dovecot-keywords)\" = \"$(printf '0 Theirs\\n1 Ours')\"");
  run("ls cur | grep -q ':2,b$' && ! test -e dovecot-uidlist.lock");
}

static void
messages_are_found_after_others_renamed_them(void)
{
  new_maildir();
  run("echo one > new/1.x; echo two > cur/2.x:2,; echo three > cur/3.x:2,");
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, 0, NULL, error)) != NULL);
  run("mv new/1.x cur/1.x:2,S; mv cur/2.x:2, cur/2.x:2,FS; rm cur/3.x:2,");
  const HaulRange all = { NULL, NULL };
  g_auto(Fetched) fetched = { 0 };
  MUST(fetch_ranges(&opened, &all, 1, &fetched, error));
  CU_ASSERT_FATAL(fetched.messages->len == 2 && fetched.skipped->len == 1);
  CU_ASSERT_EQUAL(haul_message_item(fetched.messages->pdata[1])->flags, HAUL_SEEN | HAUL_FLAGGED);
  CU_ASSERT_STRING_EQUAL(fetched.skipped->pdata[0], "3.x");

  const char *const ids[] = { "1.x", "2.x", "3.x" };
  const HaulFlagChange change = { .add = HAUL_ANSWERED };
  MUST(haul_store_set_flags(opened.store, ids, 3, &change, error));
  run("test \"$(echo cur/*)\" = 'cur/1.x:2,RS cur/2.x:2,FRS'");
}

static void
a_name_with_no_room_for_flags_keeps_those_it_has_and_others_get_theirs(void)
{
  new_maildir();
  g_autofree char *longest = g_strnfill(252, 'x');
  run("echo one > cur/%s:2, && echo two > cur/2.y:2,", longest);
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ | HAUL_WRITE, &folder, error));
  const char *const ids[] = { longest, "2.y" };
  const HaulFlagChange change = { .add = HAUL_SEEN };
  MUST(haul_store_set_flags(opened.store, ids, 2, &change, error));
  run("test -e cur/%s:2, && test -e cur/2.y:2,S", longest);
}

/* Makes a mount namespace for this process, where a test may mount. */
static bool
may_mount(void)
{
  static int answer = -1;
  if (answer < 0)
    answer =
        unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
  if (!answer)
    printf("(skipped: may not mount) ");
  return answer;
}

static void
a_full_disk_ends_the_account_and_leaves_nothing_half_written(void)
{
  if (!may_mount())
    return;
  static const char *const ways[] = { "fsync=batch", "fsync=always", "fsync=never" };
  for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
    new_tree();
    CU_ASSERT(g_mkdir(root, 0700) == 0);
    CU_ASSERT_FATAL(mount("none", root, "tmpfs", 0, "size=400k") == 0);
    subject.settings[1] = (char *)ways[i];
    {
      g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
      g_autofree char *octets = g_strnfill(100000, 'x');
      Receipt receipts[6] = { 0 };
      g_autoptr(GError) why = NULL;
      unsigned n = 0, n_there = 0;
      while (n < G_N_ELEMENTS(receipts) && why == NULL) {
        put_to(&opened, &plain_item, octets, 100000, &receipts[n], &why);
        n++;
      }
      CHECK_ERROR(why, HAUL_ERROR_ACCOUNT, "disk-full", "No space left");
      for (unsigned k = 0; k < n; k++) {
        CU_ASSERT_EQUAL(receipts[k].settled, 1); /* all of them, before put() failed */
        CU_ASSERT_EQUAL(receipts[k].refused, k + 1 == n);
        n_there += !receipts[k].refused;
        receipt_clear(&receipts[k]);
      }
      run("test $(ls cur | wc -l) = %u -a $(ls tmp | wc -l) = 0", n_there);
      run("test $(stat -c %%s cur/* | sort -u) = 100000");
    }
    CU_ASSERT(umount2(root, MNT_DETACH) == 0);
  }
}

static void
a_read_only_tree_is_refused_for_writing(void)
{
  if (!may_mount())
    return;
  new_maildir();
  CU_ASSERT_FATAL(mount(root, root, "none", MS_BIND, NULL) == 0);
  CU_ASSERT_FATAL(mount("none", root, "none", MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
  CU_ASSERT(opens(2, HAUL_READ | HAUL_WRITE, "Read-only file system"));
  CU_ASSERT(opens(2, HAUL_READ | HAUL_WRITE, root));
  CU_ASSERT(opens(1, HAUL_READ, NULL));
  CU_ASSERT(umount2(root, MNT_DETACH) == 0);
}

static void
files_of_a_tree_become_its_owners(void)
{
  if (geteuid() != 0)
    return;
  new_maildir();
  run("chown -R 65534:65534 .");
  const char *const names[] = { "Key", NULL };
  const HaulItem item = { .date = 5, .keywords = names };
  {
    g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
    g_auto(Receipt) receipt = { 0 };
    MUST(put_to(&opened, &item, "x", 1, &receipt, error));
    MUST(create_one(&opened, "A/B", error));
    MUST(haul_store_flush(opened.store, error));
  }
  run("test -e .mailhaul -a -e dovecot-keywords -a -d .A.B/cur");
  run("test $(find . -not -uid 65534 -o -not -gid 65534 | wc -l) = 0");
}

static bool
keep_token(const HaulFolder *folder, void *data)
{
  char **token = data;
  if (strcmp(folder->path, "INBOX") == 0)
    *token = g_strdup(folder->change_token);
  return true;
}

static void
a_token_changes_with_every_name_at_once(void)
{
  static const char *const changes[] = {
    "echo two > cur/2.x",
    "mv cur/2.x cur/2.x:2,S",
    "mv cur/2.x:2,S cur/2.x:2,R",
    "mv new/3.x cur/3.x",
    "rm cur/1.x",
    "echo '0 Work' > dovecot-keywords",
    "echo '0 Play' > dovecot-keywords",
    "printf '3.x\\tA\\n' > mailhaul-keywords",
    "printf '3.x\\tA B\\n' > mailhaul-keywords",
  };
  new_maildir();
  run("echo one > cur/1.x; echo three > new/3.x");
  g_auto(Opened) opened = open_subject(HAUL_READ);
  g_autofree char *before = NULL;
  MUST(haul_store_folders(opened.store, keep_token, &before, error));
  for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
    char *after = NULL, *again = NULL;
    run("%s", changes[i]);
    MUST(haul_store_folders(opened.store, keep_token, &after, error));
    MUST(haul_store_folders(opened.store, keep_token, &again, error));
    CU_ASSERT(before != NULL && after != NULL && strcmp(before, after) != 0);
    CU_ASSERT_STRING_EQUAL(after, again);
    g_free(before);
    g_free(again);
    before = after;
  }
  run("touch cur new; touch cur/.not-a-message");
  g_autofree char *same = NULL;
  MUST(haul_store_folders(opened.store, keep_token, &same, error));
  CU_ASSERT_STRING_EQUAL(before, same);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_source_must_be_there),
    CASE(a_destination_is_made_but_not_among_other_files),
    CASE(a_destination_is_made_when_it_is_needed),
    CASE(the_identity_of_what_is_absent_is_its_real_path),
    CASE(a_dry_run_sees_an_empty_tree),
    CASE(an_identity_stays_with_the_tree),
    CASE(foreign_names_are_understood),
    CASE(only_regular_files_are_messages),
    CASE(compressed_messages_are_named_and_not_carried_as_garbage),
    CASE(two_files_with_one_base_are_two_messages),
    CASE(folders_of_all_kinds_are_told),
    CASE(a_name_too_long_fails_its_folder_only),
    CASE(nothing_is_seen_before_it_is_on_disk),
    CASE(what_is_not_settled_leaves_nothing),
    CASE(old_leavings_of_ours_are_cleared_away),
    CASE(leavings_go_at_once_where_nobody_else_writes),
    CASE(a_lock_that_somebody_holds_keeps_nobody_from_writing),
    CASE(a_folder_that_vanishes_fails_alone),
    CASE(keywords_beyond_26_are_kept_beside),
    CASE(keywords_beyond_26_change_like_the_others),
    CASE(keywords_beyond_26_that_others_gave_stay_when_lines_are_dropped),
    CASE(keywords_that_others_gave_meanwhile_are_kept),
    CASE(a_letter_is_given_when_nobody_else_gives_one),
    CASE(messages_are_found_after_others_renamed_them),
    CASE(a_name_with_no_room_for_flags_keeps_those_it_has_and_others_get_theirs),
    CASE(files_of_a_tree_become_its_owners),
    CASE(a_token_changes_with_every_name_at_once),
    CASE(a_full_disk_ends_the_account_and_leaves_nothing_half_written),
    CASE(a_read_only_tree_is_refused_for_writing),
  };
  scratch = g_dir_make_tmp("maildir-XXXXXX", NULL);
  g_assert(scratch != NULL);
  subject.plugin = &haul_plugin_maildir;
  subject.spool = scratch;
  subject.base = g_strdup("base");
  subject.lenient = true;
  int code = RUN_SUITE("maildir store", cases);
  root = (g_free(root), g_strdup(scratch));
  g_autofree char *command = g_strdup_printf("rm -rf '%s'", scratch);
  if (system(command) != 0)
    code = EXIT_FAILURE;
  return code;
}
