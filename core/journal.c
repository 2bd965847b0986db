/*
 * The journal: SQLite's side of what has been done. Which folder and which lock it lives under is
 * journal-file.c's affair.
 */
#include "journal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/message.h>

#include "journal-file.h"

#define APPLICATION_ID 0x6d68756c /* "mhul" */
#define SCHEMA_VERSION 1

static const char schema[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "CREATE TABLE folder(number INTEGER PRIMARY KEY, path1 TEXT NOT NULL UNIQUE,"
    " path2 TEXT NOT NULL, epoch1 INTEGER NOT NULL, epoch2 INTEGER NOT NULL, token1 TEXT,"
    " token2 TEXT, n_gone INTEGER NOT NULL DEFAULT 0, subscribed INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE pair(folder INTEGER NOT NULL, id1 NOT NULL, id2, size INTEGER,"
    " flags INTEGER NOT NULL, keywords TEXT, key BLOB, sha256 BLOB,"
    " PRIMARY KEY(folder, id1)) WITHOUT ROWID;"
    "CREATE TABLE intent(number INTEGER PRIMARY KEY, folder INTEGER NOT NULL,"
    " epoch2 INTEGER NOT NULL, next_id2 TEXT, made_at INTEGER NOT NULL, cargo BLOB NOT NULL);";

typedef enum {
  ADD_PAIR,
  SET_AGREED,
  FORGET_PAIR,
  ADD_INTENT,
  END_INTENT,
  LOAD_PAIRS,
  HAS_PAIR,
  LOAD_INTENTS,
  LOAD_FOLDERS,
  FIND_FOLDER,
  ADD_FOLDER,
  RESET_FOLDER,
  END_FOLDER,
  SET_EPOCH2,
  DROP_PAIRS,
  DROP_INTENTS,
  N_STATEMENTS,
} Statement;

static const char *const statements[N_STATEMENTS] = {
  [ADD_PAIR] = "INSERT OR REPLACE INTO pair VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
  [SET_AGREED] = "UPDATE pair SET flags = ?3, keywords = ?4 WHERE folder = ?1 AND id1 = ?2",
  [FORGET_PAIR] = "DELETE FROM pair WHERE folder = ?1 AND id1 = ?2",
  [ADD_INTENT] = "INSERT INTO intent(folder, epoch2, next_id2, made_at, cargo)"
                 " VALUES(?1, ?2, ?3, ?4, ?5)",
  [END_INTENT] = "DELETE FROM intent WHERE number = ?1",
  [LOAD_PAIRS] = "SELECT id1, id2, flags, keywords FROM pair WHERE folder = ?1",
  [HAS_PAIR] = "SELECT 1 FROM pair WHERE folder = ?1 AND id1 = ?2",
  [LOAD_INTENTS] = "SELECT number, epoch2, next_id2, made_at, cargo FROM intent"
                   " WHERE folder = ?1 ORDER BY number",
  [LOAD_FOLDERS] =
      "SELECT number, path1, path2, epoch1, epoch2, token1, token2, n_gone, subscribed,"
      " EXISTS(SELECT 1 FROM intent WHERE intent.folder = number),"
      " (SELECT count(*) FROM pair WHERE pair.folder = number AND ?1)"
      " FROM folder",
  [FIND_FOLDER] = "SELECT number, path2, epoch1, epoch2 FROM folder WHERE path1 = ?1",
  [ADD_FOLDER] = "INSERT INTO folder(path1, path2, epoch1, epoch2) VALUES(?1, ?2, ?3, ?4)",
  [RESET_FOLDER] = "UPDATE folder SET path2 = ?2, epoch1 = ?3, epoch2 = ?4, token1 = NULL,"
                   " token2 = NULL WHERE number = ?1",
  [END_FOLDER] = "UPDATE folder SET token1 = ?2, token2 = ?3, n_gone = ?4, subscribed = ?5"
                 " WHERE number = ?1",
  [SET_EPOCH2] = "UPDATE folder SET epoch2 = ?2 WHERE number = ?1",
  [DROP_PAIRS] = "DELETE FROM pair WHERE folder = ?1",
  [DROP_INTENTS] = "DELETE FROM intent WHERE folder = ?1",
};

struct HaulJournal {
  pthread_mutex_t mutex;
  sqlite3 *db;
  sqlite3_stmt *prepared[N_STATEMENTS];
  HaulJournalFile *file;  /* owned, or NULL */
  HaulKeywords *keywords; /* borrowed */
  HaulJournalMode mode;
  bool in_group;       /* between begin and commit */
  GArray *folders;     /* owned; what haul_journal_folders() lent */
  GStringChunk *texts; /* owned; and the texts in it */
  GHashTable *epochs2; /* folder number -> epoch2 (pointers), as on record */
};

/* ---- SQLite, with our errors ---- */

static bool
fail(HaulJournal *journal, GError **error)
{
  int code = sqlite3_errcode(journal->db) & 0xff;
  const char *where = journal->file != NULL ? haul_journal_file_path(journal->file) : "memory";
  if (code == SQLITE_FULL)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "disk-full",
                   "no space left for the state in %s; free some space and run again", where);
  else
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "state", "state %s: %s", where,
                   sqlite3_errmsg(journal->db));
  return false;
}

static sqlite3_stmt *
statement(HaulJournal *journal, Statement which, GError **error)
{
  sqlite3_stmt **prepared = &journal->prepared[which];
  if (*prepared == NULL
      && sqlite3_prepare_v3(journal->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, prepared,
                            NULL)
             != SQLITE_OK)
    fail(journal, error);
  return *prepared;
}

/* Runs a statement that gives no rows, and makes it ready for the next time. */
static bool
run(HaulJournal *journal, sqlite3_stmt *prepared, GError **error)
{
  bool done = sqlite3_step(prepared) == SQLITE_DONE || fail(journal, error);
  sqlite3_reset(prepared);
  return done;
}

static bool
execute(HaulJournal *journal, const char *sql, GError **error)
{
  return sqlite3_exec(journal->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(journal, error);
}

static void
bind_text(sqlite3_stmt *prepared, int at, const char *text)
{
  sqlite3_bind_text(prepared, at, text, -1, SQLITE_STATIC); /* NULL binds NULL */
}

/* UIDs are kept as integers, which are small; ids that only look like one stay what they are. */
static void
bind_id(sqlite3_stmt *prepared, int at, const char *id)
{
  size_t digits = id == NULL ? 0 : strspn(id, "0123456789");
  if (digits == 0 || id[digits] != '\0' || id[0] == '0' || digits > 18)
    bind_text(prepared, at, id);
  else
    sqlite3_bind_int64(prepared, at, g_ascii_strtoll(id, NULL, 10));
}

static HaulId
column_id(sqlite3_stmt *prepared, int at, HaulIds *ids)
{
  if (sqlite3_column_type(prepared, at) == SQLITE_INTEGER)
    return (HaulId)sqlite3_column_int64(prepared, at);
  return haul_id_intern(ids, (const char *)sqlite3_column_text(prepared, at));
}

static void
bind_keywords(HaulJournal *journal, sqlite3_stmt *prepared, int at, uint32_t keywords)
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
  bind_text(query, 1, name);
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
  if (sqlite3_prepare_v2(journal->db, "INSERT INTO meta VALUES('identity1', ?1), ('identity2', ?2)",
                         -1, &insert, NULL)
      != SQLITE_OK)
    return fail(journal, error);
  bind_text(insert, 1, identity1);
  bind_text(insert, 2, identity2);
  bool done = run(journal, insert, error);
  sqlite3_finalize(insert);
  return done && execute(journal, "COMMIT", error);
}

typedef enum { STATE_NEW, STATE_GOOD, STATE_UNUSABLE } StateHealth;

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
      || version != SCHEMA_VERSION || !read_meta(journal, "identity1", &known1)
      || !read_meta(journal, "identity2", &known2) || strcmp(known1, identity1) != 0
      || strcmp(known2, identity2) != 0)
    return STATE_UNUSABLE;
  return STATE_GOOD;
}

static void
close_database(HaulJournal *journal)
{
  for (size_t i = 0; i < N_STATEMENTS; i++)
    sqlite3_finalize(g_steal_pointer(&journal->prepared[i]));
  sqlite3_close(g_steal_pointer(&journal->db));
}

static bool
open_database(HaulJournal *journal, const char *path, GError **error)
{
  if (sqlite3_open_v2(path, &journal->db,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL)
      != SQLITE_OK) {
    fail(journal, error);
    close_database(journal);
    return false;
  }
  return true;
}

/* Opens the file of two accounts and sees whether it can be used; puts it aside if not. */
static bool
open_file(HaulJournal *journal, const char *identity1, const char *identity2, bool *was_rebuilt,
          GError **error)
{
  const char *path = haul_journal_file_path(journal->file);
  for (int attempt = 0; attempt < 2; attempt++) {
    if (!open_database(journal, path, error))
      return false;
    StateHealth health =
        configure(journal) ? examine(journal, identity1, identity2) : STATE_UNUSABLE;
    int code = sqlite3_errcode(journal->db) & 0xff;
    if (health == STATE_GOOD)
      return true;
    if (health == STATE_NEW)
      return create_schema(journal, identity1, identity2, error);
    if (code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_CANTOPEN
        || code == SQLITE_READONLY || attempt > 0)
      return fail(journal, error);
    close_database(journal);
    if (!haul_journal_file_put_aside(journal->file, error))
      return false;
    *was_rebuilt = true;
  }
  g_assert_not_reached();
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
  /* A dry run without a state has nothing to read, and must not make one. */
  if (mode == HAUL_JOURNAL_MEMORY
      || (mode == HAUL_JOURNAL_DRY && !haul_journal_file_exists(journal->file))) {
    if (!open_database(journal, ":memory:", error)
        || !create_schema(journal, identity1, identity2, error))
      return NULL;
  } else if (!open_file(journal, identity1, identity2, was_rebuilt, error))
    return NULL;
  if (mode == HAUL_JOURNAL_DRY) {
    sqlite3_db_config(journal->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (!execute(journal, "BEGIN", error)) /* never committed */
      return NULL;
  }
  return g_steal_pointer(&journal);
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
  haul_journal_file_close(journal->file);
  g_array_unref(journal->folders);
  g_string_chunk_free(journal->texts);
  g_hash_table_unref(journal->epochs2);
  pthread_mutex_destroy(&journal->mutex);
  g_free(journal);
}

/* ---- transactions ---- */

static bool
begin(HaulJournal *journal, GError **error)
{
  return journal->in_group || journal->mode == HAUL_JOURNAL_DRY || execute(journal, "BEGIN", error);
}

static bool
commit(HaulJournal *journal, GError **error)
{
  return journal->in_group || journal->mode == HAUL_JOURNAL_DRY
         || execute(journal, "COMMIT", error);
}

/* Ends a transaction in which something failed. */
static bool
roll_back(HaulJournal *journal)
{
  if (!journal->in_group && journal->mode != HAUL_JOURNAL_DRY)
    sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
  return false;
}

bool
haul_journal_begin(HaulJournal *journal, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  journal->in_group = begin(journal, error);
  if (!journal->in_group)
    pthread_mutex_unlock(&journal->mutex);
  return journal->in_group;
}

bool
haul_journal_commit(HaulJournal *journal, GError **error)
{
  journal->in_group = false;
  bool done = commit(journal, error) || roll_back(journal);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

/* ---- folders ---- */

static const char *
column_text(HaulJournal *journal, sqlite3_stmt *query, int at)
{
  const char *text = (const char *)sqlite3_column_text(query, at);
  return text != NULL ? g_string_chunk_insert(journal->texts, text) : NULL;
}

GArray *
haul_journal_folders(HaulJournal *journal, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  g_array_set_size(journal->folders, 0);
  g_string_chunk_clear(journal->texts);
  sqlite3_stmt *query = statement(journal, LOAD_FOLDERS, error);
  GArray *folders = NULL;
  if (query != NULL) {
    sqlite3_bind_int(query, 1, 1);
    int step;
    while ((step = sqlite3_step(query)) == SQLITE_ROW) {
      HaulJournalFolder folder = {
        .number = sqlite3_column_int64(query, 0),
        .path1 = column_text(journal, query, 1),
        .path2 = column_text(journal, query, 2),
        .epoch1 = (uint64_t)sqlite3_column_int64(query, 3),
        .epoch2 = (uint64_t)sqlite3_column_int64(query, 4),
        .token1 = column_text(journal, query, 5),
        .token2 = column_text(journal, query, 6),
        .n_gone = (uint64_t)sqlite3_column_int64(query, 7),
        .was_subscribed = sqlite3_column_int(query, 8) != 0,
        .has_intents = sqlite3_column_int(query, 9) != 0,
        .n_pairs = (uint64_t)sqlite3_column_int64(query, 10),
      };
      g_array_append_val(journal->folders, folder);
    }
    if (step == SQLITE_DONE)
      folders = journal->folders;
    else
      fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return folders;
}

static bool
drop_folder_content(HaulJournal *journal, int64_t folder, GError **error)
{
  const Statement drops[] = { DROP_PAIRS, DROP_INTENTS };
  for (size_t i = 0; i < G_N_ELEMENTS(drops); i++) {
    sqlite3_stmt *drop = statement(journal, drops[i], error);
    if (drop == NULL)
      return false;
    sqlite3_bind_int64(drop, 1, folder);
    if (!run(journal, drop, error))
      return false;
  }
  return true;
}

static bool
other_epoch(sqlite3_int64 known, uint64_t now)
{
  return known != 0 && (uint64_t)known != now;
}

static int64_t
begin_folder(HaulJournal *journal, const char *path1, const char *path2, uint64_t epoch1,
             uint64_t epoch2, GError **error)
{
  sqlite3_stmt *find = statement(journal, FIND_FOLDER, error);
  if (find == NULL)
    return -1;
  bind_text(find, 1, path1);
  int step = sqlite3_step(find);
  int64_t number = -1;
  bool stale = false;
  if (step == SQLITE_ROW) {
    number = sqlite3_column_int64(find, 0);
    stale = strcmp((const char *)sqlite3_column_text(find, 1), path2) != 0
            || other_epoch(sqlite3_column_int64(find, 2), epoch1)
            || other_epoch(sqlite3_column_int64(find, 3), epoch2);
  } else if (step != SQLITE_DONE) {
    fail(journal, error);
    sqlite3_reset(find);
    return -1;
  }
  sqlite3_reset(find);
  if (stale && !drop_folder_content(journal, number, error))
    return -1;

  sqlite3_stmt *write = statement(journal, number < 0 ? ADD_FOLDER : RESET_FOLDER, error);
  if (write == NULL)
    return -1;
  if (number < 0)
    bind_text(write, 1, path1);
  else
    sqlite3_bind_int64(write, 1, number);
  bind_text(write, 2, path2);
  sqlite3_bind_int64(write, 3, (sqlite3_int64)epoch1);
  sqlite3_bind_int64(write, 4, (sqlite3_int64)epoch2);
  if (!run(journal, write, error))
    return -1;
  if (number < 0)
    number = sqlite3_last_insert_rowid(journal->db);
  g_hash_table_insert(journal->epochs2, GSIZE_TO_POINTER((gsize)number),
                      GSIZE_TO_POINTER((gsize)epoch2));
  return number;
}

int64_t
haul_journal_begin_folder(HaulJournal *journal, const char *path1, const char *path2,
                          uint64_t epoch1, uint64_t epoch2, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  int64_t number = -1;
  if (begin(journal, error)) {
    number = begin_folder(journal, path1, path2, epoch1, epoch2, error);
    if (number < 0)
      roll_back(journal);
    else if (!commit(journal, error))
      number = -1;
  }
  pthread_mutex_unlock(&journal->mutex);
  return number;
}

bool
haul_journal_end_folder(HaulJournal *journal, int64_t folder, const char *token1,
                        const char *token2, uint64_t n_gone, bool subscribed, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *write = statement(journal, END_FOLDER, error);
  bool done = false;
  if (write != NULL) {
    sqlite3_bind_int64(write, 1, folder);
    bind_text(write, 2, token1);
    bind_text(write, 3, token2);
    sqlite3_bind_int64(write, 4, (sqlite3_int64)n_gone);
    sqlite3_bind_int(write, 5, subscribed);
    done = run(journal, write, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

static bool
set_epoch2(HaulJournal *journal, int64_t folder, uint64_t epoch2, GError **error)
{
  sqlite3_stmt *update = statement(journal, SET_EPOCH2, error);
  if (update == NULL)
    return false;
  sqlite3_bind_int64(update, 1, folder);
  sqlite3_bind_int64(update, 2, (sqlite3_int64)epoch2);
  g_hash_table_insert(journal->epochs2, GSIZE_TO_POINTER((gsize)folder),
                      GSIZE_TO_POINTER((gsize)epoch2));
  return run(journal, update, error);
}

bool
haul_journal_set_epoch2(HaulJournal *journal, int64_t folder, uint64_t epoch2, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = set_epoch2(journal, folder, epoch2, error);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

/* ---- pairs ---- */

bool
haul_journal_load_pairs(HaulJournal *journal, int64_t folder, HaulIds *ids1, HaulIds *ids2,
                        GArray *pairs, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *query = statement(journal, LOAD_PAIRS, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    int step;
    while ((step = sqlite3_step(query)) == SQLITE_ROW) {
      HaulPair pair = {
        .id1 = column_id(query, 0, ids1),
        .id2 = column_id(query, 1, ids2),
        .flags = (uint32_t)sqlite3_column_int64(query, 2),
        .keywords =
            haul_keywords_parse(journal->keywords, (const char *)sqlite3_column_text(query, 3)),
      };
      g_array_append_val(pairs, pair);
    }
    done = step == SQLITE_DONE || fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

static bool
add_pair(HaulJournal *journal, int64_t folder, const HaulCargo *cargo, const char *id2,
         GError **error)
{
  sqlite3_stmt *insert = statement(journal, ADD_PAIR, error);
  if (insert == NULL)
    return false;
  sqlite3_bind_int64(insert, 1, folder);
  bind_id(insert, 2, cargo->id1);
  bind_id(insert, 3, id2);
  if (cargo->size == HAUL_UNKNOWN)
    sqlite3_bind_null(insert, 4);
  else
    sqlite3_bind_int64(insert, 4, (sqlite3_int64)cargo->size);
  sqlite3_bind_int64(insert, 5, cargo->flags);
  bind_keywords(journal, insert, 6, cargo->keywords);
  static const HaulKey no_key;
  static const uint8_t no_hash[sizeof cargo->sha256];
  if (memcmp(&cargo->key, &no_key, sizeof no_key) == 0)
    sqlite3_bind_null(insert, 7);
  else
    sqlite3_bind_blob(insert, 7, &cargo->key, sizeof cargo->key, SQLITE_STATIC);
  if (memcmp(cargo->sha256, no_hash, sizeof no_hash) == 0)
    sqlite3_bind_null(insert, 8);
  else
    sqlite3_bind_blob(insert, 8, cargo->sha256, sizeof cargo->sha256, SQLITE_STATIC);
  return run(journal, insert, error);
}

bool
haul_journal_add_pair(HaulJournal *journal, int64_t folder, const HaulCargo *cargo, const char *id2,
                      GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = add_pair(journal, folder, cargo, id2, error);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_set_agreed(HaulJournal *journal, int64_t folder, const char *id1, uint32_t flags,
                        uint32_t keywords, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *update = statement(journal, SET_AGREED, error);
  if (update != NULL) {
    sqlite3_bind_int64(update, 1, folder);
    bind_id(update, 2, id1);
    sqlite3_bind_int64(update, 3, flags);
    bind_keywords(journal, update, 4, keywords);
    done = run(journal, update, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_forget_pair(HaulJournal *journal, int64_t folder, const char *id1, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *delete = statement(journal, FORGET_PAIR, error);
  if (delete != NULL) {
    sqlite3_bind_int64(delete, 1, folder);
    bind_id(delete, 2, id1);
    done = run(journal, delete, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

/* ---- deliveries ---- */

void
haul_cargo_clear(HaulCargo *cargo)
{
  g_clear_pointer(&cargo->id1, g_free);
}

void
haul_receipt_clear(HaulReceipt *receipt)
{
  g_clear_pointer(&receipt->id2, g_free);
}

HaulIntentBatch *
haul_intent_batch_new(int64_t folder, uint64_t epoch2, const char *next_id2)
{
  HaulIntentBatch *batch = g_new0(HaulIntentBatch, 1);
  batch->folder = folder;
  batch->epoch2 = epoch2;
  batch->next_id2 = g_strdup(next_id2);
  batch->made_at = g_get_real_time() / G_USEC_PER_SEC;
  batch->cargo = g_array_new(FALSE, TRUE, sizeof(HaulCargo));
  g_array_set_clear_func(batch->cargo, (GDestroyNotify)haul_cargo_clear);
  return batch;
}

void
haul_intent_batch_free(HaulIntentBatch *batch)
{
  if (batch == NULL)
    return;
  g_array_unref(batch->cargo);
  g_free(batch->next_id2);
  g_free(batch);
}

/* What is of fixed size in the record of one cargo; its id and keywords follow. */
typedef struct {
  uint64_t size;
  uint32_t flags;
  uint16_t id_size, keywords_size;
  HaulKey key;
  uint8_t sha256[32];
} CargoRecord;

static GByteArray *
pack_cargo(HaulJournal *journal, const GArray *cargo)
{
  GByteArray *packed = g_byte_array_new();
  for (guint i = 0; i < cargo->len; i++) {
    const HaulCargo *one = &g_array_index(cargo, HaulCargo, i);
    g_autofree char *keywords =
        one->keywords != 0 ? haul_keywords_text(journal->keywords, one->keywords) : NULL;
    CargoRecord record = {
      .size = one->size,
      .flags = one->flags,
      .id_size = (uint16_t)strlen(one->id1),
      .keywords_size = (uint16_t)(keywords != NULL ? MIN(strlen(keywords), UINT16_MAX) : 0),
      .key = one->key,
    };
    memcpy(record.sha256, one->sha256, sizeof record.sha256);
    g_byte_array_append(packed, (const uint8_t *)&record, sizeof record);
    g_byte_array_append(packed, (const uint8_t *)one->id1, record.id_size);
    if (record.keywords_size > 0)
      g_byte_array_append(packed, (const uint8_t *)keywords, record.keywords_size);
  }
  return packed;
}

static bool
unpack_cargo(HaulJournal *journal, const uint8_t *packed, size_t size, GArray *cargo)
{
  while (size > 0) {
    CargoRecord record;
    if (size < sizeof record)
      return false;
    memcpy(&record, packed, sizeof record);
    packed += sizeof record;
    size -= sizeof record;
    if (size < (size_t)record.id_size + record.keywords_size)
      return false;
    g_autofree char *keywords =
        g_strndup((const char *)packed + record.id_size, record.keywords_size);
    HaulCargo one = {
      .id1 = g_strndup((const char *)packed, record.id_size),
      .size = record.size,
      .flags = record.flags,
      .keywords = haul_keywords_parse(journal->keywords, keywords),
      .key = record.key,
    };
    memcpy(one.sha256, record.sha256, sizeof one.sha256);
    g_array_append_val(cargo, one);
    packed += record.id_size + record.keywords_size;
    size -= (size_t)record.id_size + record.keywords_size;
  }
  return true;
}

static bool
add_intent(HaulJournal *journal, HaulIntentBatch *batch, GError **error)
{
  sqlite3_stmt *insert = statement(journal, ADD_INTENT, error);
  if (insert == NULL)
    return false;
  g_autoptr(GByteArray) packed = pack_cargo(journal, batch->cargo);
  sqlite3_bind_int64(insert, 1, batch->folder);
  sqlite3_bind_int64(insert, 2, (sqlite3_int64)batch->epoch2);
  bind_text(insert, 3, batch->next_id2);
  sqlite3_bind_int64(insert, 4, batch->made_at);
  sqlite3_bind_blob(insert, 5, packed->data, (int)packed->len, SQLITE_STATIC);
  bool done = run(journal, insert, error);
  batch->number = sqlite3_last_insert_rowid(journal->db);
  return done;
}

static bool
meets_epoch(HaulJournal *journal, int64_t folder, uint64_t epoch2, bool *same, GError **error)
{
  gpointer key = GSIZE_TO_POINTER((gsize)folder);
  uint64_t known = GPOINTER_TO_SIZE(g_hash_table_lookup(journal->epochs2, key));
  *same = epoch2 == 0 || known == 0 || known == epoch2;
  return epoch2 == 0 || known != 0 || set_epoch2(journal, folder, epoch2, error);
}

static bool
note(HaulJournal *journal, const GArray *receipts, const GPtrArray *settled, HaulIntentBatch *batch,
     GError **error)
{
  for (guint i = 0; receipts != NULL && i < receipts->len; i++) {
    const HaulReceipt *receipt = &g_array_index(receipts, HaulReceipt, i);
    const HaulCargo *cargo = &g_array_index(receipt->batch->cargo, HaulCargo, receipt->index);
    bool same = true;
    if (receipt->delivered
        && (!meets_epoch(journal, receipt->batch->folder, receipt->epoch2, &same, error)
            || (same && !add_pair(journal, receipt->batch->folder, cargo, receipt->id2, error))))
      return false;
  }
  for (guint i = 0; settled != NULL && i < settled->len; i++) {
    const HaulIntentBatch *done = settled->pdata[i];
    sqlite3_stmt *delete = statement(journal, END_INTENT, error);
    if (delete == NULL)
      return false;
    sqlite3_bind_int64(delete, 1, done->number);
    if (!run(journal, delete, error))
      return false;
  }
  return batch == NULL || add_intent(journal, batch, error);
}

bool
haul_journal_note(HaulJournal *journal, GArray *receipts, GPtrArray *settled,
                  HaulIntentBatch *batch, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = begin(journal, error);
  if (done)
    done = note(journal, receipts, settled, batch, error) ? commit(journal, error)
                                                          : roll_back(journal);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

/* Drops the cargo that a receipt has completed. */
static bool
drop_paired(HaulJournal *journal, HaulIntentBatch *batch, GError **error)
{
  sqlite3_stmt *query = statement(journal, HAS_PAIR, error);
  if (query == NULL)
    return false;
  for (guint i = batch->cargo->len; i-- > 0;) {
    sqlite3_bind_int64(query, 1, batch->folder);
    bind_id(query, 2, g_array_index(batch->cargo, HaulCargo, i).id1);
    int step = sqlite3_step(query);
    sqlite3_reset(query);
    if (step == SQLITE_ROW)
      g_array_remove_index(batch->cargo, i);
    else if (step != SQLITE_DONE)
      return fail(journal, error);
  }
  return true;
}

static GPtrArray *
load_intents(HaulJournal *journal, int64_t folder, GError **error)
{
  sqlite3_stmt *query = statement(journal, LOAD_INTENTS, error);
  if (query == NULL)
    return NULL;
  g_autoptr(GPtrArray) batches =
      g_ptr_array_new_with_free_func((GDestroyNotify)haul_intent_batch_free);
  sqlite3_bind_int64(query, 1, folder);
  int step;
  while ((step = sqlite3_step(query)) == SQLITE_ROW) {
    HaulIntentBatch *batch = haul_intent_batch_new(folder, (uint64_t)sqlite3_column_int64(query, 1),
                                                   (const char *)sqlite3_column_text(query, 2));
    g_ptr_array_add(batches, batch);
    batch->number = sqlite3_column_int64(query, 0);
    batch->made_at = sqlite3_column_int64(query, 3);
    if (!unpack_cargo(journal, sqlite3_column_blob(query, 4),
                      (size_t)sqlite3_column_bytes(query, 4), batch->cargo))
      haul_log(HAUL_LOG_WARNING, "an intent of the state is damaged; what it held is matched anew");
  }
  if (step != SQLITE_DONE)
    fail(journal, error);
  sqlite3_reset(query);
  if (step != SQLITE_DONE)
    return NULL;
  for (guint i = 0; i < batches->len; i++)
    if (!drop_paired(journal, batches->pdata[i], error))
      return NULL;
  return g_steal_pointer(&batches);
}

GPtrArray *
haul_journal_intents(HaulJournal *journal, int64_t folder, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  GPtrArray *batches = load_intents(journal, folder, error);
  pthread_mutex_unlock(&journal->mutex);
  return batches;
}
