/* Tests how a run carries flags and keywords: what either side changed since the last one. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "log.h"

/* The flag that is looked at, among others that stay. */
#define WATCHED HAUL_FLAGGED
#define OTHERS (HAUL_SEEN | HAUL_DRAFT)

static MemoryMessage *
message_at(MemoryBox *box, guint index)
{
  MemoryFolder *folder = memory_box_folder(box, "INBOX");
  CU_ASSERT_FATAL(index < folder->messages->len);
  folder->n_changes++;
  return folder->messages->pdata[index];
}

static void
give(MemoryMessage *message, bool has)
{
  message->flags = OTHERS | (has ? WATCHED : 0);
  memory_message_set_keywords(message, has ? "Kept watched" : "Kept");
}

static void
every_change_of_either_side_is_merged_as_the_mode_says(void)
{
  /* For (base, source, destination) counted as a binary number: what the copy has then. */
  static const struct {
    HaulFlagsMode mode;
    const char *expected;
  } modes[] = {
    { HAUL_FLAGS_MERGE, "01110001" },
    { HAUL_FLAGS_SOURCE, "00110011" },
    { HAUL_FLAGS_ADD, "01110111" },
    { HAUL_FLAGS_NONE, "01010101" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    for (unsigned cell = 0; cell < 8; cell++) {
      g_autofree char *id = g_strdup_printf("id-%u", cell), *octets = engine_message(id, id);
      give(memory_box_add(engine.source, "INBOX", octets), cell >> 2 & 1);
    }
    ENGINE_SYNC(&engine); /* all modes begin with what the source has */
    for (guint cell = 0; cell < 8; cell++) {
      give(message_at(engine.source, cell), cell >> 1 & 1);
      give(message_at(engine.copy, cell), cell & 1);
    }
    engine.options.policy.flags_mode = modes[i].mode;
    for (unsigned run = 0; run < 3; run++) {
      CU_ASSERT_EQUAL(engine_run(&engine), 0);
      CU_ASSERT_EQUAL(engine.calls2.puts, 0);
      CU_ASSERT(run == 0 || engine.calls2.flag_changes == 0);
      for (guint cell = 0; cell < 8; cell++) {
        const MemoryMessage *copy = message_at(engine.copy, cell);
        bool expected = modes[i].expected[cell] == '1';
        CU_ASSERT_EQUAL(copy->flags, OTHERS | (expected ? (uint32_t)WATCHED : 0));
        CU_ASSERT_EQUAL(g_strv_contains((const char *const *)copy->keywords, "watched"), expected);
        CU_ASSERT(g_strv_contains((const char *const *)copy->keywords, "Kept"));
      }
    }
  }
}

static void
what_many_messages_have_in_common_is_one_change(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 60);
  ENGINE_SYNC(&engine);
  MemoryFolder *inbox = memory_box_folder(engine.source, "INBOX");
  unsigned n = 0;
  for (guint i = 0; i < inbox->messages->len; i++) {
    MemoryMessage *message = message_at(engine.source, i);
    n += !(message->flags & HAUL_ANSWERED);
    message->flags |= HAUL_ANSWERED;
  }
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.flag_changes, 1);
  CU_ASSERT_EQUAL(engine.total.n_flags, n);
}

static void
keywords_that_are_not_kept_are_not_sent_for_ever(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 6);
  engine.copy->faults.no_keywords = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.flag_changes, 0);
}

static void
names_of_keywords_compare_without_case(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  g_autofree char *octets = engine_message("a", "a");
  memory_message_set_keywords(memory_box_add(engine.source, "INBOX", octets), "Important");
  ENGINE_SYNC(&engine);
  memory_message_set_keywords(message_at(engine.copy, 0), "IMPORTANT");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.flag_changes, 0);
}

static void
flags_change_while_a_copy_without_an_id_is_named(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.copy->faults.no_ids = true;
  engine_fill(&engine, 4);
  ENGINE_SYNC(&engine);
  message_at(engine.source, 2)->flags ^= HAUL_SEEN;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.flag_changes, 1);
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(every_change_of_either_side_is_merged_as_the_mode_says),
    CASE(what_many_messages_have_in_common_is_one_change),
    CASE(keywords_that_are_not_kept_are_not_sent_for_ever),
    CASE(names_of_keywords_compare_without_case),
    CASE(flags_change_while_a_copy_without_an_id_is_named),
  };
  return RUN_SUITE("engine: flags", cases);
}
