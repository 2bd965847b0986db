/* The text of dovecot-uidlist, and who gets which UID. */
#include "uidlist.h"

#include <string.h>

#define VERSION 3
#define UIDL_LIMIT 255

void
maildir_uidlist_init(MaildirUidlist *list)
{
  *list = (MaildirUidlist){ .next = 1, .uids = g_array_new(FALSE, FALSE, sizeof(uint32_t)) };
}

void
maildir_uidlist_clear(MaildirUidlist *list)
{
  g_free(list->head);
  if (list->uids != NULL)
    g_array_unref(list->uids);
  *list = (MaildirUidlist){ 0 };
}

/* Reads digits from @at on; false for none, or more than 32 bits hold. */
static bool
take_number(const char **at, const char *end, uint32_t *number)
{
  const char *start = *at;
  uint64_t value = 0;
  for (; *at < end && **at >= '0' && **at <= '9'; ++*at)
    if ((value = value * 10 + (uint64_t)(**at - '0')) > UINT32_MAX)
      return false;
  *number = (uint32_t)value;
  return *at > start;
}

bool
maildir_uidlist_parse_number(const char *text, uint32_t *number)
{
  const char *end = text + strlen(text);
  return take_number(&text, end, number) && text == end && *number > 0;
}

/* Returns the end of the word at @at. */
static const char *
word_end(const char *at, const char *end)
{
  const char *blank = memchr(at, ' ', (size_t)(end - at));
  return blank != NULL ? blank : end;
}

static void
skip_blanks(const char **at, const char *end)
{
  while (*at < end && **at == ' ')
    ++*at;
}

static bool
is_guid(const char *at, const char *end)
{
  for (const char *digit = at; digit < end; digit++)
    if (!g_ascii_isxdigit(*digit))
      return false;
  return end - at == 32;
}

static bool
parse_fields(MaildirUidlist *list, const char *at, const char *end)
{
  list->head = g_strndup(at, (gsize)(end - at));
  for (; at < end; skip_blanks(&at, end)) {
    const char *value = at + 1, *value_end = word_end(at, end);
    if (*at == 'G' && !is_guid(value, value_end))
      return false;
    uint32_t *number = *at == 'V' ? &list->validity : *at == 'N' ? &list->next : NULL;
    if (number != NULL && (!take_number(&value, value_end, number) || value != value_end))
      return false;
    at = value_end;
  }
  return true;
}

static bool
feed_head(MaildirUidlist *list, const char *line, size_t size)
{
  const char *at = line + 2, *end = line + size;
  if (size < 2 || line[1] != ' ')
    return false;
  list->next = 0;
  if (line[0] == '1') {
    list->head = g_strdup("");
    if (!take_number(&at, end, &list->validity) || at == end || *at++ != ' '
        || !take_number(&at, end, &list->next) || at != end)
      return false;
  } else if (line[0] != '0' + VERSION || !parse_fields(list, at, end))
    return false;
  list->version = (unsigned)(line[0] - '0');
  return list->validity > 0 && list->next > 0;
}

bool
maildir_uidlist_parse_line(unsigned version, const char *line, size_t size, MaildirUidline *parsed)
{
  const char *at = line, *end = line + size;
  if (size > MAILDIR_UIDLIST_LINE || memchr(line, '\0', size) != NULL
      || !take_number(&at, end, &parsed->uid) || parsed->uid == 0 || parsed->uid == UINT32_MAX
      || at == end || *at != ' ')
    return false;
  skip_blanks(&at, end);
  parsed->fields = at;
  parsed->fields_size = 0;
  if (version == VERSION) {
    while (at < end && *at != ':') {
      if (*at < 'A' || *at > 'Z')
        return false;
      at = word_end(at, end);
      parsed->fields_size = (size_t)(at - parsed->fields);
      skip_blanks(&at, end);
    }
    if (at == end)
      return false;
    at++;
  }
  const char *colon = memchr(at, ':', (size_t)(end - at));
  parsed->base = at;
  parsed->base_size = (size_t)((colon != NULL ? colon : end) - at);
  return parsed->base_size > 0 && memchr(at, '/', (size_t)(end - at)) == NULL;
}

bool
maildir_uidlist_feed(MaildirUidlist *list, const char *line, size_t size)
{
  if (list->version == 0)
    return feed_head(list, line, size);
  MaildirUidline parsed;
  if (!maildir_uidlist_parse_line(list->version, line, size, &parsed)
      || list->uids->len >= MAILDIR_UIDLIST_ENTRIES)
    return false;
  if (list->uids->len > 0 && parsed.uid <= g_array_index(list->uids, uint32_t, list->uids->len - 1))
    return false;
  if (parsed.uid >= list->next && list->version == 1)
    return false;
  g_array_append_val(list->uids, parsed.uid);
  list->next = MAX(list->next, parsed.uid + 1);
  return true;
}

void
maildir_uidlist_print_head(const MaildirUidlist *list, uint32_t validity, uint32_t next,
                           const char *guid, GString *out)
{
  g_string_append_printf(out, "%d V%u N%u", VERSION, validity, next);
  const char *at = list->head != NULL ? list->head : "", *end = at + strlen(at);
  bool has_guid = false;
  for (; at < end; skip_blanks(&at, end)) {
    const char *word = at;
    at = word_end(at, end);
    has_guid |= *word == 'G';
    if (*word != 'V' && *word != 'N' && *word != ' ')
      g_string_append_printf(out, " %.*s", (int)(at - word), word);
  }
  if (!has_guid)
    g_string_append_printf(out, " G%s", guid);
  g_string_append_c(out, '\n');
}

void
maildir_uidlist_print_line(uint32_t uid, const char *uidl, const char *base, GString *out)
{
  g_string_append_printf(out, "%u ", uid);
  if (uidl != NULL)
    g_string_append_printf(out, "P%s ", uidl);
  g_string_append_printf(out, ":%s\n", base);
}

void
maildir_uidlist_print_parsed(const MaildirUidline *line, GString *out)
{
  g_string_append_printf(out, "%u ", line->uid);
  g_string_append_len(out, line->fields, (gssize)line->fields_size);
  g_string_append(out, line->fields_size > 0 ? " :" : ":");
  g_string_append_len(out, line->base, (gssize)line->base_size);
  g_string_append_c(out, '\n');
}

bool
maildir_uidlist_holds_uidl(const char *uidl)
{
  size_t size = 0;
  for (; uidl[size] != '\0'; size++)
    if (uidl[size] <= ' ' || uidl[size] == 127 || size == UIDL_LIMIT)
      return false;
  return size > 0;
}

/* Whether an ascending array has @uid. */
static bool
contains(const uint32_t *uids, size_t n, uint32_t uid)
{
  size_t low = 0, high = n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (uids[middle] < uid)
      low = middle + 1;
    else
      high = middle;
  }
  return low < n && uids[low] == uid;
}

bool
maildir_uidlist_has(const MaildirUidlist *list, uint32_t uid)
{
  return contains((const uint32_t *)(void *)list->uids->data, list->uids->len, uid);
}

/* Where a message with this UID may stand; false: nowhere. */
static bool
kind_of(const MaildirUidlist *list, const uint32_t *lost, size_t n_lost, bool indexed, uint32_t uid,
        MaildirPlaceKind *kind)
{
  guint n = list->uids->len;
  *kind = MAILDIR_PLACE_BEHIND;
  if (uid == 0 || uid == UINT32_MAX)
    return false;
  if (uid >= list->next)
    return true;
  if (maildir_uidlist_has(list, uid)) {
    *kind = MAILDIR_PLACE_OF;
    return contains(lost, n_lost, uid);
  }
  if (n > 0 && uid < g_array_index(list->uids, uint32_t, n - 1))
    *kind = MAILDIR_PLACE_AMONG;
  return !indexed;
}

bool
maildir_uidlist_place(const MaildirUidlist *list, const uint32_t *lost, size_t n_lost,
                      uint32_t source_next, bool indexed, MaildirPlace *places, size_t n_places)
{
  g_autoptr(GHashTable) given = g_hash_table_new(NULL, NULL);
  uint32_t next = MAX(list->next, source_next);
  for (size_t i = 0; i < n_places; i++) {
    MaildirPlace *place = &places[i];
    bool mine = kind_of(list, lost, n_lost, indexed, place->wanted, &place->kind)
                && g_hash_table_add(given, GUINT_TO_POINTER(place->wanted));
    place->uid = mine ? place->wanted : 0;
    if (mine)
      next = MAX(next, place->wanted + 1);
  }
  for (size_t i = 0; i < n_places; i++) {
    MaildirPlace *place = &places[i];
    if (place->uid != 0)
      continue;
    if (next == UINT32_MAX)
      return false;
    place->uid = next++;
    place->kind = MAILDIR_PLACE_BEHIND;
  }
  return true;
}
