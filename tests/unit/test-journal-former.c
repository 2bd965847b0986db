/* Tests that states of former versions are carried over: nothing that they know is lost. */
#include "suite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include <mailhaul/message.h>

#include "state.h"

/* As these versions made it, but for what is in it. */
static const char version_4[] =
    "DROP TABLE folder; DROP TABLE pair; ALTER TABLE intent DROP COLUMN sum;"
    "ALTER TABLE intent DROP COLUMN run; DROP TABLE run;"
    "CREATE TABLE folder(number INTEGER PRIMARY KEY, path1 TEXT NOT NULL UNIQUE,"
    " path2 TEXT NOT NULL, epoch1 INTEGER NOT NULL, epoch2 INTEGER NOT NULL, token1 TEXT,"
    " token2 TEXT, n_gone INTEGER NOT NULL DEFAULT 0, subscribed INTEGER NOT NULL DEFAULT 0,"
    " has_flags1 INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE pair(folder INTEGER NOT NULL, id1 NOT NULL, id2, size INTEGER,"
    " flags INTEGER NOT NULL, keywords TEXT, key BLOB, sha256 BLOB, gone INTEGER,"
    " PRIMARY KEY(folder, id1)) WITHOUT ROWID; PRAGMA user_version = 4;";
static const char version_5[] =
    "DROP TABLE folder; DROP TABLE pair; ALTER TABLE intent DROP COLUMN sum;"
    "ALTER TABLE intent DROP COLUMN run; DROP TABLE run;"
    "CREATE TABLE folder(number INTEGER PRIMARY KEY, path1 TEXT NOT NULL,"
    " path2 TEXT NOT NULL, epoch1 INTEGER NOT NULL, epoch2 INTEGER NOT NULL, token1 TEXT,"
    " token2 TEXT, n_gone INTEGER NOT NULL DEFAULT 0, subscribed INTEGER NOT NULL DEFAULT 0,"
    " has_flags1 INTEGER NOT NULL DEFAULT 0, UNIQUE(path1, path2));"
    "CREATE TABLE pair(folder INTEGER NOT NULL, id1 NOT NULL, id2, size INTEGER,"
    " flags INTEGER NOT NULL, keywords TEXT, key BLOB, sha256 BLOB, gone INTEGER,"
    " PRIMARY KEY(folder, id1)) WITHOUT ROWID; PRAGMA user_version = 5;";
static const char content[] =
    "INSERT INTO folder VALUES(1, 'a', 'a', 7, 8, 'x', 'y', 2, 1, 1);"
    "INSERT INTO pair VALUES(1, 1, 11, 100, 3, 'one', x'00', zeroblob(32), NULL),"
    " (1, 2, 12, 100, 0, NULL, x'00', NULL, NULL), (1, 'm3', NULL, NULL, 0, NULL, NULL, NULL, 1);";

/* Leaves a file of a former version in the folder of @state. */
static void
make_former(State *state, const char *schema)
{
  state_reopen(state);
  state_close(state);
  g_autofree char *path = state_file(state, ".db");
  sqlite3 *db;
  CU_ASSERT_PTR_NOT_NULL_FATAL(path);
  CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
  CU_ASSERT_EQUAL(sqlite3_exec(db, schema, NULL, NULL, NULL), SQLITE_OK);
  CU_ASSERT_EQUAL(sqlite3_exec(db, content, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
}

/* What the open journal knows is what was in the file; pairs are as old as the migration. */
static void
check_content(const State *state, int64_t since)
{
  HaulJournalFolder folder = state_folder(state, "a");
  CU_ASSERT_EQUAL_FATAL(folder.number, 1);
  CU_ASSERT(folder.epoch1 == 7 && folder.epoch2 == 8 && folder.n_gone == 2);
  CU_ASSERT(folder.was_subscribed && folder.has_flags1);
  CU_ASSERT_STRING_EQUAL(folder.token1, "x");
  CU_ASSERT_STRING_EQUAL(folder.token2, "y");
  CHECK_PAIRS(state, 1, "1=11 2=12 m3=?!");

  g_autoptr(HaulIds) ids = haul_ids_new();
  g_autoptr(GArray) proofs = g_array_new(FALSE, FALSE, sizeof(HaulProof));
  CU_ASSERT(haul_journal_load_proofs(state->journal, 1, ids, proofs, NULL));
  CU_ASSERT_EQUAL_FATAL(proofs->len, 3);
  for (guint i = 0; i < proofs->len; i++) {
    const HaulProof *proof = &g_array_index(proofs, HaulProof, i);
    CU_ASSERT_EQUAL(proof->delivered, proof->id1 == 1);
    CU_ASSERT_EQUAL(proof->named, proof->id1 <= 2);
    CU_ASSERT(!proof->proven);
    CU_ASSERT(proof->noted_at >= since && proof->noted_at <= g_get_real_time() / G_USEC_PER_SEC);
  }
}

static const char *const versions[] = { version_4, version_5 };

static void
what_a_former_version_knew_is_known(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
    g_auto(State) state;
    state_init(&state);
    make_former(&state, versions[i]);
    int64_t since = g_get_real_time() / G_USEC_PER_SEC;
    for (unsigned run = 0; run < 2; run++) {
      state_reopen(&state);
      CU_ASSERT(!state.was_rebuilt);
      check_content(&state, since);
    }
    /* Another folder of the destination is another pair of folders. */
    CU_ASSERT(haul_journal_begin_folder(state.journal, "a", "b", 7, 9, NULL) > 1);
    g_autofree char *aside = state_file(&state, ".damaged");
    CU_ASSERT_PTR_NULL(aside);
  }
}

static void
a_dry_run_knows_it_and_leaves_the_file_alone(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
    g_auto(State) state;
    state_init(&state);
    make_former(&state, versions[i]);
    int64_t since = g_get_real_time() / G_USEC_PER_SEC;
    g_autofree char *before = state_snapshot(&state);
    CU_ASSERT_FATAL(state_open(&state, HAUL_JOURNAL_DRY, NULL));
    CU_ASSERT(!state.was_rebuilt);
    check_content(&state, since);
    state_close(&state);
    g_autofree char *after = state_snapshot(&state);
    CU_ASSERT_STRING_EQUAL(after, before);
  }
}

static void
what_is_about_to_be_removed_is_remembered(void)
{
  g_auto(State) state;
  state_init(&state);
  state_fill(&state);
  state_reopen(&state);
  static const char *const leaving[] = { "3", "17", "1000000" };
  CU_ASSERT(haul_journal_set_leaving(state.journal, 1, leaving, G_N_ELEMENTS(leaving), NULL));
  state_reopen(&state);
  g_autoptr(HaulIds) ids = haul_ids_new();
  g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  CU_ASSERT(haul_journal_load_pairs(state.journal, 1, ids, ids, pairs, NULL));
  CU_ASSERT_EQUAL(pairs->len, STATE_PAIRS);
  for (guint i = 0; i < pairs->len; i++) {
    const HaulPair *pair = &g_array_index(pairs, HaulPair, i);
    CU_ASSERT_EQUAL(pair->leaving, pair->id1 == 3 || pair->id1 == 17);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_a_former_version_knew_is_known),
    CASE(a_dry_run_knows_it_and_leaves_the_file_alone),
    CASE(what_is_about_to_be_removed_is_remembered),
  };
  return RUN_SUITE("journal-former", cases);
}
