/* Tests plan-dedupe.c: which messages of a folder are there more than once. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/message.h>

#include "plan-dedupe.h"

/* A folder in letters: each message is its key and its content, '-' for none; 'x' behind them says that it is
 * marked as deleted. */
typedef struct {
  HaulEntry items[16];
  HaulKey keys[16], contents[16];
  HaulDedupeInput input;
} Folder;

static HaulKey
key_of(char letter)
{
  HaulKey key = { 0 };
  if (letter != '-')
    memset(&key, letter, sizeof key);
  return key;
}

static void
folder_init(Folder *folder, const char *text)
{
  memset(folder, 0, sizeof *folder);
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  guint n = *text != '\0' ? g_strv_length(words) : 0;
  for (guint i = 0; i < n; i++) {
    folder->items[i] = (HaulEntry){ .id = i + 1, .flags = words[i][2] == 'x' ? HAUL_DELETED : 0 };
    folder->keys[i] = key_of(words[i][0]);
    folder->contents[i] = key_of(words[i][1]);
  }
  folder->input =
      (HaulDedupeInput){ .items = folder->items, .keys = folder->keys, .contents = NULL, .n = n };
}

static char *
suspects_of(Folder *folder)
{
  GString *text = g_string_new(NULL);
  folder->input.contents = NULL;
  g_autoptr(GArray) suspects = haul_dedupe_suspects(&folder->input);
  for (guint i = 0; i < suspects->len; i++)
    g_string_append_printf(text, "%s%u", i > 0 ? " " : "",
                           g_array_index(suspects, uint32_t, i) + 1);
  return g_string_free(text, FALSE);
}

static char *
duplicates_of(Folder *folder)
{
  GString *text = g_string_new(NULL);
  folder->input.contents = folder->contents;
  g_autoptr(GArray) duplicates = haul_plan_dedupe(&folder->input);
  for (guint i = 0; i < duplicates->len; i++) {
    const HaulDuplicate *duplicate = &g_array_index(duplicates, HaulDuplicate, i);
    g_string_append_printf(text, "%s%u=%u", i > 0 ? " " : "", duplicate->victim + 1,
                           duplicate->kept + 1);
  }
  return g_string_free(text, FALSE);
}

static void
of_equal_messages_the_first_stays(void)
{
  static const struct {
    const char *folder, *suspects, *duplicates;
  } table[] = {
    { "", "", "" },
    { "aA bB cC", "", "" },
    { "aA aA", "1 2", "2=1" },
    { "aA bB aA bB aA", "1 2 3 4 5", "3=1 4=2 5=1" },
    { "aA aB", "1 2", "" }, /* one key, two contents: two messages          */
    { "aA aB aA aB", "1 2 3 4", "3=1 4=2" },
    { "aA bA", "", "" },    /* two keys, one content: two messages          */
    { "-A -A", "", "" },    /* no key: nobody knows                         */
    { "a- a-", "1 2", "" }, /* contents that could not be read prove nothing */
    { "aA a- aA", "1 2 3", "3=1" },
    { "aAx aA aA", "2 3", "3=2" }, /* what is on its way out counts as neither     */
    { "aA aAx", "", "" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    Folder folder;
    folder_init(&folder, table[i].folder);
    g_autofree char *suspects = suspects_of(&folder);
    g_autofree char *duplicates = duplicates_of(&folder);
    if (strcmp(suspects, table[i].suspects) != 0 || strcmp(duplicates, table[i].duplicates) != 0)
      printf("%s: %s; %s\n", table[i].folder, suspects, duplicates);
    CU_ASSERT_STRING_EQUAL(suspects, table[i].suspects);
    CU_ASSERT_STRING_EQUAL(duplicates, table[i].duplicates);
  }
}

/* Whatever the folder: none of a lot goes without one that stays, and what is left has no duplicates. */
static void
one_of_each_lot_stays(void)
{
  g_autoptr(GRand) random = g_rand_new_with_seed(7);
  for (unsigned round = 0; round < 5000; round++) {
    Folder folder, rest;
    GString *text = g_string_new(NULL);
    guint n = (guint)g_rand_int_range(random, 1, 16);
    for (guint i = 0; i < n; i++)
      g_string_append_printf(text, "%s%c%c", i > 0 ? " " : "", g_rand_int_range(random, 'a', 'd'),
                             g_rand_int_range(random, 'A', 'C'));
    folder_init(&folder, text->str);
    folder.input.contents = folder.contents;
    g_autoptr(GArray) duplicates = haul_plan_dedupe(&folder.input);
    bool gone[16] = { false };
    for (guint i = 0; i < duplicates->len; i++)
      gone[g_array_index(duplicates, HaulDuplicate, i).victim] = true;
    GString *left = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
      if (!gone[i])
        g_string_append_printf(left, "%s%.2s", left->len > 0 ? " " : "", text->str + 3 * i);
    for (guint i = 0; i < duplicates->len; i++) {
      HaulDuplicate duplicate = g_array_index(duplicates, HaulDuplicate, i);
      CU_ASSERT(!gone[duplicate.kept] && duplicate.kept < duplicate.victim);
      CU_ASSERT(memcmp(text->str + 3 * duplicate.kept, text->str + 3 * duplicate.victim, 2) == 0);
    }
    folder_init(&rest, left->str);
    g_autofree char *again = duplicates_of(&rest);
    CU_ASSERT_STRING_EQUAL(again, "");
    g_string_free(text, TRUE);
    g_string_free(left, TRUE);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(of_equal_messages_the_first_stays),
    CASE(one_of_each_lot_stays),
  };
  return RUN_SUITE("plan-dedupe", cases);
}
