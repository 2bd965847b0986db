/*
 * The grammar of POP3 (RFC 1939, RFC 2449): status lines, lines of listings, where a message ends.
 * Pure, linear in its input, and of bounded memory: nothing is allocated.
 */
#ifndef POP3_WIRE_H
#define POP3_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Extended response codes (RFC 2449 §8, RFC 3206). */
typedef enum {
  POP3_CODE_NONE,
  POP3_CODE_IN_USE,      /* another session has the mailbox           */
  POP3_CODE_LOGIN_DELAY, /* too soon after the last login             */
  POP3_CODE_SYS_TEMP,    /* trouble of the server that may pass       */
  POP3_CODE_SYS_PERM,    /* trouble of the server that wants somebody */
  POP3_CODE_AUTH,        /* these credentials                         */
  POP3_CODE_UTF8,        /* only for whom has said UTF8 (RFC 6856)    */
  POP3_CODE_OTHER,
} Pop3Code;

typedef enum {
  POP3_STATUS_OK,
  POP3_STATUS_ERR,
  POP3_STATUS_GO_AHEAD, /* "+ ", of an authentication */
  POP3_STATUS_NONE,     /* no status line             */
} Pop3StatusKind;

/*
 * Reads a line as an answer.
 *
 * @text: gets what follows the word, response code and all. @code: gets that of an error.
 * @wait_s: gets the number in it, as in "[LOGIN-DELAY 900]", or 0.
 */
Pop3StatusKind pop3_wire_status(const char *line, size_t size, const char **text, size_t *text_size,
                                Pop3Code *code, uint32_t *wait_s);

/*
 * Reads a line of LIST or UIDL: the number of a message, at least 1, and what follows.
 *
 * @rest: gets that, without blanks at either end; it may be empty.
 * Returns false, and leaves the others alone, if the line begins with no such number.
 */
bool pop3_wire_listing(const char *line, size_t size, uint32_t *number, const char **rest,
                       size_t *rest_size);

/* Returns the number that @text is, or begins with before a blank; UINT64_MAX if it is none, or too
 * large. */
uint64_t pop3_wire_size(const char *text, size_t size);

/* Finds the time stamp of a greeting that knows APOP (RFC 1939 §7), with its angle brackets. Only what
 * is a msg-id by RFC 822 is one: others let who is in between learn the password (CVE-2007-1558).
 * Returns NULL if there is none. */
const char *pop3_wire_stamp(const char *text, size_t size, size_t *stamp_size);

/* Where in a message the octets read so far end. Begins as { 0 }. */
typedef enum {
  POP3_BODY_AT_LINE, /* a line begins                        */
  POP3_BODY_IN_LINE,
  POP3_BODY_AFTER_CR,
  POP3_BODY_DOT,    /* "." at the begin of a line, not passed on */
  POP3_BODY_DOT_CR, /* and CR, held back as well                 */
  POP3_BODY_END,    /* CRLF.CRLF has come                        */
} Pop3BodyState;
typedef struct {
  Pop3BodyState state;
} Pop3Body;

/*
 * Takes octets of a message off the wire and undoes the stuffing of dots (RFC 1939 §3): only CRLF.CRLF
 * ends it, a line begins only behind a CRLF, and all else passes.
 *
 * @piece: gets octets of the message, lent by @octets or static; @piece_size may be 0.
 * Returns how many of @octets were consumed; call again with the rest until that is none or the body
 * has come to POP3_BODY_END, behind which nothing is consumed. It may be 0 once, with a piece.
 */
size_t pop3_wire_body(Pop3Body *body, const uint8_t *octets, size_t size, const uint8_t **piece,
                      size_t *piece_size);

#endif /* POP3_WIRE_H */
