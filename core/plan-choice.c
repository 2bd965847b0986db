/* Which folders of the source a run is about: pure, no I/O. */
#include "plan-choice.h"

#include <string.h>

#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

/* Whether it is a label for what the user, or the server, has marked: all of it is in all mail. */
static bool
is_a_view(const HaulPlanFolder *folder)
{
  return (folder->attributes & HAUL_FOLDER_LABEL) != 0
         && (folder->attributes & (HAUL_FOLDER_FLAGGED | HAUL_FOLDER_IMPORTANT)) != 0;
}

static bool
is_all_mail(const HaulPlanFolder *folder)
{
  return (folder->attributes & HAUL_FOLDER_LABEL) != 0
         && (folder->attributes & HAUL_FOLDER_ALL) != 0
         && (folder->attributes & HAUL_FOLDER_NOSELECT) == 0;
}

/* Whether the folder of all mail is there; users can hide it. */
static bool
shows_all_mail(const HaulChoiceInput *input)
{
  for (size_t i = 0; i < input->n; i++)
    if (is_all_mail(&input->folders[i]))
      return true;
  return false;
}

/* ---- which ---- */

#define VIEW "all of it is in all mail; --folder takes it"

/* Decides without rules. @why: beside the folders; NULL where one is chosen. */
static void
choose_first(const HaulChoiceInput *input, const char **why)
{
  bool has_all = shows_all_mail(input);
  bool rules_add = input->n_rules > 0 && input->rules[0].includes;
  bool some = input->n_named > 0 || input->only_subscribed;
  for (size_t i = 0; i < input->n; i++) {
    const HaulPlanFolder *folder = &input->folders[i];
    bool subscribed = (folder->attributes & HAUL_FOLDER_SUBSCRIBED) != 0;
    why[i] = some && !(input->only_subscribed && subscribed)
                 ? (input->only_subscribed ? "it is not subscribed to" : "it is not named")
             : !some && rules_add                    ? "no rule includes it"
             : !some && has_all && is_a_view(folder) ? VIEW
                                                     : NULL;
  }
  for (size_t k = 0; k < input->n_named; k++)
    why[input->named[k]] = NULL;
}

static void
apply_rule(const HaulChoiceInput *input, uint32_t number, const char **why, GArray *idle)
{
  const HaulChoiceRule *rule = &input->rules[number];
  bool any = false;
  for (size_t i = 0; i < input->n; i++) {
    const HaulPlanFolder *folder = &input->folders[i];
    const char *native = input->natives != NULL ? input->natives[i] : NULL;
    if (!haul_pattern_matches(rule->pattern, folder->path, native, folder->attributes))
      continue;
    any = true;
    why[i] = rule->includes ? NULL : rule->text;
  }
  if (!any)
    g_array_append_val(idle, number);
}

/* ---- in which order ---- */

typedef struct {
  const HaulChoiceInput *input;
  const uint32_t *named_at; /* owned by the caller; place among the named, or UINT32_MAX */
} Order;

/* Where the first pattern stands that means the folder; @n if none does. */
static size_t
find_pattern(const HaulChoiceInput *input, uint32_t index, const HaulPattern *const *patterns,
             size_t n)
{
  size_t i = 0;
  const HaulPlanFolder *folder = &input->folders[index];
  const char *native = input->natives != NULL ? input->natives[index] : NULL;
  while (i < n && !haul_pattern_matches(patterns[i], folder->path, native, folder->attributes))
    i++;
  return i;
}

/* What shall come first counts before what shall come last; the last ones of their own accord are views, and
 * then all mail, for they give what the others have not. */
static int64_t
rank(const HaulChoiceInput *input, uint32_t index)
{
  const HaulPlanFolder *folder = &input->folders[index];
  size_t first = find_pattern(input, index, input->first, input->n_first);
  if (first < input->n_first)
    return (int64_t)first - (int64_t)input->n_first;
  if (is_all_mail(folder))
    return INT64_MAX;
  size_t last = find_pattern(input, index, input->last, input->n_last);
  if (last < input->n_last)
    return 3 + (int64_t)last;
  return haul_path_is_inbox(folder->path) ? 0 : is_a_view(folder) ? 2 : 1;
}

typedef struct {
  int64_t rank;
  uint32_t index, named_at;
} Placed;

static int
compare_placed(const void *a, const void *b, void *data)
{
  const Placed *x = a, *y = b;
  const HaulChoiceInput *input = data;
  if (x->named_at != y->named_at && x->rank < 3 && y->rank < 3 && x->rank >= 0 && y->rank >= 0)
    return x->named_at < y->named_at ? -1 : 1;
  if (x->rank != y->rank)
    return x->rank < y->rank ? -1 : 1;
  return strcmp(input->folders[x->index].path, input->folders[y->index].path);
}

static GArray *
put_in_order(const HaulChoiceInput *input, const char *const *why)
{
  g_autofree uint32_t *named_at = g_new(uint32_t, MAX(input->n, 1));
  memset(named_at, 0xff, input->n * sizeof *named_at);
  for (size_t k = input->n_named; k-- > 0;)
    named_at[input->named[k]] = (uint32_t)k;
  g_autoptr(GArray) placed = g_array_new(FALSE, FALSE, sizeof(Placed));
  for (uint32_t i = 0; i < input->n; i++) {
    Placed one = { .index = i, .named_at = named_at[i] };
    if (why[i] != NULL)
      continue;
    one.rank = rank(input, i);
    g_array_append_val(placed, one);
  }
  g_array_sort_with_data(placed, compare_placed, (void *)input);
  GArray *chosen = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  for (guint i = 0; i < placed->len; i++)
    g_array_append_val(chosen, g_array_index(placed, Placed, i).index);
  return chosen;
}

void
haul_plan_choice(const HaulChoiceInput *input, HaulChoicePlan *plan)
{
  *plan = (HaulChoicePlan){
    .left_out = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
    .why = g_ptr_array_new(),
    .idle = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
  };
  g_autofree const char **why = g_new0(const char *, MAX(input->n, 1));
  choose_first(input, why);
  for (uint32_t k = 0; k < input->n_rules; k++)
    apply_rule(input, k, why, plan->idle);
  for (uint32_t i = 0; i < input->n; i++) {
    if (why[i] == NULL && input->skip_empty && input->folders[i].n_messages == 0)
      why[i] = "it is empty";
    if (why[i] == NULL || (input->folders[i].attributes & HAUL_FOLDER_NOSELECT) != 0)
      continue;
    g_array_append_val(plan->left_out, i);
    g_ptr_array_add(plan->why, (char *)why[i]);
  }
  plan->chosen = put_in_order(input, why);
}

void
haul_choice_plan_clear(HaulChoicePlan *plan)
{
  g_clear_pointer(&plan->chosen, g_array_unref);
  g_clear_pointer(&plan->left_out, g_array_unref);
  g_clear_pointer(&plan->why, g_ptr_array_unref);
  g_clear_pointer(&plan->idle, g_array_unref);
}
