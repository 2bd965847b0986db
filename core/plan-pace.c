/* How fast messages may go. See plan-pace.h. */
#include "plan-pace.h"

#include <glib.h>

#define SECOND_US INT64_C(1000000)
/* What is spent at once is waited for later, but nobody waits for weeks. */
#define LONGEST_US (INT64_C(7) * 24 * 3600 * SECOND_US)

static int64_t
take(double per_s, int64_t *at_us, double amount, int64_t now_us)
{
  if (per_s <= 0)
    return 0;
  int64_t start_us = MAX(*at_us, now_us - SECOND_US);
  double cost_us = amount * (double)SECOND_US / per_s;
  *at_us = start_us + (cost_us < (double)LONGEST_US ? (int64_t)cost_us : LONGEST_US);
  return MAX(start_us - now_us, 0);
}

int64_t
haul_pace_take(HaulPace *pace, uint64_t octets, int64_t now_us)
{
  uint64_t n_free = MIN(octets, pace->free_octets);
  pace->free_octets -= n_free;
  int64_t wait1 = take(pace->octets_per_s, &pace->octets_at_us, (double)(octets - n_free), now_us);
  int64_t wait2 = take(pace->messages_per_s, &pace->messages_at_us, 1, now_us);
  return n_free == octets ? wait2 : MAX(wait1, wait2);
}
