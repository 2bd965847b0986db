/* A file that a run writes for its user: looked at before the run begins, replaced whole when it ends. */
#ifndef HAUL_CORE_RESULT_FILE_H
#define HAUL_CORE_RESULT_FILE_H

#include <glib.h>
#include <stdbool.h>

/*
 * Returns the file that @path means, through links; to be freed. It can be written, as far as one can know.
 *
 * @what: how errors call it, such as "the report". Errors: HAUL_ERROR_ACCOUNT, "usage".
 */
char *haul_result_file_find(const char *path, const char *what, GError **error);

/* Writes @text, of which nobody else may read. @path: what haul_result_file_find() returned. Errors:
 * HAUL_ERROR_ACCOUNT, "usage" or "disk-full". */
bool
haul_result_file_write(const char *path, const char *what, const GString *text, GError **error);

#endif /* HAUL_CORE_RESULT_FILE_H */
