/* Pins. See pin.h. */
#include "pin.h"

#include <string.h>

#define PREFIX "sha256:"
#define BASE64_LENGTH 44 /* of 32 octets, padding included */

static bool
parse_hex(const char *text, HaulPin *pin)
{
  size_t n = 0;
  for (; n < HAUL_PIN_OCTETS; n++) {
    if (n > 0 && *text == ':')
      text++;
    if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]))
      return false;
    pin->digest[n] = (uint8_t)(g_ascii_xdigit_value(text[0]) * 16 + g_ascii_xdigit_value(text[1]));
    text += 2;
  }
  return *text == '\0';
}

static bool
parse_base64(const char *text, HaulPin *pin)
{
  size_t length = strlen(text), size = 0;
  bool padded = length == BASE64_LENGTH && text[length - 1] == '=';
  if (!padded && length != BASE64_LENGTH - 1)
    return false;
  for (size_t i = 0; i < BASE64_LENGTH - 1; i++) /* GLib passes over what is not of the alphabet */
    if (!g_ascii_isalnum(text[i]) && text[i] != '+' && text[i] != '/')
      return false;
  g_autofree char *whole = g_strconcat(text, padded ? NULL : "=", NULL);
  g_autofree uint8_t *octets = g_base64_decode(whole, &size);
  if (size != HAUL_PIN_OCTETS)
    return false;
  memcpy(pin->digest, octets, size);
  return true;
}

GArray *
haul_pins_parse(const char *list, char **bad)
{
  g_autoptr(GArray) pins = g_array_new(FALSE, FALSE, sizeof(HaulPin));
  g_auto(GStrv) members = g_strsplit(list, ",", -1);
  for (unsigned i = 0; members[i] != NULL; i++) {
    const char *member = g_strstrip(members[i]);
    HaulPin pin;
    bool known = g_ascii_strncasecmp(member, PREFIX, strlen(PREFIX)) == 0;
    if (!known
        || (!parse_hex(member + strlen(PREFIX), &pin)
            && !parse_base64(member + strlen(PREFIX), &pin))) {
      *bad = g_strdup(member);
      return NULL;
    }
    g_array_append_val(pins, pin);
  }
  return g_steal_pointer(&pins);
}

bool
haul_pins_have(const GArray *pins, const HaulPin *pin)
{
  for (guint i = 0; i < pins->len; i++)
    if (memcmp(&g_array_index(pins, HaulPin, i), pin, sizeof *pin) == 0)
      return true;
  return false;
}

char *
haul_pin_show(const HaulPin *pin)
{
  GString *text = g_string_new(PREFIX);
  for (size_t i = 0; i < HAUL_PIN_OCTETS; i++)
    g_string_append_printf(text, "%02x", pin->digest[i]);
  return g_string_free(text, FALSE);
}
