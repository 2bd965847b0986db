/* The writing end of a lane. */
#include "delivery.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "message.h"
#include "ticket.h"

/* An intent covers a batch: one write of the state for as many messages. */
#define BATCH_MESSAGES 256u
#define BATCH_OCTETS (2u << 20)
/* How long a batch waits for another message when the source is slower than we are. */
#define GATHER_MS 10u
/* After so long without work, what is in flight is settled. */
#define IDLE_MS 1000u

void
haul_parcel_free(HaulParcel *parcel)
{
  if (parcel == NULL)
    return;
  haul_message_unref(parcel->message);
  haul_cargo_clear(&parcel->cargo);
  g_clear_error(&parcel->why);
  g_free(parcel);
}

/* Messages whose intent is durable, on their way. */
typedef struct {
  HaulIntentBatch *intent; /* owned */
  HaulFolderWork *work;
  guint n_open; /* not settled yet */
} Batch;

static void
batch_free(Batch *batch)
{
  haul_intent_batch_free(batch->intent);
  g_free(batch);
}

typedef struct {
  const HaulContext *context;
  const HaulPass *pass;
  HaulOpenStore *store2;
  HaulQueue *queue;
  HaulFolderWork *work; /* the folder at hand, or NULL */
  bool refused;         /* it cannot be written: its messages are dropped */

  GPtrArray *waiting; /* owned; of HaulParcel: the next batch */
  uint64_t waiting_octets;
  GPtrArray *batches; /* owned; of Batch: under way, or not yet noted as done */
  GArray *receipts;   /* owned; of HaulReceipt: to be noted */
  guint n_under_way;
  GArray *unnamed; /* owned; of Unnamed: delivered, and the store did not say its id */
  GError *trouble; /* owned; the worst that a ticket said, beyond its folder */
} Writer;

/* ---- tickets ---- */

typedef struct {
  Writer *writer;
  Batch *batch;
  guint index;
} Delivery;

/* A delivery whose id the store did not tell. */
typedef struct {
  HaulFolderWork *work;
  HaulCargo cargo; /* owned */
  char *id2;       /* owned; once it is found */
} Unnamed;

static void
unnamed_clear(Unnamed *unnamed)
{
  haul_cargo_clear(&unnamed->cargo);
  g_free(unnamed->id2);
}

static void
note_unnamed(Writer *writer, HaulFolderWork *work, const HaulCargo *cargo)
{
  Unnamed unnamed = { work, *cargo, NULL };
  unnamed.cargo.id1 = g_strdup(cargo->id1);
  g_array_append_val(writer->unnamed, unnamed);
}

static void
settled(void *data, uint64_t epoch, const char *new_id, const GError *why)
{
  g_autofree Delivery *delivery = data;
  Writer *writer = delivery->writer;
  Batch *batch = delivery->batch;
  const HaulCargo *cargo = &g_array_index(batch->intent->cargo, HaulCargo, delivery->index);
  writer->n_under_way--;
  if (why != NULL)
    batch->work->incomplete = true;
  if (why != NULL && haul_error_reach(why) == HAUL_ERROR_FOLDER) {
    haul_report_folder_failed(writer->context->report, batch->work->tally, why);
    writer->refused |= batch->work == writer->work;
    return;
  }
  if (why != NULL && haul_error_reach(why) != HAUL_ERROR_MESSAGE) {
    /* It was not tried, or nobody knows: its intent stays open. */
    if (writer->trouble == NULL || haul_error_reach(why) > haul_error_reach(writer->trouble)) {
      g_clear_error(&writer->trouble);
      writer->trouble = g_error_copy(why);
    }
    return;
  }
  batch->n_open--;
  HaulReceipt receipt = {
    .batch = batch->intent,
    .index = delivery->index,
    .delivered = why == NULL,
    .epoch2 = epoch,
    .id2 = g_strdup(new_id),
  };
  g_array_append_val(writer->receipts, receipt);
  if (why != NULL) {
    haul_report_trouble(writer->context->report, batch->work->tally, cargo->id1, why);
    return;
  }
  batch->work->wrote = true;
  batch->work->n_put++;
  haul_report_copied(writer->context->report, batch->work->tally, cargo->size);
  if (new_id == NULL)
    note_unnamed(writer, batch->work, cargo);
}

/* ---- the journal ---- */

/* Makes receipts durable together with the next intent (NULL: with none). */
static bool
note_receipts(Writer *writer, HaulIntentBatch *next, GError **error)
{
  g_autoptr(GPtrArray) done = g_ptr_array_new();
  for (guint i = 0; i < writer->batches->len; i++) {
    Batch *batch = writer->batches->pdata[i];
    if (batch->n_open == 0)
      g_ptr_array_add(done, batch->intent);
  }
  if (done->len == 0 && writer->receipts->len == 0 && next == NULL)
    return true;
  if (!haul_journal_note(writer->context->journal, writer->receipts, done, next, error))
    return false;
  g_array_set_size(writer->receipts, 0);
  for (guint i = writer->batches->len; i-- > 0;)
    if (((Batch *)writer->batches->pdata[i])->n_open == 0)
      g_ptr_array_remove_index(writer->batches, i);
  return true;
}

static bool
flush(Writer *writer, GError **error)
{
  bool flushed = haul_store_flush(writer->store2, error);
  GError *note_error = NULL;
  if (note_receipts(writer, NULL, &note_error))
    return flushed;
  if (flushed)
    g_propagate_error(error, note_error);
  else
    g_error_free(note_error);
  return false;
}

/* ---- sending ---- */

static bool
put(Writer *writer, Batch *batch, guint index, HaulMessage *message, GError **error)
{
  Delivery *delivery = g_new(Delivery, 1);
  *delivery = (Delivery){ writer, batch, index };
  writer->n_under_way++;
  return haul_store_put(writer->store2, message, haul_ticket_new(settled, delivery), error);
}

/* Sends the batch that waits: first its intent to disk, then its messages on their way. */
static bool
send_batch(Writer *writer, GError **error)
{
  if (writer->waiting->len == 0)
    return true;
  HaulFolderWork *work = writer->work;
  Batch *batch = g_new0(Batch, 1);
  batch->work = work;
  batch->intent = haul_intent_batch_new(work->number, work->epoch2, work->next_id2);
  batch->n_open = writer->waiting->len;
  for (guint i = 0; i < writer->waiting->len; i++) {
    HaulParcel *parcel = writer->waiting->pdata[i];
    g_array_append_val(batch->intent->cargo, parcel->cargo);
    parcel->cargo.id1 = NULL; /* the batch owns it now */
  }
  bool going = note_receipts(writer, batch->intent, error);
  g_ptr_array_add(writer->batches, batch);
  for (guint i = 0; going && i < writer->waiting->len; i++)
    going = put(writer, batch, i, ((HaulParcel *)writer->waiting->pdata[i])->message, error);
  g_ptr_array_set_size(writer->waiting, 0);
  writer->waiting_octets = 0;
  return going;
}

/* Whether the tickets said nothing that reaches beyond their folder. */
static bool
check_trouble(Writer *writer, GError **error)
{
  if (writer->trouble == NULL)
    return true;
  g_propagate_error(error, g_steal_pointer(&writer->trouble));
  return false;
}

/* ---- ids that the store did not tell ---- */

typedef struct {
  Writer *writer;
  HaulFolderWork *work;
  HaulKeyMaker *maker; /* owned */
  GHashTable *paired;  /* owned; a set of ids that pairs have */
} Naming;

/* Gives a listed message to the first unnamed delivery with its key. */
static bool
name_one(const HaulItem *item, void *data)
{
  Naming *naming = data;
  HaulKey key;
  if (g_hash_table_contains(naming->paired, item->id))
    return true;
  HaulKeyResult result = haul_key_of_item(naming->maker, item, &key);
  for (guint i = 0; i < naming->writer->unnamed->len; i++) {
    Unnamed *unnamed = &g_array_index(naming->writer->unnamed, Unnamed, i);
    if (unnamed->work != naming->work || unnamed->id2 != NULL)
      continue;
    /* What has a key by its content alone is known by its size here: its neighbours are ours. */
    if (result == HAUL_KEY_FOUND ? !haul_key_equal(&key, &unnamed->cargo.key)
                                 : item->size != unnamed->cargo.size)
      continue;
    unnamed->id2 = g_strdup(item->id);
    break;
  }
  return true;
}

/* The ids of the destination that belong to pairs. */
static GHashTable *
paired_ids(const HaulContext *context, const HaulFolderWork *work, GError **error)
{
  g_autoptr(HaulIds) ids1 = haul_ids_new();
  g_autoptr(HaulIds) ids2 = haul_ids_new();
  g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  if (!haul_journal_load_pairs(context->journal, work->number, ids1, ids2, pairs, error))
    return NULL;
  GHashTable *paired = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < pairs->len; i++) {
    HaulIdBuffer buffer;
    HaulId id2 = g_array_index(pairs, HaulPair, i).id2;
    if (id2 != 0)
      g_hash_table_add(paired, g_strdup(haul_id_text(id2, &buffer)));
  }
  return paired;
}

/* Notes the ids that were found in @work, and forgets its deliveries. */
static bool
note_names(Writer *writer, const HaulFolderWork *work, GError **error)
{
  HaulJournal *journal = writer->context->journal;
  if (!haul_journal_begin(journal, error))
    return false;
  bool going = true;
  guint n_lost = 0;
  for (guint i = writer->unnamed->len; i-- > 0;) {
    Unnamed *unnamed = &g_array_index(writer->unnamed, Unnamed, i);
    if (unnamed->work != work)
      continue;
    n_lost += unnamed->id2 == NULL;
    if (unnamed->id2 != NULL)
      going = going
              && haul_journal_add_pair(journal, work->number, &unnamed->cargo, unnamed->id2, error);
    g_array_remove_index(writer->unnamed, i);
  }
  if (n_lost > 0)
    haul_log(HAUL_LOG_WARNING, "%s: %u messages were acknowledged, but are not to be found",
             work->plan.path2, n_lost);
  g_autoptr(GError) why = NULL;
  bool committed = haul_journal_commit(journal, &why);
  if (going && !committed)
    g_propagate_error(error, g_steal_pointer(&why));
  return going && committed;
}

/* Looks at what came to @work since, and names the deliveries that are found. */
static bool
look_for_names(Writer *writer, HaulFolderWork *work, GError **error)
{
  const HaulContext *context = writer->context;
  g_autoptr(GHashTable) paired = paired_ids(context, work, error);
  if (paired == NULL)
    return false;
  g_autoptr(HaulKeyMaker) maker = haul_key_maker_new(context->chain);
  Naming naming = { writer, work, maker, paired };
  HaulFolder folder = { 0 };
  HaulRange since = { work->next_id2, NULL };
  if (!haul_store_select(writer->store2, work->plan.path2, HAUL_READ, &folder, error))
    return false;
  if (folder.epoch != 0 && work->epoch2 != 0 && folder.epoch != work->epoch2) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "epoch", "destination: the folder was replaced");
    return false;
  }
  return haul_store_list(writer->store2, &since, 1, HAUL_WANT_SIZE | HAUL_WANT_DATE,
                         haul_chain_header_fields(context->chain), name_one, &naming, error)
         /* A folder that we made: the names are of the epoch that it has now. */
         && (folder.epoch == 0 || work->epoch2 != 0
             || haul_journal_set_epoch2(context->journal, work->number, folder.epoch, error))
         && note_names(writer, work, error);
}

static void
leave_nameless(Writer *writer, HaulFolderWork *work, const GError *why)
{
  haul_log(HAUL_LOG_WARNING, "%s: %s; the next run looks for what was delivered", work->plan.path2,
           why->message);
  work->incomplete = true;
  for (guint i = writer->unnamed->len; i-- > 0;)
    if (g_array_index(writer->unnamed, Unnamed, i).work == work)
      g_array_remove_index(writer->unnamed, i);
}

/* Finds the deliveries whose ids the store did not tell, among what came since. */
static bool
name_deliveries(Writer *writer, GError **error)
{
  while (writer->unnamed->len > 0) {
    if (!flush(writer, error))
      return false;
    HaulFolderWork *work = g_array_index(writer->unnamed, Unnamed, 0).work;
    GError *why = NULL;
    if (look_for_names(writer, work, &why))
      continue;
    if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
      g_propagate_error(error, why);
      return false;
    }
    leave_nameless(writer, work, why);
    g_error_free(why);
  }
  return true;
}

/* ---- flags ---- */

static int
compare_changes(const void *a, const void *b)
{
  const HaulAction *x = *(const HaulAction *const *)a, *y = *(const HaulAction *const *)b;
  const uint32_t left[] = { x->flags.add, x->flags.remove, x->flags.add_keywords,
                            x->flags.remove_keywords };
  const uint32_t right[] = { y->flags.add, y->flags.remove, y->flags.add_keywords,
                             y->flags.remove_keywords };
  return memcmp(left, right, sizeof left);
}

/* Notes the flags that both sides have agreed on by @actions. */
static bool
note_agreed(HaulJournal *journal, int64_t folder, HaulAction *const *actions, guint n,
            GError **error)
{
  if (!haul_journal_begin(journal, error))
    return false;
  bool going = true;
  for (guint i = 0; going && i < n; i++) {
    HaulIdBuffer buffer;
    going = haul_journal_set_agreed(journal, folder, haul_id_text(actions[i]->flags.id1, &buffer),
                                    actions[i]->flags.flags, actions[i]->flags.keywords, error);
  }
  return haul_journal_commit(journal, going ? error : NULL) && going;
}

/* Makes one change to many messages, and notes what is agreed on now. */
static bool
change_flags(Writer *writer, HaulAction *const *actions, guint n, GError **error)
{
  const HaulContext *context = writer->context;
  const HaulAction *first = actions[0];
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, n);
  g_autofree const char **ids = g_new(const char *, n);
  for (guint i = 0; i < n; i++)
    ids[i] = haul_id_text(actions[i]->flags.id2, &buffers[i]);
  HaulFlagChange change = {
    .add = first->flags.add,
    .remove = first->flags.remove,
    .add_keywords = haul_keywords_names(context->keywords, first->flags.add_keywords),
    .remove_keywords = haul_keywords_names(context->keywords, first->flags.remove_keywords),
  };
  if (!haul_store_set_flags(writer->store2, ids, n, &change, error))
    return false;
  writer->work->wrote = true;
  haul_report_flags(context->report, writer->work->tally, n);
  return note_agreed(context->journal, writer->work->number, actions, n, error);
}

static bool
change_all_flags(Writer *writer, GError **error)
{
  HaulFolderWork *work = writer->work;
  g_autoptr(GPtrArray) actions = g_ptr_array_new();
  for (guint i = 0; i < work->n_actions; i++) {
    HaulAction *action = &g_array_index(writer->pass->actions, HaulAction, work->first_action + i);
    if (action->deed == HAUL_DO_FLAGS)
      g_ptr_array_add(actions, action);
  }
  g_ptr_array_sort(actions, compare_changes);
  for (guint i = 0; i < actions->len;) {
    guint end = i + 1;
    while (end < actions->len && compare_changes(&actions->pdata[i], &actions->pdata[end]) == 0)
      end++;
    GError *why = NULL;
    if (!change_flags(writer, (HaulAction **)&actions->pdata[i], end - i, &why)) {
      if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
        g_propagate_error(error, why);
        return false;
      }
      work->incomplete = true;
      g_autoptr(GError) flags_error = NULL;
      haul_set_error(&flags_error, HAUL_ERROR_FOLDER, "flags", "%u messages: %s", end - i,
                     why->message);
      haul_report_folder_failed(writer->context->report, work->tally, flags_error);
      g_error_free(why);
    }
    i = end;
  }
  return true;
}

/* ---- parcels ---- */

static bool
begin_folder(Writer *writer, HaulFolderWork *work, GError **error)
{
  writer->work = work;
  writer->refused = false;
  HaulFolder folder = { .path = work->plan.path2,
                        .epoch = work->epoch2,
                        .next_id = work->next_id2 };
  GError *why = NULL;
  bool selected = haul_store_select(writer->store2, work->plan.path2, HAUL_WRITE, &folder, &why);
  if (selected && folder.epoch != 0 && work->epoch2 != 0 && folder.epoch != work->epoch2)
    haul_set_error(&why, HAUL_ERROR_FOLDER, "epoch", "destination: the folder was replaced");
  if (why == NULL)
    return true;
  if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
    g_propagate_error(error, why);
    return false;
  }
  writer->refused = true;
  work->incomplete = true;
  haul_report_folder_failed(writer->context->report, work->tally, why);
  g_error_free(why);
  return true;
}

static bool
end_folder(Writer *writer, HaulParcel *parcel, GError **error)
{
  HaulFolderWork *work = writer->work;
  if (!send_batch(writer, error))
    return false;
  if (parcel->why != NULL) {
    work->incomplete = true;
    if (haul_error_reach(parcel->why) <= HAUL_ERROR_FOLDER)
      haul_report_folder_failed(writer->context->report, work->tally, parcel->why);
  }
  if (!writer->refused && !change_all_flags(writer, error))
    return false;
  return name_deliveries(writer, error);
}

static bool
take_parcel(Writer *writer, HaulParcel *parcel, GError **error)
{
  switch (parcel->kind) {
  case HAUL_PARCEL_FOLDER: {
    bool begun = begin_folder(writer, parcel->work, error);
    haul_parcel_free(parcel);
    return begun;
  }
  case HAUL_PARCEL_END: {
    bool ended = end_folder(writer, parcel, error);
    haul_parcel_free(parcel);
    return ended;
  }
  case HAUL_PARCEL_MESSAGE:
  default:
    break;
  }
  if (writer->refused) {
    haul_parcel_free(parcel);
    return true;
  }
  writer->waiting_octets += haul_message_item(parcel->message)->size;
  g_ptr_array_add(writer->waiting, parcel);
  if (writer->waiting->len >= BATCH_MESSAGES || writer->waiting_octets >= BATCH_OCTETS)
    return send_batch(writer, error);
  return true;
}

static bool
deliver_until_closed(Writer *writer, GError **error)
{
  for (;;) {
    void *parcel;
    unsigned patience = writer->waiting->len > 0 ? GATHER_MS : IDLE_MS;
    bool going = true;
    switch (haul_queue_pop(writer->queue, patience, &parcel)) {
    case HAUL_QUEUE_ENTRY:
      going = take_parcel(writer, parcel, error);
      break;
    case HAUL_QUEUE_STARVED:
      going = send_batch(writer, error) && flush(writer, error);
      break;
    case HAUL_QUEUE_IDLE:
      if (writer->waiting->len > 0)
        going = send_batch(writer, error);
      else if (writer->n_under_way > 0)
        going = flush(writer, error);
      break;
    case HAUL_QUEUE_CLOSED:
    default:
      return send_batch(writer, error) && flush(writer, error) && name_deliveries(writer, error)
             && check_trouble(writer, error);
    }
    if (!going || !check_trouble(writer, error))
      return false;
  }
}

static void
drain(HaulQueue *queue)
{
  void *parcel;
  while (haul_queue_pop(queue, 0, &parcel) == HAUL_QUEUE_ENTRY)
    haul_parcel_free(parcel);
}

bool
haul_deliver(const HaulContext *context, const HaulPass *pass, HaulOpenStore *store2,
             HaulQueue *queue, GError **error)
{
  Writer writer = {
    .context = context,
    .pass = pass,
    .store2 = store2,
    .queue = queue,
    .waiting = g_ptr_array_new_with_free_func((GDestroyNotify)haul_parcel_free),
    .batches = g_ptr_array_new_with_free_func((GDestroyNotify)batch_free),
    .receipts = g_array_new(FALSE, TRUE, sizeof(HaulReceipt)),
    .unnamed = g_array_new(FALSE, TRUE, sizeof(Unnamed)),
  };
  g_array_set_clear_func(writer.receipts, (GDestroyNotify)haul_receipt_clear);
  g_array_set_clear_func(writer.unnamed, (GDestroyNotify)unnamed_clear);

  bool delivered = deliver_until_closed(&writer, error);
  if (!delivered) {
    haul_queue_break(queue);
    /* What was settled before the end is worth knowing; what was not stays an open intent. */
    g_autoptr(GError) lost = NULL;
    if (!flush(&writer, &lost))
      haul_log(HAUL_LOG_DEBUG, "after the end: %s", lost->message);
    if (writer.work != NULL)
      writer.work->incomplete = true;
  }
  drain(queue);
  g_clear_error(&writer.trouble);
  g_array_unref(writer.unnamed);
  g_array_unref(writer.receipts);
  g_ptr_array_unref(writer.batches);
  g_ptr_array_unref(writer.waiting);
  return delivered;
}
