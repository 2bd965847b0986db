/*
 * Every reason code: what it counts as in the report, which exit code it gives, and what to do.
 * Errors carry a reason (<mailhaul/error.h>); this is the one table that gives it a meaning.
 */
#ifndef HAUL_CORE_REASON_H
#define HAUL_CORE_REASON_H

#include <glib.h>
#include <stdbool.h>

/* Where a message of the source ends: the terms of the accounting identity. */
typedef enum {
  HAUL_STATE_COPIED,
  HAUL_STATE_THERE,
  HAUL_STATE_DUPLICATE,
  HAUL_STATE_FILTERED,
  HAUL_STATE_TOO_BIG,
  HAUL_STATE_REFUSED,
  HAUL_STATE_UNFETCHABLE,
  HAUL_STATE_FAILED,
  HAUL_N_STATES,
} HaulState;

/* "already there" and so on, as the report writes them; the key is for JSON. */
const char *haul_state_name(HaulState state);
const char *haul_state_key(HaulState state);

typedef struct {
  const char *code;
  HaulState state;  /* of a message that this kept from being copied */
  int exit_code;    /* of a run that it ended or marred; 0: none     */
  int exit_side[2]; /* the same when only side 1 or 2 is to blame; 0: exit_code */
  const char *what; /* one line */
  const char *advice;
} HaulReason;

/* Never NULL: what is not in the table is "failed". */
const HaulReason *haul_reason_find(const char *code);
const HaulReason *haul_reason_table(size_t *n);

/* @side: 1, 2, or 0 for both or neither. */
int haul_reason_exit_code(const char *code, unsigned side);

/* What an exit code means, or NULL. */
const char *haul_exit_code_meaning(int exit_code);

#endif /* HAUL_CORE_REASON_H */
