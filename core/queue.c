/*
 * The byte-bounded queue between the reader and the writer of a lane: entries in order, and the
 * account of octets that are on their way. What the entries are is the lane's affair.
 */
#include "queue.h"

#include <pthread.h>
#include <time.h>

struct HaulQueue {
  gatomicrefcount references;
  pthread_mutex_t mutex;
  pthread_cond_t room;    /* the pushing end waits: reserve()        */
  pthread_cond_t arrival; /* the popping end waits: pop()            */
  GQueue entries;         /* borrowed by whoever pushed them         */
  uint64_t bound_octets;
  uint64_t octets;    /* reserved and not released               */
  unsigned n_waiting; /* in reserve()                            */
  uint64_t wanted;    /* by the last of them                     */
  bool closed, broken;
};

HaulQueue *
haul_queue_new(uint64_t bound_octets)
{
  HaulQueue *queue = g_new0(HaulQueue, 1);
  g_atomic_ref_count_init(&queue->references);
  pthread_mutex_init(&queue->mutex, NULL);
  pthread_cond_init(&queue->room, NULL);
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&queue->arrival, &monotonic);
  pthread_condattr_destroy(&monotonic);
  g_queue_init(&queue->entries);
  queue->bound_octets = bound_octets;
  return queue;
}

HaulQueue *
haul_queue_ref(HaulQueue *queue)
{
  g_atomic_ref_count_inc(&queue->references);
  return queue;
}

void
haul_queue_unref(HaulQueue *queue)
{
  if (!g_atomic_ref_count_dec(&queue->references))
    return;
  g_assert(g_queue_is_empty(&queue->entries));
  pthread_cond_destroy(&queue->arrival);
  pthread_cond_destroy(&queue->room);
  pthread_mutex_destroy(&queue->mutex);
  g_free(queue);
}

static bool
has_room(const HaulQueue *queue, uint64_t octets)
{
  return queue->octets == 0
         || (queue->octets < queue->bound_octets && octets <= queue->bound_octets - queue->octets);
}

bool
haul_queue_reserve(HaulQueue *queue, uint64_t octets)
{
  pthread_mutex_lock(&queue->mutex);
  queue->n_waiting++;
  queue->wanted = octets;
  if (!has_room(queue, octets) && !queue->broken)
    pthread_cond_signal(
        &queue->arrival); /* who sleeps on an empty queue must learn that we starve */
  while (!has_room(queue, octets) && !queue->broken)
    pthread_cond_wait(&queue->room, &queue->mutex);
  queue->n_waiting--;
  bool granted = !queue->broken;
  if (granted)
    queue->octets += octets;
  pthread_mutex_unlock(&queue->mutex);
  return granted;
}

void
haul_queue_overdraw(HaulQueue *queue, uint64_t octets)
{
  pthread_mutex_lock(&queue->mutex);
  queue->octets += octets;
  pthread_mutex_unlock(&queue->mutex);
}

void
haul_queue_release(HaulQueue *queue, uint64_t octets)
{
  pthread_mutex_lock(&queue->mutex);
  g_assert(octets <= queue->octets);
  queue->octets -= octets;
  if (queue->n_waiting > 0)
    pthread_cond_broadcast(&queue->room);
  pthread_mutex_unlock(&queue->mutex);
}

bool
haul_queue_push(HaulQueue *queue, void *entry)
{
  pthread_mutex_lock(&queue->mutex);
  g_assert(!queue->closed);
  bool accepted = !queue->broken;
  if (accepted) {
    g_queue_push_tail(&queue->entries, entry);
    pthread_cond_signal(&queue->arrival);
  }
  pthread_mutex_unlock(&queue->mutex);
  return accepted;
}

HaulQueueState
haul_queue_pop(HaulQueue *queue, unsigned timeout_ms, void **entry)
{
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += timeout_ms / 1000;
  until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }

  HaulQueueState state = HAUL_QUEUE_IDLE;
  bool waited_out = false;
  pthread_mutex_lock(&queue->mutex);
  for (;;) {
    *entry = g_queue_pop_head(&queue->entries);
    if (*entry != NULL)
      state = HAUL_QUEUE_ENTRY;
    else if (queue->closed || queue->broken)
      state = HAUL_QUEUE_CLOSED;
    else if (queue->n_waiting > 0 && !has_room(queue, queue->wanted))
      state = HAUL_QUEUE_STARVED;
    else if (!waited_out) {
      waited_out = pthread_cond_timedwait(&queue->arrival, &queue->mutex, &until) != 0;
      continue;
    }
    break;
  }
  pthread_mutex_unlock(&queue->mutex);
  return state;
}

void
haul_queue_close(HaulQueue *queue)
{
  pthread_mutex_lock(&queue->mutex);
  queue->closed = true;
  pthread_cond_broadcast(&queue->arrival);
  pthread_mutex_unlock(&queue->mutex);
}

void
haul_queue_break(HaulQueue *queue)
{
  pthread_mutex_lock(&queue->mutex);
  queue->broken = true;
  pthread_cond_broadcast(&queue->arrival);
  pthread_cond_broadcast(&queue->room);
  pthread_mutex_unlock(&queue->mutex);
}
