/* What lanes are to do. See errand.h. */
#include "errand.h"

#include <pthread.h>
#include <time.h>

/* What a message is reckoned at where the store does not tell. */
#define USUAL_OCTETS (16u << 10)

struct HaulErrandList {
  pthread_mutex_t mutex;
  pthread_cond_t over; /* nothing is left, or nobody is to wait */
  HaulPass *pass;      /* borrowed */
  GArray *order;       /* owned; guint: numbers of folders, the largest first */
  guint next;
  bool stopped;
  uint64_t octets; /* of all */
};

static const HaulAction *
action_of(const HaulPass *pass, const HaulFolderWork *work, guint i)
{
  return &g_array_index(pass->actions, HaulAction, work->first_action + i);
}

/* Whether there is something for a lane: links are made after them. */
static bool
has_errand(const HaulPass *pass, const HaulFolderWork *work)
{
  for (guint i = 0; i < work->n_actions; i++)
    if (action_of(pass, work, i)->deed != HAUL_DO_LINK)
      return true;
  return false;
}

/* Octets to copy, or a guess. */
static uint64_t
weight(const HaulPass *pass, const HaulFolderWork *work)
{
  uint64_t octets = 0;
  for (guint i = 0; i < work->n_actions; i++) {
    const HaulAction *action = action_of(pass, work, i);
    if (!haul_action_fetches(action))
      continue;
    uint64_t n = action->copy.n == HAUL_UNKNOWN ? 1000 : action->copy.n;
    octets += action->copy.octets == HAUL_UNKNOWN ? n * USUAL_OCTETS : action->copy.octets;
  }
  return octets;
}

static int
heavier_first(const void *a, const void *b, void *data)
{
  const HaulPass *pass = data;
  const HaulFolderWork *folders = (const HaulFolderWork *)(void *)pass->folders->data;
  uint64_t x = weight(pass, &folders[*(const guint *)a]);
  uint64_t y = weight(pass, &folders[*(const guint *)b]);
  return (x < y) - (x > y);
}

HaulErrandList *
haul_errand_list_new(HaulPass *pass)
{
  HaulErrandList *list = g_new0(HaulErrandList, 1);
  pthread_mutex_init(&list->mutex, NULL);
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&list->over, &monotonic);
  pthread_condattr_destroy(&monotonic);
  list->pass = pass;
  list->order = g_array_new(FALSE, FALSE, sizeof(guint));
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    if (work->unusable || !has_errand(pass, work))
      continue;
    g_array_append_val(list->order, i);
    list->octets += weight(pass, work);
  }
  g_array_sort_with_data(list->order, heavier_first, pass);
  return list;
}

static HaulFolderWork *
work_at(const HaulErrandList *list, guint i)
{
  return &g_array_index(list->pass->folders, HaulFolderWork, g_array_index(list->order, guint, i));
}

void
haul_errand_list_free(HaulErrandList *list)
{
  for (guint i = list->next; i < list->order->len; i++)
    work_at(list, i)->incomplete = true;
  g_array_unref(list->order);
  pthread_cond_destroy(&list->over);
  pthread_mutex_destroy(&list->mutex);
  g_free(list);
}

guint
haul_errand_list_count(const HaulErrandList *list)
{
  return list->order->len;
}

uint64_t
haul_errand_list_octets(const HaulErrandList *list)
{
  return list->octets;
}

static HaulErrand *
errand_new(const HaulPass *pass, HaulFolderWork *work)
{
  HaulErrand *errand = g_new0(HaulErrand, 1);
  errand->work = work;
  errand->octets = weight(pass, work);
  errand->ranges = g_array_new(FALSE, TRUE, sizeof(HaulRange));
  for (guint i = 0; i < work->n_actions; i++) {
    const HaulAction *action = action_of(pass, work, i);
    if (!haul_action_fetches(action))
      continue;
    HaulIdBuffer first, last;
    HaulRange range = { g_strdup(haul_id_text(action->copy.first, &first)),
                        g_strdup(haul_id_text(action->copy.last, &last)) };
    g_array_append_val(errand->ranges, range);
    errand->alone |= action->deed == HAUL_DO_COPY && action->copy.alone;
  }
  return errand;
}

static bool
is_empty(const HaulErrandList *list)
{
  return list->next == list->order->len;
}

HaulErrand *
haul_errand_take(HaulErrandList *list)
{
  pthread_mutex_lock(&list->mutex);
  HaulFolderWork *work = is_empty(list) ? NULL : work_at(list, list->next++);
  if (is_empty(list))
    pthread_cond_broadcast(&list->over);
  pthread_mutex_unlock(&list->mutex);
  return work != NULL ? errand_new(list->pass, work) : NULL;
}

bool
haul_errand_list_wait(HaulErrandList *list, int64_t until_us)
{
  struct timespec until = { until_us / G_USEC_PER_SEC, until_us % G_USEC_PER_SEC * 1000 };
  pthread_mutex_lock(&list->mutex);
  int outcome = 0;
  while (!is_empty(list) && !list->stopped && outcome == 0)
    outcome = pthread_cond_timedwait(&list->over, &list->mutex, &until);
  bool is_left = !is_empty(list) && !list->stopped;
  pthread_mutex_unlock(&list->mutex);
  return is_left;
}

void
haul_errand_list_stop(HaulErrandList *list)
{
  pthread_mutex_lock(&list->mutex);
  list->stopped = true;
  pthread_cond_broadcast(&list->over);
  pthread_mutex_unlock(&list->mutex);
}

void
haul_errand_free(HaulErrand *errand)
{
  for (guint i = 0; i < errand->ranges->len; i++) {
    HaulRange *range = &g_array_index(errand->ranges, HaulRange, i);
    g_free((char *)range->first);
    g_free((char *)range->last);
  }
  g_array_unref(errand->ranges);
  g_free(errand);
}

uint64_t
haul_errand_n_planned(const HaulErrandList *list, const HaulErrand *errand)
{
  uint64_t n = 0;
  for (guint i = 0; i < errand->work->n_actions; i++) {
    const HaulAction *action = action_of(list->pass, errand->work, i);
    if (haul_action_fetches(action) && action->copy.n != HAUL_UNKNOWN)
      n += action->copy.n;
  }
  return n;
}

bool
haul_errand_is_stream(const HaulErrandList *list, const HaulErrand *errand)
{
  return errand->work->n_actions > 0
         && action_of(list->pass, errand->work, 0)->deed == HAUL_DO_COPY_ALL;
}
