/* Which command takes which options. */
#ifndef HAUL_CORE_OPTIONS_FIT_H
#define HAUL_CORE_OPTIONS_FIT_H

#include "options.h"

typedef enum {
  HAUL_COMMAND_SYNC = 1,
  HAUL_COMMAND_PLAN = 2,
  HAUL_COMMAND_VERIFY = 4,
  HAUL_COMMAND_DEDUPE = 8,
  HAUL_COMMAND_UNDO = 16,
} HaulCommand;

/* Whether @command takes all that @options say. Error: "usage", which names the first that it does not. */
bool haul_options_fit(const HaulOptions *options, HaulCommand command, GError **error);

#endif /* HAUL_CORE_OPTIONS_FIT_H */
