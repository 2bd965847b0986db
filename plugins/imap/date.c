/* Dates as IMAP writes them. See date.h. */
#include "date.h"

#include <string.h>

#include "wire.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static unsigned
days_of_month(unsigned year, unsigned month)
{
  static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar: whole 400-year cycles of
 * 146097 days, in years that begin in March, so that the leap day comes last. */
static int64_t
days_from_date(int64_t year, unsigned month, unsigned day)
{
  year -= month <= 2;
  int64_t cycle = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_cycle = year - cycle * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return cycle * 146097 + year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100
         + day_of_year - 719468;
}

static void
date_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
  days += 719468;
  int64_t cycle = (days >= 0 ? days : days - 146096) / 146097;
  int64_t day_of_cycle = days - cycle * 146097;
  int64_t year_of_cycle =
      (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 - day_of_cycle / 146096) / 365;
  int64_t day_of_year =
      day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
  int64_t shifted = (5 * day_of_year + 2) / 153;
  *day = (unsigned)(day_of_year - (153 * shifted + 2) / 5 + 1);
  *month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
  *year = year_of_cycle + cycle * 400 + (*month <= 2);
}

/* Takes @min to @max digits and then @after ('\0': nothing). */
static bool
take_digits(ImapCursor *cursor, size_t min, size_t max, char after, unsigned *value)
{
  const char *start = cursor->at;
  *value = 0;
  while (cursor->at < cursor->end && g_ascii_isdigit(*cursor->at)
         && (size_t)(cursor->at - start) < max)
    *value = *value * 10 + (unsigned)(*cursor->at++ - '0');
  return (size_t)(cursor->at - start) >= min && (after == '\0' || imap_take_char(cursor, after));
}

bool
imap_parse_date(const char *text, size_t size, int64_t *seconds, int32_t *zone)
{
  ImapCursor cursor = { text, text + size };
  unsigned day, month = 0, year, hour, minute, second, offset;
  imap_take_spaces(&cursor);
  if (!take_digits(&cursor, 1, 2, '-', &day) || cursor.end - cursor.at < 4)
    return false;
  while (month < 12 && g_ascii_strncasecmp(cursor.at, months + 3 * month, 3) != 0)
    month++;
  cursor.at += 3;
  if (month++ == 12 || !imap_take_char(&cursor, '-') || !take_digits(&cursor, 4, 4, ' ', &year)
      || !take_digits(&cursor, 2, 2, ':', &hour) || !take_digits(&cursor, 2, 2, ':', &minute)
      || !take_digits(&cursor, 2, 2, ' ', &second) || cursor.at == cursor.end)
    return false;
  char sign = *cursor.at++;
  if ((sign != '+' && sign != '-') || !take_digits(&cursor, 4, 4, '\0', &offset)
      || !imap_at_end(&cursor))
    return false;
  if (day == 0 || day > days_of_month(year, month) || hour > 23 || minute > 59 || second > 60
      || offset / 100 > 15 || offset % 100 > 59)
    return false;
  int32_t east = (int32_t)(offset / 100 * 3600 + offset % 100 * 60);
  *zone = sign == '-' ? -east : east;
  *seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - *zone;
  return true;
}

static char *
put_digits(char *at, unsigned value, unsigned width)
{
  for (unsigned i = width; i > 0; i--, value /= 10)
    at[i - 1] = (char)('0' + value % 10);
  return at + width;
}

bool
imap_append_date(GString *out, int64_t seconds, int32_t zone)
{
  int64_t year;
  unsigned month, day;
  if (seconds < -100000000000 || seconds > 300000000000)
    return false;
  zone = CLAMP(zone, -15 * 3600, 15 * 3600) / 60 * 60; /* the wire knows minutes */
  int64_t local = seconds + zone;
  int64_t days = (local >= 0 ? local : local - 86399) / 86400;
  unsigned rest = (unsigned)(local - days * 86400);
  date_from_days(days, &year, &month, &day);
  if (year < 0 || year > 9999)
    return false;

  char text[32], *at = text;
  unsigned offset = (unsigned)ABS(zone) / 60;
  *at++ = '"';
  at = put_digits(at, day, 2);
  *at++ = '-';
  memcpy(at, months + 3 * (month - 1), 3);
  at += 3;
  *at++ = '-';
  at = put_digits(at, (unsigned)year, 4);
  *at++ = ' ';
  at = put_digits(at, rest / 3600, 2);
  *at++ = ':';
  at = put_digits(at, rest / 60 % 60, 2);
  *at++ = ':';
  at = put_digits(at, rest % 60, 2);
  *at++ = ' ';
  *at++ = zone < 0 ? '-' : '+';
  at = put_digits(at, offset / 60 * 100 + offset % 60, 4);
  *at++ = '"';
  g_string_append_len(out, text, at - text);
  return true;
}
