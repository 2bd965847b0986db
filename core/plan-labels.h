/*
 * The part of the planner that knows that one message may be in several folders: which of them takes it,
 * and which get it from another. Pure.
 *
 * Nothing here can lose a message: it is left to another folder only if that is looked at in the same
 * run, and before. What is decided hangs on the messages alone, so that each run decides the same.
 */
#ifndef HAUL_CORE_PLAN_LABELS_H
#define HAUL_CORE_PLAN_LABELS_H

#include "plan.h"

/* Whether the source message at @index is left to another folder. */
bool haul_labels_is_elsewhere(const HaulMessagesInput *input, uint32_t index);

/* Notes that this folder has, or gets, a copy of the source message at @index, unless one was before. */
void haul_labels_provide(const HaulMessagesInput *input, uint32_t index);

/* Whether the destination can copy the source message at @index itself, from another folder. */
bool haul_labels_can_link(const HaulMessagesInput *input, uint32_t index);

/*
 * Returns @path as the keyword that stands for it, to be freed; NULL if it would be longer than
 * HAUL_LABEL_KEYWORD_LIMIT, which servers refuse.
 *
 * It is the path in modified UTF-7, in which blanks, "_" and what else no keyword may hold (RFC 9051 §9,
 * atom-specials) are written _XX, in hexadecimal. No two paths give the same keyword.
 */
char *haul_labels_keyword(const char *path);
#define HAUL_LABEL_KEYWORD_LIMIT 50 /* Dovecot's */

#endif /* HAUL_CORE_PLAN_LABELS_H */
