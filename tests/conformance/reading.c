/* What a store must keep that is only read: it holds some mail in INBOX already. The last case takes some away. */
#include "subject.h"

#include <string.h>

static const char *const subject_field[] = { "Subject", NULL };

static Opened
open_inbox(void)
{
  Opened opened = open_subject(HAUL_READ);
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ, &folder, error));
  return opened;
}

static void
expect_same_ids(const GPtrArray *one, const GPtrArray *other)
{
  CU_ASSERT_FATAL(one != NULL && other != NULL);
  CU_ASSERT_EQUAL(one->len, other->len);
  for (guint i = 0; i < MIN(one->len, other->len); i++)
    CU_ASSERT_STRING_EQUAL(listed(one, i)->id, listed(other, i)->id);
}

static void
every_message_is_listed_once(void)
{
  g_auto(Opened) opened = open_inbox();
  g_autoptr(GHashTable) folders = told_folders(&opened);
  const ToldFolder *inbox = g_hash_table_lookup(folders, "INBOX");
  g_autoptr(GPtrArray) items = list_all(&opened, 0, NULL, NULL);
  CU_ASSERT_FATAL(inbox != NULL && items != NULL && items->len > 5);
  CU_ASSERT(inbox->times == 1);
  CU_ASSERT(inbox->n_messages == HAUL_UNKNOWN || inbox->n_messages == items->len);
  g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < items->len; i++)
    CU_ASSERT(g_hash_table_add(ids, listed(items, i)->id));
}

static void
a_listing_tells_what_is_asked(void)
{
  g_auto(Opened) opened = open_inbox();
  g_autoptr(GPtrArray) plain = list_all(&opened, 0, NULL, NULL);
  g_autoptr(GPtrArray) items = list_all(&opened, HAUL_WANT_SIZE, subject_field, NULL);
  expect_same_ids(plain, items);
  for (guint i = 0; i < items->len; i++) {
    gsize size;
    CU_ASSERT_FATAL(listed(items, i)->header != NULL);
    const char *header = g_bytes_get_data(listed(items, i)->header, &size);
    CU_ASSERT(size > 9 && g_ascii_strncasecmp(header, "Subject: ", 9) == 0);
    CU_ASSERT(memchr(header, '\n', size) == header + size - 1);
  }
}

static void
what_is_fetched_is_what_is_listed(void)
{
  g_auto(Opened) opened = open_inbox();
  g_auto(Fetched) fetched = { 0 };
  HaulRange all = { NULL, NULL };
  MUST(fetch_ranges(&opened, &all, 1, &fetched, error)); /* no listing need come before */
  g_autoptr(GPtrArray) items = list_all(&opened, 0, NULL, NULL);
  CU_ASSERT_FATAL(items != NULL && fetched.messages->len == items->len);
  CU_ASSERT_EQUAL(fetched.skipped->len, 0);
  for (guint i = 0; i < items->len; i++) {
    const HaulItem *item = haul_message_item(fetched.messages->pdata[i]);
    CU_ASSERT_STRING_EQUAL(item->id, listed(items, i)->id);
  }
}

static void
ranges_choose_neighbours(void)
{
  g_auto(Opened) opened = open_inbox();
  g_autoptr(GPtrArray) items = list_all(&opened, 0, NULL, NULL);
  CU_ASSERT_FATAL(items != NULL && items->len > 5);
  guint last = items->len - 1;
  const char *second = listed(items, 1)->id, *third = listed(items, 2)->id;
  HaulRange ranges[] = {
    { NULL, second }, { third, third }, { second, second }, { listed(items, last)->id, NULL }
  };
  g_autoptr(GPtrArray) chosen = list_ranges(&opened, ranges, 4, 0, NULL, NULL);
  CU_ASSERT_FATAL(chosen != NULL && chosen->len == 4);
  for (guint i = 0; i < 4; i++)
    CU_ASSERT_STRING_EQUAL(listed(chosen, i)->id, listed(items, i < 3 ? i : last)->id);
  g_auto(Fetched) fetched = { 0 };
  MUST(fetch_ranges(&opened, ranges, 4, &fetched, error));
  CU_ASSERT_FATAL(fetched.messages->len == 4);
  for (guint i = 0; i < 4; i++)
    CU_ASSERT_STRING_EQUAL(haul_message_item(fetched.messages->pdata[i])->id,
                           listed(chosen, i)->id);
}

static void
no_ranges_are_nothing(void)
{
  g_auto(Opened) opened = open_inbox();
  g_autoptr(GPtrArray) items = list_ranges(&opened, NULL, 0, 0, NULL, NULL);
  CU_ASSERT(items != NULL && items->len == 0);
  g_auto(Fetched) fetched = { 0 };
  MUST(fetch_ranges(&opened, NULL, 0, &fetched, error));
  CU_ASSERT(fetched.messages->len == 0 && fetched.skipped->len == 0);
}

static void
a_message_that_is_gone_is_skipped(void)
{
  g_auto(Opened) opened = open_inbox();
  HaulRange gone = { "never-there", "never-there" };
  g_autoptr(GPtrArray) items = list_ranges(&opened, &gone, 1, 0, NULL, NULL);
  CU_ASSERT(items != NULL && items->len == 0);
  g_auto(Fetched) fetched = { 0 };
  MUST(fetch_ranges(&opened, &gone, 1, &fetched, error));
  CU_ASSERT_EQUAL(fetched.messages->len, 0);
  CU_ASSERT_FATAL(fetched.skipped->len == 1);
  CU_ASSERT_STRING_EQUAL(fetched.skipped->pdata[0], "never-there");
}

static char *
token_of(Opened *opened)
{
  g_autoptr(GHashTable) folders = told_folders(opened);
  const ToldFolder *inbox = g_hash_table_lookup(folders, "INBOX");
  return g_strdup(inbox != NULL ? inbox->change_token : NULL);
}

static void
ids_and_tokens_hold_in_another_session(void)
{
  g_autoptr(GPtrArray) before = NULL;
  g_autofree char *token = NULL;
  {
    g_auto(Opened) opened = open_inbox();
    g_auto(Fetched) fetched = { 0 };
    HaulRange all = { NULL, NULL };
    token = token_of(&opened);
    MUST(fetch_ranges(&opened, &all, 1, &fetched, error));
    before = list_all(&opened, 0, NULL, NULL);
  }
  g_auto(Opened) again = open_inbox();
  g_autoptr(GPtrArray) after = list_all(&again, 0, NULL, NULL);
  g_autofree char *now = token_of(&again);
  expect_same_ids(before, after);
  CU_ASSERT(g_strcmp0(token, now) == 0);
}

static void
a_folder_that_is_not_there_fails_alone(void)
{
  g_auto(Opened) opened = open_inbox();
  g_autoptr(GError) why = NULL;
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  CU_ASSERT(!haul_store_select(opened.store, "never/there", HAUL_READ, &folder, &why));
  CHECK_ERROR(why, HAUL_ERROR_FOLDER, "select", NULL);
  MUST(haul_store_select(opened.store, "INBOX", HAUL_READ, &folder, error));
}

static bool
stop(const HaulItem *item, void *data)
{
  ++*(unsigned *)data;
  return false;
}

static void
a_listing_that_its_caller_ends_is_no_error(void)
{
  g_auto(Opened) opened = open_inbox();
  HaulRange all = { NULL, NULL };
  const char *const *const fields[] = { NULL, subject_field };
  for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
    g_autoptr(GError) why = NULL;
    unsigned n = 0;
    CU_ASSERT(!haul_store_list(opened.store, &all, 1, 0, fields[i], stop, &n, &why));
    CU_ASSERT(n == 1 && why == NULL);
    g_autoptr(GPtrArray) items = list_all(&opened, 0, NULL, NULL); /* and the store goes on */
    CU_ASSERT(items != NULL && items->len > 5);
  }
}

/* Where the store cannot tell messages apart for certain, it says so, and takes none away. */
static void
what_is_removed_is_gone_in_another_session(void)
{
  bool removed;
  g_autoptr(GPtrArray) before = NULL;
  {
    g_auto(Opened) opened = open_inbox();
    before = list_all(&opened, 0, NULL, NULL);
    CU_ASSERT_FATAL(before != NULL && before->len > 5);
    const char *const victims[] = { listed(before, 3)->id, "never-there", listed(before, 0)->id };
    g_autoptr(GError) why = NULL;
    removed = haul_store_expunge(opened.store, victims, 3, &why);
    if (!removed)
      CHECK_ERROR(why, HAUL_ERROR_FOLDER, "unsupported", NULL);
  }
  g_auto(Opened) again = open_inbox();
  g_autoptr(GPtrArray) after = list_all(&again, 0, NULL, NULL);
  if (!removed) {
    expect_same_ids(before, after);
    return;
  }
  CU_ASSERT_FATAL(after != NULL && after->len == before->len - 2);
  CU_ASSERT_STRING_EQUAL(listed(after, 0)->id, listed(before, 1)->id);
  CU_ASSERT_STRING_EQUAL(listed(after, 2)->id, listed(before, 4)->id);
}

const Case reading_cases[] = {
  CASE(every_message_is_listed_once),
  CASE(a_listing_tells_what_is_asked),
  CASE(what_is_fetched_is_what_is_listed),
  CASE(ranges_choose_neighbours),
  CASE(no_ranges_are_nothing),
  CASE(a_message_that_is_gone_is_skipped),
  CASE(ids_and_tokens_hold_in_another_session),
  CASE(a_folder_that_is_not_there_fails_alone),
  CASE(a_listing_that_its_caller_ends_is_no_error),
  CASE(what_is_removed_is_gone_in_another_session),
};
const size_t n_reading_cases = G_N_ELEMENTS(reading_cases);
