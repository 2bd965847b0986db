/* Which messages go at the destination: pure, no I/O. */
#include "plan-mirror.h"

#include <inttypes.h>

#define LIMIT_OF_FOLDER 100u
#define LIMIT_OF_PART 10u
#define PART 10u /* a tenth */

bool
haul_mirror_is_too_many(const HaulMirrorInput *input, uint64_t n)
{
  if (input->has_limit)
    return n > input->limit;
  return n > LIMIT_OF_FOLDER || (n > LIMIT_OF_PART && n > input->n2 / PART);
}

/* The first thing that speaks against it: what nobody can overrule before what a limit does. */
static HaulMirrorVerdict
judge(const HaulMirrorInput *input, uint64_t n)
{
  const struct {
    bool holds;
    HaulMirrorVerdict verdict;
  } objections[] = {
    { input->source_empty, HAUL_MIRROR_SOURCE_EMPTY },
    { input->state_is_new, HAUL_MIRROR_STATE_IS_NEW },
    { input->other_source, HAUL_MIRROR_OTHER_SOURCE },
    { input->matched_anew, HAUL_MIRROR_MATCHED_ANEW },
    { input->is_short, HAUL_MIRROR_SHORT },
    { input->in_trouble, HAUL_MIRROR_TROUBLE },
    { input->has_nameless, HAUL_MIRROR_NAMELESS },
    { input->leaves_out, HAUL_MIRROR_LEAVES_OUT },
    { input->n1 == 0 && !input->has_limit, HAUL_MIRROR_FOLDER_EMPTY },
    { input->is_round && !input->has_limit, HAUL_MIRROR_ROUND },
    { haul_mirror_is_too_many(input, n), HAUL_MIRROR_TOO_MANY },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(objections); i++)
    if (objections[i].holds)
      return objections[i].verdict;
  return HAUL_MIRROR_GOES;
}

void
haul_plan_mirror(const HaulMirrorInput *input, HaulMirrorPlan *plan)
{
  *plan = (HaulMirrorPlan){ .victims = g_array_new(FALSE, FALSE, sizeof(HaulId)), .n2 = input->n2 };
  g_autoptr(GHashTable) covered = g_hash_table_new(g_int64_hash, g_int64_equal);
  for (size_t i = 0; i < input->n_covered; i++)
    g_hash_table_add(covered, (gpointer)&input->covered[i]);
  for (size_t i = 0; i < input->n_strays; i++)
    if (!g_hash_table_contains(covered, &input->strays[i]))
      g_array_append_val(plan->victims, input->strays[i]);
  plan->verdict = plan->victims->len == 0 ? HAUL_MIRROR_GOES : judge(input, plan->victims->len);
}

void
haul_mirror_plan_clear(HaulMirrorPlan *plan)
{
  g_clear_pointer(&plan->victims, g_array_unref);
}

static const char *const reasons[] = {
  [HAUL_MIRROR_SOURCE_EMPTY] = "the source shows no message at all",
  [HAUL_MIRROR_OTHER_SOURCE] =
      "the source has numbered most of its folders anew: it may be another account",
  [HAUL_MIRROR_STATE_IS_NEW] =
      "the state is new, so that nobody knows what the source had; if this run ends well, the next "
      "one may",
  [HAUL_MIRROR_MATCHED_ANEW] = "the folder is new to the state, or was numbered anew; if this run "
                               "ends well, the next one may",
  [HAUL_MIRROR_SHORT] = "fewer messages were listed than the folder is said to hold",
  [HAUL_MIRROR_TROUBLE] = "not all else went well",
  [HAUL_MIRROR_NAMELESS] =
      "the destination did not say which of its messages are copies, and not all were found",
  [HAUL_MIRROR_LEAVES_OUT] = "messages of the source were left out, and may be these",
  [HAUL_MIRROR_FOLDER_EMPTY] = "the folder is empty at the source",
  [HAUL_MIRROR_ROUND] =
      "the source shows a round number of messages, as servers do that show no more",
  [HAUL_MIRROR_TOO_MANY] = "that is more than --max-delete lets go",
};

char *
haul_mirror_refusal(const HaulMirrorPlan *plan)
{
  guint n = plan->victims != NULL ? plan->victims->len : 0;
  if (plan->verdict == HAUL_MIRROR_GOES)
    return NULL;
  GString *text = g_string_new(NULL);
  g_string_printf(text,
                  "nothing is deleted, though %u of %" PRIu64
                  " messages of the destination are not "
                  "at the source: %s",
                  n, plan->n2, reasons[plan->verdict]);
  if (plan->verdict >= HAUL_MIRROR_FOLDER_EMPTY)
    g_string_append_printf(text, "; if it is meant, say --max-delete %u", n);
  return g_string_free(text, FALSE);
}
