/* One lane: its threads, and the reading end. See lane.h. */
#include "lane.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "arrival.h"
#include "duplicates.h"
#include "errand.h"
#include "intake.h"
#include "bounds.h"
#include "message.h"
#include "plan-labels.h"
#include "pseudo.h"
#include "queue.h"
#include "transform.h"

/* A lane reserves folders so that the store can ask for them ahead: so many, or so much; a lane that is
 * alone the more, the more it has done, for it shows how fast it goes. */
#define RESERVED_FOLDERS 8u
#define RESERVED_OCTETS (4u << 20)
#define MOST_RESERVED_FOLDERS 32u
#define MOST_RESERVED_OCTETS (16u << 20)

struct HaulLane {
  HaulShare *share; /* borrowed */
  const HaulContext *context;
  HaulOpenStore *store1, *store2; /* borrowed, or owned if the lane opened them */
  bool owns_stores;
  HaulQueue *queue;
  HaulIntake *intake;
  HaulKeyMaker *maker;
  HaulDuplicates *duplicates; /* NULL: all of them are copied */
  GPtrArray *errands;         /* of HaulErrand: reserved; the first is at hand */
  GArray *visits;             /* of HaulVisit */
  guint n_done;               /* errands ... */
  uint64_t done_octets;       /* ... and what they were reckoned at */
  uint64_t n_seen;            /* messages of the errand at hand, given or refused */
  uint64_t n_undated;         /* of them: their header told when they came */
  pthread_t reader;
  GError *read_error, *write_error; /* owned */
};

/* Reserves the next folders; the first is the one to go to. */
static HaulErrand *
next_errand(HaulLane *lane)
{
  bool alone = lane->share->n_at_work == 1;
  guint most =
      alone ? MIN(RESERVED_FOLDERS + lane->n_done, MOST_RESERVED_FOLDERS) : RESERVED_FOLDERS;
  uint64_t most_octets =
      alone ? MIN(RESERVED_OCTETS + lane->done_octets, MOST_RESERVED_OCTETS) : RESERVED_OCTETS;
  uint64_t reserved = 0;
  for (guint i = 1; i < lane->errands->len; i++)
    reserved += ((HaulErrand *)lane->errands->pdata[i])->octets;
  while (lane->errands->len == 0 || (lane->errands->len < most && reserved < most_octets)) {
    HaulErrand *errand = haul_errand_take(lane->share->list);
    if (errand == NULL)
      break;
    if (lane->errands->len > 0)
      reserved += errand->octets;
    g_ptr_array_add(lane->errands, errand);
  }
  return lane->errands->len > 0 ? lane->errands->pdata[0] : NULL;
}

static void
announce(HaulLane *lane)
{
  g_array_set_size(lane->visits, 0);
  /* Nothing else is under way when the suspect is asked for, or it might be to blame. */
  bool first_alone = ((const HaulErrand *)lane->errands->pdata[0])->alone;
  guint n = first_alone ? 1 : lane->errands->len;
  for (guint i = 0; i < n; i++) {
    const HaulErrand *errand = lane->errands->pdata[i];
    if (i > 0 && errand->alone)
      break;
    HaulVisit visit = {
      .path = errand->work->plan.folder1->path,
      .kind = HAUL_VISIT_FETCH,
      .epoch = errand->work->epoch1,
      .ranges = (const HaulRange *)(void *)errand->ranges->data,
      .n_ranges = errand->alone ? 1 : errand->ranges->len,
    };
    if (errand->ranges->len > 0)
      g_array_append_val(lane->visits, visit);
  }
  haul_store_ahead(lane->store1, (const HaulVisit *)(void *)lane->visits->data, lane->visits->len);
}

/* ---- reading ---- */

static bool
push(HaulLane *lane, HaulParcel *parcel, GError **error)
{
  if (haul_queue_push(lane->queue, parcel))
    return true;
  haul_parcel_free(parcel);
  haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "the writing end has stopped");
  return false;
}

static void
skip_message(const char *id, const GError *why, void *data)
{
  HaulLane *lane = data;
  HaulFolderWork *work = ((HaulErrand *)lane->errands->pdata[0])->work;
  lane->n_seen++;
  work->incomplete = true;
  haul_report_trouble(lane->context->report, work->tally, id, why);
}

/* Passes a message that is none. Its folder is complete without it, this time and the next. */
static void
pass_over_pseudo(HaulLane *lane, const char *id)
{
  HaulFolderWork *work = ((HaulErrand *)lane->errands->pdata[0])->work;
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_MESSAGE, "pseudo", "what a mailbox file says of itself");
  lane->n_seen++;
  work->n_gone++;
  haul_report_trouble(lane->context->report, work->tally, id, why);
}

/* Passes a message that the folder has more than once. The folder is looked at again in the next run. */
static void
pass_over_duplicate(HaulLane *lane, const char *id)
{
  HaulFolderWork *work = ((HaulErrand *)lane->errands->pdata[0])->work;
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_MESSAGE, "twice",
                 "another one of the folder has the same octets");
  lane->n_seen++;
  work->incomplete = true;
  haul_report_trouble(lane->context->report, work->tally, id, why);
}

/* Makes keywords of the other folders that a message is in, if asked to. The copy gets them once: they are
 * not what both sides agree on, or the next run would take them away. */
static void
mark_labels(const HaulLane *lane, HaulMessage *message)
{
  const char *const *labels = haul_message_item(message)->labels;
  if (lane->context->policy->labels != HAUL_LABELS_KEYWORDS || labels == NULL
      || lane->share->pass->objects == NULL)
    return;
  g_autoptr(GPtrArray) keywords = g_ptr_array_new_with_free_func(g_free);
  for (; *labels != NULL; labels++) {
    char *keyword = haul_objects_has_folder(lane->share->pass->objects, *labels)
                        ? haul_labels_keyword(*labels)
                        : NULL;
    if (keyword != NULL)
      g_ptr_array_add(keywords, keyword);
  }
  g_ptr_array_add(keywords, NULL);
  haul_message_add_keywords(message, (const char *const *)keywords->pdata);
}

/* Changes the message of a parcel as the user wants it. What is known of it stays what the source has. */
static void
transform(HaulLane *lane, HaulParcel *parcel)
{
  const HaulContext *context = lane->context;
  HaulCargo *cargo = &parcel->cargo;
  HaulKey key;
  g_autoptr(GError) why = NULL;
  g_autoptr(HaulMessage) made =
      haul_transform_apply(context->transform, parcel->message, context->spool, lane->queue, &why);
  if (made != NULL && !haul_key_of_message(lane->maker, made, &key, cargo->sent_sha256)) {
    haul_set_error(&why, HAUL_ERROR_MESSAGE, "spool", "the spooled message cannot be read");
    g_clear_pointer(&made, haul_message_unref);
  }
  if (why != NULL)
    haul_log(HAUL_LOG_WARNING, "%s, message %s: delivered as it is: %s",
             ((HaulErrand *)lane->errands->pdata[0])->work->plan.folder1->path, cargo->id1,
             why->message);
  if (made == NULL)
    return;
  cargo->altered = true;
  cargo->sent_size = haul_message_item(made)->size;
  haul_message_unref(parcel->message);
  parcel->message = g_steal_pointer(&made);
}

static bool
take_message(HaulMessage *message, void *data, GError **error)
{
  HaulLane *lane = data;
  if (haul_message_is_pseudo(message)) {
    pass_over_pseudo(lane, haul_message_item(message)->id);
    haul_message_unref(message);
    return true;
  }
  lane->n_undated += haul_arrival_supply(message);
  const HaulItem *item = haul_message_item(message);
  HaulParcel *parcel = g_new0(HaulParcel, 1);
  parcel->kind = HAUL_PARCEL_MESSAGE;
  parcel->message = message;
  parcel->cargo = (HaulCargo){
    .id1 = g_strdup(item->id),
    .size = item->size,
    .flags = item->flags,
    .keywords = haul_keywords_intern(lane->context->keywords, item->keywords),
  };
  if (!haul_key_of_message(lane->maker, message, &parcel->cargo.key, parcel->cargo.sha256)) {
    g_autoptr(GError) why = NULL;
    haul_set_error(&why, HAUL_ERROR_MESSAGE, "spool", "the spooled message cannot be read");
    skip_message(item->id, why, lane);
    haul_parcel_free(parcel);
    return true;
  }
  bool is_duplicate = false;
  if (lane->duplicates != NULL
      && !haul_duplicates_see(lane->duplicates, ((HaulErrand *)lane->errands->pdata[0])->work,
                              &parcel->cargo, &is_duplicate, error)) {
    haul_parcel_free(parcel);
    return false;
  }
  if (is_duplicate) {
    pass_over_duplicate(lane, item->id);
    haul_parcel_free(parcel);
    return true;
  }
  if (!haul_bounds_admit(lane->context->bounds, item->size, error)) {
    haul_parcel_free(parcel);
    return false;
  }
  lane->n_seen++;
  mark_labels(lane, message);
  if (lane->context->transform != NULL)
    transform(lane, parcel);
  /* A command that was cut off has changed nothing; such a message is for the next run. */
  if (lane->context->transform != NULL && haul_cancel_is_set(lane->context->cancel)) {
    haul_parcel_free(parcel);
    haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "asked to stop");
    return false;
  }
  return push(lane, parcel, error);
}

/* Asks for ranges of the folder at hand, @alone: for one message that is suspected. */
static bool
fetch(HaulLane *lane, const HaulErrand *errand, guint first, guint n, bool alone, GError **error)
{
  if (n == 0)
    return true;
  HaulTally *tally = errand->work->tally;
  const HaulRange *ranges = &g_array_index(errand->ranges, HaulRange, first);
  GError *why = NULL;
  if (haul_store_fetch(lane->store1, ranges, n, lane->intake, &why)) {
    haul_suspect_read(&tally->suspect, alone, NULL);
    return true;
  }
  bool came = lane->n_seen > 0;
  if (haul_suspect_read(&tally->suspect, alone && !came && !lane->share->pass->crowded, why)) {
    g_autoptr(GError) twice = NULL;
    haul_set_error(&twice, HAUL_ERROR_MESSAGE, "unfetchable",
                   "the connection was lost twice at this message: %s", why->message);
    haul_log(HAUL_LOG_WARNING, "%s, message %s: %s; it is passed over",
             errand->work->plan.folder1->path, ranges->first, twice->message);
    haul_report_give_up(lane->context->report, tally, ranges->first, twice);
  }
  g_propagate_error(error, why);
  return false;
}

static bool
read_folder(HaulLane *lane, const HaulErrand *errand, GError **error)
{
  HaulFolder folder = { 0 };
  const HaulFolderWork *work = errand->work;
  announce(lane);
  GError *why = NULL;
  bool opened = haul_store_select(lane->store1, work->plan.folder1->path, HAUL_READ, &folder, &why);
  if (haul_suspect_opened(&work->tally->suspect, HAUL_OPENED_TO_READ, lane->share->pass->crowded,
                          why))
    haul_report_left_folder(lane->context->report);
  if (!opened) {
    g_propagate_error(error, why);
    return false;
  }
  if (folder.epoch != 0 && work->epoch1 != 0 && folder.epoch != work->epoch1) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "epoch",
                   "source: the folder was replaced while we worked on it; run again");
    return false;
  }
  guint n_alone = errand->alone ? 1 : 0;
  return fetch(lane, errand, 0, n_alone, true, error)
         && fetch(lane, errand, n_alone, errand->ranges->len - n_alone, false, error);
}

/*
 * Compares what came with what was planned: a store that left something out must not look done.
 * Where no listing was made, what a stream brought is what there was, and the next run looks again.
 */
static void
check_count(HaulLane *lane, const HaulErrand *errand)
{
  HaulFolderWork *work = errand->work;
  uint64_t planned = haul_errand_n_planned(lane->share->list, errand);
  bool streamed = haul_errand_is_stream(lane->share->list, errand);
  if (streamed)
    work->tally->source = lane->n_seen;
  if (lane->n_seen >= planned)
    return;
  work->incomplete = true;
  if (streamed)
    return;
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_FOLDER, "unfetchable",
                 "source: of %" PRIu64 " messages that were asked for, %" PRIu64 " came", planned,
                 lane->n_seen);
  haul_report_folder_failed(lane->context->report, work->tally, why);
}

/* Runs one errand. Returns false when the lane has to stop reading. */
static bool
run_errand(HaulLane *lane, HaulErrand *errand)
{
  HaulParcel *begin = g_new0(HaulParcel, 1);
  begin->kind = HAUL_PARCEL_FOLDER;
  begin->work = errand->work;
  if (!push(lane, begin, &lane->read_error))
    return false;

  GError *why = NULL;
  lane->n_seen = lane->n_undated = 0;
  if (lane->duplicates != NULL)
    haul_duplicates_begin(lane->duplicates);
  if (errand->ranges->len > 0 && read_folder(lane, errand, &why))
    check_count(lane, errand);
  else /* what a stream brought is there, whatever the folder's number was */
    errand->work->tally->source = MAX(errand->work->tally->source, lane->n_seen);
  if (why == NULL)
    haul_bounds_bear(lane->context->bounds, &why);
  if (lane->n_undated > 0)
    haul_log(HAUL_LOG_INFO,
             "%s: the source does not say when %" PRIu64 " messages came: their headers do",
             errand->work->plan.folder1->path, lane->n_undated);
  bool going = why == NULL || haul_error_reach(why) <= HAUL_ERROR_FOLDER;
  if (!going)
    lane->read_error = g_error_copy(why);

  HaulParcel *end = g_new0(HaulParcel, 1);
  end->kind = HAUL_PARCEL_END;
  end->work = errand->work;
  end->why = why;
  return push(lane, end, lane->read_error == NULL ? &lane->read_error : NULL) && going;
}

static void *
read_side(void *data)
{
  HaulLane *lane = data;
  HaulErrand *errand;
  while ((errand = next_errand(lane)) != NULL) {
    if (!errand->work->unusable && !run_errand(lane, errand))
      break;
    lane->n_done++;
    lane->done_octets += errand->octets;
    g_ptr_array_remove_index(lane->errands, 0);
  }
  /* What was reserved and not done. */
  for (guint i = 0; i < lane->errands->len; i++)
    ((HaulErrand *)lane->errands->pdata[i])->work->incomplete = true;
  haul_queue_close(lane->queue);
  return NULL;
}

/* ---- the lane ---- */

HaulLane *
haul_lane_new(HaulShare *share, uint64_t bound_octets)
{
  const HaulContext *context = share->context;
  HaulLane *lane = g_new0(HaulLane, 1);
  lane->share = share;
  lane->context = context;
  lane->queue = haul_queue_new(bound_octets);
  lane->intake = haul_intake_new(context->spool, lane->queue, context->cancel, take_message,
                                 skip_message, lane);
  lane->maker = haul_key_maker_new(context->chain);
  if (context->policy->no_duplicates)
    lane->duplicates = haul_duplicates_new(context);
  lane->errands = g_ptr_array_new_with_free_func((GDestroyNotify)haul_errand_free);
  lane->visits = g_array_new(FALSE, TRUE, sizeof(HaulVisit));
  return lane;
}

void
haul_lane_free(HaulLane *lane)
{
  if (lane->owns_stores) {
    haul_store_close(lane->store1);
    haul_store_close(lane->store2);
  }
  haul_intake_free(lane->intake);
  haul_queue_unref(lane->queue);
  haul_key_maker_free(lane->maker);
  haul_duplicates_free(lane->duplicates);
  g_ptr_array_unref(lane->errands);
  g_array_unref(lane->visits);
  g_clear_error(&lane->read_error);
  g_clear_error(&lane->write_error);
  g_free(lane);
}

void
haul_lane_lend(HaulLane *lane, HaulOpenStore *store1, HaulOpenStore *store2)
{
  lane->store1 = store1;
  lane->store2 = store2;
}

bool
haul_lane_open(HaulLane *lane, GError **error)
{
  lane->owns_stores = true;
  lane->store1 = haul_store_open(lane->context->account1, HAUL_READ, error);
  if (lane->store1 != NULL)
    lane->store2 = haul_store_open(lane->context->account2, HAUL_READ | HAUL_WRITE, error);
  return lane->store2 != NULL;
}

void
haul_lane_run(HaulLane *lane, const HaulDeliveryFrame *frame)
{
  lane->share->n_at_work++;
  if (pthread_create(&lane->reader, NULL, read_side, lane) == 0) {
    haul_deliver(lane->context, lane->share->pass, lane->store2, lane->queue, frame,
                 &lane->write_error);
    pthread_join(lane->reader, NULL);
  } else {
    haul_set_error(&lane->read_error, HAUL_ERROR_ACCOUNT, "failed", "cannot start a thread");
  }
  lane->share->n_at_work--;
}

/* Takes the error that reaches farthest; that the other end stopped is nobody's fault. */
static void
take_worst(GError **worst, GError **candidate)
{
  if (*candidate == NULL)
    return;
  bool is_echo = haul_error_reach(*candidate) == HAUL_ERROR_CANCELLED;
  bool worst_is_echo = *worst != NULL && haul_error_reach(*worst) == HAUL_ERROR_CANCELLED;
  if (*worst == NULL || (worst_is_echo && !is_echo)
      || (!is_echo && haul_error_reach(*candidate) > haul_error_reach(*worst))) {
    g_clear_error(worst);
    *worst = g_steal_pointer(candidate);
  }
}

void
haul_lane_take_worst(HaulLane *lane, GError **worst)
{
  take_worst(worst, &lane->write_error);
  take_worst(worst, &lane->read_error);
}
