/* Tests refusal.c and throttle.c of the imap plugin: how long a server asks us to wait. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "../../plugins/imap/refusal.h"
#include "../../plugins/imap/throttle.h"

static void
how_long_to_wait_is_read_from_the_words(void)
{
  static const struct {
    const char *text;
    unsigned ms;
  } table[] = {
    { "Request is throttled. Suggested Backoff Time: 299961 milliseconds", 299961 },
    { "Suggested Backoff Time: 12 seconds", 12000 },
    { "SUGGESTED BACKOFF TIME: 7 MS", 7 },
    { "Suggested back-off: 30s", 30000 },
    { "Rate limit hit. Retry-After: 30", 30000 },
    { "retry after 2 minutes", 120000 },
    { "Too many requests, try again in 5 minutes.", 300000 },
    { "try again in 1 hour", 3600000 },
    { "please wait 90 sec", 90000 },
    { "please wait 90m", 3600000 }, /* no longer than an hour */
    { "Backoff Time: 99999999999999999999999 milliseconds", 3600000 },
    { "Backoff Time: 18446744073709551615 hours", 3600000 },
    { "Backoff Time: -5", 5000 },
    { "try again later", 0 },
    { "please wait. 42 messages", 0 },
    { "backoff", 0 },
    { "backoff ", 0 },
    { "299961 milliseconds", 0 },
    { "Backoff Time:                                      5", 0 },
    { "", 0 },
    { NULL, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    unsigned ms = imap_wait_asked_ms(table[i].text);
    CU_ASSERT_EQUAL(ms, table[i].ms);
    if (ms != table[i].ms)
      printf("%s: %u\n", table[i].text, ms);
  }
}

static void
a_plea_for_patience_carries_how_long(void)
{
  g_autoptr(GError) why = NULL;
  imap_set_refusal(&why, HAUL_ERROR_FOLDER, "select", "cannot be opened", NULL,
                   "Request is throttled. Suggested Backoff Time: 300 milliseconds");
  CHECK_ERROR(why, HAUL_ERROR_BUSY, "busy", "300 milliseconds");
  CU_ASSERT_EQUAL(haul_error_wait_ms(why), 300);
  g_clear_error(&why);
  imap_set_refusal(&why, HAUL_ERROR_FOLDER, "select", "cannot be opened", NULL, "wait 5 no more");
  CHECK_ERROR(why, HAUL_ERROR_FOLDER, "select", NULL);
  CU_ASSERT_EQUAL(haul_error_wait_ms(why), 0);
}

static void
over_quota_means_bandwidth_where_nothing_is_stored(void)
{
  CU_ASSERT(imap_puts_reading_off("OVERQUOTA", "that is all for today"));
  CU_ASSERT(!imap_asks_for_patience("OVERQUOTA", "that is all for today"));
  CU_ASSERT_EQUAL(imap_classify_append("OVERQUOTA", "that is all for today"),
                  IMAP_REFUSED_OVER_QUOTA);
  CU_ASSERT_EQUAL(imap_classify_append("OVERQUOTA", "Account exceeded bandwidth limits."),
                  IMAP_REFUSED_FOR_NOW);
  g_autoptr(GError) why = NULL;
  imap_set_reading_refusal(&why, HAUL_ERROR_CONNECTION, "closed", "ended", "OVERQUOTA", "enough");
  CHECK_ERROR(why, HAUL_ERROR_BUSY, "busy", "enough");
}

static void
a_refused_message_is_judged_by_its_code_before_its_words(void)
{
  static const struct {
    const char *code, *text;
    ImapRefusal meaning;
  } table[] = {
    { "OVERQUOTA", "Message too large for what is left", IMAP_REFUSED_OVER_QUOTA },
    { "OverQuota", "no", IMAP_REFUSED_OVER_QUOTA },
    { "overquota", "bandwidth is used up", IMAP_REFUSED_FOR_NOW },
    { "OVERQUOTA", "Account exceeded command limits", IMAP_REFUSED_FOR_NOW },
    { "toobig", "no", IMAP_REFUSED_TOO_BIG },
    { "TOOBIG", "quota exceeded by it", IMAP_REFUSED_TOO_BIG },
    { "Limit", "no", IMAP_REFUSED_TOO_BIG },
    { "LIMIT", "header too long", IMAP_REFUSED },
    { "TryCreate", "no", IMAP_REFUSED_NO_FOLDER },
    { "nonexistent", "no", IMAP_REFUSED_NO_FOLDER },
    { NULL, "Mailbox size limit exceeded", IMAP_REFUSED_OVER_QUOTA },
    { NULL, "Your quota has been exceeded: message too large", IMAP_REFUSED_OVER_QUOTA },
    { NULL, "The quota of this mailbox is exceeded", IMAP_REFUSED_OVER_QUOTA },
    { NULL, "the mailbox exceeds its size limit", IMAP_REFUSED_OVER_QUOTA },
    { NULL, "quota exceeded", IMAP_REFUSED_OVER_QUOTA },
    { NULL, "Bandwidth quota exceeded", IMAP_REFUSED_FOR_NOW },
    { NULL, "Message size exceeds the quota: too big", IMAP_REFUSED_TOO_BIG },
    { NULL, "Message exceeds the maximum size", IMAP_REFUSED_TOO_BIG },
    { NULL, "message too large", IMAP_REFUSED_TOO_BIG },
    { NULL, "Header too large", IMAP_REFUSED },
    { NULL, "Message headers are too big", IMAP_REFUSED },
    { NULL, "line too large", IMAP_REFUSED },
    { NULL, "invalid header, correct it and try again", IMAP_REFUSED },
    { NULL, "Please try again later", IMAP_REFUSED_FOR_NOW },
    { NULL, "try again in a minute", IMAP_REFUSED_FOR_NOW },
    { NULL, "Temporarily unavailable, try again", IMAP_REFUSED_FOR_NOW },
    { NULL, "", IMAP_REFUSED },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    ImapRefusal meaning = imap_classify_append(table[i].code, table[i].text);
    CU_ASSERT_EQUAL(meaning, table[i].meaning);
    if (meaning != table[i].meaning)
      printf("[%s] %s: %d\n", table[i].code != NULL ? table[i].code : "", table[i].text, meaning);
  }
}

static void
throttled_is_seen_anywhere(void)
{
  static const char *const yes[] = { "Success [THROTTLED]", "[THROTTLED]", "[THROTTLED] done" };
  static const char *const no[] = { "", "THROTTLED", "[THROTTLED", "Success" };
  for (size_t i = 0; i < G_N_ELEMENTS(yes); i++)
    CU_ASSERT(imap_says_throttled(yes[i], strlen(yes[i])));
  for (size_t i = 0; i < G_N_ELEMENTS(no); i++)
    CU_ASSERT(!imap_says_throttled(no[i], strlen(no[i])));
  CU_ASSERT(!imap_says_throttled("Success [THROTTLED]", 12));
}

static void
a_pause_doubles_up_to_a_limit_and_decays(void)
{
  static const unsigned growing[] = { 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };
  static const unsigned fading[] = { 7500, 5625, 4218, 3163 };
  ImapThrottle throttle = { 0 };
  imap_throttle_answer(&throttle, false);
  CU_ASSERT_EQUAL(throttle.pause_ms, 0);
  for (size_t i = 0; i < G_N_ELEMENTS(growing); i++) {
    imap_throttle_answer(&throttle, true);
    CU_ASSERT_EQUAL(throttle.pause_ms, growing[i]);
  }
  for (size_t i = 0; i < G_N_ELEMENTS(fading); i++) {
    imap_throttle_answer(&throttle, false);
    CU_ASSERT_EQUAL(throttle.pause_ms, fading[i]);
  }
  for (unsigned i = 0; i < 30; i++)
    imap_throttle_answer(&throttle, false);
  CU_ASSERT_EQUAL(throttle.pause_ms, 0);
}

static void
only_what_is_left_of_a_pause_is_waited(void)
{
  ImapThrottle throttle = { 100 };
  CU_ASSERT_EQUAL(imap_throttle_wait_ms(&throttle, 1000000, 1000000), 100);
  CU_ASSERT_EQUAL(imap_throttle_wait_ms(&throttle, 1000000, 1060000), 40);
  CU_ASSERT_EQUAL(imap_throttle_wait_ms(&throttle, 1000000, 1100000), 0);
  CU_ASSERT_EQUAL(imap_throttle_wait_ms(&throttle, 1000000, INT64_MAX), 0);
  CU_ASSERT_EQUAL(imap_throttle_wait_ms(&throttle, 1000000, 500000), 100);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(how_long_to_wait_is_read_from_the_words),
    CASE(a_plea_for_patience_carries_how_long),
    CASE(over_quota_means_bandwidth_where_nothing_is_stored),
    CASE(a_refused_message_is_judged_by_its_code_before_its_words),
    CASE(throttled_is_seen_anywhere),
    CASE(a_pause_doubles_up_to_a_limit_and_decays),
    CASE(only_what_is_left_of_a_pause_is_waited),
  };
  return RUN_SUITE("imap: refusal", cases);
}
