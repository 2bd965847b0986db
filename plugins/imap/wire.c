/* Tokens of IMAP, from octets and back. See wire.h. */
#include "wire.h"

#include <mailhaul/message.h>
#include <string.h>

static const char *const system_flags[] = { "\\Seen", "\\Answered", "\\Flagged", "\\Deleted",
                                            "\\Draft" };

bool
imap_take_char(ImapCursor *cursor, char c)
{
  if (cursor->at == cursor->end || *cursor->at != c)
    return false;
  cursor->at++;
  return true;
}

bool
imap_take_spaces(ImapCursor *cursor)
{
  const char *start = cursor->at;
  while (cursor->at < cursor->end && *cursor->at == ' ')
    cursor->at++;
  return cursor->at > start;
}

bool
imap_take_number(ImapCursor *cursor, uint64_t *value)
{
  const char *start = cursor->at;
  uint64_t sum = 0;
  for (; cursor->at < cursor->end && g_ascii_isdigit(*cursor->at); cursor->at++) {
    unsigned digit = (unsigned)(*cursor->at - '0');
    if (sum > (UINT64_MAX - digit) / 10)
      return false;
    sum = sum * 10 + digit;
  }
  *value = sum;
  return cursor->at > start;
}

static bool
ends_atom(char c)
{
  return (unsigned char)c <= ' ' || c == '(' || c == ')' || c == '"' || c == '{' || c == 0x7f;
}

/* Wider than RFC 9051's atom: servers put ']', '%' and 8-bit octets into names and keywords. */
bool
imap_take_atom(ImapCursor *cursor, ImapSpan *atom)
{
  const char *start = cursor->at;
  while (cursor->at < cursor->end && !ends_atom(*cursor->at))
    cursor->at++;
  *atom = (ImapSpan){ start, (size_t)(cursor->at - start), false };
  return atom->size > 0;
}

static bool
take_quoted(ImapCursor *cursor, ImapSpan *string)
{
  const char *start = ++cursor->at;
  bool escaped = false;
  for (; cursor->at < cursor->end; cursor->at++) {
    char c = *cursor->at;
    if (c == '"') {
      *string = (ImapSpan){ start, (size_t)(cursor->at - start), escaped };
      cursor->at++;
      return true;
    }
    if (c == '\r' || c == '\n')
      return false;
    if (c == '\\') {
      escaped = true;
      if (++cursor->at == cursor->end)
        return false;
    }
  }
  return false;
}

static bool
take_literal(ImapCursor *cursor, ImapSpan *string)
{
  uint64_t size;
  cursor->at++;
  if (!imap_take_number(cursor, &size) || !imap_take_char(cursor, '}')
      || !imap_take_char(cursor, '\r') || !imap_take_char(cursor, '\n')
      || size > (uint64_t)(cursor->end - cursor->at))
    return false;
  *string = (ImapSpan){ cursor->at, (size_t)size, false };
  cursor->at += size;
  return true;
}

bool
imap_take_string(ImapCursor *cursor, ImapSpan *string)
{
  if (cursor->at == cursor->end)
    return false;
  if (*cursor->at == '"')
    return take_quoted(cursor, string);
  if (*cursor->at == '~') /* literal8, RFC 3516 */
    cursor->at++;
  return cursor->at < cursor->end && *cursor->at == '{' && take_literal(cursor, string);
}

bool
imap_take_astring(ImapCursor *cursor, ImapSpan *string)
{
  if (cursor->at < cursor->end && (*cursor->at == '"' || *cursor->at == '{'))
    return imap_take_string(cursor, string);
  return imap_take_atom(cursor, string);
}

bool
imap_take_nstring(ImapCursor *cursor, ImapSpan *string)
{
  if (cursor->end - cursor->at >= 3 && g_ascii_strncasecmp(cursor->at, "NIL", 3) == 0) {
    cursor->at += 3;
    *string = (ImapSpan){ NULL, 0, false };
    return true;
  }
  return imap_take_string(cursor, string);
}

bool
imap_skip_value(ImapCursor *cursor)
{
  unsigned depth = 0;
  do {
    if (depth > 0)
      imap_take_spaces(cursor);
    if (imap_take_char(cursor, '(')) {
      if (++depth > IMAP_NESTING_LIMIT)
        return false;
    } else if (imap_take_char(cursor, ')')) {
      if (depth-- == 0)
        return false;
    } else {
      ImapSpan ignored;
      bool literal8 = cursor->end - cursor->at > 1 && cursor->at[0] == '~' && cursor->at[1] == '{';
      if (!(literal8 ? imap_take_string(cursor, &ignored) : imap_take_astring(cursor, &ignored)))
        return false;
    }
  } while (depth > 0);
  return true;
}

bool
imap_at_end(ImapCursor *cursor)
{
  imap_take_spaces(cursor);
  return cursor->at == cursor->end;
}

bool
imap_span_is(const ImapSpan *span, const char *word)
{
  return span->at != NULL && strlen(word) == span->size
         && g_ascii_strncasecmp(span->at, word, span->size) == 0;
}

bool
imap_span_has_prefix(const ImapSpan *span, const char *prefix)
{
  size_t size = strlen(prefix);
  return span->at != NULL && size <= span->size && g_ascii_strncasecmp(span->at, prefix, size) == 0;
}

bool
imap_find_word(const ImapSpan *span, const ImapWord *words, size_t n_words, uint32_t *value)
{
  for (size_t i = 0; i < n_words; i++) {
    if (imap_span_is(span, words[i].word)) {
      *value = words[i].value;
      return true;
    }
  }
  return false;
}

const char *
imap_find_bracket(const char *at, const char *end)
{
  unsigned depth = 0;
  for (bool quoted = false; at < end; at++) {
    if (quoted) {
      if (*at == '\\' && at + 1 < end)
        at++;
      else if (*at == '"')
        quoted = false;
    } else if (*at == '"') {
      quoted = true;
    } else if (*at == '(') {
      depth++;
    } else if (*at == ')' && depth > 0) {
      depth--;
    } else if (*at == ']' && depth == 0) {
      return at;
    }
  }
  return NULL;
}

char *
imap_span_dup(const ImapSpan *span, size_t *size)
{
  char *copy = g_malloc(span->size + 1);
  size_t length = 0;
  for (size_t i = 0; i < span->size; i++) {
    if (span->escaped && span->at[i] == '\\' && i + 1 < span->size)
      i++;
    copy[length++] = span->at[i];
  }
  copy[length] = '\0';
  if (size != NULL)
    *size = length;
  return copy;
}

int
imap_literal_at_end(const char *line, size_t size, uint64_t *octets)
{
  if (size < 3 || line[size - 1] != '}')
    return 0;
  size_t brace = size - 2;
  while (brace > 0 && g_ascii_isdigit(line[brace]))
    brace--;
  if (line[brace] != '{' || brace == size - 2)
    return 0;
  ImapCursor digits = { line + brace + 1, line + size - 1 };
  return imap_take_number(&digits, octets) ? (int)MIN(size - brace, (size_t)G_MAXINT) : -1;
}

bool
imap_is_quotable(const char *text, size_t size, bool utf8)
{
  for (size_t i = 0; i < size; i++) {
    unsigned char octet = (unsigned char)text[i];
    if (octet < ' ' || octet == 0x7F || (octet > '~' && !utf8))
      return false;
  }
  return !utf8 || g_utf8_validate(text, (gssize)size, NULL);
}

void
imap_append_quoted(GString *out, const char *text, size_t size)
{
  g_string_append_c(out, '"');
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '"' || text[i] == '\\')
      g_string_append_c(out, '\\');
    g_string_append_c(out, text[i]);
  }
  g_string_append_c(out, '"');
}

bool
imap_is_keyword(const char *text)
{
  for (const char *at = text; *at != '\0'; at++) {
    if (ends_atom(*at) || (unsigned char)*at > '~' || strchr("%*\\]", *at) != NULL)
      return false;
  }
  return *text != '\0';
}

unsigned
imap_append_flags(GString *out, uint32_t flags, const char *const *keywords)
{
  unsigned n_keywords = 0;
  const char *separator = "";
  g_string_append_c(out, '(');
  for (unsigned i = 0; i < G_N_ELEMENTS(system_flags); i++) {
    if ((flags & 1u << i) == 0)
      continue;
    g_string_append(out, separator);
    g_string_append(out, system_flags[i]);
    separator = " ";
  }
  for (; keywords != NULL && *keywords != NULL; keywords++) {
    if (!imap_is_keyword(*keywords))
      continue;
    g_string_append(out, separator);
    g_string_append(out, *keywords);
    separator = " ";
    n_keywords++;
  }
  g_string_append_c(out, ')');
  return n_keywords;
}

void
imap_append_number(GString *out, uint64_t number)
{
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  g_string_append_len(out, digits + at, (gssize)(sizeof digits - at));
}
