/*
 * Repairs of what a destination refuses: octets in, octets out, a piece at a time. Pure.
 *
 * The least invasive first; those that come later include the earlier ones when a message is tried again.
 */
#ifndef HAUL_CORE_REPAIR_H
#define HAUL_CORE_REPAIR_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* Ranks: haul_repair_up_to() turns them into a set. */
typedef enum {
  HAUL_REPAIR_END,  /* the last line gets its end                                               */
  HAUL_REPAIR_BARE, /* LF and CR that stand alone become CRLF                                   */
  HAUL_REPAIR_NUL,  /* NUL becomes 0x80, as some servers have it; in a header, "?"              */
  HAUL_REPAIR_LONG, /* lines beyond 998 octets are broken (RFC 5322 §2.1.1), header fields folded */
  HAUL_REPAIR_HEADER, /* 8-bit octets in a header become encoded words (RFC 2047), or "?"         */
  HAUL_N_REPAIRS,
} HaulRepair;

/* A set of repairs: those up to @rank. */
unsigned haul_repair_up_to(HaulRepair rank);

/* Names those of a set, as "bare line ends, NUL octets"; to be freed. */
char *haul_repair_names(unsigned set);

/* Carries out a set of repairs on one message. */
typedef struct HaulRepairer HaulRepairer;
HaulRepairer *haul_repairer_new(unsigned set);
void haul_repairer_free(HaulRepairer *repairer);

/* Appends to @out what becomes of the next octets, as far as it is known already. */
void
haul_repairer_feed(HaulRepairer *repairer, const uint8_t *octets, size_t size, GByteArray *out);

/* Appends the rest. Returns the repairs that changed something, a set. */
unsigned haul_repairer_end(HaulRepairer *repairer, GByteArray *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulRepairer, haul_repairer_free)

#endif /* HAUL_CORE_REPAIR_H */
