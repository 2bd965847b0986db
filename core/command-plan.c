/* plan: what sync would do, to the number. Writes nothing anywhere. */
#include "commands.h"

static int
plan_accounts(HaulOptions *options, void *data, GError **error)
{
  options->job.dry = true;
  return haul_command_transfer(options, data, error);
}

int
haul_command_plan(int argc, char **argv)
{
  return haul_command_run(argc, argv, HAUL_COMMAND_PLAN, plan_accounts, NULL);
}
