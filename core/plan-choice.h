/* Which folders of the source a run is about, and in which order: decided from arrays, touching nothing. */
#ifndef HAUL_CORE_PLAN_CHOICE_H
#define HAUL_CORE_PLAN_CHOICE_H

#include "pattern.h"
#include "plan.h"

/* A rule that adds folders, or takes some away. */
typedef struct {
  HaulPattern *pattern; /* owned */
  bool includes;
  const char *text; /* borrowed; as the user wrote it */
} HaulChoiceRule;

typedef struct {
  const HaulPlanFolder *folders; /* all of the source, in its order */
  const char *const *natives;    /* beside them: the store's own names, or NULL */
  size_t n;
  const uint32_t *named; /* places of those that the user names, in this order; NULL: none is */
  size_t n_named;
  bool only_subscribed, skip_empty;
  const HaulChoiceRule *rules; /* in the user's order */
  size_t n_rules;
  const HaulPattern *const *first, *const *last; /* in the user's order */
  size_t n_first, n_last;
} HaulChoiceInput;

typedef struct {
  GArray
      *chosen; /* owned; of uint32_t, places in the input, in the order in which folders are done */
  GArray *left_out; /* owned; of uint32_t */
  GPtrArray *why;   /* owned; beside left_out: of const char *, borrowed: the rule that decided */
  GArray *idle;     /* owned; of uint32_t: rules that mean no folder of the source */
} HaulChoicePlan;

/*
 * Folders that are named or subscribed to, if that is asked for, else all, unless the first rule includes; then each
 * rule in turn adds or takes away. INBOX comes first, then the others by name, views of other mail last; what
 * shall be first or last of all is so. Where nothing is named, views of what is in all mail are left out if
 * that is there, and no rule includes them.
 */
void haul_plan_choice(const HaulChoiceInput *input, HaulChoicePlan *plan);
void haul_choice_plan_clear(HaulChoicePlan *plan);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaulChoicePlan, haul_choice_plan_clear)

#endif /* HAUL_CORE_PLAN_CHOICE_H */
