/* Tests how a run does with a state that turns out to be damaged while it is used. */
#include "suite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"
#include "log.h"

/* Returns the path of the only file below the state folder that ends in @suffix, to be freed; or NULL. */
static char *
find_file(const Engine *engine, const char *suffix)
{
  g_autoptr(GDir) dir = g_dir_open(engine->state_folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    if (g_str_has_suffix(name, suffix))
      return g_build_filename(engine->state_folder, name, NULL);
  return NULL;
}

/* Changes the file behind our back, as a disk would: no sum changes along. */
static void
damage(const Engine *engine, const char *sql)
{
  g_autofree char *path = find_file(engine, ".db");
  sqlite3 *db;
  CU_ASSERT_PTR_NOT_NULL_FATAL(path);
  CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
  CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  CU_ASSERT(sqlite3_changes(db) > 0);
  sqlite3_close(db);
}

static void
add(MemoryBox *box, const char *text)
{
  g_autofree char *octets = engine_message(text, text);
  memory_box_add(box, "INBOX", octets);
}

/* Whatever was damaged: what is new is copied, all else is found again, and the next run has nothing to do. */
static void
a_run_that_comes_upon_damage_begins_a_new_state(void)
{
  static const char *const damages[] = {
    "UPDATE pair SET id2 = id2 + 1 WHERE id1 = 3",
    /* the id of the message that is new: it would pass for copied */
    "UPDATE pair SET id1 = 11 WHERE id1 = 4",
    "UPDATE pair SET gone = 1 WHERE id1 = 5",
    "UPDATE pair SET sha256 = zeroblob(32) WHERE id1 = 6",
    "UPDATE pair SET flags = 31",
    "UPDATE folder SET number = number + 100",
    "UPDATE folder SET epoch2 = epoch2 + 1",
    "UPDATE folder SET path2 = 'elsewhere' WHERE path1 = 'INBOX'",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 10);
    ENGINE_SYNC(&engine);
    add(engine.source, "new");
    memory_box_folder(engine.source, "INBOX")->n_changes++;
    damage(&engine, damages[i]);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 1);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 20);
    ENGINE_SAME(&engine);
    g_autofree char *aside = find_file(&engine, ".db.damaged");
    CU_ASSERT_PTR_NOT_NULL(aside);
    if (engine.code != 0 || aside == NULL)
      printf("%s: %d, %s\n", damages[i], engine.code,
             engine.error != NULL ? engine.error->message : "");
    CU_ASSERT(engine_is_at_rest(&engine));
  }
}

/* A delivery of which nobody knows, and its intent is damaged: it is found by what it is. */
static void
a_damaged_intent_doubles_nothing(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 10);
  ENGINE_SYNC(&engine);
  add(engine.source, "new");
  memory_box_folder(engine.source, "INBOX")->n_changes++;
  engine.copy->faults.lose_stored = engine.copy->calls.puts + 1;
  engine.copy->faults.ends_run = true;
  CU_ASSERT_NOT_EQUAL(engine_run(&engine), 0);
  engine.copy->faults = (MemoryFaults){ 0 };
  damage(&engine, "UPDATE intent SET cargo = zeroblob(length(cargo))");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 0);
  ENGINE_SAME(&engine);
  CU_ASSERT(engine_is_at_rest(&engine));
}

/* A run that only plans leaves the file alone, and says what is wrong with it. */
static void
a_dry_run_puts_nothing_aside(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 10);
  ENGINE_SYNC(&engine);
  add(engine.source, "new");
  memory_box_folder(engine.source, "INBOX")->n_changes++;
  damage(&engine, "UPDATE pair SET id2 = id2 + 1 WHERE id1 = 3");
  engine.options.dry = true;
  CU_ASSERT_NOT_EQUAL(engine_run(&engine), 0);
  CHECK_ERROR(engine.error, HAUL_ERROR_ACCOUNT, "state", "damaged");
  g_autofree char *aside = find_file(&engine, ".db.damaged");
  CU_ASSERT_PTR_NULL(aside);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_run_that_comes_upon_damage_begins_a_new_state),
    CASE(a_damaged_intent_doubles_nothing),
    CASE(a_dry_run_puts_nothing_aside),
  };
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  return RUN_SUITE("engine: state", cases);
}
