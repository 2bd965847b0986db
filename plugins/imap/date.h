/* Dates as IMAP writes them: date-time of RFC 9051 §9, "17-Jul-1996 02:44:25 -0700". Pure. */
#ifndef IMAP_DATE_H
#define IMAP_DATE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses a date-time without its quotes; a day of one digit passes.
 * False if it names no instant: day 0, 31-Feb, zone +9999. */
bool imap_parse_date(const char *text, size_t size, int64_t *seconds, int32_t *zone);

/* Appends a date-time in quotes; false, and nothing, where its year has not four digits. */
bool imap_append_date(GString *out, int64_t seconds, int32_t zone);

#endif /* IMAP_DATE_H */
