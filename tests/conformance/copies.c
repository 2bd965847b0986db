/* Copying and moving between folders. */
#include "subject.h"

#include <string.h>

typedef struct {
  GPtrArray *from, *to; /* owned texts: what copy() told */
} Told;

static bool
each_copied(const char *id, const char *new_id, void *data)
{
  Told *told = data;
  g_ptr_array_add(told->from, g_strdup(id));
  g_ptr_array_add(told->to, g_strdup(new_id));
  return true;
}

static void
told_init(Told *told)
{
  told->from = g_ptr_array_new_with_free_func(g_free);
  told->to = g_ptr_array_new_with_free_func(g_free);
}

static void
told_clear(Told *told)
{
  g_ptr_array_unref(told->from);
  g_ptr_array_unref(told->to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Told, told_clear)

/* Makes two folders, the first with three messages, which is selected. */
static GPtrArray *
fill(Opened *opened, const char *from, const char *to, const HaulItem *item)
{
  HaulFolder folder = { 0 };
  Receipt three[3] = { 0 };
  MUST(haul_store_select(opened->store, to, HAUL_READ | HAUL_WRITE, &folder, error));
  MUST(haul_store_select(opened->store, from, HAUL_READ | HAUL_WRITE, &folder, error));
  for (size_t i = 0; i < G_N_ELEMENTS(three); i++) {
    g_autofree char *text = g_strdup_printf("A: %zu\r\n\r\nx\r\n", i);
    MUST(put_one(opened, item, text, strlen(text), &three[i], error));
  }
  MUST(haul_store_flush(opened->store, error));
  for (size_t i = 0; i < G_N_ELEMENTS(three); i++)
    receipt_clear(&three[i]);
  MUST(haul_store_select(opened->store, from, HAUL_READ, &folder, error));
  GPtrArray *items = NULL;
  MUST((items = list_all(opened, 0, NULL, error)) != NULL);
  CU_ASSERT_FATAL(items != NULL && items->len == 3);
  return items;
}

static void
a_copy_has_octets_flags_and_date_of_its_original(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (!haul_store_can_copy(opened.store))
    return;
  g_autofree char *from = create_fresh(&opened, "copy-from");
  g_autofree char *to = create_fresh(&opened, "copy-to");
  const char *const keywords[] = { "Word", NULL };
  const HaulItem item = { .date = 1000000000, .flags = HAUL_FLAGGED, .keywords = keywords };
  g_autoptr(GPtrArray) items = fill(&opened, from, to, &item);
  const char *ids[] = { listed(items, 0)->id, listed(items, 2)->id };
  HaulFolder folder = { 0 };
  g_auto(Told) told;
  told_init(&told);
  MUST(haul_store_copy(opened.store, ids, 2, to, false, each_copied, &told, error));
  CU_ASSERT_FATAL(told.from->len == 2);
  CU_ASSERT(strcmp(told.from->pdata[0], told.from->pdata[1]) != 0);

  MUST(haul_store_select(opened.store, to, HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) copies = NULL;
  MUST((copies = list_all(&opened, HAUL_WANT_DATE, NULL, error)) != NULL);
  CU_ASSERT_FATAL(copies != NULL && copies->len == 2);
  for (guint i = 0; i < 2; i++) {
    const ListedItem *copy = listed(copies, i);
    CU_ASSERT(copy->flags == HAUL_FLAGGED && copy->date == item.date);
    CU_ASSERT(g_strv_length(copy->keywords) == 1
              && g_ascii_strcasecmp(copy->keywords[0], "Word") == 0);
    if (told.to->pdata[i] != NULL) /* ids were told: they are of what is there */
      CU_ASSERT(strcmp(told.to->pdata[i], copies->len > i ? copy->id : "") == 0);
  }
  g_auto(Fetched) fetched = { 0 };
  const HaulRange all = { NULL, NULL };
  MUST(fetch_ranges(&opened, &all, 1, &fetched, error));
  CU_ASSERT_FATAL(fetched.messages->len == 2);
  g_autoptr(GBytes) octets = octets_of(fetched.messages->pdata[1]);
  CU_ASSERT(g_bytes_get_size(octets) == 11
            && memcmp(g_bytes_get_data(octets, NULL), "A: 2\r\n\r\nx\r\n", 11) == 0);

  MUST(haul_store_select(opened.store, from, HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) still = NULL;
  MUST((still = list_all(&opened, 0, NULL, error)) != NULL);
  CU_ASSERT(still != NULL && still->len == 3);
}

static void
what_is_not_there_is_not_told_of(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (!haul_store_can_copy(opened.store))
    return;
  g_autofree char *from = create_fresh(&opened, "gone-from");
  g_autofree char *to = create_fresh(&opened, "gone-to");
  const HaulItem item = { .date = HAUL_NO_DATE };
  g_autoptr(GPtrArray) items = fill(&opened, from, to, &item);
  const char *ids[] = { listed(items, 1)->id, "4000000000" };
  g_auto(Told) told;
  told_init(&told);
  MUST(haul_store_copy(opened.store, ids, 2, to, false, each_copied, &told, error));
  CU_ASSERT(told.from->len == 1 && strcmp(told.from->pdata[0], ids[0]) == 0);
  told_clear(&told);
  told_init(&told);
  MUST(haul_store_copy(opened.store, ids + 1, 1, to, false, each_copied, &told, error));
  CU_ASSERT(told.from->len == 0);
}

static void
a_folder_that_is_not_there_is_an_error_of_it(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (!haul_store_can_copy(opened.store))
    return;
  g_autofree char *from = create_fresh(&opened, "lone-from");
  g_autofree char *to = create_fresh(&opened, "lone-to");
  g_autofree char *absent = folder_called("never-made");
  const HaulItem item = { .date = HAUL_NO_DATE };
  g_autoptr(GPtrArray) items = fill(&opened, from, to, &item);
  const char *ids[] = { listed(items, 1)->id };
  g_autoptr(GError) why = NULL;
  g_auto(Told) told;
  told_init(&told);
  CU_ASSERT(!haul_store_copy(opened.store, ids, 1, absent, false, each_copied, &told, &why));
  CU_ASSERT(told.from->len == 0 && why != NULL && haul_error_reach(why) == HAUL_ERROR_FOLDER);
}

static void
what_is_moved_is_in_one_place(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (!haul_store_can_copy(opened.store))
    return;
  g_autofree char *from = create_fresh(&opened, "move-from");
  g_autofree char *to = create_fresh(&opened, "move-to");
  const HaulItem item = { .date = HAUL_NO_DATE };
  g_autoptr(GPtrArray) items = fill(&opened, from, to, &item);
  const char *ids[] = { listed(items, 0)->id, listed(items, 1)->id };
  HaulFolder folder = { 0 };
  g_autoptr(GError) why = NULL;
  g_auto(Told) told;
  told_init(&told);
  MUST(haul_store_select(opened.store, from, HAUL_READ | HAUL_WRITE, &folder, error));
  bool moved = haul_store_copy(opened.store, ids, 2, to, true, each_copied, &told, &why);
  if (!moved) { /* a server that cannot: then all is as it was */
    CU_ASSERT(strcmp(haul_error_reason(why), "unsupported") == 0 && told.from->len == 0);
    return;
  }
  CU_ASSERT(told.from->len == 2);
  g_autoptr(GPtrArray) left = NULL, there = NULL;
  MUST(haul_store_select(opened.store, from, HAUL_READ, &folder, error));
  MUST((left = list_all(&opened, 0, NULL, error)) != NULL);
  MUST(haul_store_select(opened.store, to, HAUL_READ, &folder, error));
  MUST((there = list_all(&opened, 0, NULL, error)) != NULL);
  CU_ASSERT_FATAL(left != NULL && there != NULL);
  CU_ASSERT(left->len == 1 && strcmp(listed(left, 0)->id, listed(items, 2)->id) == 0);
  CU_ASSERT(there->len == 2);
}

const Case copy_cases[] = {
  CASE(a_copy_has_octets_flags_and_date_of_its_original),
  CASE(what_is_not_there_is_not_told_of),
  CASE(a_folder_that_is_not_there_is_an_error_of_it),
  CASE(what_is_moved_is_in_one_place),
};
const size_t n_copy_cases = G_N_ELEMENTS(copy_cases);
