/* Edges of the contract: many deliveries, several folders, tokens, being stopped. */
#include <stdio.h>
#include <string.h>

#include "subject.h"

#define MANY 700

static const HaulItem plain_item = { .date = HAUL_NO_DATE };

static size_t
numbered(char *buffer, size_t size, unsigned number)
{
  return (size_t)g_snprintf(buffer, size, "Subject: %u\r\n\r\nNumber %u.\r\n", number, number);
}

static void
many_deliveries_keep_their_order(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *path = create_fresh(&opened, "many");
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, path, HAUL_READ | HAUL_WRITE, &folder, error));
  g_autofree Receipt *receipts = g_new0(Receipt, MANY);
  for (unsigned i = 0; i < MANY; i++) {
    char octets[64];
    size_t size = numbered(octets, sizeof octets, i);
    MUST(put_one(&opened, &plain_item, octets, size, &receipts[i], error));
  }
  MUST(haul_store_flush(opened.store, error));
  const HaulRange all = { NULL, NULL };
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  g_auto(Fetched) fetched = { 0 };
  MUST(fetch_ranges(&opened, &all, 1, &fetched, error));
  CU_ASSERT_FATAL(fetched.messages->len == MANY);
  for (unsigned i = 0; i < MANY; i++) {
    HaulMessage *message = fetched.messages->pdata[i];
    char octets[64];
    size_t size = numbered(octets, sizeof octets, i);
    g_autoptr(GBytes) got = octets_of(message), wanted = g_bytes_new(octets, size);
    CU_ASSERT(g_bytes_equal(got, wanted));
    CU_ASSERT(receipts[i].settled == 1 && !receipts[i].refused);
    CU_ASSERT(receipts[i].id == NULL
              || strcmp(receipts[i].id, haul_message_item(message)->id) == 0);
    receipt_clear(&receipts[i]);
  }
}

static void
deliveries_may_be_under_way_to_several_folders(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  enum { N_FOLDERS = 20, N_EACH = 2 };
  char *paths[N_FOLDERS];
  Receipt receipts[N_FOLDERS][N_EACH] = { 0 };
  for (unsigned i = 0; i < N_FOLDERS; i++) {
    g_autofree char *level = g_strdup_printf("several/%u", i);
    paths[i] = create_fresh(&opened, level);
  }
  for (unsigned k = 0; k < N_EACH; k++)
    for (unsigned i = 0; i < N_FOLDERS; i++) {
      HaulFolder folder = { 0 };
      char octets[64];
      size_t size = numbered(octets, sizeof octets, i * N_EACH + k);
      MUST(haul_store_select(opened.store, paths[i], HAUL_READ | HAUL_WRITE, &folder, error));
      MUST(put_one(&opened, &plain_item, octets, size, &receipts[i][k], error));
    }
  MUST(haul_store_flush(opened.store, error));
  for (unsigned i = 0; i < N_FOLDERS; i++) {
    HaulFolder folder = { 0 };
    MUST(haul_store_select(opened.store, paths[i], HAUL_READ, &folder, error));
    g_autoptr(GPtrArray) items = NULL;
    MUST((items = list_all(&opened, 0, NULL, error)) != NULL);
    CU_ASSERT(items != NULL && items->len == N_EACH);
    for (unsigned k = 0; k < N_EACH; k++) {
      CU_ASSERT(receipts[i][k].settled == 1 && !receipts[i][k].refused);
      if (items != NULL && items->len == N_EACH && receipts[i][k].id != NULL)
        CU_ASSERT(strcmp(receipts[i][k].id, listed(items, k)->id) == 0);
      receipt_clear(&receipts[i][k]);
    }
    g_free(paths[i]);
  }
}

static bool
stop_at_second(const HaulItem *item, void *data)
{
  return ++*(unsigned *)data < 2;
}

static void
a_listing_ends_when_asked_to(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *path = create_fresh(&opened, "stopped");
  HaulFolder folder = { 0 };
  Receipt three[3] = { 0 };
  MUST(haul_store_select(opened.store, path, HAUL_READ | HAUL_WRITE, &folder, error));
  for (unsigned i = 0; i < 3; i++)
    MUST(put_one(&opened, &plain_item, "A: b\r\n\r\nx\r\n", 11, &three[i], error));
  MUST(haul_store_flush(opened.store, error));
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  const HaulRange all = { NULL, NULL };
  unsigned n_told = 0;
  g_autoptr(GError) why = NULL;
  CU_ASSERT(!haul_store_list(opened.store, &all, 1, 0, NULL, stop_at_second, &n_told, &why));
  CU_ASSERT(why == NULL);
  CU_ASSERT(n_told == 2);
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, 0, NULL, error)) != NULL);
  CU_ASSERT(items != NULL && items->len == 3);
  for (unsigned i = 0; i < 3; i++)
    receipt_clear(&three[i]);
}

static char *
token_of(const char *path, uint64_t *n_messages)
{
  g_auto(Opened) opened = open_subject(HAUL_READ);
  g_autoptr(GHashTable) all = told_folders(&opened);
  const ToldFolder *told = g_hash_table_lookup(all, path);
  CU_ASSERT_FATAL(told != NULL);
  *n_messages = told->n_messages;
  return g_strdup(told->change_token);
}

static void
a_change_shows_in_the_token_and_the_count(void)
{
  g_autofree char *path = NULL;
  {
    g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
    path = create_fresh(&opened, "token");
  }
  uint64_t n_before, n_again, n_after;
  g_autofree char *before = token_of(path, &n_before);
  g_autofree char *again = token_of(path, &n_again);
  CU_ASSERT(before == NULL || again == NULL || strcmp(before, again) == 0);
  {
    g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
    HaulFolder folder = { 0 };
    g_auto(Receipt) receipt = { 0 };
    MUST(haul_store_select(opened.store, path, HAUL_READ | HAUL_WRITE, &folder, error));
    MUST(put_one(&opened, &plain_item, "A: b\r\n\r\nx\r\n", 11, &receipt, error));
    MUST(haul_store_flush(opened.store, error));
  }
  g_autofree char *after = token_of(path, &n_after);
  CU_ASSERT(again == NULL || after == NULL || strcmp(again, after) != 0);
  CU_ASSERT(n_before == 0 || n_before == HAUL_UNKNOWN);
  CU_ASSERT(n_after == 1 || n_after == HAUL_UNKNOWN);
}

static void
what_is_not_there_is_not_made_up(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *path = create_fresh(&opened, "nothing");
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  const HaulRange ranges[] = { { "4000000000", "4000000000" }, { "4000000001", NULL } };
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_ranges(&opened, ranges, 2, 0, NULL, error)) != NULL);
  CU_ASSERT(items != NULL && items->len == 0);
  g_auto(Fetched) fetched = { 0 };
  MUST(fetch_ranges(&opened, ranges, 2, &fetched, error));
  CU_ASSERT(fetched.messages->len == 0);
}

static void
a_store_that_is_asked_to_stop_stops(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *path = create_fresh(&opened, "cancelled");
  HaulFolder folder = { 0 };
  g_auto(Receipt) receipt = { 0 };
  MUST(haul_store_select(opened.store, path, HAUL_READ | HAUL_WRITE, &folder, error));
  MUST(put_one(&opened, &plain_item, "A: b\r\n\r\nx\r\n", 11, &receipt, error));
  MUST(haul_store_flush(opened.store, error));
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  haul_cancel_set(opened.cancel);
  const HaulRange all = { NULL, NULL };
  g_auto(Fetched) fetched = { 0 };
  g_autoptr(GError) why = NULL;
  CU_ASSERT(!fetch_ranges(&opened, &all, 1, &fetched, &why));
  CU_ASSERT(why != NULL && haul_error_reach(why) == HAUL_ERROR_CANCELLED);
}

static void
closing_settles_what_is_under_way(void)
{
  g_auto(Receipt) receipt = { 0 };
  g_autofree char *path = NULL;
  {
    g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
    path = create_fresh(&opened, "closed");
    HaulFolder folder = { 0 };
    MUST(haul_store_select(opened.store, path, HAUL_READ | HAUL_WRITE, &folder, error));
    MUST(put_one(&opened, &plain_item, "A: b\r\n\r\nx\r\n", 11, &receipt, error));
  }
  CU_ASSERT(receipt.settled == 1);
  /* What was called delivered is there; of the rest nobody knows. */
  if (receipt.refused) {
    CU_ASSERT(receipt.reach != HAUL_ERROR_MESSAGE);
    return;
  }
  g_auto(Opened) opened = open_subject(HAUL_READ);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, 0, NULL, error)) != NULL);
  CU_ASSERT(items != NULL && items->len == 1);
}

const Case edge_cases[] = {
  CASE(many_deliveries_keep_their_order),  CASE(deliveries_may_be_under_way_to_several_folders),
  CASE(a_listing_ends_when_asked_to),      CASE(a_change_shows_in_the_token_and_the_count),
  CASE(what_is_not_there_is_not_made_up),  CASE(a_store_that_is_asked_to_stop_stops),
  CASE(closing_settles_what_is_under_way),
};
const size_t n_edge_cases = G_N_ELEMENTS(edge_cases);
