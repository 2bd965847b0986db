/* Which messages a run is about. See plan-select.h. */
#include "plan-select.h"

#include <stddef.h>

#include <mailhaul/message.h>

const char *
haul_verdict_reason(HaulVerdict verdict)
{
  static const char *const reasons[HAUL_N_VERDICTS] = { NULL, "size", "age", "search" };
  return reasons[verdict];
}

bool
haul_measures_sizes(const HaulMeasures *measures)
{
  return measures->min_octets > 0 || measures->max_octets > 0;
}

bool
haul_measures_ages(const HaulMeasures *measures)
{
  return measures->min_age_s > 0 || measures->max_age_s > 0;
}

static bool
is_of_size(const HaulMeasures *measures, uint64_t octets)
{
  return octets == HAUL_UNKNOWN
         || (octets >= measures->min_octets
             && (measures->max_octets == 0 || octets <= measures->max_octets));
}

static bool
is_of_age(const HaulMeasures *measures, int64_t date)
{
  if (date == HAUL_NO_DATE || !haul_measures_ages(measures))
    return true;
  /* A clock that is ahead sends mail from the future. */
  uint64_t age_s = date < measures->now ? (uint64_t)measures->now - (uint64_t)date : 0;
  bool old_enough = age_s >= measures->min_age_s;
  bool young_enough = measures->max_age_s == 0 || age_s <= measures->max_age_s;
  bool is_either = measures->max_age_s > 0 && measures->min_age_s > measures->max_age_s;
  return is_either ? old_enough || young_enough : old_enough && young_enough;
}

HaulVerdict
haul_measures_judge(const HaulMeasures *measures, uint64_t octets, int64_t date)
{
  return !is_of_size(measures, octets) ? HAUL_VERDICT_SIZE
         : !is_of_age(measures, date)  ? HAUL_VERDICT_AGE
                                       : HAUL_VERDICT_SELECTED;
}
