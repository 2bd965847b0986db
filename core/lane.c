/* Lanes: threads and the reading end. */
#include "lane.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "arrival.h"
#include "delivery.h"
#include "errand.h"
#include "intake.h"
#include "message.h"
#include "pseudo.h"
#include "queue.h"

/* What all lanes together may hold in memory on its way. */
#define LANES_OCTETS (24u << 20)
/* A lane reserves folders so that the store can ask for them ahead: so many, or so much. */
#define RESERVED_FOLDERS 8u
#define RESERVED_OCTETS (4u << 20)
/* A lane more is worth its login only for so much work. */
#define OCTETS_PER_LANE (512u << 10)

typedef struct {
  const HaulContext *context;
  const HaulPass *pass;
  HaulErrandList *list;           /* borrowed */
  HaulOpenStore *store1, *store2; /* borrowed, or owned if the lane opened them */
  bool owns_stores;
  HaulQueue *queue;
  HaulIntake *intake;
  HaulKeyMaker *maker;
  GPtrArray *errands; /* of HaulErrand: reserved; the first is at hand */
  GArray *visits;     /* of HaulVisit */
  uint64_t n_seen;    /* messages of the errand at hand, given or refused */
  uint64_t n_undated; /* of them: their header told when they came */
  pthread_t reader, writer;
  GError *read_error, *write_error; /* owned */
} Lane;

/* Reserves the next folders; the first is the one to go to. */
static HaulErrand *
next_errand(Lane *lane)
{
  uint64_t reserved = 0;
  for (guint i = 1; i < lane->errands->len; i++)
    reserved += ((HaulErrand *)lane->errands->pdata[i])->octets;
  while (lane->errands->len == 0
         || (lane->errands->len < RESERVED_FOLDERS && reserved < RESERVED_OCTETS)) {
    HaulErrand *errand = haul_errand_take(lane->list);
    if (errand == NULL)
      break;
    if (lane->errands->len > 0)
      reserved += errand->octets;
    g_ptr_array_add(lane->errands, errand);
  }
  return lane->errands->len > 0 ? lane->errands->pdata[0] : NULL;
}

static void
announce(Lane *lane)
{
  g_array_set_size(lane->visits, 0);
  for (guint i = 0; i < lane->errands->len; i++) {
    const HaulErrand *errand = lane->errands->pdata[i];
    HaulVisit visit = {
      .path = errand->work->plan.folder1->path,
      .kind = HAUL_VISIT_FETCH,
      .epoch = errand->work->epoch1,
      .ranges = (const HaulRange *)(void *)errand->ranges->data,
      .n_ranges = errand->ranges->len,
    };
    if (errand->ranges->len > 0)
      g_array_append_val(lane->visits, visit);
  }
  haul_store_ahead(lane->store1, (const HaulVisit *)(void *)lane->visits->data, lane->visits->len);
}

/* ---- reading ---- */

static bool
push(Lane *lane, HaulParcel *parcel, GError **error)
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
  Lane *lane = data;
  HaulFolderWork *work = ((HaulErrand *)lane->errands->pdata[0])->work;
  lane->n_seen++;
  work->incomplete = true;
  haul_report_trouble(lane->context->report, work->tally, id, why);
}

/* Passes a message that is none. Its folder is complete without it, this time and the next. */
static void
pass_over_pseudo(Lane *lane, const char *id)
{
  HaulFolderWork *work = ((HaulErrand *)lane->errands->pdata[0])->work;
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_MESSAGE, "pseudo", "what a mailbox file says of itself");
  lane->n_seen++;
  work->n_gone++;
  haul_report_trouble(lane->context->report, work->tally, id, why);
}

static bool
take_message(HaulMessage *message, void *data, GError **error)
{
  Lane *lane = data;
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
  lane->n_seen++;
  return push(lane, parcel, error);
}

static bool
read_folder(Lane *lane, const HaulErrand *errand, GError **error)
{
  HaulFolder folder = { 0 };
  const HaulFolderWork *work = errand->work;
  announce(lane);
  if (!haul_store_select(lane->store1, work->plan.folder1->path, HAUL_READ, &folder, error))
    return false;
  if (folder.epoch != 0 && work->epoch1 != 0 && folder.epoch != work->epoch1) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "epoch",
                   "source: the folder was replaced while we worked on it; run again");
    return false;
  }
  return haul_store_fetch(lane->store1, (const HaulRange *)(void *)errand->ranges->data,
                          errand->ranges->len, lane->intake, error);
}

/*
 * Compares what came with what was planned: a store that left something out must not look done.
 * Where no listing was made, what a stream brought is what there was, and the next run looks again.
 */
static void
check_count(Lane *lane, const HaulErrand *errand)
{
  HaulFolderWork *work = errand->work;
  uint64_t planned = haul_errand_n_planned(lane->list, errand);
  bool streamed = haul_errand_is_stream(lane->list, errand);
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
run_errand(Lane *lane, HaulErrand *errand)
{
  HaulParcel *begin = g_new0(HaulParcel, 1);
  begin->kind = HAUL_PARCEL_FOLDER;
  begin->work = errand->work;
  if (!push(lane, begin, &lane->read_error))
    return false;

  GError *why = NULL;
  lane->n_seen = lane->n_undated = 0;
  if (errand->ranges->len > 0 && read_folder(lane, errand, &why))
    check_count(lane, errand);
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
  Lane *lane = data;
  HaulErrand *errand;
  while ((errand = next_errand(lane)) != NULL) {
    if (!run_errand(lane, errand))
      break;
    g_ptr_array_remove_index(lane->errands, 0);
  }
  /* What was reserved and not done. */
  for (guint i = 0; i < lane->errands->len; i++)
    ((HaulErrand *)lane->errands->pdata[i])->work->incomplete = true;
  haul_queue_close(lane->queue);
  return NULL;
}

/* ---- lanes ---- */

static bool
open_stores(Lane *lane, GError **error)
{
  if (lane->store1 != NULL)
    return true;
  lane->owns_stores = true;
  lane->store1 = haul_store_open(lane->context->account1, HAUL_READ, error);
  if (lane->store1 != NULL)
    lane->store2 = haul_store_open(lane->context->account2, HAUL_READ | HAUL_WRITE, error);
  return lane->store2 != NULL;
}

/* Runs a lane whose stores are open; the calling thread writes. */
static void
run_lane(Lane *lane)
{
  if (pthread_create(&lane->reader, NULL, read_side, lane) != 0) {
    haul_set_error(&lane->read_error, HAUL_ERROR_ACCOUNT, "failed", "cannot start a thread");
    return;
  }
  haul_deliver(lane->context, lane->pass, lane->store2, lane->queue, &lane->write_error);
  pthread_join(lane->reader, NULL);
}

/* A lane that opens its own stores: a connection cap is a lane less, no error. */
static void *
run_extra_lane(void *data)
{
  Lane *lane = data;
  g_autoptr(GError) error = NULL;
  if (open_stores(lane, &error))
    run_lane(lane);
  else
    haul_log(HAUL_LOG_INFO, "a lane less: %s", error->message);
  return NULL;
}

static Lane *
lane_new(const HaulContext *context, const HaulPass *pass, HaulErrandList *list, uint64_t bound)
{
  Lane *lane = g_new0(Lane, 1);
  lane->context = context;
  lane->pass = pass;
  lane->list = list;
  lane->queue = haul_queue_new(bound);
  lane->intake = haul_intake_new(context->spool, lane->queue, context->cancel, take_message,
                                 skip_message, lane);
  lane->maker = haul_key_maker_new(context->chain);
  lane->errands = g_ptr_array_new_with_free_func((GDestroyNotify)haul_errand_free);
  lane->visits = g_array_new(FALSE, TRUE, sizeof(HaulVisit));
  return lane;
}

static void
lane_free(Lane *lane)
{
  if (lane->owns_stores) {
    haul_store_close(lane->store1);
    haul_store_close(lane->store2);
  }
  haul_intake_free(lane->intake);
  haul_queue_unref(lane->queue);
  haul_key_maker_free(lane->maker);
  g_ptr_array_unref(lane->errands);
  g_array_unref(lane->visits);
  g_clear_error(&lane->read_error);
  g_clear_error(&lane->write_error);
  g_free(lane);
}

/* How many lanes the work is worth. */
static unsigned
lanes_for(const HaulContext *context, const HaulErrandList *list)
{
  uint64_t worth = 1 + haul_errand_list_octets(list) / OCTETS_PER_LANE;
  return (unsigned)MIN(MIN(worth, MAX(haul_errand_list_count(list), 1)), MAX(context->n_lanes, 1));
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

bool
haul_lanes_run(const HaulContext *context, HaulPass *pass, HaulOpenStore *store1,
               HaulOpenStore *store2, GError **error)
{
  HaulErrandList *list = haul_errand_list_new(pass);
  if (haul_errand_list_count(list) == 0) {
    haul_errand_list_free(list);
    return true;
  }
  unsigned n = lanes_for(context, list);
  g_autofree Lane **lanes = g_new0(Lane *, n);
  for (unsigned i = 0; i < n; i++)
    lanes[i] = lane_new(context, pass, list, LANES_OCTETS / n);
  lanes[0]->store1 = store1;
  lanes[0]->store2 = store2;
  unsigned n_started = 1;
  while (n_started < n
         && pthread_create(&lanes[n_started]->writer, NULL, run_extra_lane, lanes[n_started]) == 0)
    n_started++;
  run_lane(lanes[0]);
  for (unsigned i = 1; i < n_started; i++)
    pthread_join(lanes[i]->writer, NULL);

  GError *worst = NULL;
  for (unsigned i = 0; i < n; i++) {
    take_worst(&worst, &lanes[i]->write_error);
    take_worst(&worst, &lanes[i]->read_error);
    lane_free(lanes[i]);
  }
  haul_errand_list_free(list);
  if (worst == NULL)
    return true;
  g_propagate_error(error, worst);
  return false;
}
