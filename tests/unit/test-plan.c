/* Tests what plan.c does with messages: who is paired, who is copied. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "scene.h"

typedef struct {
  const char *items1, *items2, *pairs, *expected;
} Row;

static void
check_rows(const Row *rows, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    g_auto(Scene) scene;
    scene_init(&scene);
    scene_read_items(&scene.side1, rows[i].items1);
    scene_read_items(&scene.side2, rows[i].items2);
    scene_read_pairs(&scene, rows[i].pairs);
    HaulMessagesInput input = scene_input(&scene);
    HaulMessagesPlan plan;
    haul_plan_messages(&input, SCENE_FOLDER, &plan);
    g_autofree char *text = scene_describe(&scene, &plan);
    haul_messages_plan_clear(&plan);
    bool right = strcmp(text, rows[i].expected) == 0;
    CU_ASSERT(right);
    if (!right)
      printf("[%s] [%s] [%s]\n  gives [%s]\n  not   [%s]\n", rows[i].items1, rows[i].items2,
             rows[i].pairs, text, rows[i].expected);
  }
}

#define CHECK_ROWS(rows) check_rows(rows, G_N_ELEMENTS(rows))

static void
what_the_state_pairs_is_left_alone(void)
{
  static const Row rows[] = {
    { "", "", "", "" },
    { "1a 2b 3c", "11a 12b 13c", "1=11 2=12 3=13", "there:3" },
    { "1a 2b 3c", "11a 12b 13c", "3=13 1=11 2=12", "there:3" },
    /* Ids decide, whatever the keys say. */
    { "1a 2b", "11b 12a", "1=11 2=12", "there:2" },
    { "1a 2b", "11a 12b", "1=12 2=11", "there:2" },
    /* What the destination has besides is not ours. */
    { "1a", "11a 12z 13z", "1=11", "there:1" },
    { "1a", "11a 12a 13a", "1=11", "there:1" },
    /* Orders of listing that are none. */
    { "3c 1a 2b", "13c 11a 12b", "1=11 2=12 3=13", "there:3" },
  };
  CHECK_ROWS(rows);
}

static void
a_copy_that_was_removed_is_not_brought_back(void)
{
  static const Row rows[] = {
    { "1a 2b", "11a", "1=11 2=12", "there:1 gone:1" },
    { "1a 2b", "", "1=11 2=12", "gone:2" },
    /* Not even where another message has its key, for that one is another's. */
    { "1a 2a", "12a", "1=11 2=12", "there:1 gone:1" },
    { "1a", "19a", "1=11", "gone:1" },
  };
  CHECK_ROWS(rows);
}

static void
the_copy_of_what_we_removed_is_not_taken_for_anothers(void)
{
  static const Row rows[] = {
    { "2b", "11a 12b", "1=11- 2=12", "departed 1 there:1" },
    { "2b", "11a 12b", "1=11! 2=12", "there:1" },
    /* What comes with its key is another message. */
    { "3a", "11a", "1=11-", "copy 3..3 (1) departed 1" },
    { "3a", "11a", "1=11!", "copy 3..3 (1)" },
    { "3a", "11a", "1=11", "adopt 3=11 forget 1 there:1" },
    /* It is still there. */
    { "1a", "11a", "1=11-", "there:1" },
    /* That very id comes back: as the message that it was, or as another. */
    { "1a", "11a", "1=11!", "adopt 1=11 there:1" },
    { "1b", "11a", "1=11!", "copy 1..1 (1)" },
    /* Without a copy there is nothing to remember. */
    { "", "12b", "1=11- 2=12!", "forget 1" },
    { "", "", "1=11! 2=?-", "forget 1 forget 2" },
  };
  CHECK_ROWS(rows);
}

static void
a_pair_ends_with_its_source(void)
{
  static const Row rows[] = {
    { "", "11a", "1=11", "forget 1" },
    { "2b", "11a 12b", "1=11 2=12", "forget 1 there:1" },
    { "", "", "1=11", "forget 1" },
    { "", "11a", "1=?", "forget 1" },
  };
  CHECK_ROWS(rows);
}

static void
new_messages_are_copied_in_runs_of_neighbours(void)
{
  static const Row rows[] = {
    { "1a", "", "", "copy 1..1 (1)" },
    { "1a 2b 3c", "", "", "copy 1..3 (3)" },
    { "1a 5b 9c", "", "", "copy 1..9 (3)" }, /* neighbours in the listing, not in number */
    { "1a 2b 3c 4d", "12b", "2=12", "copy 1..1 (1) copy 3..4 (2) there:1" },
    { "1a 2b 3c 4d", "11a 14d", "1=11 4=14", "copy 2..3 (2) there:2" },
    { "1a 2b 3c", "", "2=12", "copy 1..1 (1) copy 3..3 (1) gone:1" },
    { "9a 3b 5c", "", "", "copy 9..5 (3)" }, /* the store's order, whatever it is */
  };
  CHECK_ROWS(rows);
}

static void
a_run_counts_its_octets_unless_one_is_not_known(void)
{
  g_auto(Scene) scene;
  scene_init(&scene);
  scene_read_items(&scene.side1, "1a@10 2b@20 3c 4d@5 5e@? 6f@7");
  scene_read_items(&scene.side2, "13c");
  scene_read_pairs(&scene, "3=13");
  HaulMessagesInput input = scene_input(&scene);
  HaulMessagesPlan plan;
  haul_plan_messages(&input, 0, &plan);
  CU_ASSERT_EQUAL_FATAL(plan.actions->len, 2);
  CU_ASSERT_EQUAL(g_array_index(plan.actions, HaulAction, 0).copy.octets, 30);
  CU_ASSERT_EQUAL(g_array_index(plan.actions, HaulAction, 1).copy.octets, HAUL_UNKNOWN);
  haul_messages_plan_clear(&plan);
}

static void
the_nth_message_with_a_key_is_paired_with_the_nth(void)
{
  static const Row rows[] = {
    { "1a 2b", "11b 12a", "", "adopt 1=12 adopt 2=11 there:2" },
    { "1a 2a 3a", "11a 12a 13a", "", "adopt 1=11 adopt 2=12 adopt 3=13 there:3" },
    { "1a 2a 3a", "11a", "", "copy 2..3 (2) adopt 1=11 there:1" },
    { "1a 2a 3a", "11a 12a", "", "copy 3..3 (1) adopt 1=11 adopt 2=12 there:2" },
    { "1a", "11a 12a 13a", "", "adopt 1=11 there:1" },
    { "1a 2a", "11a 12a", "1=11", "adopt 2=12 there:2" },
    { "1a 2a", "11a", "1=11", "copy 2..2 (1) there:1" },
    { "1a 2a 3a", "11a 12a", "2=12", "copy 3..3 (1) adopt 1=11 there:2" },
  };
  CHECK_ROWS(rows);
}

static void
equal_sizes_are_paired_first(void)
{
  static const Row rows[] = {
    { "1a@100 2a@200", "11a@200", "", "copy 1..1 (1) adopt 2=11 there:1" },
    { "1a@100 2a@200", "11a@200 12a@100", "", "adopt 1=12 adopt 2=11 there:2" },
    /* What is left goes smallest to smallest. */
    { "1a@100 2a@200 3a@300", "11a@200 12a@310 13a@110", "",
      "adopt 1=13 adopt 2=11 adopt 3=12 there:3" },
    { "1a@? 2a@200", "11a@200 12a@900", "", "adopt 1=12 adopt 2=11 there:2" },
    { "1a@?", "11a@90000", "", "adopt 1=11 there:1" },
    { "1a@100", "11a@?", "", "adopt 1=11 there:1" },
    { "1a@?", "11a@?", "", "adopt 1=11 there:1" },
  };
  CHECK_ROWS(rows);
}

static void
equal_keys_with_evidently_different_sizes_are_two_messages(void)
{
  static const Row rows[] = {
    { "1a@100", "11a@90000", "", "copy 1..1 (1) conflicts:1" },
    { "1a@90000", "11a@100", "", "copy 1..1 (1) conflicts:1" },
    /* Header fields that a server adds are not evidence. */
    { "1a@100", "11a@2148", "", "adopt 1=11 there:1" },
    { "1a@100", "11a@2161", "", "copy 1..1 (1) conflicts:1" },
    { "1a@80000", "11a@91000", "", "adopt 1=11 there:1" },
    { "1a@80000", "11a@93000", "", "copy 1..1 (1) conflicts:1" },
    /* The right one is found among others. */
    { "1a@100 2a@50000", "11a@50100", "", "copy 1..1 (1) adopt 2=11 there:1" },
    { "1a@50000", "11a@100 12a@50100", "", "adopt 1=12 there:1" },
    { "1a@100 2a@50000 3a@900000", "11a@50001 12a@10", "",
      "copy 3..3 (1) adopt 1=12 adopt 2=11 there:2" },
    { "1a@90000 2a@91000", "11a@100 12a@200", "", "copy 1..2 (2) conflicts:2" },
    { "1a@90000 2a@91000 3a@92000", "11a@100", "", "copy 1..3 (3) conflicts:1" },
    /* One more of the same is no conflict. */
    { "1a 2a", "11a", "", "copy 2..2 (1) adopt 1=11 there:1" },
    { "1a", "11b@90000", "", "copy 1..1 (1)" },
  };
  CHECK_ROWS(rows);
}

static void
known_contents_tell_apart_what_keys_do_not(void)
{
  static const Row rows[] = {
    { "1a#x", "11a#x", "", "adopt 1=11 there:1" },
    { "1a#x 2a#y", "11a#y", "", "copy 1..1 (1) adopt 2=11 there:1" },
    { "1a#x 2a#y 3a#x", "11a#x 12a#x", "", "copy 2..2 (1) adopt 1=11 adopt 3=12 there:2" },
    { "1a@500#x", "11a@900#x", "", "adopt 1=11 there:1" }, /* the header grew */
    { "1a#x", "11a#y", "", "copy 1..1 (1) conflicts:1" },
    /* Another size: a server may have altered the body, but for one that is known not to. */
    { "1a@500#x", "11a@510#y", "", "adopt 1=11 there:1" },
    { "1a@500#x 2b#z", "11a@510#y 12b#z", "", "copy 1..1 (1) adopt 2=12 there:1 conflicts:1" },
    /* Where no size is known, contents alone decide. */
    { "1a@?#x", "11a@510#y", "", "copy 1..1 (1) conflicts:1" },
    { "1a@500#x", "11a@?#y", "", "copy 1..1 (1) conflicts:1" },
    { "1a@?#x", "11a@510#x", "", "adopt 1=11 there:1" },
    { "1a@?#x", "11a@510", "", "adopt 1=11 there:1" },
    /* A delivery without an id takes its own. */
    { "1a#x 2a#y", "11a#y", "1=?", "adopt 2=11 there:2" },
    { "1a#x 2a#y", "11a#y 12a#x", "1=?", "adopt 1=12 adopt 2=11 there:2" },
  };
  CHECK_ROWS(rows);
}

static void
a_message_without_a_key_matches_nothing(void)
{
  static const Row rows[] = {
    { "1-", "11-", "", "copy 1..1 (1)" },
    { "1- 2a 3-", "11a 12-", "", "copy 1..1 (1) copy 3..3 (1) adopt 2=11 there:1" },
    { "1-", "11-", "1=11", "there:1" },
  };
  CHECK_ROWS(rows);

  /* Nobody asked for keys: state alone decides. */
  g_auto(Scene) scene;
  scene_init(&scene);
  scene_read_items(&scene.side1, "1a 2b");
  scene_read_items(&scene.side2, "11a 12b");
  scene_read_pairs(&scene, "1=11");
  HaulMessagesInput input = scene_input(&scene);
  input.keys1 = input.keys2 = NULL;
  HaulMessagesPlan plan;
  haul_plan_messages(&input, SCENE_FOLDER, &plan);
  g_autofree char *text = scene_describe(&scene, &plan);
  CU_ASSERT_STRING_EQUAL(text, "copy 2..2 (1) there:1");
  haul_messages_plan_clear(&plan);
}

static void
a_delivery_without_an_id_claims_its_copy_before_others_do(void)
{
  static const Row rows[] = {
    { "1a", "", "1=?", "there:1" }, /* acknowledged: not sent again */
    { "1-", "11-", "1=?", "there:1" },
    { "1a", "11a", "1=?", "adopt 1=11 there:1" },
    { "1a 2a", "11a", "1=?", "copy 2..2 (1) adopt 1=11 there:1" },
    { "1a 2a", "11a", "2=?", "copy 1..1 (1) adopt 2=11 there:1" },
    { "1a 2a 3a", "11a 12a", "2=? 3=?", "copy 1..1 (1) adopt 2=11 adopt 3=12 there:2" },
    /* The server added to what it stored; a new message happens to fit better. */
    { "1a@1000 2a@900", "11a@1050", "1=?", "copy 2..2 (1) adopt 1=11 there:1" },
    { "1a@1000 2a@1050", "11a@1050", "1=?", "copy 2..2 (1) adopt 1=11 there:1" },
    { "1a@1000 2a@1050", "11a@1050 12a@1100", "1=?", "adopt 1=11 adopt 2=12 there:2" },
  };
  CHECK_ROWS(rows);
}

static void
a_message_that_comes_back_under_a_new_id_finds_its_copy(void)
{
  /* Moved away and back: the state ends the old pair, and an undisturbed run must decide as one does
   * that finds it ended already. */
  static const Row rows[] = {
    { "9a", "11a", "1=11", "adopt 9=11 forget 1 there:1" },
    { "9a", "11a", "", "adopt 9=11 there:1" },
    { "9a 10a", "11a", "1=11", "copy 10..10 (1) adopt 9=11 forget 1 there:1" },
  };
  CHECK_ROWS(rows);
}

static void
what_was_given_up_is_not_tried_again_in_this_run(void)
{
  static const struct {
    const char *items1, *items2, *pairs;
    HaulId given_up[3];
    const char *expected;
  } table[] = {
    { "1a 2b 3c", "", "", { 2 }, "copy 1..1 (1) copy 3..3 (1) given-up:1" },
    { "1a 2b", "", "", { 1, 2 }, "given-up:2" },
    { "1a 2b", "", "", { 7 }, "copy 1..2 (2)" },
    { "1a", "", "", { 1, 1 }, "given-up:1" },
    { "1a", "11a", "1=11", { 1 }, "there:1" }, /* it is there, whatever was said of it */
    { "1a", "11a", "", { 1 }, "given-up:1" },
    { "1a 2a", "11a", "", { 1 }, "adopt 2=11 there:1 given-up:1" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Scene) scene;
    scene_init(&scene);
    scene_read_items(&scene.side1, table[i].items1);
    scene_read_items(&scene.side2, table[i].items2);
    scene_read_pairs(&scene, table[i].pairs);
    for (size_t k = 0; k < G_N_ELEMENTS(table[i].given_up) && table[i].given_up[k] != 0; k++)
      g_array_append_val(scene.given_up, table[i].given_up[k]);
    HaulMessagesInput input = scene_input(&scene);
    HaulMessagesPlan plan;
    haul_plan_messages(&input, SCENE_FOLDER, &plan);
    g_autofree char *text = scene_describe(&scene, &plan);
    haul_messages_plan_clear(&plan);
    CU_ASSERT_STRING_EQUAL(text, table[i].expected);
    if (strcmp(text, table[i].expected) != 0)
      printf("row %zu: %s\n", i, text);
  }
}

static void
wanted_for_matching_is_what_no_pair_covers(void)
{
  static const struct {
    const char *items1, *items2, *pairs;
    bool both;
    guint n1, n2;
  } table[] = {
    { "1a 2b", "11a 12b", "1=11 2=12", false, 0, 0 },
    { "1a 2b", "11a 12b", "1=11", true, 1, 1 },
    { "1a 2b", "11a", "1=11", false, 1, 0 },
    { "1a", "11a 12b", "1=11", false, 0, 1 },
    { "1a", "11a", "1=?", true, 1, 1 },
    { "1a", "11a", "1=12", false, 0, 1 }, /* its copy was removed */
    { "9a", "11a", "1=11", true, 1, 1 },  /* the pair ends here */
    { "", "", "", false, 0, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Scene) scene;
    scene_init(&scene);
    scene_read_items(&scene.side1, table[i].items1);
    scene_read_items(&scene.side2, table[i].items2);
    scene_read_pairs(&scene, table[i].pairs);
    HaulMessagesInput input = scene_input(&scene);
    g_autoptr(GArray) wanted1 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) wanted2 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    bool both = haul_plan_unpaired(&input, wanted1, wanted2);
    CU_ASSERT_EQUAL(both, table[i].both);
    CU_ASSERT_EQUAL(wanted1->len, table[i].n1);
    CU_ASSERT_EQUAL(wanted2->len, table[i].n2);
    if (both != table[i].both || wanted1->len != table[i].n1 || wanted2->len != table[i].n2)
      printf("row %zu: %d %u %u\n", i, both, wanted1->len, wanted2->len);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_the_state_pairs_is_left_alone),
    CASE(a_copy_that_was_removed_is_not_brought_back),
    CASE(the_copy_of_what_we_removed_is_not_taken_for_anothers),
    CASE(a_pair_ends_with_its_source),
    CASE(new_messages_are_copied_in_runs_of_neighbours),
    CASE(a_run_counts_its_octets_unless_one_is_not_known),
    CASE(the_nth_message_with_a_key_is_paired_with_the_nth),
    CASE(equal_sizes_are_paired_first),
    CASE(equal_keys_with_evidently_different_sizes_are_two_messages),
    CASE(known_contents_tell_apart_what_keys_do_not),
    CASE(a_message_without_a_key_matches_nothing),
    CASE(a_delivery_without_an_id_claims_its_copy_before_others_do),
    CASE(a_message_that_comes_back_under_a_new_id_finds_its_copy),
    CASE(what_was_given_up_is_not_tried_again_in_this_run),
    CASE(wanted_for_matching_is_what_no_pair_covers),
  };
  return RUN_SUITE("plan", cases);
}
