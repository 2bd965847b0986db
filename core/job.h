/* A job: one source to one destination, in as many passes as it takes. */
#ifndef HAUL_CORE_JOB_H
#define HAUL_CORE_JOB_H

#include "account.h"
#include "context.h"
#include "policy.h"
#include "preview.h"
#include "report.h"

typedef struct {
  HaulAccount *account1, *account2; /* borrowed */
  HaulCancel *cancel;               /* borrowed; the one of both accounts */
  HaulPolicy policy;
  const char *state_folder; /* borrowed */
  bool stateless, dry;

  /* With @dry: what is done with the plan of the pass instead of showing it; or NULL. */
  bool (*inspect)(const HaulContext *context, const HaulPass *pass, HaulOpenStore *store1,
                  void *data, GError **error);
  void *inspect_data;
} HaulJobOptions;

/*
 * Runs a job and fills @report. @planned: called for each action of a dry run.
 *
 * Returns the exit code. Where it failed as a whole, @error says why, once for both sides.
 */
int haul_job_run(const HaulJobOptions *options, HaulReport *report, HaulPreviewFunc planned,
                 void *data, GError **error);

#endif /* HAUL_CORE_JOB_H */
