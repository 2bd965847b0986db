/* Tests --delete1: what leaves the source, when, and that nothing is lost or doubled for it. */
#include "suite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "log.h"

static void
begin(Engine *engine)
{
  engine_init(engine);
  engine->options.policy.delete1 = true;
}

/* Runs a statement on the state. */
static void
change_state(const Engine *engine, const char *sql)
{
  g_autoptr(GDir) dir = g_dir_open(engine->state_folder, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name(dir)) != NULL) {
    if (!g_str_has_suffix(name, ".db"))
      continue;
    g_autofree char *path = g_build_filename(engine->state_folder, name, NULL);
    sqlite3 *db;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
  }
}

static const MemoryMessage *
message_at(MemoryBox *box, guint index)
{
  return memory_box_folder(box, "INBOX")->messages->pdata[index];
}

static void
what_was_copied_leaves_the_source(void)
{
  static const MemoryFaults kinds[] = {
    { 0 },
    { .text_ids = true },
    { .no_tokens = true },
    { .no_tokens = true, .no_counts = true, .no_epochs = true, .no_sizes = true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_auto(Engine) engine;
    begin(&engine);
    engine.source->faults = kinds[i];
    engine_fill(&engine, 10);
    engine_fill_oddities(&engine);
    guint n = memory_box_count(engine.source);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), n);
    CU_ASSERT_EQUAL(engine.total.leaving.n_gone, n);
    CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), n);
    g_autofree char *before = memory_box_text(engine.copy, true);
    memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\nnew\r\n");
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, 1);
    CU_ASSERT_EQUAL(engine.total.leaving.n_gone, 1);
    CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);
    memory_box_remove(engine.copy, "INBOX", memory_box_folder(engine.copy, "INBOX")->next_uid - 1);
    g_autofree char *after = memory_box_text(engine.copy, true);
    CU_ASSERT_STRING_EQUAL(after, before);
  }
}

static void
an_unchanged_run_removes_what_is_due(void)
{
  for (unsigned listed = 0; listed < 2; listed++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine.copy->faults.no_tokens = listed == 1;
    engine_fill(&engine, 6);
    ENGINE_SYNC(&engine);
    engine.options.policy.delete1 = true;
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT(listed == 1 || engine.calls1.lists + engine.calls2.lists == 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 12);
    CU_ASSERT_EQUAL(engine.total.leaving.n_gone, 12);
    CU_ASSERT_EQUAL(engine.calls1.expunges, 2); /* one for each folder */
    CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 12);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls1.expunges, 0);
    CU_ASSERT_EQUAL(engine.total.leaving.n_gone, 0);
  }
}

static void
age_is_that_of_the_receipt(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine.options.policy.delete1_after_days = 7;
  engine_fill(&engine, 3);
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls1.expunges, 0);
  change_state(&engine, "UPDATE pair SET noted_at = noted_at - 6 * 86400");
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls1.expunges, 0);
  change_state(&engine, "UPDATE pair SET noted_at = noted_at - 86401 WHERE id1 = 2");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.total.leaving.n_gone, 2);
  CU_ASSERT_EQUAL(memory_box_count(engine.source), 4);
  CU_ASSERT_EQUAL(message_at(engine.source, 1)->uid, 3);
}

static void
what_was_not_copied_stays(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine_fill(&engine, 3);
  memory_box_add(engine.source, "INBOX", "Subject: a\r\n\r\nis refused\r\n");
  memory_box_add(engine.source, "INBOX", "Subject: b\r\n\r\nis damaged\r\n");
  memory_box_add(engine.source, "Closed", "Subject: c\r\n\r\nno way\r\n");
  engine.copy->faults.refuses = "is refused";
  engine.source->faults.unfetchable = "is damaged";
  engine.copy->faults.uncreatable = "Closed";
  CU_ASSERT_NOT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.total.leaving.n_gone, 6);
  CU_ASSERT_EQUAL(memory_box_count(engine.source), 3);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 6);
  engine.copy->faults = engine.source->faults = (MemoryFaults){ 0 };
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 9);
}

static void
what_was_removed_at_the_destination_stays_at_the_source(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 3);
  ENGINE_SYNC(&engine);
  memory_box_remove(engine.copy, "INBOX", 2);
  engine.options.policy.delete1 = true;
  for (unsigned i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(memory_box_count(engine.source), 1);
    CU_ASSERT_EQUAL(message_at(engine.source, 0)->uid, 2);
  }
}

static void
a_copy_whose_id_nobody_knows_proves_nothing(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine_fill(&engine, 3);
  engine.copy->faults.no_ids = true;
  engine.copy->faults.adds = "X-Added: 1\r\n"; /* by the key it is found */
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);

  g_auto(Engine) other;
  begin(&other);
  engine_fill(&other, 3);
  other.copy->faults.no_ids = true;
  other.copy->faults.adds = "Message-ID: <all-the-same@x>\r\n"; /* by nothing */
  CU_ASSERT_EQUAL(engine_run(&other), 0);
  CU_ASSERT_EQUAL(memory_box_count(other.source), 6);
  CU_ASSERT_EQUAL(other.total.leaving.n_unproven, 6);
}

/* ---- later runs ---- */

static void
what_comes_later_costs_no_look_at_what_was_moved(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine_fill(&engine, 20);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  for (unsigned i = 0; i < 4; i++) {
    g_autofree char *text = g_strdup_printf("Subject: %u\r\n\r\nnew\r\n", i);
    memory_box_add(engine.source, "INBOX", text);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, 1);
    CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);
    /* Once, for nobody has told the tokens yet. */
    CU_ASSERT(i == 0 || engine.calls2.items_listed <= 1);
    CU_ASSERT(i == 0 || engine.calls1.lists == 0); /* what has left is not taken to be there */
  }
}

static void
an_equal_message_that_comes_later_is_another(void)
{
  static const MemoryFaults kinds[] = { { 0 }, { .no_tokens = true }, { .text_ids = true } };
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_auto(Engine) engine;
    begin(&engine);
    engine.source->faults = kinds[i];
    engine_fill_oddities(&engine);
    guint n = memory_box_count(engine.source);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    for (unsigned k = 1; k <= 2; k++) {
      engine_fill_oddities(&engine);
      CU_ASSERT_EQUAL(engine_run(&engine), 0);
      CU_ASSERT_EQUAL(memory_box_count(engine.copy), (k + 1) * n);
      CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);
    }
  }
}

static void
what_comes_back_under_its_id_is_looked_at(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine_fill(&engine, 3);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_run(&engine), 0); /* it has seen that they are gone */
  g_autofree char *same = engine_message("id-0", "id-0");
  memory_box_add(engine.source, "INBOX", same)->uid = 1;
  memory_box_add(engine.source, "INBOX", "Subject: other\r\n\r\nother\r\n")->uid = 2;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 1);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 7);
  CU_ASSERT_EQUAL(memory_box_count(engine.source), 1); /* the one whose copy was found */
  CU_ASSERT_EQUAL(message_at(engine.source, 0)->uid, 1);
}

/* ---- copies that were found ---- */

/* Lets both sides say that their ids are UIDs, and the copies have other ones than the messages. */
static void
have_uids(Engine *engine)
{
  MemoryBox *const boxes[] = { engine->source, engine->copy };
  for (size_t i = 0; i < G_N_ELEMENTS(boxes); i++)
    for (guint k = 0; k < boxes[i]->folders->len; k++) {
      MemoryFolder *folder = boxes[i]->folders->pdata[k];
      folder->attributes |= HAUL_FOLDER_UIDS;
      if (i == 1)
        memory_box_renumber(boxes[i], folder->path);
    }
}

static void
a_state_that_is_new_bears_out_what_it_copied_alone(void)
{
  for (unsigned stateless = 0; stateless < 2; stateless++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 4);
    ENGINE_SYNC(&engine);
    engine_forget(&engine);
    have_uids(&engine);
    engine.options.policy.delete1 = true;
    engine.options.stateless = stateless == 1;
    memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\nnew\r\n");
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, 1);
    CU_ASSERT_EQUAL(engine.total.leaving.n_gone, 1);
    CU_ASSERT_EQUAL(engine.total.leaving.n_unproven, 8);
    CU_ASSERT_EQUAL(memory_box_count(engine.source), 8);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, 0);
    CU_ASSERT_EQUAL(memory_box_count(engine.source), stateless == 1 ? 8 : 0);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 9);
  }
}

static void
what_may_be_the_message_itself_is_no_copy(void)
{
  for (unsigned kind = 0; kind < 2; kind++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 4);
    ENGINE_SYNC(&engine);
    engine_forget(&engine);
    for (guint i = 0; kind == 0 && i < 2; i++) { /* one account by two names: all ids are equal */
      ((MemoryFolder *)engine.source->folders->pdata[i])->attributes |= HAUL_FOLDER_UIDS;
      ((MemoryFolder *)engine.copy->folders->pdata[i])->attributes |= HAUL_FOLDER_UIDS;
    }
    if (kind == 1) /* by two protocols: ids are of two kinds */
      engine.source->faults.text_ids = true;
    engine.options.policy.delete1 = true;
    for (unsigned run = 0; run < 3; run++) {
      CU_ASSERT_EQUAL(engine_run(&engine), 0);
      CU_ASSERT_EQUAL(memory_box_count(engine.source), 8);
      CU_ASSERT_EQUAL(engine.calls1.expunges, 0);
      CU_ASSERT_EQUAL(engine.total.leaving.n_unproven, 8);
    }
  }
}

static void
a_copy_of_another_size_is_not_enough(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  g_autofree char *one = engine_message("one", "a text of some length");
  g_autofree char *two = engine_message("two", "a text of some length");
  /* In one folder the equal ones would show that the server alters nothing. */
  memory_box_add(engine.source, "Work", one);
  memory_box_add(engine.source, "INBOX", two);
  g_autofree char *longer = g_strconcat(two, "-- \r\na footer\r\n", NULL);
  memory_box_add(engine.copy, "Work", one);
  memory_box_add(engine.copy, "INBOX", longer);
  have_uids(&engine);
  for (unsigned i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 2);
  CU_ASSERT_EQUAL_FATAL(memory_box_count(engine.source), 1);
  CU_ASSERT_EQUAL(message_at(engine.source, 0)->uid, 1);
  CU_ASSERT_EQUAL(engine.total.leaving.n_unproven, 1);
}

/* ---- lost connections ---- */

static void
a_removal_without_an_answer_is_looked_into(void)
{
  static const MemoryFaults faults[] = {
    { .lose_expunge = 1 },
    { .lose_marked = 1 },
    { .lose_expunged = 1 },
    { .lose_expunged = 2 },
    { .lose_expunged = 1, .no_counts = true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
    for (unsigned ends = 0; ends < 2; ends++)
      for (unsigned known = 0; known < 2; known++) {
        g_auto(Engine) engine;
        engine_init(&engine);
        engine_fill(&engine, 5);
        g_autofree char *wanted = memory_box_text(engine.source, true);
        if (known == 1)
          ENGINE_SYNC(&engine);
        engine.options.policy.delete1 = true;
        engine.source->faults = faults[i];
        engine.source->faults.ends_run = ends == 1;
        int code = engine_run(&engine);
        CU_ASSERT_EQUAL(code, ends == 1 ? 6 : 0);
        CU_ASSERT(ends == 1 || engine.total.leaving.n_gone == 10);
        if (ends == 1)
          CU_ASSERT_EQUAL(engine_run(&engine), 0);
        CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);
        /* Nothing is doubled; that messages were marked as deleted came to no copy. */
        g_autofree char *text = memory_box_text(engine.copy, true);
        CU_ASSERT_STRING_EQUAL(text, wanted);
        if (strcmp(text, wanted) != 0)
          printf("fault %zu, ends %u, known %u: %s", i, ends, known, text);
      }
}

static void
a_mark_of_ours_comes_to_no_copy_in_a_later_run(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine_fill(&engine, 5);
  g_autofree char *wanted = memory_box_text(engine.source, true);
  engine.source->faults.lose_marked = 1;
  engine.source->faults.ends_run = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 6);
  CU_ASSERT(message_at(engine.source, 0)->flags & HAUL_DELETED);
  engine.options.policy.delete1 = false;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  g_autofree char *text = memory_box_text(engine.copy, true);
  CU_ASSERT_STRING_EQUAL(text, wanted);
}

static void
a_refusal_is_reported_and_tried_again(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine_fill(&engine, 2);
  engine.source->faults.refuses_expunge = true;
  for (unsigned i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 121);
    CU_ASSERT_EQUAL(engine.total.leaving.n_gone, 0);
    CU_ASSERT_EQUAL(memory_box_count(engine.source), 4);
    CU_ASSERT_STRING_EQUAL(engine_tally(&engine, "INBOX")->failed, "not-deleted");
  }
  engine.source->faults.refuses_expunge = false;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 4);
}

static void
what_went_in_spite_of_a_refusal_is_counted(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine_fill(&engine, 3);
  engine.source->faults.expunges_one = true;
  for (unsigned left = 4;; left -= 2) {
    int code = engine_run(&engine);
    CU_ASSERT_EQUAL(engine.total.leaving.n_gone, 2); /* of each folder one */
    CU_ASSERT_EQUAL(memory_box_count(engine.source), left);
    CU_ASSERT_EQUAL(code, left > 0 ? 121 : 0); /* the last one is what was asked for */
    if (code == 0 || left == 0)
      break;
  }
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 6);
}

/* ---- what is not to be done ---- */

static void
a_dry_run_says_what_it_would_remove(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 3);
  ENGINE_SYNC(&engine);
  memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\nnew\r\n");
  engine.options.policy.delete1 = engine.options.dry = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls1.expunges, 0);
  g_autoptr(GString) told = g_string_new(NULL);
  for (guint i = 0; i < engine.planned->len; i++)
    if (strstr(engine.planned->pdata[i], " delete1 ") != NULL)
      g_string_append_printf(told, "%s\n", (char *)engine.planned->pdata[i]);
  CU_ASSERT_STRING_EQUAL(told->str,
                         "INBOX INBOX delete1 delete 3 messages at the source, and what is copied\n"
                         "Work/a b Work/a b delete1 delete 3 messages at the source\n");
}

static void
labels_are_not_removed(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine_fill(&engine, 2);
  engine.source->faults.labels = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 121);
  CU_ASSERT_EQUAL(engine.calls2.puts, 0);
  CU_ASSERT_EQUAL(engine.calls1.expunges, 0);
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(what_was_copied_leaves_the_source),
    CASE(an_unchanged_run_removes_what_is_due),
    CASE(age_is_that_of_the_receipt),
    CASE(what_was_not_copied_stays),
    CASE(what_was_removed_at_the_destination_stays_at_the_source),
    CASE(a_copy_whose_id_nobody_knows_proves_nothing),
    CASE(what_comes_later_costs_no_look_at_what_was_moved),
    CASE(an_equal_message_that_comes_later_is_another),
    CASE(what_comes_back_under_its_id_is_looked_at),
    CASE(a_state_that_is_new_bears_out_what_it_copied_alone),
    CASE(what_may_be_the_message_itself_is_no_copy),
    CASE(a_copy_of_another_size_is_not_enough),
    CASE(a_removal_without_an_answer_is_looked_into),
    CASE(a_mark_of_ours_comes_to_no_copy_in_a_later_run),
    CASE(a_refusal_is_reported_and_tried_again),
    CASE(what_went_in_spite_of_a_refusal_is_counted),
    CASE(a_dry_run_says_what_it_would_remove),
    CASE(labels_are_not_removed),
  };
  return RUN_SUITE("engine-removal", cases);
}
