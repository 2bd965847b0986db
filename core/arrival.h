/* When a message came, by what its header says, for sources that do not say. */
#ifndef HAUL_CORE_ARRIVAL_H
#define HAUL_CORE_ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mailhaul/message.h>

/*
 * Finds the date of the newest Received field that has one: the first, for each server adds its own
 * in front (RFC 5321 §4.4); else that of the Date field.
 *
 * @header: @size octets. @seconds: Unix time; @zone: seconds east of UTC.
 * Returns false where there is neither.
 */
bool haul_arrival_by_header(const uint8_t *header, size_t size, int64_t *seconds, int32_t *zone);

/* Gives @message, which nobody else looks at yet, that date if it has none: else it would be of today
 * at the destination. Returns whether it did. */
bool haul_arrival_supply(HaulMessage *message);

#endif /* HAUL_CORE_ARRIVAL_H */
