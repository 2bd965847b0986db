/* Open intents are settled by looking. */
#include "settle.h"

#include <poll.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "intake.h"
#include "message.h"

/* How often a destination is looked at again while young intents are open. */
#define LOOK_INTERVAL_MS 250

/* A message at the destination that no pair knows of. */
typedef struct {
  HaulId id;
  bool read; /* whether the rest is known */
  bool used;
  HaulKey key;
  uint8_t sha256[HAUL_SHA256_SIZE];
} Stranger;

typedef struct {
  const HaulContext *context;
  HaulOpenStore *store2;
  HaulFolderWork *work;
  HaulIds *ids;              /* owned; of the destination */
  HaulKeyMaker *maker;       /* owned */
  GHashTable *paired;        /* owned; a set of pointers to HaulId in pairs */
  GArray *pairs;             /* owned; of HaulPair */
  GArray *strangers;         /* owned; of Stranger, in the store's order */
  GHashTable *index;         /* owned; HaulId -> place in strangers, plus 1 */
  GPtrArray *batches;        /* owned; of HaulIntentBatch */
  HaulIntentBatch *nameless; /* owned; acknowledged, but nobody said which message each is */
} Settling;

static void
settling_clear(Settling *settling)
{
  haul_ids_free(settling->ids);
  haul_key_maker_free(settling->maker);
  g_clear_pointer(&settling->paired, g_hash_table_unref);
  g_clear_pointer(&settling->pairs, g_array_unref);
  g_clear_pointer(&settling->strangers, g_array_unref);
  g_clear_pointer(&settling->index, g_hash_table_unref);
  g_clear_pointer(&settling->batches, g_ptr_array_unref);
  g_clear_pointer(&settling->nameless, haul_intent_batch_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settling, settling_clear)

static guint
n_open(const Settling *settling)
{
  guint n = 0;
  for (guint i = 0; i < settling->batches->len; i++)
    n += ((HaulIntentBatch *)settling->batches->pdata[i])->cargo->len;
  return n;
}

/* Forgets intents that were meant for another folder of the same name. */
static void
drop_other_epochs(Settling *settling)
{
  for (guint i = 0; i < settling->batches->len; i++) {
    HaulIntentBatch *batch = settling->batches->pdata[i];
    if (batch->epoch2 != 0 && batch->epoch2 != settling->work->epoch2)
      g_array_set_size(batch->cargo, 0);
  }
}

/* The lowest id that an open intent can have become, or NULL for any. */
static const char *
first_possible_id(const Settling *settling)
{
  const char *lowest = NULL;
  for (guint i = 0; i < settling->batches->len; i++) {
    const HaulIntentBatch *batch = settling->batches->pdata[i];
    if (batch->cargo->len == 0)
      continue;
    if (batch->next_id2 == NULL)
      return NULL;
    if (lowest == NULL
        || g_ascii_strtoull(batch->next_id2, NULL, 10) < g_ascii_strtoull(lowest, NULL, 10))
      lowest = batch->next_id2;
  }
  return lowest;
}

static bool
add_stranger(const HaulItem *item, void *data)
{
  Settling *settling = data;
  HaulId id = haul_id_intern(settling->ids, item->id);
  gpointer key = GSIZE_TO_POINTER((gsize)id);
  if (g_hash_table_contains(settling->paired, &id) || g_hash_table_contains(settling->index, key))
    return true;
  Stranger stranger = { .id = id };
  g_array_append_val(settling->strangers, stranger);
  g_hash_table_insert(settling->index, key, GUINT_TO_POINTER(settling->strangers->len));
  return true;
}

static bool
read_stranger(HaulMessage *message, void *data, GError **error)
{
  Settling *settling = data;
  HaulId id = haul_id_intern(settling->ids, haul_message_item(message)->id);
  guint place = GPOINTER_TO_UINT(g_hash_table_lookup(settling->index, GSIZE_TO_POINTER((gsize)id)));
  if (place > 0) {
    Stranger *stranger = &g_array_index(settling->strangers, Stranger, place - 1);
    stranger->read =
        haul_key_of_message(settling->maker, message, &stranger->key, stranger->sha256);
  }
  haul_message_unref(message);
  return true;
}

static void
skip_stranger(const char *id, const GError *why, void *data)
{
  haul_log(HAUL_LOG_WARNING, "destination: message %s cannot be read back: %s", id, why->message);
}

/* Lists what came since, and reads what has not been read yet. */
static bool
look(Settling *settling, GError **error)
{
  const HaulContext *context = settling->context;
  HaulFolder folder = { 0 };
  HaulRange since = { first_possible_id(settling), NULL };
  if (!haul_store_select(settling->store2, settling->work->plan.path2, HAUL_READ, &folder, error))
    return false;
  if (settling->work->epoch2 != 0 && folder.epoch != 0 && folder.epoch != settling->work->epoch2) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "epoch",
                   "destination: the folder was replaced while we looked at it");
    return false;
  }
  if (!haul_store_list(settling->store2, &since, 1, 0, NULL, add_stranger, settling, error))
    return false;

  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HaulRange));
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, MAX(settling->strangers->len, 1));
  for (guint i = 0; i < settling->strangers->len; i++) {
    const Stranger *stranger = &g_array_index(settling->strangers, Stranger, i);
    if (stranger->read)
      continue;
    const char *id = haul_id_text(stranger->id, &buffers[i]);
    HaulRange one = { id, id };
    g_array_append_val(ranges, one);
  }
  if (ranges->len == 0)
    return true;
  g_autoptr(HaulIntake) intake = haul_intake_new(context->spool, NULL, context->cancel,
                                                 read_stranger, skip_stranger, settling);
  return haul_store_fetch(settling->store2, (const HaulRange *)(void *)ranges->data, ranges->len,
                          intake, error);
}

static Stranger *
find_copy(const Settling *settling, const HaulCargo *cargo, bool by_key)
{
  static const HaulKey none;
  if (by_key && memcmp(&cargo->key, &none, sizeof none) == 0)
    return NULL;
  for (guint i = 0; i < settling->strangers->len; i++) {
    Stranger *stranger = &g_array_index(settling->strangers, Stranger, i);
    if (!stranger->read || stranger->used)
      continue;
    if (by_key ? haul_key_equal(&stranger->key, &cargo->key)
               : memcmp(stranger->sha256, cargo->sha256, sizeof cargo->sha256) == 0)
      return stranger;
  }
  return NULL;
}

/* Gives what is there to the deliveries of a batch. */
static bool
settle_batch(Settling *settling, HaulIntentBatch *batch, bool by_key, GError **error)
{
  for (guint k = 0; k < batch->cargo->len;) {
    const HaulCargo *cargo = &g_array_index(batch->cargo, HaulCargo, k);
    Stranger *copy = find_copy(settling, cargo, by_key);
    if (copy == NULL) {
      k++;
      continue;
    }
    HaulIdBuffer buffer;
    if (!haul_journal_add_pair(settling->context->journal, batch->folder, cargo,
                               haul_id_text(copy->id, &buffer), error))
      return false;
    copy->used = true;
    g_array_remove_index(batch->cargo, k);
  }
  return true;
}

/* Settles what is there: by content first, then, where the server alters what it stores, by key.
 * What was acknowledged goes first, or an intent would take its copy. */
static bool
settle_found(Settling *settling, GError **error)
{
  for (int by_key = 0; by_key < 2; by_key++) {
    if (!settle_batch(settling, settling->nameless, by_key != 0, error))
      return false;
    for (guint i = 0; i < settling->batches->len; i++)
      if (!settle_batch(settling, settling->batches->pdata[i], by_key != 0, error))
        return false;
  }
  return true;
}

/* How long the youngest open intent may still come true. */
static int64_t
patience_left_ms(const Settling *settling)
{
  int64_t youngest = 0;
  if (settling->context->grace_s == 0)
    return 0; /* whoever asks for none knows that the server is done */
  for (guint i = 0; i < settling->batches->len; i++) {
    const HaulIntentBatch *batch = settling->batches->pdata[i];
    if (batch->cargo->len > 0)
      youngest = MAX(youngest, batch->made_at);
  }
  int64_t now = g_get_real_time() / 1000;
  int64_t until = (youngest + 1 + settling->context->grace_s) * 1000;
  /* A clock that was set back must not make us wait for ever. */
  return MIN(until - now, (settling->context->grace_s + 1) * (int64_t)1000);
}

static bool
wait_a_little(const HaulContext *context, int64_t milliseconds, GError **error)
{
  struct pollfd cancel = { .fd = haul_cancel_fd(context->cancel), .events = POLLIN };
  poll(&cancel, 1, (int)milliseconds);
  if (!haul_cancel_is_set(context->cancel))
    return true;
  haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "asked to stop");
  return false;
}

static bool
settle_by_looking(Settling *settling, GError **error)
{
  int64_t deadline = patience_left_ms(settling) * 1000 + g_get_monotonic_time();
  for (;;) {
    if (!look(settling, error) || !settle_found(settling, error))
      return false;
    int64_t left_ms = (deadline - g_get_monotonic_time()) / 1000;
    if (n_open(settling) == 0 || left_ms <= 0 || settling->context->dry)
      return true;
    haul_log(HAUL_LOG_INFO,
             "%s: %u deliveries of an interrupted run are not there yet; looking again",
             settling->work->plan.path2, n_open(settling));
    if (!wait_a_little(settling->context, MIN(left_ms + 1, LOOK_INTERVAL_MS), error))
      return false;
  }
}

bool
haul_settle(const HaulContext *context, HaulOpenStore *store2, HaulFolderWork *work, GError **error)
{
  g_auto(Settling) settling = { .context = context, .store2 = store2, .work = work };
  settling.batches = haul_journal_intents(context->journal, work->number, error);
  if (settling.batches == NULL)
    return false;
  settling.nameless = haul_journal_nameless(context->journal, work->number, error);
  if (settling.nameless == NULL)
    return false;
  settling.ids = haul_ids_new();
  settling.maker = haul_key_maker_new(context->chain);
  settling.pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  settling.strangers = g_array_new(FALSE, TRUE, sizeof(Stranger));
  settling.index = g_hash_table_new(g_direct_hash, g_direct_equal);
  settling.paired = g_hash_table_new(g_int64_hash, g_int64_equal);
  drop_other_epochs(&settling);
  g_autoptr(HaulIds) ids1 = haul_ids_new();
  if (!haul_journal_load_pairs(context->journal, work->number, ids1, settling.ids, settling.pairs,
                               error))
    return false;
  for (guint i = 0; i < settling.pairs->len; i++)
    g_hash_table_add(settling.paired, &g_array_index(settling.pairs, HaulPair, i).id2);

  guint n_before = n_open(&settling);
  if (n_before > 0 && work->plan.folder2 != NULL && !settle_by_looking(&settling, error))
    return false;
  guint n_lost = n_open(&settling);
  if (n_before > 0)
    haul_log(HAUL_LOG_INFO, "%s: of %u deliveries of an interrupted run %u were there",
             work->plan.path2, n_before, n_before - n_lost);
  return haul_journal_note(context->journal, NULL, settling.batches, NULL, error);
}
