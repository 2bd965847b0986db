/*
 * Deliveries: intents that are durable before anything is sent, and the receipts that complete them.
 */
#include "journal-db.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/message.h>

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

/* Beside the flags of a record: of another form that was delivered, its size and SHA-256 follow at the end. */
#define ALTERED (UINT32_C(1) << 31)

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
      .flags = one->flags | (one->altered ? ALTERED : 0),
      .id_size = (uint16_t)strlen(one->id1),
      .keywords_size = (uint16_t)(keywords != NULL ? MIN(strlen(keywords), UINT16_MAX) : 0),
      .key = one->key,
    };
    memcpy(record.sha256, one->sha256, sizeof record.sha256);
    g_byte_array_append(packed, (const uint8_t *)&record, sizeof record);
    g_byte_array_append(packed, (const uint8_t *)one->id1, record.id_size);
    if (record.keywords_size > 0)
      g_byte_array_append(packed, (const uint8_t *)keywords, record.keywords_size);
    if (one->altered) {
      g_byte_array_append(packed, (const uint8_t *)&one->sent_size, sizeof one->sent_size);
      g_byte_array_append(packed, one->sent_sha256, sizeof one->sent_sha256);
    }
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
    bool altered = (record.flags & ALTERED) != 0;
    size_t n_texts = (size_t)record.id_size + record.keywords_size;
    size_t n_sent = altered ? sizeof(uint64_t) + HAUL_SHA256_SIZE : 0;
    if (size < n_texts + n_sent)
      return false;
    g_autofree char *keywords =
        g_strndup((const char *)packed + record.id_size, record.keywords_size);
    HaulCargo one = {
      .id1 = g_strndup((const char *)packed, record.id_size),
      .size = record.size,
      .flags = record.flags & ~ALTERED,
      .keywords = haul_keywords_parse(journal->keywords, keywords),
      .key = record.key,
      .altered = altered,
    };
    memcpy(one.sha256, record.sha256, sizeof one.sha256);
    packed += n_texts;
    if (altered) {
      memcpy(&one.sent_size, packed, sizeof one.sent_size);
      memcpy(one.sent_sha256, packed + sizeof one.sent_size, sizeof one.sent_sha256);
    }
    g_array_append_val(cargo, one);
    packed += n_sent;
    size -= n_texts + n_sent;
  }
  return true;
}

static bool
add_intent(HaulJournal *journal, HaulIntentBatch *batch, GError **error)
{
  sqlite3_stmt *insert = haul_db_statement(journal, ADD_INTENT, error);
  if (insert == NULL || !haul_db_note_run(journal, error))
    return false;
  g_autoptr(GByteArray) packed = pack_cargo(journal, batch->cargo);
  for (guint i = 0; i < batch->cargo->len; i++)
    g_array_index(batch->cargo, HaulCargo, i).run = journal->run;
  sqlite3_bind_int64(insert, 1, batch->folder);
  sqlite3_bind_int64(insert, 2, (sqlite3_int64)batch->epoch2);
  haul_db_bind_text(insert, 3, batch->next_id2);
  sqlite3_bind_int64(insert, 4, batch->made_at);
  sqlite3_bind_blob(insert, 5, packed->data, (int)packed->len, SQLITE_STATIC);
  sqlite3_bind_int64(insert, 6, journal->run);
  bool done = haul_db_run(journal, insert, error);
  batch->number = sqlite3_last_insert_rowid(journal->db);
  return done;
}

static bool
meets_epoch(HaulJournal *journal, int64_t folder, uint64_t epoch2, bool *same, GError **error)
{
  gpointer key = GSIZE_TO_POINTER((gsize)folder);
  uint64_t known = GPOINTER_TO_SIZE(g_hash_table_lookup(journal->epochs2, key));
  *same = epoch2 == 0 || known == 0 || known == epoch2;
  return epoch2 == 0 || known != 0 || haul_db_set_epoch2(journal, folder, epoch2, error);
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
            || (same
                && !haul_db_add_pair(journal, receipt->batch->folder, cargo, receipt->id2, error))))
      return false;
  }
  for (guint i = 0; settled != NULL && i < settled->len; i++) {
    const HaulIntentBatch *done = settled->pdata[i];
    sqlite3_stmt *delete = haul_db_statement(journal, END_INTENT, error);
    if (delete == NULL)
      return false;
    sqlite3_bind_int64(delete, 1, done->number);
    if (!haul_db_run(journal, delete, error))
      return false;
  }
  return batch == NULL || add_intent(journal, batch, error);
}

bool
haul_journal_note(HaulJournal *journal, GArray *receipts, GPtrArray *settled,
                  HaulIntentBatch *batch, GError **error)
{
  pthread_mutex_lock(&journal->mutex);
  bool done = haul_db_begin(journal, error);
  if (done)
    done = note(journal, receipts, settled, batch, error) ? haul_db_commit(journal, error)
                                                          : haul_db_roll_back(journal);
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

/* Takes a column of @size octets; false where it is not one. */
static bool
read_blob(sqlite3_stmt *query, int column, void *to, int size)
{
  bool fits = sqlite3_column_bytes(query, column) == size;
  if (fits)
    memcpy(to, sqlite3_column_blob(query, column), (size_t)size);
  return fits;
}

bool
haul_journal_each_copied(HaulJournal *journal, int64_t folder, HaulCargoFunc each, void *data,
                         GError **error)
{
  bool done = false;
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_COPIED, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    int step;
    while ((step = sqlite3_step(query)) == SQLITE_ROW) {
      HaulCargo cargo = { .size = (uint64_t)sqlite3_column_int64(query, 1) };
      bool has_key = sqlite3_column_type(query, 1) != SQLITE_NULL
                     && read_blob(query, 0, &cargo.key, sizeof cargo.key);
      bool has_sha256 = read_blob(query, 2, cargo.sha256, sizeof cargo.sha256);
      if (has_key || has_sha256)
        each(&cargo, has_sha256, data);
    }
    done = step == SQLITE_DONE || haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return done;
}

/* Drops the cargo that a receipt has completed. */
static bool
drop_paired(HaulJournal *journal, HaulIntentBatch *batch, GError **error)
{
  sqlite3_stmt *query = haul_db_statement(journal, HAS_PAIR, error);
  if (query == NULL)
    return false;
  for (guint i = batch->cargo->len; i-- > 0;) {
    sqlite3_bind_int64(query, 1, batch->folder);
    haul_db_bind_id(query, 2, g_array_index(batch->cargo, HaulCargo, i).id1);
    int step = sqlite3_step(query);
    sqlite3_reset(query);
    if (step == SQLITE_ROW)
      g_array_remove_index(batch->cargo, i);
    else if (step != SQLITE_DONE)
      return haul_db_fail(journal, error);
  }
  return true;
}

static GPtrArray *
load_intents(HaulJournal *journal, int64_t folder, GError **error)
{
  sqlite3_stmt *query = haul_db_statement(journal, LOAD_INTENTS, error);
  if (query == NULL)
    return NULL;
  g_autoptr(GPtrArray) batches =
      g_ptr_array_new_with_free_func((GDestroyNotify)haul_intent_batch_free);
  sqlite3_bind_int64(query, 1, folder);
  int step = SQLITE_DONE;
  bool whole = true;
  while (whole && (step = sqlite3_step(query)) == SQLITE_ROW) {
    HaulIntentBatch *batch = haul_intent_batch_new(folder, (uint64_t)sqlite3_column_int64(query, 1),
                                                   (const char *)sqlite3_column_text(query, 2));
    g_ptr_array_add(batches, batch);
    batch->number = sqlite3_column_int64(query, 0);
    batch->made_at = sqlite3_column_int64(query, 3);
    whole = sqlite3_column_int(query, 5) != 0
            && unpack_cargo(journal, sqlite3_column_blob(query, 4),
                            (size_t)sqlite3_column_bytes(query, 4), batch->cargo);
    for (guint i = 0; i < batch->cargo->len; i++)
      g_array_index(batch->cargo, HaulCargo, i).run = sqlite3_column_int64(query, 6);
  }
  bool done = !whole ? haul_db_damaged(journal, "an intent", error)
                     : step == SQLITE_DONE || haul_db_fail(journal, error);
  sqlite3_reset(query);
  if (!done)
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

static void
column_octets(sqlite3_stmt *query, int at, void *octets, size_t size)
{
  if (sqlite3_column_bytes(query, at) == (int)size)
    memcpy(octets, sqlite3_column_blob(query, at), size);
}

HaulCargo
haul_db_column_cargo(HaulJournal *journal, sqlite3_stmt *query)
{
  HaulCargo cargo = {
    .id1 = g_strdup((const char *)sqlite3_column_text(query, 0)),
    .size = sqlite3_column_type(query, 1) == SQLITE_NULL ? HAUL_UNKNOWN
                                                         : (uint64_t)sqlite3_column_int64(query, 1),
    .flags = (uint32_t)sqlite3_column_int64(query, 2),
    .keywords = haul_keywords_parse(journal->keywords, (const char *)sqlite3_column_text(query, 3)),
  };
  column_octets(query, 4, &cargo.key, sizeof cargo.key);
  column_octets(query, 5, cargo.sha256, sizeof cargo.sha256);
  return cargo;
}

/* Loads what @which selects of a folder, as a batch without a number: @n of @n_rows, spread evenly. */
static HaulIntentBatch *
load_cargo(HaulJournal *journal, HaulStatement which, int64_t folder, uint64_t n, uint64_t n_rows,
           GError **error)
{
  g_autoptr(HaulIntentBatch) batch = haul_intent_batch_new(folder, 0, NULL);
  int step = SQLITE_ERROR;
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *query = haul_db_statement(journal, which, error);
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    for (uint64_t row = 0; (step = sqlite3_step(query)) == SQLITE_ROW; row++) {
      if (row * n / n_rows == (row + 1) * n / n_rows)
        continue;
      HaulCargo cargo = haul_db_column_cargo(journal, query);
      cargo.run = sqlite3_column_int64(query, 6);
      g_array_append_val(batch->cargo, cargo);
    }
    if (step != SQLITE_DONE)
      haul_db_fail(journal, error);
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  return step == SQLITE_DONE ? g_steal_pointer(&batch) : NULL;
}

HaulIntentBatch *
haul_journal_nameless(HaulJournal *journal, int64_t folder, GError **error)
{
  return load_cargo(journal, LOAD_NAMELESS, folder, 1, 1, error);
}

HaulIntentBatch *
haul_journal_sample(HaulJournal *journal, int64_t folder, unsigned n, GError **error)
{
  int64_t n_rows = 0;
  pthread_mutex_lock(&journal->mutex);
  sqlite3_stmt *query = haul_db_statement(journal, COUNT_SAMPLE, error);
  bool done = false;
  if (query != NULL) {
    sqlite3_bind_int64(query, 1, folder);
    done = sqlite3_step(query) == SQLITE_ROW || haul_db_fail(journal, error);
    n_rows = done ? sqlite3_column_int64(query, 0) : 0;
    sqlite3_reset(query);
  }
  pthread_mutex_unlock(&journal->mutex);
  uint64_t most = (uint64_t)MAX(n_rows, 1);
  return done ? load_cargo(journal, LOAD_SAMPLE, folder, MIN(n, most), most, error) : NULL;
}
