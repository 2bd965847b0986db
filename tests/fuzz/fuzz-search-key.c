/* Search keys (core/search-key.c, core/search-match.c): what was parsed gives one answer of a message, and
 * NOT of it the other. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include "search-key.h"

static const char header[] = "From: Ann <ann@example.org>\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n"
                             "Date: Mon, 6 Jan 2003 10:00:00 +0000\r\n\r\n";
static const char *const keywords[] = { "$Forwarded", NULL };

static const uint8_t *
lend(void *data, uint64_t offset, size_t *size)
{
  *size = offset < strlen(header) ? strlen(header) - offset : 0;
  return *size > 0 ? (const uint8_t *)header + offset : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup((const char *)data, size);
  g_autoptr(HaulSearchKey) key = haul_search_key_parse(text, NULL);
  if (key == NULL)
    return 0;
  g_autofree char *negated = g_strdup_printf("NOT (%s)", text);
  g_autoptr(HaulSearchKey) other = haul_search_key_parse(negated, NULL);
  FUZZ_ASSERT(other != NULL);
  FUZZ_ASSERT(g_strcmp0(haul_search_key_opaque(key), haul_search_key_opaque(other)) == 0);
  if (haul_search_key_opaque(key) != NULL)
    return 0;
  HaulItem item = {
    .id = "17",
    .size = 1000,
    .date = 1041847200,
    .flags = HAUL_SEEN,
    .keywords = keywords,
    .header = (const uint8_t *)header,
    .header_size = strlen(header),
  };
  HaulSearchSubject subject = { .item = &item, .window = lend, .now = 1700000000 };
  FUZZ_ASSERT(haul_search_key_holds(key, &subject) != haul_search_key_holds(other, &subject));
  return 0;
}

const char *const fuzz_seeds[] = {
  "OR (SEEN LARGER 500) (UNSEEN SMALLER 300)",
  "HEADER Subject \"caf\xc3\xa9\" NOT FROM ann",
  "SINCE 1-Jan-2003 BEFORE 7-Jan-2003",
  "UID 1:5,17 KEYWORD $Forwarded",
  "YOUNGER 3600 OLDER 60",
  "NOT (NOT (ALL))",
  NULL,
};
