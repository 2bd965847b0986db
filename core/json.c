/* JSON for programs. */
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

static void
append_name(GString *json, const char *name)
{
  char last = json->len > 0 ? json->str[json->len - 1] : '{';
  if (last != '{' && last != '[')
    g_string_append_c(json, ',');
  if (name != NULL)
    g_string_append_printf(json, "\"%s\":", name);
}

void
haul_json_null(GString *json, const char *name)
{
  append_name(json, name);
  g_string_append(json, "null");
}

void
haul_json_text(GString *json, const char *name, const char *text)
{
  if (text == NULL) {
    haul_json_null(json, name);
    return;
  }
  append_name(json, name);
  append_string(json, text);
}

void
haul_json_number(GString *json, const char *name, uint64_t number)
{
  append_name(json, name);
  g_string_append_printf(json, "%" PRIu64, number);
}

void
haul_json_open(GString *json, const char *name, char bracket)
{
  if (json->len > 0)
    append_name(json, name);
  g_string_append_c(json, bracket);
}

void
haul_json_close(GString *json, char bracket)
{
  g_string_append_c(json, bracket);
}

void
haul_json_end(GString *json, FILE *out)
{
  g_string_append(json, "}\n");
  fwrite(json->str, 1, json->len, out);
  fflush(out);
  g_string_free(json, TRUE);
}
