/*
 * Patience: how long to wait before a pass is repeated, and when to give up. A server that says how long
 * it wants to be left alone is left alone for just that.
 */
#ifndef HAUL_CORE_PATIENCE_H
#define HAUL_CORE_PATIENCE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cancel.h"

/* The longest wait that a server can ask for. */
#define HAUL_PATIENCE_LIMIT_MS (60u * 60 * 1000)

/*
 * Says whether a pass that @why ended is to be repeated after @n_failed others in a row, of the same reach,
 * came to nothing.
 *
 * @chance: 0 to 1; a part of the wait is left to it, so that many who were sent away do not come back
 *          at once. @wait_ms: gets how long to wait before. Pure.
 */
bool haul_patience_has(const GError *why, unsigned n_failed, double chance, unsigned *wait_ms);

/* How much has been done so far. All zero at first. */
typedef struct {
  uint64_t n_copied, n_given_up;
  unsigned n_in_vain; /* passes in a row that copied nothing */
} HaulProgress;

/* Passes in a row that may do nothing but find out what to give up: ten messages need twenty. A server that
 * likes nothing at all is not to be asked about each. */
#define HAUL_PATIENCE_IN_VAIN 30u

/* Whether a pass that failed was progress: it copied a message, or gave one up. Pure. */
bool haul_patience_sees_progress(HaulProgress *progress, uint64_t n_copied, uint64_t n_given_up);

/* Returns "300ms", "4m59s" or "1h0m", to be freed. */
char *haul_patience_text(unsigned milliseconds);

/* Says why the run waits, and waits; returns at once when @cancel is set. */
void haul_patience_wait(const GError *why, unsigned wait_ms, const HaulCancel *cancel);

#endif /* HAUL_CORE_PATIENCE_H */
