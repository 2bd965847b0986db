/*
 * Text at the edges: folder names, header fields, and octets that are shown to people.
 * All of it is pure and linear in its input.
 */
#ifndef MAILHAUL_TEXT_H
#define MAILHAUL_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <mailhaul/visibility.h>

G_BEGIN_DECLS

/* Modified UTF-7 of mailbox names (RFC 3501 §5.1.3). Encoding takes valid UTF-8; decoding returns
 * NULL where @name is not well formed, holds an encoded ASCII or NUL, or a lone surrogate; what it
 * accepts, encoding gives back. */
HAUL_PUBLIC char *haul_utf7_encode(const char *utf8);
HAUL_PUBLIC char *haul_utf7_decode(const char *name);

/*
 * Escapes, reversibly, one level of a folder's path for a place that cannot hold every octet.
 *
 * @unheld: the octets that the place cannot hold, none of them '%' or a hexadecimal digit; control
 *          octets are escaped everywhere. Each becomes %XX (upper case); a '%' becomes %25 where it
 *          would be read as such an escape.
 * haul_name_unescape() undoes it, given the same @unheld, and leaves other %XX alone.
 * Canonical paths hold levels escaped for "/" and joined by it; an empty level is written %00.
 */
HAUL_PUBLIC char *haul_name_escape(const char *level, const char *unheld);
HAUL_PUBLIC char *haul_name_unescape(const char *level, const char *unheld);

/*
 * Translates between canonical paths and a store's own names, both UTF-8. A first level that is
 * INBOX in any case is "INBOX" in the path.
 *
 * @separator: the store's, a printable octet other than '%', letters and digits; or '\0' where it
 *             has no levels (a path of several becomes one name, joined by '/').
 * @unheld: octets besides the separator that a level cannot hold there, or NULL. The separator
 *          among them says that it cannot hold an empty level either ("a//b").
 * Round trips are exact both ways for every name without control octets and every such path.
 */
HAUL_PUBLIC char *haul_path_from_native(const char *name, char separator, const char *unheld);
HAUL_PUBLIC char *haul_path_to_native(const char *path, char separator, const char *unheld);

/* Whether @path is INBOX in any case (RFC 9051 §5.1). */
HAUL_PUBLIC bool haul_path_is_inbox(const char *path);

/* Returns @text, @length octets, fit for a terminal, a log or a report: valid UTF-8 without control,
 * format or bidirectional characters, which are shown as \xNN or \u{N}; cut at 512 octets. */
HAUL_PUBLIC char *haul_text_display(const void *text, size_t length);

/*
 * Finds where the header of a message ends: just after its first empty line (CRLF or LF).
 * Returns @size where there is none (RFC 5322 §2.1: no body).
 */
HAUL_PUBLIC size_t haul_header_end(const uint8_t *octets, size_t size);

/*
 * Appends to @out the fields named, whole and in their order, as BODY[HEADER.FIELDS (...)] would
 * give them (RFC 9051 §6.4.5) but without the empty line that ends those.
 *
 * @header: @size octets; reading stops at the empty line. At most 256 KiB are looked at.
 * @names: NULL-terminated; compared without regard to ASCII case.
 */
HAUL_PUBLIC void
haul_header_select(const uint8_t *header, size_t size, const char *const *names, GByteArray *out);

/* Calls @each with the name and the raw value (folding and all, without the last line end) of every
 * field, until it returns false. */
typedef bool (*HaulFieldFunc)(const char *name, size_t name_size, const uint8_t *value,
                              size_t value_size, void *data);
HAUL_PUBLIC void
haul_header_each(const uint8_t *header, size_t size, HaulFieldFunc each, void *data);

/* Parses an RFC 5322 date (with the obsolete forms); false if @text, @size octets, holds none.
 * @seconds: Unix time; @zone: seconds east of UTC; either may be NULL. */
HAUL_PUBLIC bool haul_date_parse(const char *text, size_t size, int64_t *seconds, int32_t *zone);

G_END_DECLS
#endif /* MAILHAUL_TEXT_H */
