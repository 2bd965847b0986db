/*
 * The header of a message as it passes by, whatever pieces it comes in. Pure.
 *
 * What it says of the message, status.c and ids.c know.
 */
#ifndef POP3_HEAD_H
#define POP3_HEAD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"

typedef struct {
  GByteArray *octets; /* owned; the header, with the empty line that ends it */
  bool is_complete;   /* it has ended, or the limit was reached */
  bool is_cut;        /* the latter */
} Pop3Head;

void pop3_head_init(Pop3Head *head);
void pop3_head_clear(Pop3Head *head);
/* Begins another message. */
void pop3_head_reset(Pop3Head *head);

/* Takes what belongs to the header of the next @size octets. Returns how many: less than @size once it is
 * complete. */
size_t pop3_head_feed(Pop3Head *head, const uint8_t *octets, size_t size);

#endif /* POP3_HEAD_H */
