/* Tests plugins/maildir/uidlist.c, numbering.c and dotlock.c: which lists are believed, who gets which UID,
 * and what is on disk then. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "account.h"

#include "../../plugins/maildir/dotlock.h"
#include "../../plugins/maildir/numbering.h"
#include "../../plugins/maildir/scan.h"
#include "../../plugins/maildir/uidlist.h"

extern const HaulPlugin haul_plugin_maildir;

#define GUID "0123456789abcdef0123456789abcdef"

static char *scratch; /* removed by main() */
static bool is_nfs;   /* whether locks are had as NFS gives them */

int
flock(int fd, int how)
{
  if (is_nfs && (how & LOCK_EX) != 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY) {
    errno = EBADF;
    return -1;
  }
  return (int)syscall(SYS_flock, fd, how);
}

/* Reads a whole text; false where a line of it makes the list of no use. */
static bool
read_text(MaildirUidlist *list, const char *text)
{
  maildir_uidlist_init(list);
  for (const char *end; *text != '\0'; text = end + 1) {
    end = strchrnul(text, '\n');
    if (*end == '\0')
      return true;
    if (!maildir_uidlist_feed(list, text, (size_t)(end - text)))
      return false;
  }
  return list->version != 0;
}

static void
lists_are_read_as_dovecot_reads_them(void)
{
  static const struct {
    const char *text;
    bool fine;
    uint32_t validity, next;
    unsigned n;
  } cases[] = {
    { "3 V7 N1 G" GUID "\n", true, 7, 1, 0 },
    { "3 V7 N4 G" GUID "\n1 :a\n3 :b\n", true, 7, 4, 2 },
    { "3 N4 V7\n1 :a\n9 S12 W13 Pu:idl :b:2,S\n", true, 7, 10,
      2 }, /* Dovecot appends without raising N */
    { "3 V7 N2 Xmore G" GUID "\n4294967294 :a\n", true, 7, 4294967295, 1 },
    { "1 7 4\n1 a\n3 b:2,S\n", true, 7, 4, 2 },
    { "3 V7 N4\n1 :a\n2 :cu", true, 7, 4, 1 }, /* a cut line does not count */
    { "1 7 4\n1 a\n4 b\n", false, 0, 0, 0 },
    { "1 7\n", false, 0, 0, 0 },
    { "1 7 4 5\n", false, 0, 0, 0 },
    { "2 7 4\n", false, 0, 0, 0 },
    { "3 V7\n", false, 0, 0, 0 },
    { "3 N7\n", false, 0, 0, 0 },
    { "3 V0 N1\n", false, 0, 0, 0 },
    { "3 V4294967296 N1\n", false, 0, 0, 0 },
    { "3 V7x N1\n", false, 0, 0, 0 },
    { "3 V7 N1 Gabc\n", false, 0, 0, 0 },
    { "garbage\n", false, 0, 0, 0 },
    { "\n", false, 0, 0, 0 },
    { "3 V7 N4\n3 :a\n1 :b\n", false, 0, 0, 0 },
    { "3 V7 N4\n3 :a\n3 :b\n", false, 0, 0, 0 },
    { "3 V7 N4\n0 :a\n", false, 0, 0, 0 },
    { "3 V7 N4\n4294967295 :a\n", false, 0, 0, 0 },
    { "3 V7 N4\n1 a\n", false, 0, 0, 0 },
    { "3 V7 N4\n1 p :a\n", false, 0, 0, 0 },
    { "3 V7 N4\n1 :\n", false, 0, 0, 0 },
    { "3 V7 N4\n1 :../a\n", false, 0, 0, 0 },
    { "3 V7 N4\n1\n", false, 0, 0, 0 },
    { "3 V7 N4\nx :a\n", false, 0, 0, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    MaildirUidlist list;
    bool fine = read_text(&list, cases[i].text);
    bool right = fine == cases[i].fine
                 && (!fine
                     || (list.validity == cases[i].validity && list.next == cases[i].next
                         && list.uids->len == cases[i].n));
    CU_ASSERT(right);
    if (!right)
      printf("case %zu: %s\n", i, cases[i].text);
    maildir_uidlist_clear(&list);
  }
}

static void
a_head_keeps_what_it_is_not_told_of(void)
{
  MaildirUidlist list;
  CU_ASSERT(read_text(&list, "3 V7 N4 Xone G" GUID " Ztwo\n"));
  g_autoptr(GString) out = g_string_new(NULL);
  maildir_uidlist_print_head(&list, 7, 9, "unused", out);
  CU_ASSERT_STRING_EQUAL(out->str, "3 V7 N9 Xone G" GUID " Ztwo\n");
  maildir_uidlist_clear(&list);
  maildir_uidlist_init(&list);
  g_string_truncate(out, 0);
  maildir_uidlist_print_head(&list, 5, 1, GUID, out);
  CU_ASSERT_STRING_EQUAL(out->str, "3 V5 N1 G" GUID "\n");
  maildir_uidlist_clear(&list);
}

static void
a_uidl_is_kept_if_a_field_can_hold_it(void)
{
  g_autofree char *longest = g_strnfill(255, 'x'), *longer = g_strnfill(256, 'x');
  CU_ASSERT(maildir_uidlist_holds_uidl("whqtswO00WBw418f9t5JxYwZ"));
  CU_ASSERT(maildir_uidlist_holds_uidl(":~"));
  CU_ASSERT(maildir_uidlist_holds_uidl(longest));
  CU_ASSERT(!maildir_uidlist_holds_uidl(longer));
  CU_ASSERT(!maildir_uidlist_holds_uidl(""));
  CU_ASSERT(!maildir_uidlist_holds_uidl("a b"));
  CU_ASSERT(!maildir_uidlist_holds_uidl("a\n1 :x"));
  CU_ASSERT(!maildir_uidlist_holds_uidl("\303\244"));
}

/* Messages that want UIDs @wanted get @uids; a letter tells of each where it stands: Behind, Among, Of. */
typedef struct {
  const char *text;
  uint32_t lost, source_next;
  bool indexed;
  uint32_t wanted[4], uids[4];
  const char *kinds;
} Placing;

static MaildirPlaceKind
kind_called(char letter)
{
  return letter == 'B'   ? MAILDIR_PLACE_BEHIND
         : letter == 'A' ? MAILDIR_PLACE_AMONG
                         : MAILDIR_PLACE_OF;
}

static void
a_message_gets_the_uid_that_it_has_or_one_that_was_never_given(void)
{
  static const char list_text[] = "3 V7 N8\n3 :a\n6 :b\n";
  static const Placing cases[] = {
    { "3 V7 N1\n", 0, 20, false, { 3, 9, 10 }, { 3, 9, 10 }, "BBB" },
    { list_text, 0, 20, true, { 8, 9, 19 }, { 8, 9, 19 }, "BBB" },
    { list_text, 0, 20, false, { 7, 4, 1 }, { 7, 4, 1 }, "BAA" },
    { list_text,
      0,
      20,
      true,
      { 7, 4, 1 },
      { 20, 21, 22 },
      "BBB" },                                              /* Dovecot takes them for gone */
    { list_text, 0, 20, false, { 6, 8 }, { 20, 8 }, "BB" }, /* another message has it */
    { list_text, 6, 20, true, { 6, 8 }, { 6, 8 }, "OB" },   /* killed before it came */
    { list_text, 6, 20, false, { 6, 6 }, { 6, 20 }, "OB" },
    { list_text, 0, 0, false, { 0, 0, 9 }, { 10, 11, 9 }, "BBB" },
    { list_text, 0, 5, false, { 6, 30 }, { 31, 30 }, "BB" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    const Placing *one = &cases[i];
    MaildirUidlist list;
    MaildirPlace places[4] = { 0 };
    size_t n = strlen(one->kinds);
    CU_ASSERT(read_text(&list, one->text));
    for (size_t k = 0; k < n; k++)
      places[k].wanted = one->wanted[k];
    bool right = maildir_uidlist_place(&list, &one->lost, one->lost != 0, one->source_next,
                                       one->indexed, places, n);
    for (size_t k = 0; k < n; k++)
      right =
          right && places[k].uid == one->uids[k] && places[k].kind == kind_called(one->kinds[k]);
    CU_ASSERT(right);
    for (size_t k = 0; !right && k < n; k++)
      printf("case %zu: %u got %u, kind %d\n", i, places[k].wanted, places[k].uid, places[k].kind);
    maildir_uidlist_clear(&list);
  }
}

static void
numbers_that_run_out_are_an_error(void)
{
  MaildirUidlist list;
  MaildirPlace places[2] = { { .wanted = 0 }, { .wanted = 0 } };
  CU_ASSERT(read_text(&list, "3 V7 N4294967294\n"));
  CU_ASSERT(maildir_uidlist_place(&list, NULL, 0, 0, false, places, 1));
  CU_ASSERT(places[0].uid == 4294967294);
  CU_ASSERT(!maildir_uidlist_place(&list, NULL, 0, 0, false, places, 2));
  maildir_uidlist_clear(&list);
}

/* On disk. */

typedef struct {
  HaulCancel *cancel;
  HaulAccount *account;
  MaildirTree *tree;
  MaildirFolder *folder;
} Place;

static void
place_close(Place *place)
{
  maildir_folder_unref(place->folder);
  maildir_root_close(place->tree);
  haul_account_free(place->account);
  haul_cancel_free(place->cancel);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_close)

/* Opens a new tree. */
static Place
new_place(void)
{
  static unsigned number;
  g_autofree char *root = g_strdup_printf("%s/tree-%u", scratch, ++number);
  Place place = { .cancel = haul_cancel_new() };
  place.account = haul_account_new(2, &haul_plugin_maildir, place.cancel);
  haul_account_set(place.account, "path", root, NULL);
  place.tree = maildir_root_open(root, NULL, HAUL_READ | HAUL_WRITE, true, NULL, false, NULL);
  CU_ASSERT_FATAL(place.tree != NULL && maildir_root_make(place.tree, NULL));
  place.folder = maildir_folder_open(place.tree, "INBOX", HAUL_READ | HAUL_WRITE, NULL);
  CU_ASSERT_FATAL(place.folder != NULL);
  return place;
}

static char *
in_tree(const Place *place, const char *name)
{
  return g_build_filename(place->tree->root, name, NULL);
}

static void
write_file(const Place *place, const char *name, const char *text)
{
  g_autofree char *path = in_tree(place, name);
  CU_ASSERT(g_file_set_contents(path, text, -1, NULL));
}

/* The list without its GUID; "" where there is none. */
static char *
list_of(const Place *place)
{
  g_autofree char *path = in_tree(place, "dovecot-uidlist");
  char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, NULL))
    return g_strdup("");
  char *guid = strstr(text, " G");
  if (guid != NULL && strlen(guid) >= 34)
    memmove(guid, guid + 34, strlen(guid + 34) + 1);
  return text;
}

static bool
is_locked(const Place *place)
{
  g_autofree char *path = in_tree(place, "dovecot-uidlist.lock");
  return g_access(path, F_OK) == 0;
}

static MaildirNumbering *
from_uids(uint64_t validity, const char *next)
{
  HaulFolder source = { .epoch = validity, .next_id = next, .attributes = HAUL_FOLDER_UIDS };
  return maildir_numbering_new(&source);
}

/* Enters messages "ID:BASE ..." and, where @moves, makes files of them. */
static void
enter(const Place *place, MaildirNumbering *numbering, const char *words, bool moves)
{
  g_auto(GStrv) parts = g_strsplit(words, " ", -1);
  g_autoptr(GArray) messages = g_array_new(FALSE, FALSE, sizeof(MaildirNumbered));
  for (char **part = parts; *part != NULL; part++) {
    char *colon = strchr(*part, ':');
    *colon = '\0';
    MaildirNumbered message = { *part, colon + 1 };
    g_array_append_val(messages, message);
  }
  g_autoptr(GError) why = NULL;
  CU_ASSERT(maildir_numbering_enter(numbering, place->folder, place->account,
                                    (const MaildirNumbered *)(void *)messages->data, messages->len,
                                    &why));
  if (why != NULL)
    printf("%s\n", why->message);
  for (guint i = 0; moves && i < messages->len; i++) {
    g_autofree char *name =
        g_strdup_printf("cur/%s:2,S", g_array_index(messages, MaildirNumbered, i).base);
    write_file(place, name, "x");
  }
  maildir_numbering_leave(numbering, place->folder);
  CU_ASSERT(!is_locked(place));
}

#define EXPECT_LIST(place, text)                                                                   \
  do {                                                                                             \
    g_autofree char *list_ = list_of(place);                                                       \
    CU_ASSERT_STRING_EQUAL(list_, text);                                                           \
    if (strcmp(list_, text) != 0)                                                                  \
      printf("%s:%d: %s\n", __FILE__, __LINE__, list_);                                            \
  } while (0)

static void
an_empty_folder_gets_the_uids_of_its_source(void)
{
  g_auto(Place) place = new_place();
  g_autoptr(MaildirNumbering) numbering = from_uids(77, "30");
  enter(&place, numbering, "4:a 9:b", true);
  EXPECT_LIST(&place, "3 V77 N10\n4 :a\n9 :b\n");
  enter(&place, numbering, "12:c", true);
  EXPECT_LIST(&place, "3 V77 N10\n4 :a\n9 :b\n12 :c\n"); /* appended */
  enter(&place, numbering, "10:d 5:e 13:f", true);
  EXPECT_LIST(&place, "3 V77 N14\n4 :a\n5 :e\n9 :b\n10 :d\n12 :c\n13 :f\n");
  CU_ASSERT(maildir_numbering_lags(numbering));
  CU_ASSERT(maildir_numbering_finish(numbering, place.folder, place.account, NULL));
  CU_ASSERT(!maildir_numbering_lags(numbering));
  EXPECT_LIST(&place, "3 V77 N30\n4 :a\n5 :e\n9 :b\n10 :d\n12 :c\n13 :f\n");
}

static void
what_others_added_since_is_there_to_stay(void)
{
  g_auto(Place) place = new_place();
  g_autoptr(MaildirNumbering) numbering = from_uids(77, "30");
  enter(&place, numbering, "4:a", true);
  write_file(&place, "dovecot-uidlist", "3 V77 N5 G" GUID "\n4 W5 :a\n5 Pq :dovecots\n");
  write_file(&place, "cur/dovecots", "x");
  write_file(&place, "dovecot.index.log", "x");
  enter(&place, numbering, "5:b 6:c", true);
  EXPECT_LIST(&place, "3 V77 N5\n4 W5 :a\n5 Pq :dovecots\n6 :c\n30 :b\n");
  enter(&place, numbering, "3:d", true); /* below, and Dovecot has looked */
  EXPECT_LIST(&place, "3 V77 N5\n4 W5 :a\n5 Pq :dovecots\n6 :c\n30 :b\n31 :d\n");
}

static void
one_that_never_came_leaves_its_uid_to_itself(void)
{
  g_auto(Place) place = new_place();
  g_autoptr(MaildirNumbering) first = from_uids(77, "30"), second = from_uids(77, "30");
  enter(&place, first, "4:a", true);
  enter(&place, first, "5:b 6:c", false); /* killed here */
  enter(&place, second, "5:d 6:e", true);
  EXPECT_LIST(&place, "3 V77 N7\n4 :a\n5 :d\n6 :e\n");
  enter(&place, second, "5:f", true); /* now it is there */
  EXPECT_LIST(&place, "3 V77 N7\n4 :a\n5 :d\n6 :e\n30 :f\n");
  enter(&place, second, "31:g", false);
  write_file(&place, "dovecot.index.log", "x"); /* which knows that 31 is missing */
  enter(&place, second, "31:h", true);
  EXPECT_LIST(&place, "3 V77 N7\n4 :a\n5 :d\n6 :e\n30 :f\n31 :g\n32 :h\n");
}

static void
a_folder_of_another_uidvalidity_is_left_to_dovecot(void)
{
  g_auto(Place) place = new_place();
  g_autoptr(MaildirNumbering) numbering = from_uids(77, "30");
  write_file(&place, "dovecot-uidlist", "3 V5 N9\n");
  enter(&place, numbering, "4:a", true);
  EXPECT_LIST(&place, "3 V5 N9\n");
  CU_ASSERT(maildir_numbering_finish(numbering, place.folder, place.account, NULL));
  EXPECT_LIST(&place, "3 V5 N9\n");

  write_file(&place, "dovecot-uidlist", "3 V5 N1 Xy\n"); /* which never gave a UID */
  enter(&place, numbering, "4:a", true);
  EXPECT_LIST(&place, "3 V77 N5 Xy\n4 :a\n");

  g_auto(Place) used = new_place();
  g_autoptr(MaildirNumbering) late = from_uids(77, "30");
  write_file(&used, "new/somebodys", "x");
  enter(&used, late, "4:a", true);
  EXPECT_LIST(&used, "");
}

static void
a_folder_that_takes_no_file_is_left_to_dovecot(void)
{
  g_auto(Place) place = new_place();
  g_autoptr(MaildirNumbering) numbering = from_uids(77, "30");
  const MaildirNumbered message = { "4", "a" };
  bool is_root = geteuid() == 0;
  CU_ASSERT(is_root ? seteuid(65534) == 0 : fchmod(place.folder->fd, 0500) == 0);
  g_autoptr(GError) why = NULL;
  CU_ASSERT(maildir_numbering_enter(numbering, place.folder, place.account, &message, 1, &why));
  maildir_numbering_leave(numbering, place.folder);
  CU_ASSERT(is_root ? seteuid(0) == 0 : fchmod(place.folder->fd, 0700) == 0);
  EXPECT_LIST(&place, "");
}

static void
a_folder_that_takes_no_file_takes_no_new_keyword(void)
{
  g_auto(Place) place = new_place();
  bool is_root = geteuid() == 0;
  CU_ASSERT(is_root ? seteuid(65534) == 0 : fchmod(place.folder->fd, 0500) == 0);
  const char *const names[] = { "Work", "$Forwarded", NULL };
  MaildirFlags flags = { 0 };
  CU_ASSERT(maildir_folder_add_keywords(place.folder, names, &flags, NULL));
  CU_ASSERT(flags.letters == 0 && flags.beyond == NULL && flags.passed);
  CU_ASSERT(is_root ? seteuid(0) == 0 : fchmod(place.folder->fd, 0700) == 0);
}

static void
a_damaged_list_is_left_alone(void)
{
  static const char *const damaged[] = { "", "\n", "garbage\n", "3 V77 N9",
                                         "3 V77 N9\n4 :a\n3 :b\n" };
  for (size_t i = 0; i < G_N_ELEMENTS(damaged); i++) {
    g_auto(Place) place = new_place();
    g_autoptr(MaildirNumbering) numbering = from_uids(77, "30");
    write_file(&place, "dovecot-uidlist", damaged[i]);
    enter(&place, numbering, "4:a", true);
    EXPECT_LIST(&place, damaged[i]);
  }
}

static void
a_list_whose_last_line_is_cut_is_written_anew(void)
{
  g_auto(Place) place = new_place();
  g_autoptr(MaildirNumbering) numbering = from_uids(77, "30");
  write_file(&place, "dovecot-uidlist", "3 V77 N9\n4 :a\n5 :");
  enter(&place, numbering, "12:c", true);
  EXPECT_LIST(&place, "3 V77 N13\n4 :a\n12 :c\n");
  write_file(&place, "dovecot-uidlist", "1 77 9\n4 a:2,S\n"); /* version 1 likewise */
  enter(&place, numbering, "14:d", true);
  EXPECT_LIST(&place, "3 V77 N15\n4 :a\n14 :d\n");
}

/* M-6: what is no list costs neither memory nor time. */
static void
a_list_of_a_gigabyte_without_a_line_is_not_read(void)
{
  g_auto(Place) place = new_place();
  g_autoptr(MaildirNumbering) numbering = from_uids(77, "30");
  g_autofree char *path = in_tree(&place, "dovecot-uidlist");
  write_file(&place, "dovecot-uidlist", "3 V77 N9\n");
  CU_ASSERT(truncate(path, 1 << 30) == 0);
  int64_t begin = g_get_monotonic_time();
  enter(&place, numbering, "4:a", true);
  CU_ASSERT(g_get_monotonic_time() - begin < 5 * G_USEC_PER_SEC);
}

static void
uidls_are_kept_in_a_field(void)
{
  g_auto(Place) place = new_place();
  HaulFolder source = { .attributes = HAUL_FOLDER_UIDLS };
  g_autoptr(MaildirNumbering) numbering = maildir_numbering_new(&source);
  write_file(&place, "dovecot-uidlist", "3 V5 N9\n");
  enter(&place, numbering, "00+a:a x~y:b", true);
  EXPECT_LIST(&place, "3 V5 N9\n9 P00+a :a\n10 Px~y :b\n");
  const MaildirNumbered made_up = { "made up 1", "c" };
  CU_ASSERT(maildir_numbering_enter(numbering, place.folder, place.account, &made_up, 1, NULL));
  maildir_numbering_leave(numbering, place.folder);
  EXPECT_LIST(&place, "3 V5 N9\n9 P00+a :a\n10 Px~y :b\n11 :c\n");

  g_auto(Place) fresh = new_place();
  g_autoptr(MaildirNumbering) other = maildir_numbering_new(&source);
  enter(&fresh, other, "u:a", true);
  g_autofree char *text = list_of(&fresh);
  CU_ASSERT(g_str_has_suffix(text, " N2\n1 Pu :a\n"));
}

static void
a_folder_is_read_in_the_order_of_its_uids_and_found_by_name(void)
{
  static const char *const wanted[] = { "4", "1", "3", "2", "5" }; /* 2 and 5 are not listed */
  g_auto(Place) place = new_place();
  for (unsigned i = 1; i <= 5; i++) {
    g_autofree char *name = g_strdup_printf("cur/%u:2,S", i);
    write_file(&place, name, "x");
  }
  write_file(&place, "dovecot-uidlist", "3 V7 N9\n2 :4\n5 :1\n6 :gone\n7 :3\n");
  MaildirTree *tree =
      maildir_root_open(place.tree->root, NULL, HAUL_READ, false, NULL, false, NULL);
  CU_ASSERT_FATAL(tree != NULL);
  MaildirFolder *folder = maildir_folder_open(tree, "INBOX", HAUL_READ, NULL);
  CU_ASSERT_FATAL(folder != NULL);
  MaildirScan scan;
  maildir_scan_init(&scan);
  for (unsigned again = 0; again < 2; again++) {
    CU_ASSERT(maildir_scan_read(&scan, folder, NULL));
    CU_ASSERT_FATAL(scan.entries->len == G_N_ELEMENTS(wanted));
    for (guint i = 0; i < scan.entries->len; i++) {
      MaildirEntry *entry = maildir_scan_entry(&scan, i);
      CU_ASSERT(maildir_scan_name(&scan, entry)[0] == wanted[i][0]);
      CU_ASSERT(maildir_scan_find(&scan, wanted[i]) == entry);
    }
    CU_ASSERT(maildir_scan_find(&scan, "6") == NULL && maildir_scan_find(&scan, "0") == NULL);
  }
  const HaulRange range = { "1", "2" };
  g_autofree uint8_t *chosen = maildir_scan_choose(&scan, &range, 1);
  CU_ASSERT(memcmp(chosen, "\0\1\1\1\0", 5) == 0);
  write_file(&place, "dovecot-uidlist", "3 V7 N9\n2 :4\n1 :1\n"); /* damaged: by name */
  CU_ASSERT(maildir_scan_read(&scan, folder, NULL));
  CU_ASSERT(maildir_scan_name(&scan, maildir_scan_entry(&scan, 0))[0] == '1');
  maildir_scan_clear(&scan);
  maildir_folder_unref(folder);
  maildir_root_close(tree);
}

static void
a_source_whose_ids_do_not_last_numbers_nothing(void)
{
  HaulFolder unknown = { .epoch = 0, .attributes = HAUL_FOLDER_UIDS }, plain = { .epoch = 1 };
  CU_ASSERT(maildir_numbering_new(&unknown) == NULL);
  CU_ASSERT(maildir_numbering_new(&plain) == NULL);
}

static void
a_lock_is_stale_when_its_process_is_gone(void)
{
  const char *host = "here";
  g_autofree char *living = g_strdup_printf("%d:here", (int)getppid());
  g_autofree char *mine = g_strdup_printf("%d:here\n", (int)getpid());
  CU_ASSERT(!maildir_dotlock_is_stale(living, strlen(living), 100000, host));
  CU_ASSERT(maildir_dotlock_is_stale(mine, strlen(mine), 0, host));
  CU_ASSERT(maildir_dotlock_is_stale("2147483646:here", 15, 0, host));
  CU_ASSERT(!maildir_dotlock_is_stale("2147483646:there", 16, 100, host));
  CU_ASSERT(maildir_dotlock_is_stale("2147483646:there", 16, 121, host));
  CU_ASSERT(!maildir_dotlock_is_stale("", 0, 100, host));
  CU_ASSERT(!maildir_dotlock_is_stale("-5:here", 7, 100, host));
  CU_ASSERT(!maildir_dotlock_is_stale("99999999999999999999:here", 25, 100, host));
}

static void
a_lock_that_was_left_behind_is_taken_over_and_one_of_ours_is_not(void)
{
  g_auto(Place) place = new_place();
  g_autofree char *gone = g_strdup_printf("2147483646:%s", g_get_host_name());
  g_autofree char *mine = g_strdup_printf("%d:%s", (int)getpid(), g_get_host_name());
  const char *const left[] = { gone, mine };
  for (size_t i = 0; i < G_N_ELEMENTS(left); i++) {
    write_file(&place, "dovecot-uidlist.lock", left[i]);
    int lock = maildir_dotlock_take(place.folder->fd, place.folder->tmp, "x", place.account,
                                    &place.tree->creation, NULL);
    CU_ASSERT(lock >= 0 && is_locked(&place));
    maildir_dotlock_release(place.folder->fd, lock);
    CU_ASSERT(!is_locked(&place));
  }
  int held = maildir_dotlock_take(place.folder->fd, place.folder->tmp, "x", place.account,
                                  &place.tree->creation, NULL);
  haul_cancel_set(place.cancel); /* else it would wait for half a minute */
  g_autoptr(GError) why = NULL;
  int second = maildir_dotlock_take(place.folder->fd, place.folder->tmp, "x", place.account,
                                    &place.tree->creation, &why);
  CU_ASSERT(second < 0 && check_error(why, HAUL_ERROR_CANCELLED, "cancelled", "", __LINE__));
  CU_ASSERT(is_locked(&place));
  /* One that another has taken over is that one's. */
  g_autofree char *path = in_tree(&place, "dovecot-uidlist.lock");
  CU_ASSERT(g_unlink(path) == 0);
  write_file(&place, "dovecot-uidlist.lock", "1:elsewhere");
  maildir_dotlock_release(place.folder->fd, held);
  CU_ASSERT(is_locked(&place));
}

static void
locks_work_where_only_what_may_be_written_can_be_locked(void)
{
  g_auto(Place) place = new_place();
  CU_ASSERT(maildir_root_make(place.tree, NULL));
  is_nfs = true;
  g_autofree char *gone = g_strdup_printf("2147483646:%s", g_get_host_name());
  write_file(&place, "dovecot-uidlist.lock", gone);
  int lock = maildir_dotlock_take(place.folder->fd, place.folder->tmp, "x", place.account,
                                  &place.tree->creation, NULL);
  CU_ASSERT(lock >= 0);
  maildir_dotlock_release(place.folder->fd, lock);
  int tree_lock = maildir_root_lock(place.tree);
  CU_ASSERT(tree_lock >= 0);
  is_nfs = false;
  if (tree_lock >= 0)
    close(tree_lock);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(lists_are_read_as_dovecot_reads_them),
    CASE(a_head_keeps_what_it_is_not_told_of),
    CASE(a_uidl_is_kept_if_a_field_can_hold_it),
    CASE(a_message_gets_the_uid_that_it_has_or_one_that_was_never_given),
    CASE(numbers_that_run_out_are_an_error),
    CASE(an_empty_folder_gets_the_uids_of_its_source),
    CASE(what_others_added_since_is_there_to_stay),
    CASE(one_that_never_came_leaves_its_uid_to_itself),
    CASE(a_folder_of_another_uidvalidity_is_left_to_dovecot),
    CASE(a_folder_that_takes_no_file_is_left_to_dovecot),
    CASE(a_folder_that_takes_no_file_takes_no_new_keyword),
    CASE(a_damaged_list_is_left_alone),
    CASE(a_list_whose_last_line_is_cut_is_written_anew),
    CASE(a_list_of_a_gigabyte_without_a_line_is_not_read),
    CASE(uidls_are_kept_in_a_field),
    CASE(a_folder_is_read_in_the_order_of_its_uids_and_found_by_name),
    CASE(a_source_whose_ids_do_not_last_numbers_nothing),
    CASE(a_lock_is_stale_when_its_process_is_gone),
    CASE(a_lock_that_was_left_behind_is_taken_over_and_one_of_ours_is_not),
    CASE(locks_work_where_only_what_may_be_written_can_be_locked),
  };
  scratch = make_test_folder();
  int failed = RUN_SUITE("maildir uidlist", cases);
  g_autofree char *command = g_strdup_printf("rm -rf '%s'", scratch);
  if (system(command) != 0)
    failed = 1;
  g_free(scratch);
  return failed;
}
