/* Tests fit.c. */
#include "suite.h"

#include <glib.h>

#include "fit.h"

static GArray *
actions_of(const HaulAction *actions, guint n)
{
  GArray *array = g_array_new(FALSE, FALSE, sizeof(HaulAction));
  g_array_append_vals(array, actions, n);
  return array;
}

static void
what_is_known_is_added_up(void)
{
  const HaulAction some[] = {
    { .deed = HAUL_DO_COPY_ALL, .copy = { .n = 2, .octets = 100 } },
    { .deed = HAUL_DO_FLAGS, .flags = { .id1 = 7, .id2 = 8 } },
    { .deed = HAUL_DO_COPY, .copy = { .n = 1, .octets = 11 } },
  };
  bool complete;
  g_autoptr(GArray) known = actions_of(some, 3);
  CU_ASSERT_EQUAL(haul_fit_octets(known, &complete), 111);
  CU_ASSERT(complete);

  HaulAction unknown = { .deed = HAUL_DO_COPY_ALL, .copy = { .octets = HAUL_UNKNOWN } };
  g_array_append_val(known, unknown);
  CU_ASSERT_EQUAL(haul_fit_octets(known, &complete), 111);
  CU_ASSERT(!complete);
}

static void
sums_do_not_wrap_around(void)
{
  const HaulAction two[] = {
    { .deed = HAUL_DO_COPY_ALL, .copy = { .octets = HAUL_UNKNOWN - 1 } },
    { .deed = HAUL_DO_COPY_ALL, .copy = { .octets = HAUL_UNKNOWN - 1 } },
  };
  bool complete;
  g_autoptr(GArray) actions = actions_of(two, 2);
  CU_ASSERT_EQUAL(haul_fit_octets(actions, &complete), HAUL_UNKNOWN - 1);
  CU_ASSERT(complete);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_is_known_is_added_up),
    CASE(sums_do_not_wrap_around),
  };
  return RUN_SUITE("fit", cases);
}
