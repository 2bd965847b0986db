/* Tests runs between boxes whose folders are labels: one body, many copies. */
#include "suite.h"

#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"

/* A message under some labels; it is in all mail, too. */
static void
deliver(Engine *engine, const char *id, const char *labels)
{
  g_autofree char *octets = engine_message(id, "labelled");
  g_auto(GStrv) paths = g_strsplit(labels, " ", -1);
  for (char **path = paths; *path != NULL && **path != '\0'; path++)
    memory_box_add(engine->source, *path, octets);
  memory_box_add(engine->source, "All", octets);
}

/* Six messages, eleven labels, two that are in all mail only. */
static void
labelled_init(Engine *engine)
{
  engine_init(engine);
  engine->source->faults.labels = true;
  memory_box_folder(engine->source, "All")->attributes = HAUL_FOLDER_ALL;
  memory_box_folder(engine->source, "Starred")->attributes = HAUL_FOLDER_FLAGGED;
  deliver(engine, "<1@x>", "INBOX Work Starred");
  deliver(engine, "<2@x>", "INBOX Work Later");
  deliver(engine, "<3@x>", "Work");
  deliver(engine, "<4@x>", "Later Work");
  deliver(engine, "<5@x>", "");
  deliver(engine, "<6@x>", "");
}

/* Where the copies are, as "FOLDER n ...". */
static void
check_places(const Engine *engine, const char *expected)
{
  g_autoptr(GString) text = g_string_new(NULL);
  static const char *const paths[] = { "INBOX", "Later", "Work", "All", "Starred" };
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
    for (guint k = 0; k < engine->copy->folders->len; k++) {
      const MemoryFolder *folder = engine->copy->folders->pdata[k];
      if (strcmp(folder->path, paths[i]) == 0)
        g_string_append_printf(text, "%s %u ", folder->path, folder->messages->len);
    }
  CU_ASSERT_STRING_EQUAL(g_strchomp(text->str), expected);
  if (strcmp(text->str, expected) != 0)
    printf("%s, not %s\n", text->str, expected);
}

static void
check_at_rest(Engine *engine)
{
  CU_ASSERT_EQUAL(engine_run(engine), 0);
  CU_ASSERT_EQUAL(engine_n(engine, HAUL_STATE_COPIED), 0);
  CU_ASSERT(engine->calls2.puts == 0 && engine->calls2.copies == 0);
}

static void
each_body_is_fetched_once_and_each_label_arrives(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Later 2 Work 4 All 2");
  CU_ASSERT(engine.calls1.messages_fetched == 6 && engine.calls2.puts == 6);
  CU_ASSERT_EQUAL(engine.calls2.messages_copied, 4);
  CU_ASSERT_EQUAL(engine.total.n_linked, 4);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 10);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_DUPLICATE), 4);
  check_at_rest(&engine);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_DUPLICATE), 4);
  check_at_rest(&engine);
  CU_ASSERT_EQUAL(engine.calls1.lists + engine.calls2.lists, 0);
  engine_forget(&engine);
  check_at_rest(&engine);
}

static void
a_label_that_comes_later_is_linked(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  g_autofree char *fifth = engine_message("<5@x>", "labelled");
  g_autofree char *first = engine_message("<1@x>", "labelled");
  memory_box_add(engine.source, "New", fifth);
  memory_box_add(engine.source, "Later", first);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(engine.calls1.messages_fetched == 0 && engine.calls2.messages_copied == 2);
  check_places(&engine, "INBOX 2 Later 3 Work 4 All 2");
  check_at_rest(&engine);
}

static void
what_cannot_be_linked_is_fetched(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  engine.copy->faults.refuses_copies = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Later 2 Work 4 All 2");
  CU_ASSERT(engine.total.n_linked == 0 && engine_n(&engine, HAUL_STATE_COPIED) == 10);
  check_at_rest(&engine);
}

static void
a_copy_that_was_removed_is_not_linked_from(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  MemoryFolder *all = memory_box_folder(engine.copy, "All");
  while (all->messages->len > 0)
    memory_box_remove(engine.copy, "All", ((MemoryMessage *)all->messages->pdata[0])->uid);
  g_autofree char *fifth = engine_message("<5@x>", "labelled");
  memory_box_add(engine.source, "New", fifth);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(engine.calls1.messages_fetched == 1 && engine.calls2.messages_copied == 0);
  CU_ASSERT_EQUAL(memory_box_folder(engine.copy, "New")->messages->len, 1);
}

static void
connections_that_are_lost_at_a_copy_make_no_double(void)
{
  for (unsigned at = 1; at <= 3; at++)
    for (unsigned after = 0; after < 2; after++) {
      g_auto(Engine) engine;
      labelled_init(&engine);
      *(after ? &engine.copy->faults.lose_copied : &engine.copy->faults.lose_copy) = at;
      CU_ASSERT_EQUAL(engine_run(&engine), 0);
      check_places(&engine, "INBOX 2 Later 2 Work 4 All 2");
      CU_ASSERT_EQUAL(engine.calls1.messages_fetched, 6);
      check_at_rest(&engine);
    }
}

/* The server goes on copying when nobody listens any more. */
static void
a_copy_that_appears_late_is_waited_for(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  engine.copy->faults.lose_copied = 1;
  engine.copy->faults.late_ms = 800;
  engine.options.policy.grace_s = 3;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Later 2 Work 4 All 2");
  check_at_rest(&engine);
}

static void
copies_whose_ids_are_not_told_are_found(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  engine.copy->faults.no_copy_ids = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Later 2 Work 4 All 2");
  check_at_rest(&engine);
  check_at_rest(&engine);
}

static void
one_copy_is_made_where_that_is_wanted(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  engine.options.policy.labels = HAUL_LABELS_FIRST;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Later 1 Work 1 All 2");
  check_at_rest(&engine);
  engine.options.policy.labels = HAUL_LABELS_FOLDERS; /* a change of mind */
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Later 2 Work 4 All 2");
  CU_ASSERT(engine.calls1.messages_fetched == 0 && engine.total.n_linked == 4);
}

static void
labels_that_are_numbered_anew_are_copied_once_again(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.source->faults = (MemoryFaults){ .labels = true, .no_tokens = true };
  engine.options.policy.labels = HAUL_LABELS_FIRST;
  deliver(&engine, "<1@x>", "INBOX Work"); /* of different sizes */
  deliver(&engine, "<22@x>", "INBOX Work");
  deliver(&engine, "<333@x>", "Work");
  memory_box_folder(engine.source, "All")->attributes = HAUL_FOLDER_ALL;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Work 1 All 0");
  for (guint i = 0; i < engine.source->folders->len; i++) {
    GPtrArray *messages = ((MemoryFolder *)engine.source->folders->pdata[i])->messages;
    for (guint k = 0; k + 1 < messages->len; k++) { /* each gets the next one's uid */
      MemoryMessage *message = messages->pdata[k], *next = messages->pdata[k + 1];
      GBytes *octets = message->octets;
      message->octets = next->octets;
      next->octets = octets;
    }
  }
  for (guint i = 0; i < engine.copy->folders->len; i++) {
    MemoryFolder *folder = engine.copy->folders->pdata[i];
    g_ptr_array_set_size(folder->messages, 0);
    folder->n_changes++;
  }
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Work 1 All 0");
}

static void
names_of_other_folders_become_keywords_and_stay(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  engine.options.policy.labels = HAUL_LABELS_KEYWORDS;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  const MemoryMessage *second = memory_box_folder(engine.copy, "INBOX")->messages->pdata[1];
  for (unsigned time = 0; time < 3; time++) {
    g_autofree char *keywords = g_strjoinv(" ", second->keywords);
    CU_ASSERT(strcmp(keywords, "Later Work") == 0 || strcmp(keywords, "Work Later") == 0);
    ((MemoryMessage *)memory_box_folder(engine.source, "INBOX")->messages->pdata[1])->flags ^=
        HAUL_SEEN;
    memory_box_folder(engine.source, "INBOX")->n_changes++;
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(second->flags & HAUL_SEEN, time % 2 == 0 ? HAUL_SEEN : 0);
  }
}

static void
views_are_taken_if_they_are_named(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  const char *const folders[] = { "Starred", "All", NULL };
  engine.options.policy.folders = folders;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "All 5 Starred 1"); /* the one that is in both, in the view alone */
}

/* What is under no other label is in them alone. */
static void
views_are_taken_where_all_mail_is_hidden(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.source->faults.labels = true;
  memory_box_folder(engine.source, "Flagged")->attributes = HAUL_FOLDER_FLAGGED;
  g_autofree char *both = engine_message("<1@x>", "labelled");
  g_autofree char *alone = engine_message("<2@x>", "labelled");
  memory_box_add(engine.source, "Flagged", both);
  memory_box_add(engine.source, "Flagged", alone);
  memory_box_add(engine.source, "Work", both);
  engine.options.policy.labels = HAUL_LABELS_FIRST;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_folder(engine.copy, "Work")->messages->len, 1);
  CU_ASSERT_EQUAL(memory_box_folder(engine.copy, "Flagged")->messages->len, 1);
  engine.options.policy.labels = HAUL_LABELS_FOLDERS;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_folder(engine.copy, "Flagged")->messages->len, 2);
  check_at_rest(&engine);
}

/* The folders that a run leaves out are to be looked at, too, by the next that takes them. */
static void
a_change_of_mind_holds_for_folders_left_out(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  engine.options.policy.labels = HAUL_LABELS_FIRST;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  const char *const folders[] = { "INBOX", NULL };
  engine.options.policy.labels = HAUL_LABELS_FOLDERS;
  engine.options.policy.folders = folders;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  engine.options.policy.folders = NULL;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Later 2 Work 4 All 2");
}

/* What was left to a folder that failed is not done. */
static void
what_was_left_to_a_folder_that_failed_is_taken_later(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  engine.copy->faults.uncreatable = "Work";
  CU_ASSERT_NOT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Later 2 All 2");
  const char *const folders[] = { "All", NULL };
  engine.options.policy.folders = folders;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Later 2 All 6");
}

/* What a folder leaves to others hangs on which are chosen. */
static void
all_mail_gives_all_of_it_when_named_alone_later(void)
{
  g_auto(Engine) engine;
  labelled_init(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  check_places(&engine, "INBOX 2 Later 2 Work 4 All 2");
  const char *const folders[] = { "All", NULL };
  engine.options.policy.folders = folders;
  for (unsigned run = 0; run < 2; run++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    check_places(&engine, "INBOX 2 Later 2 Work 4 All 6");
  }
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 0);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(each_body_is_fetched_once_and_each_label_arrives),
    CASE(a_label_that_comes_later_is_linked),
    CASE(what_cannot_be_linked_is_fetched),
    CASE(a_copy_that_was_removed_is_not_linked_from),
    CASE(connections_that_are_lost_at_a_copy_make_no_double),
    CASE(a_copy_that_appears_late_is_waited_for),
    CASE(copies_whose_ids_are_not_told_are_found),
    CASE(one_copy_is_made_where_that_is_wanted),
    CASE(labels_that_are_numbered_anew_are_copied_once_again),
    CASE(names_of_other_folders_become_keywords_and_stay),
    CASE(views_are_taken_if_they_are_named),
    CASE(views_are_taken_where_all_mail_is_hidden),
    CASE(a_change_of_mind_holds_for_folders_left_out),
    CASE(what_was_left_to_a_folder_that_failed_is_taken_later),
    CASE(all_mail_gives_all_of_it_when_named_alone_later),
  };
  return RUN_SUITE("engine: labels", cases);
}
