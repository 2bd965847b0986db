/* What a QUOTA response says: declared in response.h. Pure. */
#include <mailhaul/message.h>
#include <string.h>

#include "response.h"

#define STORAGE_UNIT 1024 /* RFC 9208 §5.2: octets in one of STORAGE */

/* Takes a number, of which one beyond 64 bits becomes the largest. */
static bool
take_saturated(ImapCursor *cursor, uint64_t *value)
{
  ImapCursor digits = *cursor;
  if (cursor->at >= cursor->end || !g_ascii_isdigit(*cursor->at))
    return false;
  bool fits = imap_take_number(&digits, value);
  if (!fits)
    *value = HAUL_UNKNOWN;
  while (cursor->at < cursor->end && g_ascii_isdigit(*cursor->at))
    cursor->at++;
  return true;
}

static uint64_t
in_octets(uint64_t units)
{
  return units > (HAUL_UNKNOWN - 1) / STORAGE_UNIT ? HAUL_UNKNOWN - 1 : units * STORAGE_UNIT;
}

/* Goes to the list that ends @cursor, whatever a root before it looks like. */
static bool
find_list(ImapCursor *cursor)
{
  ImapCursor after = *cursor;
  ImapSpan root;
  if (imap_take_astring(&after, &root) && imap_take_spaces(&after) && after.at < after.end
      && *after.at == '(') {
    *cursor = after;
    return true;
  }
  for (const char *at = cursor->end; at > cursor->at; at--) {
    if (at[-1] == '(') {
      cursor->at = at - 1;
      return true;
    }
  }
  return false;
}

bool
imap_parse_quota(ImapCursor *cursor, ImapQuota *quota)
{
  *quota = (ImapQuota){ .used_octets = HAUL_UNKNOWN, .limit_octets = HAUL_UNKNOWN };
  if (!find_list(cursor) || !imap_take_char(cursor, '('))
    return false;
  for (;;) {
    ImapSpan resource;
    uint64_t used, limit;
    imap_take_spaces(cursor);
    if (imap_take_char(cursor, ')'))
      return imap_at_end(cursor);
    if (!imap_take_atom(cursor, &resource) || !imap_take_spaces(cursor)
        || !take_saturated(cursor, &used) || !imap_take_spaces(cursor)
        || !take_saturated(cursor, &limit))
      return false;
    if (imap_span_is(&resource, "STORAGE"))
      *quota = (ImapQuota){ in_octets(used), in_octets(limit) };
  }
}

uint64_t
imap_quota_room(const ImapQuota *quota)
{
  if (quota->limit_octets == HAUL_UNKNOWN)
    return HAUL_UNKNOWN;
  return quota->limit_octets - MIN(quota->used_octets, quota->limit_octets);
}
