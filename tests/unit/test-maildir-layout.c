/*
 * Tests layout.c, place.c and tree.c: which layout a tree has, and what becomes of folders where the file
 * system takes several names for one. Such a file system is played: calls by name stand in front of those
 * of the C library.
 */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "../../plugins/maildir/layout.h"
#include "../../plugins/maildir/tree.h"

/* What the file system does not tell apart. */
static enum { NOTHING, CASE_OF_LETTERS, BLANKS_AT_THE_END } ignored;

static char *
folded(const char *name)
{
  char *result = ignored == CASE_OF_LETTERS ? g_ascii_strdown(name, -1) : g_strdup(name);
  return ignored == BLANKS_AT_THE_END ? g_strchomp(result) : result;
}

/* Returns the name in @dir that such a file system would take for @name; to be freed. */
static char *
known_name(int dir, const char *name)
{
  int fd = ignored == NOTHING || strchr(name, '/') != NULL || name[0] == '\0'
               ? -1
               : (int)syscall(SYS_openat, dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  DIR *listing = fd < 0 ? NULL : fdopendir(fd);
  char *found = NULL;
  g_autofree char *wanted = folded(name);
  for (struct dirent *entry;
       listing != NULL && found == NULL && (entry = readdir(listing)) != NULL;) {
    g_autofree char *there = folded(entry->d_name);
    if (strcmp(there, wanted) == 0)
      found = g_strdup(entry->d_name);
  }
  if (listing != NULL)
    closedir(listing);
  return found != NULL ? found : g_strdup(ignored == BLANKS_AT_THE_END ? wanted : name);
}

int
openat(int dir, const char *name, int flags, ...)
{
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? (mode_t)va_arg(arguments, int) : 0;
  va_end(arguments);
  g_autofree char *known = known_name(dir, name);
  return (int)syscall(SYS_openat, dir, known, flags, mode);
}

int
mkdirat(int dir, const char *name, mode_t mode)
{
  g_autofree char *known = known_name(dir, name);
  return (int)syscall(SYS_mkdirat, dir, known, mode);
}

int
fstatat(int dir, const char *restrict name, struct stat *restrict status, int flags)
{
  g_autofree char *known = known_name(dir, name);
  return (int)syscall(SYS_newfstatat, dir, known, status, flags);
}

static char *scratch; /* removed by main() */
static char *root;    /* of the tree in use; below scratch */

static void run(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Runs a shell command in the tree. */
static void
run(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *command = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autofree char *whole = g_strdup_printf("cd '%s' && %s", root, command);
  CU_ASSERT_EQUAL(system(whole), 0);
}

/* Goes to a new directory with these maildirs in it. */
static void
new_tree(const char *directories)
{
  static unsigned number;
  g_free(root);
  root = g_strdup_printf("%s/tree-%u", scratch, ++number);
  CU_ASSERT_EQUAL(g_mkdir(root, 0700), 0);
  g_auto(GStrv) each = g_strsplit(directories, " ", -1);
  for (char **directory = each; *directory != NULL; directory++)
    if (**directory != '\0')
      run("mkdir -p '%s/cur' '%s/new' '%s/tmp'", *directory, *directory, *directory);
}

static MaildirTree *
open_tree(const char *word, bool is_destination, GError **error)
{
  const MaildirLayout *layout = word == NULL ? NULL : maildir_layout_find(word);
  return maildir_root_open(root, layout, is_destination ? HAUL_READ | HAUL_WRITE : HAUL_READ,
                           is_destination, NULL, false, error);
}

static bool
append_path(const char *path, const char *directory, void *data)
{
  if (directory != NULL)
    g_ptr_array_add(data, g_strdup(path));
  return true;
}

/* The paths of a tree, sorted, with blanks between them; to be freed. */
static char *
paths_of(MaildirTree *tree)
{
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  CU_ASSERT(maildir_tree_each(tree, append_path, paths, NULL));
  g_autoptr(GList) sorted = NULL;
  for (guint i = 0; i < paths->len; i++)
    sorted = g_list_insert_sorted(sorted, paths->pdata[i], (GCompareFunc)g_strcmp0);
  GString *text = g_string_new(NULL);
  for (const GList *at = sorted; at != NULL; at = at->next)
    g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", (const char *)at->data);
  return g_string_free(text, FALSE);
}

static void
a_tree_shows_its_layout(void)
{
  static const struct {
    const char *directories, *layout, *paths;
  } table[] = {
    { ".", "maildir++", "INBOX" },
    { ". .A .A.B", "maildir++", "A A/B INBOX" },
    { ".A", "maildir++", "A INBOX" },
    { ". .INBOX .inbox.x", "maildir++", "%49NBOX %69nbox/x INBOX" },
    { ". A A/B", "fs", "A A/B INBOX" },
    { ". box/within/A", "fs", "INBOX box/within/A" },
    { "INBOX Sent", "fs", "INBOX Sent" },
    { "Inbox Inbox/Sub Archive.2020", "fs", "Archive.2020 INBOX INBOX/Sub" },
    { ". INBOX/Sub", "fs", "INBOX INBOX/Sub" },
    { "INBOX top top/.sub top/.sub/.subsub", "fs", "INBOX top top/sub top/sub/subsub" },
    { "INBOX INBOX.Sent INBOX.A.B", "flat", "INBOX INBOX/A/B INBOX/Sent" },
    { "INBOX INBOX_Sent INBOX_a.b", "flat", "INBOX INBOX/Sent INBOX/a.b" },
    { "INBOX INBOX.Sent INBOX_Sent", "fs", "INBOX INBOX.Sent INBOX_Sent" },
    { "INBOX INBOX.Sent INBOX.Sent/x", "fs", "INBOX INBOX.Sent INBOX.Sent/x" },
    { ". .A B", "maildir++", "A INBOX" },
    { ". .A example.org/ann", "maildir++", "A INBOX" }, /* cPanel's accounts */
    { ". snapshots/20240101T000000Z snapshots/20240101T000000Z/.A", "maildir++", "INBOX" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    new_tree(table[i].directories);
    g_autoptr(GError) why = NULL;
    g_autoptr(MaildirTree) tree = open_tree(NULL, false, &why);
    CU_ASSERT_PTR_NOT_NULL(tree);
    if (tree == NULL) {
      printf("%s: %s\n", table[i].directories, why->message);
      continue;
    }
    g_autofree char *paths = paths_of(tree);
    CU_ASSERT_STRING_EQUAL(tree->layout->word, table[i].layout);
    CU_ASSERT_STRING_EQUAL(paths, table[i].paths);
    if (strcmp(paths, table[i].paths) != 0)
      printf("%s: %s\n", table[i].directories, paths);
    g_auto(GStrv) each = g_strsplit(paths, " ", -1);
    for (char **path = each; *path != NULL; path++) {
      g_autofree char *directory = maildir_tree_find(tree, *path, NULL);
      CU_ASSERT_PTR_NOT_NULL(directory);
    }
  }
}

static void
a_layout_that_is_not_that_of_the_tree_is_refused(void)
{
  static const struct {
    const char *directories, *word, *message; /* NULL: it can be */
  } table[] = {
    { ". .A", "fs", "has the layout maildir++" },
    { ". .A", "single", "has the layout maildir++" },
    { ". A", "maildir++", "has the layout fs" },
    { "INBOX INBOX.A", "maildir++", "has the layout flat" },
    { "INBOX INBOX.A", "fs", NULL },
    { "INBOX Archive.2020", "flat", NULL },
    { ". .A B", "fs", NULL },
    { ".", "single", NULL },
    { ".", "fs", NULL },
    { "", "fs", "it is empty" },
    { "Some", "fs", NULL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    new_tree(table[i].directories);
    g_autoptr(GError) why = NULL;
    g_autoptr(MaildirTree) tree = open_tree(table[i].word, false, &why);
    CU_ASSERT_EQUAL(tree != NULL, table[i].message == NULL);
    if (tree == NULL && table[i].message != NULL) {
      CU_ASSERT_EQUAL(haul_error_reach(why), HAUL_ERROR_ACCOUNT);
      CU_ASSERT_PTR_NOT_NULL(strstr(why->message, table[i].message));
    }
  }
}

static void
a_new_tree_has_the_layout_asked_for_and_keeps_it(void)
{
  static const char *const words[] = { "maildir++", "fs", "flat", "single" };
  static const char *const directories[] = { ".A.B", "A/B", "A.B", NULL };
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    new_tree("");
    g_autoptr(MaildirTree) tree = open_tree(words[i], true, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
    CU_ASSERT(maildir_root_make(tree, NULL));
    g_autoptr(GError) why = NULL;
    bool made = maildir_tree_create(tree, "A/B", &why);
    CU_ASSERT_EQUAL(made, directories[i] != NULL);
    g_autofree char *directory = maildir_tree_find(tree, "A/B", NULL);
    CU_ASSERT(g_strcmp0(directory, directories[i]) == 0);
    if (!made) {
      CU_ASSERT_EQUAL(haul_error_reach(why), HAUL_ERROR_FOLDER);
      CU_ASSERT_PTR_NOT_NULL(strstr(why->message, "holds INBOX alone, not A/B"));
    }
    g_autoptr(MaildirTree) again = open_tree(NULL, true, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    CU_ASSERT_PTR_EQUAL(again->layout, tree->layout);
    CU_ASSERT_STRING_EQUAL(again->inbox, tree->inbox);
    g_autoptr(GError) refused = NULL;
    g_autoptr(MaildirTree) other = open_tree(words[(i + 1) % 4], true, &refused);
    CU_ASSERT_PTR_NULL(other);
    CU_ASSERT(refused != NULL && strstr(refused->message, ".mailhaul says") != NULL);
  }
}

static void
a_flat_tree_keeps_its_separator(void)
{
  static const char *const trees[][2] = { { "INBOX INBOX_Sent", "_" },
                                          { "INBOX INBOX.Sent", "." } };
  for (size_t i = 0; i < G_N_ELEMENTS(trees); i++) {
    new_tree(trees[i][0]);
    g_autoptr(MaildirTree) tree = open_tree(NULL, true, NULL);
    CU_ASSERT(tree != NULL && maildir_root_make(tree, NULL));
    /* Both: now nothing shows it. */
    run("mkdir -p INBOX_a/cur INBOX.b/cur INBOX!c/cur");
    g_autoptr(MaildirTree) again = open_tree(NULL, true, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    CU_ASSERT_EQUAL(again->naming.separator, trees[i][1][0]);
    run("rm -r INBOX?Sent INBOX_a INBOX.b");
    g_autoptr(MaildirTree) misled = open_tree(NULL, true, NULL);
    CU_ASSERT(misled != NULL && misled->naming.separator == trees[i][1][0]);
  }
}

static void
an_unknown_layout_is_left_alone(void)
{
  new_tree(".");
  run("printf '[maildir]\\nuuid=11111111-2222-4333-8444-555555555555\\nlayout=later\\n' "
      ">.mailhaul");
  g_autoptr(GError) why = NULL;
  g_autoptr(MaildirTree) tree = open_tree(NULL, true, &why);
  CU_ASSERT_PTR_NULL(tree);
  CU_ASSERT(why != NULL && strstr(why->message, "does not know") != NULL);
}

static void
what_may_be_a_home_is_no_destination_unless_named(void)
{
  new_tree("Mail/A");
  g_autoptr(GError) why = NULL;
  g_autoptr(MaildirTree) tree = open_tree(NULL, true, &why);
  CU_ASSERT_PTR_NULL(tree);
  CU_ASSERT(why != NULL && strstr(why->message, "name its layout") != NULL);
  g_autoptr(MaildirTree) named = open_tree("fs", true, NULL);
  CU_ASSERT_PTR_NOT_NULL(named);
  run("mkdir work");
  g_autoptr(MaildirTree) source = open_tree(NULL, false, NULL);
  CU_ASSERT_PTR_NULL(source);
}

static void
new_folders_lie_where_their_parents_do(void)
{
  new_tree("Inbox Entw\303\274rfe top/.sub");
  g_autoptr(MaildirTree) tree = open_tree(NULL, true, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
  CU_ASSERT(maildir_root_make(tree, NULL));
  static const char *const table[][2] = {
    { "INBOX/Sub/x", "Inbox/Sub/x" },
    { "Entw\303\274rfe/a/b", "Entw\303\274rfe/a/b" },
    { "top/sub/deeper", "top/.sub/deeper" },
    { "top", "top" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    CU_ASSERT(maildir_tree_create(tree, table[i][0], NULL));
    g_autofree char *directory = maildir_tree_find(tree, table[i][0], NULL);
    CU_ASSERT_STRING_EQUAL(directory, table[i][1]);
  }
  g_autofree char *paths = paths_of(tree);
  CU_ASSERT_STRING_EQUAL(paths, "Entw\303\274rfe Entw\303\274rfe/a/b INBOX INBOX/Sub/x top top/sub "
                                "top/sub/deeper");
  run("test ! -e cur && test -d Inbox/cur && test -f .mailhaul");
}

static void
a_name_that_is_too_long_is_told_with_the_limit(void)
{
  g_autofree char *level = g_strnfill(130, 'x');
  g_autofree char *path = g_strconcat(level, "/", level, NULL);
  g_autofree char *beyond = g_strnfill(256, 'y');
  new_tree("");
  g_autoptr(MaildirTree) tree = open_tree(NULL, true, NULL);
  CU_ASSERT(maildir_root_make(tree, NULL));
  g_autoptr(GError) why = NULL;
  CU_ASSERT_FALSE(maildir_tree_create(tree, path, &why));
  CU_ASSERT(why != NULL && strstr(why->message, "262 octets") != NULL
            && strstr(why->message, "holds 255; the layout fs") != NULL);
  new_tree("");
  g_autoptr(MaildirTree) nested = open_tree("fs", true, NULL);
  CU_ASSERT(maildir_root_make(nested, NULL));
  CU_ASSERT(maildir_tree_create(nested, path, NULL));
  g_autoptr(GError) too_long = NULL;
  CU_ASSERT_FALSE(maildir_tree_create(nested, beyond, &too_long));
  CU_ASSERT(too_long != NULL && strstr(too_long->message, "256 octets") != NULL);
}

static void
names_that_differ_by_case_are_one_where_the_file_system_says_so(void)
{
  static const char *const words[] = { "maildir++", "fs" };
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    new_tree("");
    ignored = CASE_OF_LETTERS;
    g_autoptr(MaildirTree) tree = open_tree(words[i], true, NULL);
    CU_ASSERT(maildir_root_make(tree, NULL));
    CU_ASSERT(maildir_tree_create(tree, "foo/bar", NULL));
    CU_ASSERT(maildir_tree_create(tree, "FOO/bar", NULL)); /* who lists then sees which it is */
    g_autofree char *other = maildir_tree_find(tree, "FOO/bar", NULL);
    CU_ASSERT_PTR_NULL(other);
    /* \303\240 and \312\200 are &AOA- and &AoA- */
    g_autoptr(GError) why = NULL;
    CU_ASSERT(maildir_tree_create(tree, "\303\240", NULL));
    CU_ASSERT_FALSE(maildir_tree_create(tree, "\312\200", &why));
    CU_ASSERT(why != NULL
              && strstr(why->message, "takes the folders \312\200 and \303\240 for one"));
    g_autofree char *paths = paths_of(tree);
    CU_ASSERT_STRING_EQUAL(paths, "INBOX foo/bar \303\240");
    ignored = NOTHING;
    CU_ASSERT(maildir_tree_create(tree, "FOO/bar", NULL));
    g_autofree char *both = paths_of(tree);
    CU_ASSERT_STRING_EQUAL(both, "FOO/bar INBOX foo/bar \303\240");
  }
}

static void
names_that_differ_by_blanks_at_the_end_are_not_merged(void)
{
  new_tree("");
  ignored = BLANKS_AT_THE_END;
  g_autoptr(MaildirTree) tree = open_tree("fs", true, NULL);
  CU_ASSERT(maildir_root_make(tree, NULL));
  CU_ASSERT(maildir_tree_create(tree, "box", NULL));
  g_autoptr(GError) why = NULL;
  CU_ASSERT_FALSE(maildir_tree_create(tree, "box ", &why));
  CU_ASSERT(why != NULL && strstr(why->message, "takes the folders box  and box for one"));
  ignored = NOTHING;
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_tree_shows_its_layout),
    CASE(a_layout_that_is_not_that_of_the_tree_is_refused),
    CASE(a_new_tree_has_the_layout_asked_for_and_keeps_it),
    CASE(a_flat_tree_keeps_its_separator),
    CASE(an_unknown_layout_is_left_alone),
    CASE(what_may_be_a_home_is_no_destination_unless_named),
    CASE(new_folders_lie_where_their_parents_do),
    CASE(a_name_that_is_too_long_is_told_with_the_limit),
    CASE(names_that_differ_by_case_are_one_where_the_file_system_says_so),
    CASE(names_that_differ_by_blanks_at_the_end_are_not_merged),
  };
  scratch = g_dir_make_tmp("maildir-layout-XXXXXX", NULL);
  int status = RUN_SUITE("maildir layout", cases);
  g_autofree char *command = g_strdup_printf("rm -rf '%s'", scratch);
  if (system(command) != 0)
    status = 1;
  g_free(root);
  g_free(scratch);
  return status;
}
