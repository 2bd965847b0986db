/* Tests date.c. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/text.h>

static bool
parse(const char *text, int64_t *seconds, int32_t *zone)
{
  size_t size = strlen(text);
  g_autofree char *copy = g_memdup2(text, size); /* exact, for checkers */
  return haul_date_parse(copy, size, seconds, zone);
}

static void
dates_are_read_as_mail_writes_them(void)
{
  static const struct {
    const char *text;
    int64_t seconds;
    int32_t zone;
  } table[] = {
    { "Thu, 1 Jan 1970 00:00:00 +0000", 0, 0 },
    { "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -21600 },
    { " Fri, 21 Nov 1997 09:55:06 -0600\r\n", 880127706, -21600 },
    { "21 Nov 97 09:55:06 GMT", 880106106, 0 },
    { "Thu,\r\n\t13\r\n\t  Feb\r\n\t    1969\r\n\t23:32\r\n\t\t\t-0330 (Newfoundland Time)",
      -27723480, -12600 },
    { "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -21600 },
    { "(a (nested \\) one)) 1 Jan 2000 00:00:00 +0000", 946684800, 0 },
    { "1 Jan 100 12:00 UT", 946728000, 0 },
    { "1 Jan 49 00:00:00 Z", 2493072000, 0 },
    { "1 Jan 50 00:00:00 A", -631152000, 0 },
    { "1 Jan 2000 00:00:00 EST", 946702800, -18000 },
    { "1 jan 2000 00:00:00 pdt", 946710000, -25200 },
    { "29 Feb 2000 00:00:00 +0000", 951782400, 0 },
    { "29 Feb 2024 23:59:60 +0000", 1709251200, 0 },
    { "31 Dec 9999 23:59:59 +0000", 253402300799, 0 },
    { "1 Jan 1900 00:00:00 +0000", -2208988800, 0 },
    { "Mon, 02 June 2025 10:00:00 +0545", 1748837700, 20700 },
    { "Mon, 02 Sept 2024 10:00:00 -0000", 1725271200, 0 },
    { "Mon 2 Sep 2024 10:00:00", 1725271200, 0 },
    { "1 Jan 2000 00:00:00 +1400", 946634400, 50400 },
    { "1 Jan 2000 00:00:00 +0000 and more", 946684800, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    int64_t seconds = -1;
    int32_t zone = -1;
    bool ok = parse(table[i].text, &seconds, &zone);
    if (!ok || seconds != table[i].seconds || zone != table[i].zone)
      printf("\"%s\": %d, %" G_GINT64_FORMAT ", %d\n", table[i].text, ok, seconds, zone);
    CU_ASSERT(ok && seconds == table[i].seconds && zone == table[i].zone);
  }
  CU_ASSERT(parse(table[0].text, NULL, NULL));
}

static void
nonsense_is_no_date(void)
{
  static const char *const table[] = {
    "",
    "never",
    "32 Jan 2000 00:00:00 +0000",
    "0 Jan 2000 00:00:00 +0000",
    "31 Feb 2020 00:00:00 +0000",
    "29 Feb 1900 00:00:00 +0000",
    "31 Apr 2020 00:00:00 +0000",
    "1 Xyz 2020 00:00:00 +0000",
    "1 Ja 2020 00:00:00 +0000",
    "1 Jan 1899 23:59:59 +0000",
    "1 Jan 0 00:00:00 +0000",
    "1 Jan 10000 00:00:00 +0000",
    "1 Jan 99999999999999999999 00:00:00 +0000",
    "1 Jan 2000 24:00:00 +0000",
    "1 Jan 2000 00:60:00 +0000",
    "1 Jan 2000 00:00:61 +0000",
    "1 Jan 2000 00:00: +0000",
    "1 Jan 2000 00 +0000",
    "1 Jan 2000",
    "1 Jan 2000 00:00:00 +00",
    "1 Jan 2000 00:00:00 +0060",
    "1 Jan 2000 00:00:00 +00000",
    "001 Jan 2000 00:00:00 +0000",
    "-1 Jan 2000 00:00:00 +0000",
    "(1 Jan 2000 00:00:00 +0000",
    "Mon, Tue, 1 Jan 2000 00:00:00 +0000",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    int64_t seconds = 42;
    bool ok = parse(table[i], &seconds, NULL);
    if (ok)
      printf("\"%s\": %" G_GINT64_FORMAT "\n", table[i], seconds);
    CU_ASSERT(!ok && seconds == 42);
  }
}

static void
every_day_agrees_with_glib(void)
{
  static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
  g_autoptr(GDateTime) first = g_date_time_new_utc(1900, 1, 1, 12, 34, 56);
  for (int day = 0; day < 365 * 250; day += 3) {
    g_autoptr(GDateTime) date = g_date_time_add_days(first, day);
    g_autofree char *text =
        g_strdup_printf("%d %s %d 12:34:56 +0000", g_date_time_get_day_of_month(date),
                        months[g_date_time_get_month(date) - 1], g_date_time_get_year(date));
    int64_t seconds;
    if (!parse(text, &seconds, NULL) || seconds != g_date_time_to_unix(date))
      CU_FAIL("disagrees");
  }
}

static void
any_octets_are_read_without_harm(void)
{
  uint32_t seed = 11;
  static const char *const parts[] = { "1 ", "Jan ", "2000 ", "10:00", ":00 ", "+0000", "(",  ")",
                                       "\\", "Mon",  ", ",    "\377",  "99",   "-",     "EST" };
  for (int round = 0; round < 100000; round++) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (uint32_t left = next_random(&seed) % 9; left > 0; left--)
      g_string_append(text, parts[next_random(&seed) % G_N_ELEMENTS(parts)]);
    int64_t seconds;
    int32_t zone;
    if (parse(text->str, &seconds, &zone))
      CU_ASSERT(seconds > -2300000000 && seconds < 253500000000 && ABS(zone) < 100 * 3600);
  }
  g_autofree char *deep = g_strnfill(1 << 20, '(');
  CU_ASSERT(!haul_date_parse(deep, 1 << 20, NULL, NULL));
  g_autofree char *long_number = g_strnfill(1 << 20, '1');
  CU_ASSERT(!haul_date_parse(long_number, 1 << 20, NULL, NULL));
}

int
main(void)
{
  static const Case cases[] = {
    CASE(dates_are_read_as_mail_writes_them),
    CASE(nonsense_is_no_date),
    CASE(every_day_agrees_with_glib),
    CASE(any_octets_are_read_without_harm),
  };
  return RUN_SUITE("date", cases);
}
