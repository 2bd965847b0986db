/* Options of imapsync that change nothing here: they are accepted, so that its users' scripts run, and explained. */
#ifndef HAUL_CORE_OPTIONS_IDLE_H
#define HAUL_CORE_OPTIONS_IDLE_H

#include <stdbool.h>

/* Finds the option @name, with its side and its "no", if any. Returns why it is not needed; NULL if it is
 * none of them. @takes_value: whether a word follows it. */
const char *haul_options_find_idle(const char *name, bool *takes_value);

#endif /* HAUL_CORE_OPTIONS_IDLE_H */
