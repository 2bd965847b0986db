/*
 * Showing octets from outside to people: on a terminal, in a log, in a report. Whatever could move
 * the cursor, forge a line or turn the reading direction is spelt out.
 */
#include <mailhaul/text.h>

#include <string.h>

#define DISPLAY_LIMIT 512
#define ELLIPSIS "..."

static bool
is_shown(gunichar character)
{
  switch (g_unichar_type(character)) {
  case G_UNICODE_CONTROL:
  case G_UNICODE_FORMAT: /* bidirectional marks, zero-width ones, tags */
  case G_UNICODE_LINE_SEPARATOR:
  case G_UNICODE_PARAGRAPH_SEPARATOR:
  case G_UNICODE_SURROGATE:
    return false;
  default:
    return true;
  }
}

/* Writes how the character at @text is shown, at most 12 octets. Returns how many of the @length
 * octets it is. */
static size_t
show_one(const unsigned char *text, size_t length, char shown[16])
{
  gunichar character = *text;
  size_t taken = 1;
  if (character >= 0x80) {
    character = g_utf8_get_char_validated((const char *)text, (gssize)MIN(length, 6));
    if (character > 0x10ffff) { /* not valid, or cut off */
      g_snprintf(shown, 16, "\\x%02X", *text);
      return 1;
    }
    taken = (size_t)g_unichar_to_utf8(character, NULL);
  }
  if (is_shown(character)) {
    memcpy(shown, text, taken);
    shown[taken] = '\0';
  } else {
    g_snprintf(shown, 16, "\\u{%X}", character);
  }
  return taken;
}

char *
haul_text_display(const void *text, size_t length)
{
  const unsigned char *at = text;
  GString *out = g_string_sized_new(MIN(length, DISPLAY_LIMIT) + 1);
  size_t cut = 0; /* where the dots would go if it turns out too long */
  while (length > 0) {
    char shown[16];
    size_t taken = show_one(at, length, shown);
    g_string_append(out, shown);
    if (out->len > DISPLAY_LIMIT) {
      g_string_truncate(out, cut);
      g_string_append(out, ELLIPSIS);
      break;
    }
    if (out->len <= DISPLAY_LIMIT - strlen(ELLIPSIS))
      cut = out->len;
    at += taken;
    length -= taken;
  }
  return g_string_free(out, FALSE);
}
