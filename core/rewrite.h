/*
 * Perl's substitution s/PATTERN/REPLACEMENT/FLAGS, on names of folders and on messages: what users have in their
 * scripts.
 * Nothing in it is ever executed. Pure; bounded in time and memory whatever the pattern.
 */
#ifndef HAUL_CORE_REWRITE_H
#define HAUL_CORE_REWRITE_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HaulRewrite HaulRewrite;

/*
 * Reads @text: any delimiter that is no letter, digit or blank, brackets in pairs; flags g, i and x. In the
 * replacement $1, \1, ${1} and $& are what was matched, \L \U \E \l \u change case, and any other mark
 * behind a backslash is itself.
 *
 * Returns NULL with a "usage" error that says what is wrong with it, and where. To be freed.
 */
HaulRewrite *haul_rewrite_parse(const char *text, GError **error);

/* The same on octets: flags m and s, too, and \n, \r and \t in the replacement; no case beyond ASCII. */
HaulRewrite *haul_rewrite_parse_octets(const char *text, GError **error);
void haul_rewrite_free(HaulRewrite *rewrite); /* NULL is fine */

/* The text that it was read from; lent. */
const char *haul_rewrite_text(const HaulRewrite *rewrite);

/* Returns @name, which is UTF-8, with the substitution made; to be freed. NULL with a "usage" error where
 * the pattern needs too long for it, or the result would be longer than any name. */
char *haul_rewrite_apply(const HaulRewrite *rewrite, const char *name, GError **error);

/* Returns what becomes of a message, to be freed. NULL with a "usage" error where the pattern needs too long, or the result
 * would have more than @limit octets. Of a substitution on octets only. */
GByteArray *haul_rewrite_apply_octets(const HaulRewrite *rewrite, const uint8_t *octets,
                                      size_t size, size_t limit, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulRewrite, haul_rewrite_free)

#endif /* HAUL_CORE_REWRITE_H */
