/*
 * Which command takes which options, where it matters: what a command would pass over in silence, and its user
 * would believe to be obeyed, is refused.
 */
#include "options-fit.h"

#include <mailhaul/error.h>

#define TRANSFERS (HAUL_COMMAND_SYNC | HAUL_COMMAND_PLAN)
#define COMPARES (TRANSFERS | HAUL_COMMAND_VERIFY)
#define LOOKS (COMPARES | HAUL_COMMAND_DEDUPE)

#define TAKEN(name, member, commands)                                                              \
  {                                                                                                \
    name, offsetof(HaulOptions, member), sizeof(((HaulOptions *)NULL)->member), commands           \
  }

/* Members whose octets are all zero until something is said of them. */
static const struct {
  const char *option;
  size_t offset, size;
  unsigned commands; /* that take it */
} table[] = {
  TAKEN("apply", apply, HAUL_COMMAND_DEDUPE),
  TAKEN("deep", deep, HAUL_COMMAND_VERIFY),
  TAKEN("report", report, HAUL_COMMAND_SYNC),
  TAKEN("folder", job.policy.folders, LOOKS),
  TAKEN("folderrec", job.policy.trees, LOOKS),
  TAKEN("include and --exclude", job.policy.choices, LOOKS),
  TAKEN("subscribed", job.policy.subscribed, LOOKS),
  TAKEN("skipemptyfolders", job.policy.skip_empty, LOOKS),
  TAKEN("subfolder1", job.policy.subfolder1, COMPARES),
  TAKEN("maxsize", job.policy.max_octets, COMPARES),
  TAKEN("minsize", job.policy.min_octets, COMPARES),
  TAKEN("maxage", job.policy.max_age_s, COMPARES),
  TAKEN("minage", job.policy.min_age_s, COMPARES),
  TAKEN("search", job.policy.search1, COMPARES),
  TAKEN("search2", job.policy.search2, COMPARES),
  TAKEN("delete1", job.policy.delete1, TRANSFERS),
  TAKEN("delete2", job.policy.delete2, TRANSFERS),
  TAKEN("delete2duplicates", job.policy.delete2_duplicates, TRANSFERS),
  TAKEN("delete2folders", job.policy.delete2_folders, TRANSFERS),
  TAKEN("trash2", job.policy.trash2, TRANSFERS),
};

static bool
is_said(const HaulOptions *options, size_t offset, size_t size)
{
  const unsigned char *octets = (const unsigned char *)options + offset;
  for (size_t i = 0; i < size; i++)
    if (octets[i] != 0)
      return true;
  return false;
}

static const char *
command_name(unsigned command)
{
  return command == HAUL_COMMAND_SYNC     ? "sync"
         : command == HAUL_COMMAND_PLAN   ? "plan"
         : command == HAUL_COMMAND_VERIFY ? "verify"
         : command == HAUL_COMMAND_UNDO   ? "undo"
                                          : "dedupe";
}

bool
haul_options_fit(const HaulOptions *options, HaulCommand command, GError **error)
{
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    if (!(table[i].commands & command) && is_said(options, table[i].offset, table[i].size)) {
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "the command %s does not take --%s",
                     command_name(command), table[i].option);
      return false;
    }
  return true;
}
