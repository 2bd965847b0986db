/*
 * FETCH responses: one that streams its body, which is read in two parts, says of a message what the
 * same one says as a whole.
 */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/message.h>

#include "../../plugins/imap/fetch.h"
#include "../../plugins/imap/response.h"

static bool
is_within(const ImapSpan *span, const char *text, size_t size)
{
  return span->at == NULL || (span->at >= text && span->at + span->size <= text + size);
}

static void
check(const ImapFetch *fetch, const char *text, size_t size)
{
  FUZZ_ASSERT(fetch->uid <= UINT32_MAX);
  FUZZ_ASSERT((fetch->flags.flags & ~(uint32_t)HAUL_ALL_FLAGS) == 0);
  FUZZ_ASSERT(fetch->flags.keywords->len <= IMAP_KEYWORD_COUNT_LIMIT);
  for (guint i = 0; i < fetch->flags.keywords->len; i++) {
    const ImapSpan *keyword = &g_array_index(fetch->flags.keywords, ImapSpan, i);
    FUZZ_ASSERT(is_within(keyword, text, size) && keyword->size <= IMAP_KEYWORD_LIMIT);
  }
  FUZZ_ASSERT(fetch->labels->len <= IMAP_LABEL_COUNT_LIMIT);
  for (guint i = 0; i < fetch->labels->len; i++)
    FUZZ_ASSERT(is_within(&g_array_index(fetch->labels, ImapSpan, i), text, size));
  FUZZ_ASSERT(is_within(&fetch->header, text, size) && is_within(&fetch->body, text, size));
  FUZZ_ASSERT(is_within(&fetch->object_id, text, size));
  FUZZ_ASSERT(fetch->object_id.size <= IMAP_OBJECT_ID_LIMIT);
  FUZZ_ASSERT(!fetch->has_date || fetch->date == HAUL_NO_DATE || ABS(fetch->zone) < 16 * 3600);
}

static void
check_same(const ImapFetch *whole, const ImapFetch *parts)
{
  FUZZ_ASSERT(whole->uid == parts->uid && whole->bad_uid == parts->bad_uid);
  FUZZ_ASSERT(whole->has_flags == parts->has_flags && whole->flags.flags == parts->flags.flags);
  FUZZ_ASSERT(whole->flags.keywords->len == parts->flags.keywords->len);
  FUZZ_ASSERT(whole->size == parts->size && whole->has_size == parts->has_size);
  FUZZ_ASSERT(whole->date == parts->date && whole->zone == parts->zone);
  FUZZ_ASSERT(whole->header.at == parts->header.at && whole->header.size == parts->header.size);
  FUZZ_ASSERT(whole->object_id.at == parts->object_id.at);
  FUZZ_ASSERT(whole->labels->len == parts->labels->len);
}

/* Reads @text once more as its stream would bring it: up to where @whole begins its body, and from
 * where that ends. */
static void
try_in_parts(const char *text, size_t size, const ImapFetch *whole)
{
  size_t head_size = (size_t)(whole->body.at - text);
  if (whole->body_kind != IMAP_BODY_STRING || head_size < 3 || text[head_size - 1] != '\n')
    return; /* not a literal */
  if (memrchr(text, '~', head_size) != NULL)
    return; /* may be "~{n}", which is not streamed */
  ImapFetch parts;
  ImapCursor cursor = { text, text + head_size - 2 };
  ImapCursor rest = { whole->body.at + whole->body.size, text + size };
  imap_fetch_init(&parts);
  FUZZ_ASSERT(imap_parse_fetch(&cursor, false, &parts));
  if (parts.body_kind == IMAP_BODY_COMES) { /* else it was "~{n}": not one that is streamed */
    FUZZ_ASSERT(parts.body_size == whole->body.size);
    FUZZ_ASSERT(imap_parse_fetch(&rest, true, &parts));
    check_same(whole, &parts);
  }
  imap_fetch_free(&parts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_memdup2(data, size + (size == 0)); /* exact, for checkers */
  ImapFetch fetch;
  ImapCursor cursor = { text, text + size };
  imap_fetch_init(&fetch);
  if (imap_parse_fetch(&cursor, false, &fetch)) {
    check(&fetch, text, size);
    if (fetch.body_kind == IMAP_BODY_COMES)
      FUZZ_ASSERT(cursor.at == text + size);
    else
      try_in_parts(text, size, &fetch);
  }
  imap_fetch_free(&fetch);
  return 0;
}

const char *const fuzz_seeds[] = {
  "(UID 7 FLAGS (\\Seen $x) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 12)",
  "(UID 7 BODY[HEADER.FIELDS (\"Message-Id\")] {6}\r\nX: a\r\n FLAGS ())",
  "(UID 7 BODY[] {3}",
  "(UID 7 BODY[] {3}\r\na)b FLAGS (k) X-GM-LABELS (\\\\Inbox \"a b\" {2}\r\n)( ))",
  "(BODY[] {0}\r\n UID 9 EMAILID (M1))",
  "(BODY[]<0> {2}\r\nhi BODY[TEXT] \"x\" UID 9)",
  "(X-GM-MSGID 18446744073709551615 BODY[] NIL UID 4)",
  "(BODY[] \"a\\\"b\" UID 4294967295 BODYSTRUCTURE ((\"a\" NIL) (x)))",
  "(UID 0 RFC822.SIZE 99999999999999999999 INTERNALDATE \"31-Feb-2020 00:00:00 +0000\")",
  NULL,
};
