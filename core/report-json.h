/* What became of messages, as members of a JSON object: for events and for report files alike. */
#ifndef HAUL_CORE_REPORT_JSON_H
#define HAUL_CORE_REPORT_JSON_H

#include "report.h"

/* The numbers of a folder, or of all. */
void haul_report_json_numbers(GString *json, const HaulTally *tally);

/* A message that was not copied. */
void haul_report_json_trouble(GString *json, const HaulTrouble *trouble);

/* "2026-03-01T12:00:00Z", to be freed; NULL for HAUL_NO_DATE. */
char *haul_report_time(int64_t seconds);

#endif /* HAUL_CORE_REPORT_JSON_H */
