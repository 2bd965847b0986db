/*
 * Tests that trouble stays where it is: a message or a folder that fails does not keep the others from
 * being copied, the report names it, and the next run makes up for it.
 */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"

static guint
n_in(const MemoryBox *box, const char *path)
{
  for (guint i = 0; i < box->folders->len; i++) {
    const MemoryFolder *folder = box->folders->pdata[i];
    if (strcmp(folder->path, path) == 0)
      return folder->messages->len;
  }
  return 0;
}

/* ---- messages ---- */

static void
a_refused_message_does_not_stop_the_rest(void)
{
  for (unsigned hold = 0; hold <= 4; hold += 4) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 8);
    engine.copy->faults = (MemoryFaults){ .refuses = "<id-3@", .hold = hold };
    for (unsigned run = 0; run < 2; run++) {
      CU_ASSERT_EQUAL(engine_run(&engine), 114);
      CU_ASSERT_PTR_NULL(engine.error);
      CU_ASSERT_EQUAL(engine.calls2.puts, run == 0 ? 16 : 1); /* it is offered again */
      CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_REFUSED), 1);
      CU_ASSERT_EQUAL(engine_n(&engine, run == 0 ? HAUL_STATE_COPIED : HAUL_STATE_THERE), 15);
      const HaulTally *tally = engine_tally(&engine, "INBOX");
      CU_ASSERT_EQUAL_FATAL(tally->troubles->len, 1);
      const HaulTrouble *trouble = &g_array_index(tally->troubles, HaulTrouble, 0);
      CU_ASSERT_STRING_EQUAL(trouble->id, "4");
      CU_ASSERT_STRING_EQUAL(trouble->reason, "refused");
    }
    engine.copy->faults.refuses = NULL;
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.calls2.puts, 1);
  }
}

static void
a_message_that_cannot_be_fetched_does_not_stop_the_rest(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 8);
  engine.source->faults.unfetchable = "<id-3@";
  for (unsigned run = 0; run < 2; run++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 115);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_UNFETCHABLE), 1);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 15);
  }
  engine.source->faults.unfetchable = NULL;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.puts, 1);
}

static void
several_kinds_of_trouble_give_one_code(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 8);
  engine.source->faults.unfetchable = "<id-3@";
  engine.copy->faults.refuses = "<id-9@";
  CU_ASSERT_EQUAL(engine_run(&engine), 111);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 14);
}

static void
what_was_refused_is_not_offered_again_in_the_same_run(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 8);
  engine.copy->faults = (MemoryFaults){ .refuses = "<id-3@", .lose_stored = 7 };
  CU_ASSERT_EQUAL(engine_run(&engine), 114);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_REFUSED), 1);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 15);
  CU_ASSERT_EQUAL(engine.calls2.puts, 16);
}

static void
what_comes_after_a_refusal_is_copied_by_the_next_pass(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  for (unsigned i = 0; i < 9; i++) {
    g_autofree char *id = g_strdup_printf("id-%u", i), *octets = engine_message(id, id);
    memory_box_add(engine.source, "INBOX", octets);
  }
  engine.copy->faults = (MemoryFaults){ .refuses = "<id-3@", .lose_put = 7 };
  CU_ASSERT_EQUAL(engine_run(&engine), 114);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_FAILED), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 8);
}

static void
more_refusals_than_are_listed_still_add_up(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  const unsigned n = 1300;
  for (unsigned i = 0; i < n; i++) {
    g_autofree char *text = g_strdup_printf("Subject: %u bad\r\n\r\n", i);
    memory_box_add(engine.source, "INBOX", text);
  }
  memory_box_add(engine.source, "Other", "Subject: fine\r\n\r\n");
  engine.copy->faults = (MemoryFaults){ .refuses = "bad", .lose_put = 1280 };
  CU_ASSERT_EQUAL(engine_run(&engine), 114);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_REFUSED), n);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 1);
  CU_ASSERT_EQUAL(engine.total.source, n + 1);
}

/* ---- folders ---- */

static void
a_folder_that_fails_does_not_stop_the_others(void)
{
  static const struct {
    const char *name;
    MemoryFaults source, copy;
    int code;
  } table[] = {
    { "source: select", { .unselectable = "INBOX" }, { 0 }, 117 },
    { "destination: select", { 0 }, { .unselectable = "INBOX" }, 117 },
    { "destination: create", { 0 }, { .uncreatable = "INBOX" }, 116 },
    { "destination: append", { 0 }, { .refuses_folder = "INBOX" }, 114 },
    { "destination: append, told late",
      { 0 },
      { .refuses_folder = "INBOX", .hold = 6, .stores_late = true },
      114 },
    { "destination: append, told when another folder has begun",
      { 0 },
      { .refuses_folder = "INBOX", .hold = 100, .stores_late = true },
      114 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    for (unsigned n_lanes = 1; n_lanes <= 2; n_lanes++) {
      g_auto(Engine) engine;
      engine_init(&engine);
      engine_fill(&engine, 4);
      memory_box_add(engine.source, "Third", "Subject: third\r\n\r\n");
      engine.options.policy.n_lanes = n_lanes;
      engine.source->faults = table[i].source;
      engine.copy->faults = table[i].copy;
      int code = engine_run(&engine);
      bool right = code == table[i].code && n_in(engine.copy, "INBOX") == 0
                   && n_in(engine.copy, "Work/a b") == 4 && n_in(engine.copy, "Third") == 1
                   && engine_n(&engine, HAUL_STATE_FAILED) == 4
                   && engine_n(&engine, HAUL_STATE_COPIED) == 5
                   && engine_tally(&engine, "INBOX")->failed != NULL
                   && engine_tally(&engine, "Work/a b")->failed == NULL
                   && engine_tally(&engine, "Third")->failed == NULL;
      CU_ASSERT(right);
      if (!right)
        printf("%s: code %d, %u %u %u\n", table[i].name, code, n_in(engine.copy, "INBOX"),
               n_in(engine.copy, "Work/a b"), n_in(engine.copy, "Third"));
      engine.source->faults = engine.copy->faults = (MemoryFaults){ 0 };
      ENGINE_SYNC(&engine);
      CU_ASSERT_EQUAL(engine.calls2.puts, 4);
    }
}

static void
a_listing_that_ends_early_is_never_taken_for_complete(void)
{
  for (unsigned side = 1; side <= 2; side++)
    for (unsigned n = 0; n < 4; n++) {
      g_auto(Engine) engine;
      engine_init(&engine);
      engine.options.policy.flags_mode = HAUL_FLAGS_SOURCE; /* which has to list */
      engine_fill(&engine, 4);
      ENGINE_SYNC(&engine);
      memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\n");
      memory_box_add(engine.source, "Work/a b", "Subject: new\r\n\r\n");
      MemoryBox *box = side == 1 ? engine.source : engine.copy;
      box->faults = (MemoryFaults){ .unlistable = "INBOX", .cuts_list = n };
      CU_ASSERT_EQUAL(engine_run(&engine), 117);
      CU_ASSERT_EQUAL(n_in(engine.copy, "INBOX"), 4);
      CU_ASSERT_EQUAL(n_in(engine.copy, "Work/a b"), 5);
      box->faults = (MemoryFaults){ 0 };
      ENGINE_SYNC(&engine); /* nothing was forgotten, nothing is doubled */
      CU_ASSERT_EQUAL(engine.calls2.puts, 1);
    }
}

static void
a_folder_whose_deliveries_cannot_be_named_is_done_all_the_same(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 4);
  engine.copy->faults = (MemoryFaults){ .no_ids = true, .unlistable = "INBOX" };
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  ENGINE_SAME(&engine);
  engine.copy->faults.unlistable = NULL;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.puts, 0);
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.puts, 0);
}

static void
a_folder_that_is_replaced_during_the_run_is_matched_anew_by_the_next(void)
{
  for (unsigned no_ids = 0; no_ids < 2; no_ids++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 4);
    engine.copy->faults.no_ids = no_ids;
    ENGINE_SYNC(&engine);
    memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\n");
    memory_box_add(engine.source, "Work/a b", "Subject: new\r\n\r\n");
    engine.copy->faults.replaces = "INBOX";
    CU_ASSERT_EQUAL(engine_run(&engine), 111);
    CU_ASSERT_STRING_EQUAL(engine_tally(&engine, "INBOX")->failed, "epoch");
    CU_ASSERT_EQUAL(n_in(engine.copy, "Work/a b"), 5);
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.calls2.puts, 1);
  }
}

static void
a_folder_that_failed_and_then_went_well_is_no_failure(void)
{
  /* The first pass could not open it; then the connection was lost, and the second pass could. */
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 4);
  engine.copy->faults = (MemoryFaults){ .replaces = "INBOX", .lose_stored = 3 };
  memory_box_add(engine.copy, "INBOX", "Subject: other\r\n\r\n");
  engine.options.policy.n_lanes = 1;
  int code = engine_run(&engine);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 9);
  CU_ASSERT_EQUAL(code, 0);
}

/* ---- flags ---- */

static void
flags_that_cannot_be_set_are_said_and_tried_again(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 4);
  ENGINE_SYNC(&engine);
  MemoryFolder *inbox = memory_box_folder(engine.source, "INBOX");
  ((MemoryMessage *)inbox->messages->pdata[0])->flags ^= HAUL_SEEN;
  ((MemoryMessage *)inbox->messages->pdata[1])->flags ^= HAUL_FLAGGED;
  inbox->n_changes++;
  engine.copy->faults.refuses_flags = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 120);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 8);
  CU_ASSERT_EQUAL(engine.total.n_flags, 0);
  engine.copy->faults.refuses_flags = false;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.total.n_flags, 2);
}

static void
a_connection_lost_while_flags_are_changed_is_survived(void)
{
  for (unsigned n = 1; n <= 2; n++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 4);
    ENGINE_SYNC(&engine);
    for (guint i = 0; i < engine.source->folders->len; i++) {
      MemoryFolder *folder = engine.source->folders->pdata[i];
      ((MemoryMessage *)folder->messages->pdata[i])->flags ^= HAUL_SEEN;
      folder->n_changes++;
    }
    engine.copy->faults.lose_set_flags = n;
    ENGINE_SYNC(&engine);
    engine_run(&engine);
    CU_ASSERT_EQUAL(engine.calls2.flag_changes, 0);
  }
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(a_refused_message_does_not_stop_the_rest),
    CASE(a_message_that_cannot_be_fetched_does_not_stop_the_rest),
    CASE(several_kinds_of_trouble_give_one_code),
    CASE(what_was_refused_is_not_offered_again_in_the_same_run),
    CASE(what_comes_after_a_refusal_is_copied_by_the_next_pass),
    CASE(more_refusals_than_are_listed_still_add_up),
    CASE(a_folder_that_fails_does_not_stop_the_others),
    CASE(a_listing_that_ends_early_is_never_taken_for_complete),
    CASE(a_folder_whose_deliveries_cannot_be_named_is_done_all_the_same),
    CASE(a_folder_that_is_replaced_during_the_run_is_matched_anew_by_the_next),
    CASE(a_folder_that_failed_and_then_went_well_is_no_failure),
    CASE(flags_that_cannot_be_set_are_said_and_tried_again),
    CASE(a_connection_lost_while_flags_are_changed_is_survived),
  };
  return RUN_SUITE("engine: trouble", cases);
}
