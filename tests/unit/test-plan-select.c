/* Tests plan-select.c, and what the planner makes of its verdicts. */
#include "suite.h"

#include <mailhaul/message.h>

#include "plan-select.h"
#include "plan.h"

#define NOW INT64_C(1000000)

static void
size_and_age_have_their_limits_within(void)
{
  static const struct {
    HaulMeasures measures; /* min, max octets; min, max age */
    uint64_t octets;
    int64_t age;
    HaulVerdict verdict;
  } rows[] = {
    { { 0, 0, 0, 0, NOW }, 0, 0, HAUL_VERDICT_SELECTED },
    { { 0, 100, 0, 0, NOW }, 100, 0, HAUL_VERDICT_SELECTED },
    { { 0, 100, 0, 0, NOW }, 101, 0, HAUL_VERDICT_SIZE },
    { { 100, 0, 0, 0, NOW }, 100, 0, HAUL_VERDICT_SELECTED },
    { { 100, 0, 0, 0, NOW }, 99, 0, HAUL_VERDICT_SIZE },
    { { 100, 100, 0, 0, NOW }, 100, 0, HAUL_VERDICT_SELECTED },
    { { 100, 200, 0, 0, NOW }, HAUL_UNKNOWN, 0, HAUL_VERDICT_SELECTED },
    { { 0, 0, 0, 50, NOW }, 1, 50, HAUL_VERDICT_SELECTED },
    { { 0, 0, 0, 50, NOW }, 1, 51, HAUL_VERDICT_AGE },
    { { 0, 0, 50, 0, NOW }, 1, 50, HAUL_VERDICT_SELECTED },
    { { 0, 0, 50, 0, NOW }, 1, 49, HAUL_VERDICT_AGE },
    { { 0, 0, 50, 60, NOW }, 1, 55, HAUL_VERDICT_SELECTED },
    { { 0, 0, 50, 60, NOW }, 1, 61, HAUL_VERDICT_AGE },
    { { 0, 0, 60, 50, NOW }, 1, 55, HAUL_VERDICT_AGE }, /* either is enough, as with imapsync */
    { { 0, 0, 60, 50, NOW }, 1, 50, HAUL_VERDICT_SELECTED },
    { { 0, 0, 60, 50, NOW }, 1, 60, HAUL_VERDICT_SELECTED },
    { { 0, 0, 60, 0, NOW }, 1, -500, HAUL_VERDICT_AGE }, /* of the future: as young as can be */
    { { 0, 0, 0, 60, NOW }, 1, -500, HAUL_VERDICT_SELECTED },
    { { 0, 10, 0, 60, NOW }, 11, 61, HAUL_VERDICT_SIZE },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    CU_ASSERT_EQUAL(haul_measures_judge(&rows[i].measures, rows[i].octets, NOW - rows[i].age),
                    rows[i].verdict);
  HaulMeasures measures = { 0, 0, 5, 60, NOW };
  CU_ASSERT_EQUAL(haul_measures_judge(&measures, 1, HAUL_NO_DATE), HAUL_VERDICT_SELECTED);
}

/* Five messages, of which the first has a pair; two of the destination. */
static void
what_is_left_out_is_counted_and_what_has_a_pair_stays(void)
{
  g_autoptr(HaulKeywords) keywords = haul_keywords_new();
  const HaulEntry items1[] = {
    { 1, 10, HAUL_SEEN, 0 }, { 2, 10, 0, 0 }, { 3, 10, 0, 0 }, { 4, 10, 0, 0 }, { 5, 10, 0, 0 }
  };
  const HaulEntry items2[] = { { 7, 10, 0, 0 }, { 8, 10, 0, 0 } };
  const HaulPair pairs[] = { { .id1 = 1, .id2 = 7 } };
  /* All have one key: what is left out must not be taken for the copy of what is not. */
  const HaulKey keys1[5] = { { { 1 } }, { { 1 } }, { { 1 } }, { { 1 } }, { { 1 } } };
  const HaulKey keys2[2] = { { { 1 } }, { { 1 } } };
  const uint8_t verdicts1[] = { HAUL_VERDICT_SIZE, HAUL_VERDICT_AGE, HAUL_VERDICT_SELECTED,
                                HAUL_VERDICT_SEARCH, HAUL_VERDICT_SELECTED };
  HaulMessagesInput input = { .items1 = items1,
                              .n1 = 5,
                              .items2 = items2,
                              .n2 = 2,
                              .keys1 = keys1,
                              .keys2 = keys2,
                              .pairs = pairs,
                              .n_pairs = 1,
                              .verdicts1 = verdicts1,
                              .keywords = keywords };
  g_autoptr(GArray) wanted1 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) wanted2 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  CU_ASSERT(haul_plan_unpaired(&input, wanted1, wanted2));
  CU_ASSERT_EQUAL(wanted1->len, 2);

  HaulMessagesPlan plan;
  haul_plan_messages(&input, 0, &plan);
  CU_ASSERT_EQUAL(plan.n_there, 2);
  CU_ASSERT_EQUAL(plan.n_left_out[HAUL_VERDICT_AGE], 1);
  CU_ASSERT_EQUAL(plan.n_left_out[HAUL_VERDICT_SEARCH], 1);
  CU_ASSERT_EQUAL(plan.n_left_out[HAUL_VERDICT_SIZE],
                  0); /* it has a copy, whose flags are synced */
  CU_ASSERT_EQUAL_FATAL(plan.adopted->len, 1);
  CU_ASSERT_EQUAL(g_array_index(plan.adopted, HaulAdoption, 0).index1, 2);
  CU_ASSERT_EQUAL_FATAL(plan.actions->len, 2);
  const HaulAction *copy = &g_array_index(plan.actions, HaulAction, 0);
  CU_ASSERT(copy->deed == HAUL_DO_COPY && copy->copy.first == 5 && copy->copy.n == 1);
  CU_ASSERT_EQUAL(g_array_index(plan.actions, HaulAction, 1).deed, HAUL_DO_FLAGS);
  haul_messages_plan_clear(&plan);

  /* --search2: what is not seen there matches nothing, and is no stray either. */
  const uint8_t verdicts2[] = { HAUL_VERDICT_SELECTED, HAUL_VERDICT_SEARCH };
  input.verdicts2 = verdicts2;
  haul_plan_messages(&input, 0, &plan);
  CU_ASSERT_EQUAL(plan.adopted->len, 0);
  CU_ASSERT_EQUAL(plan.strays->len, 0);
  haul_messages_plan_clear(&plan);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(size_and_age_have_their_limits_within),
    CASE(what_is_left_out_is_counted_and_what_has_a_pair_stays),
  };
  return RUN_SUITE("plan-select", cases);
}
