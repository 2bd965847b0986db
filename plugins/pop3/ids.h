/*
 * What names a message over many sessions: its UIDL where that can be used, else an id made of what the
 * message holds. Pure.
 *
 * An id that is made has a blank in it, which a UIDL cannot have, so that nobody takes the one for the
 * other (HAUL_FOLDER_UIDLS). It is the same whether the header came by TOP or RETR, and stays when the
 * server notes in the header that the message was read.
 */
#ifndef POP3_IDS_H
#define POP3_IDS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"

/* Whether a text is a UIDL: 1 to POP3_UIDL_LIMIT octets between 0x21 and 0x7E. */
bool pop3_ids_is_uidl(const char *text, size_t size);

/* Whether an id was made, and is no UIDL. */
bool pop3_ids_is_made(const char *id);

/*
 * Makes an id of messages one after the other.
 *
 * begin(): with the header, empty line and all. @is_cut: that it goes on, and is not all there.
 * needs_body(): whether that is too little to name the message: a header without Received may come
 * twice with another body. Then feed() wants all that follows.
 * end(): returns the id, to be freed, as the first message of this content has it.
 */
typedef struct {
  GChecksum *sum; /* owned */
  bool needs_body;
} Pop3Print;

void pop3_print_begin(Pop3Print *print, const uint8_t *header, size_t size, bool is_cut);
void pop3_print_feed(Pop3Print *print, const uint8_t *octets, size_t size);
char *pop3_print_end(Pop3Print *print);
void pop3_print_clear(Pop3Print *print);

/* Returns the id of the @n-th message, counted from 1, that would have the id @first; to be freed. */
char *pop3_ids_nth(const char *first, guint n);

/* Returns the id @first that pop3_ids_nth() made @id of; to be freed. */
char *pop3_ids_first(const char *id);

#endif /* POP3_IDS_H */
