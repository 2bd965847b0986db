/* The host's side of messages: spool, body writers, sealing. */
#ifndef HAUL_CORE_MESSAGE_H
#define HAUL_CORE_MESSAGE_H

#include <mailhaul/intake.h>
#include <mailhaul/message.h>

#include "queue.h"

/* Bodies up to this size live in memory, larger ones in an unlinked file of the spool folder. It is
 * also the largest window. */
#define HAUL_MESSAGE_MEMORY_LIMIT (1u << 20)

/* How much room of a queue a body of @size octets (or HAUL_UNKNOWN) takes. */
uint64_t haul_message_room(uint64_t size);

/*
 * Begins a body that will have about @size octets.
 *
 * @spool: folder for large bodies; borrowed for the life of the writer. @queue: who lends it
 * haul_message_room(size), reserved by the caller, until the message is gone; or NULL.
 */
HaulBodyWriter *
haul_body_writer_new(const char *spool, HaulQueue *queue, uint64_t size, GError **error);

/* Makes a message of @writer, which is taken, and @item, which is copied. */
HaulMessage *haul_body_writer_seal(HaulBodyWriter *writer, const HaulItem *item, GError **error);

/* Makes a message of octets at hand: for tests and for matching. */
HaulMessage *haul_message_new(const HaulItem *item, const void *octets, size_t size);

/* Gives a date of arrival to @message, which nobody else looks at yet. */
void haul_message_set_date(HaulMessage *message, int64_t date, int32_t zone);

/* Adds keywords to @message, which nobody else looks at yet. */
void haul_message_add_keywords(HaulMessage *message, const char *const *keywords);

/* The first octets of the body, up to its empty line or 256 KiB: where header fields are. */
const uint8_t *haul_message_header(const HaulMessage *message, size_t *size);

#endif /* HAUL_CORE_MESSAGE_H */
