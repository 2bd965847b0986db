/* Tests undo: what a run has added goes, and nothing else, wherever it is cut short. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"
#include "undo.h"

static void
hear_nothing(const char *path2, const char *id2, const char *why, void *data)
{
}

static void
note_run(const HaulRun *run, void *data)
{
  g_string_append_printf(data, "%d+%d%s ", (int)run->number, (int)run->n_added,
                         run->undone_at != 0 ? "undone" : "");
}

/* Takes @run back, or, with 0, lists the runs to @listed; returns whether it came to its end. */
static bool
undo(Engine *engine, int64_t run, GString *listed, HaulUndoSum *sum, GError **error)
{
  HaulCancel *cancel = haul_cancel_new();
  g_autoptr(HaulAccount) account1 = haul_account_new(1, &haul_plugin_memory, cancel);
  g_autoptr(HaulAccount) account2 = haul_account_new(2, &haul_plugin_memory, cancel);
  haul_account_set(account1, "box", engine->source->name, NULL);
  haul_account_set(account2, "box", engine->copy->name, NULL);
  engine->options.account1 = account1;
  engine->options.account2 = account2;
  engine->options.cancel = cancel;
  bool done = run == 0 ? haul_undo_list(&engine->options, note_run, listed, error)
                       : haul_undo_run(&engine->options, run, hear_nothing, NULL, sum, error);
  haul_cancel_free(cancel);
  return done;
}

#define CHECK_RUNS(engine, expected)                                                               \
  do {                                                                                             \
    g_autoptr(GString) listed_ = g_string_new(NULL);                                               \
    CU_ASSERT(undo(engine, 0, listed_, NULL, NULL));                                               \
    CU_ASSERT_STRING_EQUAL(listed_->str, expected);                                                \
    if (strcmp(listed_->str, expected) != 0)                                                       \
      printf("line %d: %s\n", __LINE__, listed_->str);                                             \
  } while (0)

/* Undoes @run, which is to go well, removing @n and leaving @n_kept. */
static void
check_undo(Engine *engine, int64_t run, uint64_t n, uint64_t n_kept)
{
  HaulUndoSum sum;
  CU_ASSERT(undo(engine, run, NULL, &sum, NULL));
  CU_ASSERT_EQUAL(sum.code, 0);
  CU_ASSERT_EQUAL(sum.n_removed, n);
  CU_ASSERT_EQUAL(sum.n_kept, n_kept);
}

static void
add_more(Engine *engine, unsigned n)
{
  for (unsigned i = 0; i < n; i++) {
    g_autofree char *text = g_strdup_printf("more %u", i);
    g_autofree char *id = g_strdup_printf("<more-%u@x>", i);
    g_autofree char *octets = engine_message(id, text);
    memory_box_add(engine->source, "INBOX", octets);
  }
}

/* Two folders of ten, and at the destination a message of others, and one of the ten. */
static void
begin(Engine *engine)
{
  engine_init(engine);
  engine_fill(engine, 10);
  memory_box_add(engine->copy, "INBOX", MEMORY_OTHERS);
  const MemoryMessage *first = memory_box_folder(engine->source, "INBOX")->messages->pdata[0];
  g_autofree char *octets =
      g_strndup(g_bytes_get_data(first->octets, NULL), g_bytes_get_size(first->octets));
  memory_box_add(engine->copy, "INBOX", octets);
}

static void
each_run_is_taken_back_alone(void)
{
  static const MemoryFaults kinds[] = {
    { 0 },
    { .text_ids = true },
    { .no_tokens = true },
    { .no_tokens = true, .no_counts = true, .no_sizes = true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_auto(Engine) engine;
    begin(&engine);
    engine.source->faults = engine.copy->faults = kinds[i];
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    g_autofree char *after1 = memory_box_text(engine.copy, true);
    CU_ASSERT_EQUAL(engine_run(&engine), 0); /* adds nothing, and has no number */
    add_more(&engine, 3);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CHECK_RUNS(&engine, "1+19 2+3 ");

    check_undo(&engine, 2, 3, 0);
    g_autofree char *undone2 = memory_box_text(engine.copy, true);
    CU_ASSERT_STRING_EQUAL(undone2, after1);
    check_undo(&engine, 1, 19, 0);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 2);
    CHECK_RUNS(&engine, "1+0undone 2+0undone ");
    check_undo(&engine, 1, 0, 0);

    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, 22);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 24);
    CHECK_RUNS(&engine, "1+0undone 2+0undone 3+22 ");
  }
}

static void
a_dry_undo_changes_nothing(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  engine.options.dry = true;
  unsigned expunges = engine.copy->calls.expunges;
  check_undo(&engine, 1, 19, 0);
  CU_ASSERT_EQUAL(engine.copy->calls.expunges, expunges);
  CHECK_RUNS(&engine, "1+19 ");
}

static void
what_may_be_the_only_copy_stays(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  const MemoryMessage *last = memory_box_folder(engine.source, "INBOX")->messages->pdata[9];
  memory_box_remove(engine.source, "INBOX", last->uid);
  check_undo(&engine, 1, 18, 1);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 3);

  /* So does what --delete1 has moved. */
  g_auto(Engine) moved;
  begin(&moved);
  moved.options.policy.delete1 = true;
  CU_ASSERT_EQUAL(engine_run(&moved), 0);
  guint n = memory_box_count(moved.copy);
  HaulUndoSum sum;
  CU_ASSERT(undo(&moved, 1, NULL, &sum, NULL));
  CU_ASSERT_EQUAL(sum.n_removed, 0);
  CU_ASSERT_EQUAL(memory_box_count(moved.copy), n);
}

static void
what_is_not_what_was_added_stays(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  MemoryMessage *last = memory_box_folder(engine.copy, "INBOX")->messages->pdata[10];
  g_bytes_unref(last->octets);
  last->octets = g_bytes_new_static("Subject: x\r\n\r\nx\r\n", 17);
  check_undo(&engine, 1, 18, 1);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 3);
}

static void
a_folder_that_was_replaced_is_left_alone(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  memory_box_renumber(engine.copy, "INBOX");
  guint n = memory_box_folder(engine.copy, "INBOX")->messages->len;
  HaulUndoSum sum;
  CU_ASSERT(undo(&engine, 1, NULL, &sum, NULL));
  CU_ASSERT_EQUAL(sum.code, 121);
  CU_ASSERT_EQUAL(sum.n_removed, 10);
  CU_ASSERT_EQUAL(memory_box_folder(engine.copy, "INBOX")->messages->len, n);
}

static void
more_than_may_go_is_left_alone(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  engine.options.policy.max_delete = 9;
  HaulUndoSum sum;
  CU_ASSERT(undo(&engine, 1, NULL, &sum, NULL));
  CU_ASSERT_EQUAL(sum.code, 121);
  CU_ASSERT_EQUAL(sum.n_removed, 9);
}

static void
doing_it_again_completes_it(void)
{
  static const MemoryFaults cuts[] = {
    { .lose_expunge = 1 }, { .lose_expunge = 2 },  { .lose_marked = 1 },
    { .lose_marked = 2 },  { .lose_expunged = 1 }, { .lose_expunged = 2 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++)
    for (unsigned with_run = 0; with_run < 2; with_run++) {
      g_auto(Engine) engine;
      begin(&engine);
      CU_ASSERT_EQUAL(engine_run(&engine), 0);
      engine.copy->faults = cuts[i];
      HaulUndoSum sum;
      g_autoptr(GError) error = NULL;
      CU_ASSERT(!undo(&engine, 1, NULL, &sum, &error));
      engine.copy->faults = (MemoryFaults){ 0 };
      uint64_t n_copied = 0;
      if (with_run) {
        CU_ASSERT_EQUAL(engine_run(&engine), 0);
        n_copied = engine_n(&engine, HAUL_STATE_COPIED);
      }
      CU_ASSERT(undo(&engine, 1, NULL, &sum, NULL));
      CU_ASSERT_EQUAL(sum.code, 0);
      CU_ASSERT_EQUAL(sum.n_kept, 0);
      /* A run in between copies again what was taken back before the cut: it is that run's. */
      bool first_was_done = cuts[i].lose_expunge + cuts[i].lose_marked + cuts[i].lose_expunged == 2;
      guint n_again = with_run && first_was_done ? (guint)n_copied : 0;
      CU_ASSERT(!first_was_done || !with_run || n_copied == 9 || n_copied == 10);
      CU_ASSERT_EQUAL(memory_box_count(engine.copy), 2 + n_again);
      CU_ASSERT_EQUAL(engine_run(&engine), 0);
      CU_ASSERT_EQUAL(memory_box_count(engine.copy), 21);
    }
}

/* What a run had sent when it was cut off is its own, though another finds it. */
static void
what_is_found_later_is_of_the_run_that_sent_it(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 10);
  engine.copy->faults = (MemoryFaults){ .lose_stored = 4, .ends_run = true };
  CU_ASSERT(engine_run(&engine) != 0);
  engine.copy->faults = (MemoryFaults){ 0 };
  guint n = memory_box_count(engine.copy);
  CU_ASSERT(n > 0);
  engine.options.policy.grace_s = 0;
  ENGINE_SYNC(&engine);
  g_autofree char *runs = g_strdup_printf("1+%u 2+%u ", n, 20 - n);
  CHECK_RUNS(&engine, runs);
  check_undo(&engine, 1, n, 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 20 - n);
  ENGINE_SYNC(&engine);
}

/* An id that is found out after the delivery does not make it another run's. */
static void
deliveries_without_an_id_are_of_their_run(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 10);
  engine.copy->faults = (MemoryFaults){ .no_ids = true };
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CHECK_RUNS(&engine, "1+20 ");
  check_undo(&engine, 1, 20, 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 0);
}

static void
a_run_that_is_not_known_is_a_mistake(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  HaulUndoSum sum;
  g_autoptr(GError) error = NULL;
  CHECK_RUNS(&engine, "");
  CU_ASSERT(!undo(&engine, 1, NULL, &sum, &error));
  CU_ASSERT_STRING_EQUAL(haul_error_reason(error), "usage");
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(each_run_is_taken_back_alone),
    CASE(a_dry_undo_changes_nothing),
    CASE(what_may_be_the_only_copy_stays),
    CASE(what_is_not_what_was_added_stays),
    CASE(a_folder_that_was_replaced_is_left_alone),
    CASE(more_than_may_go_is_left_alone),
    CASE(doing_it_again_completes_it),
    CASE(what_is_found_later_is_of_the_run_that_sent_it),
    CASE(deliveries_without_an_id_are_of_their_run),
    CASE(a_run_that_is_not_known_is_a_mistake),
  };
  return RUN_SUITE("engine-undo", cases);
}
