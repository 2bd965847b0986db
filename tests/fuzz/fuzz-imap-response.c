/* Responses of an IMAP server as they begin: greetings, answers, codes, capabilities. Whatever comes,
 * what is told of it lies within it. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include "../../plugins/imap/fetch.h"
#include "../../plugins/imap/response.h"

static bool
is_within(const ImapSpan *span, const char *text, size_t size)
{
  return span->at == NULL || (span->at >= text && span->at + span->size <= text + size);
}

/* What a list of capabilities says, it says in any order of its words. */
static void
try_capabilities(ImapCursor list)
{
  g_autofree char *text = g_strndup(list.at, (size_t)(list.end - list.at));
  g_strdelimit(text, ",", ' ');
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  guint n = g_strv_length(words);
  for (guint i = 0; i < n / 2; i++) {
    char *word = words[i];
    words[i] = words[n - 1 - i];
    words[n - 1 - i] = word;
  }
  g_autofree char *turned = g_strjoinv(" ", words);
  ImapCursor cursor = { text, text + strlen(text) };
  ImapCursor turned_cursor = { turned, turned + strlen(turned) };
  uint64_t limit;
  FUZZ_ASSERT(imap_parse_capabilities(cursor, &limit)
              == imap_parse_capabilities(turned_cursor, &limit));
  FUZZ_ASSERT(imap_parse_mechanisms(cursor) == imap_parse_mechanisms(turned_cursor));
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
    try_capabilities(response.rest);
  else
    try_code(&response);
  return 0;
}

const char *const fuzz_seeds[] = {
  "A1 OK [APPENDUID 9 4:6] done",
  "* OK [PERMANENTFLAGS (\\Seen \\* $x)] limited",
  "* OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=SCRAM-SHA-256] ready",
  "* PREAUTH [X \"a]\" (])] welcome",
  "* BYE [REFERRAL imap://evil.example/] go away",
  "* 3 FETCH (UID 7 BODY[] {3}",
  "* CAPABILITY IMAP4rev1 LITERAL+ APPENDLIMIT=5,AUTH=PLAIN",
  "* 18446744073709551616 EXISTS",
  "zz99 NO [UNAVAILABLE",
  "+ go ahead",
  "+",
  NULL,
};
