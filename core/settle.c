/* Open intents are settled by looking. */
#include "settle.h"

#include <poll.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "intake.h"
#include "message.h"
#include "sharing.h"

/* How often a destination is looked at again while young intents are open. */
#define LOOK_INTERVAL_MS 250

typedef struct {
  const HaulContext *context;
  HaulOpenStore *store2;
  HaulFolderWork *work;
  HaulIds *ids;              /* owned; of the destination */
  HaulKeyMaker *maker;       /* owned */
  GArray *pairs;             /* owned; of HaulPair */
  GHashTable *known;         /* owned; a set of HaulId: in pairs, or looked at already */
  GHashTable *sizes;         /* owned; a set of sizes that open intents have */
  GHashTable *found;         /* owned; SHA-256 -> GQueue of HaulId, in the store's order */
  GArray *to_read;           /* owned; of HaulId: what the last look has to read */
  GPtrArray *batches;        /* owned; of HaulIntentBatch */
  HaulIntentBatch *nameless; /* owned; acknowledged, but nobody said which message each is */
  GPtrArray *others; /* owned; of HaulIntentBatch: the same, of folders that share the place */
} Settling;

static void
settling_clear(Settling *settling)
{
  haul_ids_free(settling->ids);
  haul_key_maker_free(settling->maker);
  g_clear_pointer(&settling->pairs, g_array_unref);
  g_clear_pointer(&settling->known, g_hash_table_unref);
  g_clear_pointer(&settling->sizes, g_hash_table_unref);
  g_clear_pointer(&settling->found, g_hash_table_unref);
  g_clear_pointer(&settling->to_read, g_array_unref);
  g_clear_pointer(&settling->batches, g_ptr_array_unref);
  g_clear_pointer(&settling->nameless, haul_intent_batch_free);
  g_clear_pointer(&settling->others, g_ptr_array_unref);
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
    uint64_t epoch2 = settling->work->epoch2;
    if (batch->epoch2 != 0 && epoch2 != 0 && batch->epoch2 != epoch2)
      g_array_set_size(batch->cargo, 0);
  }
}

/* Takes what is without a name in folders that share the place. */
static bool
take_others(Settling *settling, GError **error)
{
  const GArray *sharers = settling->work->sharers;
  for (guint i = 0; sharers != NULL && i < sharers->len; i++) {
    int64_t number = g_array_index(sharers, int64_t, i);
    if (number == settling->work->number)
      continue;
    HaulIntentBatch *batch = haul_journal_nameless(settling->context->journal, number, error);
    if (batch == NULL)
      return false;
    g_ptr_array_add(settling->others, batch);
  }
  return true;
}

/* Whether something is to be named before others look for theirs: only where the place is shared. */
static bool
has_to_name(const Settling *settling)
{
  bool any = settling->work->sharers != NULL && settling->nameless->cargo->len > 0;
  for (guint i = 0; i < settling->others->len; i++)
    any |= ((HaulIntentBatch *)settling->others->pdata[i])->cargo->len > 0;
  return any;
}

/* The lowest id that an open intent can have become, or NULL for any. */
static const char *
first_possible_id(const Settling *settling)
{
  const char *lowest = NULL;
  if (has_to_name(settling))
    return NULL;
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

static gpointer
number(uint64_t value)
{
  return GSIZE_TO_POINTER((gsize)value);
}

static void
collect_sizes_of(Settling *settling, const HaulIntentBatch *batch)
{
  for (guint k = 0; k < batch->cargo->len; k++) {
    const HaulCargo *cargo = &g_array_index(batch->cargo, HaulCargo, k);
    g_hash_table_add(settling->sizes, number(cargo->altered ? cargo->sent_size : cargo->size));
  }
}

static void
collect_sizes(Settling *settling)
{
  g_hash_table_remove_all(settling->sizes);
  for (guint i = 0; i < settling->batches->len; i++)
    collect_sizes_of(settling, settling->batches->pdata[i]);
  if (settling->work->sharers != NULL)
    collect_sizes_of(settling, settling->nameless);
  for (guint i = 0; i < settling->others->len; i++)
    collect_sizes_of(settling, settling->others->pdata[i]);
}

/* Takes what may be one of ours: no pair has it, and an open intent is of its size. */
static bool
take_stranger(const HaulItem *item, void *data)
{
  Settling *settling = data;
  HaulId id = haul_id_intern(settling->ids, item->id);
  if (g_hash_table_contains(settling->known, number(id))
      || (item->size != HAUL_UNKNOWN
          && !g_hash_table_contains(settling->sizes, number(item->size))))
    return true;
  g_hash_table_add(settling->known, number(id));
  g_array_append_val(settling->to_read, id);
  return true;
}

static bool
read_stranger(HaulMessage *message, void *data, GError **error)
{
  Settling *settling = data;
  uint8_t sha256[HAUL_SHA256_SIZE];
  HaulKey key;
  HaulId id = haul_id_intern(settling->ids, haul_message_item(message)->id);
  if (haul_key_of_message(settling->maker, message, &key, sha256)) {
    GQueue *same = g_hash_table_lookup(settling->found, sha256);
    if (same == NULL) {
      same = g_queue_new();
      g_hash_table_insert(settling->found, g_memdup2(sha256, sizeof sha256), same);
    }
    g_queue_push_tail(same, number(id));
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
  collect_sizes(settling);
  g_array_set_size(settling->to_read, 0);
  if (!haul_store_list(settling->store2, &since, 1, HAUL_WANT_SIZE, NULL, take_stranger, settling,
                       error))
    return false;
  guint n = settling->to_read->len;
  if (n == 0)
    return true;

  g_autofree HaulRange *ranges = g_new(HaulRange, n);
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, n);
  for (guint i = 0; i < n; i++) {
    const char *id = haul_id_text(g_array_index(settling->to_read, HaulId, i), &buffers[i]);
    ranges[i] = (HaulRange){ id, id };
  }
  g_autoptr(HaulIntake) intake = haul_intake_new(context->spool, NULL, context->cancel,
                                                 read_stranger, skip_stranger, settling);
  return haul_store_fetch(settling->store2, ranges, n, intake, error);
}

/* Gives what is there to the deliveries of a batch. */
static bool
settle_batch(Settling *settling, HaulIntentBatch *batch, GError **error)
{
  for (guint k = 0; k < batch->cargo->len;) {
    const HaulCargo *cargo = &g_array_index(batch->cargo, HaulCargo, k);
    GQueue *same =
        g_hash_table_lookup(settling->found, cargo->altered ? cargo->sent_sha256 : cargo->sha256);
    if (same == NULL || g_queue_is_empty(same)) {
      k++;
      continue;
    }
    HaulIdBuffer buffer;
    HaulId id = GPOINTER_TO_SIZE(g_queue_pop_head(same));
    if (!haul_journal_add_pair(settling->context->journal, batch->folder, cargo,
                               haul_id_text(id, &buffer), error))
      return false;
    g_array_remove_index(batch->cargo, k);
  }
  return true;
}

/* Settles what is there, by content. (A server that alters what it stores leaves the matching to the
 * planner, which knows when equal keys are not enough.) What was acknowledged goes first, or an intent
 * would take its copy. */
static bool
settle_found(Settling *settling, GError **error)
{
  if (!settle_batch(settling, settling->nameless, error))
    return false;
  for (guint i = 0; i < settling->others->len; i++)
    if (!settle_batch(settling, settling->others->pdata[i], error))
      return false;
  for (guint i = 0; i < settling->batches->len; i++)
    if (!settle_batch(settling, settling->batches->pdata[i], error))
      return false;
  return true;
}

/* How long the youngest open intent may still come true. */
static int64_t
patience_left_ms(const Settling *settling)
{
  int64_t youngest = 0;
  if (settling->context->policy->grace_s == 0)
    return 0; /* whoever asks for none knows that the server is done */
  for (guint i = 0; i < settling->batches->len; i++) {
    const HaulIntentBatch *batch = settling->batches->pdata[i];
    if (batch->cargo->len > 0)
      youngest = MAX(youngest, batch->made_at);
  }
  int64_t now = g_get_real_time() / 1000;
  int64_t until = (youngest + 1 + settling->context->policy->grace_s) * 1000;
  /* A clock that was set back must not make us wait for ever. */
  return MIN(until - now, (settling->context->policy->grace_s + 1) * (int64_t)1000);
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

/* Gives up the first delivery that is not there, if it ends the connection, or is put off, each time. */
static void
suspect_first(const Settling *settling)
{
  HaulTally *tally = settling->work->tally;
  const char *first = NULL;
  for (guint i = 0; first == NULL && i < settling->batches->len; i++) {
    const GArray *cargo = ((const HaulIntentBatch *)settling->batches->pdata[i])->cargo;
    if (cargo->len > 0)
      first = g_array_index(cargo, HaulCargo, 0).id1;
  }
  if (!haul_suspect_looked(&tally->suspect, first))
    return;
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_MESSAGE, "refused", "the destination %s when it was sent: %s",
                 tally->suspect.put_off ? "asked for patience three times"
                                        : "closed the connection twice",
                 tally->suspect.words);
  haul_log(HAUL_LOG_WARNING, "%s, message %s: %s; it is passed over", tally->path1, first,
           why->message);
  haul_report_give_up(settling->context->report, tally, first, why);
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
  settling.others = g_ptr_array_new_with_free_func((GDestroyNotify)haul_intent_batch_free);
  if (!take_others(&settling, error))
    return false;
  settling.ids = haul_ids_new();
  settling.maker = haul_key_maker_new(context->chain);
  settling.pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  settling.known = g_hash_table_new(g_direct_hash, g_direct_equal);
  settling.sizes = g_hash_table_new(g_direct_hash, g_direct_equal);
  settling.found = g_hash_table_new_full(haul_sha256_hash, haul_sha256_equal, g_free,
                                         (GDestroyNotify)g_queue_free);
  settling.to_read = g_array_new(FALSE, FALSE, sizeof(HaulId));
  drop_other_epochs(&settling);
  g_autoptr(HaulIds) ids1 = haul_ids_new();
  if (!haul_journal_load_pairs(context->journal, work->number, ids1, settling.ids, settling.pairs,
                               error))
    return false;
  for (guint i = 0; i < settling.pairs->len; i++)
    g_hash_table_add(settling.known, number(g_array_index(settling.pairs, HaulPair, i).id2));
  g_autoptr(GArray) covered = g_array_new(FALSE, FALSE, sizeof(HaulId));
  if (!haul_sharing_load(context, work, settling.ids, covered, error))
    return false;
  for (guint i = 0; i < covered->len; i++)
    g_hash_table_add(settling.known, number(g_array_index(covered, HaulId, i)));

  guint n_before = n_open(&settling);
  if ((n_before > 0 || has_to_name(&settling)) && work->plan.folder2 != NULL
      && !settle_by_looking(&settling, error))
    return false;
  guint n_lost = n_open(&settling);
  suspect_first(&settling);
  if (n_before > 0)
    haul_log(HAUL_LOG_INFO, "%s: of %u deliveries of an interrupted run %u were there",
             work->plan.path2, n_before, n_before - n_lost);
  return haul_journal_note(context->journal, NULL, settling.batches, NULL, error);
}
