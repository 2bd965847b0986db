/* Tests which messages go at the destination because the source has no such, and when none does. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "plan-mirror.h"

/* @n strays in a folder of @n2 messages, whose source has @n1; and what is known besides. */
typedef struct {
  const char *what;
  size_t n;
  HaulMirrorInput known;
  HaulMirrorVerdict verdict;
} Row;

#define OF(have1, have2) .n1 = (have1), .n2 = (have2)
#define LIMIT(most) .has_limit = true, .limit = (most)

static const Row rows[] = {
  { "one of few", 1, { OF(1, 2) }, HAUL_MIRROR_GOES },
  { "all but one of few", 10, { OF(1, 11) }, HAUL_MIRROR_GOES },
  { "more than ten of a hundred", 11, { OF(89, 100) }, HAUL_MIRROR_TOO_MANY },
  { "more than ten, a tenth", 11, { OF(99, 110) }, HAUL_MIRROR_GOES },
  { "a hundred, a tenth", 100, { OF(900, 1000) }, HAUL_MIRROR_GOES },
  { "more than a hundred of very many", 101, { OF(99899, 99999) }, HAUL_MIRROR_TOO_MANY },
  { "nine tenths", 90, { OF(10, 100) }, HAUL_MIRROR_TOO_MANY },
  { "as many as said", 90, { OF(10, 100), LIMIT(90) }, HAUL_MIRROR_GOES },
  { "one more than said", 91, { OF(9, 100), LIMIT(90) }, HAUL_MIRROR_TOO_MANY },
  { "fewer than by default, more than said", 3, { OF(97, 100), LIMIT(2) }, HAUL_MIRROR_TOO_MANY },
  { "the last", 1, { OF(0, 1) }, HAUL_MIRROR_FOLDER_EMPTY },
  { "the last, as said", 1, { OF(0, 1), LIMIT(1) }, HAUL_MIRROR_GOES },
  { "a window", 1, { OF(1000, 1001), .is_round = true }, HAUL_MIRROR_ROUND },
  { "a window, as said", 1, { OF(1000, 1001), .is_round = true, LIMIT(1) }, HAUL_MIRROR_GOES },
#define HARD(member, verdict)                                                                      \
  { #member, 1, { OF(9, 10), .member = true }, verdict },                                          \
      { #member " and a limit", 1, { OF(9, 10), .member = true, LIMIT(10) }, verdict },            \
  {                                                                                                \
#member " and no stray", 0, { OF(9, 9), .member = true }, HAUL_MIRROR_GOES                     \
  }
  HARD(source_empty, HAUL_MIRROR_SOURCE_EMPTY),
  HARD(other_source, HAUL_MIRROR_OTHER_SOURCE),
  HARD(state_is_new, HAUL_MIRROR_STATE_IS_NEW),
  HARD(matched_anew, HAUL_MIRROR_MATCHED_ANEW),
  HARD(is_short, HAUL_MIRROR_SHORT),
  HARD(in_trouble, HAUL_MIRROR_TROUBLE),
  HARD(has_nameless, HAUL_MIRROR_NAMELESS),
  HARD(leaves_out, HAUL_MIRROR_LEAVES_OUT),
};

static void
plan_strays(const Row *row, HaulMirrorPlan *plan)
{
  HaulId strays[128];
  HaulMirrorInput input = row->known;
  for (size_t i = 0; i < row->n; i++)
    strays[i] = 1000 + i;
  input.strays = strays;
  input.n_strays = row->n;
  haul_plan_mirror(&input, plan);
}

static void
each_guard_refuses_by_itself(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(HaulMirrorPlan) plan = { 0 };
    plan_strays(&rows[i], &plan);
    if (plan.verdict != rows[i].verdict)
      printf("%s: %d\n", rows[i].what, plan.verdict);
    CU_ASSERT_EQUAL(plan.verdict, rows[i].verdict);
    CU_ASSERT_EQUAL(plan.victims->len, rows[i].n);
  }
}

static void
a_refusal_says_what_to_do_where_anything_can_be_done(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(HaulMirrorPlan) plan = { 0 };
    plan_strays(&rows[i], &plan);
    g_autofree char *text = haul_mirror_refusal(&plan);
    CU_ASSERT_EQUAL(text == NULL, rows[i].verdict == HAUL_MIRROR_GOES);
    bool may = rows[i].verdict == HAUL_MIRROR_TOO_MANY || rows[i].verdict == HAUL_MIRROR_ROUND
               || rows[i].verdict == HAUL_MIRROR_FOLDER_EMPTY;
    g_autofree char *advice = g_strdup_printf("say --max-delete %zu", rows[i].n);
    if (text != NULL)
      CU_ASSERT_EQUAL(strstr(text, advice) != NULL, may);
  }
}

static void
what_another_folder_covers_stays(void)
{
  static const HaulId strays[] = { 5, 3, 9, 4 }, covered[] = { 9, 0, 77, 3 };
  HaulMirrorInput input = {
    .strays = strays, .n_strays = 4, .covered = covered, .n_covered = 4, OF(90, 100)
  };
  g_auto(HaulMirrorPlan) plan = { 0 };
  haul_plan_mirror(&input, &plan);
  CU_ASSERT_EQUAL_FATAL(plan.victims->len, 2);
  CU_ASSERT_EQUAL(g_array_index(plan.victims, HaulId, 0), 5);
  CU_ASSERT_EQUAL(g_array_index(plan.victims, HaulId, 1), 4);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(each_guard_refuses_by_itself),
    CASE(a_refusal_says_what_to_do_where_anything_can_be_done),
    CASE(what_another_folder_covers_stays),
  };
  return RUN_SUITE("plan-mirror", cases);
}
