/* sync: one account to another. */
#include "commands.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "output.h"

static int
sync_accounts(HaulOptions *options, HaulCancel *cancel, GError **error)
{
  HaulAccount *source = NULL, *destination = NULL;
  if (!haul_options_accounts(options, cancel, &source, &destination, error))
    return haul_reason_exit_code(haul_error_reason(*error), 0);
  g_autoptr(HaulAccount) account1 = source;
  g_autoptr(HaulAccount) account2 = destination;
  HaulJobOptions *job = &options->job;
  job->account1 = account1;
  job->account2 = account2;
  job->cancel = cancel;
  haul_log(HAUL_LOG_INFO, "mailhaul " HAUL_VERSION ": %s to %s%s",
           haul_account_plugin(account1)->name, haul_account_plugin(account2)->name,
           job->dry ? ", a plan only" : "");
  g_autoptr(HaulReport) report = haul_report_new();
  gint64 start = g_get_monotonic_time();
  int code = haul_job_run(job, report, haul_output_planned(options->json), NULL, error);
  double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
  if (options->json)
    haul_output_events(report, !job->dry, seconds, code, *error);
  else if (!job->dry && !options->quiet && haul_report_folders(report)->len > 0)
    haul_report_print(report, seconds, stdout);
  haul_output_log(report, code, *error);
  return code;
}

int
haul_command_sync(int argc, char **argv)
{
  return haul_command_run(argc, argv, sync_accounts);
}
