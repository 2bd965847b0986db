/*
 * The two forms of a message: CRLF line ends on the wire, LF on disk. Pure; octets come in pieces of
 * any size.
 *
 * A message is stored with LF only where that loses nothing: each LF has its CR, and no CR is
 * doubled before one. Else it is stored as it is, and marked so where reading would change it.
 */
#ifndef MAILDIR_LINES_H
#define MAILDIR_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What has been seen of a message; begins as all zeros. */
typedef struct {
  uint64_t octets, n_lf, n_crlf;
  uint64_t n_crcrlf;
  uint8_t last, before_last;
} MaildirLines;

void maildir_lines_feed(MaildirLines *lines, const uint8_t *octets, size_t size);

/* Whether storing with LF and reading with CRLF gives the same octets again. */
bool maildir_lines_convertible(const MaildirLines *lines);
/* Whether reading with CRLF would change the octets: they hold an LF without CR. */
bool maildir_lines_has_bare_lf(const MaildirLines *lines);

/* Octets with all line ends LF (of what is convertible), and with all CRLF. */
uint64_t maildir_lines_lf_size(const MaildirLines *lines);
uint64_t maildir_lines_crlf_size(const MaildirLines *lines);

/*
 * Drops the CR of each CRLF. A CR at the end of a piece is held back in *held until the next.
 *
 * @out: has room for @size + 1. Returns the octets written.
 */
size_t maildir_lines_to_lf(bool *held, const uint8_t *octets, size_t size, uint8_t *out);

/*
 * Both at once, for a message that is at hand whole: what feeding it to @lines, as all zeros, and dropping the
 * CRs gives.
 *
 * @out: has room for @size octets. Returns the octets written; they count if it is convertible.
 */
size_t maildir_lines_convert(MaildirLines *lines, const uint8_t *octets, size_t size, uint8_t *out);

/*
 * Puts a CR before each LF that has none.
 *
 * @last: the octet before, which the call keeps up to date; begins as 0.
 * @used: gets how many octets of @size were taken. @out: @room octets, at least 1.
 * Returns the octets written.
 */
size_t maildir_lines_to_crlf(uint8_t *last, const uint8_t *octets, size_t size, size_t *used,
                             uint8_t *out, size_t room);

#endif /* MAILDIR_LINES_H */
