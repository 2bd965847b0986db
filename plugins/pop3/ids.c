/* What names a message over many sessions. */
#include "ids.h"

#include <string.h>

/* Octets of the digest that an id has, in hexadecimal digits: as good as a UUID. */
#define DIGITS 32

bool
pop3_ids_is_uidl(const char *text, size_t size)
{
  if (size == 0 || size > POP3_UIDL_LIMIT)
    return false;
  for (size_t i = 0; i < size; i++)
    if (text[i] < 0x21 || text[i] > 0x7E)
      return false;
  return true;
}

bool
pop3_ids_is_made(const char *id)
{
  return strchr(id, ' ') != NULL;
}

/* Fields that servers add or change while a message lies there (field: mbox servers). */
static bool
is_volatile(const char *name, size_t size)
{
  static const char *const names[] = { "Status",     "X-Status", "X-UID",
                                       "X-UIDL",     "X-IMAP",   "X-IMAPbase",
                                       "X-Keywords", "Lines",    "Content-Length" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (strlen(names[i]) == size && g_ascii_strncasecmp(names[i], name, size) == 0)
      return true;
  return false;
}

void
pop3_print_begin(Pop3Print *print, const uint8_t *header, size_t size, bool is_cut)
{
  pop3_print_clear(print);
  print->sum = g_checksum_new(G_CHECKSUM_SHA256);
  bool left_out = false, was_received = false;
  for (size_t at = 0; at < size;) {
    const char *line = (const char *)header + at;
    const char *newline = memchr(line, '\n', size - at);
    size_t n = newline != NULL ? (size_t)(newline - line) + 1 : size - at;
    at += n;
    if (*line == '\n' || (*line == '\r' && n == 2)) /* not all give the one that ends it */
      continue;
    if (*line != ' ' && *line != '\t') { /* else it goes on with the field before */
      const char *colon = memchr(line, ':', n);
      size_t name_size = colon != NULL ? (size_t)(colon - line) : 0;
      left_out = is_volatile(line, name_size);
      was_received |= name_size == 8 && g_ascii_strncasecmp(line, "Received", 8) == 0;
    }
    if (!left_out)
      g_checksum_update(print->sum, (const guchar *)line, (gssize)n);
  }
  print->needs_body = is_cut || !was_received;
}

void
pop3_print_feed(Pop3Print *print, const uint8_t *octets, size_t size)
{
  if (print->needs_body)
    g_checksum_update(print->sum, octets, (gssize)size);
}

char *
pop3_print_end(Pop3Print *print)
{
  char *id = g_strdup_printf("content %.*s", DIGITS, g_checksum_get_string(print->sum));
  pop3_print_clear(print);
  return id;
}

void
pop3_print_clear(Pop3Print *print)
{
  g_clear_pointer(&print->sum, g_checksum_free);
}

char *
pop3_ids_nth(const char *first, guint n)
{
  return n == 1 ? g_strdup(first) : g_strdup_printf("%s %u", first, n);
}

char *
pop3_ids_first(const char *id)
{
  const char *digest = strchr(id, ' ');
  const char *number = digest != NULL ? strchr(digest + 1, ' ') : NULL;
  return number != NULL ? g_strndup(id, (gsize)(number - id)) : g_strdup(id);
}
