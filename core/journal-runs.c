/* What the state knows of runs: their numbers, and what each has added to the destination. */
#include "journal-db.h"

#include <string.h>

#include <mailhaul/message.h>

#include "plan-undo.h"

/* ---- the run that has the journal open ---- */

bool
haul_db_note_run(HaulJournal *journal, GError **error)
{
  if (journal->run == 0) {
    sqlite3_stmt *query = haul_db_statement(journal, LAST_RUN, error);
    if (query == NULL)
      return false;
    bool found = sqlite3_step(query) == SQLITE_ROW || haul_db_fail(journal, error);
    if (found)
      journal->run = sqlite3_column_int64(query, 0) + 1;
    sqlite3_reset(query);
    if (!found)
      return false;
  }
  /* Each time, for a transaction that was rolled back took the row along. */
  sqlite3_stmt *insert = haul_db_statement(journal, ADD_RUN, error);
  if (insert == NULL)
    return false;
  sqlite3_bind_int64(insert, 1, journal->run);
  sqlite3_bind_int64(insert, 2, g_get_real_time() / G_USEC_PER_SEC);
  return haul_db_run(journal, insert, error);
}

int64_t
haul_journal_run(HaulJournal *journal)
{
  pthread_mutex_lock(&journal->mutex);
  int64_t run = journal->run;
  pthread_mutex_unlock(&journal->mutex);
  return run;
}

/* ---- former runs ---- */

GArray *
haul_journal_runs(HaulJournal *journal, GError **error)
{
  g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(HaulRun));
  int step = SQLITE_ERROR;
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_RUNS, error);
  if (query != NULL) {
    while ((step = sqlite3_step(query)) == SQLITE_ROW) {
      HaulRun run = {
        .number = sqlite3_column_int64(query, 0),
        .started_at = sqlite3_column_int64(query, 1),
        .undone_at = sqlite3_column_int64(query, 2),
        .n_added = (uint64_t)sqlite3_column_int64(query, 3),
      };
      g_array_append_val(runs, run);
    }
    if (step != SQLITE_DONE)
      haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return step == SQLITE_DONE ? g_steal_pointer(&runs) : NULL;
}

bool
haul_journal_count_added(HaulJournal *journal, int64_t folder, int64_t run, uint64_t *n,
                         GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *query = haul_db_statement(journal, COUNT_ADDED, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    sqlite3_bind_int64(query, 2, run);
    done = sqlite3_step(query) == SQLITE_ROW || haul_db_fail(journal, error);
    *n = done ? (uint64_t)sqlite3_column_int64(query, 0) : 0;
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

static HaulAddition
column_addition(sqlite3_stmt *query, HaulIds *ids1, HaulIds *ids2)
{
  HaulAddition one = {
    .id1 = haul_db_column_id(query, 0, ids1),
    .id2 = haul_db_column_id(query, 1, ids2),
    .size = sqlite3_column_type(query, 2) == SQLITE_NULL ? HAUL_UNKNOWN
                                                         : (uint64_t)sqlite3_column_int64(query, 2),
    .left = sqlite3_column_int(query, 4) != 0,
  };
  if (sqlite3_column_bytes(query, 3) == (int)sizeof one.key)
    memcpy(&one.key, sqlite3_column_blob(query, 3), sizeof one.key);
  return one;
}

bool
haul_journal_load_added(HaulJournal *journal, int64_t folder, int64_t run, HaulIds *ids1,
                        HaulIds *ids2, GArray *added, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_ADDED, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    sqlite3_bind_int64(query, 2, run);
    int step = SQLITE_DONE;
    bool whole = true;
    while (whole && (step = sqlite3_step(query)) == SQLITE_ROW) {
      HaulAddition one = column_addition(query, ids1, ids2);
      g_array_append_val(added, one);
      whole = sqlite3_column_int(query, 5) != 0;
    }
    done = !whole ? haul_db_damaged(journal, "a pair", error)
                  : step == SQLITE_DONE || haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

/* ---- undoing one ---- */

static bool
take_back(HaulJournal *journal, int64_t folder, const char *const *ids1, size_t n_ids,
          GError **error)
{
  sqlite3_stmt *forget = haul_db_statement(journal, FORGET_PAIR, error);
  sqlite3_stmt *reopen = forget != NULL ? haul_db_statement(journal, DROP_TOKENS, error) : NULL;
  bool going = reopen != NULL;
  for (size_t i = 0; going && i < n_ids; i++) {
    sqlite3_bind_int64(forget, 1, folder);
    haul_db_bind_id(forget, 2, ids1[i]);
    going = haul_db_run(journal, forget, error);
  }
  if (going)
    sqlite3_bind_int64(reopen, 1, folder);
  return going && haul_db_run(journal, reopen, error);
}

bool
haul_journal_take_back(HaulJournal *journal, int64_t folder, const char *const *ids1, size_t n_ids,
                       GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = haul_db_begin(journal, error);
  if (done)
    done = take_back(journal, folder, ids1, n_ids, error) ? haul_db_commit(journal, error)
                                                          : haul_db_roll_back(journal);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_end_undo(HaulJournal *journal, int64_t run, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *write = haul_db_statement(journal, END_RUN, error);
  if (write != NULL) {
    sqlite3_bind_int64(write, 1, run);
    sqlite3_bind_int64(write, 2, g_get_real_time() / G_USEC_PER_SEC);
    done = haul_db_run(journal, write, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}
