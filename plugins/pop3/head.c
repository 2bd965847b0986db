/* The header of a message as it passes by. */
#include "head.h"

#include <string.h>

void
pop3_head_init(Pop3Head *head)
{
  *head = (Pop3Head){ .octets = g_byte_array_new() };
}

void
pop3_head_clear(Pop3Head *head)
{
  g_clear_pointer(&head->octets, g_byte_array_unref);
}

void
pop3_head_reset(Pop3Head *head)
{
  g_byte_array_set_size(head->octets, 0);
  head->is_complete = head->is_cut = false;
}

/* Whether the line that has just ended is an empty one. A CR alone before it may have come in an earlier
 * piece. */
static bool
ended_empty(const Pop3Head *head)
{
  const uint8_t *octets = head->octets->data;
  guint size = head->octets->len;
  return size == 1 || octets[size - 2] == '\n'
         || (octets[size - 2] == '\r' && (size == 2 || octets[size - 3] == '\n'));
}

size_t
pop3_head_feed(Pop3Head *head, const uint8_t *octets, size_t size)
{
  size_t taken = 0;
  while (taken < size && !head->is_complete) {
    const uint8_t *line = octets + taken;
    const uint8_t *newline = memchr(line, '\n', size - taken);
    size_t n = newline != NULL ? (size_t)(newline - line) + 1 : size - taken;
    size_t room = POP3_HEAD_LIMIT - head->octets->len;
    if (n > room) {
      n = room;
      newline = NULL;
      head->is_complete = head->is_cut = true;
    }
    g_byte_array_append(head->octets, line, (guint)n);
    taken += n;
    if (newline != NULL && ended_empty(head))
      head->is_complete = true;
  }
  return taken;
}
