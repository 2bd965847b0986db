/* Tests choice.c: where a folder goes that the user sends elsewhere. What is chosen of the source, the tests of the
 * engine show. */
#include "suite.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>

#include "choice.h"

/* A list of the folders whose paths and names at the server @names has, in pairs. */
static HaulFolderList *
list_of(const char *const *names)
{
  HaulFolderList *list = g_new0(HaulFolderList, 1);
  list->folders = g_array_new(FALSE, TRUE, sizeof(HaulPlanFolder));
  list->natives = g_ptr_array_new();
  list->index = g_hash_table_new(g_str_hash, g_str_equal);
  list->texts = g_string_chunk_new(100);
  for (; *names != NULL; names += 2) {
    HaulPlanFolder folder = { .path = names[0] };
    g_array_append_val(list->folders, folder);
    g_ptr_array_add(list->natives, (char *)names[1]);
    g_hash_table_insert(list->index, (char *)names[0], GUINT_TO_POINTER(list->folders->len));
  }
  return list;
}

static GArray *
folders_with(const uint32_t *attributes, size_t n)
{
  GArray *folders = g_array_new(FALSE, TRUE, sizeof(HaulPlanFolder));
  for (size_t i = 0; i < n; i++) {
    HaulPlanFolder folder = { .path = "x", .attributes = attributes[i] };
    g_array_append_val(folders, folder);
  }
  return folders;
}

static void
a_name_is_a_path_then_what_the_server_calls_a_folder_then_a_new_path(void)
{
  static const char *const there[] = {
    "INBOX",
    "INBOX",
    "Gel\xc3\xb6scht",
    "INBOX.Gel&APY-scht",
    "a/b",
    "INBOX.a.b",
    "INBOX.a.b",
    "INBOX.INBOX%2Ea%2Eb",
    "Entw/e",
    "INBOX.Entw.e",
    NULL,
  };
  static const struct {
    const char *wanted, *path;
  } table[] = {
    { "a/b", "a/b" },
    { "INBOX.Entw.e", "Entw/e" },                   /* raw */
    { "INBOX.Gel&APY-scht", "Gel\xc3\xb6scht" },    /* raw */
    { "INBOX.Gel\xc3\xb6scht", "Gel\xc3\xb6scht" }, /* decoded */
    { "INBOX.a.b", "INBOX.a.b" },                   /* its path counts more */
    { "inbox", "INBOX" },
    { "New/one", "New/one" },
  };
  static const uint32_t one[] = { 0 };
  g_autoptr(GArray) folders1 = folders_with(one, 1);
  g_autoptr(HaulFolderList) list = list_of(there);
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *path = haul_choose_target(folders1, list, table[i].wanted, NULL);
    CU_ASSERT_STRING_EQUAL(path, table[i].path);
  }
}

static void
inbox_is_inbox_where_there_is_none_yet(void)
{
  static const char *const none[] = { NULL };
  static const uint32_t one[] = { HAUL_FOLDER_NOSELECT, 0 };
  g_autoptr(GArray) folders1 = folders_with(one, 2);
  g_autoptr(HaulFolderList) list = list_of(none);
  g_autofree char *path = haul_choose_target(folders1, list, "Inbox", NULL);
  CU_ASSERT_STRING_EQUAL(path, "INBOX");
}

static void
several_folders_that_hold_mail_cannot_go_to_one(void)
{
  static const char *const none[] = { NULL };
  static const uint32_t several[] = { 0, HAUL_FOLDER_NOSELECT, 0 };
  g_autoptr(GArray) folders1 = folders_with(several, 3);
  g_autoptr(HaulFolderList) list = list_of(none);
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_choose_target(folders1, list, "a", &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "2 are chosen");
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_name_is_a_path_then_what_the_server_calls_a_folder_then_a_new_path),
    CASE(inbox_is_inbox_where_there_is_none_yet),
    CASE(several_folders_that_hold_mail_cannot_go_to_one),
  };
  return RUN_SUITE("choice", cases);
}
