/*
 * Whether a message seems to go on with the answer to the next command.
 *
 * Servers are known that end a message by a dot without a line end before it (field: Exchange 2000, EX19).
 * With another command under way, what follows would be taken for its rest: ".", CRLF and a status line,
 * behind what was announced. A message may hold that, too; when it is asked for alone, all is clear. Pure.
 */
#ifndef POP3_GLUED_H
#define POP3_GLUED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins as { .announced = SIZE }; of a message without a size (HAUL_UNKNOWN), nothing is found. */
typedef struct {
  uint64_t announced, passed; /* octets */
  size_t matched;             /* of what is looked for */
  bool found;
} Pop3Glued;

void pop3_glued_feed(Pop3Glued *glued, const uint8_t *octets, size_t size);

#endif /* POP3_GLUED_H */
