/* What a run says: to people, to programs (a line of JSON for each event), and to the log. */
#ifndef HAUL_CORE_OUTPUT_H
#define HAUL_CORE_OUTPUT_H

#include "preview.h"
#include "report.h"

/* How a planned action is told, on standard output. */
HaulPreviewFunc haul_output_planned(bool json);

/* Tells what became of each folder, or would, and the end of a run: @error is NULL where it did not fail as
 * a whole. */
void haul_output_events(HaulReport *report, double seconds, int code, const GError *error);

/* The same for the log: each folder, each message not copied, the end. */
void haul_output_log(HaulReport *report, int code, const GError *error);

#endif /* HAUL_CORE_OUTPUT_H */
