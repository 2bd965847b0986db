/*
 * Which messages a run is about: by size, age and search key. Decided from what is known of one message,
 * touching nothing.
 */
#ifndef HAUL_CORE_PLAN_SELECT_H
#define HAUL_CORE_PLAN_SELECT_H

#include <stdbool.h>
#include <stdint.h>

/* What keeps a message from being copied. */
typedef enum {
  HAUL_VERDICT_SELECTED,
  HAUL_VERDICT_SIZE,
  HAUL_VERDICT_AGE,
  HAUL_VERDICT_SEARCH,
  HAUL_N_VERDICTS,
} HaulVerdict;

/* The reason code of a verdict; NULL for SELECTED. */
const char *haul_verdict_reason(HaulVerdict verdict);

typedef struct {
  uint64_t min_octets, max_octets; /* 0: no limit */
  uint64_t min_age_s, max_age_s;   /* likewise */
  int64_t now;                     /* Unix seconds: when the run began */
} HaulMeasures;

/* Whether sizes and ages matter. */
bool haul_measures_sizes(const HaulMeasures *measures);
bool haul_measures_ages(const HaulMeasures *measures);

/*
 * What size and age say. What is as large, or as old, as a limit is within it; and so is what nobody knows
 * the size or the age of. Where the least age is above the greatest, either is enough: what is younger than
 * the one, and what is older than the other.
 *
 * @octets: HAUL_UNKNOWN; @date: when it came, Unix seconds, or HAUL_NO_DATE.
 */
HaulVerdict haul_measures_judge(const HaulMeasures *measures, uint64_t octets, int64_t date);

#endif /* HAUL_CORE_PLAN_SELECT_H */
