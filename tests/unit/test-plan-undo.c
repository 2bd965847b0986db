/* Tests plan-undo.c: which additions of a run go, and why others stay. */
#include "suite.h"

#include <string.h>

#include <mailhaul/message.h>

#include "plan-undo.h"

static HaulKey
key_of(char letter)
{
  HaulKey key = { 0 };
  if (letter != '-')
    memset(&key, letter, sizeof key);
  return key;
}

/* One addition, id 5 to id 15, and what both sides have besides 4, 6 and 14, 16. */
static void
each_fate_has_its_reason(void)
{
  static const struct {
    HaulId id2;
    uint64_t size;
    char key;
    bool left, at_source, at_destination;
    uint64_t size2;
    char key2;
    HaulUndoFate fate;
  } table[] = {
    { 15, 100, 'a', false, true, true, 100, 'a', HAUL_UNDO_REMOVE },
    { 15, 100, '-', false, true, true, 100, '-', HAUL_UNDO_REMOVE },
    { 15, HAUL_UNKNOWN, 'a', false, true, true, 100, 'a', HAUL_UNDO_REMOVE },
    { 15, 100, 'a', false, true, true, HAUL_UNKNOWN, 'a', HAUL_UNDO_REMOVE },
    { 15, HAUL_UNKNOWN, '-', false, true, true, 100, '-', HAUL_UNDO_ALTERED },
    { 15, 100, 'a', false, true, true, 101, 'a', HAUL_UNDO_ALTERED },
    { 15, 100, 'a', false, true, true, 100, 'b', HAUL_UNDO_ALTERED },
    { 15, 100, 'a', false, true, true, 100, '-', HAUL_UNDO_ALTERED },
    { 15, 100, '-', false, true, true, 100, 'a', HAUL_UNDO_ALTERED },
    { 15, 100, 'a', false, false, true, 100, 'a', HAUL_UNDO_ALONE },
    { 15, 100, 'a', true, true, true, 100, 'a', HAUL_UNDO_ALONE },
    { 15, 100, 'a', true, false, true, 100, 'a', HAUL_UNDO_ALONE },
    { 15, 100, 'a', false, true, false, 100, 'a', HAUL_UNDO_ABSENT },
    { 15, 100, 'a', true, false, false, 100, 'a', HAUL_UNDO_ABSENT },
    { 0, 100, 'a', false, true, true, 100, 'a', HAUL_UNDO_UNNAMED },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    HaulAddition added = { 5, table[i].id2, table[i].size, key_of(table[i].key), table[i].left };
    HaulEntry items1[] = { { .id = 6 }, { .id = table[i].at_source ? 5 : 7 }, { .id = 4 } };
    HaulEntry items2[] = { { .id = 16 },
                           { .id = table[i].at_destination ? 15 : 17, .size = table[i].size2 },
                           { .id = 14 } };
    HaulKey keys2[] = { key_of('x'), key_of(table[i].key2), key_of('y') };
    HaulUndoInput input = { &added, 1, items2, keys2, 3, items1, 3 };
    g_autoptr(GArray) fates = haul_plan_undo(&input);
    CU_ASSERT_EQUAL_FATAL(fates->len, 1);
    CU_ASSERT_EQUAL(g_array_index(fates, uint8_t, 0), table[i].fate);
  }
}

static void
nothing_of_nothing_goes(void)
{
  HaulUndoInput input = { 0 };
  g_autoptr(GArray) fates = haul_plan_undo(&input);
  CU_ASSERT_EQUAL(fates->len, 0);
  HaulAddition added[2] = { { .id1 = 2, .id2 = 12 }, { .id1 = 1, .id2 = 11 } };
  input = (HaulUndoInput){ .added = added, .n_added = 2 };
  g_autoptr(GArray) absent = haul_plan_undo(&input);
  CU_ASSERT_EQUAL_FATAL(absent->len, 2);
  CU_ASSERT_EQUAL(g_array_index(absent, uint8_t, 0), HAUL_UNDO_ABSENT);
  CU_ASSERT_EQUAL(g_array_index(absent, uint8_t, 1), HAUL_UNDO_ABSENT);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(each_fate_has_its_reason),
    CASE(nothing_of_nothing_goes),
  };
  return RUN_SUITE("plan-undo", cases);
}
