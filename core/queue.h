/*
 * The byte-bounded queue between the reader and the writer of a lane.
 *
 * Room is reserved before octets are read and released when the message is gone, delivered and
 * settled; so the bound covers what is being filled, what waits, and what is in flight.
 */
#ifndef HAUL_CORE_QUEUE_H
#define HAUL_CORE_QUEUE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct HaulQueue HaulQueue;

typedef enum {
  HAUL_QUEUE_ENTRY,   /* here is one                                                        */
  HAUL_QUEUE_STARVED, /* empty, and the other end waits for room: settle what is in flight */
  HAUL_QUEUE_IDLE,    /* empty for the time given                                           */
  HAUL_QUEUE_CLOSED,  /* empty, and nothing will come                                       */
} HaulQueueState;

HaulQueue *haul_queue_new(uint64_t bound_octets);
HaulQueue *haul_queue_ref(HaulQueue *queue); /* whoever will release room holds one */
void haul_queue_unref(HaulQueue *queue);

/* Waits until @octets more fit the bound; more than the bound passes when nothing else is in it.
 * Returns false once the queue is broken. */
bool haul_queue_reserve(HaulQueue *queue, uint64_t octets);
/* Takes room without waiting: a body grew past its hint. */
void haul_queue_overdraw(HaulQueue *queue, uint64_t octets);
void haul_queue_release(HaulQueue *queue, uint64_t octets);

/* Appends @entry; false once the queue is broken, and @entry stays the caller's. */
bool haul_queue_push(HaulQueue *queue, void *entry);
/* Takes the first entry, waiting at most @timeout_ms for one. */
HaulQueueState haul_queue_pop(HaulQueue *queue, unsigned timeout_ms, void **entry);

void haul_queue_close(HaulQueue *queue); /* by the pushing end: nothing more will come */
void haul_queue_break(HaulQueue *queue); /* by either end: wakes and refuses the other */

#endif /* HAUL_CORE_QUEUE_H */
