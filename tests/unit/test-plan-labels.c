/*
 * Tests what the planner does with messages in several folders. What they are elsewhere is a word each,
 * beside the items: OBJECT, a letter ('-': not known), and the first other folder that they are in, a digit
 * or nothing: "a0 b -2".
 */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "plan-labels.h"
#include "scene.h"

#define N_OBJECTS 27

static void
read_twins(const char *text, GArray *twins)
{
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  for (char **word = words; *word != NULL && **word != '\0'; word++) {
    HaulTwin twin = { (*word)[0] == '-' ? 0 : (uint32_t)((*word)[0] - 'a' + 1),
                      (*word)[1] == '\0' ? HAUL_NO_PLACE : (uint32_t)((*word)[1] - '0') };
    g_array_append_val(twins, twin);
  }
}

/* A folder: its place, what it holds, and what the plan for it shall be. */
typedef struct {
  const char *items1, *twins, *items2, *pairs;
  uint32_t place;
  bool is_rest, links_not;
  HaulLabelsMode labels;
  const char *expected;
} Row;

/* Plans folders one after the other; what one provides, the next may link. */
static void
check_folders(const Row *rows, size_t n)
{
  uint32_t providers[N_OBJECTS];
  for (size_t i = 0; i < N_OBJECTS; i++)
    providers[i] = HAUL_NO_PLACE;
  for (size_t i = 0; i < n; i++) {
    g_auto(Scene) scene;
    scene_init(&scene);
    scene_read_items(&scene.side1, rows[i].items1);
    scene_read_items(&scene.side2, rows[i].items2 != NULL ? rows[i].items2 : "");
    scene_read_pairs(&scene, rows[i].pairs != NULL ? rows[i].pairs : "");
    g_autoptr(GArray) twins = g_array_new(FALSE, FALSE, sizeof(HaulTwin));
    read_twins(rows[i].twins, twins);
    HaulMessagesInput input = scene_input(&scene);
    CU_ASSERT_EQUAL_FATAL(twins->len, input.n1);
    input.twins1 = (const HaulTwin *)(void *)twins->data;
    input.place = rows[i].place;
    input.is_rest = rows[i].is_rest;
    input.labels = rows[i].labels;
    input.providers = rows[i].links_not ? NULL : providers;
    HaulMessagesPlan plan;
    haul_plan_messages(&input, SCENE_FOLDER, &plan);
    g_autofree char *text = scene_describe(&scene, &plan);
    haul_messages_plan_clear(&plan);
    CU_ASSERT_STRING_EQUAL(text, rows[i].expected);
    if (strcmp(text, rows[i].expected) != 0)
      printf("folder %zu: [%s], not [%s]\n", i, text, rows[i].expected);
  }
}

#define CHECK_FOLDERS(rows) check_folders(rows, G_N_ELEMENTS(rows))

static void
the_first_folder_fetches_and_the_others_link(void)
{
  static const Row rows[] = {
    { "1a 2b 3c", "a1 b c2", .place = 0, .expected = "copy 1..3 (3)" },
    { "7a 8d 9e", "a0 d e2", .place = 1, .expected = "copy 8..9 (2) link 7" },
    { "4c 5e 6f", "c0 e1 f", .place = 2, .expected = "copy 6..6 (1) link 4 link 5" },
  };
  CHECK_FOLDERS(rows);
}

static void
a_copy_that_is_there_is_linked_however_it_was_found(void)
{
  static const Row rows[] = {
    /* by state; by key; removed at the destination: then it is fetched again */
    { "1a 2b 3c", "a b c", "11a 12b", "1=11 3=13", .place = 0,
      .expected = "adopt 2=12 there:2 gone:1" },
    { "7a 8b 9c", "a0 b0 c0", .place = 1, .expected = "copy 9..9 (1) link 7 link 8" },
  };
  CHECK_FOLDERS(rows);
}

static void
two_messages_of_one_folder_are_two(void)
{
  static const Row rows[] = {
    { "1a 2a 3b", "a a b", .place = 0, .expected = "copy 1..3 (3)" },
    { "4c 5c", "- -", .place = 1, .expected = "copy 4..5 (2)" }, /* objects not known */
  };
  CHECK_FOLDERS(rows);
}

static void
all_mail_gives_what_is_nowhere_else(void)
{
  static const Row rows[] = {
    { "1a 2b", "a1 b", .place = 0, .expected = "copy 1..2 (2)" },
    { "3a", "a0", .place = 1, .expected = "link 3" },
    { "1a 2b 3c 4d", "a0 b0 c d", .place = 2, .is_rest = true,
      .expected = "copy 3..4 (2) elsewhere:2" },
    /* What has its copy here keeps it. */
    { "1a 2b 3c", "a0 b0 c", "11a 13c", "1=11", .place = 2, .is_rest = true,
      .expected = "adopt 3=13 there:2 elsewhere:1" },
    /* If no other is looked at, it gives all. */
    { "1a 2b", "e f", .place = 0, .is_rest = true, .expected = "copy 1..2 (2)" },
  };
  CHECK_FOLDERS(rows);
}

static void
one_copy_lies_in_the_first_folder(void)
{
  static const HaulLabelsMode modes[] = { HAUL_LABELS_FIRST, HAUL_LABELS_KEYWORDS };
  for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
    const Row rows[] = {
      { "1a 2b", "a1 b2", .place = 0, .labels = modes[i], .expected = "copy 1..2 (2)" },
      { "3a 4c", "a0 c2", .place = 1, .labels = modes[i], .expected = "copy 4..4 (1) elsewhere:1" },
      { "5b 6c", "b0 c1", .place = 2, .labels = modes[i], .expected = "elsewhere:2" },
      /* One that a former run has copied in another mode stays. */
      { "5b 6c", "b0 c1", "15b 16c", "5=15", .place = 2, .labels = modes[i],
        .expected = "there:1 elsewhere:1" },
    };
    CHECK_FOLDERS(rows);
  }
}

static void
a_destination_that_cannot_copy_gets_all_from_the_source(void)
{
  static const Row rows[] = {
    { "1a", "a1", .place = 0, .links_not = true, .expected = "copy 1..1 (1)" },
    { "2a", "a0", .place = 1, .links_not = true, .expected = "copy 2..2 (1)" },
    { "3a", "a0", .place = 2, .is_rest = true, .links_not = true, .expected = "elsewhere:1" },
  };
  CHECK_FOLDERS(rows);
}

static void
names_of_folders_become_keywords_that_are_theirs_alone(void)
{
  static const struct {
    const char *path, *keyword;
  } table[] = {
    { "INBOX", "INBOX" },
    { "Work/Projects", "Work/Projects" },
    { "a b", "a_20b" },
    { "a_20b", "a_5F20b" },
    { "Entw\xc3\xbcrfe", "Entw&APw-rfe" },
    { "R&D", "R&-D" },
    { "(x) {y} %z* \"q\" \\ [r]", "_28x_29_20_7By}_20_25z_2A_20_22q_22_20_5C_20[r_5D" },
    { "0123456789012345678901234567890123456789012345678901", NULL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *keyword = haul_labels_keyword(table[i].path);
    CU_ASSERT(g_strcmp0(keyword, table[i].keyword) == 0);
    if (g_strcmp0(keyword, table[i].keyword) != 0)
      printf("%s: %s\n", table[i].path, keyword);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(the_first_folder_fetches_and_the_others_link),
    CASE(a_copy_that_is_there_is_linked_however_it_was_found),
    CASE(two_messages_of_one_folder_are_two),
    CASE(all_mail_gives_what_is_nowhere_else),
    CASE(one_copy_lies_in_the_first_folder),
    CASE(a_destination_that_cannot_copy_gets_all_from_the_source),
    CASE(names_of_folders_become_keywords_that_are_theirs_alone),
  };
  return RUN_SUITE("plan: labels", cases);
}
