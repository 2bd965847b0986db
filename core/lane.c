/* Lanes: threads and the reading end. */
#include "lane.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "arrival.h"
#include "errand.h"
#include "intake.h"
#include "message.h"
#include "plan-labels.h"
#include "pseudo.h"
#include "queue.h"

/* What all lanes together may hold in memory on its way. */
#define LANES_OCTETS (24u << 20)
/* A lane reserves folders so that the store can ask for them ahead: so many, or so much; a lane that is
 * alone the more, the more it has done, for it shows how fast it goes. */
#define RESERVED_FOLDERS 8u
#define RESERVED_OCTETS (4u << 20)
#define MOST_RESERVED_FOLDERS 32u
#define MOST_RESERVED_OCTETS (16u << 20)
/* A lane more is worth its login only for so much work. */
#define OCTETS_PER_LANE (512u << 10)

typedef struct Crew Crew;

typedef struct {
  Crew *crew; /* borrowed */
  const HaulContext *context;
  HaulOpenStore *store1, *store2; /* borrowed, or owned if the lane opened them */
  bool owns_stores;
  HaulQueue *queue;
  HaulIntake *intake;
  HaulKeyMaker *maker;
  GPtrArray *errands;   /* of HaulErrand: reserved; the first is at hand */
  GArray *visits;       /* of HaulVisit */
  guint n_done;         /* errands ... */
  uint64_t done_octets; /* ... and what they were reckoned at */
  uint64_t n_seen;      /* messages of the errand at hand, given or refused */
  uint64_t n_undated;   /* of them: their header told when they came */
  pthread_t reader, writer;
  GError *read_error, *write_error; /* owned */
} Lane;

/* The lanes of a pass. */
struct Crew {
  const HaulContext *context;
  HaulPass *pass;
  const HaulDeliveryFrame *frame; /* borrowed */
  HaulErrandList *list;           /* owned */
  Lane **lanes;                   /* owned; the first one's stores are the run's */
  unsigned n_lanes, n_started;
  _Atomic unsigned n_opened, n_refused; /* lanes; the first one is open */
  _Atomic unsigned n_at_work;           /* that may have folders of the list under way */
};

/* Reserves the next folders; the first is the one to go to. */
static HaulErrand *
next_errand(Lane *lane)
{
  bool alone = lane->crew->n_at_work == 1;
  guint most =
      alone ? MIN(RESERVED_FOLDERS + lane->n_done, MOST_RESERVED_FOLDERS) : RESERVED_FOLDERS;
  uint64_t most_octets =
      alone ? MIN(RESERVED_OCTETS + lane->done_octets, MOST_RESERVED_OCTETS) : RESERVED_OCTETS;
  uint64_t reserved = 0;
  for (guint i = 1; i < lane->errands->len; i++)
    reserved += ((HaulErrand *)lane->errands->pdata[i])->octets;
  while (lane->errands->len == 0 || (lane->errands->len < most && reserved < most_octets)) {
    HaulErrand *errand = haul_errand_take(lane->crew->list);
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

/* Makes keywords of the other folders that a message is in, if asked to. The copy gets them once: they are
 * not what both sides agree on, or the next run would take them away. */
static void
mark_labels(const Lane *lane, HaulMessage *message)
{
  const char *const *labels = haul_message_item(message)->labels;
  if (lane->context->labels != HAUL_LABELS_KEYWORDS || labels == NULL
      || lane->crew->pass->objects == NULL)
    return;
  g_autoptr(GPtrArray) keywords = g_ptr_array_new_with_free_func(g_free);
  for (; *labels != NULL; labels++) {
    char *keyword = haul_objects_has_folder(lane->crew->pass->objects, *labels)
                        ? haul_labels_keyword(*labels)
                        : NULL;
    if (keyword != NULL)
      g_ptr_array_add(keywords, keyword);
  }
  g_ptr_array_add(keywords, NULL);
  haul_message_add_keywords(message, (const char *const *)keywords->pdata);
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
  mark_labels(lane, message);
  return push(lane, parcel, error);
}

/* Asks for ranges of the folder at hand, @alone: for one message that is suspected. */
static bool
fetch(Lane *lane, const HaulErrand *errand, guint first, guint n, bool alone, GError **error)
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
  if (haul_suspect_read(&tally->suspect, alone && !came && !lane->crew->pass->crowded, why)) {
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
read_folder(Lane *lane, const HaulErrand *errand, GError **error)
{
  HaulFolder folder = { 0 };
  const HaulFolderWork *work = errand->work;
  announce(lane);
  GError *why = NULL;
  bool opened = haul_store_select(lane->store1, work->plan.folder1->path, HAUL_READ, &folder, &why);
  if (haul_suspect_opened(&work->tally->suspect, HAUL_OPENED_TO_READ, lane->crew->pass->crowded,
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
check_count(Lane *lane, const HaulErrand *errand)
{
  HaulFolderWork *work = errand->work;
  uint64_t planned = haul_errand_n_planned(lane->crew->list, errand);
  bool streamed = haul_errand_is_stream(lane->crew->list, errand);
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
run_lane(Lane *lane, const HaulDeliveryFrame *frame)
{
  if (pthread_create(&lane->reader, NULL, read_side, lane) != 0) {
    haul_set_error(&lane->read_error, HAUL_ERROR_ACCOUNT, "failed", "cannot start a thread");
    return;
  }
  haul_deliver(lane->context, lane->crew->pass, lane->store2, lane->queue, frame,
               &lane->write_error);
  pthread_join(lane->reader, NULL);
}

/*
 * A lane that opens its own stores, once the work has lasted as long as that takes: before, it may be
 * done sooner without. A connection cap is a lane less, no error.
 */
static void *
run_extra_lane(void *data)
{
  Lane *lane = data;
  Crew *crew = lane->crew;
  g_autoptr(GError) error = NULL;
  if (!haul_errand_list_wait(crew->list, g_get_monotonic_time() + lane->context->opening_us))
    return NULL;
  crew->pass->crowded = true;
  if (open_stores(lane, &error)) {
    crew->n_opened++;
    crew->n_at_work++;
    run_lane(lane, NULL);
    crew->n_at_work--;
  } else {
    crew->n_refused++;
    haul_log(HAUL_LOG_INFO, "a lane less: %s", error->message);
  }
  return NULL;
}

/* The first lane's: others start when the destination is ready. */
static bool
prepare(void *data, GError **error)
{
  Crew *crew = data;
  if (!crew->frame->prepare(crew->frame->data, error))
    return false;
  while (crew->n_started < crew->n_lanes) {
    Lane *lane = crew->lanes[crew->n_started];
    if (pthread_create(&lane->writer, NULL, run_extra_lane, lane) != 0)
      break;
    crew->n_started++;
  }
  return true;
}

/* The first lane's: nothing is left to take, so who is not at work now will not be. */
static bool
conclude(void *data, GError **error)
{
  Crew *crew = data;
  return crew->n_at_work > 1 || crew->frame->conclude(crew->frame->data, error);
}

static Lane *
lane_new(Crew *crew, uint64_t bound)
{
  const HaulContext *context = crew->context;
  Lane *lane = g_new0(Lane, 1);
  lane->crew = crew;
  lane->context = context;
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

/* Ends the crew. Returns the worst that has happened to it, or NULL. */
static GError *
crew_dismiss(Crew *crew)
{
  GError *worst = NULL;
  haul_errand_list_stop(crew->list);
  for (unsigned i = 1; i < crew->n_started; i++)
    pthread_join(crew->lanes[i]->writer, NULL);
  for (unsigned i = 0; i < crew->n_lanes; i++) {
    take_worst(&worst, &crew->lanes[i]->write_error);
    take_worst(&worst, &crew->lanes[i]->read_error);
    lane_free(crew->lanes[i]);
  }
  g_free(crew->lanes);
  haul_errand_list_free(crew->list);
  return worst;
}

/* Says how many lanes the rest of the run gets: a server that refuses a connection, or ends one while there
 * are several, or asks for patience, gets fewer. */
static unsigned
lanes_from_now_on(const Crew *crew, const GError *why)
{
  bool is_lost = why != NULL
                 && (haul_error_reach(why) == HAUL_ERROR_CONNECTION
                     || haul_error_reach(why) == HAUL_ERROR_BUSY);
  unsigned n_lanes = crew->context->n_lanes, n_opened = crew->n_opened;
  if (is_lost && n_opened > 1)
    n_lanes = n_opened - 1;
  else if (crew->n_refused > 0)
    n_lanes = n_opened;
  if (n_lanes < crew->context->n_lanes)
    haul_log(HAUL_LOG_INFO, "from now on %u lane%s", n_lanes, n_lanes == 1 ? "" : "s");
  return n_lanes;
}

bool
haul_lanes_run(HaulContext *context, HaulPass *pass, HaulOpenStore *store1, HaulOpenStore *store2,
               const HaulDeliveryFrame *frame, GError **error)
{
  Crew crew = {
    .context = context,
    .pass = pass,
    .frame = frame,
    .list = haul_errand_list_new(pass),
    .n_started = 1,
    .n_opened = 1,
    .n_at_work = 1,
  };
  if (haul_errand_list_count(crew.list) == 0) {
    haul_errand_list_free(crew.list);
    return frame->prepare(frame->data, error);
  }
  crew.n_lanes = lanes_for(context, crew.list);
  crew.lanes = g_new0(Lane *, crew.n_lanes);
  for (unsigned i = 0; i < crew.n_lanes; i++)
    crew.lanes[i] = lane_new(&crew, LANES_OCTETS / crew.n_lanes);
  crew.lanes[0]->store1 = store1;
  crew.lanes[0]->store2 = store2;
  HaulDeliveryFrame first = { prepare, conclude, &crew };
  run_lane(crew.lanes[0], &first);

  GError *worst = crew_dismiss(&crew);
  context->n_lanes = lanes_from_now_on(&crew, worst);
  if (worst == NULL)
    return true;
  g_propagate_error(error, worst);
  return false;
}
