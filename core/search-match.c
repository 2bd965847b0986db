/* Search keys, held against messages. See search-key.h. */
#include "search-key.h"

#include <string.h>

#include <mailhaul/text.h>

#define DAY_S 86400
/* RFC 2047 §2 has 75 octets; some programs make one word of a whole subject. */
#define MAX_WORD 2048

const char *
haul_search_key_opaque(const HaulSearchKey *key)
{
  if (key->op == HAUL_SEARCH_OPAQUE)
    return key->text;
  for (guint i = 0; key->children != NULL && i < key->children->len; i++) {
    const char *name = haul_search_key_opaque(key->children->pdata[i]);
    if (name != NULL)
      return name;
  }
  return NULL;
}

uint32_t
haul_search_key_needs(const HaulSearchKey *key, GPtrArray *fields)
{
  uint32_t needs = 0;
  for (guint i = 0; key->children != NULL && i < key->children->len; i++)
    needs |= haul_search_key_needs(key->children->pdata[i], fields);
  switch (key->op) {
  case HAUL_SEARCH_BEFORE:
  case HAUL_SEARCH_ON:
  case HAUL_SEARCH_SINCE:
  case HAUL_SEARCH_YOUNGER:
  case HAUL_SEARCH_OLDER:
    return needs | HAUL_SEARCH_NEEDS_DATE;
  case HAUL_SEARCH_LARGER:
  case HAUL_SEARCH_SMALLER:
    return needs | HAUL_SEARCH_NEEDS_SIZE;
  case HAUL_SEARCH_BODY:
  case HAUL_SEARCH_TEXT:
    return needs | HAUL_SEARCH_NEEDS_OCTETS;
  case HAUL_SEARCH_SENTBEFORE:
  case HAUL_SEARCH_SENTON:
  case HAUL_SEARCH_SENTSINCE:
    g_ptr_array_add(fields, (char *)"Date");
    return needs;
  case HAUL_SEARCH_HEADER:
    g_ptr_array_add(fields, key->field);
    return needs;
  default:
    return needs;
  }
}

/* ---- texts ---- */

/* Reads an encoded word that begins at @at. Returns its end, and appends what it says; NULL: it is none. */
static const char *
decode_word(const char *at, GString *out)
{
  const char *charset = at + 2, *kind = strchr(charset, '?');
  if (kind == NULL || kind == charset || kind - charset > 40 || kind[1] == '\0' || kind[2] != '?')
    return NULL;
  const char *text = kind + 3, *end = g_strstr_len(text, MAX_WORD, "?=");
  if (end == NULL || memchr(text, ' ', (size_t)(end - text)) != NULL)
    return NULL;
  g_autofree char *name = g_strndup(charset, strcspn(charset, "?*")); /* RFC 2231 §5: a language */
  g_autoptr(GString) octets = g_string_sized_new((gsize)(end - text));
  if (kind[1] == 'B' || kind[1] == 'b') {
    g_autofree char *coded = g_strndup(text, (gsize)(end - text));
    gsize size;
    g_autofree guchar *decoded = g_base64_decode(coded, &size);
    g_string_append_len(octets, (const char *)decoded, (gssize)size);
  } else if (kind[1] == 'Q' || kind[1] == 'q') {
    for (const char *in = text; in < end; in++) {
      bool coded = *in == '=' && end - in > 2 && g_ascii_isxdigit(in[1]) && g_ascii_isxdigit(in[2]);
      char octet = *in == '_' ? ' ' : *in;
      if (coded) {
        octet = (char)(g_ascii_xdigit_value(in[1]) * 16 + g_ascii_xdigit_value(in[2]));
        in += 2;
      }
      g_string_append_c(octets, octet);
    }
  } else {
    return NULL;
  }
  gsize size;
  g_autofree char *utf8 =
      g_convert(octets->str, (gssize)octets->len, "UTF-8", name, NULL, &size, NULL);
  if (utf8 == NULL)
    return NULL;
  g_string_append_len(out, utf8, (gssize)size);
  return end + 2;
}

static bool
is_blank(char octet)
{
  return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

char *
haul_search_decode(const uint8_t *value, size_t size)
{
  g_autofree char *text = g_strndup((const char *)value, size); /* up to a NUL */
  g_autoptr(GString) out = g_string_sized_new(size);
  const char *gap = NULL; /* blanks behind an encoded word: another one swallows them */
  for (const char *at = text; *at != '\0';) {
    const char *next = NULL;
    if (at[0] == '=' && at[1] == '?') {
      gsize before = out->len;
      next = decode_word(at, out);
      if (next != NULL && gap != NULL)
        for (const char *blank = gap; blank < at && before > 0; blank++)
          if (*blank != '\r' && *blank != '\n')
            g_string_erase(out, (gssize)--before, 1);
    }
    if (next != NULL) {
      gap = at = next;
      continue;
    }
    if (!is_blank(*at))
      gap = NULL;
    if (*at != '\r' && *at != '\n')
      g_string_append_c(out, *at == '\t' ? ' ' : *at);
    at++;
  }
  return g_utf8_make_valid(out->str, (gssize)out->len);
}

typedef struct {
  const HaulSearchKey *key;
  bool holds, whole; /* whole: the name of the field is looked at, too */
  int64_t day;       /* of the Date field; INT64_MIN */
} Finding;

static bool
look_at_field(const char *name, size_t name_size, const uint8_t *value, size_t size, void *data)
{
  Finding *finding = data;
  const HaulSearchKey *key = finding->key;
  if (!finding->whole
      && (name_size != strlen(key->field) || g_ascii_strncasecmp(name, key->field, name_size) != 0))
    return true;
  g_autofree char *decoded = haul_search_decode(value, size);
  g_autofree char *folded = g_utf8_casefold(decoded, -1);
  finding->holds = strstr(folded, key->folded) != NULL;
  return !finding->holds;
}

static bool
look_at_date(const char *name, size_t name_size, const uint8_t *value, size_t size, void *data)
{
  Finding *finding = data;
  int64_t seconds;
  int32_t zone;
  if (name_size != strlen("Date") || g_ascii_strncasecmp(name, "Date", name_size) != 0)
    return true;
  if (haul_date_parse((const char *)value, size, &seconds, &zone)) {
    int64_t local = seconds + zone;
    finding->day = local / DAY_S - (local % DAY_S < 0);
  }
  return false;
}

static bool
has_field(const HaulSearchKey *key, const HaulItem *item, bool whole)
{
  Finding finding = { .key = key, .whole = whole };
  if (item->header != NULL)
    haul_header_each(item->header, item->header_size, look_at_field, &finding);
  return finding.holds;
}

/* ---- octets ---- */

/* Looks for a text, whatever its case, in octets that come piece by piece (Knuth, Morris, Pratt). */
typedef struct {
  const uint8_t *text;
  size_t size, n_held;
  size_t *back; /* owned */
} Seeker;

static size_t
step(const Seeker *seeker, size_t held, uint8_t octet)
{
  uint8_t lower = (uint8_t)g_ascii_tolower((char)octet);
  while (held > 0 && (held == seeker->size || seeker->text[held] != lower))
    held = seeker->back[held - 1];
  return held < seeker->size && seeker->text[held] == lower ? held + 1 : held;
}

static bool
has_octets(const HaulSearchKey *key, const HaulSearchSubject *subject, uint64_t offset)
{
  g_autofree char *lower = g_ascii_strdown(key->text, -1);
  Seeker seeker = { .text = (const uint8_t *)lower, .size = strlen(lower) };
  if (seeker.size == 0)
    return true;
  g_autofree size_t *back = g_new0(size_t, seeker.size);
  seeker.back = back;
  for (size_t i = 1; i < seeker.size; i++)
    back[i] = step(&seeker, back[i - 1], seeker.text[i]);
  size_t size;
  const uint8_t *octets;
  while ((octets = subject->window(subject->data, offset, &size)) != NULL && size > 0) {
    for (size_t i = 0; i < size; i++)
      if ((seeker.n_held = step(&seeker, seeker.n_held, octets[i])) == seeker.size)
        return true;
    offset += size;
  }
  return false;
}

/* Where the body begins: behind the first empty line that the first window shows. */
static uint64_t
body_start(const HaulSearchSubject *subject)
{
  size_t size;
  const uint8_t *octets = subject->window(subject->data, 0, &size);
  return octets != NULL ? haul_header_end(octets, size) : 0;
}

/* ---- keys ---- */

static bool
has_keyword(const char *keyword, const HaulItem *item)
{
  for (const char *const *each = item->keywords; each != NULL && *each != NULL; each++)
    if (g_ascii_strcasecmp(*each, keyword) == 0)
      return true;
  return false;
}

static bool
is_in(const GArray *ranges, const char *id)
{
  guint64 uid;
  if (!g_ascii_string_to_unsigned(id, 10, 1, UINT32_MAX, &uid, NULL))
    return false;
  const uint64_t *ends = (const uint64_t *)(void *)ranges->data;
  for (guint i = 0; i < ranges->len; i++)
    if (ends[2 * i] <= uid && uid <= ends[2 * i + 1])
      return true;
  return false;
}

/* Compares days: which of the three the key is. What has no date is before and since nothing. */
static bool
compare_days(HaulSearchOp op, int64_t day, int64_t wanted)
{
  if (day == INT64_MIN)
    return false;
  return op == HAUL_SEARCH_BEFORE || op == HAUL_SEARCH_SENTBEFORE ? day < wanted
         : op == HAUL_SEARCH_ON || op == HAUL_SEARCH_SENTON       ? day == wanted
                                                                  : day >= wanted;
}

/* The day on which it came, on the calendar that its date was told in. */
static int64_t
day_of(const HaulItem *item)
{
  if (item->date == HAUL_NO_DATE)
    return INT64_MIN;
  int64_t local = item->date + item->date_zone;
  return local / DAY_S - (local % DAY_S < 0);
}

static int64_t
day_sent(const HaulSearchKey *key, const HaulItem *item)
{
  Finding finding = { .key = key, .day = INT64_MIN };
  if (item->header != NULL)
    haul_header_each(item->header, item->header_size, look_at_date, &finding);
  return finding.day;
}

static bool
holds_of_all(const HaulSearchKey *key, const HaulSearchSubject *subject)
{
  bool is_or = key->op == HAUL_SEARCH_OR;
  for (guint i = 0; i < key->children->len; i++)
    if (haul_search_key_holds(key->children->pdata[i], subject) == is_or)
      return is_or;
  return !is_or;
}

static bool
holds(const HaulSearchKey *key, const HaulSearchSubject *subject)
{
  const HaulItem *item = subject->item;
  uint64_t number = (uint64_t)key->number;
  switch (key->op) {
  case HAUL_SEARCH_AND:
  case HAUL_SEARCH_OR:
    return holds_of_all(key, subject);
  case HAUL_SEARCH_FLAG:
    return (item->flags & number) != 0;
  case HAUL_SEARCH_KEYWORD:
    return has_keyword(key->text, item);
  case HAUL_SEARCH_BEFORE:
  case HAUL_SEARCH_ON:
  case HAUL_SEARCH_SINCE:
    return compare_days(key->op, day_of(item), key->number);
  case HAUL_SEARCH_SENTBEFORE:
  case HAUL_SEARCH_SENTON:
  case HAUL_SEARCH_SENTSINCE:
    return compare_days(key->op, day_sent(key, item), key->number);
  case HAUL_SEARCH_YOUNGER:
    return item->date != HAUL_NO_DATE && subject->now - item->date <= key->number;
  case HAUL_SEARCH_OLDER:
    return item->date != HAUL_NO_DATE && subject->now - item->date >= key->number;
  case HAUL_SEARCH_LARGER:
    return item->size != HAUL_UNKNOWN && item->size > number;
  case HAUL_SEARCH_SMALLER:
    return item->size != HAUL_UNKNOWN && item->size < number;
  case HAUL_SEARCH_HEADER:
    return has_field(key, item, false);
  case HAUL_SEARCH_BODY:
    return has_octets(key, subject, body_start(subject));
  case HAUL_SEARCH_TEXT:
    return has_octets(key, subject, 0) || has_field(key, item, true);
  case HAUL_SEARCH_UID:
    return is_in(key->ranges, item->id);
  case HAUL_SEARCH_ALL:
  case HAUL_SEARCH_OPAQUE:
  default:
    return true;
  }
}

bool
haul_search_key_holds(const HaulSearchKey *key, const HaulSearchSubject *subject)
{
  return holds(key, subject) != key->negated;
}
