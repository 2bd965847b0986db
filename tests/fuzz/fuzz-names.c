/* Folder names (core/names.c, core/utf7.c) and what is shown to people (core/display.c): what is
 * promised to be exact both ways is, and what is shown cannot move a cursor. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/text.h>

static void
try_utf7(const char *text)
{
  g_autofree char *decoded = haul_utf7_decode(text);
  if (decoded != NULL) {
    FUZZ_ASSERT(g_utf8_validate(decoded, -1, NULL));
    g_autofree char *again = haul_utf7_encode(decoded);
    FUZZ_ASSERT(strcmp(again, text) == 0);
  }
  if (!g_utf8_validate(text, -1, NULL))
    return;
  g_autofree char *encoded = haul_utf7_encode(text);
  for (const char *at = encoded; *at != '\0'; at++)
    FUZZ_ASSERT((unsigned char)*at < 0x80);
  g_autofree char *back = haul_utf7_decode(encoded);
  FUZZ_ASSERT(back == NULL || strcmp(back, text) == 0);
}

static bool
has_control(const char *text)
{
  for (; *text != '\0'; text++)
    if ((unsigned char)*text < ' ' || *text == 0x7f)
      return true;
  return false;
}

static void
try_path(const char *text)
{
  static const char separators[] = "/.\\^|\0";
  if (!g_utf8_validate(text, -1, NULL))
    return;
  for (size_t i = 0; i < sizeof separators - 1; i++) {
    g_autofree char *path = haul_path_from_native(text, separators[i], NULL);
    FUZZ_ASSERT(g_utf8_validate(path, -1, NULL) && !has_control(path));
    g_autofree char *native = haul_path_to_native(path, separators[i], NULL);
    g_autofree char *again = haul_path_from_native(native, separators[i], NULL);
    FUZZ_ASSERT(strcmp(path, again) == 0);
    g_autofree char *to = haul_path_to_native(text, separators[i], ":");
    FUZZ_ASSERT(strchr(to, ':') == NULL);
  }
  g_autofree char *escaped = haul_name_escape(text, "/:.");
  FUZZ_ASSERT(strpbrk(escaped, "/:.") == NULL && !has_control(escaped));
  g_autofree char *back = haul_name_unescape(escaped, "/:.");
  FUZZ_ASSERT(strcmp(back, text) == 0);
}

static void
try_display(const uint8_t *data, size_t size)
{
  g_autofree char *shown = haul_text_display(data, size);
  FUZZ_ASSERT(strlen(shown) <= 512 && g_utf8_validate(shown, -1, NULL));
  for (const char *at = shown; *at != '\0'; at = g_utf8_next_char(at)) {
    GUnicodeType type = g_unichar_type(g_utf8_get_char(at));
    FUZZ_ASSERT(type != G_UNICODE_CONTROL && type != G_UNICODE_FORMAT
                && type != G_UNICODE_LINE_SEPARATOR && type != G_UNICODE_PARAGRAPH_SEPARATOR);
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup((const char *)data, size);
  g_autofree uint8_t *exact = g_memdup2(data, size + (size == 0));
  try_utf7(text);
  try_path(text);
  try_display(exact, size);
  return 0;
}

const char *const fuzz_seeds[] = {
  "Entw&APw-rfe",
  "R&-D",
  "&",
  "&AA",
  "&AAA-",
  "&2AA-",
  "&AC8-",
  "&AC4ALg-",
  "&AA0ACg-",
  "&U,BTFw-&ZeU-",
  "INBOX/a//b%2Fc",
  "inbox.INBOX",
  "100%",
  "%00",
  "a/%2e",
  "\xe5\x8f\xb0\xe5\x8c\x97",
  "a\x1b]52;c;\x07",
  "\xe2\x80\xae"
  "x\xe2\x80\x8b\xc2\x85",
  "\xf0\x9f\x93\xac \xff\xc3",
  NULL,
};
