/* File names of messages. */
#include "name.h"

#include <string.h>

#include <mailhaul/message.h>

static const struct {
  char letter;
  uint32_t flag;
} flag_letters[] = {
  { 'D', HAUL_DRAFT }, { 'F', HAUL_FLAGGED }, { 'R', HAUL_ANSWERED },
  { 'S', HAUL_SEEN },  { 'T', HAUL_DELETED },
};

size_t
maildir_name_base(const char *name)
{
  size_t size = strcspn(name, ":");
  if (name[size] != '\0')
    return size;
  size_t end = size;
  while (end > 0 && g_ascii_isalpha(name[end - 1]))
    end--;
  bool is_info = end >= 3 && memcmp(name + end - 2, "2,", 2) == 0
                 && (name[end - 3] == ';' || name[end - 3] == '!');
  return is_info ? end - 3 : size;
}

/* Returns the letters of @name, and how many: they end at its end or at a further comma. */
static const char *
letters_of(const char *name, size_t *n_letters)
{
  const char *info = name + maildir_name_base(name);
  if (info[0] == '\0' || !g_str_has_prefix(info + 1, "2,")) {
    *n_letters = 0;
    return info + strlen(info);
  }
  *n_letters = strcspn(info + 3, ",");
  return info + 3;
}

static bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* Parses the digits at @text; false for none, or more than 64 bits hold. */
static bool
parse_number(const char *text, const char *end, uint64_t *value)
{
  uint64_t number = 0;
  const char *at = text;
  for (; at < end && is_digit(*at); at++)
    if (__builtin_mul_overflow(number, 10, &number)
        || __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
      return false;
  *value = number;
  return at > text;
}

bool
maildir_name_field(const char *name, size_t base_size, char letter, uint64_t *value)
{
  const char *end = name + base_size;
  for (const char *at = memchr(name, ',', base_size); at != NULL && end - at > 3;
       at = memchr(at + 1, ',', (size_t)(end - at - 1)))
    if (at[1] == letter && at[2] == '=')
      return parse_number(at + 3, end, value);
  return false;
}

uint64_t
maildir_name_seconds(const char *name)
{
  uint64_t seconds = 0;
  if (is_digit(*name) && !parse_number(name, name + strlen(name), &seconds))
    return UINT64_MAX;
  return seconds;
}

MaildirFlags
maildir_name_flags(const char *name)
{
  MaildirFlags flags = { 0 };
  size_t n_letters;
  const char *letters = letters_of(name, &n_letters);
  for (size_t i = 0; i < n_letters; i++) {
    char letter = letters[i];
    if (letter >= 'a' && letter <= 'z')
      flags.letters |= 1u << (letter - 'a');
    else if (letter == 'P')
      flags.passed = true;
    for (size_t k = 0; k < G_N_ELEMENTS(flag_letters); k++)
      if (letter == flag_letters[k].letter)
        flags.flags |= flag_letters[k].flag;
  }
  return flags;
}

char *
maildir_name_with_flags(const char *name, const MaildirFlags *flags)
{
  bool wanted[128] = { false };
  size_t n_letters;
  const char *letters = letters_of(name, &n_letters);
  for (size_t i = 0; i < n_letters; i++)
    if (letters[i] > ' ' && letters[i] < 127 && !g_ascii_islower(letters[i]))
      wanted[(unsigned char)letters[i]] = true;
  wanted['P'] = flags->passed;
  for (size_t k = 0; k < G_N_ELEMENTS(flag_letters); k++)
    wanted[(unsigned char)flag_letters[k].letter] = (flags->flags & flag_letters[k].flag) != 0;
  for (unsigned i = 0; i < 26; i++)
    wanted['a' + i] = (flags->letters >> i & 1) != 0;

  size_t base = maildir_name_base(name);
  GString *result = g_string_new_len(name, (gssize)base);
  g_string_append_c(result, name[base] != '\0' ? name[base] : ':');
  g_string_append(result, "2,");
  for (unsigned c = '!'; c < 127; c++) /* in ASCII order, as the letters must stand */
    if (wanted[c])
      g_string_append_c(result, (char)c);
  g_string_append(result, letters + n_letters);
  return g_string_free(result, FALSE);
}

/* Compares two runs of digits by their value; moves past both. */
static int
compare_runs(const char **a, const char *a_end, const char **b, const char *b_end)
{
  while (*a < a_end && **a == '0')
    ++*a;
  while (*b < b_end && **b == '0')
    ++*b;
  const char *a_start = *a, *b_start = *b;
  while (*a < a_end && is_digit(**a))
    ++*a;
  while (*b < b_end && is_digit(**b))
    ++*b;
  size_t a_size = (size_t)(*a - a_start), b_size = (size_t)(*b - b_start);
  if (a_size != b_size)
    return a_size < b_size ? -1 : 1;
  return memcmp(a_start, b_start, a_size);
}

int
maildir_name_compare(const char *a, size_t a_size, const char *b, size_t b_size)
{
  const char *a_at = a, *a_end = a + a_size, *b_at = b, *b_end = b + b_size;
  while (a_at < a_end && b_at < b_end) {
    if (is_digit(*a_at) && is_digit(*b_at)) {
      int order = compare_runs(&a_at, a_end, &b_at, b_end);
      if (order != 0)
        return order;
    } else if (*a_at != *b_at) {
      /* A name without a number comes first, as if it began with 0. */
      if (a_at == a && (is_digit(*a_at) || is_digit(*b_at)))
        return is_digit(*b_at) ? -1 : 1;
      return (unsigned char)*a_at < (unsigned char)*b_at ? -1 : 1;
    } else {
      a_at++;
      b_at++;
    }
  }
  if (a_at < a_end || b_at < b_end)
    return a_at < a_end ? 1 : -1;
  /* Equal but for leading zeros. */
  int order = memcmp(a, b, MIN(a_size, b_size));
  if (order != 0)
    return order;
  return (a_size > b_size) - (a_size < b_size);
}

char *
maildir_name_new(uint64_t time_us, unsigned pid, const char *host, uint64_t disk_size,
                 uint64_t wire_size, bool verbatim)
{
  return g_strdup_printf("%" G_GUINT64_FORMAT ".M%06uP%u.%s,S=%" G_GUINT64_FORMAT
                         ",W=%" G_GUINT64_FORMAT "%s",
                         time_us / G_USEC_PER_SEC, (unsigned)(time_us % G_USEC_PER_SEC), pid, host,
                         disk_size, wire_size, verbatim ? ",V=1" : "");
}

char *
maildir_name_host(const char *host)
{
  GString *result = g_string_new(NULL);
  for (; *host != '\0' && result->len <= 60; host++) {
    if (strchr("/:,\\", *host) != NULL || *host <= ' ' || *host == 127)
      g_string_append_printf(result, "\\%03o", (unsigned char)*host);
    else
      g_string_append_c(result, *host);
  }
  if (result->len == 0)
    g_string_append(result, "localhost");
  return g_string_free(result, FALSE);
}
