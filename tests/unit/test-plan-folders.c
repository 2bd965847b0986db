/*
 * Tests the folder planner of plan.c. Folders are written as text:
 *
 *   "TOKEN EPOCH MESSAGES"                    what a side tells; "-": no token, "?": not known
 *   "TOKEN1 TOKEN2 EPOCH1 EPOCH2 PAIRS ..."   what the state knows; "!" for open intents
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mailhaul/plugin.h>

#include "plan.h"

static const char *
token(const char *word)
{
  return strcmp(word, "-") == 0 ? NULL : word;
}

static uint64_t
number(const char *word)
{
  return strcmp(word, "?") == 0 ? HAUL_UNKNOWN : strtoull(word, NULL, 10);
}

/* Reads a folder; its token is lent by @words. */
static HaulPlanFolder
read_folder(char **words)
{
  return (HaulPlanFolder){
    .path = "A/b",
    .token = token(words[0]),
    .epoch = number(words[1]),
    .n_messages = number(words[2]),
  };
}

static HaulPlanKnown
read_known(char **words)
{
  return (HaulPlanKnown){
    .path1 = "A/b",
    .path2 = "A/b",
    .token1 = token(words[0]),
    .token2 = token(words[1]),
    .epoch1 = number(words[2]),
    .epoch2 = number(words[3]),
    .n_pairs = number(words[4]),
    .has_intents = words[5] != NULL,
  };
}

static char *
describe(const HaulFolderPlan *plan)
{
  static const char *const looks[] = {
    [HAUL_LOOK_NONE] = "none", [HAUL_LOOK_NOTHING] = "nothing", [HAUL_LOOK_STREAM] = "stream",
    [HAUL_LOOK_LIST] = "list", [HAUL_LOOK_MATCH] = "match",
  };
  return g_strconcat(looks[plan->look], plan->create ? " create" : "",
                     plan->keep_pairs1 ? " keep1" : "", plan->keep_pairs2 ? " keep2" : "", NULL);
}

static void
a_folder_is_looked_at_as_little_as_its_state_allows(void)
{
  static const struct {
    const char *source, *copy, *known, *expected;
  } table[] = {
    /* First contact. */
    { "a 7 3", NULL, NULL, "stream create" },
    { "a 7 3", "b 8 0", NULL, "stream" },
    { "a 7 3", "b 8 1", NULL, "match" },
    { "a 7 3", "- 8 ?", NULL, "match" },
    { "a 7 0", NULL, NULL, "nothing create" },
    { "a 7 0", "b 8 5", NULL, "nothing" },
    { "a 7 ?", NULL, NULL, "stream create" },
    /* Nothing changed; this changed, or that; it was not complete then; who knows. */
    { "a 7 3", "b 8 3", "a b 7 8 3", "none keep1 keep2" },
    { "A 7 3", "b 8 3", "a b 7 8 3", "list keep1 keep2" },
    { "a 7 3", "B 8 3", "a b 7 8 3", "list keep1 keep2" },
    { "a 7 3", "b 8 3", "- - 7 8 3", "list keep1 keep2" },
    { "- 7 3", "- 8 3", "- - 7 8 3", "list keep1 keep2" },
    { "a 7 3", "- 8 3", "a - 7 8 3", "list keep1 keep2" },
    /* Deliveries whose end nobody knows. */
    { "a 7 3", "b 8 3", "a b 7 8 3 !", "list keep1 keep2" },
    { "a 7 3", "b 8 0", "- - 7 8 0 !", "list keep1 keep2" },
    { "a 7 0", "b 8 1", "- - 7 8 0 !", "list keep1 keep2" },
    { "a 7 3", "b 8 1", "- - 7 0 0 !", "list keep1" }, /* for a folder made in that run */
    { "a 7 3", NULL, "- - 7 0 0 !", "list create keep1" },
    /* Replaced or removed. */
    { "a 9 3", "b 8 3", "a b 7 8 3", "match keep2" },
    { "a 7 3", "b 9 3", "a b 7 8 3", "match keep1" },
    { "a 7 3", "b 9 0", "a b 7 8 3", "stream keep1" },
    { "a 7 3", NULL, "a b 7 8 3", "stream create keep1" },
    { "a 0 3", "b 0 3", "a b 0 0 3", "match" },
    /* Emptied; known as empty. */
    { "x 7 0", "y 8 0", "a b 7 8 3", "list keep1 keep2" },
    { "a 7 0", "b 8 0", "a b 7 8 0", "none keep1 keep2" },
    { "x 7 2", "b 8 0", "a b 7 8 0", "stream keep1 keep2" },
    { "x 7 2", "y 8 2", "a b 7 8 0", "match keep1 keep2" },
    { "x 7 0", "y 8 2", "a b 7 8 0", "nothing keep1 keep2" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    bool there = table[i].copy != NULL, known = table[i].known != NULL;
    g_auto(GStrv) words1 = g_strsplit(table[i].source, " ", -1);
    g_auto(GStrv) words2 = g_strsplit(there ? table[i].copy : "- 0 0", " ", -1);
    g_auto(GStrv) words = g_strsplit(known ? table[i].known : "- - 0 0 0", " ", -1);
    HaulPlanFolder folder1 = read_folder(words1), folder2 = read_folder(words2);
    HaulPlanKnown state = read_known(words);
    HaulFoldersInput input = { &folder1, &folder2, 1, there, &state, known };
    g_autoptr(GArray) plans = haul_plan_folders(&input);
    CU_ASSERT_EQUAL_FATAL(plans->len, 1);
    const HaulFolderPlan *plan = &g_array_index(plans, HaulFolderPlan, 0);
    g_autofree char *text = describe(plan);
    CU_ASSERT_STRING_EQUAL(text, table[i].expected);
    if (strcmp(text, table[i].expected) != 0)
      printf("row %zu: %s, not %s\n", i, text, table[i].expected);
    CU_ASSERT_PTR_EQUAL(plan->folder1, &folder1);
    CU_ASSERT_PTR_EQUAL(plan->folder2, there ? &folder2 : NULL);
    CU_ASSERT_PTR_EQUAL(plan->known, known ? &state : NULL);
    CU_ASSERT_STRING_EQUAL(plan->path2, "A/b");
    CU_ASSERT_PTR_NOT_NULL(plan->rule);
  }
}

static void
where_messages_are_in_several_folders_nothing_streams_unlisted(void)
{
  HaulPlanFolder folder1 = { .path = "a", .token = "t", .epoch = 7, .n_messages = 1 };
  HaulPlanFolder folder2 = { .path = "a", .token = "u", .epoch = 8 };
  HaulFoldersInput input = { &folder1, &folder2, 1, 1, NULL, 0, .lists_all = true };
  g_autoptr(GArray) plans = haul_plan_folders(&input);
  CU_ASSERT_EQUAL(g_array_index(plans, HaulFolderPlan, 0).look, HAUL_LOOK_LIST);
}

static void
a_folder_that_shows_a_part_is_always_listed(void)
{
  HaulPlanFolder folder1 = {
    .path = "a", .token = "t", .epoch = 7, .n_messages = 1, .attributes = HAUL_FOLDER_BATCHES
  };
  HaulPlanFolder folder2 = { .path = "a", .token = "u", .epoch = 8 };
  HaulPlanKnown known = {
    .path1 = "a", .path2 = "a", .token1 = "t", .token2 = "u", .epoch1 = 7, .epoch2 = 8, .n_pairs = 3
  };
  for (size_t n_known = 0; n_known < 2; n_known++) {
    HaulFoldersInput input = { &folder1, &folder2, 1, 1, &known, n_known };
    g_autoptr(GArray) plans = haul_plan_folders(&input);
    CU_ASSERT_EQUAL(g_array_index(plans, HaulFolderPlan, 0).look, HAUL_LOOK_LIST);
  }
}

static void
folders_that_hold_no_mail_are_not_planned(void)
{
  HaulPlanFolder folders1[] = {
    { .path = "lists", .attributes = HAUL_FOLDER_NOSELECT },
    { .path = "lists/a", .n_messages = 1 },
    { .path = "lists/b", .n_messages = 1 },
  };
  /* The destination cannot open b either: it has to be made. */
  HaulPlanFolder folders2[] = {
    { .path = "lists/a", .n_messages = 0 },
    { .path = "lists/b", .attributes = HAUL_FOLDER_NOSELECT },
    { .path = "other", .n_messages = 5 },
  };
  HaulFoldersInput input = { folders1, folders2, 3, 3, NULL, 0 };
  g_autoptr(GArray) plans = haul_plan_folders(&input);
  CU_ASSERT_EQUAL_FATAL(plans->len, 2);
  const HaulFolderPlan *a = &g_array_index(plans, HaulFolderPlan, 0);
  const HaulFolderPlan *b = &g_array_index(plans, HaulFolderPlan, 1);
  CU_ASSERT_STRING_EQUAL(a->folder1->path, "lists/a");
  CU_ASSERT(!a->create && a->folder2 == &folders2[0]);
  CU_ASSERT_STRING_EQUAL(b->folder1->path, "lists/b");
  CU_ASSERT(b->create && b->folder2 == NULL);
}

static void
a_state_that_mapped_a_folder_elsewhere_says_nothing_of_it(void)
{
  HaulPlanFolder folder1 = { .path = "a", .token = "t", .epoch = 7, .n_messages = 1 };
  HaulPlanFolder folder2 = { .path = "a", .token = "u", .epoch = 8, .n_messages = 1 };
  HaulPlanKnown known = {
    .path1 = "a", .path2 = "b", .token1 = "t", .token2 = "u", .epoch1 = 7, .epoch2 = 8, .n_pairs = 1
  };
  HaulFoldersInput input = { &folder1, &folder2, 1, 1, &known, 1 };
  g_autoptr(GArray) plans = haul_plan_folders(&input);
  CU_ASSERT_EQUAL_FATAL(plans->len, 1);
  CU_ASSERT_EQUAL(g_array_index(plans, HaulFolderPlan, 0).look, HAUL_LOOK_MATCH);
  CU_ASSERT_PTR_NULL(g_array_index(plans, HaulFolderPlan, 0).known);
}

/* "ab", which the state knows as another at the destination, and which is "AB" there. */
static void
a_folder_that_is_spelt_otherwise_now_keeps_its_state(void)
{
  static const struct {
    const char *old;
    uint64_t known, now;
    bool is_respelt, old_is_there, keeps;
  } table[] = {
    { "Ab", 8, 8, true, false, true },   { "Ab", 0, 8, true, false, true },
    { "Ab", 8, 9, true, false, false },  { "Ab", 8, 8, false, false, false },
    { "Ab", 8, 8, true, true, false },   { "Abc", 8, 8, true, false, false },
    { "Abc", 0, 8, true, false, false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    HaulPlanFolder folder1 = { .path = "ab", .token = "t", .epoch = 7, .n_messages = 1 };
    HaulPlanFolder folders2[] = {
      { .path = "AB", .token = "u", .epoch = table[i].now, .n_messages = 1 },
      { .path = table[i].old, .epoch = 8 },
    };
    HaulPlanKnown known = {
      .path1 = "ab", .path2 = table[i].old, .epoch1 = 7, .epoch2 = table[i].known, .n_pairs = 1
    };
    g_autoptr(GHashTable) spellings = g_hash_table_new(g_str_hash, g_str_equal);
    if (table[i].is_respelt)
      g_hash_table_insert(spellings, (char *)"ab", (char *)"AB");
    HaulFoldersInput input = {
      &folder1, folders2, 1, table[i].old_is_there ? 2 : 1, &known, 1, .spellings2 = spellings
    };
    g_autoptr(GArray) plans = haul_plan_folders(&input);
    CU_ASSERT_EQUAL_FATAL(plans->len, 1);
    CU_ASSERT_EQUAL(g_array_index(plans, HaulFolderPlan, 0).known != NULL, table[i].keeps);
  }
}

/* "INBOX", which went to "old" before, and to "new", in some spelling. */
static void
a_folder_that_is_sent_elsewhere_has_a_state_of_its_own_there(void)
{
  static const struct {
    const char *target, *spelling, *path2, *rule;
    int known;
    bool creates;
  } table[] = {
    { NULL, NULL, "INBOX", "same name", -1, false },
    { "old", NULL, "old", "--folder2", 0, false },
    { "New", NULL, "New", "--folder2", 1, true },
    { "New", "nEw", "nEw", "--folder2", 1, false },
    { "other", NULL, "other", "--folder2", -1, true },
    { "Old", "nEw", "nEw", "--folder2", 1, false }, /* it is one by another name */
  };
  HaulPlanFolder folder1 = { .path = "INBOX", .epoch = 7, .n_messages = 2 };
  HaulPlanFolder folders2[] = { { .path = "INBOX", .epoch = 8 },
                                { .path = "old", .epoch = 9 },
                                { .path = "nEw", .epoch = 10 } };
  HaulPlanKnown known[] = {
    { .path1 = "INBOX", .path2 = "old", .epoch1 = 7, .epoch2 = 9, .n_pairs = 1 },
    { .path1 = "INBOX", .path2 = "New", .epoch1 = 7, .epoch2 = 10, .n_pairs = 2 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GHashTable) spellings = g_hash_table_new(g_str_hash, g_str_equal);
    if (table[i].spelling != NULL)
      g_hash_table_insert(spellings, (char *)table[i].target, (char *)table[i].spelling);
    HaulMapping mapping = { (char *)table[i].target, (char *)table[i].rule, true, true };
    HaulFoldersInput input = { &folder1,
                               folders2,
                               1,
                               3,
                               known,
                               2,
                               .spellings2 = spellings,
                               .mappings = table[i].target != NULL ? &mapping : NULL };
    g_autoptr(GArray) plans = haul_plan_folders(&input);
    CU_ASSERT_EQUAL_FATAL(plans->len, 1);
    const HaulFolderPlan *plan = &g_array_index(plans, HaulFolderPlan, 0);
    CU_ASSERT_STRING_EQUAL(plan->path2, table[i].path2);
    CU_ASSERT_STRING_EQUAL(plan->rule, table[i].rule);
    CU_ASSERT_PTR_EQUAL(plan->known, table[i].known < 0 ? NULL : &known[table[i].known]);
    CU_ASSERT_EQUAL(plan->create, table[i].creates);
    CU_ASSERT_EQUAL(plan->is_sent_elsewhere, table[i].target != NULL);
  }
}

/* Source folders "A" and "a", of which the destination has one under the other's name. */
static void
two_folders_do_not_meet_in_one(void)
{
  HaulPlanFolder folders1[] = {
    { .path = "A", .n_messages = 1, .attributes = HAUL_FOLDER_SUBSCRIBED },
    { .path = "a", .n_messages = 1 },
    { .path = "b", .n_messages = 1 },
  };
  HaulPlanFolder folders2[] = { { .path = "a", .n_messages = 3 }, { .path = "B" } };
  g_autoptr(GHashTable) spellings = g_hash_table_new(g_str_hash, g_str_equal);
  g_hash_table_insert(spellings, (char *)"A", (char *)"a");
  g_hash_table_insert(spellings, (char *)"b", (char *)"B");
  HaulFoldersInput input = { folders1, folders2, 3, 2, .spellings2 = spellings };
  g_autoptr(GArray) plans = haul_plan_folders(&input);
  CU_ASSERT_EQUAL_FATAL(plans->len, 3);
  const HaulFolderPlan *upper = &g_array_index(plans, HaulFolderPlan, 0), *lower = upper + 1,
                       *other = upper + 2;
  CU_ASSERT_STRING_EQUAL(upper->path2, "a");
  CU_ASSERT_STRING_EQUAL(upper->taken_by, "a"); /* whose very name it is, in whatever order */
  CU_ASSERT(upper->look == HAUL_LOOK_NOTHING && !upper->create && !upper->subscribe);
  CU_ASSERT(lower->folder2 == &folders2[0] && lower->look == HAUL_LOOK_MATCH);
  CU_ASSERT_PTR_NULL(lower->taken_by);
  CU_ASSERT_STRING_EQUAL(other->path2, "B");
  CU_ASSERT_STRING_EQUAL(other->rule, "same name but for case");
  CU_ASSERT(other->folder2 == &folders2[1] && !other->create && other->look == HAUL_LOOK_STREAM);
  CU_ASSERT_PTR_NULL(other->taken_by);
}

static void
a_subscription_is_carried_once(void)
{
  /* What the user undid at the destination stays undone. */
  static const struct {
    bool source, copy_there, copy, known, was, expected;
  } table[] = {
    { true, false, false, false, false, true }, /* made and subscribed        */
    { true, true, false, false, false, true },  /* first contact              */
    { true, true, true, false, false, false },  /* it is already              */
    { true, true, false, true, true, false },   /* taken away there since     */
    { true, true, false, true, false, true },   /* new at the source          */
    { true, false, false, true, true, true },   /* the folder is made anew    */
    { false, true, false, false, false, false },  { false, true, true, true, true, false },
    { false, false, false, false, false, false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    HaulPlanFolder folder1 = { .path = "a",
                               .attributes = table[i].source ? HAUL_FOLDER_SUBSCRIBED : 0 };
    HaulPlanFolder folder2 = { .path = "a",
                               .attributes = table[i].copy ? HAUL_FOLDER_SUBSCRIBED : 0 };
    HaulPlanKnown known = { .path1 = "a", .path2 = "a", .was_subscribed = table[i].was };
    HaulFoldersInput input = { &folder1, &folder2, 1, table[i].copy_there, &known, table[i].known };
    g_autoptr(GArray) plans = haul_plan_folders(&input);
    CU_ASSERT_EQUAL(g_array_index(plans, HaulFolderPlan, 0).subscribe, table[i].expected);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_folder_is_looked_at_as_little_as_its_state_allows),
    CASE(where_messages_are_in_several_folders_nothing_streams_unlisted),
    CASE(a_folder_that_shows_a_part_is_always_listed),
    CASE(folders_that_hold_no_mail_are_not_planned),
    CASE(a_state_that_mapped_a_folder_elsewhere_says_nothing_of_it),
    CASE(a_folder_that_is_spelt_otherwise_now_keeps_its_state),
    CASE(a_folder_that_is_sent_elsewhere_has_a_state_of_its_own_there),
    CASE(two_folders_do_not_meet_in_one),
    CASE(a_subscription_is_carried_once),
  };
  return RUN_SUITE("plan: folders", cases);
}
