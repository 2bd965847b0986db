/* plan: what sync would do, to the number. Writes nothing anywhere. */
#include "commands.h"

static int
plan_accounts(HaulOptions *options, HaulCancel *cancel, GError **error)
{
  options->job.dry = true;
  return haul_command_transfer(options, cancel, error);
}

int
haul_command_plan(int argc, char **argv)
{
  return haul_command_run(argc, argv, plan_accounts);
}
