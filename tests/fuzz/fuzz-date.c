/* Dates of mail (core/date.c) and of IMAP: what was read and is written in the other's form, says
 * the same instant. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/text.h>

#include "../../plugins/imap/date.h"

/* Reads what IMAP writes of an instant, with blanks for its dashes, as mail would write it. */
static void
try_back(int64_t seconds, int32_t zone)
{
  g_autoptr(GString) out = g_string_new(NULL);
  int64_t again;
  int32_t zone_again;
  if (!imap_append_date(out, seconds, zone))
    return;
  FUZZ_ASSERT(out->len == 28 && out->str[0] == '"' && out->str[27] == '"');
  FUZZ_ASSERT(imap_parse_date(out->str + 1, 26, &again, &zone_again) && again == seconds);
  out->str[3] = out->str[7] = ' ';
  /* RFC 5322 §3.3: years from 1900 on. */
  bool has_year = g_ascii_strtoll(out->str + 8, NULL, 10) >= 1900;
  int64_t as_mail;
  FUZZ_ASSERT(haul_date_parse(out->str + 1, 26, &as_mail, NULL) == has_year);
  FUZZ_ASSERT(!has_year || as_mail == seconds);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_memdup2(data, size + (size == 0)); /* exact, for checkers */
  int64_t seconds, seconds_again;
  int32_t zone, zone_again;
  if (imap_parse_date(text, size, &seconds, &zone)) {
    FUZZ_ASSERT(ABS(zone) <= 15 * 3600 + 59 * 60);
    if (ABS(zone) <= 15 * 3600)
      try_back(seconds, zone);
  }
  if (haul_date_parse(text, size, &seconds, &zone)) {
    FUZZ_ASSERT(ABS(zone) <= 99 * 3600 + 59 * 60);
    FUZZ_ASSERT(seconds > INT64_C(-2300000000) && seconds < INT64_C(253500000000));
    try_back(seconds, zone);
    /* A comment before it changes nothing (RFC 5322 §3.2.2). */
    g_autoptr(GString) longer = g_string_new("(a \\) (b)) \r\n ");
    g_string_append_len(longer, text, (gssize)size);
    FUZZ_ASSERT(haul_date_parse(longer->str, longer->len, &seconds_again, &zone_again));
    FUZZ_ASSERT(seconds == seconds_again && zone == zone_again);
  }
  return 0;
}

const char *const fuzz_seeds[] = {
  "17-Jul-1996 02:44:25 -0700", " 1-Jan-1990 00:00:00 +0000",
  "29-Feb-2000 23:59:60 +1545", "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
  "1 jan 99 0:0 GMT",           "Fri, 31 (a (b)) Dec 9999 23 : 59 : 59 EST",
  "31 Sept 101 12:00 +9999",    NULL,
};
