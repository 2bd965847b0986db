/* The report as a file that the user asked for: JSON for programs, HTML for people. */
#ifndef HAUL_CORE_REPORT_FILE_H
#define HAUL_CORE_REPORT_FILE_H

#include "report.h"

typedef enum { HAUL_REPORT_JSON, HAUL_REPORT_HTML } HaulReportFormat;

/* What a report is of, besides what became of messages. Texts are borrowed. */
typedef struct {
  const char *source, *destination; /* such as "imap ann@imap.example" */
  int64_t began_at;                 /* Unix seconds */
  double seconds;
  int code;          /* the exit code */
  const char *error; /* why the run failed as a whole, or NULL */
} HaulReportFacts;

/* The format that the name of a file asks for; false, with an error "usage", if it asks for none. */
bool haul_report_format_of(const char *path, HaulReportFormat *format, GError **error);

/* Returns the whole text of the file. */
GString *
haul_report_text(HaulReport *report, const HaulReportFacts *facts, HaulReportFormat format);

#endif /* HAUL_CORE_REPORT_FILE_H */
