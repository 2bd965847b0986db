/* The writing end of a lane. */
#include "delivery.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "flagging.h"
#include "bounds.h"
#include "mend.h"
#include "message.h"
#include "naming.h"
#include "ticket.h"

/* An intent covers a batch: one write of the state for as many messages. */
#define BATCH_MESSAGES 256u
#define BATCH_OCTETS (2u << 20)
/* How long a batch waits for another message when the source is slower than we are. */
#define GATHER_MS 10u
/* After so long without work, what is in flight is settled. */
#define IDLE_MS 1000u
/* How long messages may lie about unsent while the next one waits for its turn. */
#define LONG_WAIT_US 50000

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

/* A message that the destination refused, and that may be repaired. */
typedef struct {
  HaulMessage *message; /* owned; as the source has it */
  HaulCargo cargo;      /* owned */
  HaulMending mending;
  GError *why; /* owned; what was said of it first */
} Rejected;

static void
rejected_free(Rejected *rejected)
{
  if (rejected == NULL)
    return;
  haul_message_unref(rejected->message);
  haul_cargo_clear(&rejected->cargo);
  g_clear_error(&rejected->why);
  g_free(rejected);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rejected, rejected_free)

typedef struct {
  const HaulContext *context;
  const HaulPass *pass;
  HaulOpenStore *store2;
  HaulQueue *queue;
  const HaulDeliveryFrame *frame; /* borrowed, or NULL */
  HaulFolderWork *work;           /* the folder at hand, or NULL */
  bool refused;                   /* it cannot be written: its messages are dropped */

  GPtrArray *waiting; /* owned; of HaulParcel: the next batch */
  uint64_t waiting_octets;
  GPtrArray *batches; /* owned; of Batch: under way, or not yet noted as done */
  GArray *receipts;   /* owned; of HaulReceipt: to be noted */
  guint n_under_way;
  HaulNaming *naming;  /* owned; what was delivered, and the store did not say its id */
  GPtrArray *rejected; /* owned; of Rejected, of the folder at hand: to be repaired */
  HaulKeyMaker *maker; /* owned; for what is repaired */
  bool lost;           /* a ticket has said so */
  GError *trouble;     /* owned; the worst that a ticket said, beyond its folder */
} Writer;

/* ---- tickets ---- */

typedef struct {
  Writer *writer;
  Batch *batch;
  guint index;
  Rejected *rejected; /* owned; what may be repaired if it is refused, or NULL */
} Delivery;

static void
delivery_free(Delivery *delivery)
{
  rejected_free(delivery->rejected);
  g_free(delivery);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Delivery, delivery_free)

/* Whether what was said of a delivery lets us try again with a repaired message. Its intent is over. */
static bool
is_to_be_repaired(const Delivery *delivery, const GError *why)
{
  return why != NULL && delivery->rejected != NULL && haul_error_reach(why) == HAUL_ERROR_MESSAGE
         && strcmp(haul_error_reason(why), "refused") == 0;
}

/* Keeps it for repair_rejected(). */
static void
reject(Writer *writer, Delivery *delivery, const HaulCargo *cargo, const GError *why)
{
  Rejected *rejected = g_steal_pointer(&delivery->rejected);
  if (rejected->why == NULL) {
    rejected->why = g_error_copy(why);
    rejected->cargo = *cargo;
    rejected->cargo.id1 = g_strdup(cargo->id1);
  }
  g_ptr_array_add(writer->rejected, rejected);
}

/* Tells of a delivery that was repaired before. */
static void
tell_repaired(const Writer *writer, const HaulFolderWork *work, const Rejected *rejected)
{
  g_autofree char *names = haul_repair_names(rejected->mending.done);
  haul_report_repaired(writer->context->report, work->tally);
  haul_log(HAUL_LOG_WARNING, "%s, message %s: refused as it is (%s); delivered repaired: %s",
           work->tally->path1, rejected->cargo.id1, rejected->why->message, names);
}

static void
settled(void *data, uint64_t epoch, const char *new_id, const GError *why)
{
  g_autoptr(Delivery) delivery = data;
  Writer *writer = delivery->writer;
  Batch *batch = delivery->batch;
  const HaulCargo *cargo = &g_array_index(batch->intent->cargo, HaulCargo, delivery->index);
  writer->n_under_way--;
  bool again = is_to_be_repaired(delivery, why);
  if (why != NULL && !again)
    batch->work->incomplete = true;
  if (why != NULL && haul_error_reach(why) == HAUL_ERROR_FOLDER) {
    haul_report_folder_failed(writer->context->report, batch->work->tally, why);
    writer->refused |= batch->work == writer->work;
    return;
  }
  if (why != NULL && haul_error_reach(why) != HAUL_ERROR_MESSAGE) {
    if (!writer->lost) /* the oldest: what came behind it, into another folder, is not to blame */
      haul_suspect_lost_writing(&batch->work->tally->suspect, writer->pass->crowded, why);
    writer->lost = true;
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
  if (again) {
    reject(writer, delivery, cargo, why);
    return;
  }
  if (why != NULL) {
    haul_report_trouble(writer->context->report, batch->work->tally, cargo->id1, why);
    return;
  }
  if (delivery->rejected != NULL && delivery->rejected->why != NULL)
    tell_repaired(writer, batch->work, delivery->rejected);
  batch->work->wrote = true;
  batch->work->n_put++;
  haul_report_copied(writer->context->report, batch->work->tally, cargo->size);
  haul_report_reached(writer->context->report, batch->work->tally, cargo->id1);
  if (new_id == NULL)
    haul_naming_add(writer->naming, batch->work, cargo);
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

/* Handles an error of the folder at hand; false if it reaches farther. @why is taken. */
static bool
contain(Writer *writer, GError *why, GError **error)
{
  if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
    g_propagate_error(error, why);
    return false;
  }
  writer->refused = true;
  writer->work->incomplete = true;
  haul_report_folder_failed(writer->context->report, writer->work->tally, why);
  g_error_free(why);
  return true;
}

/* @rejected: taken; of a message that was refused before, or NULL. */
static bool
put(Writer *writer, Batch *batch, guint index, HaulMessage *message, Rejected *rejected,
    GError **error)
{
  Delivery *delivery = g_new(Delivery, 1);
  if (rejected == NULL && writer->context->policy->repair == HAUL_REPAIR_ON_REJECT) {
    rejected = g_new0(Rejected, 1);
    rejected->message = haul_message_ref(message);
  }
  *delivery = (Delivery){ writer, batch, index, rejected };
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
  for (guint i = 0; going && i < writer->waiting->len; i++) {
    if (writer->refused) { /* by one before it: this one is not tried */
      batch->n_open--;
      continue;
    }
    GError *why = NULL;
    HaulMessage *message = ((HaulParcel *)writer->waiting->pdata[i])->message;
    if (!put(writer, batch, i, message, NULL, &why))
      going = contain(writer, why, error);
  }
  g_ptr_array_set_size(writer->waiting, 0);
  writer->waiting_octets = 0;
  return going;
}

/* ---- what was refused, and is repaired ---- */

/* No repair is left, or none can be made: it stays refused. */
static void
give_up_repairing(Writer *writer, const Rejected *rejected, const GError *failure)
{
  g_autofree char *names = haul_repair_names(rejected->mending.done);
  writer->work->incomplete = true;
  haul_log(HAUL_LOG_INFO, "%s, message %s: refused, and no repair helped%s%s",
           writer->work->tally->path1, rejected->cargo.id1, *names != '\0' ? "; tried: " : "",
           failure != NULL ? failure->message : names);
  haul_report_trouble(writer->context->report, writer->work->tally, rejected->cargo.id1,
                      rejected->why);
}

/* Repairs a message; its cargo goes to @intent. NULL if it stays refused. */
static HaulMessage *
mend(Writer *writer, Rejected *rejected, HaulIntentBatch *intent)
{
  g_autoptr(GError) why = NULL;
  HaulKey key;
  HaulCargo cargo = rejected->cargo;
  g_autoptr(HaulMessage) mended =
      haul_mend(rejected->message, &rejected->mending, writer->context->spool, writer->queue, &why);
  if (mended == NULL || !haul_key_of_message(writer->maker, mended, &key, cargo.sent_sha256)) {
    give_up_repairing(writer, rejected, why);
    return NULL;
  }
  cargo.id1 = g_strdup(rejected->cargo.id1);
  cargo.altered = true;
  cargo.sent_size = haul_message_item(mended)->size;
  g_array_append_val(intent->cargo, cargo);
  return g_steal_pointer(&mended);
}

/* Sends what was refused once more, with the next repair each: first the intent, as ever. */
static bool
send_repaired(Writer *writer, GError **error)
{
  HaulFolderWork *work = writer->work;
  g_autoptr(GPtrArray) rejected = g_steal_pointer(&writer->rejected);
  g_autoptr(GPtrArray) mended = g_ptr_array_new_with_free_func((GDestroyNotify)haul_message_unref);
  g_autoptr(GPtrArray) tried = g_ptr_array_new_with_free_func((GDestroyNotify)rejected_free);
  writer->rejected = g_ptr_array_new_with_free_func((GDestroyNotify)rejected_free);
  Batch *batch = g_new0(Batch, 1);
  batch->work = work;
  batch->intent = haul_intent_batch_new(work->number, work->epoch2, work->next_id2);
  for (guint i = 0; i < rejected->len; i++) {
    HaulMessage *message = mend(writer, rejected->pdata[i], batch->intent);
    if (message == NULL)
      continue;
    g_ptr_array_add(mended, message);
    g_ptr_array_add(tried, g_steal_pointer(&rejected->pdata[i]));
  }
  if (mended->len == 0) {
    batch_free(batch);
    return true;
  }
  batch->n_open = mended->len;
  bool going = note_receipts(writer, batch->intent, error);
  g_ptr_array_add(writer->batches, batch);
  for (guint i = 0; going && i < mended->len; i++) {
    GError *why = NULL;
    if (writer->refused)
      batch->n_open--;
    else if (!put(writer, batch, i, mended->pdata[i], g_steal_pointer(&tried->pdata[i]), &why))
      going = contain(writer, why, error);
  }
  return going && flush(writer, error);
}

/* Tries what was refused again until it is taken, or nothing is left to try. */
static bool
repair_rejected(Writer *writer, GError **error)
{
  while (writer->rejected->len > 0 && writer->trouble == NULL && !writer->refused)
    if (!send_repaired(writer, error))
      return false;
  return true;
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

/* Finds the ids that the store did not tell. */
static bool
name_deliveries(Writer *writer, GError **error)
{
  return haul_naming_is_empty(writer->naming)
         || (flush(writer, error) && haul_naming_look(writer->naming, error));
}

/* ---- parcels ---- */

static void
tell_origin(HaulOpenStore *store2, HaulFolderWork *work)
{
  const HaulPlanFolder *folder1 = work->plan.folder1;
  HaulFolder source = { .path = folder1->path,
                        .epoch = work->epoch1,
                        .next_id = folder1->next_id,
                        .n_messages = folder1->n_messages,
                        .n_octets = folder1->n_octets,
                        .max_message_octets = HAUL_UNKNOWN,
                        .attributes = folder1->attributes };
  haul_store_origin(store2, &source);
  work->told = true;
}

static bool
begin_folder(Writer *writer, HaulFolderWork *work, GError **error)
{
  writer->work = work;
  writer->refused = work->unusable; /* found out while it was read */
  if (writer->refused)
    return true;
  HaulFolder folder = { .path = work->plan.path2,
                        .epoch = work->epoch2,
                        .next_id = work->next_id2 };
  GError *why = NULL;
  guint n_before = writer->n_under_way;
  HaulSuspect *suspect = &work->tally->suspect;
  HaulIntent intent = suspect->writes_singly ? HAUL_WRITE | HAUL_WRITE_SINGLY : HAUL_WRITE;
  bool selected = haul_store_select(writer->store2, work->plan.path2, intent, &folder, &why);
  /* What is under way into another folder may be to blame. */
  bool crowded = writer->pass->crowded || n_before > 0;
  if (haul_suspect_opened(suspect, HAUL_OPENED_TO_WRITE, crowded, why))
    haul_report_left_folder(writer->context->report);
  if (selected && folder.epoch != 0 && work->epoch2 != 0 && folder.epoch != work->epoch2)
    haul_set_error(&why, HAUL_ERROR_FOLDER, "epoch", "destination: the folder was replaced");
  if (why != NULL)
    return contain(writer, why, error);
  tell_origin(writer->store2, work);
  return true;
}

static bool
end_folder(Writer *writer, HaulParcel *parcel, GError **error)
{
  HaulFolderWork *work = writer->work;
  if (!send_batch(writer, error))
    return false;
  /* What is refused after the next folder was begun could not be told from what is its own. */
  if (writer->context->policy->repair == HAUL_REPAIR_ON_REJECT
      && (!flush(writer, error) || !repair_rejected(writer, error)))
    return false;
  if (parcel->why != NULL) {
    work->incomplete = true;
    if (haul_error_reach(parcel->why) <= HAUL_ERROR_FOLDER)
      haul_report_folder_failed(writer->context->report, work->tally, parcel->why);
  }
  if (!writer->refused
      && !haul_change_flags(writer->context, writer->pass, writer->store2, work, error))
    return false;
  return name_deliveries(writer, error);
}

/* Whether it is the delivery at which a connection seems to have been lost, or that was put off. */
static bool
is_suspected(const Writer *writer, const HaulParcel *parcel)
{
  return g_strcmp0(writer->work->tally->suspect.unsettled, parcel->cargo.id1) == 0;
}

/* Delivers a message with nothing else under way, so that it alone can be to blame. */
static bool
deliver_alone(Writer *writer, HaulParcel *parcel, GError **error)
{
  bool going = send_batch(writer, error) && flush(writer, error);
  if (!going) {
    haul_parcel_free(parcel);
    return false;
  }
  g_ptr_array_add(writer->waiting, parcel);
  return send_batch(writer, error) && flush(writer, error);
}

/* Keeps a message back until it may go. Long waits find nothing under way: no server waits for us. */
static bool
await_turn(Writer *writer, const HaulParcel *parcel, GError **error)
{
  HaulBounds *limits = writer->context->bounds;
  int64_t wait_us = haul_bounds_pace(limits, haul_message_item(parcel->message)->size);
  if (wait_us == 0)
    return true;
  bool settles = wait_us > LONG_WAIT_US;
  return (!settles || (send_batch(writer, error) && flush(writer, error)))
         && haul_bounds_wait(limits, wait_us, error);
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
  if (!haul_bounds_bear(writer->context->bounds, error) || !await_turn(writer, parcel, error)) {
    haul_parcel_free(parcel);
    return false;
  }
  if (is_suspected(writer, parcel))
    return deliver_alone(writer, parcel, error);
  writer->waiting_octets += haul_message_item(parcel->message)->size;
  g_ptr_array_add(writer->waiting, parcel);
  if (writer->waiting->len >= BATCH_MESSAGES || writer->waiting_octets >= BATCH_OCTETS)
    return send_batch(writer, error);
  return true;
}

/* Waits for what is under way; before that, while it is, does what else is to be done in the end. */
static bool
conclude(Writer *writer, GError **error)
{
  const HaulDeliveryFrame *frame = writer->frame;
  return send_batch(writer, error) && (frame == NULL || frame->conclude(frame->data, error))
         && flush(writer, error) && name_deliveries(writer, error) && check_trouble(writer, error);
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
      return conclude(writer, error);
    }
    if (!going || !check_trouble(writer, error) || !repair_rejected(writer, error))
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
             HaulQueue *queue, const HaulDeliveryFrame *frame, GError **error)
{
  Writer writer = {
    .context = context,
    .pass = pass,
    .store2 = store2,
    .queue = queue,
    .frame = frame,
    .waiting = g_ptr_array_new_with_free_func((GDestroyNotify)haul_parcel_free),
    .batches = g_ptr_array_new_with_free_func((GDestroyNotify)batch_free),
    .receipts = g_array_new(FALSE, TRUE, sizeof(HaulReceipt)),
    .naming = haul_naming_new(context, store2),
    .rejected = g_ptr_array_new_with_free_func((GDestroyNotify)rejected_free),
    .maker = haul_key_maker_new(context->chain),
  };
  g_array_set_clear_func(writer.receipts, (GDestroyNotify)haul_receipt_clear);

  bool delivered =
      (frame == NULL || frame->prepare(frame->data, error)) && deliver_until_closed(&writer, error);
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
  haul_naming_free(writer.naming);
  g_ptr_array_unref(writer.rejected);
  haul_key_maker_free(writer.maker);
  g_array_unref(writer.receipts);
  g_ptr_array_unref(writer.batches);
  g_ptr_array_unref(writer.waiting);
  return delivered;
}

/* ---- folders that got nothing ---- */

static bool
is_to_be_told(const HaulFolderWork *work)
{
  return !work->told && !work->unusable && work->plan.folder2 != NULL
         && work->plan.look != HAUL_LOOK_NONE;
}

bool
haul_tell_origins(const HaulPass *pass, HaulOpenStore *store2, GError **error)
{
  for (guint i = 0; haul_store_takes_origins(store2) && i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    HaulFolder folder = { 0 };
    g_autoptr(GError) why = NULL;
    if (!is_to_be_told(work))
      continue;
    if (haul_store_select(store2, work->plan.path2, HAUL_WRITE, &folder, &why)) {
      tell_origin(store2, work);
    } else if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
      g_propagate_error(error, g_steal_pointer(&why));
      return false;
    } else {
      haul_log(HAUL_LOG_WARNING, "%s", why->message); /* no message hangs on it */
    }
  }
  return true;
}
