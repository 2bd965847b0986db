/* Tests what a run does with folders, that it excludes others, and that a dry run tells the truth. */
#include "suite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"
#include "journal.h"
#include "log.h"

static void
subscriptions_are_carried_once(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 1);
  memory_box_folder(engine.source, "Work/a b")->attributes |= HAUL_FOLDER_SUBSCRIBED;
  ENGINE_SYNC(&engine);
  MemoryFolder *copy = memory_box_folder(engine.copy, "Work/a b");
  CU_ASSERT(copy->attributes & HAUL_FOLDER_SUBSCRIBED);
  CU_ASSERT(!(memory_box_folder(engine.copy, "INBOX")->attributes & HAUL_FOLDER_SUBSCRIBED));
  CU_ASSERT(engine_is_at_rest(&engine));
  copy->attributes = 0; /* the user's own wish */
  CU_ASSERT(engine_is_at_rest(&engine));
  CU_ASSERT_EQUAL(copy->attributes, 0);
}

static void
a_folder_that_cannot_be_made_is_not_subscribed_to(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 1);
  memory_box_folder(engine.source, "Work/a b")->attributes |= HAUL_FOLDER_SUBSCRIBED;
  engine.copy->faults.uncreatable = "Work/a b";
  CU_ASSERT_EQUAL(engine_run(&engine), 116);
  CU_ASSERT_EQUAL(engine.calls2.subscribes, 0);
  engine.copy->faults = (MemoryFaults){ 0 };
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(memory_box_folder(engine.copy, "Work/a b")->attributes & HAUL_FOLDER_SUBSCRIBED);
}

static void
folders_that_were_named_are_done_alone(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 3);
  const char *const inbox[] = { "inbox", "INBOX", NULL };
  engine.options.policy.folders = inbox;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 3);
  CU_ASSERT_EQUAL(engine.copy->folders->len, 1);
  CU_ASSERT_EQUAL(engine.total.source, 3);

  const char *const missing[] = { "INBOX", "No\x1bsuch", NULL };
  engine.options.policy.folders = missing;
  CU_ASSERT_EQUAL(engine_run(&engine), 117);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "no-folder", "source: ");
  CU_ASSERT(engine.error != NULL && strchr(engine.error->message, '\x1b') == NULL);
  engine.options.policy.folders = NULL;
  ENGINE_SYNC(&engine);
}

/* The messages of a folder of the copy; 0 where it is not there. */
static guint
n_in_copy(const Engine *engine, const char *path)
{
  for (guint i = 0; i < engine->copy->folders->len; i++) {
    const MemoryFolder *folder = engine->copy->folders->pdata[i];
    if (strcmp(folder->path, path) == 0)
      return folder->messages->len;
  }
  return 0;
}

/* Runs with --folder INBOX --folder2 @folder2. Returns how many messages were copied. */
static uint64_t
send_inbox_to(Engine *engine, const char *folder2)
{
  static const char *const inbox[] = { "INBOX", NULL };
  engine->options.policy.folders = inbox;
  engine->options.policy.folder2 = folder2;
  CU_ASSERT_EQUAL(engine_run(engine), 0);
  return engine_n(engine, HAUL_STATE_COPIED);
}

static void
a_folder_goes_where_it_is_sent(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 3);
  memory_box_folder(engine.source, "INBOX")->attributes = HAUL_FOLDER_SENT;
  CU_ASSERT_EQUAL(send_inbox_to(&engine, "Old/mail"), 3);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "Old/mail"), 3);
  CU_ASSERT_EQUAL(engine.copy->folders->len, 1);
  CU_ASSERT_EQUAL(memory_box_folder(engine.copy, "Old/mail")->attributes, HAUL_FOLDER_SUBSCRIBED);
  CU_ASSERT_EQUAL(send_inbox_to(&engine, "Old/mail"), 0);
  CU_ASSERT_EQUAL(engine.calls2.subscribes, 0);
  memory_box_folder(engine.copy, "Old/mail")->attributes = 0; /* the user's own wish */
  memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\n");
  CU_ASSERT_EQUAL(send_inbox_to(&engine, "Old/mail"), 1);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 3);
  CU_ASSERT_EQUAL(engine.calls2.subscribes, 0);
}

static void
each_folder_that_it_is_sent_to_is_remembered_by_itself(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 4);
  CU_ASSERT_EQUAL(send_inbox_to(&engine, "A"), 4);
  CU_ASSERT_EQUAL(send_inbox_to(&engine, "B"), 4);
  CU_ASSERT_EQUAL(send_inbox_to(&engine, NULL), 4);
  memory_box_remove(engine.copy, "A", 2); /* the user's own wish, which only the state knows */
  memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\n");
  CU_ASSERT_EQUAL(send_inbox_to(&engine, "A"), 1);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_FILTERED), 1);
  CU_ASSERT_EQUAL(send_inbox_to(&engine, "B"), 1);
  CU_ASSERT_EQUAL(send_inbox_to(&engine, "inbox"), 1);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "A"), 4);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "B"), 5);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "INBOX"), 5);
}

static void
several_folders_are_not_sent_to_one(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 1);
  engine.options.policy.folder2 = "All";
  CU_ASSERT_EQUAL(engine_run(&engine), 64);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "usage", "--folder2");
  CU_ASSERT_EQUAL(engine.copy->folders->len, 0);
  CU_ASSERT_EQUAL(engine.calls2.creates, 0);
}

/* The first words of what a dry run says of a folder: "PATH1 PATH2 map TEXT". */
static bool
is_planned(const Engine *engine, const char *start)
{
  for (guint i = 0; i < engine->planned->len; i++)
    if (g_str_has_prefix(engine->planned->pdata[i], start))
      return true;
  return false;
}

static void
folders_go_to_those_of_the_same_use(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  memory_box_add(engine.source, "Gesendet", "Subject: a\r\n\r\n");
  memory_box_add(engine.source, "Gesendet/2019", "Subject: b\r\n\r\n");
  memory_box_add(engine.source, "Papierkorb", "Subject: c\r\n\r\n");
  memory_box_folder(engine.source, "Papierkorb")->attributes = HAUL_FOLDER_TRASH;
  memory_box_folder(engine.copy, "Sent Items")->attributes = HAUL_FOLDER_SENT;
  engine.options.dry = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(is_planned(&engine, "Gesendet Sent Items map mapped by: \\Sent by name at the source"));
  CU_ASSERT(is_planned(&engine, "Gesendet/2019 Sent Items/2019 map mapped by: as \"Gesendet\": "));
  CU_ASSERT(is_planned(&engine, "Papierkorb Papierkorb map mapped by: same name"));
  engine.options.dry = false;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "Sent Items"), 1);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "Sent Items/2019"), 1);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "Papierkorb"), 1);
  CU_ASSERT_EQUAL(engine.copy->folders->len, 3);

  /* Another folder that is for it comes later: what was so before stays so. */
  memory_box_folder(engine.copy, "Papierkorb")->attributes = 0;
  memory_box_folder(engine.copy, "Bin")->attributes = HAUL_FOLDER_TRASH;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 3);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "Bin"), 0);
}

static void
what_would_meet_is_named_before_anything_is_written(void)
{
  static const char *const renames[] = { "INBOX=All", "Work/a b=All", NULL };
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 2);
  engine.options.policy.renames = renames;
  CU_ASSERT_EQUAL(engine_run(&engine), 64);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "merge", "folders \"INBOX\" (--f1f2 INBOX=All)");
  CU_ASSERT_EQUAL(engine.copy->folders->len, 0);
  CU_ASSERT_EQUAL(engine.calls2.creates, 0);
}

static const char *const into_all[] = { "INBOX=All", "A=All", "B/c=All", NULL };

/* Three folders that hold a message in common, one of them twice, and go to one. */
static void
merging_init(Engine *engine)
{
  static const char *const paths[] = { "INBOX", "A", "B/c" };
  engine_init(engine);
  engine->options.policy.renames = into_all;
  engine->options.policy.allow_merge = true;
  engine->options.policy.n_lanes = 2;
  for (unsigned i = 0; i < 3; i++) {
    g_autofree char *same = engine_message("same@x", "in all of them");
    memory_box_add(engine->source, paths[i], same);
    for (unsigned k = 0; k < 3; k++) {
      g_autofree char *id = g_strdup_printf("%u-%u@x", i, k);
      g_autofree char *own = engine_message(id, "its own");
      memory_box_add(engine->source, paths[i], own);
    }
  }
  g_autofree char *again = engine_message("same@x", "in all of them");
  memory_box_add(engine->source, "A", again);
}
#define N_MERGED 13

static void
folders_that_are_put_together_lose_and_double_nothing(void)
{
  g_auto(Engine) engine;
  merging_init(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), N_MERGED);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "All"), N_MERGED);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls1.lists + engine.calls2.lists, 0); /* all are known to be complete */
  memory_box_add(engine.source, "A", "Subject: new\r\n\r\n");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 1);
  engine_forget(&engine); /* what is there is found again, each by one */
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), N_MERGED + 1);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "All"), N_MERGED + 1);
  engine_forget(&engine); /* of four equal ones, one is gone: one is copied */
  memory_box_remove(engine.copy, "All", 1);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 1);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "All"), N_MERGED + 1);
}

static void
folders_that_are_put_together_survive_cuts(void)
{
  for (unsigned n = 1; n <= N_MERGED; n++) {
    for (unsigned how = 0; how < 4; how++) {
      g_auto(Engine) engine;
      merging_init(&engine);
      engine.copy->faults.no_ids = how & 1;
      *(how & 2 ? &engine.copy->faults.lose_stored : &engine.copy->faults.lose_put) = n;
      engine.copy->faults.ends_run = true;
      CU_ASSERT_NOT_EQUAL(engine_run(&engine), 0);
      CU_ASSERT_EQUAL(engine_run(&engine), 0);
      if (n_in_copy(&engine, "All") != N_MERGED)
        fprintf(stderr, "cut at %u, %u: %u\n", n, how, n_in_copy(&engine, "All"));
      CU_ASSERT_EQUAL(n_in_copy(&engine, "All"), N_MERGED);
      CU_ASSERT_EQUAL(engine_run(&engine), 0);
      CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 0);
    }
  }
}

static void
a_bad_word_about_folders_is_told_before_anything_is_opened(void)
{
  static const char *const bad_rename[] = { "INBOX", NULL }, *const bad_rewrite[] = { "s/(/x/",
                                                                                      NULL };
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 1);
  engine.options.policy.renames = bad_rename;
  CU_ASSERT_EQUAL(engine_run(&engine), 64);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "usage", "--f1f2");
  engine.options.policy.renames = NULL;
  engine.options.policy.rewrites = bad_rewrite;
  CU_ASSERT_EQUAL(engine_run(&engine), 64);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "usage", "--regextrans2");
  CU_ASSERT_EQUAL(engine.calls1.opens, 0);
  engine.options.policy.rewrites = NULL;
  engine.options.policy.subfolder1 = "None";
  CU_ASSERT_EQUAL(engine_run(&engine), 117);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "no-folder", "source: ");
}

static void
an_account_goes_below_a_folder_and_comes_back(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 2);
  memory_box_folder(engine.source, "Work/a b")->attributes = HAUL_FOLDER_SENT;
  engine.options.policy.subfolder2 = "Old/ann";
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "Old/ann/INBOX"), 2);
  CU_ASSERT_EQUAL(n_in_copy(&engine, "Old/ann/Work/a b"), 2);
  CU_ASSERT_EQUAL(memory_box_folder(engine.copy, "Old/ann/Work/a b")->attributes, 0);
  CU_ASSERT_EQUAL(engine.copy->folders->len, 2);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 4);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 4);
}

static void
folders_that_hold_no_mail_are_left_to_their_children(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  memory_box_folder(engine.source, "Lists")->attributes = HAUL_FOLDER_NOSELECT;
  memory_box_add(engine.source, "Lists/a", "x");
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.copy->folders->len, 1);
}

/* As in a tree of mbox files: what is empty gives way to what lies in it. */
static void
where_a_folder_holds_mail_or_folders_no_empty_one_is_in_the_way(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.copy->faults.holds_either = true;
  memory_box_folder(engine.source, "Empty");
  memory_box_folder(engine.source, "Empty/more");
  memory_box_add(engine.source, "Empty/more/a", "x");
  memory_box_add(engine.source, "Full", "y");
  ENGINE_SYNC(&engine);
  memory_box_add(engine.source, "Full/b", "z");
  CU_ASSERT_EQUAL(engine_run(&engine), 116);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_FAILED), 1);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 2);
}

static void
where_parents_do_not_come_along_they_are_made_first(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.copy->faults.makes_no_parents = true;
  memory_box_folder(engine.source, "Empty");
  memory_box_folder(engine.source, "Empty/more");
  memory_box_add(engine.source, "Empty/more/a", "x");
  memory_box_add(engine.source, "Empty/more/b", "y");
  ENGINE_SYNC(&engine);
  CU_ASSERT(engine_is_at_rest(&engine));
}

static void
two_runs_on_the_same_accounts_exclude_each_other(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 1);
  g_autoptr(HaulKeywords) keywords = haul_keywords_new();
  g_autofree char *identity1 = g_strconcat("memory:", engine.source->name, NULL);
  g_autofree char *identity2 = g_strconcat("memory:", engine.copy->name, NULL);
  bool was_rebuilt;
  g_autoptr(HaulJournal) other = haul_journal_open(
      engine.state_folder, HAUL_JOURNAL_FILE, identity1, identity2, keywords, &was_rebuilt, NULL);
  CU_ASSERT_PTR_NOT_NULL(other);
  CU_ASSERT_EQUAL(engine_run(&engine), 8);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "locked", "pid ");
  CU_ASSERT_EQUAL(engine.calls2.creates + engine.calls2.puts, 0);
  g_clear_pointer(&other, haul_journal_close);
  ENGINE_SYNC(&engine);
}

/* Runs with the copy at @path. Returns who was known to be there, lent until the next run. */
static const char *
known_at(Engine *engine, const char *path)
{
  engine->path2 = path;
  CU_ASSERT_EQUAL(engine_run(engine), 0);
  return engine->copy->known;
}

static void
who_was_found_at_a_path_is_known_there_in_the_next_run(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  g_autofree char *identity = g_strconcat("memory:", engine.copy->name, NULL);
  CU_ASSERT_PTR_NULL(known_at(&engine, "/tree"));
  CU_ASSERT_PTR_NULL(known_at(&engine, "/other"));
  CU_ASSERT_PTR_NULL(known_at(&engine, NULL));
  CU_ASSERT_STRING_EQUAL(known_at(&engine, "/tree"), identity);
  engine.options.dry = true;
  CU_ASSERT_STRING_EQUAL(known_at(&engine, "/tree"), identity);
  CU_ASSERT_PTR_NULL(known_at(&engine, "/planned"));
  CU_ASSERT_PTR_NULL(known_at(&engine, "/planned"));
  engine.options.dry = false;
  engine.options.stateless = true;
  CU_ASSERT_PTR_NULL(known_at(&engine, "/tree"));
  CU_ASSERT_PTR_NULL(known_at(&engine, "/passing"));
  engine.options.stateless = false;
  CU_ASSERT_PTR_NULL(known_at(&engine, "/passing"));
}

/* ---- dry runs ---- */

/* What a dry run said of @deed: how many lines, and the sum of "N in number". */
static unsigned
count_planned(const Engine *engine, const char *deed, unsigned *n_messages)
{
  g_autofree char *word = g_strdup_printf(" %s ", deed);
  unsigned n = 0;
  *n_messages = 0;
  for (guint i = 0; i < engine->planned->len; i++) {
    const char *line = engine->planned->pdata[i];
    if (strstr(line, word) == NULL)
      continue;
    n++;
    const char *number = strstr(line, " in number");
    while (number != NULL && number > line && g_ascii_isdigit(number[-1]))
      number--;
    *n_messages += number != NULL ? (unsigned)strtoul(number, NULL, 10) : 0;
  }
  return n;
}

/* All numbers that a report ends with. */
static char *
numbers_of(HaulReport *report)
{
  GString *text = g_string_new(NULL);
  GPtrArray *folders = haul_report_folders(report);
  for (guint i = 0; i < folders->len; i++) {
    const HaulTally *tally = folders->pdata[i];
    g_string_append_printf(text, "%s to %s:", tally->path1, tally->path2);
    for (size_t state = 0; state < HAUL_N_STATES; state++)
      g_string_append_printf(text, " %" PRIu64, tally->n[state]);
    g_string_append_printf(text,
                           " of %" PRIu64 ", %" PRIu64 " octets, %" PRIu64 " linked, %" PRIu64
                           " flags, %" PRIu64 " made, %" PRIu64 " subscribed\n",
                           tally->source, tally->octets, tally->n_linked, tally->n_flags,
                           tally->n_created, tally->n_subscribed);
  }
  return g_string_free(text, FALSE);
}

static void
check_dry_run(Engine *engine)
{
  g_autofree char *before = memory_box_text(engine->copy, true);
  guint n_folders = engine->copy->folders->len;
  engine->options.dry = true;
  CU_ASSERT_EQUAL(engine_run(engine), 0);
  engine->options.dry = false;
  g_autofree char *foretold = numbers_of(engine->report);
  g_autofree char *after = memory_box_text(engine->copy, true);
  CU_ASSERT_STRING_EQUAL(after, before);
  CU_ASSERT_EQUAL(engine->copy->folders->len, n_folders);
  CU_ASSERT_EQUAL(engine->calls2.puts + engine->calls2.creates + engine->calls2.subscribes
                      + engine->calls2.flag_changes + engine->calls2.selects_for_writing,
                  0);
  unsigned n_copies, none;
  count_planned(engine, "copy", &n_copies);
  unsigned n_flags = count_planned(engine, "flags", &none);
  unsigned n_creates = count_planned(engine, "create", &none);

  ENGINE_SYNC(engine);
  g_autofree char *told = numbers_of(engine->report);
  CU_ASSERT_STRING_EQUAL(foretold, told);
  if (strcmp(foretold, told) != 0)
    printf("foretold:\n%stold:\n%s", foretold, told);
  CU_ASSERT_EQUAL(engine->calls2.puts, n_copies);
  CU_ASSERT_EQUAL(engine->total.n_flags, n_flags);
  CU_ASSERT_EQUAL(engine->copy->folders->len, n_folders + n_creates);
}

static void
a_dry_run_says_what_a_run_does_and_does_none_of_it(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 5);
  engine_fill_oddities(&engine);
  check_dry_run(&engine); /* first contact */
  memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\n");
  memory_box_remove(engine.source, "Work/a b", 2);
  memory_box_remove(engine.copy, "Work/a b", 2);
  memory_box_add(engine.source, "Work/a b", "Subject: newer\r\n\r\n");
  memory_box_add(engine.source, "Newest", "Subject: newest\r\n\r\n");
  MemoryFolder *inbox = memory_box_folder(engine.source, "INBOX");
  ((MemoryMessage *)inbox->messages->pdata[0])->flags ^= HAUL_ANSWERED;
  ((MemoryMessage *)inbox->messages->pdata[3])->flags ^= HAUL_SEEN;
  inbox->n_changes++;
  check_dry_run(&engine); /* by state */
  engine_forget(&engine);
  memory_box_add(engine.source, "INBOX", "Message-ID: <3@x>\r\n\r\nthree times\r\n");
  check_dry_run(&engine); /* by matching */
  check_dry_run(&engine); /* nothing */
}

static void
a_dry_run_leaves_the_state_and_its_folder_alone(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 2);
  engine.options.dry = true;
  engine_run(&engine);
  g_autoptr(GDir) dir = g_dir_open(engine.state_folder, 0, NULL);
  CU_ASSERT_PTR_NULL(g_dir_read_name(dir));
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(subscriptions_are_carried_once),
    CASE(a_folder_that_cannot_be_made_is_not_subscribed_to),
    CASE(folders_that_were_named_are_done_alone),
    CASE(a_folder_goes_where_it_is_sent),
    CASE(each_folder_that_it_is_sent_to_is_remembered_by_itself),
    CASE(several_folders_are_not_sent_to_one),
    CASE(folders_go_to_those_of_the_same_use),
    CASE(what_would_meet_is_named_before_anything_is_written),
    CASE(folders_that_are_put_together_lose_and_double_nothing),
    CASE(folders_that_are_put_together_survive_cuts),
    CASE(a_bad_word_about_folders_is_told_before_anything_is_opened),
    CASE(an_account_goes_below_a_folder_and_comes_back),
    CASE(folders_that_hold_no_mail_are_left_to_their_children),
    CASE(where_a_folder_holds_mail_or_folders_no_empty_one_is_in_the_way),
    CASE(where_parents_do_not_come_along_they_are_made_first),
    CASE(two_runs_on_the_same_accounts_exclude_each_other),
    CASE(who_was_found_at_a_path_is_known_there_in_the_next_run),
    CASE(a_dry_run_says_what_a_run_does_and_does_none_of_it),
    CASE(a_dry_run_leaves_the_state_and_its_folder_alone),
  };
  return RUN_SUITE("engine: folders", cases);
}
