/* Tests id-map.c: what is written of the pairs of a state, and where. */
#include "suite.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>

#include "id-map.h"
#include "state.h"

/* A pass over one folder of the journal, whose ids are UIDLs or not. */
static HaulPass
pass_of(int64_t number, const HaulPlanFolder *folder1)
{
  HaulFolderWork work = { .plan = { .folder1 = folder1 }, .number = number };
  HaulPass pass = { .folders = g_array_new(FALSE, TRUE, sizeof(HaulFolderWork)) };
  g_array_append_val(pass.folders, work);
  return pass;
}

/* What is written of a folder, without the head; to be freed. */
static char *
map_of(const State *state, int64_t number, uint32_t attributes, const char *path)
{
  g_autoptr(HaulIdMap) map = haul_id_map_new(path, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(map);
  HaulPlanFolder folder1 = { .path = "a", .attributes = attributes };
  HaulPass pass = pass_of(number, &folder1);
  haul_id_map_note(map, &pass);
  g_array_unref(pass.folders);
  CU_ASSERT(haul_id_map_write(map, state->journal, NULL));
  char *text = NULL;
  CU_ASSERT_FATAL(g_file_get_contents(path, &text, NULL, NULL));
  static const char head[] = "# UIDL\tfolder\tUIDVALIDITY\tUID\n";
  const char *rest = strstr(text, head);
  CU_ASSERT_PTR_NOT_NULL_FATAL(rest);
  memmove(text, rest + strlen(head), strlen(rest + strlen(head)) + 1);
  return text;
}

static void
uidls_are_listed_in_the_order_of_the_copies_and_made_up_ids_are_not(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t a = haul_journal_begin_folder(state.journal, "a", "b \\ c", 7, 4000000000, NULL);
  int64_t other = haul_journal_begin_folder(state.journal, "a", "other", 7, 9, NULL);
  state_add_pair(&state, other, "elsewhere", "1");
  state_add_pair(&state, a, "zz", "9");
  state_add_pair(&state, a, "#1\x7f\\", "10");
  state_add_pair(&state, a, "made up", "11");
  state_add_pair(&state, a, "nameless", NULL);
  state_add_pair(&state, a, "17", "3000000000");
  state_add_pair(&state, a, "removed", "13");
  CU_ASSERT(haul_journal_set_gone(state.journal, a, "removed", true, NULL));
  g_autofree char *path = g_build_filename(state.folder, "map", NULL);
  g_autofree char *text = map_of(&state, a, HAUL_FOLDER_UIDLS, path);
  CU_ASSERT_STRING_EQUAL(text, "zz\tb \\x5C c\t4000000000\t9\n"
                               "\\x231\\x7F\\x5C\tb \\x5C c\t4000000000\t10\n"
                               "17\tb \\x5C c\t4000000000\t3000000000\n");
  g_autofree char *none = map_of(&state, a, HAUL_FOLDER_UIDS, path);
  CU_ASSERT_STRING_EQUAL(none, "");
}

static void
ids_that_are_names_are_listed_by_name_and_no_epoch_is_a_dash(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t a = haul_journal_begin_folder(state.journal, "a", "a", 0, 0, NULL);
  state_add_pair(&state, a, "x", "2.b\t:c");
  state_add_pair(&state, a, "y", "1.a");
  g_autofree char *path = g_build_filename(state.folder, "map", NULL);
  g_autofree char *text = map_of(&state, a, HAUL_FOLDER_UIDLS, path);
  CU_ASSERT_STRING_EQUAL(text, "y\ta\t-\t1.a\nx\ta\t-\t2.b\\x09:c\n");
}

static void
the_file_is_private_and_replaced_where_a_link_leads(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t a = state_begin_folder(&state, "a", 7, 8);
  g_autofree char *path = g_build_filename(state.folder, "map", NULL);
  g_autofree char *link = g_build_filename(state.folder, "link", NULL);
  CU_ASSERT(g_file_set_contents(path, "old", -1, NULL));
  CU_ASSERT_EQUAL(symlink("map", link), 0);
  struct stat before, after, of_link;
  CU_ASSERT_EQUAL(stat(path, &before), 0);
  g_autofree char *text = map_of(&state, a, HAUL_FOLDER_UIDLS, link);
  CU_ASSERT_STRING_EQUAL(text, "");
  CU_ASSERT_EQUAL(stat(path, &after) + lstat(link, &of_link), 0);
  CU_ASSERT(S_ISLNK(of_link.st_mode));
  CU_ASSERT_NOT_EQUAL(after.st_ino, before.st_ino);
  CU_ASSERT_EQUAL(after.st_mode & 07777, 0600);
}

static void
what_is_no_file_is_refused_before_the_run(void)
{
  g_autofree char *folder = make_test_folder();
  g_autofree char *pipe = g_build_filename(folder, "pipe", NULL);
  g_autofree char *missing = g_build_filename(folder, "no", "map", NULL);
  g_autofree char *slash = g_build_filename(folder, "map/", NULL);
  CU_ASSERT_EQUAL(mkfifo(pipe, 0600), 0);
  const char *const paths[] = { "", "/dev/null", folder, pipe, missing, slash };
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(haul_id_map_new(paths[i], &error));
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "cannot write the map of UIDLs");
  }
  unlink(pipe);
  rmdir(folder);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(uidls_are_listed_in_the_order_of_the_copies_and_made_up_ids_are_not),
    CASE(ids_that_are_names_are_listed_by_name_and_no_epoch_is_a_dash),
    CASE(the_file_is_private_and_replaced_where_a_link_leads),
    CASE(what_is_no_file_is_refused_before_the_run),
  };
  return RUN_SUITE("id map", cases);
}
