/*
 * Dates as mail writes them (RFC 5322 §3.3, and the obsolete forms of §4.3), read in one pass. Our
 * own parser: it is small, and every run may need one date while few need a library for it.
 */
#include <mailhaul/text.h>

#include <string.h>

/* What is left to read. */
typedef struct {
  const char *at, *end;
} Reader;

/* Skips blanks, line ends and comments, which may stand between any two parts (RFC 5322 §3.2.2). */
static void
skip_blanks(Reader *reader)
{
  size_t depth = 0;
  for (; reader->at < reader->end; reader->at++) {
    char octet = *reader->at;
    if (octet == '(')
      depth++;
    else if (octet == ')' && depth > 0)
      depth--;
    else if (octet == '\\' && depth > 0 && reader->at + 1 < reader->end)
      reader->at++;
    else if (depth == 0 && (octet == '\0' || strchr(" \t\r\n", octet) == NULL))
      return;
  }
}

static bool
take(Reader *reader, char octet)
{
  skip_blanks(reader);
  if (reader->at >= reader->end || *reader->at != octet)
    return false;
  reader->at++;
  return true;
}

/* Reads a number of at most @limit digits. Returns how many it had, 0 if there is none such. */
static size_t
take_number(Reader *reader, size_t limit, int *number)
{
  skip_blanks(reader);
  size_t digits = 0;
  *number = 0;
  for (; reader->at < reader->end && g_ascii_isdigit(*reader->at); reader->at++) {
    if (++digits > limit)
      return 0;
    *number = *number * 10 + (*reader->at - '0');
  }
  return digits;
}

/* Reads a word of letters. Returns its length, 0 if there is none. */
static size_t
take_word(Reader *reader, const char **word)
{
  skip_blanks(reader);
  *word = reader->at;
  while (reader->at < reader->end && g_ascii_isalpha(*reader->at))
    reader->at++;
  return (size_t)(reader->at - *word);
}

/* Finds the month that a word begins with: some write "June" or "Sept". */
static bool
take_month(Reader *reader, int *month)
{
  static const char names[12][4] = { "jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec" };
  const char *word;
  if (take_word(reader, &word) < 3)
    return false;
  for (int i = 0; i < 12; i++) {
    if (g_ascii_strncasecmp(word, names[i], 3) == 0) {
      *month = i + 1;
      return true;
    }
  }
  return false;
}

/* Reads a year. RFC 5322 §4.3: two digits are 1950 to 2049, three count from 1900. */
static bool
take_year(Reader *reader, int *year)
{
  size_t digits = take_number(reader, 4, year);
  if (digits == 2)
    *year += *year < 50 ? 2000 : 1900;
  else if (digits == 3)
    *year += 1900;
  return digits >= 2 && *year >= 1900;
}

/* Reads a zone. One that has no meaning counts as UTC, and so does none at all (RFC 5322 §4.3). */
static bool
take_zone(Reader *reader, int32_t *zone)
{
  static const struct {
    char name[4];
    int hours;
  } named[] = { { "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 },
                { "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 } };
  *zone = 0;
  skip_blanks(reader);
  if (reader->at < reader->end && (*reader->at == '+' || *reader->at == '-')) {
    int sign = *reader->at++ == '-' ? -1 : 1, value;
    if (take_number(reader, 4, &value) != 4 || value % 100 > 59)
      return false;
    *zone = sign * (value / 100 * 3600 + value % 100 * 60);
    return true;
  }
  const char *word;
  size_t length = take_word(reader, &word);
  for (size_t i = 0; i < G_N_ELEMENTS(named); i++)
    if (length == 3 && g_ascii_strncasecmp(word, named[i].name, 3) == 0)
      *zone = named[i].hours * 3600;
  return true;
}

static int
days_of_month(int year, int month)
{
  static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days[month - 1] + (month == 2 && leap);
}

/* Days from 1 January 1970 to a date of the Gregorian calendar, year 1 or later. */
static int64_t
days_since_epoch(int year, int month, int day)
{
  int64_t before = year - 1;
  int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;
  for (int i = 1; i < month; i++)
    days += days_of_month(year, i);
  return days + day - 1;
}

bool
haul_date_parse(const char *text, size_t size, int64_t *seconds, int32_t *zone)
{
  if (size == 0)
    return false; /* @text may be NULL */
  Reader reader = { text, text + size };
  const char *weekday;
  /* The day of the week is not checked: where it is wrong, the rest is right. */
  if (take_word(&reader, &weekday) > 0)
    take(&reader, ',');

  int day, month, year, hour, minute, second = 0;
  int32_t offset;
  if (take_number(&reader, 2, &day) == 0 || !take_month(&reader, &month)
      || !take_year(&reader, &year) || take_number(&reader, 2, &hour) == 0 || !take(&reader, ':')
      || take_number(&reader, 2, &minute) == 0
      || (take(&reader, ':') && take_number(&reader, 2, &second) == 0)
      || !take_zone(&reader, &offset))
    return false;
  /* A leap second has no time of its own in Unix seconds: it is the next one. */
  if (day < 1 || day > days_of_month(year, month) || hour > 23 || minute > 59 || second > 60)
    return false;

  if (seconds != NULL)
    *seconds =
        days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
  if (zone != NULL)
    *zone = offset;
  return true;
}
