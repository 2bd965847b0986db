/* verify: whether the destination has what the source has. */
#include "commands.h"

#include "output.h"
#include "verify.h"

static int
verify_accounts(HaulOptions *options, void *data, GError **error)
{
  g_autoptr(HaulReport) report = haul_report_new();
  gint64 start = g_get_monotonic_time();
  int code = haul_verify_run(&options->job, options->deep, report, error);
  double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
  if (options->json)
    haul_output_events(report, seconds, code, *error);
  else if (!options->quiet && haul_report_folders(report)->len > 0)
    haul_report_print_verified(report, seconds, stdout);
  haul_output_log(report, code, *error);
  return code;
}

int
haul_command_verify(int argc, char **argv)
{
  return haul_command_run(argc, argv, HAUL_COMMAND_VERIFY, verify_accounts, NULL);
}
