/*
 * Which messages may be removed at the source: decided from what the state knows of their copies, touching
 * nothing. What is in doubt stays.
 */
#ifndef HAUL_CORE_PLAN_REMOVAL_H
#define HAUL_CORE_PLAN_REMOVAL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "entry.h"

typedef struct {
  const HaulProof *proofs; /* of the pairs of a folder whose messages are at the source */
  size_t n_proofs;
  const HaulId *troubled; /* ids at the source of what went wrong in this run */
  size_t n_troubled;
  int64_t now, min_age_s;
  bool only_delivered; /* copies that were found do not count: nothing bears them out */
  bool same_epoch;     /* a copy with the message's id may be the message itself */
} HaulRemovalInput;

typedef struct {
  GArray *ids;         /* owned; of HaulId, in the order of @proofs */
  uint64_t n_unproven; /* that stay because nothing says for sure that their copy is one */
  uint64_t n_young;    /* that stay for want of age alone */
} HaulRemovalPlan;

/*
 * A message may go if its copy was delivered by us and has an id, or was found, has its size or its
 * content, is not the message itself, and was not found by a state that knew nothing else; if the copy was not removed since; if the
 * message is in no trouble; and if all that was noted @min_age_s ago.
 */
void haul_plan_removal(const HaulRemovalInput *input, HaulRemovalPlan *plan);
void haul_removal_plan_clear(HaulRemovalPlan *plan);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaulRemovalPlan, haul_removal_plan_clear)

#endif /* HAUL_CORE_PLAN_REMOVAL_H */
