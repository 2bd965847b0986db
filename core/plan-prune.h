/*
 * Which folders go at the destination because the source has none that goes there any more: decided from
 * arrays, touching nothing. What a folder holds is for others to look at.
 */
#ifndef HAUL_CORE_PLAN_PRUNE_H
#define HAUL_CORE_PLAN_PRUNE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *path;    /* canonical; borrowed */
  uint32_t attributes; /* HaulFolderAttributes */
  bool is_wanted;   /* a folder of the source goes there, in this run or not; or it is the trash */
  bool is_known;    /* a folder of the source went there in an earlier run */
  bool is_named;    /* the user says that it may go though we know nothing of it */
  bool is_excepted; /* the user says that it stays */
} HaulPruneFolder;

/*
 * Returns the indices (uint32_t) of the folders that may go, deepest first; to be freed. Those go of which the
 * source had one, or that the user has named; never INBOX, nor a folder that is for something, or that is no
 * mailbox, or one below which any stays.
 */
GArray *haul_plan_prune(const HaulPruneFolder *folders, size_t n);

#endif /* HAUL_CORE_PLAN_PRUNE_H */
