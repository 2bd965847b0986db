/* What is known of folders and pairs. */
#include "journal-db.h"

#include <string.h>

#include <mailhaul/message.h>

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
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_FOLDERS, error);
  GArray *folders = NULL;
  if (query != NULL) {
    sqlite3_bind_int(query, 1, 1);
    int step;
    bool whole = true;
    while (whole && (step = sqlite3_step(query)) == SQLITE_ROW) {
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
        .has_flags1 = sqlite3_column_int(query, 11) != 0,
      };
      g_array_append_val(journal->folders, folder);
      whole = sqlite3_column_int(query, 12) != 0;
    }
    if (!whole)
      haul_db_damaged(journal, "a folder", error);
    else if (step == SQLITE_DONE)
      folders = journal->folders;
    else
      haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return folders;
}

static bool
drop_folder_content(HaulJournal *journal, int64_t folder, GError **error)
{
  const HaulStatement drops[] = { DROP_PAIRS, DROP_STRAYS, DROP_INTENTS, DROP_OBJECTS };
  for (size_t i = 0; i < G_N_ELEMENTS(drops); i++) {
    sqlite3_stmt *drop = haul_db_statement(journal, drops[i], error);
    if (drop == NULL)
      return false;
    sqlite3_bind_int64(drop, 1, folder);
    if (!haul_db_run(journal, drop, error))
      return false;
  }
  return true;
}

static bool
other_epoch(uint64_t known, uint64_t now)
{
  return now == HAUL_EPOCH_GONE || (known != 0 && now != 0 && known != now);
}

static int64_t
begin_folder(HaulJournal *journal, const char *path1, const char *path2, uint64_t epoch1,
             uint64_t epoch2, GError **error)
{
  sqlite3_stmt *find = haul_db_statement(journal, FIND_FOLDER, error);
  if (find == NULL)
    return -1;
  haul_db_bind_text(find, 1, path1);
  haul_db_bind_text(find, 2, path2);
  int step = sqlite3_step(find);
  int64_t number = -1;
  bool stale = false;
  uint64_t known1 = 0, known2 = 0;
  if (step == SQLITE_ROW) {
    number = sqlite3_column_int64(find, 0);
    known1 = (uint64_t)sqlite3_column_int64(find, 1);
    known2 = (uint64_t)sqlite3_column_int64(find, 2);
    stale = other_epoch(known1, epoch1) || other_epoch(known2, epoch2);
  } else if (step != SQLITE_DONE) {
    haul_db_fail(journal, error);
    sqlite3_reset(find);
    return -1;
  }
  sqlite3_reset(find);
  if (stale && !drop_folder_content(journal, number, error))
    return -1;

  epoch1 = epoch1 != 0 ? epoch1 : known1;
  epoch2 = epoch2 == HAUL_EPOCH_GONE ? 0 : epoch2 != 0 ? epoch2 : known2;
  sqlite3_stmt *write = haul_db_statement(journal, number < 0 ? ADD_FOLDER : RESET_FOLDER, error);
  if (write == NULL)
    return -1;
  if (number < 0) {
    haul_db_bind_text(write, 1, path1);
    haul_db_bind_text(write, 2, path2);
  } else {
    sqlite3_bind_int64(write, 1, number);
  }
  sqlite3_bind_int64(write, 3, (sqlite3_int64)epoch1);
  sqlite3_bind_int64(write, 4, (sqlite3_int64)epoch2);
  if (!haul_db_run(journal, write, error))
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
  if (haul_db_begin(journal, error)) {
    number = begin_folder(journal, path1, path2, epoch1, epoch2, error);
    if (number < 0)
      haul_db_roll_back(journal);
    else if (!haul_db_commit(journal, error))
      number = -1;
  }
  pthread_mutex_unlock(&journal->mutex);
  return number;
}

bool
haul_journal_end_folder(HaulJournal *journal, int64_t folder, const char *token1,
                        const char *token2, uint64_t n_gone, bool subscribed, bool has_flags1,
                        GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *write = haul_db_statement(journal, END_FOLDER, error);
  bool done = false;
  if (write != NULL) {
    sqlite3_bind_int64(write, 1, folder);
    haul_db_bind_text(write, 2, token1);
    haul_db_bind_text(write, 3, token2);
    sqlite3_bind_int64(write, 4, (sqlite3_int64)n_gone);
    sqlite3_bind_int(write, 5, subscribed);
    sqlite3_bind_int(write, 6, has_flags1);
    done = haul_db_run(journal, write, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_rename_folder(HaulJournal *journal, int64_t folder, const char *path2, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *write = haul_db_statement(journal, RENAME_FOLDER, error);
  bool done = false;
  if (write != NULL) {
    sqlite3_bind_int64(write, 1, folder);
    haul_db_bind_text(write, 2, path2);
    done = haul_db_run(journal, write, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_db_set_epoch2(HaulJournal *journal, int64_t folder, uint64_t epoch2, GError **error)
{
  sqlite3_stmt *update = haul_db_statement(journal, SET_EPOCH2, error);
  if (update == NULL)
    return false;
  sqlite3_bind_int64(update, 1, folder);
  sqlite3_bind_int64(update, 2, (sqlite3_int64)epoch2);
  g_hash_table_insert(journal->epochs2, GSIZE_TO_POINTER((gsize)folder),
                      GSIZE_TO_POINTER((gsize)epoch2));
  return haul_db_run(journal, update, error);
}

bool
haul_journal_set_epoch2(HaulJournal *journal, int64_t folder, uint64_t epoch2, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = haul_db_set_epoch2(journal, folder, epoch2, error);
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
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_PAIRS, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    int step = SQLITE_DONE;
    bool whole = true;
    while (whole && (step = sqlite3_step(query)) == SQLITE_ROW) {
      HaulPair pair = {
        .id1 = haul_db_column_id(query, 0, ids1),
        .id2 = haul_db_column_id(query, 1, ids2),
        .flags = (uint32_t)sqlite3_column_int64(query, 2),
        .keywords =
            haul_keywords_parse(journal->keywords, (const char *)sqlite3_column_text(query, 3)),
        .gone = sqlite3_column_int(query, 4) != 0,
        .leaving = sqlite3_column_int(query, 5) == 1,
        .left = sqlite3_column_int(query, 5) == 2,
      };
      g_array_append_val(pairs, pair);
      whole = sqlite3_column_int(query, 6) != 0;
    }
    done = !whole ? haul_db_damaged(journal, "a pair", error)
                  : step == SQLITE_DONE || haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_db_add_pair(HaulJournal *journal, int64_t folder, const HaulCargo *cargo, const char *id2,
                 GError **error)
{
  sqlite3_stmt *insert = haul_db_statement(journal, ADD_PAIR, error);
  if (insert == NULL)
    return false;
  sqlite3_bind_int64(insert, 1, folder);
  haul_db_bind_id(insert, 2, cargo->id1);
  haul_db_bind_id(insert, 3, id2);
  if (cargo->size == HAUL_UNKNOWN)
    sqlite3_bind_null(insert, 4);
  else
    sqlite3_bind_int64(insert, 4, (sqlite3_int64)cargo->size);
  sqlite3_bind_int64(insert, 5, cargo->flags);
  haul_db_bind_keywords(journal, insert, 6, cargo->keywords);
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
  if (cargo->run == 0)
    sqlite3_bind_null(insert, 11);
  else
    sqlite3_bind_int64(insert, 11, cargo->run);
  sqlite3_bind_int64(insert, 9, g_get_real_time() / G_USEC_PER_SEC);
  sqlite3_bind_int(insert, 10, cargo->proven);
  return haul_db_run(journal, insert, error);
}

bool
haul_journal_add_pair(HaulJournal *journal, int64_t folder, const HaulCargo *cargo, const char *id2,
                      GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = haul_db_add_pair(journal, folder, cargo, id2, error);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_set_agreed(HaulJournal *journal, int64_t folder, const char *id1, uint32_t flags,
                        uint32_t keywords, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *update = haul_db_statement(journal, SET_AGREED, error);
  if (update != NULL) {
    sqlite3_bind_int64(update, 1, folder);
    haul_db_bind_id(update, 2, id1);
    sqlite3_bind_int64(update, 3, flags);
    haul_db_bind_keywords(journal, update, 4, keywords);
    done = haul_db_run(journal, update, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_set_gone(HaulJournal *journal, int64_t folder, const char *id1, bool gone,
                      GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *update = haul_db_statement(journal, SET_GONE, error);
  if (update != NULL) {
    sqlite3_bind_int64(update, 1, folder);
    haul_db_bind_id(update, 2, id1);
    sqlite3_bind_int(update, 3, gone);
    done = haul_db_run(journal, update, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_forget_pair(HaulJournal *journal, int64_t folder, const char *id1, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *delete = haul_db_statement(journal, FORGET_PAIR, error);
  if (delete != NULL) {
    sqlite3_bind_int64(delete, 1, folder);
    haul_db_bind_id(delete, 2, id1);
    done = haul_db_run(journal, delete, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_forget_pairs(HaulJournal *journal, int64_t folder, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  if (haul_db_begin(journal, error)) {
    done = drop_folder_content(journal, folder, error);
    if (!done)
      haul_db_roll_back(journal);
    else
      done = haul_db_commit(journal, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

/* ---- strays ---- */

bool
haul_journal_load_strays(HaulJournal *journal, int64_t folder, HaulIds *ids2, GArray *strays,
                         GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_STRAYS, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    int step;
    while ((step = sqlite3_step(query)) == SQLITE_ROW) {
      HaulId id2 = haul_db_column_id(query, 0, ids2);
      g_array_append_val(strays, id2);
    }
    done = step == SQLITE_DONE || haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

bool
haul_journal_set_stray(HaulJournal *journal, int64_t folder, const char *id2, bool is_stray,
                       GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = false;
  sqlite3_stmt *write = haul_db_statement(journal, is_stray ? ADD_STRAY : FORGET_STRAY, error);
  if (write != NULL) {
    sqlite3_bind_int64(write, 1, folder);
    haul_db_bind_id(write, 2, id2);
    done = haul_db_run(journal, write, error);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}
