/* The grammar of POP3. See wire.h. */
#include "wire.h"

#include <string.h>

/* ---- status lines ---- */

static bool
has_prefix(const char *line, size_t size, const char *word)
{
  size_t length = strlen(word);
  return size >= length && g_ascii_strncasecmp(line, word, length) == 0;
}

static bool
is_blank(char octet)
{
  return octet == ' ' || octet == '\t';
}

static Pop3Code
code_of(const char *name, size_t size)
{
  static const struct {
    const char *name;
    Pop3Code code;
  } codes[] = {
    { "IN-USE", POP3_CODE_IN_USE },     { "LOGIN-DELAY", POP3_CODE_LOGIN_DELAY },
    { "SYS/TEMP", POP3_CODE_SYS_TEMP }, { "SYS/PERM", POP3_CODE_SYS_PERM },
    { "SYS", POP3_CODE_SYS_TEMP },      { "AUTH", POP3_CODE_AUTH },
    { "UTF8", POP3_CODE_UTF8 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
    if (size == strlen(codes[i].name) && g_ascii_strncasecmp(name, codes[i].name, size) == 0)
      return codes[i].code;
  /* RFC 2449 §8: of a hierarchy that is known so far only, the part that is known counts. */
  for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
    size_t length = strlen(codes[i].name);
    if (size > length && name[length] == '/' && has_prefix(name, size, codes[i].name))
      return codes[i].code;
  }
  return POP3_CODE_OTHER;
}

/* Reads the digits that @text begins with. *@number: UINT64_MAX where it does not fit. Returns them. */
static size_t
take_digits(const char *text, size_t size, uint64_t *number)
{
  size_t at = 0;
  *number = 0;
  for (; at < size && g_ascii_isdigit(text[at]); at++) {
    unsigned digit = (unsigned)(text[at] - '0');
    bool fits = *number <= (UINT64_MAX - digit) / 10;
    *number = fits ? *number * 10 + digit : UINT64_MAX;
  }
  return at;
}

static void
read_code(const char *text, size_t size, Pop3Code *code, uint32_t *wait_s)
{
  const char *end = size > 0 && text[0] == '[' ? memchr(text, ']', size) : NULL;
  if (end == NULL)
    return;
  size_t name = 1, inside = (size_t)(end - text);
  while (name < inside && !is_blank(text[name]))
    name++;
  *code = code_of(text + 1, name - 1);
  while (name < inside && is_blank(text[name]))
    name++;
  uint64_t number;
  if (take_digits(text + name, inside - name, &number) > 0)
    *wait_s = (uint32_t)MIN(number, UINT32_MAX);
}

Pop3StatusKind
pop3_wire_status(const char *line, size_t size, const char **text, size_t *text_size,
                 Pop3Code *code, uint32_t *wait_s)
{
  Pop3StatusKind kind = has_prefix(line, size, "+OK")    ? POP3_STATUS_OK
                        : has_prefix(line, size, "-ERR") ? POP3_STATUS_ERR
                        : size > 0 && line[0] == '+'     ? POP3_STATUS_GO_AHEAD
                                                         : POP3_STATUS_NONE;
  size_t at = kind == POP3_STATUS_OK         ? strlen("+OK")
              : kind == POP3_STATUS_ERR      ? strlen("-ERR")
              : kind == POP3_STATUS_GO_AHEAD ? strlen("+")
                                             : 0;
  while (at < size && is_blank(line[at]))
    at++;
  *text = line + at;
  *text_size = size - at;
  *code = POP3_CODE_NONE;
  *wait_s = 0;
  if (kind == POP3_STATUS_ERR)
    read_code(*text, *text_size, code, wait_s);
  return kind;
}

/* ---- listings ---- */

bool
pop3_wire_listing(const char *line, size_t size, uint32_t *number, const char **rest,
                  size_t *rest_size)
{
  uint64_t found;
  size_t at = take_digits(line, size, &found);
  if (at == 0 || found == 0 || found > UINT32_MAX || (at < size && !is_blank(line[at])))
    return false;
  while (at < size && is_blank(line[at]))
    at++;
  while (size > at && is_blank(line[size - 1]))
    size--;
  *number = (uint32_t)found;
  *rest = line + at;
  *rest_size = size - at;
  return true;
}

uint64_t
pop3_wire_size(const char *text, size_t size)
{
  uint64_t number;
  size_t at = take_digits(text, size, &number);
  return at == 0 || (at < size && !is_blank(text[at])) ? UINT64_MAX : number;
}

/* ---- the time stamp of APOP ---- */

/* The octets of atoms and dots, and those of a literal domain. */
static bool
is_stamp_octet(char octet)
{
  return g_ascii_isgraph(octet) && strchr("<>()\",;\\", octet) == NULL;
}

const char *
pop3_wire_stamp(const char *text, size_t size, size_t *stamp_size)
{
  const char *end = text + size, *start = memchr(text, '<', size);
  if (start == NULL)
    return NULL;
  const char *at = start + 1, *middle = NULL;
  unsigned n_ats = 0;
  for (; at < end && is_stamp_octet(*at); at++) {
    if (*at != '@')
      continue;
    middle = at;
    n_ats++;
  }
  if (at == end || *at != '>' || n_ats != 1 || middle == start + 1 || middle + 1 == at)
    return NULL;
  *stamp_size = (size_t)(at + 1 - start);
  return start;
}

/* ---- messages ---- */

/* Takes octets up to a dot at the begin of a line, and that dot, or all of them. */
static size_t
take_lines(Pop3Body *body, const uint8_t *octets, size_t size, size_t *piece_size)
{
  const uint8_t *at = octets, *end = octets + size, *line_feed;
  bool after_cr = body->state == POP3_BODY_AFTER_CR;
  while ((line_feed = memchr(at, '\n', (size_t)(end - at))) != NULL) {
    bool begins_line = line_feed > octets ? line_feed[-1] == '\r' : after_cr;
    at = line_feed + 1;
    if (at == end) {
      body->state = begins_line ? POP3_BODY_AT_LINE : POP3_BODY_IN_LINE;
      *piece_size = size;
      return size;
    }
    if (begins_line && *at == '.') {
      body->state = POP3_BODY_DOT;
      *piece_size = (size_t)(at - octets);
      return *piece_size + 1;
    }
  }
  body->state = end[-1] == '\r' ? POP3_BODY_AFTER_CR : POP3_BODY_IN_LINE;
  *piece_size = size;
  return size;
}

size_t
pop3_wire_body(Pop3Body *body, const uint8_t *octets, size_t size, const uint8_t **piece,
               size_t *piece_size)
{
  static const uint8_t carriage_return[] = "\r";
  *piece = octets;
  *piece_size = 0;
  if (size == 0)
    return 0;
  switch (body->state) {
  case POP3_BODY_END:
    return 0;
  case POP3_BODY_AT_LINE:
    if (octets[0] != '.')
      break;
    body->state = POP3_BODY_DOT;
    return 1;
  case POP3_BODY_DOT:
    if (octets[0] != '\r')
      break; /* what is behind the dot is the line, whatever it is */
    body->state = POP3_BODY_DOT_CR;
    return 1;
  case POP3_BODY_DOT_CR:
    if (octets[0] == '\n') {
      body->state = POP3_BODY_END;
      return 1;
    }
    body->state = POP3_BODY_AFTER_CR;
    *piece = carriage_return;
    *piece_size = 1;
    return 0;
  case POP3_BODY_IN_LINE:
  case POP3_BODY_AFTER_CR:
    break;
  }
  return take_lines(body, octets, size, piece_size);
}
