/*
 * Messages that are, or were, in several folders: under which object ids the state knows the source's
 * messages, and where the destination has copies of them.
 */
#include "journal-db.h"

#include <string.h>

void
haul_copy_clear(HaulCopy *copy)
{
  haul_cargo_clear(&copy->cargo);
  g_clear_pointer(&copy->id2, g_free);
}

bool
haul_journal_has_objects(HaulJournal *journal, bool *has, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *query = haul_db_statement(journal, HAS_OBJECTS, error);
  int step = query != NULL ? sqlite3_step(query) : SQLITE_ERROR;
  bool done =
      step == SQLITE_ROW || step == SQLITE_DONE || (query != NULL && haul_db_fail(journal, error));
  if (query != NULL)
    sqlite3_reset(query);
  pthread_mutex_unlock(&journal->mutex);
  *has = step == SQLITE_ROW;
  return done;
}

bool
haul_journal_note_object(HaulJournal *journal, const char *object, int64_t folder, const char *id1,
                         GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *insert = haul_db_statement(journal, NOTE_OBJECT, error);
  bool done = false;
  if (insert != NULL) {
    haul_db_bind_text(insert, 1, object);
    sqlite3_bind_int64(insert, 2, folder);
    haul_db_bind_id(insert, 3, id1);
    done = haul_db_run(journal, insert, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

/* Appends the copies that a query gives, which it takes from the database; @query: NULL after an error. */
static bool
take_copies(HaulJournal *journal, sqlite3_stmt *query, GArray *copies, GError **error)
{
  int step;
  if (query == NULL)
    return false;
  while ((step = sqlite3_step(query)) == SQLITE_ROW) {
    HaulCopy copy = { .cargo = haul_db_column_cargo(journal, query),
                      .folder = sqlite3_column_int64(query, 6),
                      .id2 = g_strdup((const char *)sqlite3_column_text(query, 7)) };
    g_array_append_val(copies, copy);
  }
  bool done = step == SQLITE_DONE || haul_db_fail(journal, error);
  sqlite3_reset(query);
  return done;
}

bool
haul_journal_find_copies(HaulJournal *journal, const char *object, GArray *copies, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *query = haul_db_statement(journal, FIND_COPIES, error);
  if (query != NULL)
    haul_db_bind_text(query, 1, object);
  bool done = take_copies(journal, query, copies, error);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_find_copy(HaulJournal *journal, int64_t folder, const char *id1, GArray *copies,
                       GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *query = haul_db_statement(journal, FIND_COPY, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    haul_db_bind_id(query, 2, id1);
  }
  bool done = take_copies(journal, query, copies, error);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_load_copies(HaulJournal *journal, int64_t folder, unsigned limit, GArray *copies,
                         GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_COPIES, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    sqlite3_bind_int64(query, 2, limit);
  }
  bool done = take_copies(journal, query, copies, error);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_set_labels(HaulJournal *journal, const char *labels, bool *is_new, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *query = haul_db_statement(journal, GET_LABELS, error);
  bool done = false;
  if (query != NULL) {
    int step = sqlite3_step(query);
    const char *known = step == SQLITE_ROW ? (const char *)sqlite3_column_text(query, 0) : NULL;
    *is_new = g_strcmp0(known, labels) != 0;
    done = step == SQLITE_ROW || step == SQLITE_DONE || haul_db_fail(journal, error);
    sqlite3_reset(query);
    if (done && *is_new) {
      sqlite3_stmt *insert = haul_db_statement(journal, SET_LABELS, error);
      if (insert != NULL)
        haul_db_bind_text(insert, 1, labels);
      done = insert != NULL && haul_db_run(journal, insert, error);
      /* What is complete in one way need not be so in another: nor are the folders of other runs. */
      sqlite3_stmt *drop = done ? haul_db_statement(journal, DROP_TOKENS1, error) : NULL;
      done = drop != NULL && haul_db_run(journal, drop, error);
    }
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}
