/*
 * What folders are for: by what their servers say, else by their names, in many languages. Pure.
 */
#ifndef HAUL_CORE_AUTOMAP_H
#define HAUL_CORE_AUTOMAP_H

#include <stdbool.h>
#include <stdint.h>

/* The special uses that folders are mapped by. */
#define HAUL_N_USES 5

/* The attribute (of HaulFolderAttributes) of use @number, and as RFC 6154 writes it. */
uint32_t haul_use_attribute(unsigned number);
const char *haul_use_name(unsigned number);

/* A form in which names are equal that differ by case, by normal form (NFC, NFD, full width), or by runs of
 * blanks. To be freed. */
char *haul_name_fold(const char *name);

/* Whether the name of a folder tells its use, and which: @number. Only of a folder at the root, or in INBOX,
 * or in one that is named like Gmail's. @rank: which of several names for the same use counts more: the lower.
 * @path: canonical. */
bool haul_use_by_name(const char *path, unsigned *number, unsigned *rank);

#endif /* HAUL_CORE_AUTOMAP_H */
