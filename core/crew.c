/* The lanes of a pass. See crew.h. */
#include "crew.h"

#include <pthread.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "errand.h"
#include "lane.h"
#include "sharing.h"

/* What all lanes together may hold in memory on its way. */
#define LANES_OCTETS (24u << 20)
/* A lane more is worth its login only for so much work. */
#define OCTETS_PER_LANE (512u << 10)

typedef struct Crew Crew;

/* A lane beside the first. */
typedef struct {
  Crew *crew;     /* borrowed */
  HaulLane *lane; /* owned */
  pthread_t thread;
} Mate;

struct Crew {
  HaulShare share;                /* its list is owned */
  const HaulDeliveryFrame *frame; /* borrowed */
  Mate *mates;                    /* owned; the first one is the calling thread */
  unsigned n_lanes, n_started;
  _Atomic unsigned n_opened, n_refused; /* lanes; the first one is open */
};

/*
 * A lane that opens its own stores, once the work has lasted as long as that takes: before, it may be
 * done sooner without. A connection cap is a lane less, no error.
 */
static void *
run_mate(void *data)
{
  Mate *mate = data;
  Crew *crew = mate->crew;
  const HaulShare *share = &crew->share;
  g_autoptr(GError) error = NULL;
  if (!haul_errand_list_wait(share->list, g_get_monotonic_time() + share->context->opening_us))
    return NULL;
  share->pass->crowded = true;
  if (haul_lane_open(mate->lane, &error)) {
    crew->n_opened++;
    haul_lane_run(mate->lane, NULL);
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
    Mate *mate = &crew->mates[crew->n_started];
    if (pthread_create(&mate->thread, NULL, run_mate, mate) != 0)
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
  return crew->share.n_at_work > 1 || crew->frame->conclude(crew->frame->data, error);
}

/* How many lanes the work is worth. */
static unsigned
lanes_for(const HaulShare *share)
{
  if (haul_sharing_is_on(share->pass))
    return 1; /* one at a time writes to a folder of the destination */
  uint64_t worth = 1 + haul_errand_list_octets(share->list) / OCTETS_PER_LANE;
  return (unsigned)MIN(MIN(worth, MAX(haul_errand_list_count(share->list), 1)),
                       MAX(share->context->n_lanes, 1));
}

/* Ends the crew. Returns the worst that has happened to it, or NULL. */
static GError *
dismiss(Crew *crew)
{
  GError *worst = NULL;
  haul_errand_list_stop(crew->share.list);
  for (unsigned i = 1; i < crew->n_started; i++)
    pthread_join(crew->mates[i].thread, NULL);
  for (unsigned i = 0; i < crew->n_lanes; i++) {
    haul_lane_take_worst(crew->mates[i].lane, &worst);
    haul_lane_free(crew->mates[i].lane);
  }
  g_free(crew->mates);
  haul_errand_list_free(crew->share.list);
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
  unsigned n_lanes = crew->share.context->n_lanes, n_opened = crew->n_opened;
  if (is_lost && n_opened > 1)
    n_lanes = n_opened - 1;
  else if (crew->n_refused > 0)
    n_lanes = n_opened;
  if (n_lanes < crew->share.context->n_lanes)
    haul_log(HAUL_LOG_INFO, "from now on %u lane%s", n_lanes, n_lanes == 1 ? "" : "s");
  return n_lanes;
}

bool
haul_crew_run(HaulContext *context, HaulPass *pass, HaulOpenStore *store1, HaulOpenStore *store2,
              const HaulDeliveryFrame *frame, GError **error)
{
  Crew crew = {
    .share = { .context = context, .pass = pass, .list = haul_errand_list_new(pass) },
    .frame = frame,
    .n_started = 1,
    .n_opened = 1,
  };
  if (haul_errand_list_count(crew.share.list) == 0) {
    haul_errand_list_free(crew.share.list);
    return frame->prepare(frame->data, error);
  }
  crew.n_lanes = lanes_for(&crew.share);
  crew.mates = g_new0(Mate, crew.n_lanes);
  for (unsigned i = 0; i < crew.n_lanes; i++)
    crew.mates[i] =
        (Mate){ .crew = &crew, .lane = haul_lane_new(&crew.share, LANES_OCTETS / crew.n_lanes) };
  haul_lane_lend(crew.mates[0].lane, store1, store2);
  HaulDeliveryFrame first = { prepare, conclude, &crew };
  haul_lane_run(crew.mates[0].lane, &first);

  GError *worst = dismiss(&crew);
  context->n_lanes = lanes_from_now_on(&crew, worst);
  if (worst == NULL)
    return true;
  g_propagate_error(error, worst);
  return false;
}
