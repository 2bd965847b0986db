/* Tests intent.c: what the journal remembers of deliveries, and that it outlives its process. */
#include "suite.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state.h"

/* A batch of deliveries with these ids, separated by blanks, noted. */
static HaulIntentBatch *
note_batch(const State *state, int64_t folder, uint64_t epoch2, const char *next_id2,
           const char *ids)
{
  HaulIntentBatch *batch = haul_intent_batch_new(folder, epoch2, next_id2);
  g_auto(GStrv) words = g_strsplit(ids, " ", -1);
  for (size_t i = 0; words[i] != NULL; i++) {
    HaulCargo cargo = state_cargo(words[i], (uint8_t)(i + 1));
    if (i == 1)
      cargo.keywords = haul_keywords_parse(state->keywords, "one two");
    g_array_append_val(batch->cargo, cargo);
  }
  CU_ASSERT(haul_journal_note(state->journal, NULL, NULL, batch, NULL));
  return batch;
}

static void
note_receipt(const State *state, const HaulIntentBatch *batch, guint index, bool delivered,
             uint64_t epoch2, const char *id2)
{
  g_autoptr(GArray) receipts = g_array_new(FALSE, TRUE, sizeof(HaulReceipt));
  g_array_set_clear_func(receipts, (GDestroyNotify)haul_receipt_clear);
  HaulReceipt receipt = { batch, index, delivered, epoch2, g_strdup(id2) };
  g_array_append_val(receipts, receipt);
  CU_ASSERT(haul_journal_note(state->journal, receipts, NULL, NULL, NULL));
}

/* The ids of open deliveries, batch after batch: "1 2|5". */
static char *
intents_of(const State *state, int64_t folder)
{
  g_autoptr(GPtrArray) batches = haul_journal_intents(state->journal, folder, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(batches);
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < batches->len; i++) {
    const HaulIntentBatch *batch = batches->pdata[i];
    if (i > 0)
      g_string_append_c(text, '|');
    for (guint k = 0; k < batch->cargo->len; k++)
      g_string_append_printf(text, "%s%s", k > 0 ? " " : "",
                             g_array_index(batch->cargo, HaulCargo, k).id1);
  }
  return g_string_free(text, FALSE);
}

#define CHECK_INTENTS(state, folder, expected)                                                     \
  do {                                                                                             \
    g_autofree char *intents_ = intents_of(state, folder);                                         \
    CU_ASSERT_STRING_EQUAL(intents_, expected);                                                    \
    if (strcmp(intents_, expected) != 0)                                                           \
      printf("line %d: %s\n", __LINE__, intents_);                                                 \
  } while (0)

static void
an_intent_comes_back_whole(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  g_autoptr(HaulIntentBatch) batch = note_batch(&state, folder, 8, "41", "5 007 file:2,S");
  CU_ASSERT(batch->number > 0);
  state_reopen(&state);
  CU_ASSERT(state_folder(&state, "a").has_intents);
  g_autoptr(GPtrArray) batches = haul_journal_intents(state.journal, folder, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(batches);
  CU_ASSERT_EQUAL_FATAL(batches->len, 1);
  const HaulIntentBatch *known = batches->pdata[0];
  CU_ASSERT_EQUAL(known->number, batch->number);
  CU_ASSERT_EQUAL(known->folder, folder);
  CU_ASSERT_EQUAL(known->epoch2, 8);
  CU_ASSERT_EQUAL(known->made_at, batch->made_at);
  CU_ASSERT_STRING_EQUAL(known->next_id2, "41");
  CU_ASSERT_EQUAL_FATAL(known->cargo->len, 3);
  for (guint i = 0; i < 3; i++) {
    const HaulCargo *was = &g_array_index(batch->cargo, HaulCargo, i);
    const HaulCargo *is = &g_array_index(known->cargo, HaulCargo, i);
    CU_ASSERT_STRING_EQUAL(is->id1, was->id1);
    CU_ASSERT_EQUAL(is->size, was->size);
    CU_ASSERT_EQUAL(is->flags, was->flags);
    CU_ASSERT_EQUAL(is->keywords, was->keywords);
    CU_ASSERT(haul_key_equal(&is->key, &was->key));
    CU_ASSERT_EQUAL(memcmp(is->sha256, was->sha256, sizeof is->sha256), 0);
    CU_ASSERT_FALSE(is->altered);
  }
}

static void
an_intent_tells_what_is_sent_instead(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  g_autoptr(HaulIntentBatch) batch = haul_intent_batch_new(folder, 8, "1");
  for (unsigned i = 0; i < 3; i++) {
    HaulCargo cargo = { .id1 = g_strdup_printf("%u", i), .size = i, .flags = HAUL_ALL_FLAGS };
    cargo.altered = i == 1;
    cargo.sent_size = 5000;
    memset(cargo.sent_sha256, 9, sizeof cargo.sent_sha256);
    g_array_append_val(batch->cargo, cargo);
  }
  CU_ASSERT(haul_journal_note(state.journal, NULL, NULL, batch, NULL));
  state_reopen(&state);
  g_autoptr(GPtrArray) batches = haul_journal_intents(state.journal, folder, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(batches);
  CU_ASSERT_EQUAL_FATAL(batches->len, 1);
  const GArray *known = ((const HaulIntentBatch *)batches->pdata[0])->cargo;
  CU_ASSERT_EQUAL_FATAL(known->len, 3);
  for (guint i = 0; i < 3; i++) {
    const HaulCargo *is = &g_array_index(known, HaulCargo, i);
    CU_ASSERT_EQUAL(is->size, i);
    CU_ASSERT_EQUAL(is->flags, HAUL_ALL_FLAGS);
    CU_ASSERT_EQUAL(is->altered, i == 1);
    CU_ASSERT_EQUAL(is->sent_size, i == 1 ? 5000 : 0);
    CU_ASSERT_EQUAL(is->sent_sha256[31], i == 1 ? 9 : 0);
  }
}

static void
a_receipt_makes_a_pair_and_completes_its_part_of_the_intent(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  g_autoptr(HaulIntentBatch) first = note_batch(&state, folder, 8, NULL, "1 2 3");
  g_autoptr(HaulIntentBatch) second = note_batch(&state, folder, 8, NULL, "4 5");
  CHECK_INTENTS(&state, folder, "1 2 3|4 5");
  note_receipt(&state, first, 1, true, 8, "12");
  note_receipt(&state, second, 0, true, 0, NULL); /* the store said neither id nor epoch */
  CHECK_INTENTS(&state, folder, "1 3|5");
  CHECK_PAIRS(&state, folder, "2=12 4=?");
  note_receipt(&state, first, 0, false, 0, NULL); /* refused: nothing is there */
  CHECK_PAIRS(&state, folder, "2=12 4=?");
  state_reopen(&state);
  CHECK_INTENTS(&state, folder, "1 3|5");

  g_autoptr(GPtrArray) settled = g_ptr_array_new();
  g_ptr_array_add(settled, first);
  g_autoptr(HaulIntentBatch) third = haul_intent_batch_new(folder, 8, NULL);
  HaulCargo cargo = state_cargo("6", 1);
  g_array_append_val(third->cargo, cargo);
  CU_ASSERT(haul_journal_note(state.journal, NULL, settled, third, NULL));
  CHECK_INTENTS(&state, folder, "5|6");
  g_ptr_array_add(settled, second);
  g_ptr_array_add(settled, third);
  CU_ASSERT(haul_journal_note(state.journal, NULL, settled, NULL, NULL));
  CHECK_INTENTS(&state, folder, "");
  CU_ASSERT(!state_folder(&state, "a").has_intents);
}

static void
a_receipt_of_another_epoch_is_not_noted(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  int64_t made = state_begin_folder(&state, "b", 7, 0);
  g_autoptr(HaulIntentBatch) batch = note_batch(&state, folder, 8, NULL, "1 2");
  note_receipt(&state, batch, 0, true, 9, "11");
  note_receipt(&state, batch, 1, true, 8, "12");
  CHECK_PAIRS(&state, folder, "2=12");

  /* A folder that was not there when work began gets the epoch that the first receipt tells. */
  g_autoptr(HaulIntentBatch) other = note_batch(&state, made, 0, NULL, "1 2 3");
  note_receipt(&state, other, 0, true, 0, "11");
  note_receipt(&state, other, 1, true, 5, "12");
  note_receipt(&state, other, 2, true, 6, "13");
  CHECK_PAIRS(&state, made, "1=11 2=12");
  state_reopen(&state);
  CU_ASSERT_EQUAL(state_folder(&state, "b").epoch2, 5);
}

/* ---- durability ---- */

/* Runs @work on the state in a process that ends without closing anything. */
static void
in_a_process_that_dies(State *state, void (*work)(State *state))
{
  state_close(state);
  fflush(NULL);
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0) {
    if (state_open(state, HAUL_JOURNAL_FILE, NULL))
      work(state);
    _exit(0);
  }
  int status;
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
note_a_pair(State *state)
{
  state_add_pair(state, 1, "1", "11");
}

static void
note_a_group(State *state)
{
  haul_journal_begin(state->journal, NULL);
  for (unsigned i = 2; i < 5; i++) {
    g_autofree char *id = g_strdup_printf("%u", i);
    state_add_pair(state, 1, id, "20");
  }
  haul_journal_commit(state->journal, NULL);
}

static void
note_half_a_group(State *state)
{
  haul_journal_begin(state->journal, NULL);
  state_add_pair(state, 1, "9", "19");
}

static void
note_an_intent(State *state)
{
  haul_intent_batch_free(note_batch(state, 1, 8, NULL, "7 8"));
}

static void
what_is_noted_outlives_the_process(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  CU_ASSERT_EQUAL(state_begin_folder(&state, "a", 7, 8), 1);
  in_a_process_that_dies(&state, note_a_pair);
  state_reopen(&state);
  CHECK_PAIRS(&state, 1, "1=11");
  in_a_process_that_dies(&state, note_a_group);
  in_a_process_that_dies(&state, note_half_a_group);
  in_a_process_that_dies(&state, note_an_intent);
  state_reopen(&state);
  CU_ASSERT(!state.was_rebuilt);
  CHECK_PAIRS(&state, 1, "1=11 2=20 3=20 4=20");
  CHECK_INTENTS(&state, 1, "7 8");
}

typedef struct {
  const State *state;
  unsigned number;
  pthread_t thread;
} Noter;

#define N_NOTERS 6u
#define N_NOTES 40u

static void *
note_many(void *data)
{
  const Noter *noter = data;
  for (unsigned i = 0; i < N_NOTES; i++) {
    g_autoptr(HaulIntentBatch) batch = haul_intent_batch_new(1, 8, NULL);
    g_autofree char *id = g_strdup_printf("%u", noter->number * 1000 + i);
    HaulCargo cargo = state_cargo(id, 1);
    g_array_append_val(batch->cargo, cargo);
    haul_journal_note(noter->state->journal, NULL, NULL, batch, NULL);
    if (i % 8 == 0)
      haul_journal_begin(noter->state->journal, NULL);
    note_receipt(noter->state, batch, 0, true, 8, id);
    if (i % 8 == 0)
      haul_journal_commit(noter->state->journal, NULL);
  }
  return NULL;
}

static void
lanes_may_note_at_once(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  CU_ASSERT_EQUAL(state_begin_folder(&state, "a", 7, 8), 1);
  Noter noters[N_NOTERS];
  for (unsigned i = 0; i < N_NOTERS; i++) {
    noters[i].state = &state;
    noters[i].number = i + 1;
    pthread_create(&noters[i].thread, NULL, note_many, &noters[i]);
  }
  for (unsigned i = 0; i < N_NOTERS; i++)
    pthread_join(noters[i].thread, NULL);
  state_reopen(&state);
  CU_ASSERT_EQUAL(state_folder(&state, "a").n_pairs, N_NOTERS * N_NOTES);
}

static void
a_journal_in_memory_works_and_leaves_nothing(void)
{
  g_auto(State) state;
  state_init(&state);
  CU_ASSERT_FATAL(state_open(&state, HAUL_JOURNAL_MEMORY, NULL));
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  g_autoptr(HaulIntentBatch) batch = note_batch(&state, folder, 8, NULL, "1 2");
  note_receipt(&state, batch, 0, true, 8, "11");
  CHECK_PAIRS(&state, folder, "1=11");
  CHECK_INTENTS(&state, folder, "2");
  g_autofree char *files = state_snapshot(&state);
  CU_ASSERT_STRING_EQUAL(files, "");
  state_close(&state);
  CU_ASSERT_FATAL(state_open(&state, HAUL_JOURNAL_MEMORY, NULL));
  CU_ASSERT_EQUAL(state_folder(&state, "a").number, -1);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(an_intent_comes_back_whole),
    CASE(an_intent_tells_what_is_sent_instead),
    CASE(a_receipt_makes_a_pair_and_completes_its_part_of_the_intent),
    CASE(a_receipt_of_another_epoch_is_not_noted),
    CASE(what_is_noted_outlives_the_process),
    CASE(lanes_may_note_at_once),
    CASE(a_journal_in_memory_works_and_leaves_nothing),
  };
  return RUN_SUITE("intent", cases);
}
