/* Tests what a run does with messages, and that the next one does nothing: copying, matching, states. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"

static void
a_first_run_copies_all_and_a_second_one_only_looks(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 10);
  memory_box_folder(engine.source, "Empty");
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 20);
  CU_ASSERT_EQUAL(engine.calls2.puts, 20);
  CU_ASSERT_EQUAL(engine.calls2.creates, 1); /* all folders at once */
  CU_ASSERT_EQUAL(engine.copy->folders->len, 3);
  CU_ASSERT_EQUAL(engine.calls1.items_listed, 0); /* an empty destination needs no listing */

  CU_ASSERT(engine_is_at_rest(&engine));
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 20);
  CU_ASSERT_EQUAL(engine.calls1.selects + engine.calls2.selects, 0); /* the tokens say enough */
}

static void
a_run_that_finds_no_token_lists_but_does_nothing(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 10);
  engine.copy->faults.no_tokens = true;
  ENGINE_SYNC(&engine);
  CU_ASSERT(engine_is_at_rest(&engine));
  CU_ASSERT_EQUAL(engine.calls2.items_listed, 20);
  CU_ASSERT_EQUAL(engine.calls2.messages_fetched, 0);
}

static void
what_came_since_is_copied_alone(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 5);
  ENGINE_SYNC(&engine);
  memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\nnew\r\n");
  memory_box_add(engine.source, "New folder", "Subject: new\r\n\r\nnew\r\n");
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.puts, 2);
  CU_ASSERT_EQUAL(engine.calls1.messages_fetched, 2);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 10);
  CU_ASSERT(engine_is_at_rest(&engine));
}

/* ---- messages of all kinds ---- */

static void
messages_of_all_kinds_arrive_in_their_number(void)
{
  static const MemoryFaults kinds[] = {
    { 0 },
    { .text_ids = true },
    { .no_ids = true },
    { .no_ids = true, .no_next_id = true, .no_tokens = true },
    { .hold = 5 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill_oddities(&engine);
    engine.copy->faults = kinds[i];
    ENGINE_SYNC(&engine);
    CU_ASSERT(engine_is_at_rest(&engine));
    memory_box_add(engine.source, "INBOX", "Message-ID: <3@x>\r\n\r\nthree times\r\n");
    ENGINE_SYNC(&engine); /* the fourth */
    CU_ASSERT_EQUAL(engine.calls2.puts, 1);
    CU_ASSERT(engine_is_at_rest(&engine));
  }
}

static void
a_state_that_was_deleted_leaves_it_to_matching(void)
{
  static const MemoryFaults kinds[] = { { 0 }, { .text_ids = true }, { .no_ids = true } };
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine.copy->faults = kinds[i];
    engine_fill(&engine, 10);
    engine_fill_oddities(&engine);
    ENGINE_SYNC(&engine);
    engine_forget(&engine);
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.calls2.puts, 0);
    CU_ASSERT_EQUAL(engine.calls2.flag_changes, 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), memory_box_count(engine.source));
    CU_ASSERT(engine_is_at_rest(&engine)); /* by what the state has learnt */
    CU_ASSERT_EQUAL(engine.calls2.lists, 0);
  }
}

static void
without_a_state_nothing_is_kept_and_nothing_doubled(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 5);
  engine_fill_oddities(&engine);
  engine.options.stateless = true;
  for (unsigned i = 0; i < 3; i++) {
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.calls2.puts, i == 0 ? 22 : 0);
    g_autoptr(GDir) dir = g_dir_open(engine.state_folder, 0, NULL);
    CU_ASSERT_PTR_NULL(g_dir_read_name(dir));
  }
}

static char *
text_of(const MemoryMessage *message)
{
  gsize size;
  const char *octets = g_bytes_get_data(message->octets, &size);
  return g_strndup(octets, size);
}

static void
what_another_tool_has_copied_is_adopted(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 6);
  /* Every second message is there, in another order, with other dates, some with flags. */
  for (unsigned i = 12; i-- > 0;)
    if (i % 2 == 0) {
      g_autofree char *id = g_strdup_printf("id-%u", i), *octets = engine_message(id, id);
      memory_box_add(engine.copy, i < 6 ? "INBOX" : "Work/a b", octets)->flags =
          i % 4 == 0 ? HAUL_FLAGGED : 0;
    }
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 6);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 12);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 6);
  /* Flags of both sides are kept. */
  const MemoryFolder *inbox = memory_box_folder(engine.copy, "INBOX");
  for (guint i = 0; i < inbox->messages->len; i++) {
    const MemoryMessage *message = inbox->messages->pdata[i];
    g_autofree char *octets = text_of(message);
    uint32_t expected = strstr(octets, "<id-4@") != NULL   ? 4 | HAUL_FLAGGED
                        : strstr(octets, "<id-0@") != NULL ? HAUL_FLAGGED
                        : strstr(octets, "<id-2@") != NULL ? 2
                                                           : message->flags;
    CU_ASSERT_EQUAL(message->flags, expected);
  }
}

static void
the_same_id_with_another_content_is_another_message(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  g_autofree char *filler = g_strnfill(20000, 'x');
  g_autofree char *small = engine_message("same", "small"), *large = engine_message("same", filler);
  memory_box_add(engine.source, "INBOX", small);
  memory_box_add(engine.copy, "INBOX", large);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 2);
  CU_ASSERT_EQUAL(engine.total.n_conflicts, 1);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 1);
  engine_run(&engine);
  CU_ASSERT_EQUAL(engine.calls2.puts, 0);
}

static void
large_messages_pass_through_the_spool(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  for (unsigned i = 0; i < 6; i++) {
    g_autofree char *filler = g_strnfill((i + 1) * 700000, (char)('a' + i));
    g_autofree char *octets = engine_message(NULL, filler);
    memory_box_add(engine.source, i % 2 == 0 ? "INBOX" : "Large", octets);
  }
  for (unsigned i = 0; i < 2; i++) {
    engine.source->faults.no_sizes = i == 1; /* then nobody knows before how large they are */
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.calls2.puts, 6);
    CU_ASSERT(engine_is_at_rest(&engine));
    memory_box_free(engine.copy);
    engine.copy = memory_box_new("another");
  }
}

static void
many_lanes_keep_the_order_of_each_folder(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.options.policy.n_lanes = 6;
  engine.source->faults.fetches_after_opens = 2; /* else the first lane might be done alone */
  engine.copy->faults.hold = 3;
  g_autofree char *filler = g_strnfill(40000, 'x');
  for (unsigned i = 0; i < 12 * 15; i++) {
    g_autofree char *path = g_strdup_printf("Folder %u", i % 12);
    g_autofree char *id = g_strdup_printf("%u", i), *octets = engine_message(id, filler);
    memory_box_add(engine.source, path, octets);
  }
  ENGINE_SYNC(&engine);
  CU_ASSERT(engine.calls1.opens > 1);
  for (guint i = 0; i < engine.copy->folders->len; i++) {
    const MemoryFolder *folder = engine.copy->folders->pdata[i];
    CU_ASSERT_EQUAL(folder->messages->len, 15);
    for (guint k = 1; k < folder->messages->len; k++)
      CU_ASSERT(((MemoryMessage *)folder->messages->pdata[k - 1])->date
                < ((MemoryMessage *)folder->messages->pdata[k])->date);
  }
  CU_ASSERT(engine_is_at_rest(&engine));
}

/* ---- sources and destinations that tell little ---- */

static void
whatever_is_not_told_nothing_is_doubled(void)
{
  static const MemoryFaults sources[] = {
    { .no_tokens = true },
    { .no_counts = true },
    { .no_sizes = true },
    { .no_epochs = true, .no_tokens = true },
    { .no_counts = true, .no_sizes = true, .no_tokens = true, .text_ids = true },
    { .no_counts = true, .no_epochs = true, .no_tokens = true, .no_sizes = true, .text_ids = true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(sources); k++) {
      g_auto(Engine) engine;
      engine_init(&engine);
      engine.source->faults = sources[i];
      engine.copy->faults = sources[k];
      engine_fill(&engine, 4);
      engine_fill_oddities(&engine);
      for (unsigned run = 0; run < 3; run++) {
        bool right = engine_sync(&engine, __LINE__)
                     && engine.calls2.puts == (run == 0 ? memory_box_count(engine.source) : 0);
        CU_ASSERT(right);
        if (!right)
          printf("source %zu, copy %zu, run %u: %u puts\n", i, k, run, engine.calls2.puts);
      }
    }
}

/* ---- what changed at either side ---- */

static void
a_copy_that_was_removed_stays_away(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 4);
  ENGINE_SYNC(&engine);
  memory_box_remove(engine.copy, "INBOX", 2);
  for (unsigned i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_FILTERED), 1);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 7);
  }
}

static void
what_is_gone_at_the_source_is_kept_at_the_destination(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 4);
  ENGINE_SYNC(&engine);
  memory_box_remove(engine.source, "INBOX", 2);
  for (unsigned i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 7);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 8);
  }
}

static void
ids_that_changed_are_matched_anew(void)
{
  for (unsigned sides = 1; sides <= 3; sides++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 5);
    engine_fill_oddities(&engine);
    ENGINE_SYNC(&engine);
    if (sides & 1)
      memory_box_renumber(engine.source, "INBOX");
    if (sides & 2)
      memory_box_renumber(engine.copy, "INBOX");
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.calls2.puts, 0);
    CU_ASSERT(engine_is_at_rest(&engine));
  }
}

static void
a_folder_that_was_removed_at_the_destination_is_made_again(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 5);
  ENGINE_SYNC(&engine);
  g_ptr_array_remove_index(engine.copy->folders, 1);
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.puts, 5);
  CU_ASSERT(engine_is_at_rest(&engine));
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(a_first_run_copies_all_and_a_second_one_only_looks),
    CASE(a_run_that_finds_no_token_lists_but_does_nothing),
    CASE(what_came_since_is_copied_alone),
    CASE(messages_of_all_kinds_arrive_in_their_number),
    CASE(a_state_that_was_deleted_leaves_it_to_matching),
    CASE(without_a_state_nothing_is_kept_and_nothing_doubled),
    CASE(what_another_tool_has_copied_is_adopted),
    CASE(the_same_id_with_another_content_is_another_message),
    CASE(large_messages_pass_through_the_spool),
    CASE(many_lanes_keep_the_order_of_each_folder),
    CASE(whatever_is_not_told_nothing_is_doubled),
    CASE(a_copy_that_was_removed_stays_away),
    CASE(what_is_gone_at_the_source_is_kept_at_the_destination),
    CASE(ids_that_changed_are_matched_anew),
    CASE(a_folder_that_was_removed_at_the_destination_is_made_again),
  };
  return RUN_SUITE("engine", cases);
}
