/* Tests runs from a source that shows a part of its messages at a time, as Gmail's POP3 does. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"

/* An INBOX of @n messages, of which a connection shows @batch new ones. */
static void
engine_init_batches(Engine *engine, unsigned n, unsigned batch, bool hides_read)
{
  engine_init(engine);
  for (unsigned i = 0; i < n; i++) {
    g_autofree char *id = g_strdup_printf("id-%u", i);
    g_autofree char *octets = engine_message(id, id);
    memory_box_add(engine->source, "INBOX", octets);
  }
  engine->options.policy.n_lanes = 1;
  engine->source->faults = (MemoryFaults){
    .batch = batch, .hides_read = hides_read, .no_changes = true, .text_ids = true
  };
}

#define CHECK_N(engine, state, n)                                                                  \
  do {                                                                                             \
    CU_ASSERT_EQUAL(engine_n(engine, state), n);                                                   \
    if (engine_n(engine, state) != (n))                                                            \
      printf("line %d: %u\n", __LINE__, (unsigned)engine_n(engine, state));                        \
  } while (0)

static void
sessions_follow_until_one_brings_nothing_new(void)
{
  static const struct {
    unsigned n, batch;
    bool hides_read;
    unsigned n_sessions;
  } table[] = {
    { 10, 3, true, 5 }, { 10, 3, false, 5 }, { 10, 5, true, 3 },
    { 3, 5, true, 2 },  { 0, 5, true, 1 },   { 1, 1, false, 2 },
  };
  for (size_t k = 0; k < 2 * G_N_ELEMENTS(table); k++) {
    size_t i = k / 2;
    g_auto(Engine) engine;
    engine_init_batches(&engine, table[i].n, table[i].batch, table[i].hides_read);
    engine.source->faults.no_tokens = k % 2 == 0;
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.calls1.opens, table[i].n_sessions);
    CU_ASSERT_EQUAL(engine.calls1.finishes, table[i].n_sessions); /* each ends in good order */
    CU_ASSERT_EQUAL(engine.calls2.finishes, 1);
    CU_ASSERT_EQUAL(engine.calls1.messages_fetched, table[i].n);
    CHECK_N(&engine, HAUL_STATE_COPIED, table[i].n);
    CU_ASSERT_EQUAL(engine.total.source, table[i].n);
    CU_ASSERT_EQUAL(engine.calls2.opens, 1);

    CU_ASSERT_EQUAL(engine_run(&engine), 0); /* nothing new is one session */
    CU_ASSERT_EQUAL(engine.calls1.opens, 1);
    CU_ASSERT_EQUAL(engine.calls1.messages_fetched, 0);
    CHECK_N(&engine, HAUL_STATE_THERE, table[i].hides_read ? 0 : table[i].n);
    ENGINE_SAME(&engine);
  }
}

static void
the_account_adds_up_over_all_sessions(void)
{
  for (unsigned k = 0; k < 4; k++) {
    unsigned hides = k % 2;
    g_auto(Engine) engine;
    engine_init_batches(&engine, 4, 0, false);
    engine.source->faults.no_tokens = k >= 2;
    ENGINE_SYNC(&engine); /* all of it was shown once */
    memory_box_remove(engine.copy, "INBOX", 2);
    for (unsigned i = 4; i < 12; i++) {
      g_autofree char *octets = engine_message(NULL, i == 6 ? "bad" : i == 9 ? "worse" : "good");
      memory_box_add(engine.source, "INBOX", octets);
    }
    engine.source->faults.batch = 6;
    engine.source->faults.hides_read = hides;
    engine.source->faults.unfetchable = "worse";
    engine.copy->faults.refuses = "bad";
    CU_ASSERT_EQUAL(engine_run(&engine), 111);
    CHECK_N(&engine, HAUL_STATE_COPIED, 6);
    CHECK_N(&engine, HAUL_STATE_THERE, 3);
    CHECK_N(&engine, HAUL_STATE_FILTERED, 1);
    CHECK_N(&engine, HAUL_STATE_REFUSED, 1);
    CHECK_N(&engine, HAUL_STATE_UNFETCHABLE, 1);
    CHECK_N(&engine, HAUL_STATE_FAILED, 0);
    CU_ASSERT_EQUAL(engine.total.source, 12);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 9);
  }
}

/* What is equal in two sessions is two messages, as it is in one. */
static void
equal_messages_of_several_sessions_stay_several(void)
{
  g_auto(Engine) engine;
  engine_init_batches(&engine, 0, 2, true);
  for (unsigned i = 0; i < 7; i++)
    memory_box_add(engine.source, "INBOX", "Message-ID: <a@x>\r\nDate: x\r\n\r\nagain\r\n");
  ENGINE_SYNC(&engine);
  CHECK_N(&engine, HAUL_STATE_COPIED, 7);
}

static void
a_source_that_is_lost_in_between_gives_the_rest(void)
{
  for (unsigned at = 1; at <= 10; at++) {
    g_auto(Engine) engine;
    engine_init_batches(&engine, 10, 3, true);
    engine.source->faults.lose_fetch = at;
    ENGINE_SYNC(&engine);
    CHECK_N(&engine, HAUL_STATE_COPIED, 10);
    CU_ASSERT_EQUAL(engine.total.source, 10);
  }
}

/* The destination is lost with messages under way, which the source may not show again. */
static void
what_was_read_and_not_delivered_is_not_forgotten(void)
{
  for (unsigned at = 1; at <= 10; at++)
    for (unsigned hides = 0; hides < 2; hides++) {
      g_auto(Engine) engine;
      engine_init_batches(&engine, 10, 4, hides);
      engine.copy->faults.lose_put = at;
      int code = engine_run(&engine);
      guint n_there = memory_box_count(engine.copy);
      CU_ASSERT_EQUAL(engine.total.source, 10);
      CHECK_N(&engine, HAUL_STATE_COPIED, n_there);
      CHECK_N(&engine, HAUL_STATE_FAILED, 10 - n_there);
      CU_ASSERT_EQUAL(code, n_there == 10 ? 0 : 111);
      CU_ASSERT(hides ? n_there < 10 && n_there >= 6 : n_there == 10);
      const GArray *troubles = engine_tally(&engine, "INBOX")->troubles;
      CU_ASSERT_EQUAL(troubles->len, 10 - n_there);
      for (guint i = 0; i < troubles->len; i++)
        CU_ASSERT_STRING_EQUAL(g_array_index(troubles, HaulTrouble, i).reason, "withdrawn");
    }
}

/* The destination is lost before it is told of any: how much was read by then is a matter of chance. */
static void
what_was_read_for_nothing_is_not_forgotten(void)
{
  for (unsigned i = 0; i < 20; i++) {
    g_auto(Engine) engine;
    engine_init_batches(&engine, 10, 4, true);
    engine.copy->faults.lose_select = 1;
    int code = engine_run(&engine);
    guint n_there = memory_box_count(engine.copy);
    CU_ASSERT_EQUAL(engine.total.source, 10);
    CHECK_N(&engine, HAUL_STATE_FAILED, 10 - n_there);
    CU_ASSERT_EQUAL(code, n_there == 10 ? 0 : 111);
  }
}

/* Stored, but nobody said so: it is found, and not taken for lost. */
static void
what_was_delivered_without_an_answer_is_found(void)
{
  for (unsigned at = 1; at <= 10; at++) {
    g_auto(Engine) engine;
    engine_init_batches(&engine, 10, 1, true);
    engine.copy->faults.lose_stored = at;
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.total.source, 10);
  }
}

/* With --delete1: what left is no message that was withdrawn, and what is hidden is not to be removed again. */
static void
what_is_removed_leaves_the_account_as_it_is(void)
{
  for (unsigned k = 0; k < 4; k++) {
    g_auto(Engine) engine;
    engine_init_batches(&engine, 10, 4, k % 2);
    engine.source->faults.no_tokens = k >= 2;
    engine.options.policy.delete1 = true;
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CHECK_N(&engine, HAUL_STATE_COPIED, 10);
    CU_ASSERT_EQUAL(engine.total.source, 10);
    CU_ASSERT_EQUAL(engine.total.leaving.n_gone, 10);
    CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 10);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.total.source, 0);
  }
}

static void
what_is_hidden_is_not_taken_for_removed_again(void)
{
  g_auto(Engine) engine;
  engine_init_batches(&engine, 6, 4, true);
  ENGINE_SYNC(&engine);
  engine.options.policy.delete1 = true;
  memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\n");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.total.leaving.n_gone, 1);
  CU_ASSERT_EQUAL(engine.total.source, 1);
  CU_ASSERT_EQUAL(memory_box_count(engine.source), 6);
}

static void
a_plan_is_of_what_is_shown_now(void)
{
  g_auto(Engine) engine;
  engine_init_batches(&engine, 4, 2, true);
  engine.options.dry = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls1.opens, 1);
  CU_ASSERT_EQUAL_FATAL(engine.planned->len, 3);
  CU_ASSERT_PTR_NOT_NULL(strstr(engine.planned->pdata[0], "shows a part of it at a time"));
  CU_ASSERT_PTR_NOT_NULL(strstr(engine.planned->pdata[2], "2 in number"));
}

static void
who_misses_mail_is_told_why(void)
{
  g_auto(Engine) engine;
  engine_init_batches(&engine, 5, 2, true);
  static const char *const expected[] = { "INBOX -> INBOX: 5 copied, in 3 batches\n",
                                          "0 at the source" };
  for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    haul_report_print(engine.report, 1, out);
    fclose(out);
    CU_ASSERT(g_str_has_prefix(text, expected[i]));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nINBOX is shown in batches: "));
    free(text);
  }
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(sessions_follow_until_one_brings_nothing_new),
    CASE(the_account_adds_up_over_all_sessions),
    CASE(equal_messages_of_several_sessions_stay_several),
    CASE(a_source_that_is_lost_in_between_gives_the_rest),
    CASE(what_was_read_and_not_delivered_is_not_forgotten),
    CASE(what_was_read_for_nothing_is_not_forgotten),
    CASE(what_was_delivered_without_an_answer_is_found),
    CASE(what_is_removed_leaves_the_account_as_it_is),
    CASE(what_is_hidden_is_not_taken_for_removed_again),
    CASE(a_plan_is_of_what_is_shown_now),
    CASE(who_misses_mail_is_told_why),
  };
  return RUN_SUITE("engine: batches", cases);
}
