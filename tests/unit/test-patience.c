/* Tests patience.c: how long to wait before another pass, and when to give up. */
#include "suite.h"

#include <mailhaul/error.h>

#include "patience.h"

static bool
has(HaulError reach, unsigned asked_ms, unsigned n_failed, double chance, unsigned *wait_ms)
{
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, reach, "busy", "destination: not now");
  haul_error_set_wait(why, asked_ms);
  return haul_patience_has(why, n_failed, chance, wait_ms);
}

static void
just_what_a_server_asks_for_is_waited(void)
{
  unsigned wait_ms;
  for (unsigned n = 0; n < 30; n++) {
    CU_ASSERT(has(HAUL_ERROR_BUSY, 299961, n, 0, &wait_ms));
    CU_ASSERT_EQUAL(wait_ms, 299961);
    CU_ASSERT(has(HAUL_ERROR_BUSY, 300, n, 0.999, &wait_ms));
    CU_ASSERT(wait_ms >= 300 && wait_ms <= 330);
  }
  CU_ASSERT(has(HAUL_ERROR_BUSY, UINT32_MAX, 0, 0, &wait_ms));
  CU_ASSERT_EQUAL(wait_ms, HAUL_PATIENCE_LIMIT_MS);
  CU_ASSERT(!has(HAUL_ERROR_BUSY, 300, 30, 0, &wait_ms));
}

static void
without_a_hint_the_wait_grows(void)
{
  unsigned wait_ms, before_ms = 0;
  for (unsigned n = 0; n < 5; n++) {
    CU_ASSERT(has(HAUL_ERROR_CONNECTION, 0, n, 0, &wait_ms));
    CU_ASSERT(wait_ms > before_ms && wait_ms <= 60 * 1000);
    before_ms = wait_ms;
  }
  CU_ASSERT(!has(HAUL_ERROR_CONNECTION, 0, 5, 0, &wait_ms));
  CU_ASSERT(has(HAUL_ERROR_BUSY, 0, 29, 0, &wait_ms));
  CU_ASSERT_EQUAL(wait_ms, 5 * 60 * 1000);
}

static void
what_waiting_cannot_cure_is_not_waited_for(void)
{
  unsigned wait_ms;
  static const HaulError reaches[] = { HAUL_ERROR_MESSAGE, HAUL_ERROR_FOLDER, HAUL_ERROR_ACCOUNT,
                                       HAUL_ERROR_CANCELLED };
  for (size_t i = 0; i < G_N_ELEMENTS(reaches); i++)
    CU_ASSERT(!has(reaches[i], 100, 0, 0, &wait_ms));
}

static void
waits_are_told_in_the_units_of_people(void)
{
  static const struct {
    unsigned ms;
    const char *text;
  } table[] = { { 300, "300ms" },      { 1000, "1s" },      { 59999, "59s" },   { 299961, "4m59s" },
                { 3599999, "59m59s" }, { 3600000, "1h0m" }, { 3660000, "1h1m" } };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *text = haul_patience_text(table[i].ms);
    CU_ASSERT_STRING_EQUAL(text, table[i].text);
  }
}

static void
giving_up_is_progress_but_not_for_ever(void)
{
  HaulProgress progress = { 0 };
  uint64_t n_given_up = 0;
  CU_ASSERT(!haul_patience_sees_progress(&progress, 0, 0));
  CU_ASSERT(haul_patience_sees_progress(&progress, 3, 0));
  CU_ASSERT(!haul_patience_sees_progress(&progress, 3, 0));
  for (unsigned i = 1; i < HAUL_PATIENCE_IN_VAIN; i++)
    CU_ASSERT(haul_patience_sees_progress(&progress, 3, ++n_given_up));
  CU_ASSERT(!haul_patience_sees_progress(&progress, 3, ++n_given_up));
  CU_ASSERT(haul_patience_sees_progress(&progress, 4, n_given_up));
  CU_ASSERT(haul_patience_sees_progress(&progress, 4, ++n_given_up));
}

int
main(void)
{
  static const Case cases[] = {
    CASE(just_what_a_server_asks_for_is_waited),      CASE(without_a_hint_the_wait_grows),
    CASE(what_waiting_cannot_cure_is_not_waited_for), CASE(giving_up_is_progress_but_not_for_ever),
    CASE(waits_are_told_in_the_units_of_people),
  };
  return RUN_SUITE("patience", cases);
}
