/* Both sides of a run. See sides.h. */
#include "sides.h"

#include <pthread.h>

#include <mailhaul/error.h>

#include "reason.h"

static void *
open_side(void *data)
{
  HaulSide *side = data;
  if (side->store == NULL)
    side->store = haul_store_open(side->account, side->intent, &side->error);
  if (side->store != NULL)
    side->list = haul_folder_list_read(side->store, &side->error);
  return NULL;
}

void
haul_side_close(HaulSide *side)
{
  haul_store_close(g_steal_pointer(&side->store));
  g_clear_pointer(&side->list, haul_folder_list_free);
}

/* One line for both: the farther reach and the source's reason come first. */
static void
set_error_of_both(const GError *error1, const GError *error2, GError **error)
{
  HaulError reach = MAX(haul_error_reach(error1), haul_error_reach(error2));
  haul_set_error(error, reach, haul_error_reason(error1), "%s; %s", error1->message,
                 error2->message);
  if (error != NULL)
    haul_error_set_wait(*error, MAX(haul_error_wait_ms(error1), haul_error_wait_ms(error2)));
}

bool
haul_sides_open(HaulSide *side1, HaulSide *side2, int64_t *took_us, GError **error)
{
  g_clear_error(&side1->error);
  g_clear_error(&side2->error);
  int64_t start_us = g_get_monotonic_time();
  pthread_t other;
  bool threaded = pthread_create(&other, NULL, open_side, side1) == 0;
  if (!threaded)
    open_side(side1);
  open_side(side2);
  if (threaded)
    pthread_join(other, NULL);
  *took_us = g_get_monotonic_time() - start_us;
  if (side1->error == NULL && side2->error == NULL)
    return true;
  if (side1->error != NULL && side2->error != NULL)
    set_error_of_both(side1->error, side2->error, error);
  else {
    GError **only = side1->error != NULL ? &side1->error : &side2->error;
    g_propagate_error(error, g_steal_pointer(only));
  }
  return false;
}

char *
haul_side_identity(const HaulSide *side)
{
  char *identity = haul_store_identity(side->store);
  return identity != NULL ? identity : g_strdup_printf("%s:?", haul_account_side(side->account));
}

int
haul_sides_exit_code(const HaulSide *side1, const HaulSide *side2, const GError *error)
{
  const char *reason = haul_error_reason(error);
  if (side1->error != NULL && side2->error != NULL) {
    int code1 = haul_reason_exit_code(haul_error_reason(side1->error), 0);
    int code2 = haul_reason_exit_code(haul_error_reason(side2->error), 0);
    return code1 == code2 ? code1 : haul_reason_exit_code(reason, 1);
  }
  unsigned side = g_str_has_prefix(error->message, "source: ")        ? 1
                  : g_str_has_prefix(error->message, "destination: ") ? 2
                                                                      : 0;
  return haul_reason_exit_code(reason, side);
}
