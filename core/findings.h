/*
 * What stores have found out about the other end of an account, so that those opened for it later,
 * or beside them, need not find it out again. May be used by any thread.
 */
#ifndef HAUL_CORE_FINDINGS_H
#define HAUL_CORE_FINDINGS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct HaulFindings HaulFindings;

HaulFindings *haul_findings_new(void);
void haul_findings_free(HaulFindings *findings);

/* Notes @number under @name, ASCII case aside, if it is less than what is noted there. Returns
 * whether it was. */
bool haul_findings_note(HaulFindings *findings, const char *name, uint64_t number);

/* Returns the least number noted under @name; UINT64_MAX if none was. */
uint64_t haul_findings_get(HaulFindings *findings, const char *name);

#endif /* HAUL_CORE_FINDINGS_H */
