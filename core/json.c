/* Events for programs. */
#include "json.h"

#include <inttypes.h>
#include <string.h>

static void
append_string(GString *json, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  g_string_append_c(json, '"');
  for (const char *at = valid; *at != '\0'; at++) {
    unsigned char octet = (unsigned char)*at;
    if (octet < 0x20 || octet == 0x7f)
      g_string_append_printf(json, "\\u%04x", octet);
    else if (octet == '"' || octet == '\\')
      g_string_append_printf(json, "\\%c", octet);
    else
      g_string_append_c(json, *at);
  }
  g_string_append_c(json, '"');
}

GString *
haul_json_begin(const char *event)
{
  GString *json = g_string_new("{\"event\":");
  append_string(json, event);
  return json;
}

void
haul_json_text(GString *json, const char *name, const char *text)
{
  g_string_append_printf(json, ",\"%s\":", name);
  if (text == NULL)
    g_string_append(json, "null");
  else
    append_string(json, text);
}

void
haul_json_number(GString *json, const char *name, uint64_t number)
{
  g_string_append_printf(json, ",\"%s\":%" PRIu64, name, number);
}

void
haul_json_end(GString *json, FILE *out)
{
  g_string_append(json, "}\n");
  fwrite(json->str, 1, json->len, out);
  fflush(out);
  g_string_free(json, TRUE);
}
