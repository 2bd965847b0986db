/* Responses of an IMAP server: whatever comes, parsers stay within it and keep their promises. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/message.h>
#include <mailhaul/text.h>

#include "../../plugins/imap/fetch.h"
#include "../../plugins/imap/names.h"
#include "../../plugins/imap/response.h"

static bool
is_within(const ImapSpan *span, const char *text, size_t size)
{
  return span->at == NULL || (span->at >= text && span->at + span->size <= text + size);
}

static void
try_fetch(ImapCursor cursor, const char *text, size_t size)
{
  ImapFetch fetch;
  imap_fetch_init(&fetch);
  if (imap_parse_fetch(&cursor, false, &fetch)) {
    FUZZ_ASSERT(cursor.at <= text + size && fetch.uid <= UINT32_MAX);
    FUZZ_ASSERT(fetch.flags.keywords->len <= IMAP_KEYWORD_COUNT_LIMIT);
    FUZZ_ASSERT((fetch.flags.flags & ~(uint32_t)HAUL_ALL_FLAGS) == 0);
    FUZZ_ASSERT(is_within(&fetch.header, text, size) && is_within(&fetch.body, text, size));
    FUZZ_ASSERT(is_within(&fetch.object_id, text, size));
    for (guint i = 0; i < fetch.flags.keywords->len; i++)
      FUZZ_ASSERT(is_within(&g_array_index(fetch.flags.keywords, ImapSpan, i), text, size));
    if (fetch.body_kind == IMAP_BODY_COMES) {
      FUZZ_ASSERT(cursor.at == text + size);
      cursor = (ImapCursor){ text, text + size };
      (void)imap_parse_fetch(&cursor, true, &fetch);
    }
  }
  imap_fetch_free(&fetch);
}

/* A path leads back to the mailbox that it was made of, if its name can be written at all. */
static void
try_name(const ImapNames *names, const char *wire)
{
  if (*wire == '\0' || !imap_names_is_personal(names, wire))
    return;
  g_autofree char *path = imap_names_to_path(names, wire, names->separator);
  FUZZ_ASSERT(g_utf8_validate(path, -1, NULL));
  FUZZ_ASSERT(!haul_path_is_inbox(path) || haul_path_is_inbox(wire));
  if (*path == '\0')
    return;
  g_autofree char *again = imap_names_to_wire(names, path);
  g_autofree char *path_again = imap_names_to_path(names, again, names->separator);
  g_autofree char *twice = imap_names_to_wire(names, path_again);
  FUZZ_ASSERT(strcmp(again, twice) == 0);
}

static void
try_data(const ImapResponse *response, const char *text, size_t size)
{
  ImapCursor cursor = response->rest;
  ImapListEntry entry;
  if (imap_parse_list(&cursor, &entry)) {
    FUZZ_ASSERT(is_within(&entry.name, text, size));
    FUZZ_ASSERT(entry.separator == '\0' || g_ascii_isprint(entry.separator));
  }
  cursor = response->rest;
  ImapStatusData status;
  if (imap_parse_status(&cursor, &status))
    FUZZ_ASSERT(is_within(&status.name, text, size) && is_within(&status.mailbox_id, text, size));

  cursor = response->rest;
  g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(ImapNamespaceEntry));
  if (imap_parse_namespaces(&cursor, entries)) {
    ImapNames names;
    imap_names_init(&names);
    imap_names_set(&names, entries);
    g_autofree char *wire = g_strndup(text, MIN(size, 100u));
    g_autofree char *below = g_strconcat(names.prefix, wire, NULL);
    try_name(&names, wire);
    try_name(&names, below);
    names.utf8 = true;
    try_name(&names, wire);
    imap_names_free(&names);
  }
  bool earlier;
  ImapSpan tag = { 0 };
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  cursor = response->rest;
  if (imap_parse_vanished(&cursor, &earlier, ranges))
    FUZZ_ASSERT(ranges->len > 0 && ranges->len <= IMAP_SET_RANGES_LIMIT);
  cursor = response->rest;
  if (imap_parse_esearch(&cursor, &tag, ranges))
    FUZZ_ASSERT(is_within(&tag, text, size));
  cursor = response->rest;
  ImapQuota quota;
  if (imap_parse_quota(&cursor, &quota))
    FUZZ_ASSERT((quota.used_octets == HAUL_UNKNOWN) == (quota.limit_octets == HAUL_UNKNOWN));
  uint64_t limit;
  (void)imap_parse_capabilities(response->rest, &limit);
  try_fetch(response->rest, text, size);
}

static void
try_code(const ImapResponse *response)
{
  g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  uint32_t validity;
  if (imap_parse_appenduid(response->argument, 3, &validity, uids))
    FUZZ_ASSERT(validity != 0 && imap_set_count(uids) == 3 && uids->len <= 3);
  ImapFlagList flags = { .keywords = g_array_new(FALSE, FALSE, sizeof(ImapSpan)) };
  ImapCursor argument = response->argument;
  (void)imap_take_flags(&argument, &flags);
  g_array_unref(flags.keywords);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_memdup2(data, size + (size == 0)); /* exact, for checkers */
  ImapResponse response;
  uint64_t octets;
  int announced = imap_literal_at_end(text, size, &octets);
  if (announced > 0 && imap_may_hold_literals(text, size))
    (void)imap_announces_body(text, size, (size_t)announced);
  if (!imap_parse_response(text, size, &response))
    return 0;
  FUZZ_ASSERT(is_within(&response.text, text, size) && is_within(&response.code, text, size));
  FUZZ_ASSERT(is_within(&response.name, text, size) && is_within(&response.tag, text, size));
  if (response.kind == IMAP_RESPONSE_DATA)
    try_data(&response, text, size);
  else
    try_code(&response);
  return 0;
}

const char *const fuzz_seeds[] = {
  "A1 OK [APPENDUID 9 4:6] done",
  "* OK [PERMANENTFLAGS (\\Seen \\* $x)] limited",
  "* 1 FETCH (UID 7 FLAGS (\\Seen $x) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 12)",
  "* 2 FETCH (UID 7 BODY[HEADER.FIELDS (\"Message-Id\")] {6}\r\nX: a\r\n FLAGS ())",
  "* 3 FETCH (UID 7 BODY[] {3}",
  "* 3 FETCH (EMAILID (M1) X-GM-MSGID 18446744073709551615 BODY[] NIL UID 4)",
  "* LIST (\\HasNoChildren \\Sent) \"/\" \"Entw&APw-rfe\" (\"CHILDINFO\" (\"SUBSCRIBED\"))",
  "* STATUS {3}\r\na\"b (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 HIGHESTMODSEQ 4 MAILBOXID (x)) ",
  "* NAMESPACE ((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"shared.\" \".\" \"X\" (\"y\")))",
  "* NAMESPACE ((\"\" \"/\")) NIL NIL",
  "* CAPABILITY IMAP4rev1 LITERAL+ APPENDLIMIT=5",
  "* VANISHED (EARLIER) 41,43:116,1:4294967295",
  "* ESEARCH (TAG \"A9\") UID MIN 3 ALL 3,40:45",
  "+ go ahead",
  NULL,
};
