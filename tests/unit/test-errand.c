/* Tests errand.c: what is taken first, what is left over, and who is woken by what. */
#include "suite.h"

#include <pthread.h>

#include "errand.h"

#define LONG_US (60 * G_USEC_PER_SEC) /* nothing here waits so long */

/* A pass of folders that hold so many messages of unknown size each; 0: nothing to be done. */
static HaulPass
make_pass(const uint64_t *counts, guint n)
{
  HaulPass pass = {
    .folders = g_array_new(FALSE, TRUE, sizeof(HaulFolderWork)),
    .actions = g_array_new(FALSE, TRUE, sizeof(HaulAction)),
  };
  for (guint i = 0; i < n; i++) {
    HaulFolderWork work = { .first_action = pass.actions->len, .n_actions = counts[i] > 0 };
    HaulAction all = { .deed = HAUL_DO_COPY_ALL,
                       .folder = i,
                       .copy = { .n = counts[i], .octets = HAUL_UNKNOWN } };
    g_array_append_val(pass.folders, work);
    if (counts[i] > 0)
      g_array_append_val(pass.actions, all);
  }
  return pass;
}

static void
clear_pass(HaulPass *pass)
{
  g_array_unref(pass->folders);
  g_array_unref(pass->actions);
}

static HaulFolderWork *
work_of(const HaulPass *pass, guint i)
{
  return &g_array_index(pass->folders, HaulFolderWork, i);
}

static void
the_largest_is_taken_first_and_idle_folders_never(void)
{
  const uint64_t counts[] = { 3, 0, 50, 7 };
  HaulPass pass = make_pass(counts, G_N_ELEMENTS(counts));
  work_of(&pass, 0)->unusable = true;
  HaulErrandList *list = haul_errand_list_new(&pass);
  CU_ASSERT_EQUAL(haul_errand_list_count(list), 2);
  const guint order[] = { 2, 3 };
  for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
    HaulErrand *errand = haul_errand_take(list);
    CU_ASSERT_PTR_NOT_NULL_FATAL(errand);
    CU_ASSERT_PTR_EQUAL(errand->work, work_of(&pass, order[i]));
    CU_ASSERT_EQUAL(haul_errand_n_planned(list, errand), counts[order[i]]);
    CU_ASSERT(haul_errand_is_stream(list, errand));
    haul_errand_free(errand);
  }
  CU_ASSERT_PTR_NULL(haul_errand_take(list));
  haul_errand_list_free(list);
  clear_pass(&pass);
}

static void
what_nobody_took_is_incomplete(void)
{
  const uint64_t counts[] = { 1, 2 };
  HaulPass pass = make_pass(counts, G_N_ELEMENTS(counts));
  HaulErrandList *list = haul_errand_list_new(&pass);
  haul_errand_free(haul_errand_take(list));
  haul_errand_list_free(list);
  CU_ASSERT(work_of(&pass, 0)->incomplete);
  CU_ASSERT(!work_of(&pass, 1)->incomplete);
  clear_pass(&pass);
}

/* Somebody who waits for a long time. */
typedef struct {
  HaulErrandList *list;
  pthread_t thread;
  bool is_left;
} Waiting;

static void *
wait_long(void *data)
{
  Waiting *waiting = data;
  waiting->is_left = haul_errand_list_wait(waiting->list, g_get_monotonic_time() + LONG_US);
  return NULL;
}

static void
who_waits_learns_that_the_time_has_come_or_that_nothing_is_left(void)
{
  for (int stops = 0; stops <= 1; stops++) {
    const uint64_t counts[] = { 1, 2 };
    HaulPass pass = make_pass(counts, G_N_ELEMENTS(counts));
    HaulErrandList *list = haul_errand_list_new(&pass);
    int64_t start = g_get_monotonic_time();
    CU_ASSERT(haul_errand_list_wait(list, start + 2000));
    CU_ASSERT(g_get_monotonic_time() - start >= 2000);

    Waiting waiting = { .list = list, .is_left = true };
    CU_ASSERT_EQUAL_FATAL(pthread_create(&waiting.thread, NULL, wait_long, &waiting), 0);
    haul_errand_list_wait(list, g_get_monotonic_time() + 20000); /* the other one waits by now */
    if (stops)
      haul_errand_list_stop(list);
    for (int i = 0; i < 2; i++) /* who is at work goes on, stopped or not */
      haul_errand_free(haul_errand_take(list));
    pthread_join(waiting.thread, NULL);
    CU_ASSERT(!waiting.is_left);
    CU_ASSERT(!haul_errand_list_wait(list, start + LONG_US));
    CU_ASSERT(g_get_monotonic_time() - start < LONG_US);
    haul_errand_list_free(list);
    clear_pass(&pass);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(the_largest_is_taken_first_and_idle_folders_never),
    CASE(what_nobody_took_is_incomplete),
    CASE(who_waits_learns_that_the_time_has_come_or_that_nothing_is_left),
  };
  return RUN_SUITE("errand", cases);
}
