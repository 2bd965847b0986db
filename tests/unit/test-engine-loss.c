/*
 * Tests that nothing is lost and nothing doubled, whenever the connection is lost: at every delivery,
 * before or after the destination has stored it, and at every other call; whether the run goes on by
 * itself or the next one does; whatever the destination tells of what it got.
 */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"

/* What the source holds: twins, triplets, and messages that can hardly be told apart. */
static void
fill(Engine *engine)
{
  static const char *const messages[] = {
    "Message-ID: <1@x>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\none\r\n",
    "Message-ID: <3@x>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\nthree times\r\n",
    "Message-ID: <3@x>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\nthree times\r\n",
    "Message-ID: <1@x>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\nsame id, other text\r\n",
    "Message-ID: <3@x>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\nthree times\r\n",
    "\r\nno header\r\n",
    "\r\nNO HEADER\r\n", /* of the same size */
    "\r\nno header\r\n", /* and the same again */
    "Subject: no id\r\n\r\n",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
    if (engine->copy->faults.adds != NULL && !g_str_has_prefix(messages[i], "Message-ID"))
      continue; /* its key is its content, which such a server changes */
    MemoryMessage *message = memory_box_add(engine->source, "INBOX", messages[i]);
    message->flags = i % 2 == 0 ? HAUL_SEEN : 0;
    if (i % 3 == 0)
      memory_box_add(engine->source, "Archive", messages[i]);
  }
}

/* Kinds of destinations. */
static const struct {
  const char *name;
  MemoryFaults faults;
} kinds[] = {
  { "tells all", { 0 } },
  { "tells no ids", { .no_ids = true } },
  { "tells neither ids nor next ids", { .no_ids = true, .no_next_id = true, .no_tokens = true } },
  { "names files", { .text_ids = true } },
  { "answers late", { .hold = 4 } },
  { "stores and answers late", { .hold = 4, .stores_late = true } },
  { "adds a header line", { .adds = "X-Checked: yes, twice\r\n" } },
  { "adds a line and tells no ids", { .adds = "X-Checked: yes, twice\r\n", .no_ids = true } },
  { "tells hardly anything",
    { .no_ids = true, .no_next_id = true, .no_tokens = true, .no_counts = true, .hold = 3 } },
};

/* Nothing is to be done: nothing is asked that changes anything, and nothing is fetched. */
static bool
is_at_rest(Engine *engine)
{
  MemoryFaults *faults = &engine->copy->faults;
  faults->lose_put = faults->lose_stored = faults->lose_flush = faults->lose_list = 0;
  faults->lose_select = faults->lose_folders = 0;
  /* Where nobody can tell what came since, the next run looks for what was delivered: once. */
  if (faults->no_ids && faults->no_next_id && (engine_run(engine) != 0 || engine->calls2.puts > 0))
    return false;
  bool right = engine_run(engine) == 0 && engine->calls2.puts == 0
               && engine->calls2.flag_changes == 0 && engine->calls2.creates == 0
               && engine->calls1.messages_fetched == 0 && engine_n(engine, HAUL_STATE_COPIED) == 0;
  if (!right)
    printf("not at rest: %u puts, %u changes of flags, %u creates, %u fetched\n",
           engine->calls2.puts, engine->calls2.flag_changes, engine->calls2.creates,
           engine->calls1.messages_fetched);
  return right;
}

/* Runs with these faults until the mail is there, and says whether all was well. */
static bool
survives(const MemoryFaults *faults1, const MemoryFaults *faults2, bool ends_run, const char *what)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.source->faults = *faults1;
  engine.copy->faults = *faults2;
  fill(&engine);
  engine.source->faults.ends_run = engine.copy->faults.ends_run = ends_run;
  int code = engine_run(&engine);
  if (ends_run && code != 0) {
    engine.source->faults.ends_run = engine.copy->faults.ends_run = false;
    code = engine_run(&engine);
  }
  bool right = code == 0 && engine_is_same(&engine, __LINE__) && is_at_rest(&engine);
  if (!right)
    printf("%s, %s: code %d, %s\n", what, ends_run ? "new run" : "same run", code,
           engine.error != NULL ? engine.error->message : "no error");
  return right;
}

static void
lose_every_put(bool stored, bool ends_run)
{
  static const MemoryFaults none;
  for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
    for (unsigned n = ends_run ? 1 : 1 + kind; n <= 12; n += ends_run ? 1 : 12) {
      MemoryFaults faults = kinds[kind].faults;
      *(stored ? &faults.lose_stored : &faults.lose_put) = n;
      g_autofree char *what =
          g_strdup_printf("%s, %s put %u", kinds[kind].name, stored ? "after" : "before", n);
      CU_ASSERT(survives(&none, &faults, ends_run, what));
    }
}

static void
a_new_run_goes_on_after_a_loss_before_any_message_was_stored(void)
{
  lose_every_put(false, true);
}

static void
a_new_run_goes_on_after_a_loss_when_any_message_was_stored(void)
{
  lose_every_put(true, true);
}

static void
a_run_goes_on_by_itself_after_a_loss_before_a_message_was_stored(void)
{
  lose_every_put(false, false);
}

static void
a_run_goes_on_by_itself_after_a_loss_when_a_message_was_stored(void)
{
  lose_every_put(true, false);
}

static void
a_loss_at_any_other_call_is_survived(void)
{
  static const MemoryFaults none;
  for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
    for (unsigned n = 1; n <= 3; n++) {
      const MemoryFaults base = kinds[kind].faults;
      MemoryFaults variants[] = { base, base, base, base };
      variants[0].lose_flush = n;
      variants[1].lose_list = n;
      variants[2].lose_select = n;
      variants[3].lose_folders = n;
      for (size_t i = 0; i < G_N_ELEMENTS(variants); i++) {
        g_autofree char *what = g_strdup_printf("%s, variant %zu at %u", kinds[kind].name, i, n);
        CU_ASSERT(survives(&none, &variants[i], true, what));
      }
    }
}

static void
a_loss_at_the_source_is_survived(void)
{
  for (unsigned n = 1; n <= 12; n++) {
    MemoryFaults source = { .lose_fetch = n };
    g_autofree char *what = g_strdup_printf("fetch %u", n);
    CU_ASSERT(survives(&source, &kinds[n % G_N_ELEMENTS(kinds)].faults, true, what));
    if (n % 5 == 0)
      CU_ASSERT(survives(&source, &kinds[n % G_N_ELEMENTS(kinds)].faults, false, what));
  }
}

static void
two_losses_in_one_run_are_survived(void)
{
  static const MemoryFaults none;
  MemoryFaults faults = { .lose_stored = 3, .lose_put = 7, .no_ids = true };
  CU_ASSERT(survives(&none, &faults, false, "stored 3 and put 7"));
}

static void
a_copy_that_appears_late_is_waited_for(void)
{
  /* The server was still storing what the dead connection had sent. */
  g_auto(Engine) engine;
  engine_init(&engine);
  fill(&engine);
  engine.options.policy.grace_s = 2;
  engine.copy->faults = (MemoryFaults){ .lose_stored = 2, .late_ms = 700 };
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  ENGINE_SAME(&engine);
  CU_ASSERT(is_at_rest(&engine));
}

static void
a_loss_between_batches_is_survived(void)
{
  /* Large messages: an intent covers only a few of them. */
  g_autofree char *filler = g_strnfill(700000, 'x');
  for (unsigned n = 1; n <= 9; n++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    for (unsigned i = 0; i < 8; i++) { /* four pairs of twins */
      g_autofree char *id = g_strdup_printf("id-%u", i % 4);
      g_autofree char *text = engine_message(id, filler);
      memory_box_add(engine.source, "INBOX", text);
    }
    engine.copy->faults.no_ids = n % 4 < 2;
    engine.copy->faults.ends_run = true;
    *(n % 2 == 0 ? &engine.copy->faults.lose_put : &engine.copy->faults.lose_stored) = n;
    engine_run(&engine);
    engine.copy->faults.ends_run = false;
    ENGINE_SYNC(&engine);
    CU_ASSERT(is_at_rest(&engine));
  }
}

static void
a_state_that_is_lost_with_the_connection_leaves_it_to_matching(void)
{
  for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
    for (unsigned n = 1; n <= 12; n += 4) {
      g_auto(Engine) engine;
      engine_init(&engine);
      engine.copy->faults = kinds[kind].faults;
      fill(&engine);
      engine.copy->faults.lose_stored = n;
      engine.copy->faults.ends_run = true;
      if (engine_run(&engine) == 0)
        continue; /* there were fewer puts */
      engine_forget(&engine);
      bool right = engine_run(&engine) == 0
                   && (engine.copy->faults.adds != NULL || engine_is_same(&engine, __LINE__))
                   && memory_box_count(engine.copy) >= memory_box_count(engine.source);
      CU_ASSERT(right);
      if (!right)
        printf("%s, put %u\n", kinds[kind].name, n);
    }
}

static void
a_connection_that_cannot_be_opened_again_ends_the_run(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  fill(&engine);
  engine.copy->faults.refuses_login = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 162);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "login", "destination: ");
  engine.source->faults.refuses_login = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 16);
  engine.copy->faults.refuses_login = false;
  CU_ASSERT_EQUAL(engine_run(&engine), 161);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "login", "source: ");
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING); /* of losses there is nothing to be said */
  static const Case cases[] = {
    CASE(a_new_run_goes_on_after_a_loss_before_any_message_was_stored),
    CASE(a_new_run_goes_on_after_a_loss_when_any_message_was_stored),
    CASE(a_run_goes_on_by_itself_after_a_loss_before_a_message_was_stored),
    CASE(a_run_goes_on_by_itself_after_a_loss_when_a_message_was_stored),
    CASE(a_loss_at_any_other_call_is_survived),
    CASE(a_loss_at_the_source_is_survived),
    CASE(two_losses_in_one_run_are_survived),
    CASE(a_copy_that_appears_late_is_waited_for),
    CASE(a_loss_between_batches_is_survived),
    CASE(a_state_that_is_lost_with_the_connection_leaves_it_to_matching),
    CASE(a_connection_that_cannot_be_opened_again_ends_the_run),
  };
  return RUN_SUITE("engine: loss", cases);
}
