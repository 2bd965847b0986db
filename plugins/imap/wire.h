/*
 * The grammar of IMAP at the level of octets: tokens, numbers, sets, dates, flags; reading and
 * writing them. Pure: nothing here reads a stream, and every function is linear in its input.
 * What whole responses mean is response.h's.
 *
 * A response is parsed as one run of octets: its lines joined by CRLF, each literal following the
 * CRLF of its "{n}" (RFC 9051 §4.3). Values are lent spans of that run.
 */
#ifndef IMAP_WIRE_H
#define IMAP_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"

typedef struct {
  const char *at; /* NULL: NIL, or not there */
  size_t size;
  bool escaped; /* a quoted string that holds backslashes */
} ImapSpan;

typedef struct {
  const char *at, *end;
} ImapCursor;

/* Each takes a token off the front of @cursor; where it is not there, returns false and the cursor
 * may be anywhere. */
bool imap_take_char(ImapCursor *cursor, char c);
bool imap_take_spaces(ImapCursor *cursor);                  /* one or more             */
bool imap_take_number(ImapCursor *cursor, uint64_t *value); /* false on overflow       */
bool imap_take_atom(ImapCursor *cursor, ImapSpan *atom);
bool imap_take_string(ImapCursor *cursor, ImapSpan *string);  /* quoted or literal     */
bool imap_take_astring(ImapCursor *cursor, ImapSpan *string); /* or an atom            */
bool imap_take_nstring(ImapCursor *cursor, ImapSpan *string); /* or NIL                */
bool imap_skip_value(ImapCursor *cursor); /* whatever comes, lists of lists included   */
bool imap_at_end(ImapCursor *cursor);     /* but for blanks, which some servers append */

bool imap_span_is(const ImapSpan *span, const char *word); /* ASCII case aside */
bool imap_span_has_prefix(const ImapSpan *span, const char *prefix);

/* A word and what it stands for; tables of them are short. */
typedef struct {
  const char *word;
  uint32_t value;
} ImapWord;
bool imap_find_word(const ImapSpan *span, const ImapWord *words, size_t n_words, uint32_t *value);

/* Returns the ']' that closes what begins at @at, NULL if none does; quoted strings and lists may
 * hold others. */
const char *imap_find_bracket(const char *at, const char *end);

/* Returns a copy of the string that @span stands for, followed by a NUL; @size (may be NULL) gets
 * its octets. */
char *imap_span_dup(const ImapSpan *span, size_t *size);

/*
 * Looks whether @line ends by announcing a literal.
 *
 * Returns 0 if it does not, the octets from the brace to the end if it does, and -1 if what it
 * announces is no size (it passes 64 bits).
 */
int imap_literal_at_end(const char *line, size_t size, uint64_t *octets);

/* Appends @text in quotes. */
void imap_append_quoted(GString *out, const char *text, size_t size);

/* Whether @text can go in quotes; else it must be a literal (RFC 9051 §4.3). @utf8: UTF-8 can. */
bool imap_is_quotable(const char *text, size_t size, bool utf8);

/* Whether @text is an atom that may stand as a keyword. */
bool imap_is_keyword(const char *text);

/* Appends a parenthesised list of @flags (HaulFlags) and of those @keywords (may be NULL) that can
 * be written. Returns how many keywords it wrote. */
unsigned imap_append_flags(GString *out, uint32_t flags, const char *const *keywords);

/* Appends a number in decimal, quickly. */
void imap_append_number(GString *out, uint64_t number);

#endif /* IMAP_WIRE_H */
