/*
 * Taking back what a run has added to the destination, by its receipts: a copy goes if it is still what the run
 * has put there, and the source still shows its message, so that the last copy of a message never goes. What
 * was taken back is forgotten: the next run copies it again.
 *
 * Wherever it is cut short, doing it once more completes it.
 */
#ifndef HAUL_CORE_UNDO_H
#define HAUL_CORE_UNDO_H

#include "job.h"

/* Is told of what stays, and why; and in a dry run of what would go, @why being NULL. */
typedef void (*HaulUndoFunc)(const char *path2, const char *id2, const char *why, void *data);
/* Is told of a run. */
typedef void (*HaulRunFunc)(const HaulRun *run, void *data);

typedef struct {
  uint64_t n_removed; /* or would be */
  uint64_t n_absent;  /* were not there any more */
  uint64_t n_kept;
  int code; /* of what failed, or was refused, in single folders; or 0 */
} HaulUndoSum;

/* Tells of all runs that the state of both accounts knows. */
bool haul_undo_list(const HaulJobOptions *options, HaulRunFunc each, void *data, GError **error);

/* Takes @run back. What befalls one folder is in @sum and in the log. Errors: "usage" where there is no such
 * run. */
bool haul_undo_run(const HaulJobOptions *options, int64_t run, HaulUndoFunc each, void *data,
                   HaulUndoSum *sum, GError **error);

#endif /* HAUL_CORE_UNDO_H */
