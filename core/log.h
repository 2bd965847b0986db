/*
 * The host's side of the log: where records go. At first errors and warnings go to stderr, and
 * nothing to a file. Set up before threads start; logging itself is safe from any thread.
 */
#ifndef HAUL_CORE_LOG_H
#define HAUL_CORE_LOG_H

#include <mailhaul/log.h>
#include <stdbool.h>

/* Less than any level: nothing goes there. */
#define HAUL_LOG_NOTHING (-1)

/* Sends records up to @level (a HaulLogLevel, or HAUL_LOG_NOTHING) to stderr. */
void haul_log_to_stderr(int level);

/*
 * Appends records up to @level to the file @path, which is created with mode 0600; each as one line
 * with its time in UTC. A file that was open before is closed.
 *
 * Errors: HAUL_ERROR_ACCOUNT "usage".
 */
bool haul_log_to_file(const char *path, HaulLogLevel level, GError **error);

/* Closes the file. */
void haul_log_close(void);

#endif /* HAUL_CORE_LOG_H */
