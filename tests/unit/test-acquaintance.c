/* Tests acquaintance.c: what is remembered of who was found at a place. */
#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "acquaintance.h"

static const HaulSetting settings[] = {
  { "host", 's', "", "" },
  { "user", 's', "", "" },
  { "path", 'p', "", "" },
  { NULL, 0, NULL, NULL },
};
static const HaulPlugin plugin = { HAUL_PLUGIN_HEAD, .name = "sample", .settings = settings };
static const HaulPlugin another = { HAUL_PLUGIN_HEAD, .name = "another", .settings = settings };

static HaulAccount *
account_at(const HaulPlugin *backend, const char *host, const char *user, const char *path)
{
  HaulAccount *account = haul_account_new(2, backend, NULL);
  haul_account_set(account, "host", host, NULL);
  haul_account_set(account, "user", user, NULL);
  haul_account_set(account, "path", path, NULL);
  return account;
}

/* Who is known to be there, to be freed; NULL for nobody. */
static char *
recall(const char *folder, const HaulPlugin *backend, const char *host, const char *user,
       const char *path)
{
  g_autoptr(HaulAccount) account = account_at(backend, host, user, path);
  haul_acquaintance_recall(folder, account);
  return g_strdup(haul_account_known_identity(account));
}

static void
note(const char *folder, const char *path, const char *identity)
{
  g_autoptr(HaulAccount) account = account_at(&plugin, "", "", path);
  haul_acquaintance_recall(folder, account);
  CU_ASSERT(haul_acquaintance_note(folder, account, identity, NULL));
}

static void
remove_folder(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (unlink(path) != 0)
      rmdir(path);
  }
  rmdir(folder);
}

/* The path of the only file in @folder, to be freed; NULL if there is none. */
static char *
only_file(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name = g_dir_read_name(dir);
  char *path = name != NULL ? g_build_filename(folder, name, NULL) : NULL;
  CU_ASSERT_PTR_NULL(g_dir_read_name(dir));
  return path;
}

static void
who_was_there_is_known_there_and_nowhere_else(void)
{
  g_autofree char *folder = make_test_folder();
  g_autofree char *nobody = recall(folder, &plugin, "", "", "/a/b");
  CU_ASSERT_PTR_NULL(nobody);
  note(folder, "/a/b", "tree \xc3\xb6 \xff\n=1");
  note(folder, "/a/\xff", "another");
  static const struct {
    const HaulPlugin *backend;
    const char *host, *user, *path, *identity;
  } table[] = {
    { &plugin, "", "", "/a/b", "tree \xc3\xb6 \xff\n=1" },
    { &plugin, "", "", "/a//x/../b/", "tree \xc3\xb6 \xff\n=1" },
    { &plugin, "", "", "/a/\xff", "another" },
    { &plugin, "", "", "/a/c", NULL },
    { &plugin, "", "ann", "/a/b", NULL },
    { &plugin, "h", "", "/a/b", NULL },
    { &another, "", "", "/a/b", NULL },
    { &plugin, "", "", "", NULL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *known =
        recall(folder, table[i].backend, table[i].host, table[i].user, table[i].path);
    CU_ASSERT(g_strcmp0(known, table[i].identity) == 0);
  }
  remove_folder(folder);
}

static void
a_relative_path_and_a_link_are_what_they_lead_to(void)
{
  g_autofree char *folder = make_test_folder(), *place = make_test_folder();
  g_autofree char *link = g_build_filename(place, "link", NULL);
  g_autofree char *tree = g_build_filename(place, "tree", NULL);
  g_autofree char *before = g_get_current_dir();
  CU_ASSERT_EQUAL(mkdir(tree, 0700) + symlink("tree", link) + chdir(place), 0);
  note(folder, "./tree", "it");
  g_autofree char *absolute = recall(folder, &plugin, "", "", tree);
  g_autofree char *linked = recall(folder, &plugin, "", "", link);
  CU_ASSERT_STRING_EQUAL(absolute, "it");
  CU_ASSERT_STRING_EQUAL(linked, "it");
  rmdir(tree); /* not mounted: it is the same place */
  g_autofree char *gone = recall(folder, &plugin, "", "", "tree");
  CU_ASSERT_STRING_EQUAL(gone, "it");
  CU_ASSERT_EQUAL(chdir(before), 0);
  remove_folder(place);
  remove_folder(folder);
}

static void
the_file_is_private_and_replaced_only_for_another(void)
{
  g_autofree char *folder = make_test_folder();
  note(folder, "/a", "one");
  g_autofree char *path = only_file(folder);
  CU_ASSERT_PTR_NOT_NULL_FATAL(path);
  struct stat first, same, other;
  CU_ASSERT_EQUAL(stat(path, &first), 0);
  CU_ASSERT_EQUAL(first.st_mode & 07777, 0600);
  note(folder, "/a", "one");
  CU_ASSERT_EQUAL(stat(path, &same), 0);
  CU_ASSERT_EQUAL(same.st_ino, first.st_ino);
  note(folder, "/a", "two");
  CU_ASSERT_EQUAL(stat(path, &other), 0);
  CU_ASSERT_EQUAL(other.st_mode & 07777, 0600);
  g_autofree char *known = recall(folder, &plugin, "", "", "/a");
  CU_ASSERT_STRING_EQUAL(known, "two");
  g_autofree char *still = only_file(folder);
  CU_ASSERT_STRING_EQUAL(still, path);
  remove_folder(folder);
}

static void
a_damaged_file_knows_nobody_and_is_replaced(void)
{
  g_autofree char *folder = make_test_folder();
  note(folder, "/a", "one");
  g_autofree char *path = only_file(folder), *whole = NULL;
  gsize size;
  CU_ASSERT(g_file_get_contents(path, &whole, &size, NULL));
  unsigned n_known = 0;
  for (gsize n = 0; n <= size; n++) {
    CU_ASSERT(g_file_set_contents(path, whole, (gssize)n, NULL));
    g_autofree char *known = recall(folder, &plugin, "", "", "/a");
    CU_ASSERT(known == NULL || g_str_has_prefix("one", known));
    n_known += g_strcmp0(known, "one") == 0;
  }
  CU_ASSERT(n_known >= 1);
  g_autofree char *huge = g_strnfill(1 << 20, '#');
  CU_ASSERT(g_file_set_contents(path, huge, -1, NULL));
  g_autofree char *nobody = recall(folder, &plugin, "", "", "/a");
  CU_ASSERT_PTR_NULL(nobody);
  note(folder, "/a", "one");
  g_autofree char *again = recall(folder, &plugin, "", "", "/a");
  CU_ASSERT_STRING_EQUAL(again, "one");
  remove_folder(folder);
}

static void
what_cannot_be_written_is_said(void)
{
  g_autofree char *folder = make_test_folder();
  g_autofree char *missing = g_build_filename(folder, "missing", NULL);
  g_autoptr(HaulAccount) account = account_at(&plugin, "", "", "/a");
  g_autoptr(GError) error = NULL;
  CU_ASSERT(!haul_acquaintance_note(missing, account, "one", &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "state", "missing");
  remove_folder(folder);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(who_was_there_is_known_there_and_nowhere_else),
    CASE(a_relative_path_and_a_link_are_what_they_lead_to),
    CASE(the_file_is_private_and_replaced_only_for_another),
    CASE(a_damaged_file_knows_nobody_and_is_replaced),
    CASE(what_cannot_be_written_is_said),
  };
  return RUN_SUITE("acquaintance", cases);
}
