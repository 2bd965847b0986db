/* Tests suspect.c: what ends connections is found, and nothing innocent is taken for it. */
#include "suite.h"

#include <mailhaul/error.h>

#include "suspect.h"

static GError *
make(HaulError reach)
{
  GError *error = NULL;
  haul_set_error(&error, reach, "closed", "it was lost");
  return error;
}

static void
a_folder_is_left_after_two_losses_in_a_row(void)
{
  g_autoptr(GError) loss = make(HAUL_ERROR_CONNECTION), busy = make(HAUL_ERROR_BUSY);
  HaulSuspect suspect = { 0 };
  CU_ASSERT(!haul_suspect_opened(&suspect, HAUL_OPENED_TO_READ, false, loss));
  CU_ASSERT(!haul_suspect_opened(&suspect, HAUL_OPENED_TO_READ, false, NULL));
  CU_ASSERT(!haul_suspect_opened(&suspect, HAUL_OPENED_TO_READ, false, loss));
  CU_ASSERT(!haul_suspect_opened(&suspect, HAUL_OPENED_TO_READ, false, busy));
  CU_ASSERT(!haul_suspect_opened(&suspect, HAUL_OPENED_TO_WRITE, false, loss)); /* another way */
  CU_ASSERT_PTR_NULL(haul_suspect_is_closed(&suspect));
  CU_ASSERT(haul_suspect_opened(&suspect, HAUL_OPENED_TO_READ, false, loss));
  CU_ASSERT_STRING_EQUAL(haul_suspect_is_closed(&suspect), "it was lost");
  CU_ASSERT(!haul_suspect_opened(&suspect, HAUL_OPENED_TO_READ, false, loss)); /* it is said once */
  haul_suspect_clear(&suspect);
}

static void
a_message_is_given_up_only_when_it_was_asked_for_alone(void)
{
  g_autoptr(GError) loss = make(HAUL_ERROR_CONNECTION), busy = make(HAUL_ERROR_BUSY);
  HaulSuspect suspect = { 0 };
  CU_ASSERT(!haul_suspect_read(&suspect, false, loss));
  CU_ASSERT(suspect.reads_alone);
  CU_ASSERT(!haul_suspect_read(&suspect, true, NULL)); /* innocent */
  CU_ASSERT(!suspect.reads_alone);
  CU_ASSERT(!haul_suspect_read(&suspect, false, loss));
  CU_ASSERT(haul_suspect_read(&suspect, true, loss));
  CU_ASSERT(!suspect.reads_alone); /* the next one is not to blame */
  CU_ASSERT(!haul_suspect_read(&suspect, true, busy));
}

static bool
lose(HaulSuspect *suspect, const char *first)
{
  g_autoptr(GError) loss = make(HAUL_ERROR_CONNECTION);
  haul_suspect_lost_writing(suspect, false, loss);
  return haul_suspect_looked(suspect, first);
}

static void
a_delivery_is_given_up_when_it_is_first_twice(void)
{
  HaulSuspect suspect = { 0 };
  CU_ASSERT(!haul_suspect_looked(&suspect, "3")); /* of a run before: nothing was lost here */
  CU_ASSERT(!suspect.writes_singly);
  CU_ASSERT(!lose(&suspect, "3")); /* in company */
  CU_ASSERT(suspect.writes_singly);
  CU_ASSERT(!lose(&suspect, "7")); /* the link is bad, or it is this one */
  CU_ASSERT(!lose(&suspect, "9"));
  CU_ASSERT(!haul_suspect_looked(&suspect, "9")); /* looked at again, but not lost again */
  CU_ASSERT(lose(&suspect, "9"));
  CU_ASSERT(!lose(&suspect, "9"));  /* from the beginning */
  CU_ASSERT(!lose(&suspect, NULL)); /* all was stored */
  CU_ASSERT(!lose(&suspect, "9"));
  CU_ASSERT_STRING_EQUAL(suspect.words, "it was lost");
  haul_suspect_clear(&suspect);
}

static void
several_connections_make_nobody_a_culprit(void)
{
  g_autoptr(GError) loss = make(HAUL_ERROR_CONNECTION);
  HaulSuspect suspect = { 0 };
  for (unsigned i = 0; i < 3; i++) {
    CU_ASSERT(!haul_suspect_opened(&suspect, HAUL_OPENED_TO_WRITE, true, loss));
    haul_suspect_lost_writing(&suspect, true, loss);
    CU_ASSERT(!haul_suspect_looked(&suspect, "1"));
  }
  CU_ASSERT(lose(&suspect, "1")); /* there is one left */
  haul_suspect_clear(&suspect);
}

static bool
put_off(HaulSuspect *suspect, bool crowded, const char *first)
{
  g_autoptr(GError) busy = make(HAUL_ERROR_BUSY);
  haul_suspect_lost_writing(suspect, crowded, busy);
  CU_ASSERT(!haul_suspect_read(suspect, false, busy) && !suspect->reads_alone);
  return haul_suspect_looked(suspect, first);
}

static void
a_delivery_is_given_up_when_it_is_put_off_first_thrice(void)
{
  HaulSuspect suspect = { 0 };
  CU_ASSERT(!put_off(&suspect, false, "1")); /* in company */
  CU_ASSERT(!put_off(&suspect, false, "3")); /* the other one was taken: the server has time now */
  CU_ASSERT(!put_off(&suspect, true, "3"));  /* another connection may be to blame */
  CU_ASSERT(!put_off(&suspect, false, "3"));
  CU_ASSERT(put_off(&suspect, false, "3"));
  CU_ASSERT(!put_off(&suspect, false, "4"));
  CU_ASSERT(!put_off(&suspect, false, "4"));
  CU_ASSERT(!lose(&suspect, "4")); /* of losses, it is the first */
  CU_ASSERT(!put_off(&suspect, false, "4"));
  CU_ASSERT(!put_off(&suspect, false, NULL)); /* all was stored */
  haul_suspect_clear(&suspect);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_folder_is_left_after_two_losses_in_a_row),
    CASE(a_message_is_given_up_only_when_it_was_asked_for_alone),
    CASE(a_delivery_is_given_up_when_it_is_first_twice),
    CASE(several_connections_make_nobody_a_culprit),
    CASE(a_delivery_is_given_up_when_it_is_put_off_first_thrice),
  };
  return RUN_SUITE("suspect", cases);
}
