/* Tests entry.c: ids as numbers. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "entry.h"

static void
numbers_are_their_own_value_and_other_texts_are_not(void)
{
  static const struct {
    const char *text;
    HaulId number; /* 0: kept as text */
  } table[] = {
    { "1", 1 },
    { "42", 42 },
    { "4294967295", 4294967295u },
    { "4294967296", UINT64_C(4294967296) },
    { "999999999999999999", UINT64_C(999999999999999999) },
    { "1000000000000000000", 0 },
    { "9223372036854775807", 0 },
    { "18446744073709551616", 0 },
    { "0", 0 },
    { "00", 0 },
    { "007", 0 },
    { "-1", 0 },
    { "+1", 0 },
    { " 1", 0 },
    { "1 ", 0 },
    { "1a", 0 },
    { "0x1", 0 },
    { "", 0 },
    { "1700000000.M1P2.host:2,S", 0 },
    { "\xc3\xa9\xff", 0 },
  };
  g_autoptr(HaulIds) ids = haul_ids_new();
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    HaulId id = haul_id_intern(ids, table[i].text);
    HaulIdBuffer buffer;
    CU_ASSERT_NOT_EQUAL(id, 0);
    CU_ASSERT_EQUAL(haul_id_is_number(id), table[i].number != 0);
    if (table[i].number != 0)
      CU_ASSERT_EQUAL(id, table[i].number);
    CU_ASSERT_STRING_EQUAL(haul_id_text(id, &buffer), table[i].text);
    CU_ASSERT_EQUAL(haul_id_intern(ids, table[i].text), id);
    for (size_t k = 0; k < i; k++)
      CU_ASSERT_NOT_EQUAL(haul_id_intern(ids, table[k].text), id);
  }
  CU_ASSERT_EQUAL(haul_id_intern(ids, NULL), 0);
  HaulIdBuffer buffer;
  CU_ASSERT_PTR_NULL(haul_id_text(0, &buffer));
}

static void
texts_stay_where_they_are_while_others_come(void)
{
  g_autoptr(HaulIds) ids = haul_ids_new();
  enum { N = 20000 };
  g_autofree HaulId *known = g_new(HaulId, N);
  for (unsigned i = 0; i < N; i++) {
    g_autofree char *text = g_strdup_printf("%u.host:2,%s", i, i % 2 == 0 ? "S" : "");
    known[i] = haul_id_intern(ids, text);
  }
  bool right = true;
  for (unsigned i = 0; i < N; i++) {
    g_autofree char *text = g_strdup_printf("%u.host:2,%s", i, i % 2 == 0 ? "S" : "");
    HaulIdBuffer buffer;
    right &=
        strcmp(haul_id_text(known[i], &buffer), text) == 0 && haul_id_intern(ids, text) == known[i];
  }
  CU_ASSERT(right);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(numbers_are_their_own_value_and_other_texts_are_not),
    CASE(texts_stay_where_they_are_while_others_come),
  };
  return RUN_SUITE("entry", cases);
}
