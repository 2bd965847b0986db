/* Tests queue.c: order, room, and who is woken by what. */
#include "suite.h"

#include <pthread.h>
#include <stdatomic.h>

#include "queue.h"

#define LONG_MS 60000u /* nothing here waits so long */

static void *
entry(uintptr_t number)
{
  return (void *)number;
}

static void
entries_come_out_in_the_order_they_went_in(void)
{
  HaulQueue *queue = haul_queue_new(100);
  void *got;
  for (uintptr_t i = 1; i <= 50; i++)
    CU_ASSERT(haul_queue_push(queue, entry(i)));
  for (uintptr_t i = 1; i <= 50; i++) {
    CU_ASSERT_EQUAL(haul_queue_pop(queue, LONG_MS, &got), HAUL_QUEUE_ENTRY);
    CU_ASSERT_PTR_EQUAL(got, entry(i));
  }
  CU_ASSERT_EQUAL(haul_queue_pop(queue, 0, &got), HAUL_QUEUE_IDLE);
  haul_queue_unref(queue);
}

static void
an_empty_queue_is_idle_after_the_time_given(void)
{
  HaulQueue *queue = haul_queue_new(100);
  void *got;
  int64_t start = g_get_monotonic_time();
  CU_ASSERT_EQUAL(haul_queue_pop(queue, 20, &got), HAUL_QUEUE_IDLE);
  CU_ASSERT(g_get_monotonic_time() - start >= 20000);
  CU_ASSERT_PTR_NULL(got);
  haul_queue_unref(queue);
}

static void
a_closed_queue_gives_what_it_holds_first(void)
{
  HaulQueue *queue = haul_queue_new(100);
  void *got;
  haul_queue_push(queue, entry(1));
  haul_queue_close(queue);
  CU_ASSERT_EQUAL(haul_queue_pop(queue, LONG_MS, &got), HAUL_QUEUE_ENTRY);
  CU_ASSERT_EQUAL(haul_queue_pop(queue, LONG_MS, &got), HAUL_QUEUE_CLOSED);
  CU_ASSERT_EQUAL(haul_queue_pop(queue, LONG_MS, &got), HAUL_QUEUE_CLOSED);
  haul_queue_unref(queue);
}

static void
a_broken_queue_takes_nothing_and_gives_up_what_it_holds(void)
{
  HaulQueue *queue = haul_queue_new(100);
  void *got;
  haul_queue_push(queue, entry(1));
  haul_queue_break(queue);
  CU_ASSERT(!haul_queue_push(queue, entry(2)));
  CU_ASSERT(!haul_queue_reserve(queue, 1));
  CU_ASSERT_EQUAL(haul_queue_pop(queue, LONG_MS, &got), HAUL_QUEUE_ENTRY);
  CU_ASSERT_PTR_EQUAL(got, entry(1));
  CU_ASSERT_EQUAL(haul_queue_pop(queue, LONG_MS, &got), HAUL_QUEUE_CLOSED);
  haul_queue_unref(queue);
}

/* ---- two threads ---- */

/* Another thread that reserves, and says what came of it. */
typedef struct {
  HaulQueue *queue;
  uint64_t octets;
  atomic_int granted; /* -1 until it is decided */
  pthread_t thread;
} Reserver;

static void *
reserve(void *data)
{
  Reserver *reserver = data;
  reserver->granted = haul_queue_reserve(reserver->queue, reserver->octets);
  return NULL;
}

/* Starts to reserve in another thread, and returns once that waits. */
static void
reserve_in_vain(Reserver *reserver, HaulQueue *queue, uint64_t octets)
{
  void *got;
  reserver->queue = queue;
  reserver->octets = octets;
  reserver->granted = -1;
  pthread_create(&reserver->thread, NULL, reserve, reserver);
  CU_ASSERT_EQUAL(haul_queue_pop(queue, LONG_MS, &got), HAUL_QUEUE_STARVED);
  CU_ASSERT_EQUAL(reserver->granted, -1);
}

static bool
outcome(Reserver *reserver)
{
  pthread_join(reserver->thread, NULL);
  return reserver->granted == 1;
}

static void
room_is_granted_when_it_fits_the_bound(void)
{
  HaulQueue *queue = haul_queue_new(100);
  CU_ASSERT(haul_queue_reserve(queue, 60));
  CU_ASSERT(haul_queue_reserve(queue, 40));
  Reserver waiting;
  reserve_in_vain(&waiting, queue, 41);
  haul_queue_release(queue, 40);
  void *got;
  CU_ASSERT_EQUAL(haul_queue_pop(queue, 0, &got), HAUL_QUEUE_STARVED); /* 40 are not enough */
  CU_ASSERT_EQUAL(waiting.granted, -1);
  haul_queue_release(queue, 1);
  CU_ASSERT(outcome(&waiting));
  haul_queue_release(queue, 100);
  haul_queue_unref(queue);
}

static void
a_message_larger_than_the_bound_passes_alone(void)
{
  HaulQueue *queue = haul_queue_new(100);
  CU_ASSERT(haul_queue_reserve(queue, 5000));
  Reserver waiting;
  reserve_in_vain(&waiting, queue, 1); /* nothing beside it */
  haul_queue_release(queue, 5000);
  CU_ASSERT(outcome(&waiting));
  reserve_in_vain(&waiting, queue, UINT64_MAX); /* nor does it come beside another */
  haul_queue_release(queue, 1);
  CU_ASSERT(outcome(&waiting));
  haul_queue_release(queue, UINT64_MAX);
  haul_queue_unref(queue);
}

static void
what_a_body_takes_beyond_its_hint_counts(void)
{
  HaulQueue *queue = haul_queue_new(100);
  CU_ASSERT(haul_queue_reserve(queue, 10));
  haul_queue_overdraw(queue, 500); /* never waits */
  Reserver waiting;
  reserve_in_vain(&waiting, queue, 10);
  haul_queue_release(queue, 420);
  CU_ASSERT(outcome(&waiting));
  haul_queue_release(queue, 100);
  haul_queue_unref(queue);
}

static void
entries_come_before_the_news_that_the_other_end_starves(void)
{
  HaulQueue *queue = haul_queue_new(100);
  CU_ASSERT(haul_queue_reserve(queue, 100));
  Reserver waiting;
  reserve_in_vain(&waiting, queue, 1);
  haul_queue_push(queue, entry(7));
  void *got;
  CU_ASSERT_EQUAL(haul_queue_pop(queue, LONG_MS, &got), HAUL_QUEUE_ENTRY);
  CU_ASSERT_EQUAL(haul_queue_pop(queue, LONG_MS, &got), HAUL_QUEUE_STARVED);
  haul_queue_release(queue, 100);
  CU_ASSERT(outcome(&waiting));
  haul_queue_release(queue, 1);
  haul_queue_unref(queue);
}

static void
breaking_wakes_who_waits_for_room(void)
{
  HaulQueue *queue = haul_queue_new(100);
  CU_ASSERT(haul_queue_reserve(queue, 100));
  Reserver waiting;
  reserve_in_vain(&waiting, queue, 1);
  haul_queue_break(queue);
  CU_ASSERT(!outcome(&waiting));
  haul_queue_release(queue, 100);
  haul_queue_unref(queue);
}

typedef struct {
  HaulQueue *queue;
  HaulQueueState state;
} Popper;

static void *
pop(void *data)
{
  Popper *popper = data;
  void *got;
  popper->state = haul_queue_pop(popper->queue, LONG_MS, &got);
  return NULL;
}

static void
who_waits_for_an_entry_is_woken_by_all_that_can_happen(void)
{
  enum { PUSH, CLOSE, BREAK, N };
  static const HaulQueueState expected[] = { HAUL_QUEUE_ENTRY, HAUL_QUEUE_CLOSED,
                                             HAUL_QUEUE_CLOSED };
  for (int event = 0; event < N; event++) {
    HaulQueue *queue = haul_queue_new(100);
    Popper popper = { .queue = queue };
    pthread_t thread;
    pthread_create(&thread, NULL, pop, &popper);
    if (event == PUSH)
      haul_queue_push(queue, entry(1));
    else if (event == CLOSE)
      haul_queue_close(queue);
    else
      haul_queue_break(queue);
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(popper.state, expected[event]);
    haul_queue_unref(queue);
  }
}

static void
room_may_be_released_after_the_lane_has_gone(void)
{
  HaulQueue *queue = haul_queue_new(100);
  HaulQueue *held = haul_queue_ref(queue);
  CU_ASSERT(haul_queue_reserve(queue, 10));
  haul_queue_unref(queue);
  haul_queue_release(held, 10);
  haul_queue_unref(held);
}

/* ---- a lane's traffic ---- */

#define N_ENTRIES 20000u
#define BOUND 1000u

typedef struct {
  HaulQueue *queue;
  uint64_t sizes[N_ENTRIES];
  _Atomic uint64_t in_flight;
  atomic_bool overflowed;
} Traffic;

static void *
produce(void *data)
{
  Traffic *traffic = data;
  for (size_t i = 0; i < N_ENTRIES; i++) {
    uint64_t size = traffic->sizes[i];
    if (!haul_queue_reserve(traffic->queue, size))
      break;
    uint64_t before = atomic_fetch_add(&traffic->in_flight, size);
    if (before > 0 && before + size > BOUND)
      traffic->overflowed = true;
    haul_queue_push(traffic->queue, &traffic->sizes[i]);
  }
  haul_queue_close(traffic->queue);
  return NULL;
}

/* Gives back the room of the entries that were held. */
static void
settle(Traffic *traffic, uint64_t *held)
{
  uint64_t octets = *held;
  *held = 0;
  atomic_fetch_sub(&traffic->in_flight, octets); /* before, so that no overflow is imagined */
  haul_queue_release(traffic->queue, octets);
}

static void
traffic_keeps_its_order_and_its_bound(void)
{
  static Traffic traffic;
  uint32_t seed = 20260;
  for (size_t i = 0; i < N_ENTRIES; i++) /* one in 64 is larger than the bound */
    traffic.sizes[i] = 1 + next_random(&seed) % (i % 64 == 63 ? 3 * BOUND : BOUND / 4);
  traffic.queue = haul_queue_new(BOUND);
  pthread_t producer;
  pthread_create(&producer, NULL, produce, &traffic);

  /* The writing end holds entries in flight, and settles them only when it has to. */
  size_t n = 0;
  uint64_t held = 0;
  bool in_order = true;
  for (;;) {
    void *got;
    HaulQueueState state = haul_queue_pop(traffic.queue, LONG_MS, &got);
    if (state == HAUL_QUEUE_CLOSED)
      break;
    CU_ASSERT_NOT_EQUAL(state, HAUL_QUEUE_IDLE);
    if (state == HAUL_QUEUE_STARVED) {
      settle(&traffic, &held);
      continue;
    }
    in_order &= got == &traffic.sizes[n++];
    held += *(const uint64_t *)got;
    if (n % 7 == 0)
      settle(&traffic, &held);
  }
  settle(&traffic, &held);
  pthread_join(producer, NULL);
  CU_ASSERT(in_order);
  CU_ASSERT_EQUAL(n, N_ENTRIES);
  CU_ASSERT(!traffic.overflowed);
  CU_ASSERT_EQUAL(traffic.in_flight, 0);
  haul_queue_unref(traffic.queue);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(entries_come_out_in_the_order_they_went_in),
    CASE(an_empty_queue_is_idle_after_the_time_given),
    CASE(a_closed_queue_gives_what_it_holds_first),
    CASE(a_broken_queue_takes_nothing_and_gives_up_what_it_holds),
    CASE(room_is_granted_when_it_fits_the_bound),
    CASE(a_message_larger_than_the_bound_passes_alone),
    CASE(what_a_body_takes_beyond_its_hint_counts),
    CASE(entries_come_before_the_news_that_the_other_end_starves),
    CASE(breaking_wakes_who_waits_for_room),
    CASE(who_waits_for_an_entry_is_woken_by_all_that_can_happen),
    CASE(room_may_be_released_after_the_lane_has_gone),
    CASE(traffic_keeps_its_order_and_its_bound),
  };
  return RUN_SUITE("queue", cases);
}
