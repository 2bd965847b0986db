/* Tests runs that are about some of the messages: by size, age and search, alone and one after another. */
#include "suite.h"

#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"

#define DAY INT64_C(86400)

static MemoryMessage *
add(Engine *engine, const char *id, const char *text, unsigned days_old)
{
  g_autofree char *octets = engine_message(id, text);
  MemoryMessage *message = memory_box_add(engine->source, "INBOX", octets);
  message->date = g_get_real_time() / G_USEC_PER_SEC - days_old * DAY;
  return message;
}

/* Four messages: two old, two young; two long, two short. */
static void
fill(Engine *engine)
{
  g_autofree char *text = g_strnfill(3000, 'x');
  add(engine, "<1@x>", text, 40);
  add(engine, "<2@x>", "short and old", 40)->flags = HAUL_SEEN;
  add(engine, "<3@x>", text, 4);
  add(engine, "<4@x>", "short and young", 4)->flags = HAUL_FLAGGED;
}

static uint64_t
n_left_out(Engine *engine, HaulVerdict verdict)
{
  return engine_tally(engine, "INBOX")->n_left_out[verdict];
}

static void
what_is_left_out_is_counted_and_comes_with_a_later_run(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  fill(&engine);
  engine.options.policy.max_octets = 2000;
  engine.options.policy.max_age_s = 30 * DAY;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 1);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_FILTERED), 3);
  CU_ASSERT_EQUAL(n_left_out(&engine, HAUL_VERDICT_SIZE), 2);
  CU_ASSERT_EQUAL(n_left_out(&engine, HAUL_VERDICT_AGE), 1);
  CU_ASSERT_EQUAL(engine.calls1.messages_fetched, 1);

  CU_ASSERT_EQUAL(engine_run(&engine), 0); /* the same once more */
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_FILTERED), 3);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 0);

  engine.options.policy.max_age_s = 0;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 2);
  engine.options.policy.max_octets = 0; /* what another selection left out is not taken for done */
  ENGINE_SYNC(&engine);
  CU_ASSERT(engine_is_at_rest(&engine));
}

static void
a_copy_that_falls_out_of_the_selection_stays_in_step(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  fill(&engine);
  ENGINE_SYNC(&engine);
  engine.options.policy.max_octets = 1;
  MemoryFolder *inbox = memory_box_folder(engine.source, "INBOX");
  ((MemoryMessage *)inbox->messages->pdata[0])->flags = HAUL_ANSWERED;
  inbox->n_changes++;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_FILTERED), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 4);
}

/* What the store does not search, and what it does, come to the same. */
static void
a_key_selects_whoever_looks(void)
{
  static const struct {
    const char *key;
    guint n;
  } rows[] = {
    { "FLAGGED", 1 },
    { "UNSEEN", 3 },
    { "LARGER 2000", 2 },
    { "HEADER Message-ID 2@x", 1 },
    { "BODY xxxx", 2 },
    { "TEXT young", 1 },
    { "OR FLAGGED SEEN", 2 },
    { "NOT BODY short", 2 },
    { "YOUNGER 864000 SMALLER 2000", 1 },
    { "BODY nothing", 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    fill(&engine);
    engine.options.policy.search1 = rows[i].key;
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    if (memory_box_count(engine.copy) != rows[i].n)
      printf("  %s: %u\n", rows[i].key, memory_box_count(engine.copy));
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), rows[i].n);
    CU_ASSERT_EQUAL(n_left_out(&engine, HAUL_VERDICT_SEARCH), 4 - rows[i].n);
    engine.options.policy.search1 = NULL;
    ENGINE_SYNC(&engine);
  }
}

static void
the_store_searches_where_it_can(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  fill(&engine);
  engine.source->faults.finds = "young";
  engine.options.policy.search1 = "X-GM-RAW whatever"; /* nobody else knows what that is */
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 1);
  CU_ASSERT_EQUAL(engine.calls1.messages_fetched, 1);
  engine.source->faults.finds = NULL;
  CU_ASSERT_EQUAL(engine_run(&engine), 69);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "unsupported", "X-GM-RAW");
}

static void
what_search2_hides_is_not_seen(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  fill(&engine);
  ENGINE_SYNC(&engine);
  engine_forget(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 4);
  engine_forget(&engine);
  engine.options.policy.search2 = "FLAGGED";
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 1);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 7);
}

static void
matching_goes_on_within_the_selection(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  fill(&engine);
  ENGINE_SYNC(&engine);
  engine_forget(&engine);
  engine.options.policy.max_age_s = 30 * DAY;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 2);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_FILTERED), 2);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 4);
}

static void
a_source_without_dates_is_judged_by_its_headers(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  memory_box_add(engine.source, "INBOX",
                 "Message-ID: <a@x>\r\nDate: Mon, 1 Jan 2001 00:00:00 +0000\r\n\r\nold\r\n")
      ->date = HAUL_NO_DATE;
  memory_box_add(engine.source, "INBOX", "Message-ID: <b@x>\r\n\r\nof no date\r\n")->date =
      HAUL_NO_DATE;
  engine.options.policy.max_age_s = 30 * DAY;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 1);
  CU_ASSERT_EQUAL(n_left_out(&engine, HAUL_VERDICT_AGE), 1);
}

static void
a_dry_run_tells_what_is_left_out(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  fill(&engine);
  engine.options.dry = true;
  engine.options.policy.max_octets = 2000;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  bool told = false;
  for (guint i = 0; i < engine.planned->len; i++)
    told |= strstr(engine.planned->pdata[i], "size leave out 2 messages") != NULL;
  CU_ASSERT(told);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 0);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_is_left_out_is_counted_and_comes_with_a_later_run),
    CASE(a_copy_that_falls_out_of_the_selection_stays_in_step),
    CASE(a_key_selects_whoever_looks),
    CASE(the_store_searches_where_it_can),
    CASE(what_search2_hides_is_not_seen),
    CASE(matching_goes_on_within_the_selection),
    CASE(a_source_without_dates_is_judged_by_its_headers),
    CASE(a_dry_run_tells_what_is_left_out),
  };
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  return RUN_SUITE("engine-select", cases);
}
