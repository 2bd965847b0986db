/* Tests which messages may be removed at the source. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "plan-removal.h"

#define DAY 86400
#define NOW (1000 * (int64_t)DAY)

/* What is known of message 7, and whether it may go. */
typedef struct {
  const char *what;
  HaulProof proof;
  bool only_delivered;
  int64_t min_age_s;
  bool goes;
} Row;

#define NOTED(days) .id1 = 7, .noted_at = NOW - (days) * (int64_t)DAY

static const Row rows[] = {
  { "delivered", { NOTED(0), .delivered = true, .named = true }, false, 0, true },
  { "delivered, in doubtful times", { NOTED(0), .delivered = true, .named = true }, true, 0, true },
  { "delivered, nobody knows where", { NOTED(9), .delivered = true }, false, 0, false },
  { "delivered, and removed there",
    { NOTED(0), .delivered = true, .named = true, .gone = true },
    false,
    0,
    false },
  { "found, with its size", { NOTED(0), .named = true, .proven = true }, false, 0, true },
  { "found, with another size", { NOTED(0), .named = true }, false, 0, false },
  { "found, with its size, in doubtful times",
    { NOTED(99), .named = true, .proven = true },
    true,
    0,
    false },
  { "found, and removed there",
    { NOTED(0), .named = true, .proven = true, .gone = true },
    false,
    0,
    false },
  { "found under its own id",
    { NOTED(0), .named = true, .proven = true, .same_id = true },
    false,
    0,
    false },
  { "delivered, and given its own id",
    { NOTED(0), .delivered = true, .named = true, .same_id = true },
    false,
    0,
    true },
  { "as old as asked for", { NOTED(30), .delivered = true, .named = true }, false, 30 * DAY, true },
  { "a day too young", { NOTED(29), .delivered = true, .named = true }, false, 30 * DAY, false },
  { "just delivered", { NOTED(0), .delivered = true, .named = true }, false, 1, false },
  { "noted in the future", { NOTED(-9), .delivered = true, .named = true }, false, 1, false },
  { "noted in the future, no age asked for",
    { NOTED(-9), .delivered = true, .named = true },
    false,
    0,
    true },
  { "noted when time began",
    { .id1 = 7, .delivered = true, .named = true },
    false,
    365 * DAY,
    true },
  { "noted at the end of time",
    { .id1 = 7, .noted_at = INT64_MAX, .delivered = true, .named = true },
    false,
    DAY,
    false },
};

static HaulRemovalInput
input_of(const HaulProof *proofs, size_t n)
{
  return (HaulRemovalInput){ .proofs = proofs, .n_proofs = n, .now = NOW };
}

static void
what_is_in_doubt_stays(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    HaulRemovalInput input = input_of(&rows[i].proof, 1);
    input.only_delivered = rows[i].only_delivered;
    input.min_age_s = rows[i].min_age_s;
    input.same_epoch = rows[i].proof.same_id;
    g_auto(HaulRemovalPlan) plan;
    haul_plan_removal(&input, &plan);
    bool goes = plan.ids->len == 1 && g_array_index(plan.ids, HaulId, 0) == 7;
    CU_ASSERT(goes == rows[i].goes && plan.ids->len <= 1);
    if (goes != rows[i].goes)
      printf("%s: %s\n", rows[i].what, goes ? "goes" : "stays");
  }
}

static void
what_is_in_trouble_stays(void)
{
  HaulProof proofs[5];
  for (size_t i = 0; i < G_N_ELEMENTS(proofs); i++)
    proofs[i] = (HaulProof){ .id1 = 10 + i, .delivered = true, .named = true };
  HaulRemovalInput input = input_of(proofs, G_N_ELEMENTS(proofs));
  static const HaulId troubled[] = { 14, 99, 11 };
  input.troubled = troubled;
  input.n_troubled = G_N_ELEMENTS(troubled);
  g_auto(HaulRemovalPlan) plan;
  haul_plan_removal(&input, &plan);
  CU_ASSERT_EQUAL_FATAL(plan.ids->len, 3);
  static const HaulId left[] = { 10, 12, 13 };
  for (guint i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(g_array_index(plan.ids, HaulId, i), left[i]);
}

static void
what_stays_is_counted_by_why(void)
{
  static const HaulProof proofs[] = {
    { .id1 = 1, .noted_at = NOW, .delivered = true, .named = true },
    { .id1 = 2, .noted_at = NOW, .delivered = true },
    { .id1 = 3, .noted_at = NOW, .named = true },
    { .id1 = 4, .noted_at = NOW - 2 * DAY, .delivered = true, .named = true },
    { .id1 = 5, .noted_at = NOW - 2 * DAY, .delivered = true, .named = true, .gone = true },
  };
  HaulRemovalInput input = input_of(proofs, G_N_ELEMENTS(proofs));
  input.min_age_s = DAY;
  g_auto(HaulRemovalPlan) plan;
  haul_plan_removal(&input, &plan);
  CU_ASSERT_EQUAL(plan.ids->len, 1);
  CU_ASSERT_EQUAL(plan.n_unproven, 2);
  CU_ASSERT_EQUAL(plan.n_young, 1);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_is_in_doubt_stays),
    CASE(what_is_in_trouble_stays),
    CASE(what_stays_is_counted_by_why),
  };
  return RUN_SUITE("plan-removal", cases);
}
