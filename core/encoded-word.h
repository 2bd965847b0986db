/* 8-bit octets of a header field, written in ASCII: encoded words where they may stand (RFC 2047 §5). Pure. */
#ifndef HAUL_CORE_ENCODED_WORD_H
#define HAUL_CORE_ENCODED_WORD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  HAUL_FIELD_OTHER,     /* nowhere: "?" stands for each octet     */
  HAUL_FIELD_TEXT,      /* anywhere: Subject, X-...               */
  HAUL_FIELD_ADDRESSES, /* in names, not in the addresses: From   */
} HaulFieldKind;

/* What kind the field is that begins with @line. */
HaulFieldKind haul_field_kind(const uint8_t *line, size_t size);

/*
 * Encodes a line of a field, or a part of one.
 *
 * @has_name: it begins with the field's name. Returns NULL if there is nothing to encode.
 */
GByteArray *haul_field_encode(HaulFieldKind kind, const uint8_t *line, size_t size, bool has_name);

#endif /* HAUL_CORE_ENCODED_WORD_H */
