/* Whether a message seems to go on with the next answer. See glued.h. */
#include "glued.h"

#include <glib.h>

/* The dot may stand where the last line end should: so much before what was announced. */
#define SLACK 4

/* Matches one octet more of ".", CRLF, "+OK" or "-ERR". */
static size_t
match(size_t matched, uint8_t octet)
{
  /* The states are how far we are: 1 to 3 before the word, 4 and 5 in "+OK", 6 to 8 in "-ERR". */
  static const struct {
    uint8_t octet, next;
  } steps[] = {
    { '.', 1 }, { '\r', 2 }, { '\n', 3 }, { '+', 4 }, { 'O', 5 },
    { 'K', 9 }, { 'E', 7 },  { 'R', 8 },  { 'R', 9 },
  };
  if (matched == 3 && octet == '-')
    return 6;
  if (octet == steps[matched].octet)
    return steps[matched].next;
  return octet == '.' ? 1 : 0;
}

void
pop3_glued_feed(Pop3Glued *glued, const uint8_t *octets, size_t size)
{
  uint64_t from = glued->announced < SLACK ? 0 : glued->announced - SLACK;
  size_t skipped = from > glued->passed ? (size_t)MIN(from - glued->passed, size) : 0;
  glued->passed += size;
  for (size_t i = skipped; i < size && !glued->found; i++) {
    glued->matched = match(glued->matched, octets[i]);
    glued->found = glued->matched == 9;
  }
}
