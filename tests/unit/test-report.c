/* Tests report.c, which adds up, and reason.c, which says what a reason counts as. */
#include "suite.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>

#include "report.h"

static uint64_t
sum_of(const HaulTally *tally)
{
  uint64_t sum = 0;
  for (size_t i = 0; i < HAUL_N_STATES; i++)
    sum += tally->n[i];
  return sum;
}

static void
trouble(HaulReport *report, HaulTally *tally, const char *id, const char *reason)
{
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_MESSAGE, reason, "the server said \x1b[31m%s", reason);
  haul_report_trouble(report, tally, id, why);
}

static void
fail_folder(HaulReport *report, HaulTally *tally, const char *reason)
{
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_FOLDER, reason, "the server said \x1b[31m%s", reason);
  haul_report_folder_failed(report, tally, why);
}

static char *
printed(HaulReport *report)
{
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  haul_report_print(report, 1.5, out);
  fclose(out);
  return text;
}

static void
a_message_counts_as_what_kept_it_from_being_copied(void)
{
  static const struct {
    const char *reason;
    HaulState state;
    int code;
  } table[] = {
    { "refused", HAUL_STATE_REFUSED, 114 },         { "too-big", HAUL_STATE_TOO_BIG, 114 },
    { "unfetchable", HAUL_STATE_UNFETCHABLE, 115 }, { "spool", HAUL_STATE_FAILED, 113 },
    { "over-quota", HAUL_STATE_FAILED, 113 },       { "never heard of", HAUL_STATE_FAILED, 111 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(HaulReport) report = haul_report_new();
    HaulTally *tally = haul_report_folder(report, "a", "b");
    tally->source = 2;
    trouble(report, tally, "1", table[i].reason);
    haul_report_copied(report, tally, 100);
    CU_ASSERT(haul_report_close(report, NULL));
    CU_ASSERT_EQUAL(tally->n[table[i].state], 1);
    CU_ASSERT_EQUAL(sum_of(tally), 2);
    CU_ASSERT_EQUAL(haul_report_exit_code(report), table[i].code);
  }
}

static void
a_message_gets_into_trouble_once(void)
{
  g_autoptr(HaulReport) report = haul_report_new();
  HaulTally *tally = haul_report_folder(report, "a", "b");
  tally->source = 3000;
  for (unsigned round = 0; round < 2; round++)
    for (unsigned i = 0; i < 2000; i++) {
      g_autofree char *id = g_strdup_printf("%u", i);
      trouble(report, tally, id, "refused");
    }
  trouble(report, tally, NULL, "refused"); /* who knows which: each counts */
  trouble(report, tally, NULL, "refused");
  CU_ASSERT_EQUAL(tally->n[HAUL_STATE_REFUSED], 2002);
  CU_ASSERT(haul_report_close(report, NULL));
  CU_ASSERT_EQUAL(tally->n[HAUL_STATE_FAILED], 998);
  CU_ASSERT_EQUAL(sum_of(tally), tally->source);
}

static void
what_nobody_was_told_of_has_failed(void)
{
  g_autoptr(HaulReport) report = haul_report_new();
  HaulTally *tally = haul_report_folder(report, "a", "b");
  tally->source = 10;
  haul_report_copied(report, tally, 1);
  CU_ASSERT(haul_report_close(report, NULL));
  CU_ASSERT_EQUAL(tally->n[HAUL_STATE_FAILED], 9);
  CU_ASSERT_EQUAL(haul_report_exit_code(report), 111);
}

static void
more_than_there_is_is_an_error_of_ours(void)
{
  g_autoptr(HaulReport) report = haul_report_new();
  g_autoptr(GError) error = NULL;
  HaulTally *tally = haul_report_folder(report, "a", "b");
  tally->source = 1;
  haul_report_copied(report, tally, 1);
  haul_report_copied(report, tally, 1);
  CU_ASSERT(!haul_report_close(report, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "account", "1 at the source = 2 copied");
  CU_ASSERT_EQUAL(haul_reason_exit_code("account", 0), 70);
}

static void
one_kind_of_trouble_gives_its_code_and_several_give_111(void)
{
  static const struct {
    const char *message1, *message2, *folder; /* reasons, or NULL */
    int code;
  } table[] = {
    { NULL, NULL, NULL, 0 },
    { "refused", NULL, NULL, 114 },
    { "refused", "refused", NULL, 114 },
    { "refused", "too-big", NULL, 114 },
    { "refused", "unfetchable", NULL, 111 },
    { NULL, NULL, "select", 117 },
    { NULL, NULL, "create", 116 },
    { NULL, NULL, "flags", 120 },
    { NULL, NULL, "epoch", 111 },
    { "refused", NULL, "append", 114 },
    { "refused", NULL, "select", 111 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(HaulReport) report = haul_report_new();
    HaulTally *first = haul_report_folder(report, "a", "a");
    HaulTally *second = haul_report_folder(report, "b", "b");
    first->source = table[i].message1 != NULL;
    second->source = table[i].message2 != NULL;
    if (table[i].message1 != NULL)
      trouble(report, first, "1", table[i].message1);
    if (table[i].message2 != NULL)
      trouble(report, second, "1", table[i].message2);
    if (table[i].folder != NULL)
      fail_folder(report, second, table[i].folder);
    CU_ASSERT(haul_report_close(report, NULL));
    CU_ASSERT_EQUAL(haul_report_exit_code(report), table[i].code);
    if (haul_report_exit_code(report) != table[i].code)
      printf("row %zu: %d\n", i, haul_report_exit_code(report));
  }
}

static void
a_folder_keeps_its_first_failure_until_it_is_tried_again(void)
{
  g_autoptr(HaulReport) report = haul_report_new();
  HaulTally *tally = haul_report_folder(report, "a", "b");
  CU_ASSERT_PTR_EQUAL(haul_report_folder(report, "a", "b"), tally);
  fail_folder(report, tally, "select");
  fail_folder(report, tally, "create");
  CU_ASSERT_STRING_EQUAL(tally->failed, "select");
  haul_report_retry(report, tally);
  CU_ASSERT_PTR_NULL(tally->failed);
  CU_ASSERT_EQUAL(haul_report_exit_code(report), 0);
}

static void *
tell(void *data)
{
  HaulReport *report = data;
  HaulTally *tally = haul_report_folder(report, "shared", "shared");
  for (unsigned i = 0; i < 1000; i++) {
    g_autofree char *id = g_strdup_printf("%u", i);
    haul_report_copied(report, tally, 3);
    haul_report_flags(report, tally, 2);
    trouble(report, tally, id, "refused");
  }
  return NULL;
}

static void
lanes_may_tell_it_at_once(void)
{
  g_autoptr(HaulReport) report = haul_report_new();
  pthread_t threads[4];
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    pthread_create(&threads[i], NULL, tell, report);
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    pthread_join(threads[i], NULL);
  HaulTally total = haul_report_total(report);
  CU_ASSERT_EQUAL(total.n[HAUL_STATE_COPIED], 4000);
  CU_ASSERT_EQUAL(haul_report_n_copied(report), 4000);
  CU_ASSERT_EQUAL(total.octets, 12000);
  CU_ASSERT_EQUAL(total.n_flags, 8000);
  CU_ASSERT_EQUAL(total.n[HAUL_STATE_REFUSED], 1000);
}

static void
what_is_printed_adds_up_and_holds_no_control_octet(void)
{
  g_autoptr(HaulReport) report = haul_report_new();
  HaulTally *tally = haul_report_folder(report, "evil\x1b]0;\x07\xff", "evil\r\nSubject: x");
  tally->source = 5;
  haul_report_copied(report, tally, 1000);
  trouble(report, tally,
          "i\x1b"
          "d",
          "refused");
  fail_folder(report, tally, "select");
  CU_ASSERT(haul_report_close(report, NULL));
  char *text = printed(report);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(text, "5 at the source = 1 copied + 0 already there + 1 refused + 3 failed\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "[refused]"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "[select]"));
  CU_ASSERT(g_utf8_validate(text, -1, NULL));
  for (const char *at = text; *at != '\0'; at++)
    CU_ASSERT((unsigned char)*at >= 0x20 || *at == '\n');
  g_free(text);
}

/* ---- reasons ---- */

static void
every_reason_has_words_and_a_code_that_is_explained(void)
{
  size_t n;
  const HaulReason *table = haul_reason_table(&n);
  CU_ASSERT(n > 20);
  for (size_t i = 0; i < n; i++) {
    CU_ASSERT_PTR_EQUAL(haul_reason_find(table[i].code), &table[i]); /* each once */
    CU_ASSERT(table[i].what[0] != '\0' && table[i].advice[0] != '\0');
    CU_ASSERT(table[i].state < HAUL_N_STATES);
    for (unsigned side = 0; side <= 2; side++)
      CU_ASSERT_PTR_NOT_NULL(haul_exit_code_meaning(haul_reason_exit_code(table[i].code, side)));
  }
  CU_ASSERT_STRING_EQUAL(haul_reason_find("never heard of")->code, "failed");
  CU_ASSERT_PTR_NULL(haul_exit_code_meaning(99));
}

static void
exit_codes_name_the_side_where_one_is_to_blame(void)
{
  static const struct {
    const char *reason;
    int both, source, destination;
  } table[] = {
    { "login", 16, 161, 162 },      { "connect", 10, 101, 102 }, { "resolve", 10, 101, 102 },
    { "timeout", 10, 101, 102 },    { "tls", 12, 12, 12 },       { "usage", 64, 64, 64 },
    { "locked", 8, 8, 8 },          { "plugin", 69, 69, 69 },    { "disk-full", 113, 113, 113 },
    { "no-folder", 117, 117, 117 }, { "cancelled", 6, 6, 6 },    { "input", 66, 66, 66 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    CU_ASSERT_EQUAL(haul_reason_exit_code(table[i].reason, 0), table[i].both);
    CU_ASSERT_EQUAL(haul_reason_exit_code(table[i].reason, 1), table[i].source);
    CU_ASSERT_EQUAL(haul_reason_exit_code(table[i].reason, 2), table[i].destination);
  }
}

static void
states_have_names_that_differ(void)
{
  for (size_t i = 0; i < HAUL_N_STATES; i++)
    for (size_t k = 0; k < i; k++) {
      CU_ASSERT_STRING_NOT_EQUAL(haul_state_name((HaulState)i), haul_state_name((HaulState)k));
      CU_ASSERT_STRING_NOT_EQUAL(haul_state_key((HaulState)i), haul_state_key((HaulState)k));
    }
}

static void
what_left_the_source_is_counted_when_it_is_known(void)
{
  g_autoptr(HaulReport) report = haul_report_new();
  HaulTally *tally = haul_report_folder(report, "INBOX", "INBOX");
  HaulLeaving *leaving = &tally->leaving;
  static const char *const ids[] = { "a", "b", "c", "d" };
  haul_leaving_missed(leaving, "a"); /* nobody asked for it */
  haul_leaving_ask(leaving, ids, 2);
  haul_leaving_confirm(leaving);
  CU_ASSERT_EQUAL(leaving->n_gone, 2);
  haul_leaving_missed(leaving, "a"); /* it is counted already */
  haul_leaving_ask(leaving, ids + 2, 2);
  haul_leaving_missed(leaving, "c");
  haul_leaving_missed(leaving, "c");
  haul_leaving_stay(leaving); /* "d" is still there */
  haul_leaving_missed(leaving, "d");
  haul_leaving_confirm(leaving);
  CU_ASSERT_EQUAL(leaving->n_gone, 3);
  CU_ASSERT_EQUAL(haul_report_total(report).leaving.n_gone, 3);
  char *text = printed(report);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "; 3 deleted at the source\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n3 messages deleted at the source\n"));
  CU_ASSERT_PTR_NULL(strstr(text, "not deleted"));
  free(text);
  leaving->n_unproven = 5;
  text = printed(report);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n5 messages not deleted at the source: "));
  free(text);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_message_counts_as_what_kept_it_from_being_copied),
    CASE(a_message_gets_into_trouble_once),
    CASE(what_nobody_was_told_of_has_failed),
    CASE(more_than_there_is_is_an_error_of_ours),
    CASE(one_kind_of_trouble_gives_its_code_and_several_give_111),
    CASE(a_folder_keeps_its_first_failure_until_it_is_tried_again),
    CASE(lanes_may_tell_it_at_once),
    CASE(what_is_printed_adds_up_and_holds_no_control_octet),
    CASE(what_left_the_source_is_counted_when_it_is_known),
    CASE(every_reason_has_words_and_a_code_that_is_explained),
    CASE(exit_codes_name_the_side_where_one_is_to_blame),
    CASE(states_have_names_that_differ),
  };
  return RUN_SUITE("report", cases);
}
