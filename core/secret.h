/* Where passwords come from, and how they go: they reach no log, no error and no report. */
#ifndef HAUL_CORE_SECRET_H
#define HAUL_CORE_SECRET_H

#include <glib.h>

/* Reads the first line of a file. Warns if others can read it. Errors: "input". */
char *haul_secret_read_file(const char *path, unsigned side, GError **error);

/* MAILHAUL_PASSWORD1 or 2; NULL if it is not set. */
char *haul_secret_from_environment(unsigned side);

/* Wipes and frees; NULL is fine. */
void haul_secret_free(char *secret);

#endif /* HAUL_CORE_SECRET_H */
