/*
 * The messages of a folder that leave a side in a run: how many are gone, and which were asked to be
 * removed without an answer, so that the next pass counts those that are not there any more. The report
 * keeps one per folder and side; it is used while no lane is at work.
 */
#ifndef HAUL_CORE_LEAVING_H
#define HAUL_CORE_LEAVING_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint64_t n_gone;     /* removed in this run */
  uint64_t n_unproven; /* kept: nothing says for sure that their copy is one */
  bool matched_anew;   /* the state began to know the folder in this run */
  GHashTable *asked;   /* owned, or NULL; ids whose removal was not answered */
} HaulLeaving;

void haul_leaving_clear(HaulLeaving *leaving);

/* These are about to be removed. */
void haul_leaving_ask(HaulLeaving *leaving, const char *const *ids, size_t n_ids);
/* All that were asked for are gone. */
void haul_leaving_confirm(HaulLeaving *leaving);
/* A message is not there any more. */
void haul_leaving_missed(HaulLeaving *leaving, const char *id);
/* One that was asked for is still there. */
void haul_leaving_found(HaulLeaving *leaving, const char *id);
/* Those that were asked for and not missed are still there. */
void haul_leaving_stay(HaulLeaving *leaving);

#endif /* HAUL_CORE_LEAVING_H */
