/* Encoded words. See encoded-word.h. */
#include "encoded-word.h"

#include <string.h>

/* An encoded word has at most 75 octets (RFC 2047 §2); so many of text fit, whatever the charset's name. */
#define WORD_OCTETS 42u

HaulFieldKind
haul_field_kind(const uint8_t *line, size_t size)
{
  static const struct {
    const char *name;
    HaulFieldKind kind;
  } names[] = {
    { "subject:", HAUL_FIELD_TEXT },       { "comments:", HAUL_FIELD_TEXT },
    { "thread-topic:", HAUL_FIELD_TEXT },  { "content-description:", HAUL_FIELD_TEXT },
    { "organization:", HAUL_FIELD_TEXT },  { "x-", HAUL_FIELD_TEXT },
    { "from:", HAUL_FIELD_ADDRESSES },     { "sender:", HAUL_FIELD_ADDRESSES },
    { "reply-to:", HAUL_FIELD_ADDRESSES }, { "to:", HAUL_FIELD_ADDRESSES },
    { "cc:", HAUL_FIELD_ADDRESSES },       { "bcc:", HAUL_FIELD_ADDRESSES },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    size_t length = strlen(names[i].name);
    if (size >= length && g_ascii_strncasecmp((const char *)line, names[i].name, length) == 0)
      return names[i].kind;
  }
  return HAUL_FIELD_OTHER;
}

static bool
has_8bit(const uint8_t *octets, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (octets[i] >= 0x80)
      return true;
  return false;
}

static void
append(GByteArray *out, const void *octets, size_t size)
{
  if (size > 0)
    g_byte_array_append(out, octets, (guint)size);
}

static void
append_plain(GByteArray *out, const uint8_t *octets, size_t size)
{
  for (size_t i = 0; i < size; i++)
    append(out, octets[i] < 0x80 ? &octets[i] : (const uint8_t *)"?", 1);
}

static void
append_words(GByteArray *out, const GByteArray *text)
{
  bool is_utf8 = g_utf8_validate((const char *)text->data, text->len, NULL);
  for (size_t at = 0; at < text->len;) {
    size_t size = MIN(WORD_OCTETS, text->len - at);
    while (is_utf8 && at + size < text->len && (text->data[at + size] & 0xc0) == 0x80)
      size--;
    g_autofree char *code = g_base64_encode(text->data + at, size);
    g_autofree char *word =
        g_strdup_printf("%s=?%s?B?%s?=", at > 0 ? "\r\n " : "",
                        is_utf8 ? "UTF-8" : "unknown-8bit" /* RFC 1428 §3 */, code);
    append(out, word, strlen(word));
    at += size;
  }
}

static bool
is_blank(uint8_t octet)
{
  return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

/* Returns how long the token at @octets is: a word; among addresses, a quoted string, an address in its angle
 * brackets, a mark. */
static size_t
token_size(HaulFieldKind kind, const uint8_t *octets, size_t size)
{
  static const char marks[] = ",;:()<\"";
  size_t n = 1;
  if (kind == HAUL_FIELD_ADDRESSES && octets[0] != '\0' && strchr(marks, octets[0]) != NULL) {
    if (octets[0] != '"' && octets[0] != '<')
      return 1;
    uint8_t end = octets[0] == '"' ? '"' : '>';
    for (; n < size && octets[n] != end && octets[n] != '\n'; n++)
      n += octets[n] == '\\' && n + 1 < size;
    return MIN(n + (n < size && octets[n] == end), size);
  }
  while (n < size && !is_blank(octets[n])
         && (kind != HAUL_FIELD_ADDRESSES || octets[n] == '\0' || strchr(marks, octets[n]) == NULL))
    n++;
  return n;
}

/* What a quoted string says. */
static void
append_unquoted(GByteArray *out, const uint8_t *octets, size_t size)
{
  for (size_t i = 1; i < size && octets[i] != '"'; i++) {
    i += octets[i] == '\\' && i + 1 < size;
    append(out, &octets[i], 1);
  }
}

/* Ends a run of words that are encoded together: between two encoded words a blank would be lost. */
static void
end_run(GByteArray *out, GByteArray *run, bool at_text)
{
  if (run->len == 0)
    return;
  append_words(out, run);
  if (at_text)
    append(out, " ", 1);
  g_byte_array_set_size(run, 0);
}

GByteArray *
haul_field_encode(HaulFieldKind kind, const uint8_t *line, size_t size, bool has_name)
{
  if (!has_8bit(line, size))
    return NULL;
  GByteArray *out = g_byte_array_sized_new((guint)size + 64);
  const uint8_t *colon = has_name ? memchr(line, ':', size) : NULL;
  size_t at = colon != NULL ? (size_t)(colon - line) + 1 : 0;
  append_plain(out, line, at);
  if (kind == HAUL_FIELD_OTHER) {
    append_plain(out, line + at, size - at);
    return out;
  }
  g_autoptr(GByteArray) run = g_byte_array_new();
  while (at < size) {
    size_t blanks = 0;
    while (at + blanks < size && is_blank(line[at + blanks]))
      blanks++;
    const uint8_t *token = line + at + blanks;
    size_t length = at + blanks < size ? token_size(kind, token, size - at - blanks) : 0;
    bool is_address = kind == HAUL_FIELD_ADDRESSES && length > 0
                      && (token[0] == '<' || memchr(token, '@', length) != NULL) && token[0] != '"';
    if (length > 0 && has_8bit(token, length) && !is_address) {
      append(run->len > 0 ? run : out, line + at, blanks);
      if (token[0] == '"' && kind == HAUL_FIELD_ADDRESSES)
        append_unquoted(run, token, length);
      else
        append(run, token, length);
    } else {
      bool at_text = length > 0 && blanks == 0 && strchr(",;:)", token[0]) == NULL;
      end_run(out, run, at_text);
      append(out, line + at, blanks);
      append_plain(out, token, length);
    }
    at += blanks + length;
  }
  end_run(out, run, false);
  return out;
}
