/* A job: one source to one destination, in as many passes as it takes. */
#ifndef HAUL_CORE_JOB_H
#define HAUL_CORE_JOB_H

#include "account.h"
#include "plan.h"
#include "preview.h"
#include "report.h"

typedef struct {
  HaulAccount *account1, *account2; /* borrowed */
  HaulCancel *cancel;               /* borrowed; the one of both accounts */
  const char *match;                /* the chain */
  bool match_is_default;
  const char *state_folder;
  const char *const *folders; /* NULL-terminated: only these; NULL for all */
  const char *folder2;        /* where the only one of them goes; NULL: each to its own path */
  const char *id_map;         /* a file that tells where messages are that have UIDLs; or NULL */
  HaulFlagsMode flags_mode;
  HaulLabelsMode labels;
  unsigned n_lanes;
  unsigned grace_s;
  bool delete1;                /* remove at the source what has a copy ... */
  unsigned delete1_after_days; /* ... if it has had it so long */
  bool stateless, dry;
} HaulJobOptions;

/*
 * Runs a job and fills @report. @planned: called for each action of a dry run.
 *
 * Returns the exit code. Where it failed as a whole, @error says why, once for both sides.
 */
int haul_job_run(const HaulJobOptions *options, HaulReport *report, HaulPreviewFunc planned,
                 void *data, GError **error);

#endif /* HAUL_CORE_JOB_H */
