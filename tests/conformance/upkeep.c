/* Removing messages, searching, renaming and removing folders. */
#include "subject.h"

#include <string.h>

/* Makes a folder with messages numbered from 1, which is selected. Returns its path, to be freed. */
static char *
fill(Opened *opened, const char *level, unsigned n)
{
  char *path = create_fresh(opened, level);
  HaulFolder folder = { 0 };
  HaulItem item = { .date = HAUL_NO_DATE };
  g_autofree Receipt *receipts = g_new0(Receipt, n + 1);
  MUST(haul_store_select(opened->store, path, HAUL_READ | HAUL_WRITE, &folder, error));
  for (unsigned i = 1; i <= n; i++) {
    g_autofree char *text = g_strdup_printf("Subject: %u\r\n\r\nx\r\n", i);
    item.flags = i % 2 == 0 ? HAUL_SEEN : 0;
    MUST(put_one(opened, &item, text, strlen(text), &receipts[i], error));
  }
  MUST(haul_store_flush(opened->store, error));
  for (unsigned i = 1; i <= n; i++)
    receipt_clear(&receipts[i]);
  MUST(haul_store_select(opened->store, path, HAUL_READ, &folder, error));
  return path;
}

static void
only_the_messages_named_are_removed(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (subject.plugin->store->expunge == NULL)
    return;
  g_autofree char *path G_GNUC_UNUSED = fill(&opened, "expunged", 5);
  g_autoptr(GPtrArray) before = list_all(&opened, 0, NULL, NULL);
  CU_ASSERT_FATAL(before != NULL && before->len == 5);
  const char *const victims[] = { listed(before, 1)->id, listed(before, 2)->id,
                                  listed(before, 4)->id };
  MUST(haul_store_expunge(opened.store, victims, 3, error));
  MUST(haul_store_expunge(opened.store, victims, 1, error)); /* what is gone is passed over */
  MUST(haul_store_expunge(opened.store, NULL, 0, error));
  g_autoptr(GPtrArray) after = list_all(&opened, 0, NULL, NULL);
  CU_ASSERT_FATAL(after != NULL && after->len == 2);
  CU_ASSERT_STRING_EQUAL(listed(after, 0)->id, listed(before, 0)->id);
  CU_ASSERT_STRING_EQUAL(listed(after, 1)->id, listed(before, 3)->id);
}

/* So it is asked of a source, which is not opened for writing. */
static void
a_store_that_was_opened_for_reading_removes_too(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (subject.plugin->store->expunge == NULL)
    return;
  g_autofree char *path = fill(&opened, "read only", 3);
  g_auto(Opened) source = open_subject(HAUL_READ);
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  MUST(haul_store_select(source.store, path, HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) before = list_all(&source, 0, NULL, NULL);
  CU_ASSERT_FATAL(before != NULL && before->len == 3);
  const char *const victims[] = { listed(before, 0)->id, listed(before, 2)->id };
  MUST(haul_store_expunge(source.store, victims, 2, error));
  g_autoptr(GPtrArray) after = list_all(&source, 0, NULL, NULL);
  CU_ASSERT_FATAL(after != NULL && after->len == 1);
  CU_ASSERT_STRING_EQUAL(listed(after, 0)->id, listed(before, 1)->id);
}

static void
what_others_marked_as_deleted_stays(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (subject.plugin->store->expunge == NULL)
    return;
  g_autofree char *path = fill(&opened, "marked", 3);
  g_autoptr(GPtrArray) before = list_all(&opened, 0, NULL, NULL);
  CU_ASSERT_FATAL(before != NULL && before->len == 3);
  const char *const theirs[] = { listed(before, 0)->id }, *const ours[] = { listed(before, 2)->id };
  HaulFlagChange deleted = { .add = HAUL_DELETED };
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  MUST(haul_store_select(opened.store, path, HAUL_READ | HAUL_WRITE, &folder, error));
  MUST(haul_store_set_flags(opened.store, theirs, 1, &deleted, error));
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  g_autoptr(GError) why = NULL;
  bool done = haul_store_expunge(opened.store, ours, 1, &why);
  CU_ASSERT(done || haul_error_reach(why) == HAUL_ERROR_FOLDER);
  g_autoptr(GPtrArray) after = list_all(&opened, 0, NULL, NULL);
  CU_ASSERT_FATAL(after != NULL && after->len == (done ? 2 : 3));
  CU_ASSERT_STRING_EQUAL(listed(after, 0)->id, theirs[0]);
  CU_ASSERT(done || (listed(after, 2)->flags & HAUL_DELETED) == 0);
}

static bool
keep_found(const HaulItem *item, void *data)
{
  g_ptr_array_add(data, g_strdup(item->id));
  return true;
}

static void
a_search_finds_what_matches(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (subject.plugin->store->search == NULL)
    return;
  g_autofree char *path G_GNUC_UNUSED = fill(&opened, "searched", 5);
  g_autoptr(GPtrArray) all = list_all(&opened, 0, NULL, NULL);
  g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) none = g_ptr_array_new_with_free_func(g_free);
  CU_ASSERT_FATAL(all != NULL && all->len == 5);
  MUST(haul_store_search(opened.store, "SEEN", keep_found, seen, error));
  CU_ASSERT_FATAL(seen->len == 2);
  CU_ASSERT_STRING_EQUAL(seen->pdata[0], listed(all, 1)->id);
  CU_ASSERT_STRING_EQUAL(seen->pdata[1], listed(all, 3)->id);
  MUST(haul_store_search(opened.store, "DRAFT", keep_found, none, error));
  CU_ASSERT(none->len == 0);
  g_autoptr(GError) why = NULL;
  CU_ASSERT(!haul_store_search(opened.store, "NOSUCHKEY", keep_found, none, &why));
  CU_ASSERT(why != NULL && haul_error_reach(why) == HAUL_ERROR_FOLDER);
}

static void
a_renamed_folder_keeps_its_mail(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (subject.plugin->store->rename == NULL)
    return;
  g_autofree char *from = fill(&opened, "before & after", 2);
  g_autofree char *to = folder_called("renamed");
  HaulFolder folder = { 0 };
  MUST(haul_store_rename(opened.store, from, to, error));
  g_autoptr(GHashTable) all = told_folders(&opened);
  CU_ASSERT(!g_hash_table_contains(all, from) && g_hash_table_contains(all, to));
  MUST(haul_store_select(opened.store, to, HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) items = list_all(&opened, 0, NULL, NULL);
  CU_ASSERT(items != NULL && items->len == 2);
  g_autoptr(GError) why = NULL;
  bool again = haul_store_rename(opened.store, from, to, &why);
  CU_ASSERT(!again || subject.lenient); /* Courier says OK of a folder that is not there */
  CU_ASSERT(again || haul_error_reach(why) == HAUL_ERROR_FOLDER);
}

static void
a_removed_folder_is_gone(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (subject.plugin->store->remove == NULL)
    return;
  g_autofree char *path = fill(&opened, "removed", 1);
  MUST(haul_store_remove(opened.store, path, error));
  g_autoptr(GHashTable) all = told_folders(&opened);
  CU_ASSERT(!g_hash_table_contains(all, path));
  g_autoptr(GError) why = NULL;
  CU_ASSERT(!haul_store_remove(opened.store, path, &why));
  CU_ASSERT(why != NULL && haul_error_reach(why) == HAUL_ERROR_FOLDER);
}

static void
a_change_ends_the_waiting(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (subject.plugin->store->wait == NULL)
    return;
  g_autofree char *path = fill(&opened, "waited for", 1);
  bool changed = true;
  MUST(haul_store_wait(opened.store, 0, &changed, error));
  CU_ASSERT(!changed);
  MUST(haul_store_wait(opened.store, 1, &changed, error));
  CU_ASSERT(!changed);

  g_auto(Opened) other = open_subject(HAUL_READ | HAUL_WRITE);
  HaulFolder folder = { 0 };
  HaulItem item = { .date = HAUL_NO_DATE };
  g_auto(Receipt) receipt = { 0 };
  MUST(haul_store_select(other.store, path, HAUL_READ | HAUL_WRITE, &folder, error));
  MUST(put_one(&other, &item, "a: b\r\n\r\nc\r\n", 11, &receipt, error));
  MUST(haul_store_flush(other.store, error));
  MUST(haul_store_wait(opened.store, 2, &changed, error));
  if (!changed) /* who does not notice by himself is asked */
    MUST(haul_store_wait(opened.store, 0, &changed, error));
  CU_ASSERT(changed || subject.lenient);
  if (!changed)
    return;
  g_autoptr(GPtrArray) items = list_all(&opened, 0, NULL, NULL);
  CU_ASSERT(items != NULL && items->len == 2);
}

static void
quotas_are_told_or_unknown(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  for (unsigned time = 0; time < 2; time++) {
    uint64_t used = 1, limit = 1;
    MUST(haul_store_quota(opened.store, &used, &limit, error));
    CU_ASSERT((used == HAUL_UNKNOWN) == (limit == HAUL_UNKNOWN));
  }
}

const Case upkeep_cases[] = {
  CASE(only_the_messages_named_are_removed), CASE(a_store_that_was_opened_for_reading_removes_too),
  CASE(what_others_marked_as_deleted_stays), CASE(a_search_finds_what_matches),
  CASE(a_renamed_folder_keeps_its_mail),     CASE(a_removed_folder_is_gone),
  CASE(a_change_ends_the_waiting),           CASE(quotas_are_told_or_unknown),
};
const size_t n_upkeep_cases = G_N_ELEMENTS(upkeep_cases);
