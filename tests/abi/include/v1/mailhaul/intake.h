/*
 * The intake: where a store puts the messages that it was asked to fetch.
 */
#ifndef MAILHAUL_INTAKE_H
#define MAILHAUL_INTAKE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <mailhaul/message.h>
#include <mailhaul/visibility.h>

G_BEGIN_DECLS

typedef struct HaulIntake HaulIntake;
typedef struct HaulBodyWriter HaulBodyWriter;

/*
 * Begins a body of about @size octets (a hint; HAUL_UNKNOWN will do). Waits until there is room,
 * which is all the flow control that a reader needs.
 *
 * Errors: HAUL_ERROR_MESSAGE where the spool cannot hold it (the store reads past the body and goes
 * on), HAUL_ERROR_CANCELLED.
 */
HAUL_PUBLIC HaulBodyWriter *haul_intake_begin(HaulIntake *intake, uint64_t size, GError **error);

/* Lends room for the next octets of the body: at least 1, at most @want; @got says how many. */
HAUL_PUBLIC void *
haul_body_writer_reserve(HaulBodyWriter *body, size_t want, size_t *got, GError **error);
HAUL_PUBLIC void haul_body_writer_advance(HaulBodyWriter *body, size_t filled);

/* Drops a body that will not be committed. */
HAUL_PUBLIC void haul_body_writer_free(HaulBodyWriter *body);

/*
 * Seals @body, which is taken, as the message that @item describes (copied; its size is replaced by
 * the true one), and hands it on.
 *
 * Errors: HAUL_ERROR_CANCELLED, HAUL_ERROR_MESSAGE (spool; go on), or what the host met elsewhere
 * and the store should stop for.
 */
HAUL_PUBLIC bool
haul_intake_commit(HaulIntake *intake, HaulBodyWriter *body, const HaulItem *item, GError **error);

/* Says that the message @id, which was asked for, will not come, and why. */
HAUL_PUBLIC void haul_intake_skip(HaulIntake *intake, const char *id, const GError *why);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulBodyWriter, haul_body_writer_free)

G_END_DECLS
#endif /* MAILHAUL_INTAKE_H */
