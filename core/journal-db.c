/*
 * The journal's database: its schema and statements, opening it and seeing whether it can be trusted,
 * transactions. Where the file lies and who holds it is journal-file.c's affair.
 */
#include "journal-db.h"

#include "journal-sum.h"

#include <string.h>
#include <sys/stat.h>

#include <mailhaul/error.h>

#define APPLICATION_ID 0x6d68756c /* "mhul" */
#define SCHEMA_VERSION 8
#define OLDEST_VERSION 4 /* that can be made this one */

#define FOLDER_TABLE                                                                               \
  "CREATE TABLE folder(number INTEGER PRIMARY KEY, path1 TEXT NOT NULL,"                           \
  " path2 TEXT NOT NULL, epoch1 INTEGER NOT NULL, epoch2 INTEGER NOT NULL, token1 TEXT,"           \
  " token2 TEXT, n_gone INTEGER NOT NULL DEFAULT 0, subscribed INTEGER NOT NULL DEFAULT 0,"        \
  " has_flags1 INTEGER NOT NULL DEFAULT 0, UNIQUE(path1, path2));"
/* Runs have numbers, and what a run has added to the destination bears its. */
#define ADD_RUNS                                                                                   \
  "CREATE TABLE run(number INTEGER PRIMARY KEY, started_at INTEGER NOT NULL, undone_at INTEGER);"  \
  "ALTER TABLE pair ADD COLUMN run INTEGER; ALTER TABLE intent ADD COLUMN run INTEGER;"
static const char schema[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;" FOLDER_TABLE
    "CREATE TABLE pair(folder INTEGER NOT NULL, id1 NOT NULL, id2, size INTEGER,"
    " flags INTEGER NOT NULL, keywords TEXT, key BLOB, sha256 BLOB, gone INTEGER,"
    " noted_at INTEGER NOT NULL DEFAULT 0, proven INTEGER, leaving INTEGER,"
    " PRIMARY KEY(folder, id1)) WITHOUT ROWID;"
    "CREATE TABLE stray(folder INTEGER NOT NULL, id2 NOT NULL, PRIMARY KEY(folder, id2))"
    " WITHOUT ROWID;"
    "CREATE TABLE object(object TEXT NOT NULL, folder INTEGER NOT NULL, id1 NOT NULL,"
    " PRIMARY KEY(object, folder, id1)) WITHOUT ROWID;"
    "CREATE TABLE intent(number INTEGER PRIMARY KEY, folder INTEGER NOT NULL,"
    " epoch2 INTEGER NOT NULL, next_id2 TEXT, made_at INTEGER NOT NULL, cargo BLOB NOT "
    "NULL);" HAUL_ADD_SUMS ADD_RUNS;

/* What makes a file of a version one of the next. */
static const char *const migrations[SCHEMA_VERSION] = {
  /* one source folder may go to several of the destination */
  [4] = "ALTER TABLE folder RENAME TO former;" FOLDER_TABLE
        "INSERT INTO folder SELECT * FROM former; DROP TABLE former;",
  /* the time of a pair was not known: it begins now */
  [5] = "ALTER TABLE pair ADD COLUMN noted_at INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE pair ADD COLUMN proven INTEGER; ALTER TABLE pair ADD COLUMN leaving INTEGER;"
        "UPDATE pair SET noted_at = unixepoch();",
  [6] = HAUL_ADD_SUMS,
  [7] = ADD_RUNS,
};

#define MAY_BE_SAMPLED "key IS NOT NULL AND typeof(id1) = 'integer' AND leaving IS NOT 2"

static const char *const statements[N_STATEMENTS] = {
  [ADD_PAIR] =
      "INSERT OR REPLACE INTO pair VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, ?9, ?10, NULL,"
      " row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, ?10, NULL) + ifnull(?11, 0), ?11)",
  [SET_AGREED] =
      "UPDATE pair SET flags = ?3, keywords = ?4,"
      " sum = " HAUL_PAIR_SUM("?3", "?4", "gone", "leaving") " WHERE folder = ?1 AND id1 = ?2",
  [SET_GONE] = "UPDATE pair SET gone = ?3,"
               " sum = " HAUL_PAIR_SUM("flags", "keywords", "?3",
                                       "leaving") " WHERE folder = ?1 AND id1 = ?2",
  [FORGET_PAIR] = "DELETE FROM pair WHERE folder = ?1 AND id1 = ?2",
  [ADD_INTENT] = "INSERT INTO intent(folder, epoch2, next_id2, made_at, cargo, run, sum)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, row_sum(?1, ?2, ?3, ?4, ?5) + ?6)",
  [END_INTENT] = "DELETE FROM intent WHERE number = ?1",
  [LOAD_PAIRS] = "SELECT id1, id2, flags, keywords, gone, leaving, " HAUL_PAIR_IS_WHOLE
                 " FROM pair WHERE folder = ?1",
  [LOAD_PROOFS] =
      "SELECT id1, noted_at, sha256 IS NOT NULL, id2 IS NOT NULL, proven, gone, id1 = id2 FROM pair"
      " WHERE folder = ?1 AND leaving IS NOT 2 AND " HAUL_PAIR_IS_WHOLE,
  [SET_LEFT] =
      "UPDATE pair SET leaving = 2,"
      " sum = " HAUL_PAIR_SUM("flags", "keywords", "gone", "2") " WHERE folder = ?1 AND id1 = ?2",
  [COUNT_LEFT] = "SELECT count(*) FROM pair WHERE folder = ?1 AND leaving = 2",
  [SET_LEAVING] =
      "UPDATE pair SET leaving = 1,"
      " sum = " HAUL_PAIR_SUM("flags", "keywords", "gone", "1") " WHERE folder = ?1 AND id1 = ?2",
  [HAS_PAIR] = "SELECT 1 FROM pair WHERE folder = ?1 AND id1 = ?2",
  [LOAD_COPIED] = "SELECT key, size, sha256 FROM pair WHERE folder = ?1 AND leaving IS NOT 2"
                  " AND " HAUL_PAIR_IS_WHOLE,
  [LOAD_INTENTS] =
      "SELECT number, epoch2, next_id2, made_at, cargo, " HAUL_INTENT_IS_WHOLE ", run FROM intent"
      " WHERE folder = ?1 ORDER BY number",
  [LOAD_NAMELESS] = "SELECT id1, size, flags, keywords, key, sha256, run FROM pair"
                    " WHERE folder = ?1 AND id2 IS NULL AND " HAUL_PAIR_IS_WHOLE,
  [COUNT_SAMPLE] = "SELECT count(*) FROM pair WHERE folder = ?1 AND " MAY_BE_SAMPLED,
  [LOAD_SAMPLE] = "SELECT id1, size, flags, keywords, key, sha256, run FROM pair"
                  " WHERE folder = ?1 AND " MAY_BE_SAMPLED,
  [LOAD_FOLDERS] =
      "SELECT number, path1, path2, epoch1, epoch2, token1, token2, n_gone, subscribed,"
      " EXISTS(SELECT 1 FROM intent WHERE intent.folder = folder.number),"
      " (SELECT count(*) FROM pair WHERE pair.folder = folder.number AND ?1), has_flags1,"
      " " HAUL_FOLDER_IS_WHOLE " FROM folder",
  [FIND_FOLDER] = "SELECT number, epoch1, epoch2 FROM folder WHERE path1 = ?1 AND path2 = ?2",
  [ADD_FOLDER] = "INSERT INTO folder(number, path1, path2, epoch1, epoch2, sum)"
                 " SELECT n, ?1, ?2, ?3, ?4, row_sum(n, ?1, ?2, ?3, ?4)"
                 " FROM (SELECT coalesce(max(number), 0) + 1 AS n FROM folder)",
  [RESET_FOLDER] = "UPDATE folder SET epoch1 = ?3, epoch2 = ?4, token1 = NULL, token2 = NULL,"
                   " sum = " HAUL_FOLDER_SUM("path2", "?3", "?4") " WHERE number = ?1",
  [END_FOLDER] = "UPDATE folder SET token1 = ?2, token2 = ?3, n_gone = ?4, subscribed = ?5,"
                 " has_flags1 = ?6 WHERE number = ?1",
  [RENAME_FOLDER] = "UPDATE folder SET path2 = ?2, sum = " HAUL_FOLDER_SUM(
      "?2", "epoch1", "epoch2") " WHERE number = ?1",
  [SET_EPOCH2] = "UPDATE folder SET epoch2 = ?2, sum = " HAUL_FOLDER_SUM("path2", "epoch1",
                                                                         "?2") " WHERE number = ?1",
  [LOAD_COVERED] = "SELECT id2 FROM folder CROSS JOIN pair ON pair.folder = number WHERE path2 = ?1"
                   " AND number <> ?2 AND (?3 = 0 OR epoch2 = 0 OR epoch2 = ?3)"
                   " AND id2 IS NOT NULL",
  [HAS_LEFT] = "SELECT 1 FROM folder CROSS JOIN pair ON pair.folder = number WHERE path2 = ?1"
               " AND leaving IS NOT NULL LIMIT 1",
  [LOAD_OUTDATED] = "SELECT path1 FROM folder WHERE path2 = ?1 AND ?2 <> 0 AND epoch2 <> 0"
                    " AND epoch2 <> ?2"
                    " AND EXISTS(SELECT 1 FROM pair WHERE pair.folder = folder.number)",
  [LOAD_STRAYS] = "SELECT id2 FROM stray WHERE folder = ?1",
  [ADD_STRAY] = "INSERT OR REPLACE INTO stray VALUES(?1, ?2)",
  [FORGET_STRAY] = "DELETE FROM stray WHERE folder = ?1 AND id2 = ?2",
  [DROP_STRAYS] = "DELETE FROM stray WHERE folder = ?1",
  [DROP_PAIRS] = "DELETE FROM pair WHERE folder = ?1",
  [DROP_INTENTS] = "DELETE FROM intent WHERE folder = ?1",
  [DROP_OBJECTS] = "DELETE FROM object WHERE folder = ?1",
  [HAS_OBJECTS] = "SELECT 1 FROM object LIMIT 1",
  [NOTE_OBJECT] = "INSERT OR IGNORE INTO object VALUES(?1, ?2, ?3)",
  [FIND_COPIES] =
      "SELECT id1, size, flags, keywords, key, sha256, folder, id2 FROM object"
      " JOIN pair USING(folder, id1)"
      " WHERE object = ?1 AND id2 IS NOT NULL AND gone IS NOT 1 AND " HAUL_PAIR_IS_WHOLE,
  [FIND_COPY] = "SELECT id1, size, flags, keywords, key, sha256, folder, id2 FROM pair"
                " WHERE folder = ?1 AND id1 = ?2 AND id2 IS NOT NULL AND gone IS NOT 1"
                " AND leaving IS NULL AND " HAUL_PAIR_IS_WHOLE,
  [LOAD_COPIES] = "SELECT id1, size, flags, keywords, key, sha256, folder, id2 FROM pair"
                  " WHERE folder = ?1 AND id2 IS NOT NULL AND gone IS NOT 1 AND leaving IS NULL"
                  " AND " HAUL_PAIR_IS_WHOLE " LIMIT ?2",
  [GET_LABELS] = "SELECT value FROM meta WHERE name = 'labels'",
  [SET_LABELS] = "INSERT OR REPLACE INTO meta VALUES('labels', ?1)",
  [DROP_TOKENS1] = "UPDATE folder SET token1 = NULL",
  [DROP_TOKENS] = "UPDATE folder SET token1 = NULL, token2 = NULL WHERE number = ?1",
  [LAST_RUN] = "SELECT coalesce(max(number), 0) FROM run",
  [ADD_RUN] = "INSERT OR IGNORE INTO run VALUES(?1, ?2, NULL)",
  [LOAD_RUNS] =
      "SELECT number, started_at, undone_at, coalesce(n, 0) FROM run LEFT JOIN"
      " (SELECT run, count(*) AS n FROM pair WHERE run IS NOT NULL GROUP BY run) ON run = number"
      " ORDER BY number",
  [END_RUN] = "UPDATE run SET undone_at = ?2 WHERE number = ?1",
  [COUNT_ADDED] = "SELECT count(*) FROM pair WHERE folder = ?1 AND run = ?2",
  [LOAD_ADDED] = "SELECT id1, id2, size, key, leaving, " HAUL_PAIR_IS_WHOLE
                 " FROM pair WHERE folder = ?1 AND run = ?2",
};

/* ---- SQLite, with our errors ---- */

bool
haul_db_fail(HaulJournal *journal, GError **error)
{
  int code = sqlite3_errcode(journal->db) & 0xff;
  const char *where = journal->file != NULL ? haul_journal_file_path(journal->file) : "memory";
  journal->damaged |= code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  if (code == SQLITE_FULL)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "disk-full",
                   "no space left for the state in %s; free some space and run again", where);
  else if (journal->damaged)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "state",
                   "state %s is damaged (%s); run again: it is put aside, and copies are found by "
                   "matching",
                   where, sqlite3_errmsg(journal->db));
  else
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "state", "state %s: %s", where,
                   sqlite3_errmsg(journal->db));
  return false;
}

bool
haul_db_damaged(HaulJournal *journal, const char *what, GError **error)
{
  const char *where = journal->file != NULL ? haul_journal_file_path(journal->file) : "memory";
  journal->damaged = true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "state",
                 "state %s is damaged (%s has changed by itself)", where, what);
  return false;
}

sqlite3_stmt *
haul_db_statement(HaulJournal *journal, HaulStatement which, GError **error)
{
  sqlite3_stmt **prepared = &journal->prepared[which];
  if (*prepared == NULL
      && sqlite3_prepare_v3(journal->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, prepared,
                            NULL)
             != SQLITE_OK)
    haul_db_fail(journal, error);
  return *prepared;
}

/* Runs a statement that gives no rows, and makes it ready for the next time. */
bool
haul_db_run(HaulJournal *journal, sqlite3_stmt *prepared, GError **error)
{
  bool done = sqlite3_step(prepared) == SQLITE_DONE || haul_db_fail(journal, error);
  sqlite3_reset(prepared);
  return done;
}

static bool
execute(HaulJournal *journal, const char *sql, GError **error)
{
  return sqlite3_exec(journal->db, sql, NULL, NULL, NULL) == SQLITE_OK
         || haul_db_fail(journal, error);
}

void
haul_db_bind_text(sqlite3_stmt *prepared, int at, const char *text)
{
  sqlite3_bind_text(prepared, at, text, -1, SQLITE_STATIC); /* NULL binds NULL */
}

/* UIDs are kept as integers, which are small; ids that only look like one stay what they are. */
void
haul_db_bind_id(sqlite3_stmt *prepared, int at, const char *id)
{
  size_t digits = id == NULL ? 0 : strspn(id, "0123456789");
  if (digits == 0 || id[digits] != '\0' || id[0] == '0' || digits > 18)
    haul_db_bind_text(prepared, at, id);
  else
    sqlite3_bind_int64(prepared, at, g_ascii_strtoll(id, NULL, 10));
}

HaulId
haul_db_column_id(sqlite3_stmt *prepared, int at, HaulIds *ids)
{
  if (sqlite3_column_type(prepared, at) == SQLITE_INTEGER)
    return (HaulId)sqlite3_column_int64(prepared, at);
  return haul_id_intern(ids, (const char *)sqlite3_column_text(prepared, at));
}

void
haul_db_bind_keywords(HaulJournal *journal, sqlite3_stmt *prepared, int at, uint32_t keywords)
{
  if (keywords == 0)
    sqlite3_bind_null(prepared, at);
  else
    sqlite3_bind_text(prepared, at, haul_keywords_text(journal->keywords, keywords), -1, g_free);
}

/* ---- opening ---- */

static bool
read_meta(HaulJournal *journal, const char *name, char **value)
{
  sqlite3_stmt *query;
  if (sqlite3_prepare_v2(journal->db, "SELECT value FROM meta WHERE name = ?1", -1, &query, NULL)
      != SQLITE_OK)
    return false;
  haul_db_bind_text(query, 1, name);
  bool found = sqlite3_step(query) == SQLITE_ROW;
  if (found)
    *value = g_strdup((const char *)sqlite3_column_text(query, 0));
  sqlite3_finalize(query);
  return found && *value != NULL;
}

static bool
pragma_number(HaulJournal *journal, const char *sql, int64_t *value)
{
  sqlite3_stmt *query;
  if (sqlite3_prepare_v2(journal->db, sql, -1, &query, NULL) != SQLITE_OK)
    return false;
  bool found = sqlite3_step(query) == SQLITE_ROW;
  if (found)
    *value = sqlite3_column_int64(query, 0);
  sqlite3_finalize(query);
  return found;
}

static bool
configure(HaulJournal *journal)
{
  /* Exclusive before the first read: WAL without shared memory, so a network file system will do.
   * FULL: what is noted survives a power cut, which is what an intent is for. */
  return sqlite3_exec(journal->db,
                      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -2048;"
                      "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                      "PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_mode = WAL;",
                      NULL, NULL, NULL)
         == SQLITE_OK;
}

static bool
create_schema(HaulJournal *journal, const char *identity1, const char *identity2, GError **error)
{
  g_autofree char *marks = g_strdup_printf("PRAGMA application_id = %d; PRAGMA user_version = %d;",
                                           APPLICATION_ID, SCHEMA_VERSION);
  sqlite3_stmt *insert;
  if (!execute(journal, "BEGIN", error) || !execute(journal, schema, error)
      || !execute(journal, marks, error))
    return false;
  if (sqlite3_prepare_v2(
          journal->db, "INSERT INTO meta VALUES('identity1', ?1), ('identity2', ?2), ('new', '1')",
          -1, &insert, NULL)
      != SQLITE_OK)
    return haul_db_fail(journal, error);
  haul_db_bind_text(insert, 1, identity1);
  haul_db_bind_text(insert, 2, identity2);
  bool done = haul_db_run(journal, insert, error);
  sqlite3_finalize(insert);
  journal->is_new = true;
  return done && execute(journal, "COMMIT", error);
}

typedef enum { STATE_NEW, STATE_GOOD, STATE_FORMER, STATE_UNUSABLE } StateHealth;

/* Never trusts a file that is damaged, of another pair, or of a schema that we do not know. */
static StateHealth
examine(HaulJournal *journal, const char *identity1, const char *identity2)
{
  int64_t n_tables = 0, application = 0, version = 0;
  if (!pragma_number(journal, "SELECT count(*) FROM sqlite_schema", &n_tables))
    return STATE_UNUSABLE;
  if (n_tables == 0)
    return STATE_NEW;
  g_autofree char *known1 = NULL, *known2 = NULL;
  if (!pragma_number(journal, "PRAGMA application_id", &application)
      || !pragma_number(journal, "PRAGMA user_version", &version) || application != APPLICATION_ID
      || version > SCHEMA_VERSION || version < OLDEST_VERSION
      || !read_meta(journal, "identity1", &known1) || !read_meta(journal, "identity2", &known2)
      || strcmp(known1, identity1) != 0 || strcmp(known2, identity2) != 0)
    return STATE_UNUSABLE;
  g_autofree char *is_new = NULL;
  journal->is_new = read_meta(journal, "new", &is_new);
  if (version < SCHEMA_VERSION)
    return STATE_FORMER;
  /* That every statement can be prepared shows that the tables are those of the schema. */
  for (int i = 0; i < N_STATEMENTS; i++)
    if (haul_db_statement(journal, (HaulStatement)i, NULL) == NULL)
      return STATE_UNUSABLE;
  return STATE_GOOD;
}

/* Makes a file of a former schema one of this schema. Where that fails, the database is to be closed,
 * which takes back what was done. */
static bool
migrate(HaulJournal *journal)
{
  g_autofree char *mark = g_strdup_printf("PRAGMA user_version = %d;", SCHEMA_VERSION);
  int64_t version = 0;
  bool going =
      pragma_number(journal, "PRAGMA user_version", &version) && execute(journal, "BEGIN", NULL);
  for (; going && version < SCHEMA_VERSION; version++)
    going = execute(journal, migrations[version], NULL);
  return going && execute(journal, mark, NULL) && execute(journal, "COMMIT", NULL);
}

static void
finalize_statements(HaulJournal *journal)
{
  for (size_t i = 0; i < N_STATEMENTS; i++)
    sqlite3_finalize(g_steal_pointer(&journal->prepared[i]));
}

static void
close_database(HaulJournal *journal)
{
  finalize_statements(journal);
  sqlite3_close(g_steal_pointer(&journal->db));
}

static bool
open_database(HaulJournal *journal, const char *path, int flags, GError **error)
{
  if (sqlite3_open_v2(path, &journal->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK
      || !haul_sum_install(journal->db)) {
    haul_db_fail(journal, error);
    close_database(journal);
    return false;
  }
  return true;
}

static bool
open_memory(HaulJournal *journal, const char *identity1, const char *identity2, GError **error)
{
  return open_database(journal, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error)
         && create_schema(journal, identity1, identity2, error);
}

/* Whether a file could not be looked at, which says nothing of what is in it. */
static bool
is_out_of_reach(const HaulJournal *journal)
{
  switch (sqlite3_errcode(journal->db) & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_CANTOPEN:
  case SQLITE_FULL:
  case SQLITE_IOERR:
  case SQLITE_LOCKED:
  case SQLITE_NOMEM:
  case SQLITE_PERM:
  case SQLITE_READONLY:
    return true;
  default:
    return false;
  }
}

/* Opens the file of two accounts and sees whether it can be used; puts it aside if not. */
static bool
open_file(HaulJournal *journal, const char *identity1, const char *identity2, bool *was_rebuilt,
          GError **error)
{
  const char *path = haul_journal_file_path(journal->file);
  for (int attempt = 0; attempt < 2; attempt++) {
    if (!open_database(journal, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error))
      return false;
    StateHealth health =
        configure(journal) ? examine(journal, identity1, identity2) : STATE_UNUSABLE;
    if (health == STATE_FORMER && migrate(journal))
      health = examine(journal, identity1, identity2);
    if (health == STATE_GOOD)
      return true;
    if (health == STATE_NEW)
      return create_schema(journal, identity1, identity2, error);
    if (attempt > 0 || is_out_of_reach(journal))
      return haul_db_fail(journal, error);
    close_database(journal);
    if (!haul_journal_file_put_aside(journal->file, error))
      return false;
    journal->damaged = false;
    *was_rebuilt = true;
  }
  g_assert_not_reached();
}

/* Takes the place of the open file: a copy in memory. */
static bool
copy_to_memory(HaulJournal *journal, GError **error)
{
  sqlite3 *file = g_steal_pointer(&journal->db);
  bool copied =
      open_database(journal, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);
  if (copied) {
    sqlite3_backup *backup = sqlite3_backup_init(journal->db, "main", file, "main");
    copied = backup != NULL && sqlite3_backup_step(backup, -1) == SQLITE_DONE;
    copied &= sqlite3_backup_finish(backup) == SQLITE_OK;
    if (!copied)
      haul_db_fail(journal, error);
  }
  sqlite3_close(file);
  return copied;
}

/*
 * Opens what a dry run sees: a copy of the file, or an empty state where there is none to be used.
 * Nothing is written, not even by SQLite: a file without a log beside it is opened as one that cannot
 * change, and a log is read without being carried over.
 */
static bool
open_dry(HaulJournal *journal, const char *identity1, const char *identity2, bool *was_rebuilt,
         GError **error)
{
  const char *path = haul_journal_file_path(journal->file);
  g_autofree char *log = g_strconcat(path, "-wal", NULL);
  g_autofree char *uri = g_filename_to_uri(path, NULL, error);
  if (uri == NULL)
    return false;
  struct stat info;
  bool exists = stat(path, &info) == 0 && info.st_size > 0;
  bool has_log = stat(log, &info) == 0 && info.st_size > 0;
  if (!exists && !has_log)
    return open_memory(journal, identity1, identity2, error);

  g_autofree char *frozen = g_strconcat(uri, "?immutable=1", NULL);
  if (!open_database(journal, has_log ? uri : frozen,
                     (has_log ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_URI,
                     error))
    return false;
  sqlite3_db_config(journal->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  StateHealth health =
      !has_log || configure(journal) ? examine(journal, identity1, identity2) : STATE_UNUSABLE;
  if (health == STATE_UNUSABLE && is_out_of_reach(journal))
    return haul_db_fail(journal, error);
  if (health == STATE_GOOD || health == STATE_FORMER) {
    finalize_statements(journal);
    if (!copy_to_memory(journal, error))
      return false;
    if (health == STATE_GOOD || migrate(journal))
      return true;
  }
  close_database(journal);
  journal->damaged = false;
  *was_rebuilt = health != STATE_NEW;
  return open_memory(journal, identity1, identity2, error);
}

HaulJournal *
haul_journal_open(const char *folder, HaulJournalMode mode, const char *identity1,
                  const char *identity2, HaulKeywords *keywords, bool *was_rebuilt, GError **error)
{
  *was_rebuilt = false;
  g_autoptr(HaulJournal) journal = g_new0(HaulJournal, 1);
  pthread_mutexattr_t recursive; /* a group is held by the thread that began it */
  pthread_mutexattr_init(&recursive);
  pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&journal->mutex, &recursive);
  pthread_mutexattr_destroy(&recursive);
  journal->keywords = keywords;
  journal->mode = mode;
  journal->folders = g_array_new(FALSE, TRUE, sizeof(HaulJournalFolder));
  journal->texts = g_string_chunk_new(1024);
  journal->epochs2 = g_hash_table_new(g_direct_hash, g_direct_equal);

  if (mode != HAUL_JOURNAL_MEMORY) {
    journal->file =
        haul_journal_file_open(folder, identity1, identity2, mode == HAUL_JOURNAL_FILE, error);
    if (journal->file == NULL)
      return NULL;
  }
  bool opened = mode == HAUL_JOURNAL_MEMORY ? open_memory(journal, identity1, identity2, error)
                : mode == HAUL_JOURNAL_DRY
                    ? open_dry(journal, identity1, identity2, was_rebuilt, error)
                    : open_file(journal, identity1, identity2, was_rebuilt, error);
  return opened ? g_steal_pointer(&journal) : NULL;
}

void
haul_journal_close(HaulJournal *journal)
{
  if (journal == NULL)
    return;
  if (journal->db != NULL) {
    if (!sqlite3_get_autocommit(journal->db))
      sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
    close_database(journal);
  }
  if (journal->damaged && journal->mode == HAUL_JOURNAL_FILE)
    haul_journal_file_put_aside(journal->file, NULL); /* found out while working with it */
  haul_journal_file_close(journal->file);
  g_array_unref(journal->folders);
  g_string_chunk_free(journal->texts);
  g_hash_table_unref(journal->epochs2);
  pthread_mutex_destroy(&journal->mutex);
  g_free(journal);
}

bool
haul_journal_is_damaged(const HaulJournal *journal)
{
  return journal->damaged;
}

bool
haul_journal_is_new(const HaulJournal *journal)
{
  return journal->is_new;
}

bool
haul_journal_settle(HaulJournal *journal, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = !journal->is_new || execute(journal, "DELETE FROM meta WHERE name = 'new'", error);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

/* ---- transactions ---- */

bool
haul_db_begin(HaulJournal *journal, GError **error)
{
  return journal->in_group || execute(journal, "BEGIN", error);
}

bool
haul_db_commit(HaulJournal *journal, GError **error)
{
  return journal->in_group || execute(journal, "COMMIT", error);
}

/* Ends a transaction in which something failed. */
bool
haul_db_roll_back(HaulJournal *journal)
{
  if (!journal->in_group)
    sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
  return false;
}

bool
haul_journal_begin(HaulJournal *journal, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  journal->in_group = haul_db_begin(journal, error);
  if (!journal->in_group)
    pthread_mutex_unlock(&journal->mutex);
  return journal->in_group;
}

bool
haul_journal_commit(HaulJournal *journal, GError **error)
{
  journal->in_group = false;
  bool done = haul_db_commit(journal, error) || haul_db_roll_back(journal);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_commit_after(HaulJournal *journal, bool going, GError **error)
{
  return haul_journal_commit(journal, going ? error : NULL) && going;
}
