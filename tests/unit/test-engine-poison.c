/*
 * Tests that what cannot be carried keeps nothing else from being carried: messages that the source does
 * not give, messages and folders that end the connection whenever they are asked for or sent.
 */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"

/* Whether the report names just this message of INBOX, with this reason and words. */
static bool
names(const Engine *engine, const char *id, const char *reason, const char *words)
{
  const GArray *troubles = engine_tally(engine, "INBOX")->troubles;
  if (troubles->len != 1)
    return false;
  const HaulTrouble *trouble = &g_array_index(troubles, HaulTrouble, 0);
  bool right = strcmp(trouble->id, id) == 0 && strcmp(trouble->reason, reason) == 0
               && strstr(trouble->detail, words) != NULL;
  if (!right)
    printf("message %s: %s [%s]\n", trouble->id, trouble->detail, trouble->reason);
  return right;
}

/* Kinds of destinations that the sending of messages is tried with. */
static const MemoryFaults kinds[] = {
  { .cuts_put = "<id-3@" },
  { .cuts_put = "<id-3@", .hold = 4 },
  { .cuts_put = "<id-3@", .hold = 4, .stores_late = true },
  { .cuts_put = "<id-3@", .no_ids = true },
  { .cuts_put = "<id-3@", .text_ids = true, .hold = 2 },
};

static void
a_message_that_is_not_given_is_tried_once_more_in_a_new_connection(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 8);
  engine.options.policy.n_lanes = 1;
  engine.source->faults = (MemoryFaults){ .unfetchable = "<id-3@", .heals_at = 2 };
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls1.opens, 2);
  CU_ASSERT_EQUAL(engine.calls2.opens, 1); /* the destination is not at fault */
  CU_ASSERT_EQUAL(engine.calls2.puts, 16);
  CU_ASSERT(engine_is_at_rest(&engine));
}

static void
a_message_that_is_never_given_is_named_and_all_others_go(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 8);
  engine.options.policy.n_lanes = 1;
  engine.source->faults.unfetchable = "<id-3@";
  for (unsigned run = 0; run < 2; run++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 115);
    CU_ASSERT(names(&engine, "4", "unfetchable", "it is damaged"));
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_UNFETCHABLE), 1);
    CU_ASSERT_EQUAL(engine.calls1.opens, 2);
    CU_ASSERT_EQUAL(engine.calls2.puts, run == 0 ? 15 : 0);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 15);
  }
}

static void
a_last_try_that_cannot_be_made_leaves_the_report_as_it_was(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 4);
  engine.options.policy.n_lanes = 1;
  /* The second connection is one too many, and a login that is refused is not waited for. */
  engine.source->faults = (MemoryFaults){ .unfetchable = "<id-3@", .refuses_from = 2 };
  CU_ASSERT_EQUAL(engine_run(&engine), 115);
  CU_ASSERT(names(&engine, "4", "unfetchable", "it is damaged"));
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_UNFETCHABLE), 1);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 7);
}

static void
a_last_try_that_ends_half_way_leaves_what_it_has_not_reached(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 4);
  engine.options.policy.n_lanes = 1;
  for (unsigned i = 0; i < 2; i++) {
    g_autofree char *id = g_strdup_printf("bad-%u", i), *octets = engine_message(id, id);
    memory_box_add(engine.source, "INBOX", octets);
  }
  engine.source->faults =
      (MemoryFaults){ .unfetchable = "bad-", .heals_at = 2, .lose_fetch = 12, .refuses_from = 3 };
  CU_ASSERT_EQUAL(engine_run(&engine), 115);
  CU_ASSERT_PTR_NULL(engine.error);
  CU_ASSERT(names(&engine, "6", "unfetchable", "it is damaged"));
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_UNFETCHABLE), 1);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 9);
}

static void
a_message_that_ends_the_connection_when_it_is_read_is_passed_over(void)
{
  static const char *const texts[] = { "<id-0@", "<id-3@", "<id-7@" };
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 8);
    engine.options.policy.n_lanes = 1;
    engine.source->faults.cuts_fetch = texts[i];
    for (unsigned run = 0; run < 2; run++) {
      char id[2] = { (char)(texts[i][4] + 1), '\0' };
      CU_ASSERT_EQUAL(engine_run(&engine), 115);
      CU_ASSERT_PTR_NULL(engine.error);
      CU_ASSERT(names(&engine, id, "unfetchable", "twice at this message"));
      CU_ASSERT_EQUAL(memory_box_count(engine.copy), 15);
      CU_ASSERT_EQUAL(engine.calls1.opens, 3); /* two losses, and no last try */
    }
    engine.source->faults.cuts_fetch = NULL;
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.calls2.puts, 1);
  }
}

static void
a_message_at_which_the_connection_is_lost_once_is_copied(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 8);
  engine.options.policy.n_lanes = 1;
  engine.source->faults = (MemoryFaults){ .cuts_fetch = "<id-3@", .n_cuts = 1 };
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.puts, 16);
  CU_ASSERT(engine_is_at_rest(&engine));
}

static void
several_bad_messages_do_not_end_the_run(void)
{
  for (unsigned side = 1; side <= 2; side++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine.options.policy.n_lanes = 1;
    for (unsigned i = 0; i < 7; i++) { /* more than there are passes in a row */
      g_autofree char *id = g_strdup_printf(i == 6 ? "good-%u" : "bad-%u", i);
      g_autofree char *octets = engine_message(id, id);
      memory_box_add(engine.source, "INBOX", octets);
    }
    if (side == 1)
      engine.source->faults.cuts_fetch = "<bad-";
    else
      engine.copy->faults = (MemoryFaults){ .cuts_put = "<bad-", .hold = 3 };
    CU_ASSERT_EQUAL(engine_run(&engine), side == 1 ? 115 : 114);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 1);
    CU_ASSERT_EQUAL(engine_tally(&engine, "INBOX")->troubles->len, 6);
  }
}

static void
a_message_that_ends_the_connection_when_it_is_sent_is_passed_over(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 8);
    engine.options.policy.n_lanes = 1;
    engine.copy->faults = kinds[i];
    CU_ASSERT_EQUAL(engine_run(&engine), 114);
    CU_ASSERT_PTR_NULL(engine.error);
    CU_ASSERT(names(&engine, "4", "refused", "twice when it was sent: the connection was lost"));
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_REFUSED), 1);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 15);
    engine.copy->faults.cuts_put = NULL;
    ENGINE_SYNC(&engine); /* and nothing is doubled */
  }
}

static void
a_message_that_ends_the_connection_once_is_delivered(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 8);
    engine.options.policy.n_lanes = 1;
    engine.copy->faults = kinds[i];
    engine.copy->faults.n_cuts = 1;
    ENGINE_SYNC(&engine);
  }
}

static void
a_folder_that_ends_the_connection_when_it_is_opened_is_left(void)
{
  for (unsigned side = 1; side <= 2; side++)
    for (unsigned listed = 0; listed < 3; listed++) {
      g_auto(Engine) engine;
      engine_init(&engine);
      engine_fill(&engine, 4);
      engine.options.policy.n_lanes = 1;
      engine.source->faults.no_tokens = listed == 2; /* there a sample is asked for first */
      MemoryBox *box = side == 1 ? engine.source : engine.copy;
      if (listed) {
        ENGINE_SYNC(&engine);
        memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\n");
        memory_box_add(engine.source, "Work/a b", "Subject: new\r\n\r\n");
      }
      box->faults.cuts_select = "INBOX";
      CU_ASSERT_EQUAL(engine_run(&engine), 117);
      CU_ASSERT_PTR_NULL(engine.error);
      CU_ASSERT_STRING_EQUAL(engine_tally(&engine, "INBOX")->failed, "select");
      CU_ASSERT_PTR_NOT_NULL(strstr(engine_tally(&engine, "INBOX")->failed_detail, "lost twice"));
      CU_ASSERT_PTR_NULL(engine_tally(&engine, "Work/a b")->failed);
      CU_ASSERT_EQUAL(memory_box_count(engine.copy), listed ? 9 : 4);
      box->faults.cuts_select = NULL;
      ENGINE_SYNC(&engine);
    }
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(a_message_that_is_not_given_is_tried_once_more_in_a_new_connection),
    CASE(a_message_that_is_never_given_is_named_and_all_others_go),
    CASE(a_last_try_that_cannot_be_made_leaves_the_report_as_it_was),
    CASE(a_last_try_that_ends_half_way_leaves_what_it_has_not_reached),
    CASE(a_message_that_ends_the_connection_when_it_is_read_is_passed_over),
    CASE(a_message_at_which_the_connection_is_lost_once_is_copied),
    CASE(several_bad_messages_do_not_end_the_run),
    CASE(a_message_that_ends_the_connection_when_it_is_sent_is_passed_over),
    CASE(a_message_that_ends_the_connection_once_is_delivered),
    CASE(a_folder_that_ends_the_connection_when_it_is_opened_is_left),
  };
  return RUN_SUITE("engine: poison", cases);
}
