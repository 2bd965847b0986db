/* Tests what plan.c does with flags and keywords: every cell of the three-way merge. */
#include "suite.h"

#include <string.h>

#include <mailhaul/plugin.h>

#include "scene.h"

/* What the copy shall have, for (base, source, destination) counted as a binary number. */
static const char *const merged[] = {
  [HAUL_FLAGS_MERGE] = "01110001",
  [HAUL_FLAGS_SOURCE] = "00110011",
  [HAUL_FLAGS_ADD] = "01110111",
  [HAUL_FLAGS_NONE] = "01010101",
};
/* The same where nobody knows the base, for (source, destination). */
static const char *const united[] = {
  [HAUL_FLAGS_MERGE] = "0111",
  [HAUL_FLAGS_SOURCE] = "0011",
  [HAUL_FLAGS_ADD] = "0111",
  [HAUL_FLAGS_NONE] = "0101",
};
#define N_MODES G_N_ELEMENTS(merged)

/* Plans one message on both sides; the state knows of it, with @base, or matching finds it (-1). */
static void
plan_one(Scene *scene, HaulEntry item1, HaulEntry item2, const HaulPair *pair,
         HaulMessagesPlan *plan)
{
  item1.id = 1;
  item2.id = 11;
  HaulKey key = { { 1 } };
  HaulMessagesInput input = {
    .items1 = &item1,
    .items2 = &item2,
    .n1 = 1,
    .n2 = 1,
    .keys1 = &key,
    .keys2 = &key,
    .pairs = pair,
    .n_pairs = pair != NULL,
    .flags_mode = scene->mode,
    .keywords = scene->keywords,
  };
  haul_plan_messages(&input, SCENE_FOLDER, plan);
}

static bool
flag_bit(unsigned cell, unsigned bit)
{
  return cell >> bit & 1;
}

static void
flags_are_merged_as_the_mode_says(void)
{
  /* Two flags at once, each in a cell of its own, so that none leans on another. */
  for (unsigned mode = 0; mode < N_MODES; mode++)
    for (unsigned cell = 0; cell < 64; cell++) {
      unsigned seen = cell & 7, draft = cell >> 3;
      g_auto(Scene) scene;
      scene_init(&scene);
      scene.mode = (HaulFlagsMode)mode;
      uint32_t base = flag_bit(seen, 2) * HAUL_SEEN | flag_bit(draft, 2) * HAUL_DRAFT;
      uint32_t source = flag_bit(seen, 1) * HAUL_SEEN | flag_bit(draft, 1) * HAUL_DRAFT;
      uint32_t copy = flag_bit(seen, 0) * HAUL_SEEN | flag_bit(draft, 0) * HAUL_DRAFT;
      uint32_t expected = (uint32_t)(merged[mode][seen] - '0') * HAUL_SEEN
                          | (uint32_t)(merged[mode][draft] - '0') * HAUL_DRAFT;
      /* What the mode does not carry over stays open, for a run in another mode. */
      uint32_t agreed = mode == HAUL_FLAGS_NONE  ? base
                        : mode == HAUL_FLAGS_ADD ? base | source
                                                 : source;
      HaulPair pair = { 1, 11, base, 0 };
      HaulMessagesPlan plan;
      plan_one(&scene, (HaulEntry){ .flags = source }, (HaulEntry){ .flags = copy }, &pair, &plan);
      CU_ASSERT_EQUAL(plan.actions->len, expected != copy);
      if (plan.actions->len == 1) {
        const HaulAction *action = &g_array_index(plan.actions, HaulAction, 0);
        CU_ASSERT_EQUAL(action->deed, HAUL_DO_FLAGS);
        CU_ASSERT_EQUAL(action->flags.id1, 1);
        CU_ASSERT_EQUAL(action->flags.id2, 11);
        CU_ASSERT_EQUAL(action->flags.add, expected & ~copy);
        CU_ASSERT_EQUAL(action->flags.remove, copy & ~expected);
        CU_ASSERT_EQUAL(action->flags.flags, agreed);
        CU_ASSERT_EQUAL(plan.rebased->len, 0);
      } else
        CU_ASSERT_EQUAL(plan.rebased->len, base != agreed); /* agreed, with nothing to do */
      CU_ASSERT_EQUAL(plan.n_there, 1);
      haul_messages_plan_clear(&plan);
    }
}

static void
adopting_takes_no_flag_away_unless_the_source_rules(void)
{
  for (unsigned mode = 0; mode < N_MODES; mode++)
    for (unsigned cell = 0; cell < 4; cell++) {
      g_auto(Scene) scene;
      scene_init(&scene);
      scene.mode = (HaulFlagsMode)mode;
      uint32_t source = flag_bit(cell, 1) * HAUL_FLAGGED, copy = flag_bit(cell, 0) * HAUL_FLAGGED;
      uint32_t expected = (uint32_t)(united[mode][cell] - '0') * HAUL_FLAGGED;
      HaulMessagesPlan plan;
      plan_one(&scene, (HaulEntry){ .flags = source }, (HaulEntry){ .flags = copy }, NULL, &plan);
      CU_ASSERT_EQUAL(plan.adopted->len, 1);
      CU_ASSERT_EQUAL(plan.actions->len, expected != copy);
      if (plan.actions->len == 1) {
        const HaulAction *action = &g_array_index(plan.actions, HaulAction, 0);
        CU_ASSERT_EQUAL(action->flags.add, expected & ~copy);
        CU_ASSERT_EQUAL(action->flags.remove, copy & ~expected);
      }
      haul_messages_plan_clear(&plan);
    }
}

static uint32_t
words(HaulKeywords *keywords, bool has, const char *also)
{
  g_autofree char *text = g_strconcat(has ? "$Label " : "", also, NULL);
  return haul_keywords_parse(keywords, g_strchomp(text));
}

static void
keywords_are_merged_like_flags(void)
{
  for (unsigned mode = 0; mode < N_MODES; mode++)
    for (unsigned cell = 0; cell < 8; cell++) {
      g_auto(Scene) scene;
      scene_init(&scene);
      scene.mode = (HaulFlagsMode)mode;
      HaulKeywords *keywords = scene.keywords;
      uint32_t base = words(keywords, flag_bit(cell, 2), "kept");
      uint32_t source = words(keywords, flag_bit(cell, 1), "KEPT");
      uint32_t copy = words(keywords, flag_bit(cell, 0), "Kept");
      uint32_t agreed = mode == HAUL_FLAGS_NONE  ? base
                        : mode == HAUL_FLAGS_ADD ? haul_keywords_plus(keywords, base, source)
                                                 : source;
      bool expected = merged[mode][cell] == '1', has = flag_bit(cell, 0);
      HaulPair pair = { 1, 11, HAUL_SEEN, base };
      HaulMessagesPlan plan;
      plan_one(&scene, (HaulEntry){ .flags = HAUL_SEEN, .keywords = source },
               (HaulEntry){ .flags = HAUL_SEEN, .keywords = copy }, &pair, &plan);
      CU_ASSERT_EQUAL(plan.actions->len, expected != has);
      if (plan.actions->len == 1) {
        uint32_t label = haul_keywords_parse(keywords, "$label");
        const HaulAction *action = &g_array_index(plan.actions, HaulAction, 0);
        CU_ASSERT_EQUAL(action->flags.add, 0);
        CU_ASSERT_EQUAL(action->flags.remove, 0);
        CU_ASSERT_EQUAL(action->flags.add_keywords, expected ? label : 0);
        CU_ASSERT_EQUAL(action->flags.remove_keywords, expected ? 0 : label);
        CU_ASSERT_EQUAL(action->flags.keywords, source);
      } else
        CU_ASSERT_EQUAL(plan.rebased->len, base != agreed);
      haul_messages_plan_clear(&plan);
    }
}

static void
changes_of_flags_come_after_copies_in_the_order_of_the_state(void)
{
  g_auto(Scene) scene;
  scene_init(&scene);
  scene_read_items(&scene.side1, "1a 2b 3c");
  scene_read_items(&scene.side2, "11a 13c");
  scene_read_pairs(&scene, "1=11 3=13");
  g_array_index(scene.side1.items, HaulEntry, 0).flags = HAUL_SEEN;
  g_array_index(scene.side1.items, HaulEntry, 2).flags = HAUL_SEEN;
  HaulMessagesInput input = scene_input(&scene);
  HaulMessagesPlan plan;
  haul_plan_messages(&input, SCENE_FOLDER, &plan);
  g_autofree char *text = scene_describe(&scene, &plan);
  CU_ASSERT_STRING_EQUAL(text, "copy 2..2 (1) flags 1=11 flags 3=13 there:2");
  haul_messages_plan_clear(&plan);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(flags_are_merged_as_the_mode_says),
    CASE(adopting_takes_no_flag_away_unless_the_source_rules),
    CASE(keywords_are_merged_like_flags),
    CASE(changes_of_flags_come_after_copies_in_the_order_of_the_state),
  };
  return RUN_SUITE("plan: flags", cases);
}
