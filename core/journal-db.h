/*
 * What the rooms of the journal share: the database, its statements, its transactions.
 * For journal.c (folders and pairs), intent.c (deliveries) and journal-db.c, which opens it.
 */
#ifndef HAUL_CORE_JOURNAL_DB_H
#define HAUL_CORE_JOURNAL_DB_H

#include <pthread.h>
#include <sqlite3.h>

#include "journal-file.h"
#include "journal.h"

typedef enum {
  ADD_PAIR,
  SET_AGREED,
  SET_GONE,
  FORGET_PAIR,
  ADD_INTENT,
  END_INTENT,
  LOAD_PAIRS,
  LOAD_PROOFS,
  SET_LEAVING,
  SET_LEFT,
  COUNT_LEFT,
  HAS_PAIR,
  LOAD_COPIED,
  LOAD_INTENTS,
  LOAD_NAMELESS,
  COUNT_SAMPLE,
  LOAD_SAMPLE,
  LOAD_FOLDERS,
  FIND_FOLDER,
  ADD_FOLDER,
  RESET_FOLDER,
  END_FOLDER,
  RENAME_FOLDER,
  SET_EPOCH2,
  LOAD_COVERED,
  HAS_LEFT,
  LOAD_OUTDATED,
  LOAD_STRAYS,
  ADD_STRAY,
  FORGET_STRAY,
  DROP_STRAYS,
  DROP_PAIRS,
  DROP_INTENTS,
  DROP_OBJECTS,
  HAS_OBJECTS,
  NOTE_OBJECT,
  FIND_COPIES,
  FIND_COPY,
  LOAD_COPIES,
  GET_LABELS,
  SET_LABELS,
  DROP_TOKENS1,
  DROP_TOKENS,
  LAST_RUN,
  ADD_RUN,
  LOAD_RUNS,
  END_RUN,
  COUNT_ADDED,
  LOAD_ADDED,
  N_STATEMENTS,
} HaulStatement;

struct HaulJournal {
  pthread_mutex_t mutex;
  sqlite3 *db;
  sqlite3_stmt *prepared[N_STATEMENTS];
  HaulJournalFile *file;  /* owned, or NULL */
  HaulKeywords *keywords; /* borrowed */
  HaulJournalMode mode;
  bool in_group;       /* between begin and commit */
  bool is_new;         /* no run has ended well with it */
  bool damaged;        /* SQLite came upon what cannot be so */
  int64_t run;         /* number of this run once it has added something, or 0 */
  GArray *folders;     /* owned; what haul_journal_folders() lent */
  GStringChunk *texts; /* owned; and the texts in it */
  GHashTable *epochs2; /* folder number -> epoch2 (pointers), as on record */
};

/* Sets @error to what SQLite says; returns false. */
bool haul_db_fail(HaulJournal *journal, GError **error);

/* Sets @error to a row of @what not being what was written; returns false. */
bool haul_db_damaged(HaulJournal *journal, const char *what, GError **error);

/* The prepared statement, ready for its bindings; NULL on error. */
sqlite3_stmt *haul_db_statement(HaulJournal *journal, HaulStatement which, GError **error);

/* Runs a statement that gives no rows, and makes it ready for the next time. */
bool haul_db_run(HaulJournal *journal, sqlite3_stmt *prepared, GError **error);

/* NULL binds NULL; texts are lent until the statement has run. */
void haul_db_bind_text(sqlite3_stmt *prepared, int at, const char *text);
void haul_db_bind_id(sqlite3_stmt *prepared, int at, const char *id);
void haul_db_bind_keywords(HaulJournal *journal, sqlite3_stmt *prepared, int at, uint32_t keywords);
HaulId haul_db_column_id(sqlite3_stmt *prepared, int at, HaulIds *ids);

/* Gives this run its number, if it has none, and makes it known in the open transaction. */
bool haul_db_note_run(HaulJournal *journal, GError **error);

/* Columns 0 to 5 of a pair: id1, size, flags, keywords, key, sha256. */
HaulCargo haul_db_column_cargo(HaulJournal *journal, sqlite3_stmt *query);

/* A transaction, or a part of the group that is open. roll_back() returns false. */
bool haul_db_begin(HaulJournal *journal, GError **error);
bool haul_db_commit(HaulJournal *journal, GError **error);
bool haul_db_roll_back(HaulJournal *journal);

/* Parts of larger notes; the caller holds the mutex. */
bool haul_db_set_epoch2(HaulJournal *journal, int64_t folder, uint64_t epoch2, GError **error);
bool haul_db_add_pair(HaulJournal *journal, int64_t folder, const HaulCargo *cargo, const char *id2,
                      GError **error);

#endif /* HAUL_CORE_JOURNAL_DB_H */
