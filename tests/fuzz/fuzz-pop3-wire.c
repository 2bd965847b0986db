/* The wire of plugins/pop3: a message comes off it as it was put on it, however its octets come, and ends
 * where a plain search says; status lines, listings and capabilities keep to their octets. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include "../../plugins/pop3/capability.h"
#include "../../plugins/pop3/refusal.h"
#include "../../plugins/pop3/wire.h"

/* Feeds @size octets, at most @step at a time. Returns the message; @used: how many were consumed. */
static GString *
unstuff(const char *octets, size_t size, size_t step, bool *ended, size_t *used)
{
  GString *out = g_string_new(NULL);
  Pop3Body body = { POP3_BODY_AT_LINE };
  unsigned idle = 0;
  for (*used = 0; *used < size && body.state != POP3_BODY_END;) {
    const uint8_t *piece;
    size_t piece_size;
    size_t taken = pop3_wire_body(&body, (const uint8_t *)octets + *used, MIN(step, size - *used),
                                  &piece, &piece_size);
    idle = taken > 0 ? 0 : idle + 1;
    FUZZ_ASSERT(idle < 2);
    *used += taken;
    g_string_append_len(out, (const char *)piece, (gssize)piece_size);
  }
  *ended = body.state == POP3_BODY_END;
  return out;
}

/* The same by the letter of RFC 1939 §3: split at CRLF, a dot alone ends, a dot in front goes. */
static GString *
unstuff_plainly(const char *octets, size_t size, bool *ended, size_t *used)
{
  GString *out = g_string_new(NULL);
  for (*used = 0, *ended = false; !*ended;) {
    const char *line = octets + *used, *end = NULL;
    for (size_t at = *used; at + 1 < size && end == NULL; at++)
      if (octets[at] == '\r' && octets[at + 1] == '\n')
        end = octets + at;
    if (end == NULL)
      return out;
    *used = (size_t)(end + 2 - octets);
    *ended = end - line == 1 && *line == '.';
    size_t skip = end > line && *line == '.' ? 1 : 0;
    if (!*ended)
      g_string_append_len(out, line + skip, end + 2 - line - (gssize)skip);
  }
  return out;
}

static void
try_wire(const char *octets, size_t size)
{
  static const size_t steps[] = { SIZE_MAX, 1, 2, 5 };
  bool ended;
  size_t used;
  GString *plain = unstuff_plainly(octets, size, &ended, &used);
  for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
    bool ended_too;
    size_t used_too;
    GString *message = unstuff(octets, size, steps[i], &ended_too, &used_too);
    FUZZ_ASSERT(ended == ended_too && (!ended || used == used_too));
    FUZZ_ASSERT(message->len >= plain->len && memcmp(message->str, plain->str, plain->len) == 0);
    FUZZ_ASSERT(!ended || message->len == plain->len);
    g_string_free(message, TRUE);
  }
  g_string_free(plain, TRUE);
}

/* What is put on the wire by the book comes off it. */
static void
try_message(const char *octets, size_t size)
{
  g_autoptr(GString) message = g_string_new_len(octets, (gssize)size);
  if (size > 0 && (size < 2 || memcmp(octets + size - 2, "\r\n", 2) != 0))
    g_string_append(message, "\r\n");
  g_autoptr(GString) wire = g_string_new(NULL);
  for (size_t i = 0; i < message->len; i++) {
    bool begins_line = i == 0 || (i >= 2 && memcmp(message->str + i - 2, "\r\n", 2) == 0);
    if (begins_line && message->str[i] == '.')
      g_string_append_c(wire, '.');
    g_string_append_c(wire, message->str[i]);
  }
  g_string_append(wire, ".\r\n+OK\r\n");
  bool ended;
  size_t used;
  GString *again = unstuff(wire->str, wire->len, 1 + size % 7, &ended, &used);
  FUZZ_ASSERT(ended && used == wire->len - 5 && g_string_equal(message, again));
  g_string_free(again, TRUE);
}

static void
try_listing(const char *text, size_t size)
{
  uint32_t number, number_again;
  const char *rest, *rest_again;
  size_t rest_size, again_size;
  if (!pop3_wire_listing(text, size, &number, &rest, &rest_size))
    return;
  FUZZ_ASSERT(number > 0 && rest >= text && rest + rest_size <= text + size);
  g_autoptr(GString) line = g_string_new(NULL);
  g_string_printf(line, "%u ", number);
  g_string_append_len(line, rest, (gssize)rest_size);
  FUZZ_ASSERT(pop3_wire_listing(line->str, line->len, &number_again, &rest_again, &again_size)
              && number == number_again && rest_size == again_size
              && memcmp(rest, rest_again, again_size) == 0);
  uint64_t octets = pop3_wire_size(rest, rest_size);
  g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, octets);
  FUZZ_ASSERT(octets == UINT64_MAX || pop3_wire_size(digits, strlen(digits)) == octets);
}

static void
try_status(const char *text, size_t size)
{
  const char *words;
  size_t words_size;
  Pop3Code code;
  uint32_t wait_s;
  Pop3StatusKind kind = pop3_wire_status(text, size, &words, &words_size, &code, &wait_s);
  FUZZ_ASSERT(words >= text && words + words_size == text + size);
  FUZZ_ASSERT(kind == POP3_STATUS_ERR || (code == POP3_CODE_NONE && wait_s == 0));
  g_autofree char *copy = g_strndup(words, words_size);
  FUZZ_ASSERT(pop3_classify(code, copy) <= POP3_REFUSED_AND_LEAVING);
  FUZZ_ASSERT(pop3_classify_for_message(code, copy) <= POP3_REFUSED_AND_LEAVING);
  FUZZ_ASSERT(pop3_classify_login(code, copy) <= POP3_LOGIN_FOR_NOW);
  FUZZ_ASSERT(pop3_wait_asked_ms(copy) <= 3600 * 1000);
  size_t stamp_size;
  const char *stamp = pop3_wire_stamp(words, words_size, &stamp_size);
  FUZZ_ASSERT(stamp == NULL
              || (stamp >= words && stamp + stamp_size <= words + words_size && stamp_size >= 5
                  && stamp[0] == '<' && stamp[stamp_size - 1] == '>'
                  && memchr(stamp, ' ', stamp_size) == NULL
                  && memchr(stamp, '@', stamp_size) != NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_memdup2(data, size + (size == 0)); /* exact, for checkers */
  Pop3Capabilities can;
  pop3_capabilities_begin(&can);
  pop3_capabilities_take(&can, text, size);
  try_wire(text, size);
  try_message(text, size);
  try_listing(text, size);
  try_status(text, size);
  return 0;
}

const char *const fuzz_seeds[] = {
  "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>",
  "-ERR [LOGIN-DELAY 900] wait 30 seconds",
  "-ERR [SYS/TEMP/X] mailbox locked; try again in 5 minutes",
  "+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+",
  "12 4294967295 octets",
  "7 whqtswO00WBw418f9t5JxYwZ",
  "SASL PLAIN SCRAM-SHA-256 LOGIN",
  "LOGIN-DELAY 900 USER",
  "UTF8 USER",
  "a\r\n..\r\n.b\r\n\r\n.\r\n+OK\r\n",
  ".\r\n",
  "..\n.\r.\r\r\n.\n\r\n.\r\n",
  NULL,
};
