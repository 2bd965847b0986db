/* Responses, from octets to values. See response.h. */
#include "response.h"

#include <mailhaul/plugin.h>
#include <string.h>

static const ImapWord conditions[] = {
  { "OK", IMAP_OK },           { "NO", IMAP_NO },   { "BAD", IMAP_BAD },
  { "PREAUTH", IMAP_PREAUTH }, { "BYE", IMAP_BYE },
};

static const ImapWord folder_attributes[] = {
  { "\\Noselect", HAUL_FOLDER_NOSELECT },
  { "\\NonExistent", HAUL_FOLDER_NOSELECT },
  { "\\Subscribed", HAUL_FOLDER_SUBSCRIBED },
  { "\\All", HAUL_FOLDER_ALL },
  { "\\AllMail", HAUL_FOLDER_ALL },
  { "\\Archive", HAUL_FOLDER_ARCHIVE },
  { "\\Drafts", HAUL_FOLDER_DRAFTS },
  { "\\Flagged", HAUL_FOLDER_FLAGGED },
  { "\\Starred", HAUL_FOLDER_FLAGGED },
  { "\\Junk", HAUL_FOLDER_JUNK },
  { "\\Spam", HAUL_FOLDER_JUNK },
  { "\\Sent", HAUL_FOLDER_SENT },
  { "\\Trash", HAUL_FOLDER_TRASH },
  { "\\Important", HAUL_FOLDER_IMPORTANT },
};

/* Parses resp-text. A code that is never closed (some servers) is text. */
static void
parse_text(ImapCursor cursor, ImapResponse *response)
{
  imap_take_spaces(&cursor);
  if (cursor.at < cursor.end && *cursor.at == '[') {
    const char *close = imap_find_bracket(cursor.at + 1, cursor.end);
    if (close != NULL) {
      ImapCursor code = { cursor.at + 1, close };
      if (imap_take_atom(&code, &response->code)) {
        imap_take_spaces(&code);
        response->argument = code;
      }
      cursor.at = close + 1;
      imap_take_spaces(&cursor);
    }
  }
  response->text = (ImapSpan){ cursor.at, (size_t)(cursor.end - cursor.at), false };
}

bool
imap_parse_response(const char *octets, size_t size, ImapResponse *response)
{
  ImapCursor cursor = { octets, octets + size };
  *response = (ImapResponse){ .kind = IMAP_RESPONSE_DATA };

  if (imap_take_char(&cursor, '+')) {
    response->kind = IMAP_RESPONSE_CONTINUE;
    parse_text(cursor, response);
    return true;
  }
  if (!imap_take_atom(&cursor, &response->tag) || !imap_take_spaces(&cursor))
    return false;

  uint32_t condition;
  bool untagged = imap_span_is(&response->tag, "*");
  if (untagged && cursor.at < cursor.end && g_ascii_isdigit(*cursor.at)
      && (!imap_take_number(&cursor, &response->number) || !imap_take_spaces(&cursor)))
    return false;
  if (!imap_take_atom(&cursor, &response->name))
    return false;
  if (imap_find_word(&response->name, conditions, G_N_ELEMENTS(conditions), &condition)) {
    response->kind = untagged ? IMAP_RESPONSE_STATUS : IMAP_RESPONSE_TAGGED;
    response->condition = condition;
    parse_text(cursor, response);
    return true;
  }
  imap_take_spaces(&cursor);
  response->rest = cursor;
  return untagged;
}

bool
imap_may_hold_literals(const char *line, size_t size)
{
  ImapCursor cursor = { line, line + size };
  ImapSpan word;
  uint32_t condition;
  return imap_take_char(&cursor, '*') && imap_take_spaces(&cursor) && imap_take_atom(&cursor, &word)
         && !imap_find_word(&word, conditions, G_N_ELEMENTS(conditions), &condition);
}

bool
imap_announces_body(const char *line, size_t size, size_t literal_size)
{
  static const char item[] = "BODY[]";
  const size_t item_size = sizeof item - 1;
  size_t end = size - literal_size;
  if (end > 0 && line[end - 1] == '~') /* literal8, RFC 3516 */
    end--;
  size_t blanks = end;
  while (end > 0 && line[end - 1] == ' ')
    end--;
  if (end == blanks || end < item_size
      || g_ascii_strncasecmp(line + end - item_size, item, item_size) != 0)
    return false;

  ImapCursor cursor = { line, line + size };
  ImapSpan word;
  uint64_t number;
  return imap_take_char(&cursor, '*') && imap_take_spaces(&cursor)
         && imap_take_number(&cursor, &number) && imap_take_spaces(&cursor)
         && imap_take_atom(&cursor, &word) && imap_span_is(&word, "FETCH");
}

/* Whether one octet can separate levels, for us as well: a letter, a digit or '%' stands in escapes. */
static bool
is_separator(const char *octets, size_t size)
{
  return size == 1 && *octets > ' ' && *octets <= '~' && *octets != '%'
         && !g_ascii_isalnum(*octets);
}

bool
imap_parse_list(ImapCursor *cursor, ImapListEntry *entry)
{
  *entry = (ImapListEntry){ 0 };
  if (!imap_take_char(cursor, '('))
    return false;
  for (;;) {
    ImapSpan attribute;
    uint32_t value;
    imap_take_spaces(cursor);
    if (imap_take_char(cursor, ')'))
      break;
    if (!imap_take_atom(cursor, &attribute))
      return false;
    if (imap_find_word(&attribute, folder_attributes, G_N_ELEMENTS(folder_attributes), &value))
      entry->attributes |= value;
    if (imap_span_is(&attribute, "\\NonExistent"))
      entry->nonexistent = true;
    if (imap_span_is(&attribute, "\\Inbox"))
      entry->inbox = true;
  }

  ImapSpan separator;
  if (!imap_take_spaces(cursor) || !imap_take_nstring(cursor, &separator)
      || !imap_take_spaces(cursor) || !imap_take_astring(cursor, &entry->name))
    return false;
  if (separator.at != NULL) {
    size_t size;
    g_autofree char *octets = imap_span_dup(&separator, &size);
    entry->bad_separator = !is_separator(octets, size);
    entry->separator = entry->bad_separator ? '\0' : octets[0];
  }
  if (imap_take_spaces(cursor) && cursor->at < cursor->end) /* extended data, RFC 5258 */
    return imap_skip_value(cursor) && imap_at_end(cursor);
  return imap_at_end(cursor);
}

static uint64_t *
status_field(ImapStatusData *status, const ImapSpan *name)
{
  if (imap_span_is(name, "MESSAGES"))
    return &status->messages;
  if (imap_span_is(name, "UIDNEXT"))
    return &status->uid_next;
  if (imap_span_is(name, "UIDVALIDITY"))
    return &status->uid_validity;
  if (imap_span_is(name, "SIZE"))
    return &status->size;
  if (imap_span_is(name, "HIGHESTMODSEQ"))
    return &status->mod_sequence;
  return imap_span_is(name, "APPENDLIMIT") ? &status->append_limit : NULL;
}

bool
imap_parse_status(ImapCursor *cursor, ImapStatusData *status)
{
  *status = (ImapStatusData){ .messages = HAUL_UNKNOWN,
                              .uid_next = HAUL_UNKNOWN,
                              .uid_validity = HAUL_UNKNOWN,
                              .size = HAUL_UNKNOWN,
                              .mod_sequence = HAUL_UNKNOWN,
                              .append_limit = HAUL_UNKNOWN };
  if (!imap_take_astring(cursor, &status->name) || !imap_take_spaces(cursor)
      || !imap_take_char(cursor, '('))
    return false;
  for (;;) {
    ImapSpan name;
    imap_take_spaces(cursor);
    if (imap_take_char(cursor, ')'))
      return imap_at_end(cursor);
    if (!imap_take_atom(cursor, &name) || !imap_take_spaces(cursor))
      return false;
    uint64_t *field = status_field(status, &name), number;
    if (field != NULL && cursor->at < cursor->end && g_ascii_isdigit(*cursor->at)) {
      if (!imap_take_number(cursor, &number))
        return false;
      *field = number;
    } else if (imap_span_is(&name, "MAILBOXID") && imap_take_char(cursor, '(')) {
      if (!imap_take_astring(cursor, &status->mailbox_id) || !imap_take_char(cursor, ')'))
        return false;
      if (status->mailbox_id.size > IMAP_OBJECT_ID_LIMIT)
        status->mailbox_id = (ImapSpan){ 0 };
    } else if (!imap_skip_value(cursor)) {
      return false;
    }
  }
}

static bool
take_namespace(ImapCursor *cursor, ImapNamespaceKind kind, GArray *entries)
{
  ImapNamespaceEntry entry = { .kind = kind };
  ImapSpan separator;
  if (!imap_take_string(cursor, &entry.prefix) || !imap_take_spaces(cursor)
      || !imap_take_nstring(cursor, &separator))
    return false;
  if (separator.at != NULL && separator.size > 0) {
    size_t size;
    g_autofree char *octets = imap_span_dup(&separator, &size);
    if (!is_separator(octets, size))
      return false;
    entry.separator = *octets;
  }
  while (imap_take_spaces(cursor)) { /* extensions, RFC 2342 §6 */
    if (!imap_skip_value(cursor))
      return false;
  }
  if (entries->len < IMAP_NAMESPACES_LIMIT)
    g_array_append_val(entries, entry);
  return imap_take_char(cursor, ')');
}

bool
imap_parse_namespaces(ImapCursor *cursor, GArray *entries)
{
  for (int kind = IMAP_PERSONAL; kind <= IMAP_SHARED; kind++) {
    if (kind != IMAP_PERSONAL)
      imap_take_spaces(cursor);
    if (!imap_take_char(cursor, '(')) {
      ImapSpan nil;
      if (!imap_take_nstring(cursor, &nil) || nil.at != NULL)
        return false;
      continue;
    }
    while (imap_take_char(cursor, '(')) {
      if (!take_namespace(cursor, (ImapNamespaceKind)kind, entries))
        return false;
      imap_take_spaces(cursor);
    }
    if (!imap_take_char(cursor, ')'))
      return false;
  }
  return imap_at_end(cursor);
}

bool
imap_parse_appenduid(ImapCursor argument, uint64_t expected, uint32_t *uid_validity, GArray *uids)
{
  uint64_t validity;
  if (!imap_take_number(&argument, &validity) || validity == 0 || validity > UINT32_MAX
      || !imap_take_spaces(&argument))
    return false;
  size_t size = (size_t)(argument.end - argument.at);
  if (size == 0 || memchr(argument.at, '*', size) != NULL
      || imap_parse_set(argument.at, size, uids) != size || imap_set_count(uids) != expected)
    return false;
  for (guint i = 0; i < uids->len; i++) {
    const ImapRange *range = &g_array_index(uids, ImapRange, i);
    if (range->last < range->first || (i > 0 && range->first <= range[-1].last))
      return false;
  }
  *uid_validity = (uint32_t)validity;
  return true;
}

/* Takes a set that is all of what is left, but for blanks, or up to one. */
static bool
take_whole_set(ImapCursor *cursor, GArray *ranges)
{
  size_t size = imap_parse_set(cursor->at, (size_t)(cursor->end - cursor->at), ranges);
  cursor->at += size;
  return size > 0 && (cursor->at == cursor->end || *cursor->at == ' ');
}

bool
imap_parse_vanished(ImapCursor *cursor, bool *earlier, GArray *ranges)
{
  ImapSpan word;
  *earlier = false;
  if (imap_take_char(cursor, '(')) {
    if (!imap_take_atom(cursor, &word) || !imap_span_is(&word, "EARLIER")
        || !imap_take_char(cursor, ')') || !imap_take_spaces(cursor))
      return false;
    *earlier = true;
  }
  return take_whole_set(cursor, ranges) && imap_at_end(cursor);
}

bool
imap_parse_esearch(ImapCursor *cursor, ImapSpan *tag, GArray *ranges)
{
  bool of_uids = false;
  ImapSpan word;
  if (!imap_take_char(cursor, '(') || !imap_take_atom(cursor, &word) || !imap_span_is(&word, "TAG")
      || !imap_take_spaces(cursor) || !imap_take_astring(cursor, tag)
      || !imap_take_char(cursor, ')'))
    return false;
  for (;;) {
    bool parted = imap_take_spaces(cursor);
    if (cursor->at == cursor->end)
      return of_uids;
    if (!parted || !imap_take_atom(cursor, &word))
      return false;
    if (imap_span_is(&word, "UID"))
      of_uids = true;
    else if (!imap_take_spaces(cursor)
             || !(imap_span_is(&word, "ALL") ? take_whole_set(cursor, ranges)
                                             : imap_skip_value(cursor)))
      return false;
  }
}

bool
imap_parse_search(ImapCursor *cursor, GArray *ranges)
{
  for (;;) {
    uint64_t number;
    imap_take_spaces(cursor);
    if (imap_at_end(cursor))
      return true;
    if (*cursor->at == '(') /* MODSEQ */
      return imap_skip_value(cursor) && imap_at_end(cursor);
    if (!imap_take_number(cursor, &number) || number == 0 || number > UINT32_MAX
        || (cursor->at < cursor->end && *cursor->at != ' '))
      return false;
    ImapRange *last = ranges->len > 0 ? &g_array_index(ranges, ImapRange, ranges->len - 1) : NULL;
    if (last != NULL && (uint64_t)last->last + 1 == number) {
      last->last = (uint32_t)number;
      continue;
    }
    ImapRange one = { (uint32_t)number, (uint32_t)number };
    g_array_append_val(ranges, one);
  }
}
