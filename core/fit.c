/* Whether it fits. See fit.h. */
#include "fit.h"

#include <inttypes.h>

#include <mailhaul/log.h>

uint64_t
haul_fit_octets(const GArray *actions, bool *complete)
{
  uint64_t octets = 0;
  *complete = true;
  for (guint i = 0; i < actions->len; i++) {
    const HaulAction *action = &g_array_index(actions, HaulAction, i);
    if (!haul_action_fetches(action))
      continue;
    if (action->copy.octets == HAUL_UNKNOWN)
      *complete = false;
    else
      octets += MIN(action->copy.octets, HAUL_UNKNOWN - 1 - octets);
  }
  return octets;
}

bool
haul_fit_warn(const HaulPass *pass, HaulOpenStore *store2, GError **error)
{
  bool complete;
  uint64_t octets = haul_fit_octets(pass->actions, &complete), used, limit;
  if (octets == 0)
    return true;
  if (!haul_store_quota(store2, &used, &limit, error))
    return false;
  uint64_t room = limit == HAUL_UNKNOWN ? HAUL_UNKNOWN : limit - MIN(used, limit);
  if (octets > room)
    haul_log(HAUL_LOG_WARNING,
             "destination: its quota leaves room for %" PRIu64 " octets, and %s%" PRIu64
             " are to be copied: some will be refused",
             room, complete ? "" : "at least ", octets);
  return true;
}
