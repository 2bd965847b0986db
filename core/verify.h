/*
 * Comparing two accounts, message by message, with nothing but what they show: no state is believed, and
 * nothing is written.
 */
#ifndef HAUL_CORE_VERIFY_H
#define HAUL_CORE_VERIFY_H

#include "job.h"

/*
 * Compares and fills @report: messages with a counterpart count as there; each without is in trouble, as
 * "missing", or, @deep, as "differs" if its counterpart has other octets. What only the destination has is
 * counted (n_extra).
 *
 * @options: as for haul_job_run(); how it runs is decided here.
 * Returns the exit code; where it failed as a whole, @error says why.
 */
int haul_verify_run(const HaulJobOptions *options, bool deep, HaulReport *report, GError **error);

#endif /* HAUL_CORE_VERIFY_H */
