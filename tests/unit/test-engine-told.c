/* Tests what a run tells besides its errands: stores, whence messages come and that all is done; the user, under
 * which ids they are; and what it asks of folders whose listings tell no flags. */
#include "suite.h"

#include <string.h>

#include <glib/gstdio.h>

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"

/* ---- origin() ---- */

static int
compare_texts(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What the copy was told of origins since it was last asked, sorted, joined by "; "; to be freed. */
static char *
take_origins(const Engine *engine)
{
  GPtrArray *origins = engine->copy->origins;
  g_ptr_array_sort(origins, compare_texts);
  g_ptr_array_add(origins, NULL);
  char *text = g_strjoinv("; ", (char **)origins->pdata);
  g_ptr_array_set_size(origins, 0);
  return text;
}

static void
a_destination_is_told_whence_its_messages_come(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 2);
  memory_box_folder(engine.source, "INBOX")->attributes = HAUL_FOLDER_UIDS;
  memory_box_folder(engine.source, "Work/a b")->attributes = HAUL_FOLDER_UIDLS;
  ENGINE_SYNC(&engine);
  g_autofree char *first = take_origins(&engine);
  CU_ASSERT_STRING_EQUAL(first, "INBOX 100 3 800 -> INBOX; Work/a b 101 3 1000 -> Work/a b");

  memory_box_add(engine.source, "INBOX", "Subject: new\r\n\r\n");
  ENGINE_SYNC(&engine); /* of a folder that nothing is written to, nothing is told */
  g_autofree char *second = take_origins(&engine);
  CU_ASSERT_STRING_EQUAL(second, "INBOX 100 4 800 -> INBOX");

  static const char *const inbox[] = { "INBOX", NULL };
  engine.options.policy.folders = inbox;
  engine.options.policy.folder2 = "Old";
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  g_autofree char *elsewhere = take_origins(&engine);
  CU_ASSERT_STRING_EQUAL(elsewhere, "INBOX 100 4 800 -> Old");
}

static void
a_destination_is_told_of_a_folder_that_changed_and_brought_nothing(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 2);
  memory_box_folder(engine.source, "INBOX")->attributes = HAUL_FOLDER_UIDS;
  ENGINE_SYNC(&engine);
  g_free(take_origins(&engine));
  memory_box_add(engine.source, "INBOX", "Subject: come and gone\r\n\r\n");
  memory_box_remove(engine.source, "INBOX", 3);
  engine.options.dry = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  g_autofree char *planned = take_origins(&engine);
  CU_ASSERT_STRING_EQUAL(planned, "");
  engine.options.dry = false;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  g_autofree char *second = take_origins(&engine);
  CU_ASSERT_STRING_EQUAL(second, "INBOX 100 4 800 -> INBOX");
  CU_ASSERT_EQUAL(engine_run(&engine), 0); /* nothing changed */
  g_autofree char *third = take_origins(&engine);
  CU_ASSERT_STRING_EQUAL(third, "");
}

/* ---- finish() ---- */

#define CHECK_FINISHED(engine, n1, n2)                                                             \
  do {                                                                                             \
    CU_ASSERT_EQUAL((engine).calls1.finishes, n1);                                                 \
    CU_ASSERT_EQUAL((engine).calls2.finishes, n2);                                                 \
  } while (0)

static void
both_sides_are_told_once_that_a_run_is_done(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0); /* even if there was nothing to do */
  CHECK_FINISHED(engine, 1, 1);
  engine_fill(&engine, 20);
  engine.source->faults.lose_fetch = 7; /* several passes are one run */
  engine.copy->faults.lose_put = 11;
  ENGINE_SYNC(&engine);
  CHECK_FINISHED(engine, 1, 1);
  memory_box_add(engine.source, "INBOX", "Subject: bad\r\n\r\n");
  engine.copy->faults.refuses = "bad";
  CU_ASSERT_EQUAL(engine_run(&engine), 114); /* it could do no more */
  CHECK_FINISHED(engine, 1, 1);
}

static void
nobody_is_told_of_a_run_that_was_cut_short_or_planned_only(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 5);
  engine.options.dry = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CHECK_FINISHED(engine, 0, 0);
  engine.options.dry = false;
  engine.copy->faults.lose_put = 3;
  engine.copy->faults.ends_run = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 6);
  CHECK_FINISHED(engine, 0, 0);
  engine.copy->faults = (MemoryFaults){ .refuses_login = true };
  CU_ASSERT_EQUAL(engine_run(&engine), 162);
  CHECK_FINISHED(engine, 0, 0);
}

static void
a_run_that_cannot_be_ended_fails_and_keeps_what_it_did(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 5);
  engine.copy->faults.fails_finish = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 102);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "maildir",
              "destination: the end cannot be written");
  CHECK_FINISHED(engine, 0, 1);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 10);
  engine.copy->faults.fails_finish = false;
  engine.source->faults.fails_finish = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 101);
  CHECK_FINISHED(engine, 1, 1);
  engine.source->faults.fails_finish = false;
  CU_ASSERT(engine_is_at_rest(&engine));
  CHECK_FINISHED(engine, 1, 1);
}

static void
who_loses_the_connection_when_told_is_told_again(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 2);
  engine.source->faults.lose_finish = engine.copy->faults.lose_finish = 1;
  ENGINE_SYNC(&engine);
  CHECK_FINISHED(engine, 2, 2);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 4);
}

/* One message is not given; the try that is left for it finds no way to the source any more. */
static void
a_destination_is_told_though_the_last_try_has_lost_it(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 2);
  memory_box_add(engine.source, "INBOX", "Subject: bad\r\n\r\n");
  engine.options.policy.n_lanes = 1;
  engine.source->faults.unfetchable = "bad";
  engine.source->faults.refuses_from = 2;
  CU_ASSERT_EQUAL(engine_run(&engine), 115);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 4);
  CHECK_FINISHED(engine, 1, 1);
}

/* ---- the map of UIDLs ---- */

/* What the file says, without its head; to be freed. */
static char *
read_map(const Engine *engine)
{
  char *text = NULL;
  if (!g_file_get_contents(engine->options.policy.id_map, &text, NULL, NULL))
    return g_strdup("none");
  char *rest = text;
  while (*rest == '#' && strchr(rest, '\n') != NULL)
    rest = strchr(rest, '\n') + 1;
  memmove(text, rest, strlen(rest) + 1);
  return text;
}

#define CHECK_MAP(engine, expected)                                                                \
  do {                                                                                             \
    g_autofree char *map_ = read_map(engine);                                                      \
    CU_ASSERT_STRING_EQUAL(map_, expected);                                                        \
  } while (0)

static void
the_map_of_uidls_is_written_after_each_run(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 3); /* Work/a b has no UIDLs */
  memory_box_folder(engine.source, "INBOX")->attributes = HAUL_FOLDER_UIDLS;
  memory_box_add(engine.copy, "INBOX", "Subject: of others\r\n\r\n");
  g_autofree char *path = g_build_filename(engine.state_folder, "map", NULL);
  engine.options.policy.id_map = path;
  engine.options.dry = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CHECK_MAP(&engine, "none");
  engine.options.dry = false;
  engine.source->faults.text_ids = true;
  engine.copy->faults.lose_put = 3;
  engine.copy->faults.ends_run = true;
  engine.options.policy.n_lanes = 1;
  CU_ASSERT_EQUAL(engine_run(&engine), 6);
  g_autofree char *cut = read_map(&engine);
  CU_ASSERT_STRING_NOT_EQUAL(cut, "none");
  engine.copy->faults = (MemoryFaults){ 0 };
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  static const char all[] =
      "m000001,x\tINBOX\t100\t2\nm000002,x\tINBOX\t100\t3\nm000003,x\tINBOX\t100\t4\n";
  CHECK_MAP(&engine, all);
  CU_ASSERT_EQUAL(g_unlink(path), 0);
  CU_ASSERT_EQUAL(engine_run(&engine), 0); /* nothing changed */
  CHECK_MAP(&engine, all);
  static const char *const inbox[] = { "INBOX", NULL };
  engine.options.policy.folders = inbox;
  engine.options.policy.folder2 = "Old mail";
  CU_ASSERT_EQUAL(engine_run(&engine), 0); /* where it goes now, and not before */
  CHECK_MAP(&engine, "m000001,x\tOld mail\t102\t1\nm000002,x\tOld mail\t102\t2\n"
                     "m000003,x\tOld mail\t102\t3\n");
  g_autofree char *nowhere = g_build_filename(engine.state_folder, "no", "map", NULL);
  engine.options.policy.id_map = nowhere;
  CU_ASSERT_EQUAL(engine_run(&engine), 64);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "usage", "cannot write the map of UIDLs");
  CU_ASSERT_EQUAL(engine.calls1.opens, 0);
}

/* ---- folders whose listings tell no flags ---- */

static uint32_t
flags_of_copy(const Engine *engine, guint i)
{
  const MemoryFolder *inbox = memory_box_folder(engine->copy, "INBOX");
  return ((const MemoryMessage *)inbox->messages->pdata[i])->flags;
}

static void
set_flags(MemoryBox *box, guint i, uint32_t flags)
{
  MemoryFolder *inbox = memory_box_folder(box, "INBOX");
  ((MemoryMessage *)inbox->messages->pdata[i])->flags = flags;
  inbox->n_changes++;
}

static void
add_flagless(Engine *engine, const char *text, uint32_t flags)
{
  g_autofree char *octets = engine_message(text, text);
  memory_box_add(engine->source, "INBOX", octets)->flags = flags;
  memory_box_folder(engine->source, "INBOX")->attributes = HAUL_FOLDER_FLAGLESS;
}

static void
flags_that_no_listing_tells_come_with_the_message_and_are_the_users_then(void)
{
  static const HaulFlagsMode modes[] = { HAUL_FLAGS_MERGE, HAUL_FLAGS_SOURCE, HAUL_FLAGS_ADD };
  for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine.options.policy.flags_mode = modes[i];
    add_flagless(&engine, "a", HAUL_SEEN);
    add_flagless(&engine, "b", 0);
    ENGINE_SYNC(&engine); /* a stream */
    add_flagless(&engine, "c", HAUL_ANSWERED);
    ENGINE_SYNC(&engine); /* beside what is there */
    set_flags(engine.copy, 0, 0);
    set_flags(engine.copy, 1, HAUL_FLAGGED);
    add_flagless(&engine, "d", HAUL_SEEN);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.flag_changes, 0);
    engine_forget(&engine); /* found by matching */
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.flag_changes + engine.calls2.puts, 0);
    static const uint32_t expected[] = { 0, HAUL_FLAGGED, HAUL_ANSWERED, HAUL_SEEN };
    for (guint k = 0; k < G_N_ELEMENTS(expected); k++)
      CU_ASSERT_EQUAL(flags_of_copy(&engine, k), expected[k]);
  }
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(a_destination_is_told_whence_its_messages_come),
    CASE(a_destination_is_told_of_a_folder_that_changed_and_brought_nothing),
    CASE(both_sides_are_told_once_that_a_run_is_done),
    CASE(nobody_is_told_of_a_run_that_was_cut_short_or_planned_only),
    CASE(a_run_that_cannot_be_ended_fails_and_keeps_what_it_did),
    CASE(who_loses_the_connection_when_told_is_told_again),
    CASE(a_destination_is_told_though_the_last_try_has_lost_it),
    CASE(the_map_of_uidls_is_written_after_each_run),
    CASE(flags_that_no_listing_tells_come_with_the_message_and_are_the_users_then),
  };
  return RUN_SUITE("engine: told", cases);
}
