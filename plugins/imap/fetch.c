/* FETCH responses, from octets to values. See fetch.h. */
#include "fetch.h"

#include <mailhaul/message.h>
#include <string.h>

#include "date.h"

static const ImapWord system_flags[] = {
  { "\\Seen", HAUL_SEEN },       { "\\Answered", HAUL_ANSWERED }, { "\\Flagged", HAUL_FLAGGED },
  { "\\Deleted", HAUL_DELETED }, { "\\Draft", HAUL_DRAFT },
};

bool
imap_take_flags(ImapCursor *cursor, ImapFlagList *flags)
{
  flags->flags = 0;
  flags->any_keyword = false;
  g_array_set_size(flags->keywords, 0);
  if (!imap_take_char(cursor, '('))
    return false;
  for (;;) {
    ImapSpan flag;
    uint32_t value = 0;
    imap_take_spaces(cursor);
    if (imap_take_char(cursor, ')'))
      return true;
    if (!imap_take_atom(cursor, &flag))
      return false;
    if (*flag.at == '\\') {
      if (imap_find_word(&flag, system_flags, G_N_ELEMENTS(system_flags), &value))
        flags->flags |= value;
      else if (imap_span_is(&flag, "\\*"))
        flags->any_keyword = true;
    } else if (flag.size <= IMAP_KEYWORD_LIMIT && flags->keywords->len < IMAP_KEYWORD_COUNT_LIMIT) {
      g_array_append_val(flags->keywords, flag);
    }
  }
}

void
imap_fetch_init(ImapFetch *fetch)
{
  *fetch = (ImapFetch){ 0 };
  fetch->flags.keywords = g_array_new(FALSE, FALSE, sizeof(ImapSpan));
  fetch->labels = g_array_new(FALSE, FALSE, sizeof(ImapSpan));
  imap_fetch_clear(fetch);
}

void
imap_fetch_clear(ImapFetch *fetch)
{
  GArray *keywords = fetch->flags.keywords, *labels = fetch->labels;
  g_array_set_size(keywords, 0);
  g_array_set_size(labels, 0);
  *fetch = (ImapFetch){ .size = HAUL_UNKNOWN, .date = HAUL_NO_DATE, .labels = labels };
  fetch->flags.keywords = keywords;
}

void
imap_fetch_free(ImapFetch *fetch)
{
  g_clear_pointer(&fetch->flags.keywords, g_array_unref);
  g_clear_pointer(&fetch->labels, g_array_unref);
}

/* Takes the name of a FETCH item: "UID", "BODY[HEADER.FIELDS (DATE)]", "BODY[]<0>". */
static bool
take_item_name(ImapCursor *cursor, ImapSpan *name)
{
  const char *start = cursor->at;
  while (cursor->at < cursor->end && strchr(" ()[", *cursor->at) == NULL)
    cursor->at++;
  if (cursor->at < cursor->end && *cursor->at == '[') {
    const char *close = imap_find_bracket(cursor->at + 1, cursor->end);
    if (close == NULL)
      return false;
    cursor->at = close + 1;
    while (cursor->at < cursor->end && strchr(" ()", *cursor->at) == NULL)
      cursor->at++;
  }
  *name = (ImapSpan){ start, (size_t)(cursor->at - start), false };
  return name->size > 0;
}

static bool
take_uid(ImapCursor *cursor, ImapFetch *fetch)
{
  ImapSpan word;
  uint64_t uid;
  if (!imap_take_atom(cursor, &word))
    return false;
  ImapCursor digits = { word.at, word.at + word.size };
  if (!imap_take_number(&digits, &uid) || digits.at != digits.end || uid == 0 || uid > UINT32_MAX
      || (fetch->uid != 0 && fetch->uid != uid))
    fetch->bad_uid = true;
  else
    fetch->uid = uid;
  return true;
}

static bool
take_size(ImapCursor *cursor, ImapFetch *fetch)
{
  ImapSpan word;
  uint64_t size;
  if (!imap_take_atom(cursor, &word))
    return false;
  ImapCursor digits = { word.at, word.at + word.size };
  fetch->has_size = true;
  if (imap_take_number(&digits, &size) && digits.at == digits.end)
    fetch->size = size;
  return true;
}

static bool
take_date(ImapCursor *cursor, ImapFetch *fetch)
{
  ImapSpan text;
  if (!imap_take_nstring(cursor, &text))
    return false;
  fetch->has_date = true;
  if (text.at == NULL || !imap_parse_date(text.at, text.size, &fetch->date, &fetch->zone)) {
    fetch->date = HAUL_NO_DATE;
    fetch->zone = 0;
  }
  return true;
}

static bool
take_header(ImapCursor *cursor, ImapFetch *fetch)
{
  ImapSpan text;
  if (!imap_take_nstring(cursor, &text))
    return false;
  if (!fetch->has_header) {
    fetch->has_header = true;
    if (text.size >= 4 && memcmp(text.at + text.size - 4, "\r\n\r\n", 4) == 0)
      text.size -= 2;
    else if (text.size == 2 && memcmp(text.at, "\r\n", 2) == 0)
      text.size = 0;
    fetch->header = text;
  }
  return true;
}

/* Whether what is left announces a literal, and nothing else. */
static bool
announces_literal(ImapCursor rest, uint64_t *octets)
{
  if (rest.at < rest.end && *rest.at == '~') /* literal8, RFC 3516 */
    rest.at++;
  return imap_take_char(&rest, '{') && imap_take_number(&rest, octets) && imap_take_char(&rest, '}')
         && rest.at == rest.end;
}

/* Takes BODY[]; a literal that ends the text is left for the stream. */
static bool
take_body(ImapCursor *cursor, ImapFetch *fetch)
{
  ImapSpan text;
  uint64_t octets;
  if (announces_literal(*cursor, &octets)) {
    if (fetch->body_kind != IMAP_BODY_NONE)
      return false;
    cursor->at = cursor->end;
    fetch->body_kind = IMAP_BODY_COMES;
    fetch->body_size = octets;
    return true;
  }
  if (!imap_take_nstring(cursor, &text))
    return false;
  if (fetch->body_kind == IMAP_BODY_NONE) {
    fetch->body_kind = text.at == NULL ? IMAP_BODY_NIL : IMAP_BODY_STRING;
    fetch->body = text;
  }
  return true;
}

/* Takes EMAILID (RFC 8474 §7: letters, digits, '_' and '-'); what is none is passed over. */
static bool
take_email_id(ImapCursor *cursor, ImapFetch *fetch)
{
  ImapSpan id;
  fetch->has_object_id = true;
  if (!imap_take_char(cursor, '('))
    return imap_skip_value(cursor);
  if (!imap_take_astring(cursor, &id) || !imap_take_char(cursor, ')'))
    return false;
  for (size_t i = 0; i < id.size; i++)
    if (!g_ascii_isalnum(id.at[i]) && id.at[i] != '_' && id.at[i] != '-')
      return true;
  if (id.size > 0 && id.size <= IMAP_OBJECT_ID_LIMIT)
    fetch->object_id = id;
  return true;
}

/* Takes X-GM-MSGID, a number of 64 bits without a sign; what is none is passed over. */
static bool
take_gmail_id(ImapCursor *cursor, ImapFetch *fetch)
{
  ImapSpan id;
  uint64_t number;
  fetch->has_object_id = true;
  if (!imap_take_atom(cursor, &id))
    return imap_skip_value(cursor);
  ImapCursor digits = { id.at, id.at + id.size };
  if (imap_take_number(&digits, &number) && digits.at == digits.end && number != 0
      && id.size <= IMAP_OBJECT_ID_LIMIT)
    fetch->object_id = id;
  return true;
}

/* Takes X-GM-LABELS: atoms, quoted strings and literals; NIL for none. */
static bool
take_labels(ImapCursor *cursor, ImapFetch *fetch)
{
  ImapSpan label;
  g_array_set_size(fetch->labels, 0);
  if (!imap_take_char(cursor, '('))
    return imap_take_nstring(cursor, &label) && label.at == NULL;
  for (;;) {
    imap_take_spaces(cursor);
    if (imap_take_char(cursor, ')'))
      return true;
    if (fetch->labels->len == IMAP_LABEL_COUNT_LIMIT || !imap_take_astring(cursor, &label))
      return false;
    g_array_append_val(fetch->labels, label);
  }
}

static bool
take_item(ImapCursor *cursor, ImapFetch *fetch)
{
  ImapSpan name;
  if (!take_item_name(cursor, &name) || !imap_take_spaces(cursor))
    return false;
  if (imap_span_is(&name, "UID"))
    return take_uid(cursor, fetch);
  if (imap_span_is(&name, "FLAGS")) {
    fetch->has_flags = true;
    return imap_take_flags(cursor, &fetch->flags);
  }
  if (imap_span_is(&name, "RFC822.SIZE"))
    return take_size(cursor, fetch);
  if (imap_span_is(&name, "INTERNALDATE"))
    return take_date(cursor, fetch);
  if (imap_span_is(&name, "BODY[]"))
    return take_body(cursor, fetch);
  if (imap_span_has_prefix(&name, "BODY[HEADER.FIELDS ") && name.at[name.size - 1] == ']')
    return take_header(cursor, fetch);
  if (imap_span_is(&name, "EMAILID"))
    return take_email_id(cursor, fetch);
  if (imap_span_is(&name, "X-GM-MSGID"))
    return take_gmail_id(cursor, fetch);
  if (imap_span_is(&name, "X-GM-LABELS"))
    return take_labels(cursor, fetch);
  return imap_skip_value(cursor);
}

bool
imap_parse_fetch(ImapCursor *cursor, bool continues, ImapFetch *fetch)
{
  ImapBodyKind before = fetch->body_kind;
  if (!continues && !imap_take_char(cursor, '('))
    return false;
  for (;;) {
    imap_take_spaces(cursor);
    if (imap_take_char(cursor, ')'))
      return imap_at_end(cursor);
    if (!take_item(cursor, fetch))
      return false;
    if (fetch->body_kind == IMAP_BODY_COMES && before != IMAP_BODY_COMES)
      return true;
  }
}
