/*
 * Octets through a command of the user's: no shell, no more time and no more output than is granted.
 */
#ifndef HAUL_CORE_PIPE_H
#define HAUL_CORE_PIPE_H

#include <glib.h>

#include "cancel.h"

/*
 * Returns what the command of @words writes when it is given @input.
 *
 * @timeout_ms: how long it may take. @limit: how many octets it may write. @cancel: may be NULL.
 * Errors: HAUL_ERROR_MESSAGE if it cannot be started, takes too long, writes too much or nothing, or ends with
 * another code than 0. It and what it has started are gone when this returns.
 */
GByteArray *haul_pipe_run(char **words, const GByteArray *input, unsigned timeout_ms, size_t limit,
                          const HaulCancel *cancel, GError **error);

#endif /* HAUL_CORE_PIPE_H */
