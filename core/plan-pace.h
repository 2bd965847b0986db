/* How fast messages may go: decided from a clock that the caller reads. Two buckets, octets and messages. */
#ifndef HAUL_CORE_PLAN_PACE_H
#define HAUL_CORE_PLAN_PACE_H

#include <stdint.h>

typedef struct {
  double octets_per_s, messages_per_s;  /* 0: no limit */
  uint64_t free_octets;                 /* so many more go before the limit of octets counts */
  int64_t octets_at_us, messages_at_us; /* when the buckets have room again */
} HaulPace;

/*
 * Takes a message from the buckets, which have saved up a second's worth at most.
 *
 * @now_us: on any clock that does not go back.
 * Returns for how long it has to wait before it goes.
 */
int64_t haul_pace_take(HaulPace *pace, uint64_t octets, int64_t now_us);

#endif /* HAUL_CORE_PLAN_PACE_H */
