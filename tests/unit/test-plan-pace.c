/* Tests plan-pace.c: how long messages wait. */
#include "suite.h"

#include "plan-pace.h"

#define S INT64_C(1000000)

static void
without_limits_nothing_waits(void)
{
  HaulPace pace = { 0 };
  for (unsigned i = 0; i < 10; i++)
    CU_ASSERT_EQUAL(haul_pace_take(&pace, UINT64_MAX, 5 * S), 0);
}

static void
the_rate_holds_beyond_a_second_that_was_saved(void)
{
  HaulPace pace = { .octets_per_s = 1000 };
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 1000, 100 * S), 0); /* what was saved */
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 500, 100 * S), 0);
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 3000, 100 * S), S / 2);
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 1, 100 * S), 3 * S + S / 2);
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 1, 200 * S), 0); /* a pause saves up no more than that */
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 1999, 200 * S), 0);
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 1, 200 * S), S);
}

static void
octets_that_are_free_cost_nothing(void)
{
  HaulPace pace = { .octets_per_s = 1000, .free_octets = 5000 };
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 4000, 100 * S), 0);
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 4000, 100 * S), 0); /* 3000 of it count */
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 1, 100 * S), 2 * S);
}

static void
of_two_limits_the_tighter_holds(void)
{
  HaulPace pace = { .octets_per_s = 1e9, .messages_per_s = 0.5 };
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 10, 100 * S), 0);
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 10, 100 * S), S);
  CU_ASSERT_EQUAL(haul_pace_take(&pace, 10, 100 * S), 3 * S);
}

/* Whatever comes when: within any time no more goes than the rate, a second's worth and one message. */
static void
no_order_beats_the_rate(void)
{
  uint32_t seed = 7;
  HaulPace pace = { .octets_per_s = 1000 };
  int64_t now = 100 * S;
  uint64_t sent = 0;
  for (unsigned i = 0; i < 5000; i++) {
    uint64_t octets = next_random(&seed) % 3000;
    now += haul_pace_take(&pace, octets, now);
    CU_ASSERT(sent <= (uint64_t)((now - 100 * S) / 1000) + 1000 + 3000);
    sent += octets;
    now += next_random(&seed) % 10 == 0 ? next_random(&seed) % (3 * S) : 0;
  }
}

static void
what_has_no_measure_does_no_harm(void)
{
  HaulPace pace = { .octets_per_s = 1 };
  CU_ASSERT_EQUAL(haul_pace_take(&pace, UINT64_MAX, 100 * S), 0);
  int64_t wait = haul_pace_take(&pace, UINT64_MAX, 100 * S);
  CU_ASSERT(wait > 0 && wait <= 7 * 24 * 3600 * S);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(without_limits_nothing_waits),      CASE(the_rate_holds_beyond_a_second_that_was_saved),
    CASE(octets_that_are_free_cost_nothing), CASE(of_two_limits_the_tighter_holds),
    CASE(no_order_beats_the_rate),           CASE(what_has_no_measure_does_no_harm),
  };
  return RUN_SUITE("plan-pace", cases);
}
