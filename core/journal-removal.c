/* What the state knows of messages that are to be removed, at the source or at the destination. */
#include "journal-db.h"

bool
haul_journal_load_proofs(HaulJournal *journal, int64_t folder, HaulIds *ids1, GArray *proofs,
                         GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_PROOFS, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    int step;
    while ((step = sqlite3_step(query)) == SQLITE_ROW) {
      HaulProof proof = {
        .id1 = haul_db_column_id(query, 0, ids1),
        .noted_at = sqlite3_column_int64(query, 1),
        .delivered = sqlite3_column_int(query, 2) != 0,
        .named = sqlite3_column_int(query, 3) != 0,
        .proven = sqlite3_column_int(query, 4) != 0,
        .gone = sqlite3_column_int(query, 5) != 0,
        .same_id = sqlite3_column_int(query, 6) != 0,
      };
      g_array_append_val(proofs, proof);
    }
    done = step == SQLITE_DONE || haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

static bool
set_leaving(HaulJournal *journal, int64_t folder, const char *const *ids1, size_t n_ids,
            GError **error)
{
  sqlite3_stmt *update = haul_db_statement(journal, SET_LEAVING, error);
  bool going = update != NULL;
  for (size_t i = 0; going && i < n_ids; i++) {
    sqlite3_bind_int64(update, 1, folder);
    haul_db_bind_id(update, 2, ids1[i]);
    going = haul_db_run(journal, update, error);
  }
  return going;
}

bool
haul_journal_set_leaving(HaulJournal *journal, int64_t folder, const char *const *ids1,
                         size_t n_ids, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  if (haul_db_begin(journal, error)) {
    done = set_leaving(journal, folder, ids1, n_ids, error);
    done = done ? haul_db_commit(journal, error) : haul_db_roll_back(journal);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_set_left(HaulJournal *journal, int64_t folder, const char *id1, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *update = haul_db_statement(journal, SET_LEFT, error);
  if (update != NULL) {
    sqlite3_bind_int64(update, 1, folder);
    haul_db_bind_id(update, 2, id1);
    done = haul_db_run(journal, update, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_count_left(HaulJournal *journal, int64_t folder, uint64_t *n, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *query = haul_db_statement(journal, COUNT_LEFT, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    done = sqlite3_step(query) == SQLITE_ROW || haul_db_fail(journal, error);
    *n = done ? (uint64_t)sqlite3_column_int64(query, 0) : 0;
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_load_covered(HaulJournal *journal, const char *path2, uint64_t epoch2, int64_t except,
                          HaulIds *ids2, GArray *covered, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_COVERED, error);
  if (query != NULL) {
    haul_db_bind_text(query, 1, path2);
    sqlite3_bind_int64(query, 2, except);
    sqlite3_bind_int64(query, 3, (sqlite3_int64)epoch2);
    int step;
    while ((step = sqlite3_step(query)) == SQLITE_ROW) {
      HaulId id2 = haul_db_column_id(query, 0, ids2);
      g_array_append_val(covered, id2);
    }
    done = step == SQLITE_DONE || haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_has_left(HaulJournal *journal, const char *path2, bool *has, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *query = haul_db_statement(journal, HAS_LEFT, error);
  if (query != NULL) {
    haul_db_bind_text(query, 1, path2);
    int step = sqlite3_step(query);
    *has = step == SQLITE_ROW;
    done = *has || step == SQLITE_DONE || haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_load_outdated(HaulJournal *journal, const char *path2, uint64_t epoch2,
                           GPtrArray *paths1, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_OUTDATED, error);
  if (query != NULL) {
    haul_db_bind_text(query, 1, path2);
    sqlite3_bind_int64(query, 2, (sqlite3_int64)epoch2);
    int step;
    while ((step = sqlite3_step(query)) == SQLITE_ROW)
      g_ptr_array_add(paths1, g_strdup((const char *)sqlite3_column_text(query, 0)));
    done = step == SQLITE_DONE || haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}
