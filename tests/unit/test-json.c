/* Tests json.c: every line is one valid object, whatever the texts hold. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

/* The line that an object with one text gives, to be freed. */
static char *
line_with(const char *text)
{
  char *line = NULL;
  size_t size;
  FILE *out = open_memstream(&line, &size);
  GString *json = haul_json_begin("copied");
  haul_json_text(json, "path", text);
  haul_json_end(json, out);
  fclose(out);
  return line;
}

static void
members_come_in_order_on_one_line(void)
{
  char *line = NULL;
  size_t size;
  FILE *out = open_memstream(&line, &size);
  GString *json = haul_json_begin("folder");
  haul_json_text(json, "path", "INBOX");
  haul_json_number(json, "n", 0);
  haul_json_number(json, "octets", UINT64_MAX);
  haul_json_text(json, "why", NULL);
  haul_json_end(json, out);
  fclose(out);
  CU_ASSERT_STRING_EQUAL(line, "{\"event\":\"folder\",\"path\":\"INBOX\",\"n\":0,"
                               "\"octets\":18446744073709551615,\"why\":null}\n");
  g_free(line);
}

static void
what_json_cannot_hold_is_escaped(void)
{
  static const struct {
    const char *text, *written;
  } table[] = {
    { "", "" },
    { "a\"b", "a\\\"b" },
    { "a\\b", "a\\\\b" },
    { "a\nb\rc\td", "a\\u000ab\\u000dc\\u0009d" },
    { "\x1b[31m", "\\u001b[31m" },
    { "\x7f", "\\u007f" },
    { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
    { "\xff", "\xef\xbf\xbd" },
    { "a\xc3", "a\xef\xbf\xbd" },
    { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
    { "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
    { "</script>", "</script>" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    char *line = line_with(table[i].text);
    g_autofree char *expected =
        g_strdup_printf("{\"event\":\"copied\",\"path\":\"%s\"}\n", table[i].written);
    CU_ASSERT_STRING_EQUAL(line, expected);
    if (strcmp(line, expected) != 0)
      printf("%s", line);
    g_free(line);
  }
}

static void
any_octets_give_valid_utf8_without_controls(void)
{
  uint32_t seed = 4711;
  for (unsigned i = 0; i < 2000; i++) {
    char text[40];
    size_t n = next_random(&seed) % sizeof text;
    for (size_t k = 0; k < n; k++)
      text[k] = (char)(1 + next_random(&seed) % 255);
    text[n == sizeof text ? n - 1 : n] = '\0';
    char *line = line_with(text);
    size_t size = strlen(line);
    CU_ASSERT(g_utf8_validate(line, (gssize)size, NULL));
    CU_ASSERT_EQUAL(line[size - 1], '\n');
    for (size_t k = 0; k + 1 < size; k++)
      CU_ASSERT((unsigned char)line[k] >= 0x20 && line[k] != 0x7f);
    g_free(line);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(members_come_in_order_on_one_line),
    CASE(what_json_cannot_hold_is_escaped),
    CASE(any_octets_give_valid_utf8_without_controls),
  };
  return RUN_SUITE("json", cases);
}
