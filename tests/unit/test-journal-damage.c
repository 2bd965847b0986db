/* Tests that no damage to a state is ever trusted or fatal: it is put aside, and a new one begun. */
#include "suite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "state.h"

/* A filled state, and what its file holds while it is whole. */
typedef struct {
  State state;
  char *path;    /* owned */
  char *content; /* owned */
  gsize size;
} Patient;

static void
patient_init(Patient *patient)
{
  state_init(&patient->state);
  state_fill(&patient->state);
  patient->path = state_file(&patient->state, ".db");
  CU_ASSERT_PTR_NOT_NULL_FATAL(patient->path);
  CU_ASSERT_FATAL(g_file_get_contents(patient->path, &patient->content, &patient->size, NULL));
}

static void
patient_clear(Patient *patient)
{
  g_free(patient->path);
  g_free(patient->content);
  state_clear(&patient->state);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Patient, patient_clear)

/* Puts a file with this content in the place of the state, and nothing beside it. */
static void
infect(Patient *patient, const char *content, gsize size)
{
  static const char *const beside[] = { "-wal", "-journal", ".damaged", ".damaged-wal" };
  state_close(&patient->state);
  for (size_t i = 0; i < G_N_ELEMENTS(beside); i++) {
    g_autofree char *path = g_strconcat(patient->path, beside[i], NULL);
    unlink(path);
  }
  CU_ASSERT_FATAL(g_file_set_contents(patient->path, content, (gssize)size, NULL));
}

typedef enum {
  SOUND,     /* opened, and all work could be done with it          */
  REBUILT,   /* put aside when it was opened                        */
  RECOVERED, /* found out while working: put aside for the next run */
  LOST,      /* anything else                                       */
} Outcome;

static Outcome
run_on(Patient *patient)
{
  State *state = &patient->state;
  g_autoptr(GError) error = NULL;
  uint64_t n_pairs = 0;
  if (!state_open(state, HAUL_JOURNAL_FILE, &error)) {
    printf("cannot be opened: %s\n", error->message);
    return LOST;
  }
  bool rebuilt = state->was_rebuilt, worked = state_work(state, &n_pairs, &error);
  state_close(state);
  g_autofree char *aside = g_strconcat(patient->path, ".damaged", NULL);
  if (rebuilt)
    return worked && n_pairs == 0 && access(aside, F_OK) == 0 ? REBUILT : LOST;
  if (worked)
    return SOUND;
  /* Found out on the way: this run ends with an error, the next one is well. */
  if (haul_error_reach(error) != HAUL_ERROR_ACCOUNT
      || strcmp(haul_error_reason(error), "state") != 0)
    return LOST;
  g_clear_error(&error);
  worked = state_open(state, HAUL_JOURNAL_FILE, &error) && state_work(state, &n_pairs, &error);
  state_close(state);
  if (!worked)
    printf("still broken: %s\n", error->message);
  return worked && n_pairs == 0 && access(aside, F_OK) == 0 ? RECOVERED : LOST;
}

static void
a_truncated_state_is_put_aside(void)
{
  g_auto(Patient) patient;
  patient_init(&patient);
  const gsize sizes[] = {
    15,
    16,
    50,
    99,
    100,
    101,
    512,
    1023,
    1024,
    4095,
    4096,
    4097,
    8192,
    12288,
    patient.size / 2,
    patient.size / 2 + 4096,
    patient.size - 4096,
    patient.size - 512,
  };
  for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
    infect(&patient, patient.content, sizes[i]);
    Outcome outcome = run_on(&patient);
    CU_ASSERT(outcome == REBUILT || outcome == RECOVERED);
    if (outcome != REBUILT && outcome != RECOVERED)
      printf("%u octets: outcome %d\n", (unsigned)sizes[i], outcome);
  }
  /* What SQLite takes for an empty file, and an octet that nothing may lie in. */
  const gsize tolerable[] = { 1, patient.size - 1 };
  for (size_t i = 0; i < G_N_ELEMENTS(tolerable); i++) {
    infect(&patient, patient.content, tolerable[i]);
    CU_ASSERT_NOT_EQUAL(run_on(&patient), LOST);
  }
}

static void
an_empty_file_is_a_new_state(void)
{
  g_auto(Patient) patient;
  patient_init(&patient);
  infect(&patient, "", 0);
  uint64_t n_pairs = 1;
  state_reopen(&patient.state);
  CU_ASSERT(state_work(&patient.state, &n_pairs, NULL));
  CU_ASSERT_EQUAL(n_pairs, 0);
}

static bool
is_new_after_opening(Patient *patient, HaulJournalMode mode)
{
  CU_ASSERT(state_open(&patient->state, mode, NULL));
  return haul_journal_is_new(patient->state.journal);
}

static void
a_state_is_new_until_a_run_has_ended_well(void)
{
  g_auto(Patient) patient;
  patient_init(&patient);
  CU_ASSERT_TRUE(is_new_after_opening(&patient, HAUL_JOURNAL_FILE));
  CU_ASSERT_TRUE(haul_journal_settle(patient.state.journal, NULL));
  CU_ASSERT_FALSE(is_new_after_opening(&patient, HAUL_JOURNAL_FILE));
  state_close(&patient.state);
  CU_ASSERT_FALSE(is_new_after_opening(&patient, HAUL_JOURNAL_DRY));
  CU_ASSERT_TRUE(is_new_after_opening(&patient, HAUL_JOURNAL_MEMORY));
  infect(&patient, patient.content, 4096);
  CU_ASSERT_TRUE(is_new_after_opening(&patient, HAUL_JOURNAL_FILE));
  CU_ASSERT_TRUE(patient.state.was_rebuilt);
  CU_ASSERT_TRUE(is_new_after_opening(&patient, HAUL_JOURNAL_FILE));
  CU_ASSERT_FALSE(patient.state.was_rebuilt);
}

static void
a_flipped_bit_is_never_fatal(void)
{
  g_auto(Patient) patient;
  patient_init(&patient);
  unsigned n[LOST + 1] = { 0 };
  uint32_t seed = 20261124;
  for (unsigned i = 0; i < 200; i++) {
    g_autofree char *content = g_memdup2(patient.content, patient.size);
    /* Half of them where every run looks: in the first pages. */
    gsize at = next_random(&seed) % (i % 2 == 0 ? 3 * 4096 : patient.size);
    content[at] = (char)(content[at] ^ (1 << next_random(&seed) % 8));
    infect(&patient, content, patient.size);
    Outcome outcome = run_on(&patient);
    n[outcome]++;
    CU_ASSERT_NOT_EQUAL(outcome, LOST);
    if (outcome == LOST)
      printf("octet %u\n", (unsigned)at);
  }
  printf("%u sound, %u rebuilt, %u recovered ", n[SOUND], n[REBUILT], n[RECOVERED]);
}

/* Whether all that the open state tells of its pairs is what state_fill() noted; what it does not know any
 * more does no harm. True, too, where it says that it is damaged. */
static bool
tells_only_the_truth(const State *state)
{
  GArray *folders = haul_journal_folders(state->journal, NULL);
  if (folders == NULL)
    return haul_journal_is_damaged(state->journal);
  for (guint i = 0; i < folders->len; i++) {
    HaulJournalFolder folder = g_array_index(folders, HaulJournalFolder, i);
    if (strcmp(folder.path1, folder.path2) != 0 || folder.epoch1 != 7 || folder.epoch2 != 8)
      return false;
    g_autoptr(HaulIds) ids = haul_ids_new();
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
    if (!haul_journal_load_pairs(state->journal, folder.number, ids, ids, pairs, NULL))
      return haul_journal_is_damaged(state->journal);
    for (guint k = 0; k < pairs->len; k++) {
      const HaulPair *pair = &g_array_index(pairs, HaulPair, k);
      bool number = haul_id_is_number(pair->id1);
      if (pair->id1 != pair->id2 || number != (strcmp(folder.path1, "a") == 0)
          || (number && (pair->id1 > STATE_PAIRS || pair->flags != (pair->id1 & HAUL_ALL_FLAGS)))
          || pair->gone || pair->left || pair->leaving)
        return false;
    }
    g_autoptr(GPtrArray) intents = haul_journal_intents(state->journal, folder.number, NULL);
    if (intents == NULL)
      return haul_journal_is_damaged(state->journal);
    for (guint k = 0; k < intents->len; k++) {
      const HaulIntentBatch *batch = intents->pdata[k];
      g_auto(HaulCargo) wanted = state_cargo("999", 1);
      const HaulCargo *cargo = &g_array_index(batch->cargo, HaulCargo, 0);
      if (batch->cargo->len != 1 || strcmp(cargo->id1, "999") != 0
          || memcmp(cargo->sha256, wanted.sha256, sizeof wanted.sha256) != 0
          || !haul_key_equal(&cargo->key, &wanted.key))
        return false;
    }
  }
  return true;
}

/* A sample of all octets of the file, in which each page has its share; all of them in a long run. */
static void
a_flipped_bit_never_makes_it_tell_an_untruth(void)
{
  g_auto(Patient) patient;
  patient_init(&patient);
  unsigned n = 0, n_rebuilt = 0, n_found = 0;
  uint32_t seed = 4711;
  gsize step = g_getenv("MAILHAUL_TEST_LONG") != NULL ? 1 : 61;
  g_autofree char *content = g_memdup2(patient.content, patient.size);
  for (gsize at = 0; at < patient.size; at += step, n++) {
    char before = content[at];
    content[at] = (char)(before ^ (1 << next_random(&seed) % 8));
    infect(&patient, content, patient.size);
    content[at] = before;
    if (!state_open(&patient.state, HAUL_JOURNAL_FILE, NULL))
      continue;
    bool told = tells_only_the_truth(&patient.state);
    n_rebuilt += patient.state.was_rebuilt;
    n_found += haul_journal_is_damaged(patient.state.journal);
    CU_ASSERT(told);
    if (!told)
      printf("octet %u\n", (unsigned)at);
  }
  printf("%u flips: %u rebuilt, %u found ", n, n_rebuilt, n_found);
  CU_ASSERT(n_rebuilt > 0 && n_found > 0);
}

static void
a_page_of_nonsense_is_never_fatal(void)
{
  g_auto(Patient) patient;
  patient_init(&patient);
  uint32_t seed = 7;
  for (gsize page = 0; page < patient.size / 4096; page++)
    for (unsigned kind = 0; kind < 2; kind++) {
      g_autofree char *content = g_memdup2(patient.content, patient.size);
      for (gsize i = 0; i < 4096; i++)
        content[page * 4096 + i] = kind == 0 ? 0 : (char)next_random(&seed);
      infect(&patient, content, patient.size);
      Outcome outcome = run_on(&patient);
      CU_ASSERT_NOT_EQUAL(outcome, LOST);
      if (outcome == LOST)
        printf("page %u, kind %u\n", (unsigned)page, kind);
    }
}

static void
a_damaged_log_beside_the_state_is_never_fatal(void)
{
  /* As if killed: what was noted is in the write-ahead log, whose tail did not reach the disk. */
  g_auto(Patient) patient;
  patient_init(&patient);
  g_autofree char *wal = g_strconcat(patient.path, "-wal", NULL);
  uint32_t seed = 99;
  for (unsigned i = 0; i < 40; i++) {
    infect(&patient, patient.content, patient.size);
    state_reopen(&patient.state);
    uint64_t n_pairs;
    CU_ASSERT(state_work(&patient.state, &n_pairs, NULL));
    g_autofree char *content = NULL;
    gsize size = 0;
    CU_ASSERT_FATAL(g_file_get_contents(wal, &content, &size, NULL));
    CU_ASSERT_FATAL(size > 0);
    infect(&patient, patient.content, patient.size);
    if (i % 2 == 0)
      size = next_random(&seed) % size;
    else
      content[next_random(&seed) % size] ^= 0x10;
    CU_ASSERT_FATAL(g_file_set_contents(wal, content, (gssize)size, NULL));
    Outcome outcome = run_on(&patient);
    CU_ASSERT_NOT_EQUAL(outcome, LOST);
  }
}

static void
execute(const char *path, const char *sql)
{
  sqlite3 *db;
  CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
  CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
}

static void
a_state_that_is_not_ours_is_put_aside(void)
{
  static const char *const changes[] = {
    "PRAGMA user_version = 1",
    "PRAGMA user_version = 3",
    "PRAGMA user_version = 4",
    "PRAGMA user_version = 5",
    "PRAGMA user_version = 6",
    "PRAGMA user_version = 7",
    "PRAGMA user_version = 9",
    "PRAGMA user_version = 0",
    "PRAGMA user_version = -1",
    "PRAGMA application_id = 1",
    "UPDATE meta SET value = 'bob@old' WHERE name = 'identity1'",
    "UPDATE meta SET value = 'ann@newer' WHERE name = 'identity2'",
    "UPDATE meta SET value = NULL",
    "DELETE FROM meta",
    "DROP TABLE meta",
    "DROP TABLE pair",
    "DROP TABLE stray",
    "DROP TABLE object",
    "ALTER TABLE pair RENAME TO couple",
    "ALTER TABLE intent DROP COLUMN cargo",
    "DROP TABLE folder; CREATE VIEW folder AS SELECT 1",
  };
  g_auto(Patient) patient;
  patient_init(&patient);
  for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
    infect(&patient, patient.content, patient.size);
    execute(patient.path, changes[i]);
    Outcome outcome = run_on(&patient);
    CU_ASSERT(outcome == REBUILT || outcome == RECOVERED);
    if (outcome != REBUILT && outcome != RECOVERED)
      printf("%s: outcome %d\n", changes[i], outcome);
  }
}

static void
a_file_that_is_no_database_is_put_aside_as_it_is(void)
{
  g_auto(Patient) patient;
  patient_init(&patient);
  uint32_t seed = 5;
  g_autofree char *noise = g_malloc(20000);
  for (size_t i = 0; i < 20000; i++)
    noise[i] = (char)next_random(&seed);
  const struct {
    const char *content;
    gsize size;
  } files[] = { { noise, 20000 }, { "SQLite format 3", 16 }, { "Subject: hi\n\nyo\n", 16 } };
  for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
    infect(&patient, files[i].content, files[i].size);
    CU_ASSERT_EQUAL(run_on(&patient), REBUILT);
    g_autofree char *aside = g_strconcat(patient.path, ".damaged", NULL), *content = NULL;
    gsize size = 0;
    CU_ASSERT(g_file_get_contents(aside, &content, &size, NULL));
    CU_ASSERT(size == files[i].size && memcmp(content, files[i].content, size) == 0);
  }
}

static void
a_dry_run_leaves_even_a_damaged_state_alone(void)
{
  g_auto(Patient) patient;
  patient_init(&patient);
  static const gsize sizes[] = { 0, 16, 100, 4096, 20000 };
  for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
    infect(&patient, patient.content, sizes[i]);
    g_autofree char *before = state_snapshot(&patient.state);
    g_autoptr(GError) error = NULL;
    uint64_t n_pairs;
    /* It plans without a state, or says that this one is no good. */
    if (!state_open(&patient.state, HAUL_JOURNAL_DRY, &error)
        || !state_work(&patient.state, &n_pairs, &error))
      CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "state", NULL);
    state_close(&patient.state);
    g_autofree char *after = state_snapshot(&patient.state);
    CU_ASSERT_STRING_EQUAL(after, before);
    if (strcmp(after, before) != 0)
      printf("%u octets:\n%s%s", (unsigned)sizes[i], before, after);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_truncated_state_is_put_aside),
    CASE(an_empty_file_is_a_new_state),
    CASE(a_state_is_new_until_a_run_has_ended_well),
    CASE(a_flipped_bit_is_never_fatal),
    CASE(a_flipped_bit_never_makes_it_tell_an_untruth),
    CASE(a_page_of_nonsense_is_never_fatal),
    CASE(a_damaged_log_beside_the_state_is_never_fatal),
    CASE(a_state_that_is_not_ours_is_put_aside),
    CASE(a_file_that_is_no_database_is_put_aside_as_it_is),
    CASE(a_dry_run_leaves_even_a_damaged_state_alone),
  };
  return RUN_SUITE("journal: damage", cases);
}
