/* Tests --delete2folders: which folders go at the destination, and which stay. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "log.h"

static void
remove_folder(MemoryBox *box, const char *path)
{
  g_ptr_array_remove(box->folders, memory_box_folder(box, path));
}

static bool
has(const MemoryBox *box, const char *path)
{
  for (guint i = 0; i < box->folders->len; i++)
    if (strcmp(((MemoryFolder *)box->folders->pdata[i])->path, path) == 0)
      return true;
  return false;
}

static void
fill(MemoryBox *box, const char *path, unsigned n)
{
  for (unsigned i = 0; i < n; i++) {
    g_autofree char *id = g_strdup_printf("<%s%u@x>", path, i);
    g_autofree char *octets = engine_message(id, "text");
    memory_box_add(box, path, octets);
  }
}

/* INBOX, Work, Old and Old/Deep; the source loses Old/Deep and Old. */
static void
begin(Engine *engine)
{
  engine_init(engine);
  fill(engine->source, "INBOX", 3);
  fill(engine->source, "Work", 3);
  fill(engine->source, "More", 3);
  fill(engine->source, "Old", 3);
  fill(engine->source, "Old/Deep", 2);
  ENGINE_SYNC(engine);
  engine->options.policy.delete2_folders = true;
  remove_folder(engine->source, "Old");
  remove_folder(engine->source, "Old/Deep");
}

static bool
is_kept(Engine *engine, const char *path1, const char *why)
{
  engine->options.dry = true; /* a plan comes to the same */
  CU_ASSERT_EQUAL(engine_run(engine), 121);
  engine->options.dry = false;
  int code = engine_run(engine);
  const HaulTally *tally = engine_tally(engine, path1);
  bool says = tally->failed_detail != NULL && strstr(tally->failed_detail, why) != NULL;
  if (code != 121 || !says)
    printf("%d %s\n", code, tally->failed_detail != NULL ? tally->failed_detail : "-");
  return code == 121 && says && has(engine->copy, tally->path2);
}

static void
folders_that_the_source_has_no_more_go(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.removals, 2);
  CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 5);
  CU_ASSERT(!has(engine.copy, "Old") && !has(engine.copy, "Old/Deep") && has(engine.copy, "Work"));
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.removals, 0);
}

/* What a listing does not show would go with the folder. */
static void
half_a_listing_deletes_no_folder(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  memory_box_add(engine.copy, "Old/Deep", "Subject: theirs\r\n\r\nx\r\n");
  engine.copy->faults.unlistable = "Old/Deep";
  engine.copy->faults.ends_list = 2;
  CU_ASSERT(is_kept(&engine, "Old/Deep", "fewer messages were listed"));
}

/* The destination fills a renamed folder from the old one, which goes then. */
static void
a_folder_that_was_renamed_goes(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  for (unsigned i = 0; i < 2; i++) {
    g_autofree char *id = g_strdup_printf("<Old/Deep%u@x>", i);
    g_autofree char *octets = engine_message(id, "text");
    memory_box_add(engine.source, "New", octets);
  }
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.messages_copied, 2);
  CU_ASSERT(!has(engine.copy, "Old/Deep") && has(engine.copy, "New"));
}

static void
what_came_to_a_folder_keeps_it(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  memory_box_add(engine.copy, "Old/Deep", "Subject: theirs\r\n\r\nx\r\n");
  CU_ASSERT(is_kept(&engine, "Old/Deep", "1 of its 3 messages did not come from the source"));
  engine.options.policy.delete2_folders_only = "/^Old/";
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(!has(engine.copy, "Old/Deep"));
}

static void
folders_that_we_do_not_know_stay_unless_named(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  fill(engine.copy, "Theirs", 2);
  fill(engine.copy, "Theirs too", 2);
  engine.options.policy.delete2_folders_but_not = "^Old$";
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(has(engine.copy, "Theirs") && has(engine.copy, "Old") && !has(engine.copy, "Old/Deep"));
  engine.options.policy.delete2_folders_only = "^Theirs$";
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(!has(engine.copy, "Theirs") && has(engine.copy, "Old")
            && has(engine.copy, "Theirs too"));
}

static void
what_the_run_leaves_out_stays(void)
{
  static const char *const folders[] = { "INBOX", NULL };
  g_auto(Engine) engine;
  begin(&engine);
  engine.options.policy.folders = folders;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(has(engine.copy, "Work") && has(engine.copy, "More") && !has(engine.copy, "Old"));
}

static void
a_full_folder_takes_a_word(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  fill(engine.source, "Big", 11);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  remove_folder(engine.source, "Big");
  CU_ASSERT(is_kept(&engine, "Big", "--max-delete 11"));
  engine.options.policy.max_delete = 11;
  ENGINE_SYNC(&engine);
}

static void
what_was_moved_there_stays(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  fill(engine.source, "Moved", 2);
  engine.options.policy.delete1 = true;
  engine.options.policy.delete2_folders = false;
  static const char *const folders[] = { "Moved", NULL };
  engine.options.policy.folders = folders;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  engine.options.policy.folders = NULL;
  engine.options.policy.delete1 = false;
  engine.options.policy.delete2_folders = true;
  remove_folder(engine.source, "Moved");
  CU_ASSERT(is_kept(&engine, "Moved", "--delete1"));
}

static void
a_source_that_shows_little_deletes_no_folder(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  remove_folder(engine.source, "Work");
  CU_ASSERT(is_kept(&engine, "Work", "most of the folders"));
  CU_ASSERT(has(engine.copy, "Old"));
  remove_folder(engine.source, "INBOX");
  remove_folder(engine.source, "More");
  CU_ASSERT(is_kept(&engine, "Work", "no message at all"));
}

static void
trouble_and_a_new_state_delete_no_folder(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine.source->faults.unfetchable = "poison";
  memory_box_add(engine.source, "Work", "Subject: poison\r\n\r\nx\r\n");
  CU_ASSERT_EQUAL(engine_run(&engine), 111);
  CU_ASSERT(has(engine.copy, "Old") && has(engine.copy, "Old/Deep"));
  engine.source->faults.unfetchable = NULL;
  engine_forget(&engine);
  engine.options.policy.delete2_folders_only = "Old";
  CU_ASSERT_EQUAL(engine_run(&engine), 121);
  CU_ASSERT(has(engine.copy, "Old") && has(engine.copy, "Old/Deep"));
}

static void
what_is_in_a_folder_that_goes_lies_in_the_trash(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine.options.policy.trash2 = "Trash";
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(!has(engine.copy, "Old") && !has(engine.copy, "Old/Deep"));
  CU_ASSERT_EQUAL(memory_box_folder(engine.copy, "Trash")->messages->len, 5);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(has(engine.copy, "Trash"));
}

static void
a_dry_run_says_which_would_go(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine.options.dry = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  guint n = 0;
  for (guint i = 0; i < engine.planned->len; i++)
    n += strstr(engine.planned->pdata[i], "delete2folder delete the folder") != NULL;
  CU_ASSERT_EQUAL(n, 2);
  CU_ASSERT(has(engine.copy, "Old") && has(engine.copy, "Old/Deep"));
}

static void
an_expression_that_is_none_is_told(void)
{
  g_auto(Engine) engine;
  begin(&engine);
  engine.options.policy.delete2_folders_only = "(";
  CU_ASSERT_EQUAL(engine_run(&engine), 64);
  CU_ASSERT_EQUAL(engine.calls1.opens + engine.calls2.opens, 0);
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(folders_that_the_source_has_no_more_go),
    CASE(half_a_listing_deletes_no_folder),
    CASE(a_folder_that_was_renamed_goes),
    CASE(what_came_to_a_folder_keeps_it),
    CASE(folders_that_we_do_not_know_stay_unless_named),
    CASE(what_the_run_leaves_out_stays),
    CASE(a_full_folder_takes_a_word),
    CASE(what_was_moved_there_stays),
    CASE(a_source_that_shows_little_deletes_no_folder),
    CASE(trouble_and_a_new_state_delete_no_folder),
    CASE(what_is_in_a_folder_that_goes_lies_in_the_trash),
    CASE(a_dry_run_says_which_would_go),
    CASE(an_expression_that_is_none_is_told),
  };
  return RUN_SUITE("engine-prune", cases);
}
