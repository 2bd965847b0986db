/* What a server means by NO, BAD and BYE: whatever the words, a verdict; and what is shown of them is
 * one line of bounded length that can do no harm. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include "../../plugins/imap/refusal.h"
#include "../../plugins/imap/response.h"

static void
check_shown(const char *shown)
{
  FUZZ_ASSERT(g_utf8_validate(shown, -1, NULL) && strlen(shown) < 1200);
  for (const char *at = shown; *at != '\0'; at++)
    FUZZ_ASSERT((unsigned char)*at >= ' ' && *at != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *line = g_strndup((const char *)data, size);
  ImapResponse response;
  if (!imap_parse_response(line, strlen(line), &response) || response.kind == IMAP_RESPONSE_DATA)
    return 0;
  g_autofree char *text = imap_span_dup(&response.text, NULL);
  g_autofree char *code = response.code.at != NULL ? imap_span_dup(&response.code, NULL) : NULL;
  bool bad = response.condition == IMAP_BAD;
  bool busy = imap_asks_for_patience(code, text);
  FUZZ_ASSERT(imap_classify_append(code, text) <= IMAP_REFUSED_FOR_NOW);
  FUZZ_ASSERT(imap_classify_login(bad, code, text) <= IMAP_LOGIN_FOR_NOW);
  (void)imap_says_logged_out(code, text);
  (void)imap_wants_id(text);
  (void)imap_puts_reading_off(code, text);
  (void)imap_says_throttled(text, strlen(text));
  FUZZ_ASSERT(imap_wait_asked_ms(text) <= 3600 * 1000);
  g_autoptr(GError) error = NULL;
  imap_set_refusal(&error, HAUL_ERROR_MESSAGE, "refused", "what", code, text);
  FUZZ_ASSERT(error != NULL);
  FUZZ_ASSERT(haul_error_reach(error) == (busy ? HAUL_ERROR_BUSY : HAUL_ERROR_MESSAGE));
  check_shown(error->message);
  return 0;
}

const char *const fuzz_seeds[] = {
  "A1 NO [OVERQUOTA] Quota exceeded (mailbox for user is full)",
  "A1 NO [OVERQUOTA] Account exceeded command or bandwidth limits.",
  "A1 BAD Command Argument Error. 11",
  "A1 NO Server Unavailable. 15",
  "* BYE Session expired, please login again.",
  "A1 NO Request is throttled. Suggested Backoff Time: 299961 milliseconds",
  "A1 NO [ALERT] Too many simultaneous connections. (Failure)",
  "A1 NO [TRYCREATE] no such mailbox",
  "A1 NO [AUTHENTICATIONFAILED] AccessTokenExpired",
  "A1 NO [TOOBIG] \x1b]52;c;\x07 message too large",
  NULL,
};
