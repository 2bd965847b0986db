/* What a user writes to mean folders: a glob, a regular expression, or a special use. Pure. */
#ifndef HAUL_CORE_PATTERN_H
#define HAUL_CORE_PATTERN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct HaulPattern HaulPattern;

/*
 * Reads @text:
 * - "special:junk" (all, archive, drafts, flagged, important, junk, sent, trash): by special use (RFC 6154);
 * - "re:REGEX", or what begins with '^', ends with '$', or has '|', a backslash, ".*", ".+" or "(?" in it: a
 *   regular expression, looked for anywhere in the name, as imapsync does;
 * - else a path, in which '*' and '?' stand for what is within a level, and '**' for anything; it means what
 *   lies below, too.
 *
 * Returns NULL with a "usage" error that says what is wrong, and where. To be freed.
 */
HaulPattern *haul_pattern_parse(const char *text, GError **error);
void haul_pattern_free(HaulPattern *pattern); /* NULL is fine */

/* Whether a folder is meant: by its canonical path, or by its name as the store writes it, raw or decoded
 * (@native, or NULL). What a pattern cannot find in reasonable time it does not mean. */
bool haul_pattern_matches(const HaulPattern *pattern, const char *path, const char *native,
                          uint32_t attributes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulPattern, haul_pattern_free)

#endif /* HAUL_CORE_PATTERN_H */
