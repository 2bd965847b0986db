/* What to do with messages: pure, no I/O. */
#include "plan.h"

#include "plan-flags.h"
#include "plan-labels.h"
#include "plan-match.h"

#include <string.h>

#include <mailhaul/message.h>
#include <mailhaul/plugin.h>

#define NOWHERE UINT32_MAX

static int
compare_ids(const void *a, const void *b, void *items)
{
  HaulId id_a = ((const HaulEntry *)items)[*(const uint32_t *)a].id;
  HaulId id_b = ((const HaulEntry *)items)[*(const uint32_t *)b].id;
  return (id_a > id_b) - (id_a < id_b);
}

/* Returns the indices of @items ordered by id; NULL where they are in order, as UIDs come. */
static uint32_t *
order_by_id(const HaulEntry *items, size_t n)
{
  size_t sorted = MIN(n, 1);
  while (sorted < n && items[sorted - 1].id < items[sorted].id)
    sorted++;
  if (sorted == n)
    return NULL;
  uint32_t *order = g_new(uint32_t, n);
  for (size_t i = 0; i < n; i++)
    order[i] = (uint32_t)i;
  g_qsort_with_data(order, (int)n, sizeof *order, compare_ids, (void *)items);
  return order;
}

static uint32_t
at_place(const uint32_t *order, size_t place)
{
  return order != NULL ? order[place] : (uint32_t)place;
}

static uint32_t
find_id(const HaulEntry *items, const uint32_t *order, size_t n, HaulId id)
{
  size_t low = 0, high = id != 0 ? n : 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (items[at_place(order, middle)].id < id)
      low = middle + 1;
    else
      high = middle;
  }
  return low < n && items[at_place(order, low)].id == id ? at_place(order, low) : NOWHERE;
}

typedef struct {
  uint8_t *fate1, *fate2; /* owned; per item: what became of it */
  uint32_t *order1, *order2;
} Sides;

static void
sides_clear(Sides *sides)
{
  g_free(sides->fate1);
  g_free(sides->fate2);
  g_free(sides->order1);
  g_free(sides->order2);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sides, sides_clear)

static void
sides_init(Sides *sides, const HaulMessagesInput *input)
{
  sides->fate1 = g_malloc0(MAX(input->n1, 1));
  sides->fate2 = g_malloc0(MAX(input->n2, 1));
  sides->order1 = order_by_id(input->items1, input->n1);
  sides->order2 = order_by_id(input->items2, input->n2);
}

/* Plans the flags of one pair. Returns whether the destination has to change. */
static bool
plan_flags(const HaulMessagesInput *input, uint32_t folder, const HaulEntry *source,
           const HaulEntry *copy, HaulRebase *agreed, GArray *actions)
{
  HaulAction action;
  if (!haul_plan_flags(input->flags_mode, input->keywords, source, copy, agreed, &action))
    return false;
  action.folder = folder;
  g_array_append_val(actions, action);
  return true;
}

/*
 * Marks what the state's pairs cover. The copy of a message that is gone stays free, for one that comes
 * back under another id; but not if it is us who removed the message, or it is only not shown: then what
 * comes is another one. Should the very id come back of one that we removed, nobody knows what it means, and
 * both are free.
 */
static void
mark_pairs(const HaulMessagesInput *input, Sides *sides)
{
  for (size_t i = 0; i < input->n_pairs; i++) {
    const HaulPair *pair = &input->pairs[i];
    uint32_t index1 = find_id(input->items1, sides->order1, input->n1, pair->id1);
    uint32_t index2 = find_id(input->items2, sides->order2, input->n2, pair->id2);
    bool stays = input->shows_part || pair->leaving || pair->left;
    if (index1 == NOWHERE && stays && index2 != NOWHERE)
      sides->fate2[index2] = HAUL_FATE_PAIRED;
    if (index1 == NOWHERE || pair->left)
      continue;
    sides->fate1[index1] = pair->id2 != 0 ? HAUL_FATE_PAIRED : HAUL_FATE_NAMELESS;
    if (index2 != NOWHERE)
      sides->fate2[index2] = HAUL_FATE_PAIRED;
  }
  for (size_t i = 0; i < input->n_covered2; i++) {
    uint32_t index2 = find_id(input->items2, sides->order2, input->n2, input->covered2[i]);
    if (index2 != NOWHERE && sides->fate2[index2] == HAUL_FATE_FREE)
      sides->fate2[index2] = HAUL_FATE_COVERED;
  }
}

static void
pair_by_state(const HaulMessagesInput *input, uint32_t folder, const Sides *sides,
              GArray *flag_actions, HaulMessagesPlan *plan)
{
  for (size_t i = 0; i < input->n_pairs; i++) {
    const HaulPair *pair = &input->pairs[i];
    uint32_t index1 = find_id(input->items1, sides->order1, input->n1, pair->id1);
    uint32_t index2 = find_id(input->items2, sides->order2, input->n2, pair->id2);
    if (index1 == NOWHERE) {
      bool is_ours = pair->leaving || pair->left;
      bool stays = is_ours ? index2 != NOWHERE : input->shows_part;
      HaulParting parting = { pair->id1, index2 };
      if (!stays)
        g_array_append_val(plan->forgotten, pair->id1);
      if (!stays && index2 != NOWHERE)
        g_array_append_val(plan->partings, parting);
      if (stays && is_ours && !pair->left)
        g_array_append_val(plan->departed, pair->id1);
      continue;
    }
    if (pair->left) /* what is made of it now takes its place in the state */
      continue;
    plan->n_there += pair->id2 == 0 || index2 != NOWHERE;
    HaulAbsence absence = { pair->id1, pair->id2 != 0 && index2 == NOWHERE };
    plan->n_gone += absence.gone;
    if (absence.gone != pair->gone)
      g_array_append_val(plan->absences, absence);
    if (index2 == NOWHERE)
      continue;
    haul_labels_provide(input, index1);
    HaulEntry source = input->items1[index1];
    if (pair->leaving) /* that it is marked as deleted may be our own doing */
      source.flags = (source.flags & ~(uint32_t)HAUL_DELETED) | (pair->flags & HAUL_DELETED);
    HaulRebase agreed = { source.id, pair->flags, pair->keywords };
    if (plan_flags(input, folder, &source, &input->items2[index2], &agreed, flag_actions))
      continue;
    if (pair->flags != agreed.flags || pair->keywords != agreed.keywords)
      g_array_append_val(plan->rebased, agreed);
  }
}

/* Leaves to other folders what is in them, too, and has no copy here. */
static void
mark_elsewhere(const HaulMessagesInput *input, Sides *sides)
{
  for (uint32_t i = 0; i < input->n1; i++)
    if (sides->fate1[i] == HAUL_FATE_FREE && haul_labels_is_elsewhere(input, i))
      sides->fate1[i] = HAUL_FATE_ELSEWHERE;
}

/* Leaves out what is not selected: what has a pair stays paired. Counts it; @plan: NULL is fine. */
static void
mark_left_out(const HaulMessagesInput *input, Sides *sides, HaulMessagesPlan *plan)
{
  for (size_t i = 0; input->verdicts1 != NULL && i < input->n1; i++) {
    if (sides->fate1[i] != HAUL_FATE_FREE || input->verdicts1[i] == HAUL_VERDICT_SELECTED)
      continue;
    sides->fate1[i] = HAUL_FATE_LEFT_OUT;
    if (plan != NULL)
      plan->n_left_out[input->verdicts1[i]]++;
  }
  for (size_t i = 0; input->verdicts2 != NULL && i < input->n2; i++)
    if (sides->fate2[i] == HAUL_FATE_FREE && input->verdicts2[i] != HAUL_VERDICT_SELECTED)
      sides->fate2[i] = HAUL_FATE_LEFT_OUT;
}

static void
mark_given_up(const HaulMessagesInput *input, Sides *sides, HaulMessagesPlan *plan)
{
  for (size_t i = 0; i < input->n_given_up; i++) {
    uint32_t index = find_id(input->items1, sides->order1, input->n1, input->given_up[i]);
    if (index == NOWHERE || sides->fate1[index] != HAUL_FATE_FREE)
      continue;
    sides->fate1[index] = HAUL_FATE_GIVEN_UP;
    plan->n_given_up++;
  }
}

/* Plans the flags of what matching paired. Nobody knows what the two agreed on: what both have, so
 * that nothing is taken away. */
static void
plan_adopted(const HaulMessagesInput *input, uint32_t folder, const HaulMessagesPlan *plan,
             GArray *flag_actions)
{
  for (guint i = 0; i < plan->adopted->len; i++) {
    const HaulAdoption *adoption = &g_array_index(plan->adopted, HaulAdoption, i);
    const HaulEntry *item1 = &input->items1[adoption->index1];
    const HaulEntry *item2 = &input->items2[adoption->index2];
    haul_labels_provide(input, adoption->index1);
    uint32_t only1 = haul_keywords_minus(input->keywords, item1->keywords, item2->keywords);
    uint32_t both = haul_keywords_minus(input->keywords, item1->keywords, only1);
    HaulRebase agreed = { item1->id, item1->flags & item2->flags, both };
    plan_flags(input, folder, item1, item2, &agreed, flag_actions);
  }
}

static uint64_t
count_fate(const uint8_t *fates, size_t n, HaulFate fate)
{
  uint64_t count = 0;
  for (size_t i = 0; i < n; i++)
    count += fates[i] == fate;
  return count;
}

static void
pair_by_key(const HaulMessagesInput *input, uint32_t folder, Sides *sides, GArray *flag_actions,
            HaulMessagesPlan *plan)
{
  uint64_t n_free = count_fate(sides->fate1, input->n1, HAUL_FATE_FREE);
  plan->n_conflicts = haul_match_by_key(input, sides->fate1, sides->fate2, plan->adopted);
  haul_match_by_likeness(input, sides->fate1, sides->fate2, plan->adopted);
  /* What was delivered without an id is counted already. */
  plan->n_there += n_free - count_fate(sides->fate1, input->n1, HAUL_FATE_FREE);
  plan_adopted(input, folder, plan, flag_actions);
}

/* Leaves out the copies that matching gave to others. */
static void
drop_taken(const Sides *sides, GArray *partings)
{
  guint kept = 0;
  for (guint i = 0; i < partings->len; i++) {
    HaulParting parting = g_array_index(partings, HaulParting, i);
    if (sides->fate2[parting.index2] == HAUL_FATE_FREE)
      g_array_index(partings, HaulParting, kept++) = parting;
  }
  g_array_set_size(partings, kept);
}

/* Copies what is still free, neighbours in one run; or links it, where the destination has it elsewhere. */
static void
plan_copies(const HaulMessagesInput *input, uint32_t folder, const Sides *sides, GArray *actions,
            GArray *links)
{
  bool running = false;
  for (size_t i = 0; i < input->n1; i++) {
    const HaulEntry *item = &input->items1[i];
    if (sides->fate1[i] != HAUL_FATE_FREE) {
      running = false;
      continue;
    }
    if (haul_labels_can_link(input, (uint32_t)i)) {
      HaulAction action = { .deed = HAUL_DO_LINK,
                            .folder = folder,
                            .link = { .id1 = item->id, .object = input->twins1[i].object } };
      g_array_append_val(links, action);
      running = false;
      continue;
    }
    haul_labels_provide(input, (uint32_t)i);
    if (!running) {
      HaulAction action = { .deed = HAUL_DO_COPY,
                            .folder = folder,
                            .copy = { .first = item->id,
                                      .alone = input->first_alone && actions->len == 0 } };
      g_array_append_val(actions, action);
      running = !action.copy.alone;
    }
    HaulAction *run = &g_array_index(actions, HaulAction, actions->len - 1);
    run->copy.last = item->id;
    run->copy.n++;
    run->copy.octets = item->size == HAUL_UNKNOWN || run->copy.octets == HAUL_UNKNOWN
                           ? HAUL_UNKNOWN
                           : run->copy.octets + item->size;
  }
}

/* Tells which messages of the destination no pair covers, as far as that is news. */
static void
plan_strays(const HaulMessagesInput *input, const Sides *sides, GArray *strays)
{
  g_autofree uint8_t *stays = g_malloc0(MAX(input->n_strays, 1));
  g_autofree HaulId *known = haul_ids_in_order(input->strays, input->n_strays);
  for (size_t i = 0; i < input->n2; i++) {
    HaulStray stray = { input->items2[i].id, true };
    size_t place = haul_id_find(known, input->n_strays, stray.id2);
    if (sides->fate2[i] != HAUL_FATE_FREE && sides->fate2[i] != HAUL_FATE_COVERED)
      continue;
    if (place < input->n_strays && !stays[place])
      stays[place] = true;
    else
      g_array_append_val(strays, stray);
  }
  for (size_t i = 0; i < input->n_strays; i++) {
    HaulStray stray = { known[i], false };
    if (!stays[i] && (i == 0 || known[i - 1] != known[i]))
      g_array_append_val(strays, stray);
  }
}

/* Appends @more, which is emptied; without a copy where that is possible. */
static void
append_actions(GArray **actions, GArray **more)
{
  if ((*actions)->len == 0) {
    GArray *empty = *actions;
    *actions = *more;
    *more = empty;
    return;
  }
  g_array_append_vals(*actions, (*more)->data, (*more)->len);
}

void
haul_plan_messages(const HaulMessagesInput *input, uint32_t folder, HaulMessagesPlan *plan)
{
  *plan = (HaulMessagesPlan){
    .actions = g_array_new(FALSE, FALSE, sizeof(HaulAction)),
    .adopted = g_array_new(FALSE, FALSE, sizeof(HaulAdoption)),
    .rebased = g_array_new(FALSE, FALSE, sizeof(HaulRebase)),
    .forgotten = g_array_new(FALSE, FALSE, sizeof(HaulId)),
    .partings = g_array_new(FALSE, FALSE, sizeof(HaulParting)),
    .departed = g_array_new(FALSE, FALSE, sizeof(HaulId)),
    .absences = g_array_new(FALSE, FALSE, sizeof(HaulAbsence)),
    .strays = g_array_new(FALSE, FALSE, sizeof(HaulStray)),
  };
  g_auto(Sides) sides;
  sides_init(&sides, input);
  g_autoptr(GArray) flag_actions = g_array_new(FALSE, FALSE, sizeof(HaulAction));
  g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(HaulAction));

  mark_pairs(input, &sides);
  mark_elsewhere(input, &sides);
  plan->n_elsewhere = count_fate(sides.fate1, input->n1, HAUL_FATE_ELSEWHERE);
  mark_given_up(input, &sides, plan);
  mark_left_out(input, &sides, plan);
  pair_by_state(input, folder, &sides, flag_actions, plan);
  pair_by_key(input, folder, &sides, flag_actions, plan);
  drop_taken(&sides, plan->partings);
  plan_strays(input, &sides, plan->strays);
  plan_copies(input, folder, &sides, plan->actions, links);
  append_actions(&plan->actions, &links);
  append_actions(&plan->actions, &flag_actions);
}

void
haul_messages_plan_clear(HaulMessagesPlan *plan)
{
  g_clear_pointer(&plan->actions, g_array_unref);
  g_clear_pointer(&plan->adopted, g_array_unref);
  g_clear_pointer(&plan->rebased, g_array_unref);
  g_clear_pointer(&plan->forgotten, g_array_unref);
  g_clear_pointer(&plan->partings, g_array_unref);
  g_clear_pointer(&plan->departed, g_array_unref);
  g_clear_pointer(&plan->absences, g_array_unref);
  g_clear_pointer(&plan->strays, g_array_unref);
}

/* Appends the indices of what may still be paired. */
static void
append_open(const Sides *sides, const HaulMessagesInput *input, GArray *wanted1, GArray *wanted2)
{
  for (uint32_t i = 0; i < input->n1; i++)
    if (sides->fate1[i] == HAUL_FATE_FREE || sides->fate1[i] == HAUL_FATE_NAMELESS)
      g_array_append_val(wanted1, i);
  for (uint32_t i = 0; i < input->n2; i++)
    if (sides->fate2[i] == HAUL_FATE_FREE)
      g_array_append_val(wanted2, i);
}

bool
haul_plan_unpaired(const HaulMessagesInput *input, GArray *wanted1, GArray *wanted2)
{
  g_auto(Sides) sides;
  sides_init(&sides, input);
  mark_pairs(input, &sides);
  mark_elsewhere(input, &sides);
  mark_left_out(input, &sides, NULL);
  append_open(&sides, input, wanted1, wanted2);
  return wanted1->len > 0 && wanted2->len > 0;
}

bool
haul_plan_ambiguous(const HaulMessagesInput *input, GArray *wanted1, GArray *wanted2)
{
  g_auto(Sides) sides;
  sides_init(&sides, input);
  mark_pairs(input, &sides);
  mark_elsewhere(input, &sides);
  mark_left_out(input, &sides, NULL);
  haul_match_ambiguous(input, sides.fate1, sides.fate2, wanted1, wanted2);
  return wanted1->len > 0 || wanted2->len > 0;
}

/* What the state and keys make of the items. Returns how many pairs keys found. */
static guint
match_by_key(const HaulMessagesInput *input, Sides *sides)
{
  g_autoptr(GArray) adopted = g_array_new(FALSE, FALSE, sizeof(HaulAdoption));
  sides_init(sides, input);
  mark_pairs(input, sides);
  mark_elsewhere(input, sides);
  mark_left_out(input, sides, NULL);
  haul_match_by_key(input, sides->fate1, sides->fate2, adopted);
  return adopted->len;
}

bool
haul_plan_unlike(const HaulMessagesInput *input, GArray *wanted1, GArray *wanted2, bool *ids_count)
{
  g_auto(Sides) sides;
  *ids_count = match_by_key(input, &sides) > 0;
  for (size_t i = 0; i < input->n_strays; i++) {
    uint32_t index = find_id(input->items2, sides.order2, input->n2, input->strays[i]);
    if (index != NOWHERE)
      sides.fate2[index] = HAUL_FATE_PAIRED;
  }
  for (size_t i = 0; i < input->n_pairs; i++) {
    uint32_t index = find_id(input->items2, sides.order2, input->n2, input->pairs[i].id2);
    if (index != NOWHERE)
      sides.fate2[index] = HAUL_FATE_PAIRED;
  }
  append_open(&sides, input, wanted1, wanted2);
  return wanted1->len > 0 && wanted2->len > 0;
}

bool
haul_plan_alike(const HaulMessagesInput *input, GArray *wanted1, GArray *wanted2)
{
  g_auto(Sides) sides;
  match_by_key(input, &sides);
  haul_match_alike(input, sides.fate1, sides.fate2, wanted1, wanted2);
  return wanted1->len > 0 || wanted2->len > 0;
}
