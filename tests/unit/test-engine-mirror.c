/* Tests --delete2: what goes at the destination, when nothing does, and that nothing else does. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "log.h"

/* Two folders of @n messages, copied; then mirrored. */
static void
begin(Engine *engine, unsigned n)
{
  engine_init(engine);
  engine_fill(engine, n);
  ENGINE_SYNC(engine);
  engine->options.policy.delete2 = true;
}

static guint
count(MemoryBox *box, const char *path)
{
  return memory_box_folder(box, path)->messages->len;
}

/* Whether the run was refused, and nothing is gone. */
static bool
is_refused(Engine *engine, const char *why)
{
  engine->options.dry = true; /* a plan comes to the same */
  CU_ASSERT_EQUAL(engine_run(engine), 121);
  engine->options.dry = false;
  guint n = memory_box_count(engine->copy);
  int code = engine_run(engine);
  const HaulTally *tally = engine_tally(engine, "INBOX");
  bool says = tally->failed_detail != NULL && strstr(tally->failed_detail, why) != NULL;
  if (code != 121 || !says)
    printf("%d %s\n", code, tally->failed_detail != NULL ? tally->failed_detail : "-");
  return code == 121 && says && engine->calls2.expunges == 0 && memory_box_count(engine->copy) >= n
         && engine->total.leaving2.n_gone == 0;
}

static void
what_left_the_source_leaves_the_destination(void)
{
  static const MemoryFaults kinds[] = {
    { 0 },
    { .text_ids = true },
    { .no_tokens = true },
    { .no_changes = true },
    { .no_tokens = true, .no_counts = true, .no_sizes = true },
    { .no_ids = true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine.source->faults = kinds[i];
    engine.copy->faults = kinds[i];
    engine_fill(&engine, 20);
    ENGINE_SYNC(&engine);
    engine.options.policy.delete2 = true;
    memory_box_remove(engine.source, "INBOX", 3);
    memory_box_remove(engine.source, "INBOX", 20);
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 2);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 38);
    CU_ASSERT(engine_is_at_rest(&engine));
    CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 0);
  }
}

/* Presence: what each side did to one message since the last run, and where it is then. */
static void
every_cell_of_presence(void)
{
  enum { NOTHING, REMOVED, ADDED };
  static const struct {
    unsigned did1, did2;
    bool in1, in2;
  } cells[] = {
    { NOTHING, NOTHING, true, true },   { REMOVED, NOTHING, false, false },
    { NOTHING, REMOVED, true, false }, /* somebody took it away there */
    { REMOVED, REMOVED, false, false }, { ADDED, NOTHING, true, true },
    { NOTHING, ADDED, false, false },   { ADDED, ADDED, true, true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cells); i++) {
    g_auto(Engine) engine;
    bool adds = cells[i].did1 == ADDED || cells[i].did2 == ADDED;
    g_autofree char *octets = engine_message("<cell@x>", "the one");
    engine_init(&engine);
    engine_fill(&engine, 5);
    if (!adds)
      memory_box_add(engine.source, "INBOX", octets);
    ENGINE_SYNC(&engine);
    engine.options.policy.delete2 = true;
    if (cells[i].did1 == ADDED)
      memory_box_add(engine.source, "INBOX", octets);
    if (cells[i].did2 == ADDED)
      memory_box_add(engine.copy, "INBOX", octets);
    if (cells[i].did1 == REMOVED)
      memory_box_remove(engine.source, "INBOX", 6);
    if (cells[i].did2 == REMOVED)
      memory_box_remove(engine.copy, "INBOX", 6);
    for (unsigned run = 0; run < 2; run++) { /* the second changes nothing */
      CU_ASSERT_EQUAL(engine_run(&engine), 0);
      CU_ASSERT_EQUAL(count(engine.source, "INBOX"), 5u + cells[i].in1);
      CU_ASSERT_EQUAL(count(engine.copy, "INBOX"), 5u + cells[i].in2);
    }
  }
}

static void
what_a_run_without_it_left_goes_too(void)
{
  g_auto(Engine) engine;
  begin(&engine, 20);
  engine.options.policy.delete2 = false;
  memory_box_remove(engine.source, "INBOX", 1);
  memory_box_add(engine.copy, "INBOX", "Subject: theirs\r\n\r\nx\r\n");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_run(&engine), 0); /* nothing changed any more */
  CU_ASSERT_EQUAL(count(engine.copy, "INBOX"), 21);
  engine.options.policy.delete2 = true;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 2);
}

static void
what_was_moved_with_delete1_stays(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 4);
  engine.options.policy.delete1 = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.source), 0);
  engine.options.policy.delete1 = false;
  engine.options.policy.delete2 = true;
  memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\nx\r\n");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.expunges, 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 9);
}

/* What is in the place of two folders is a copy of either, or goes. */
static void
folders_that_are_merged_cover_each_other(void)
{
  static const char *const renames[] = { "A=All", "B=All", NULL };
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.options.policy.renames = renames;
  engine.options.policy.allow_merge = true;
  engine.options.policy.delete2 = true;
  for (unsigned i = 0; i < 12; i++) {
    g_autofree char *id = g_strdup_printf("<m%u@x>", i);
    g_autofree char *octets = engine_message(id, "text");
    memory_box_add(engine.source, i % 2 == 0 ? "A" : "B", octets);
  }
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(count(engine.copy, "All"), 12);
  memory_box_remove(engine.source, "A", 1);
  memory_box_add(engine.copy, "All", "Subject: theirs\r\n\r\nx\r\n");
  for (unsigned run = 0; run < 2; run++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, run == 0 ? 2 : 0);
    CU_ASSERT_EQUAL(count(engine.copy, "All"), 11);
  }
  memory_box_remove(engine.source, "A", 2);
  memory_box_add(engine.source, "B", "Subject: poison\r\n\r\nx\r\n");
  engine.source->faults.unfetchable = "poison"; /* of the one keeps what is of the other */
  CU_ASSERT_EQUAL(engine_run(&engine), 111);
  CU_ASSERT_EQUAL(count(engine.copy, "All"), 11);
}

/* A and B go to one place, which has what they had. */
static void
begin_merged(Engine *engine, const char *const *renames)
{
  engine_init(engine);
  engine->source->faults.no_changes = engine->source->faults.no_tokens = true;
  engine->options.policy.renames = renames;
  engine->options.policy.allow_merge = true;
  for (unsigned i = 0; i < 12; i++) {
    g_autofree char *id = g_strdup_printf("<m%u@x>", i);
    g_autofree char *octets = engine_message(id, "text");
    memory_box_add(engine->source, i % 2 == 0 ? "A" : "B", octets);
  }
  CU_ASSERT_EQUAL(engine_run(engine), 0);
  CU_ASSERT_EQUAL(count(engine->copy, "All"), 12);
  engine->options.policy.delete2 = true;
}

/* What speaks against deleting for one of the folders that share a place does so for all. */
static void
what_guards_a_folder_guards_those_it_is_merged_with(void)
{
  static const char *const renames[] = { "A=All", "B=All", NULL };
  g_auto(Engine) half, empty;
  begin_merged(&half, renames);
  half.source->faults.unlistable = "B";
  half.source->faults.ends_list = 3;
  CU_ASSERT_EQUAL(engine_run(&half), 121);
  CU_ASSERT_EQUAL(count(half.copy, "All"), 12);
  begin_merged(&empty, renames);
  for (unsigned uid = 1; uid <= 6; uid++)
    memory_box_remove(empty.source, "B", uid);
  for (unsigned run = 0; run < 2; run++) {
    CU_ASSERT_EQUAL(engine_run(&empty), 121);
    CU_ASSERT_EQUAL(count(empty.copy, "All"), 12);
  }
  empty.options.policy.max_delete = 6;
  CU_ASSERT_EQUAL(engine_run(&empty), 0);
  CU_ASSERT_EQUAL(count(empty.copy, "All"), 6);
}

/* Copies of a folder that the run leaves out stay, also where the destination has numbered them anew. */
static void
copies_of_a_folder_that_is_left_out_stay(void)
{
  static const char *const renames[] = { "A=All", "B=All", NULL };
  static const char *const folders[] = { "A", NULL };
  g_auto(Engine) engine;
  begin_merged(&engine, renames);
  engine.options.policy.folders = folders;
  for (unsigned run = 0; run < 4; run++) {
    if (run == 1)
      memory_box_renumber(engine.copy, "All");
    engine_run(&engine);
    CU_ASSERT_EQUAL(count(engine.copy, "All"), 12);
  }
}

/* What moves to another folder that goes to the same place is there. */
static void
what_moves_between_folders_that_are_merged_is_there(void)
{
  static const char *const renames[] = { "A=All", "B=All", NULL };
  g_auto(Engine) engine;
  begin_merged(&engine, renames);
  engine.options.policy.delete2 = false;
  memory_box_remove(engine.source, "A", 1);
  g_autofree char *octets = engine_message("<m0@x>", "text");
  memory_box_add(engine.source, "B", octets);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 0);
  CU_ASSERT_EQUAL(count(engine.copy, "All"), 12);
  engine.options.policy.delete2 = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(count(engine.copy, "All"), 12);
}

static void
a_state_that_is_new_deletes_nothing(void)
{
  g_auto(Engine) engine;
  begin(&engine, 20);
  memory_box_remove(engine.source, "INBOX", 1);
  engine_forget(&engine);
  CU_ASSERT(is_refused(&engine, "the state is new"));
  ENGINE_SYNC(&engine);
}

static void
a_folder_that_was_numbered_anew_deletes_nothing(void)
{
  for (unsigned side = 0; side < 2; side++) {
    g_auto(Engine) engine;
    begin(&engine, 20);
    memory_box_remove(engine.source, "INBOX", 1);
    memory_box_renumber(side == 0 ? engine.source : engine.copy, "INBOX");
    CU_ASSERT(is_refused(&engine, "numbered anew"));
    ENGINE_SYNC(&engine);
  }
}

static void
another_account_deletes_nothing(void)
{
  g_auto(Engine) engine;
  begin(&engine, 20);
  memory_box_add(engine.source, "Third", "Subject: x\r\n\r\nx\r\n");
  memory_box_add(engine.source, "Third", "Subject: y\r\n\r\ny\r\n");
  ENGINE_SYNC(&engine);
  GPtrArray *folders = engine.source->folders;
  for (guint i = 0; i < folders->len; i++) {
    const MemoryFolder *folder = folders->pdata[i];
    if (strcmp(folder->path, "Third") != 0) /* happens to have the number that it had before */
      memory_box_renumber(engine.source, folder->path);
  }
  memory_box_remove(engine.source, "Third", 1);
  memory_box_remove(engine.source, "INBOX",
                    memory_box_folder(engine.source, "INBOX")->next_uid - 1);
  CU_ASSERT(is_refused(&engine, "another account"));
  CU_ASSERT_STRING_EQUAL(engine_tally(&engine, "Third")->failed, "not-mirrored");
}

static void
an_empty_source_deletes_nothing(void)
{
  g_auto(Engine) engine;
  begin(&engine, 5);
  engine.options.policy.max_delete = 1000;
  GPtrArray *folders = engine.source->folders;
  for (guint i = 0; i < folders->len; i++) {
    MemoryFolder *folder = folders->pdata[i];
    while (folder->messages->len > 0)
      memory_box_remove(engine.source, folder->path,
                        ((MemoryMessage *)folder->messages->pdata[0])->uid);
  }
  CU_ASSERT(is_refused(&engine, "no message at all"));
  CU_ASSERT(is_refused(&engine, "no message at all")); /* nor is it forgotten */
}

static void
a_source_without_folders_is_told(void)
{
  g_auto(Engine) engine;
  begin(&engine, 5);
  g_ptr_array_set_size(engine.source->folders, 0);
  CU_ASSERT(is_refused(&engine, "does not show this folder"));
}

static void
a_folder_that_was_emptied_takes_a_word(void)
{
  g_auto(Engine) engine;
  begin(&engine, 5);
  for (unsigned uid = 1; uid <= 5; uid++)
    memory_box_remove(engine.source, "INBOX", uid);
  CU_ASSERT(is_refused(&engine, "--max-delete 5"));
  CU_ASSERT(is_refused(&engine, "--max-delete 5"));
  engine.options.policy.max_delete = 4;
  CU_ASSERT(is_refused(&engine, "--max-delete 5"));
  engine.options.policy.max_delete = 5;
  ENGINE_SYNC(&engine);
}

static void
half_a_listing_deletes_nothing(void)
{
  g_auto(Engine) engine;
  begin(&engine, 20);
  engine.source->faults.no_changes = engine.source->faults.no_tokens = true;
  engine.source->faults.unlistable = "INBOX";
  engine.source->faults.ends_list = 19;
  memory_box_add(engine.source, "INBOX", "Subject: last\r\n\r\nx\r\n");
  CU_ASSERT(is_refused(&engine, "fewer messages were listed"));
  engine.source->faults.ends_list = 0;
  engine.source->faults.cuts_list = 19; /* and says so */
  guint n = memory_box_count(engine.copy);
  CU_ASSERT_NOT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), n);
  engine.source->faults.unlistable = NULL;
  ENGINE_SYNC(&engine);
}

static void
what_vanished_in_numbers_stays(void)
{
  g_auto(Engine) engine;
  begin(&engine, 100);
  for (unsigned uid = 1; uid <= 90; uid++)
    memory_box_remove(engine.source, "INBOX", uid);
  CU_ASSERT(is_refused(&engine, "90 of 100 messages"));
  CU_ASSERT(is_refused(&engine, "90 of 100 messages"));
  engine.options.policy.max_delete = 90;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 90);
}

static void
trouble_in_the_folder_deletes_nothing(void)
{
  g_auto(Engine) engine;
  begin(&engine, 20);
  memory_box_remove(engine.source, "INBOX", 1);
  memory_box_add(engine.source, "INBOX", "Subject: poison\r\n\r\nx\r\n");
  engine.source->faults.unfetchable = "poison";
  guint n = memory_box_count(engine.copy);
  CU_ASSERT_EQUAL(engine_run(&engine), 111);
  CU_ASSERT_STRING_EQUAL(engine_tally(&engine, "INBOX")->failed, "not-mirrored");
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), n);
  engine.source->faults.unfetchable = NULL;
  ENGINE_SYNC(&engine);
}

static void
what_arrives_during_the_run_stays(void)
{
  g_auto(Engine) engine;
  begin(&engine, 5);
  memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\nx\r\n");
  memory_box_add(engine.source, "INBOX", "Subject: newer\r\n\r\nx\r\n");
  engine.copy->faults.swaps_put = engine.copy->calls.puts + 2;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 0);
  CU_ASSERT_EQUAL(count(engine.copy, "INBOX"), 7); /* one taken by the other client, one brought */
}

/* Wherever it is cut off, only victims are gone, and the next pass goes on; each is counted once. */
static void
a_removal_without_an_answer_is_made_again(void)
{
  for (unsigned how = 0; how < 3; how++) {
    g_auto(Engine) engine;
    begin(&engine, 20);
    memory_box_remove(engine.source, "INBOX", 1);
    memory_box_remove(engine.source, "INBOX", 2);
    unsigned next = engine.copy->calls.expunges + 1;
    engine.copy->faults.lose_expunge = how == 0 ? next : 0;
    engine.copy->faults.lose_marked = how == 1 ? next : 0;
    engine.copy->faults.lose_expunged = how == 2 ? next : 0;
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 2);
  }
}

static void
a_refusal_of_the_server_is_reported(void)
{
  g_auto(Engine) engine;
  begin(&engine, 20);
  memory_box_remove(engine.source, "INBOX", 1);
  memory_box_remove(engine.source, "INBOX", 2);
  engine.copy->faults.refuses_expunge = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 121);
  CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 0);
  engine.copy->faults.refuses_expunge = false;
  ENGINE_SYNC(&engine);
}

static void
what_goes_lies_in_the_trash(void)
{
  g_auto(Engine) engine;
  begin(&engine, 20);
  engine.options.policy.trash2 = "Bin/of mine";
  memory_box_remove(engine.source, "INBOX", 1);
  memory_box_remove(engine.source, "INBOX", 2);
  engine.copy->faults.refuses_copies = true; /* nothing goes that is not there */
  CU_ASSERT_EQUAL(engine_run(&engine), 121);
  CU_ASSERT_EQUAL(count(engine.copy, "INBOX"), 20);
  engine.copy->faults.refuses_copies = false;
  for (unsigned run = 0; run < 2; run++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, run == 0 ? 2 : 0);
    CU_ASSERT_EQUAL(count(engine.copy, "INBOX"), 18);
    CU_ASSERT_EQUAL(count(engine.copy, "Bin/of mine"), 2);
  }
}

/* A folder of the source may go there, too; what was thrown away stays. */
/* The n-th of those that are equal is the copy of the n-th; one more has none. */
static void
further_copies_go(void)
{
  g_auto(Engine) engine;
  begin(&engine, 5);
  g_autofree char *twin = engine_message("<twin@x>", "twice at the source");
  memory_box_add(engine.source, "INBOX", twin);
  memory_box_add(engine.source, "INBOX", twin);
  ENGINE_SYNC(&engine);
  memory_box_add(engine.copy, "INBOX", twin);
  engine.options.policy.delete2_duplicates = true;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 1);
  engine.options.policy.delete2 = false;
  CU_ASSERT_EQUAL(engine_run(&engine), 64);
}

static void
the_trash_is_not_mirrored(void)
{
  g_auto(Engine) engine;
  begin(&engine, 20);
  engine.options.policy.trash2 = "Trash";
  memory_box_add(engine.source, "Trash", "Subject: rubbish\r\n\r\nx\r\n");
  ENGINE_SYNC(&engine);
  memory_box_remove(engine.source, "INBOX", 1);
  for (unsigned run = 0; run < 2; run++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(count(engine.copy, "Trash"), 2);
    CU_ASSERT_EQUAL(count(engine.copy, "INBOX"), 19);
  }
}

/* Whatever is lost on the way, each message is in the folder or in the trash. */
static void
a_way_to_the_trash_that_is_cut_off_loses_nothing(void)
{
  for (unsigned how = 0; how < 4; how++) {
    g_auto(Engine) engine;
    begin(&engine, 20);
    engine.options.policy.trash2 = "Trash";
    memory_box_remove(engine.source, "INBOX", 1);
    engine.copy->faults.lose_copy = how == 0 ? 1 : 0;
    engine.copy->faults.lose_copied = how == 1 ? 1 : 0;
    engine.copy->faults.lose_marked = how == 2 ? 1 : 0;
    engine.copy->faults.lose_expunged = how == 3 ? 1 : 0;
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 1);
    CU_ASSERT_EQUAL(count(engine.copy, "INBOX"), 19);
    CU_ASSERT(count(engine.copy, "Trash") >= 1);
  }
}

static void
a_dry_run_says_what_it_would_remove(void)
{
  g_auto(Engine) engine;
  begin(&engine, 20);
  memory_box_remove(engine.source, "INBOX", 1);
  engine.options.dry = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  bool says = false;
  for (guint i = 0; i < engine.planned->len; i++)
    says |=
        strcmp(engine.planned->pdata[i], "INBOX INBOX delete2 delete 1 messages at the destination")
        == 0;
  CU_ASSERT(says);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 40);
  engine.options.dry = false;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.total.leaving2.n_gone, 1);
}

static void
a_source_that_shows_a_part_is_no_pattern(void)
{
  static const uint32_t attributes[] = { HAUL_FOLDER_BATCHES, HAUL_FOLDER_UIDLS,
                                         HAUL_FOLDER_LABEL };
  for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++) {
    g_auto(Engine) engine;
    begin(&engine, 3);
    memory_box_folder(engine.source, "INBOX")->attributes |= attributes[i];
    memory_box_remove(engine.source, "INBOX", 1);
    CU_ASSERT_EQUAL(engine_run(&engine), 121);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 6);
  }
}

static void
it_does_not_go_with_its_opposite(void)
{
  g_auto(Engine) engine;
  begin(&engine, 3);
  engine.options.policy.delete1 = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 64);
  engine.options.policy.delete1 = false;
  engine.options.stateless = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 64);
  CU_ASSERT_EQUAL(engine.calls1.opens + engine.calls2.opens, 0);
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(what_left_the_source_leaves_the_destination),
    CASE(every_cell_of_presence),
    CASE(what_a_run_without_it_left_goes_too),
    CASE(what_was_moved_with_delete1_stays),
    CASE(folders_that_are_merged_cover_each_other),
    CASE(what_guards_a_folder_guards_those_it_is_merged_with),
    CASE(copies_of_a_folder_that_is_left_out_stay),
    CASE(what_moves_between_folders_that_are_merged_is_there),
    CASE(a_state_that_is_new_deletes_nothing),
    CASE(a_folder_that_was_numbered_anew_deletes_nothing),
    CASE(another_account_deletes_nothing),
    CASE(an_empty_source_deletes_nothing),
    CASE(a_source_without_folders_is_told),
    CASE(a_folder_that_was_emptied_takes_a_word),
    CASE(half_a_listing_deletes_nothing),
    CASE(what_vanished_in_numbers_stays),
    CASE(trouble_in_the_folder_deletes_nothing),
    CASE(what_arrives_during_the_run_stays),
    CASE(a_removal_without_an_answer_is_made_again),
    CASE(a_refusal_of_the_server_is_reported),
    CASE(what_goes_lies_in_the_trash),
    CASE(further_copies_go),
    CASE(the_trash_is_not_mirrored),
    CASE(a_way_to_the_trash_that_is_cut_off_loses_nothing),
    CASE(a_dry_run_says_what_it_would_remove),
    CASE(a_source_that_shows_a_part_is_no_pattern),
    CASE(it_does_not_go_with_its_opposite),
  };
  return RUN_SUITE("engine-mirror", cases);
}
