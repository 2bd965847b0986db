/* plan: what sync would do, to the number. Writes nothing anywhere. */
#include "commands.h"
#include "options-fit.h"

static int
plan_accounts(HaulOptions *options, HaulCancel *cancel, GError **error)
{
  if (!haul_options_fit(options, HAUL_COMMAND_PLAN, error))
    return haul_reason_exit_code("usage", 0);
  options->job.dry = true;
  return haul_command_transfer(options, cancel, error);
}

int
haul_command_plan(int argc, char **argv)
{
  return haul_command_run(argc, argv, plan_accounts);
}
