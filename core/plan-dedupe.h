/* Which messages of a folder are there more than once: decided from arrays, touching nothing. */
#ifndef HAUL_CORE_PLAN_DEDUPE_H
#define HAUL_CORE_PLAN_DEDUPE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "entry.h"

typedef struct {
  const HaulEntry *items; /* of one folder, in its order */
  const HaulKey *keys;    /* beside them; all zero: no key */
  /* Beside them: hashes of what follows the header; all zero where not known. NULL for the first step. */
  const HaulKey *contents;
  size_t n;
} HaulDedupeInput;

typedef struct {
  uint32_t kept, victim; /* indices of the items */
} HaulDuplicate;

/* Returns the indices (uint32_t) of the messages whose key others have, too: their contents must be known. */
GArray *haul_dedupe_suspects(const HaulDedupeInput *input);

/*
 * Returns HaulDuplicate in the order of the victims: of messages with one key and one content the first
 * stays. What is marked as deleted is on its way out already, and counts as neither.
 */
GArray *haul_plan_dedupe(const HaulDedupeInput *input);

#endif /* HAUL_CORE_PLAN_DEDUPE_H */
