/* Tests store.c and ticket.c with a store whose answers the cases choose. */
#include "suite.h"

#include <string.h>

#include <mailhaul/error.h>

#include "store.h"
#include "ticket.h"

/* What the store does when it is called next. */
static struct {
  bool result;
  int reach;
  const char *reason, *message; /* of the error that it sets; NULL for none */
  unsigned n_given;             /* items and folders that it tells of */
  bool heedless;                /* goes on after a callback said stop */
  unsigned n_told;
  unsigned n_closed;
} script;

static bool
answer(GError **error)
{
  if (script.message != NULL)
    haul_set_error(error, (HaulError)script.reach, script.reason, "%s", script.message);
  return script.result;
}

static HaulStore *
sample_open(const HaulAccount *account, HaulIntent intent, GError **error)
{
  return answer(error) ? (HaulStore *)&script : NULL;
}

static void
sample_close(HaulStore *store)
{
  script.n_closed++;
}

static bool
sample_folders(HaulStore *store, HaulFolderFunc each, void *data, GError **error)
{
  HaulFolder folder = { .path = "INBOX" };
  for (script.n_told = 0; script.n_told < script.n_given; script.n_told++)
    if (!each(&folder, data) && !script.heedless)
      return false;
  return answer(error);
}

static bool
sample_create(HaulStore *store, const HaulFolder *folders, size_t n_folders,
              HaulFolderResultFunc each, void *data, GError **error)
{
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_FOLDER, "create", "no such luck");
  for (size_t i = 0; i < n_folders; i++)
    each(folders[i].path, i == 0 ? NULL : why, data);
  return answer(error);
}

static bool
sample_list(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
            const char *const *header_fields, HaulItemFunc each, void *data, GError **error)
{
  HaulItem item = { .id = "1" };
  for (script.n_told = 0; script.n_told < script.n_given; script.n_told++)
    if (!each(&item, data) && !script.heedless)
      return false;
  return answer(error);
}

static bool
sample_changes(HaulStore *store, const char *since_token, HaulItemFunc changed, HaulGoneFunc gone,
               void *data, GError **error)
{
  HaulItem item = { .id = "1" };
  HaulRange range = { since_token, NULL };
  for (script.n_told = 0; script.n_told < script.n_given; script.n_told++)
    if (!(script.n_told % 2 == 0 ? gone(&range, data) : changed(&item, data)) && !script.heedless)
      return false;
  return answer(error);
}

static bool
sample_put(HaulStore *store, HaulMessage *message, HaulTicket *ticket, GError **error)
{
  haul_ticket_done(ticket, 9, "41");
  return answer(error);
}

static const HaulStoreOps full_ops = {
  .struct_size = sizeof full_ops,
  .open = sample_open,
  .close = sample_close,
  .folders = sample_folders,
  .create = sample_create,
  .list = sample_list,
  .changes = sample_changes,
  .put = sample_put,
};
static const HaulStoreOps bare_ops = {
  .struct_size = sizeof bare_ops,
  .open = sample_open,
  .close = sample_close,
};
static const HaulPlugin full = { HAUL_PLUGIN_HEAD, .name = "full", .store = &full_ops };
static const HaulPlugin bare = { HAUL_PLUGIN_HEAD, .name = "bare", .store = &bare_ops };
static const HaulPlugin matcher = { HAUL_PLUGIN_HEAD, .name = "only-matches" };

static void
will(bool result, int reach, const char *reason, const char *message)
{
  memset(&script, 0, sizeof script);
  script.result = result;
  script.reach = reach;
  script.reason = reason;
  script.message = message;
}

static HaulOpenStore *
open_store(const HaulAccount *account)
{
  will(true, 0, NULL, NULL);
  HaulOpenStore *store = haul_store_open(account, HAUL_READ, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(store);
  return store;
}

static bool
count_item(const HaulItem *item, void *data)
{
  unsigned *left = data;
  return --*left > 0;
}

static bool
count_gone(const HaulRange *range, void *data)
{
  unsigned *left = data;
  CU_ASSERT_STRING_EQUAL(range->first, "token");
  return --*left > 0;
}

static bool
count_folder(const HaulFolder *folder, void *data)
{
  unsigned *left = data;
  return --*left > 0;
}

static void
an_error_begins_with_its_side_once(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(2, &full, NULL);
  g_autoptr(HaulOpenStore) store = open_store(account);
  unsigned left = 100;
  static const char *const messages[][2] = {
    { "it broke", "destination: it broke" },
    { "destination: it broke", "destination: it broke" },
    { "source: gone", "source: gone" },
    { "%s %n", "destination: %s %n" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
    g_autoptr(GError) error = NULL;
    will(false, HAUL_ERROR_BUSY, "throttled", messages[i][0]);
    CU_ASSERT(!haul_store_list(store, NULL, 0, 0, NULL, count_item, &left, &error));
    CHECK_ERROR(error, HAUL_ERROR_BUSY, "throttled", NULL);
    CU_ASSERT_STRING_EQUAL(error->message, messages[i][1]);
  }
  CU_ASSERT(!haul_store_list(store, NULL, 0, 0, NULL, count_item, &left, NULL));
}

static void
an_end_by_the_callers_callback_is_no_error(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &full, NULL);
  g_autoptr(HaulOpenStore) store = open_store(account);
  for (int heedless = 0; heedless < 2; heedless++) {
    g_autoptr(GError) error = NULL;
    unsigned left = 3;
    will(true, HAUL_ERROR_ACCOUNT, "x", heedless ? "stopped by its caller" : NULL);
    script.n_given = 10;
    script.heedless = heedless;
    CU_ASSERT(!haul_store_list(store, NULL, 0, 0, NULL, count_item, &left, &error));
    CU_ASSERT(error == NULL && left == 0);
    CU_ASSERT_EQUAL(script.n_told, heedless ? 10 : 2);
    left = 3;
    CU_ASSERT(!haul_store_folders(store, count_folder, &left, &error));
    CU_ASSERT(error == NULL && left == 0);
    left = 4;
    CU_ASSERT(!haul_store_changes(store, "token", count_item, count_gone, &left, &error));
    CU_ASSERT(error == NULL && left == 0);
    CU_ASSERT_EQUAL(script.n_told, heedless ? 10 : 3);
  }
}

static void
a_plugin_that_breaks_its_promise_is_named(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &full, NULL);
  g_autoptr(HaulOpenStore) store = open_store(account);
  unsigned left = 100;
  g_autoptr(GError) silent = NULL, both = NULL, unopened = NULL;

  will(false, 0, NULL, NULL); /* fails without saying why */
  CU_ASSERT(!haul_store_list(store, NULL, 0, 0, NULL, count_item, &left, &silent));
  CHECK_ERROR(silent, HAUL_ERROR_ACCOUNT, "plugin", "source: the plugin full broke its promise");

  will(true, HAUL_ERROR_FOLDER, "select", "half of it"); /* says it is done, and that it is not */
  CU_ASSERT(!haul_store_folders(store, count_folder, &left, &both));
  CHECK_ERROR(both, HAUL_ERROR_FOLDER, "select", "source: half of it");

  will(false, 0, NULL, NULL);
  CU_ASSERT_PTR_NULL(haul_store_open(account, HAUL_READ, &unopened));
  CHECK_ERROR(unopened, HAUL_ERROR_ACCOUNT, "plugin", "open()");
}

static void
note_result(const char *path, const GError *why, void *data)
{
  g_string_append_printf(data, "%s %s;", path, why != NULL ? why->message : "done");
}

static void
results_of_folders_name_their_side_too(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(2, &full, NULL);
  g_autoptr(HaulOpenStore) store = open_store(account);
  HaulFolder folders[] = { { .path = "a" }, { .path = "b" } };
  g_autoptr(GString) seen = g_string_new(NULL);
  CU_ASSERT(haul_store_create(store, folders, 2, note_result, seen, NULL));
  CU_ASSERT(haul_store_subscribe(store, folders, 2, note_result, seen, NULL));
  CU_ASSERT_STRING_EQUAL(seen->str, "a done;b destination: no such luck;a done;b done;");
}

typedef struct {
  unsigned n_settled;
  uint64_t epoch;
  char id[8];
  GError *why;
} Receipt;

static void
note_receipt(void *data, uint64_t epoch, const char *new_id, const GError *why)
{
  Receipt *receipt = data;
  receipt->n_settled++;
  receipt->epoch = epoch;
  g_strlcpy(receipt->id, new_id != NULL ? new_id : "", sizeof receipt->id);
  receipt->why = why != NULL ? g_error_copy(why) : NULL;
}

static void
an_absent_callback_gets_its_default(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &bare, NULL);
  g_autoptr(HaulOpenStore) store = open_store(account);
  unsigned left = 100;
  HaulFolder folder = { .path = "a" };
  HaulFlagChange change = { 0, 0, NULL, NULL };
  g_autoptr(GError) list = NULL, put = NULL;

  CU_ASSERT_PTR_NULL(haul_store_identity(store));
  haul_store_ahead(store, NULL, 0);
  CU_ASSERT(haul_store_flush(store, NULL));
  CU_ASSERT(!haul_store_list(store, NULL, 0, 0, NULL, count_item, &left, &list));
  CHECK_ERROR(list, HAUL_ERROR_ACCOUNT, "unsupported", "source: the plugin bare has no list()");
  CU_ASSERT(!haul_store_folders(store, count_folder, &left, NULL));
  CU_ASSERT(!haul_store_create(store, &folder, 1, note_result, NULL, NULL));
  CU_ASSERT(!haul_store_select(store, "a", HAUL_READ, &folder, NULL));
  CU_ASSERT(!haul_store_fetch(store, NULL, 0, NULL, NULL));
  CU_ASSERT(!haul_store_can_tell_changes(store));
  CU_ASSERT(!haul_store_changes(store, "token", count_item, count_gone, &left, NULL));
  CU_ASSERT(!haul_store_can_set_flags(store));
  CU_ASSERT(!haul_store_set_flags(store, NULL, 0, &change, NULL));

  Receipt receipt = { 0 };
  CU_ASSERT(!haul_store_put(store, NULL, haul_ticket_new(note_receipt, &receipt), &put));
  CHECK_ERROR(put, HAUL_ERROR_ACCOUNT, "unsupported", "put()");
  CU_ASSERT_EQUAL(receipt.n_settled, 1); /* a failing put() leaves no ticket unsettled */
  CHECK_ERROR(receipt.why, HAUL_ERROR_ACCOUNT, "unsupported", "put()");
  g_clear_error(&receipt.why);
}

static void
a_ticket_tells_what_became_of_it(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(2, &full, NULL);
  g_autoptr(HaulOpenStore) store = open_store(account);
  Receipt receipt = { 0 };
  CU_ASSERT(haul_store_put(store, NULL, haul_ticket_new(note_receipt, &receipt), NULL));
  CU_ASSERT(receipt.n_settled == 1 && receipt.epoch == 9 && receipt.why == NULL);
  CU_ASSERT_STRING_EQUAL(receipt.id, "41");

  haul_ticket_fail(haul_ticket_new(note_receipt, &receipt), NULL);
  CHECK_ERROR(receipt.why, HAUL_ERROR_CONNECTION, "plugin", "without saying why");
  g_clear_error(&receipt.why);
}

static void
a_store_is_closed_once(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &full, NULL);
  HaulOpenStore *store = open_store(account);
  haul_store_close(store);
  CU_ASSERT_EQUAL(script.n_closed, 1);
  haul_store_close(NULL);

  /* One that opened and complained all the same is not left open. */
  will(true, HAUL_ERROR_CONNECTION, "connect", "half open");
  CU_ASSERT_PTR_NULL(haul_store_open(account, HAUL_READ, NULL));
  CU_ASSERT_EQUAL(script.n_closed, 1);
}

static void
a_matcher_cannot_be_opened(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &matcher, NULL);
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_store_open(account, HAUL_READ, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "source: the plugin only-matches holds no mail");
}

static void
what_can_only_be_read_is_no_destination(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(2, &bare, NULL);
  g_autoptr(GError) error = NULL;
  CU_ASSERT(!haul_store_may_be_written(account, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "destination: mail can only be read by bare");
  g_autoptr(HaulAccount) other = haul_account_new(2, &full, NULL);
  CU_ASSERT(haul_store_may_be_written(other, NULL));
}

int
main(void)
{
  static const Case cases[] = {
    CASE(an_error_begins_with_its_side_once),
    CASE(an_end_by_the_callers_callback_is_no_error),
    CASE(a_plugin_that_breaks_its_promise_is_named),
    CASE(results_of_folders_name_their_side_too),
    CASE(an_absent_callback_gets_its_default),
    CASE(a_ticket_tells_what_became_of_it),
    CASE(a_store_is_closed_once),
    CASE(a_matcher_cannot_be_opened),
    CASE(what_can_only_be_read_is_no_destination),
  };
  return RUN_SUITE("store", cases);
}
