/* Tests what holds for every plan of plan.c, with random arrays. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/plugin.h>

#include "scene.h"

/* Numbers in a random order, some of which look as interned texts do. */
static HaulId *
random_ids(size_t n, HaulId first, uint32_t *seed)
{
  HaulId *ids = g_new(HaulId, n + 1);
  for (size_t i = 0; i < n; i++)
    ids[i] = first + i * 3 + (next_random(seed) % 8 == 0 ? UINT64_C(1) << 63 : 0);
  if (next_random(seed) % 2 == 0)
    for (size_t i = n; i > 1; i--) {
      size_t k = next_random(seed) % i;
      HaulId other = ids[i - 1];
      ids[i - 1] = ids[k];
      ids[k] = other;
    }
  return ids;
}

static void
random_side(Listing *side, size_t n, HaulId first, HaulKeywords *keywords, uint32_t *seed)
{
  static const uint64_t sizes[] = { 100, 100, 100, 130, 5000, 90000 };
  static const char *const texts[] = { "", "", "x", "x y", "z" };
  g_autofree HaulId *ids = random_ids(n, first, seed);
  bool tells_sizes = next_random(seed) % 5 > 0;
  for (size_t i = 0; i < n; i++) {
    scene_add(side, ids[i], "-abcdef"[next_random(seed) % 7],
              tells_sizes ? sizes[next_random(seed) % G_N_ELEMENTS(sizes)] : HAUL_UNKNOWN);
    HaulEntry *item = &g_array_index(side->items, HaulEntry, i);
    item->flags = next_random(seed) & HAUL_ALL_FLAGS;
    item->keywords = haul_keywords_parse(keywords, texts[next_random(seed) % G_N_ELEMENTS(texts)]);
  }
}

static void
random_scene(Scene *scene, uint32_t *seed)
{
  scene_init(scene);
  scene->mode = (HaulFlagsMode)(next_random(seed) % 4);
  size_t n1 = next_random(seed) % 25, n2 = next_random(seed) % 25;
  random_side(&scene->side1, n1, 1, scene->keywords, seed);
  random_side(&scene->side2, n2, 1000, scene->keywords, seed);
  /* Pairs join random items, or items that are gone, and no item twice. */
  for (size_t i = 0; i < n1 || i < n2; i++) {
    unsigned kind = next_random(seed) % 6;
    HaulPair pair = {
      .id1 = i < n1 && kind != 4 ? g_array_index(scene->side1.items, HaulEntry, i).id : 500 + i,
      .id2 = i < n2 && kind != 5 ? g_array_index(scene->side2.items, HaulEntry, i).id : 1500 + i,
      .flags = next_random(seed) & HAUL_ALL_FLAGS,
      .keywords = haul_keywords_parse(scene->keywords, next_random(seed) % 2 ? "x" : ""),
    };
    if (kind == 3)
      pair.id2 = 0;
    if (kind >= 2)
      g_array_append_val(scene->pairs, pair);
    else if (i < n1 && next_random(seed) % 6 == 0)
      g_array_append_val(scene->given_up, pair.id1);
  }
}

static bool
agree(uint64_t a, uint64_t b)
{
  return a == HAUL_UNKNOWN || b == HAUL_UNKNOWN || MAX(a, b) - MIN(a, b) <= 2048 + MIN(a, b) / 8;
}

static int
index_of(const GArray *items, HaulId id)
{
  for (guint i = 0; i < items->len; i++)
    if (g_array_index(items, HaulEntry, i).id == id)
      return (int)i;
  return -1;
}

static bool
is_given_up(const Scene *scene, HaulId id)
{
  for (guint i = 0; i < scene->given_up->len; i++)
    if (g_array_index(scene->given_up, HaulId, i) == id)
      return true;
  return false;
}

static const HaulPair *
pair_of(const Scene *scene, HaulId id1)
{
  for (guint i = 0; i < scene->pairs->len; i++)
    if (g_array_index(scene->pairs, HaulPair, i).id1 == id1)
      return &g_array_index(scene->pairs, HaulPair, i);
  return NULL;
}

/* Returns the number of times that each source item is copied, by its place. */
static unsigned *
count_copies(const Scene *scene, const HaulMessagesPlan *plan)
{
  unsigned *copied = g_new0(unsigned, scene->side1.items->len + 1);
  for (guint i = 0; i < plan->actions->len; i++) {
    const HaulAction *action = &g_array_index(plan->actions, HaulAction, i);
    if (action->deed == HAUL_DO_FLAGS)
      continue;
    int first = index_of(scene->side1.items, action->copy.first);
    int last = index_of(scene->side1.items, action->copy.last);
    CU_ASSERT(first >= 0 && last >= first);
    CU_ASSERT_EQUAL(action->copy.n, (uint64_t)(last - first + 1));
    for (int k = first; k <= last; k++)
      copied[k]++;
  }
  return copied;
}

/* Every source item ends in one place: paired, removed there, adopted, given up or copied. */
static bool
adds_up(const Scene *scene, const HaulMessagesPlan *plan)
{
  size_t n1 = scene->side1.items->len, n2 = scene->side2.items->len;
  g_autofree unsigned *copied = count_copies(scene, plan);
  g_autofree unsigned *adopted1 = g_new0(unsigned, n1 + 1), *adopted2 = g_new0(unsigned, n2 + 1);
  bool right = true;
  for (guint i = 0; i < plan->adopted->len; i++) {
    const HaulAdoption *adoption = &g_array_index(plan->adopted, HaulAdoption, i);
    adopted1[adoption->index1]++;
    adopted2[adoption->index2]++;
    right &= haul_key_equal(&g_array_index(scene->side1.keys, HaulKey, adoption->index1),
                            &g_array_index(scene->side2.keys, HaulKey, adoption->index2));
    right &= agree(g_array_index(scene->side1.items, HaulEntry, adoption->index1).size,
                   g_array_index(scene->side2.items, HaulEntry, adoption->index2).size);
  }
  uint64_t n_there = 0, n_gone = 0, n_given_up = 0;
  for (size_t i = 0; i < n1; i++) {
    HaulId id = g_array_index(scene->side1.items, HaulEntry, i).id;
    const HaulPair *pair = pair_of(scene, id);
    bool is_there = adopted1[i] > 0;
    if (pair != NULL) {
      bool gone = pair->id2 != 0 && index_of(scene->side2.items, pair->id2) < 0;
      right &= copied[i] == 0 && adopted1[i] <= (pair->id2 == 0);
      n_gone += gone;
      is_there |= !gone;
    } else if (is_given_up(scene, id)) {
      right &= copied[i] == 0 && adopted1[i] == 0;
      n_given_up++;
    } else
      right &= copied[i] + adopted1[i] == 1;
    n_there += is_there;
  }
  for (guint i = 0; i < scene->pairs->len; i++) {
    const HaulPair *pair = &g_array_index(scene->pairs, HaulPair, i);
    int index2 = index_of(scene->side2.items, pair->id2);
    if (index2 >= 0 && index_of(scene->side1.items, pair->id1) >= 0)
      adopted2[index2]++; /* taken */
  }
  for (size_t i = 0; i < n2; i++)
    right &= adopted2[i] <= 1;
  return right && n_there == plan->n_there && n_gone == plan->n_gone
         && n_given_up == plan->n_given_up;
}

static void
apply_flags(Scene *scene, const HaulAction *action)
{
  HaulEntry *copy = &g_array_index(scene->side2.items, HaulEntry,
                                   index_of(scene->side2.items, action->flags.id2));
  copy->flags = (copy->flags | action->flags.add) & ~action->flags.remove;
  copy->keywords = haul_keywords_minus(
      scene->keywords,
      haul_keywords_plus(scene->keywords, copy->keywords, action->flags.add_keywords),
      action->flags.remove_keywords);
}

static void
set_agreed(Scene *scene, HaulId id1, uint32_t flags, uint32_t keywords)
{
  HaulPair *pair = (HaulPair *)pair_of(scene, id1);
  CU_ASSERT_PTR_NOT_NULL_FATAL(pair);
  pair->flags = flags;
  pair->keywords = keywords;
}

static void
put_pair(Scene *scene, HaulPair pair)
{
  HaulPair *known = (HaulPair *)pair_of(scene, pair.id1);
  if (known != NULL)
    *known = pair;
  else
    g_array_append_val(scene->pairs, pair);
}

/* Does to the scene what a run does to both stores and the state. */
static void
apply(Scene *scene, const HaulMessagesPlan *plan)
{
  for (guint i = 0; i < plan->forgotten->len; i++) {
    const HaulPair *pair = pair_of(scene, g_array_index(plan->forgotten, HaulId, i));
    CU_ASSERT_PTR_NOT_NULL_FATAL(pair);
    g_array_remove_index(scene->pairs,
                         (guint)(pair - (const HaulPair *)(void *)scene->pairs->data));
  }
  for (guint i = 0; i < plan->adopted->len; i++) {
    const HaulAdoption *adoption = &g_array_index(plan->adopted, HaulAdoption, i);
    const HaulEntry *item1 = &g_array_index(scene->side1.items, HaulEntry, adoption->index1);
    const HaulEntry *item2 = &g_array_index(scene->side2.items, HaulEntry, adoption->index2);
    uint32_t only1 = haul_keywords_minus(scene->keywords, item1->keywords, item2->keywords);
    put_pair(scene, (HaulPair){ item1->id, item2->id, item1->flags & item2->flags,
                                haul_keywords_minus(scene->keywords, item1->keywords, only1) });
  }
  for (guint i = 0; i < plan->rebased->len; i++) {
    const HaulRebase *rebase = &g_array_index(plan->rebased, HaulRebase, i);
    set_agreed(scene, rebase->id1, rebase->flags, rebase->keywords);
  }
  g_autofree unsigned *copied = count_copies(scene, plan);
  for (guint i = 0; i < scene->side1.items->len; i++)
    if (copied[i] > 0) {
      HaulEntry copy = g_array_index(scene->side1.items, HaulEntry, i);
      HaulPair pair = { copy.id, 5000 + scene->side2.items->len, copy.flags, copy.keywords };
      copy.id = pair.id2;
      put_pair(scene, pair);
      g_array_append_val(scene->side2.items, copy);
      g_array_append_val(scene->side2.keys, g_array_index(scene->side1.keys, HaulKey, i));
    }
  for (guint i = 0; i < plan->actions->len; i++) {
    const HaulAction *action = &g_array_index(plan->actions, HaulAction, i);
    if (action->deed != HAUL_DO_FLAGS)
      continue;
    apply_flags(scene, action);
    set_agreed(scene, action->flags.id1, action->flags.flags, action->flags.keywords);
  }
}

#define N_SCENES 4000u

static void
every_source_message_ends_in_exactly_one_place(void)
{
  for (unsigned i = 1; i <= N_SCENES; i++) {
    uint32_t seed = i * 2654435761u;
    g_auto(Scene) scene;
    random_scene(&scene, &seed);
    HaulMessagesInput input = scene_input(&scene);
    HaulMessagesPlan plan;
    haul_plan_messages(&input, SCENE_FOLDER, &plan);
    bool right = adds_up(&scene, &plan);
    CU_ASSERT(right);
    if (!right)
      printf("scene %u\n", i);
    haul_messages_plan_clear(&plan);
  }
}

static void
after_a_plan_was_carried_out_there_is_nothing_to_do(void)
{
  for (unsigned i = 1; i <= N_SCENES; i++) {
    uint32_t seed = i * 2654435761u;
    g_auto(Scene) scene;
    random_scene(&scene, &seed);
    HaulMessagesInput input = scene_input(&scene);
    HaulMessagesPlan first, second;
    haul_plan_messages(&input, SCENE_FOLDER, &first);
    apply(&scene, &first);
    input = scene_input(&scene);
    haul_plan_messages(&input, SCENE_FOLDER, &second);
    bool right = second.actions->len == 0 && second.adopted->len == 0 && second.forgotten->len == 0
                 && second.n_given_up == first.n_given_up;
    CU_ASSERT(right);
    if (!right) {
      g_autofree char *text1 = scene_describe(&scene, &first),
                      *text2 = scene_describe(&scene, &second);
      printf("scene %u: %s, then %s\n", i, text1, text2);
    }
    haul_messages_plan_clear(&first);
    haul_messages_plan_clear(&second);
  }
}

static void
without_a_state_matching_finds_what_a_run_has_copied(void)
{
  for (unsigned i = 1; i <= N_SCENES; i++) {
    uint32_t seed = i * 2654435761u;
    g_auto(Scene) scene;
    random_scene(&scene, &seed);
    g_array_set_size(scene.side2.items, 0);
    g_array_set_size(scene.side2.keys, 0);
    g_array_set_size(scene.pairs, 0);
    g_array_set_size(scene.given_up, 0);
    size_t n_keyless = 0, n1 = scene.side1.items->len;
    for (size_t k = 0; k < n1; k++)
      n_keyless += g_array_index(scene.side1.keys, HaulKey, k).octets[15] == 0;
    HaulMessagesInput input = scene_input(&scene);
    HaulMessagesPlan plan;
    haul_plan_messages(&input, SCENE_FOLDER, &plan);
    apply(&scene, &plan);
    haul_messages_plan_clear(&plan);

    g_array_set_size(scene.pairs, 0);
    input = scene_input(&scene);
    haul_plan_messages(&input, SCENE_FOLDER, &plan);
    CU_ASSERT_EQUAL(plan.adopted->len, n1 - n_keyless);
    CU_ASSERT_EQUAL(plan.n_conflicts, 0);
    haul_messages_plan_clear(&plan);
  }
}

static void
a_folder_of_equal_messages_is_planned_in_good_time(void)
{
  /* The same report every minute for a year: quadratic work would outlast the test's patience. */
  g_auto(Scene) scene;
  scene_init(&scene);
  const unsigned n = 200000;
  for (unsigned i = 0; i < n; i++) {
    scene_add(&scene.side1, 1 + i, 'a', 1000 + i % 7);
    if (i % 2 == 0)
      scene_add(&scene.side2, 1 + i, 'a', 1010 + i % 5);
  }
  HaulMessagesInput input = scene_input(&scene);
  HaulMessagesPlan plan;
  haul_plan_messages(&input, SCENE_FOLDER, &plan);
  CU_ASSERT_EQUAL(plan.adopted->len, n / 2);
  CU_ASSERT_EQUAL(plan.n_there, n / 2);
  haul_messages_plan_clear(&plan);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(every_source_message_ends_in_exactly_one_place),
    CASE(after_a_plan_was_carried_out_there_is_nothing_to_do),
    CASE(without_a_state_matching_finds_what_a_run_has_copied),
    CASE(a_folder_of_equal_messages_is_planned_in_good_time),
  };
  return RUN_SUITE("plan: properties", cases);
}
