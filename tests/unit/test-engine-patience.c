/*
 * Tests what a run does about servers that ask for patience, or allow few connections: it waits for as
 * long as they say, and goes on with fewer lanes.
 */
#include "suite.h"

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"

static void
a_first_connection_that_is_put_off_is_tried_again(void)
{
  for (unsigned side = 1; side <= 2; side++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 4);
    MemoryBox *box = side == 1 ? engine.source : engine.copy;
    box->faults = (MemoryFaults){ .busy_opens = 2, .asks_ms = 30 };
    gint64 start = g_get_monotonic_time();
    ENGINE_SYNC(&engine);
    gint64 took_us = g_get_monotonic_time() - start;
    CU_ASSERT(took_us >= 2 * 30 * 1000 && took_us < 4 * G_USEC_PER_SEC); /* else it was not asked */
    MemoryCalls *calls = side == 1 ? &engine.calls1 : &engine.calls2;
    CU_ASSERT_EQUAL(calls->opens, 3);
  }
}

static void
a_first_connection_that_is_lost_is_tried_once_more(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 1);
  engine.source->faults.lose_folders = 1;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls1.opens, 2);
}

static void
who_asked_for_patience_often_may_yet_lose_a_connection(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 1);
  engine.source->faults = (MemoryFaults){ .busy_opens = 6, .asks_ms = 1, .lose_folders = 1 };
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls1.opens, 8);
}

static void
deliveries_that_are_put_off_are_made_after_the_time_that_was_asked_for(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 8);
  engine.copy->faults = (MemoryFaults){ .busy_put = 5, .asks_ms = 40, .hold = 2 };
  gint64 start = g_get_monotonic_time();
  ENGINE_SYNC(&engine);
  gint64 took_us = g_get_monotonic_time() - start;
  CU_ASSERT(took_us >= 40 * 1000 && took_us < 4 * G_USEC_PER_SEC);
}

static void
a_lane_that_is_refused_is_not_tried_again_in_the_run(void)
{
  for (unsigned side = 1; side <= 2; side++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine.options.policy.n_lanes = 4;
    g_autofree char *filler = g_strnfill(700000, 'x');
    for (unsigned i = 0; i < 6; i++) { /* more than one lane's work */
      g_autofree char *path = g_strdup_printf("folder %u", i), *id = g_strdup_printf("%u", i);
      g_autofree char *octets = engine_message(id, filler);
      memory_box_add(engine.source, path, octets);
    }
    MemoryBox *box = side == 1 ? engine.source : engine.copy;
    box->faults = (MemoryFaults){ .max_open = 2 };
    *(side == 1 ? &box->faults.lose_fetch : &box->faults.lose_put) = 3; /* another pass */
    ENGINE_SYNC(&engine);
    const MemoryCalls *calls = side == 1 ? &engine.calls1 : &engine.calls2;
    /* Four lanes at most, two of them refused, and then no more than two. */
    CU_ASSERT(calls->opens >= 2 && calls->opens <= 6);
  }
}

static void
a_server_that_ends_an_older_connection_gets_one_lane_in_the_end(void)
{
  for (unsigned side = 1; side <= 2; side++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine.options.policy.n_lanes = 3;
    g_autofree char *filler = g_strnfill(700000, 'x');
    for (unsigned i = 0; i < 6; i++) {
      g_autofree char *path = g_strdup_printf("folder %u", i), *id = g_strdup_printf("%u", i);
      g_autofree char *octets = engine_message(id, filler);
      memory_box_add(engine.source, path, octets);
    }
    MemoryBox *box = side == 1 ? engine.source : engine.copy;
    box->faults = (MemoryFaults){ .max_open = 1, .kills_older = true };
    ENGINE_SYNC(&engine);
  }
}

/* POP3 servers lock a mailbox: the second connection would find it in use. */
static void
a_source_of_one_folder_is_never_open_twice_at_a_time(void)
{
  static const MemoryFaults faults[] = {
    { .no_sizes = false },
    { .lose_fetch = 5 },
    { .lose_list = 1, .lose_finish = 1 },
    { .unfetchable = "id-2\r\n" }, /* three times, the last in a new connection */
    { .cuts_fetch = "id-2\r\n" },  /* it is asked for alone, and given up */
    { .busy_opens = 1, .asks_ms = 1 },
    { .batch = 3, .hides_read = true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 0);
    g_autofree char *filling = g_strnfill(700 << 10, 'x'); /* worth several lanes */
    for (unsigned k = 0; k < 6; k++) {
      g_autofree char *text = g_strdup_printf("id-%u", k), *octets = engine_message(text, text);
      g_autofree char *large = g_strconcat(octets, filling, NULL);
      memory_box_add(engine.source, "INBOX", large);
    }
    engine.source->faults = faults[i];
    engine.copy->faults.lose_put = i == 0 ? 2 : 0;
    engine.options.policy.n_lanes = 8;
    engine_run(&engine);
    CU_ASSERT_EQUAL(engine.source->most_open, 1);
    CU_ASSERT(memory_box_count(engine.copy) >= 3);
  }
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(a_first_connection_that_is_put_off_is_tried_again),
    CASE(a_first_connection_that_is_lost_is_tried_once_more),
    CASE(who_asked_for_patience_often_may_yet_lose_a_connection),
    CASE(a_lane_that_is_refused_is_not_tried_again_in_the_run),
    CASE(a_server_that_ends_an_older_connection_gets_one_lane_in_the_end),
    CASE(deliveries_that_are_put_off_are_made_after_the_time_that_was_asked_for),
    CASE(a_source_of_one_folder_is_never_open_twice_at_a_time),
  };
  return RUN_SUITE("engine: patience", cases);
}
