/* Tests runs that have limits: of octets, of errors, of speed; and that the next run goes on from there. */
#include "suite.h"

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"

static void
a_run_ends_when_it_has_copied_enough(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 20);
  engine.options.policy.n_lanes = 1;
  engine.options.policy.exit_when_over = 300;
  guint n_before = 0;
  unsigned n_runs = 0;
  while (engine_run(&engine) == 118 && n_runs < 50) {
    CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "byte-limit", "--exitwhenover");
    CU_ASSERT(engine.total.octets >= 300 && engine.total.octets < 900);
    CU_ASSERT(memory_box_count(engine.copy) > n_before); /* all that was taken has arrived */
    CU_ASSERT_EQUAL(memory_box_count(engine.copy) - n_before, engine_n(&engine, HAUL_STATE_COPIED));
    n_before = memory_box_count(engine.copy);
    n_runs++;
  }
  CU_ASSERT(n_runs > 3 && n_runs < 50);
  CU_ASSERT_EQUAL(engine.code, 0);
  engine.options.policy.exit_when_over = 0;
  ENGINE_SYNC(&engine);
  CU_ASSERT(engine_is_at_rest(&engine));
}

static void
a_run_ends_after_too_many_errors(void)
{
  static const bool reads[] = { true, false };
  for (size_t i = 0; i < G_N_ELEMENTS(reads); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 40);
    engine.options.policy.n_lanes = 1;
    engine.options.policy.errors_max = 5;
    *(reads[i] ? &engine.source->faults.unfetchable : &engine.copy->faults.refuses) = "Message-ID";
    CU_ASSERT_EQUAL(engine_run(&engine), 112);
    CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "too-many-errors", "--errorsmax");
    engine.source->faults.unfetchable = engine.copy->faults.refuses = NULL;
    ENGINE_SYNC(&engine);
  }
}

static void
fewer_errors_end_nothing(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 4);
  engine.options.policy.errors_max = 9; /* of 8 messages */
  engine.copy->faults.refuses = "Message-ID";
  CU_ASSERT_EQUAL(engine_run(&engine), 114);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_REFUSED), 8);
}

static void
messages_go_no_faster_than_they_may(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 10);
  engine.options.policy.messages_per_s =
      40; /* 20 messages over two lanes, the second saved up ... */
  engine.options.policy.octets_per_s = 1 << 30;
  int64_t start_us = g_get_monotonic_time();
  ENGINE_SYNC(&engine);
  int64_t quick_us = g_get_monotonic_time() - start_us;
  g_auto(Engine) slow;
  engine_init(&slow);
  engine_fill(&slow, 10);
  slow.options.policy.messages_per_s = 15; /* ... and five of them beyond it: a third of a second */
  start_us = g_get_monotonic_time();
  ENGINE_SYNC(&slow);
  CU_ASSERT(g_get_monotonic_time() - start_us >= 250000);
  CU_ASSERT(quick_us > 0);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_run_ends_when_it_has_copied_enough),
    CASE(a_run_ends_after_too_many_errors),
    CASE(fewer_errors_end_nothing),
    CASE(messages_go_no_faster_than_they_may),
  };
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  return RUN_SUITE("engine: limits", cases);
}
