/* What a run may do in all. See bounds.h. */
#include "bounds.h"

#include <inttypes.h>
#include <pthread.h>

#include <mailhaul/error.h>

#include "plan-pace.h"

struct HaulBounds {
  const HaulPolicy *policy;
  HaulReport *report;
  const HaulCancel *cancel;
  pthread_mutex_t mutex;
  HaulPace pace;
  uint64_t n_taken; /* octets */
};

HaulBounds *
haul_bounds_new(const HaulPolicy *policy, HaulReport *report, const HaulCancel *cancel)
{
  HaulBounds *limits = g_new0(HaulBounds, 1);
  limits->policy = policy;
  limits->report = report;
  limits->cancel = cancel;
  pthread_mutex_init(&limits->mutex, NULL);
  limits->pace = (HaulPace){
    .octets_per_s = (double)policy->octets_per_s,
    .messages_per_s = policy->messages_per_s,
    .free_octets = policy->free_octets,
  };
  return limits;
}

void
haul_bounds_free(HaulBounds *limits)
{
  if (limits == NULL)
    return;
  pthread_mutex_destroy(&limits->mutex);
  g_free(limits);
}

void
haul_bounds_begin_pass(HaulBounds *limits)
{
  pthread_mutex_lock(&limits->mutex);
  limits->n_taken = haul_report_total(limits->report).octets;
  pthread_mutex_unlock(&limits->mutex);
}

bool
haul_bounds_bear(const HaulBounds *limits, GError **error)
{
  unsigned most = limits->policy->errors_max;
  if (most == 0 || haul_report_n_errors(limits->report) < most)
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "too-many-errors",
                 "%u errors are enough: --errorsmax ends the run", most);
  return false;
}

bool
haul_bounds_admit(HaulBounds *limits, uint64_t octets, GError **error)
{
  if (!haul_bounds_bear(limits, error))
    return false;
  uint64_t most = limits->policy->exit_when_over;
  pthread_mutex_lock(&limits->mutex);
  bool admitted = most == 0 || limits->n_taken < most;
  if (admitted)
    limits->n_taken += octets;
  pthread_mutex_unlock(&limits->mutex);
  if (!admitted)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "byte-limit",
                   "%" PRIu64 " octets are copied: --exitwhenover ends the run", most);
  return admitted;
}

int64_t
haul_bounds_pace(HaulBounds *limits, uint64_t octets)
{
  pthread_mutex_lock(&limits->mutex);
  int64_t wait_us = haul_pace_take(&limits->pace, octets, g_get_monotonic_time());
  pthread_mutex_unlock(&limits->mutex);
  return wait_us;
}

bool
haul_bounds_wait(const HaulBounds *limits, int64_t wait_us, GError **error)
{
  int64_t until_us = g_get_monotonic_time() + wait_us;
  if (haul_cancel_wait(limits->cancel, NULL, 0, until_us) != HAUL_WAIT_CANCELLED)
    return true;
  haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "asked to stop");
  return false;
}
