/* Options that say which messages are copied, and within which limits. Declared in options-table.h. */
#include "options-table.h"

#include <limits.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "search-key.h"

#define DAY_S 86400.0
#define MAX_DAYS 36500.0

static bool
set_usage(GError **error, const HaulOption *option, const char *wants, const char *value)
{
  g_autofree char *shown = haul_text_display(value, strlen(value));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--%s takes %s, not \"%s\"", option->name,
                 wants, shown);
  return false;
}

/* How many octets a unit stands for; 0: it is none. */
static uint64_t
unit_of(const char *text)
{
  static const char units[] = "KMGT";
  if (*text == '\0')
    return 1;
  const char *unit = strchr(units, g_ascii_toupper(*text));
  bool ends = text[1] == '\0' || g_ascii_strcasecmp(text + 1, "B") == 0
              || g_ascii_strcasecmp(text + 1, "iB") == 0;
  return unit != NULL && ends ? UINT64_C(1) << (10 * (unit - units + 1)) : 0;
}

bool
haul_apply_size(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
                GError **error)
{
  g_autofree char *digits = g_strdup(value);
  size_t n = 0;
  const char *at = value;
  for (; g_ascii_isdigit(*at) || (*at == '_' && n > 0); at++) /* imapsync's 1_000_000 */
    if (*at != '_')
      digits[n++] = *at;
  digits[n] = '\0';
  guint64 number;
  uint64_t unit = unit_of(at);
  if (unit == 0 || !g_ascii_string_to_unsigned(digits, 10, 1, INT64_MAX, &number, NULL)
      || number > INT64_MAX / unit)
    return set_usage(error, option, "a size such as 500000, 500K, 20M or 1G", value);
  *(uint64_t *)(void *)((char *)options + option->offset) = number * unit;
  return true;
}

bool
haul_apply_days(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
                GError **error)
{
  char *end;
  double days = g_ascii_isdigit(*value) || *value == '.' ? g_ascii_strtod(value, &end) : -1;
  if (!(days > 0 && days <= MAX_DAYS) || *end != '\0' || strpbrk(value, "xXpPeE") != NULL)
    return set_usage(error, option, "a number of days above 0, such as 365 or 0.5", value);
  *(uint64_t *)(void *)((char *)options + option->offset) = MAX((uint64_t)(days * DAY_S), 1);
  return true;
}

bool
haul_apply_rate(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
                GError **error)
{
  char *end;
  double rate = g_ascii_isdigit(*value) || *value == '.' ? g_ascii_strtod(value, &end) : -1;
  if (!(rate > 0 && rate <= 1e6) || *end != '\0' || strpbrk(value, "xXpPeE") != NULL)
    return set_usage(error, option, "a number above 0, such as 4 or 0.5", value);
  *(double *)(void *)((char *)options + option->offset) = rate;
  return true;
}

/* 0 means the default, as with imapsync. */
bool
haul_apply_errors(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
                  GError **error)
{
  guint64 number;
  if (!g_ascii_string_to_unsigned(value, 10, 0, UINT_MAX, &number, NULL))
    return set_usage(error, option, "a number", value);
  *(unsigned *)(void *)((char *)options + option->offset) =
      number == 0 ? HAUL_DEFAULT_ERRORS_MAX : (unsigned)number;
  return true;
}

/* Reads it for what is wrong with it; the job reads it again. */
bool
haul_apply_search(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
                  GError **error)
{
  g_autoptr(GError) why = NULL;
  g_autoptr(HaulSearchKey) key = haul_search_key_parse(value, &why);
  if (key == NULL) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--%s: %s", option->name, why->message);
    return false;
  }
  char *text = g_strdup(value);
  g_ptr_array_add(options->texts, text);
  *(const char **)(void *)((char *)options + option->offset) = text;
  return true;
}
