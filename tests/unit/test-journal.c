/* Tests what the journal remembers of folders and pairs, across openings. */
#include "suite.h"

#include <mailhaul/message.h>

#include "state.h"

/* ---- folders ---- */

static void
a_new_state_knows_nothing(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  CU_ASSERT(!state.was_rebuilt);
  GArray *folders = haul_journal_folders(state.journal, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(folders);
  CU_ASSERT_EQUAL(folders->len, 0);
  state_reopen(&state);
  CU_ASSERT(!state.was_rebuilt);
}

static void
a_folder_is_remembered_as_it_was_ended(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  const uint64_t large = UINT64_C(0xfedcba9876543210); /* a MODSEQ-like epoch of another store */
  int64_t a = state_begin_folder(&state, "Entw\xc3\xbcrfe/2026", 7, large);
  int64_t b = state_begin_folder(&state, "INBOX", 1, 0);
  CU_ASSERT_NOT_EQUAL(a, b);
  state_add_pair(&state, a, "1", "11");
  state_add_pair(&state, a, "2", "12");
  CU_ASSERT(haul_journal_end_folder(state.journal, a, "token 1", NULL, 5, true, false, NULL));
  CU_ASSERT(haul_journal_set_epoch2(state.journal, b, 99, NULL));

  state_reopen(&state);
  HaulJournalFolder folder = state_folder(&state, "Entw\xc3\xbcrfe/2026");
  CU_ASSERT_EQUAL(folder.number, a);
  CU_ASSERT_STRING_EQUAL(folder.path2, "Entw\xc3\xbcrfe/2026");
  CU_ASSERT_STRING_EQUAL(folder.token1, "token 1");
  CU_ASSERT_PTR_NULL(folder.token2);
  CU_ASSERT_EQUAL(folder.epoch1, 7);
  CU_ASSERT_EQUAL(folder.epoch2, large);
  CU_ASSERT_EQUAL(folder.n_pairs, 2);
  CU_ASSERT_EQUAL(folder.n_gone, 5);
  CU_ASSERT(folder.was_subscribed && !folder.has_intents && !folder.has_flags1);
  folder = state_folder(&state, "INBOX");
  CU_ASSERT_EQUAL(folder.number, b);
  CU_ASSERT_EQUAL(folder.epoch2, 99);
  CU_ASSERT_EQUAL(folder.n_pairs, 0);
  CU_ASSERT(!folder.was_subscribed);
}

static void
tokens_are_forgotten_while_a_folder_is_worked_on(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t a = state_begin_folder(&state, "a", 7, 8);
  state_add_pair(&state, a, "1", "11");
  CU_ASSERT(haul_journal_end_folder(state.journal, a, "x", "y", 0, false, true, NULL));
  CU_ASSERT_EQUAL(state_begin_folder(&state, "a", 7, 8), a);
  state_reopen(&state); /* as if killed in between */
  HaulJournalFolder folder = state_folder(&state, "a");
  CU_ASSERT_PTR_NULL(folder.token1);
  CU_ASSERT_PTR_NULL(folder.token2);
  CHECK_PAIRS(&state, a, "1=11");
}

static void
what_belonged_to_another_epoch_is_forgotten(void)
{
  static const struct {
    uint64_t known1, known2, now1, now2;
    bool kept;
  } table[] = {
    { 7, 8, 7, 8, true },
    { 7, 8, 9, 8, false },
    { 7, 8, 7, 9, false },
    { 7, 8, 9, 9, false },
    { 7, 8, 7, HAUL_EPOCH_GONE, false },
    { 7, 8, 7, 0, true }, /* the store did not tell */
    { 7, 8, 0, 8, true },
    { 7, 0, 7, 8, true }, /* it was made in the run before */
    { 0, 0, 0, 0, true },
    { 0, 0, 7, 8, true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(State) state;
    state_init(&state);
    state_reopen(&state);
    int64_t a = state_begin_folder(&state, "a", table[i].known1, table[i].known2);
    int64_t other = state_begin_folder(&state, "b", 1, 1);
    state_add_pair(&state, a, "1", "11");
    state_add_pair(&state, other, "2", "22");
    g_autoptr(HaulIntentBatch) batch = haul_intent_batch_new(a, table[i].known2, "5");
    HaulCargo cargo = state_cargo("3", 1);
    g_array_append_val(batch->cargo, cargo);
    CU_ASSERT(haul_journal_note(state.journal, NULL, NULL, batch, NULL));
    state_reopen(&state);
    CU_ASSERT_EQUAL(state_begin_folder(&state, "a", table[i].now1, table[i].now2), a);
    CHECK_PAIRS(&state, a, table[i].kept ? "1=11" : "");
    CHECK_PAIRS(&state, other, "2=22");
    CU_ASSERT_EQUAL(state_folder(&state, "a").has_intents, table[i].kept);
    uint64_t now2 = table[i].now2 == HAUL_EPOCH_GONE ? 0
                    : table[i].now2 == 0             ? table[i].known2
                                                     : table[i].now2;
    CU_ASSERT_EQUAL(state_folder(&state, "a").epoch1,
                    table[i].now1 != 0 ? table[i].now1 : table[i].known1);
    CU_ASSERT_EQUAL(state_folder(&state, "a").epoch2, now2);
  }
}

static void
a_folder_that_goes_elsewhere_now_begins_anew_there_and_is_kept_here(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t a = state_begin_folder(&state, "a", 7, 8);
  state_add_pair(&state, a, "1", "11");
  int64_t b = haul_journal_begin_folder(state.journal, "a", "b", 7, 9, NULL);
  CU_ASSERT(b >= 0 && b != a);
  CHECK_PAIRS(&state, b, "");
  state_add_pair(&state, b, "1", "21");
  CU_ASSERT_EQUAL(haul_journal_begin_folder(state.journal, "a", "a", 7, 8, NULL), a);
  CHECK_PAIRS(&state, a, "1=11");
  CU_ASSERT_EQUAL(haul_journal_begin_folder(state.journal, "a", "b", 7, 9, NULL), b);
  CHECK_PAIRS(&state, b, "1=21");
}

static void
a_folder_that_is_renamed_keeps_what_it_has(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  state_add_pair(&state, folder, "1", "11");
  CU_ASSERT(haul_journal_rename_folder(state.journal, folder, "A", NULL));
  CU_ASSERT_EQUAL(haul_journal_begin_folder(state.journal, "a", "A", 7, 8, NULL), folder);
  state_reopen(&state);
  CU_ASSERT_STRING_EQUAL(state_folder(&state, "a").path2, "A");
  CU_ASSERT_EQUAL(state_folder(&state, "a").n_pairs, 1);
}

/* ---- pairs ---- */

static void
ids_come_back_as_they_were_and_differ(void)
{
  /* UIDs, what only looks like one, file names, UIDLs. */
  static const char *const ids[] = {
    "1",
    "7",
    "007",
    "07",
    "4294967295",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0",
    "00",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "0x10",
    " 1",
    "1 ",
    "a",
    "A",
    "\xc3\xa9",
    "",
    "1700000000.M1P2.host:2,S",
    "!\"#$%&'()*",
    "123456789012345678901234567890",
  };
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
    state_add_pair(&state, folder, ids[i], ids[G_N_ELEMENTS(ids) - 1 - i]);
  state_reopen(&state);

  g_autoptr(HaulIds) ids1 = haul_ids_new(), ids2 = haul_ids_new();
  g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  CU_ASSERT(haul_journal_load_pairs(state.journal, folder, ids1, ids2, pairs, NULL));
  CU_ASSERT_EQUAL(pairs->len, G_N_ELEMENTS(ids));
  for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
    /* As a listing interns them, they are the ones that the journal gave. */
    HaulId id1 = haul_id_intern(ids1, ids[i]);
    HaulId id2 = haul_id_intern(ids2, ids[G_N_ELEMENTS(ids) - 1 - i]);
    guint n_found = 0;
    for (guint k = 0; k < pairs->len; k++)
      if (g_array_index(pairs, HaulPair, k).id1 == id1) {
        n_found++;
        CU_ASSERT_EQUAL(g_array_index(pairs, HaulPair, k).id2, id2);
      }
    CU_ASSERT_EQUAL(n_found, 1);
    HaulIdBuffer buffer;
    CU_ASSERT_STRING_EQUAL(haul_id_text(id1, &buffer), ids[i]);
  }
  /* And each can be found again to be changed. */
  for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
    CU_ASSERT(haul_journal_forget_pair(state.journal, folder, ids[i], NULL));
  CHECK_PAIRS(&state, folder, "");
}

static void
a_pair_is_replaced_by_a_later_one(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  state_add_pair(&state, folder, "1", NULL);
  CHECK_PAIRS(&state, folder, "1=?");
  state_add_pair(&state, folder, "1", "11");
  state_add_pair(&state, folder, "2", "12");
  state_add_pair(&state, folder, "2", "13");
  CHECK_PAIRS(&state, folder, "1=11 2=13");
  CU_ASSERT(haul_journal_forget_pair(state.journal, folder, "1", NULL));
  CU_ASSERT(haul_journal_forget_pair(state.journal, folder, "99", NULL));
  CHECK_PAIRS(&state, folder, "2=13");
}

static void
what_is_agreed_on_is_kept_with_the_pair(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  g_auto(HaulCargo) cargo = state_cargo("1", 0);
  cargo.flags = HAUL_SEEN | HAUL_DRAFT;
  cargo.keywords = haul_keywords_parse(state.keywords, "$Label1 work");
  CU_ASSERT(haul_journal_add_pair(state.journal, folder, &cargo, "11", NULL));
  for (unsigned round = 0; round < 2; round++) {
    state_reopen(&state);
    /* Another run numbers keywords in another order. */
    HaulKeywords *other = haul_keywords_new();
    haul_keywords_parse(other, "unrelated");
    haul_keywords_free(state.keywords);
    state.keywords = other;
    state_reopen(&state);
    g_autoptr(HaulIds) ids = haul_ids_new();
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
    CU_ASSERT(haul_journal_load_pairs(state.journal, folder, ids, ids, pairs, NULL));
    CU_ASSERT_EQUAL_FATAL(pairs->len, 1);
    const HaulPair *pair = &g_array_index(pairs, HaulPair, 0);
    g_autofree char *text = haul_keywords_text(state.keywords, pair->keywords);
    CU_ASSERT_EQUAL(pair->flags, round == 0 ? HAUL_SEEN | HAUL_DRAFT : HAUL_ANSWERED);
    CU_ASSERT_STRING_EQUAL(text, round == 0 ? "$Label1 work" : "play");
    CU_ASSERT(haul_journal_set_agreed(state.journal, folder, "1", HAUL_ANSWERED,
                                      haul_keywords_parse(state.keywords, "play"), NULL));
  }
}

static void
a_copy_that_is_gone_is_marked_until_it_is_there_again(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  state_add_pair(&state, folder, "1", "11");
  state_add_pair(&state, folder, "2", "12");
  state_add_pair(&state, folder, "3", "13");
  CU_ASSERT(haul_journal_set_gone(state.journal, folder, "1", true, NULL));
  CU_ASSERT(haul_journal_set_gone(state.journal, folder, "2", true, NULL));
  CU_ASSERT(haul_journal_set_gone(state.journal, folder, "3", true, NULL));
  state_reopen(&state);
  CHECK_PAIRS(&state, folder, "1=11! 2=12! 3=13!");
  CU_ASSERT(haul_journal_set_gone(state.journal, folder, "2", false, NULL));
  state_add_pair(&state, folder, "3", "23"); /* delivered again */
  CHECK_PAIRS(&state, folder, "1=11! 2=12 3=23");
}

static void
a_sample_is_spread_over_the_folder(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t folder = state_begin_folder(&state, "a", 7, 8);
  g_autoptr(HaulIntentBatch) none = haul_journal_sample(state.journal, folder, 10, NULL);
  CU_ASSERT_FATAL(none != NULL);
  CU_ASSERT_EQUAL(none->cargo->len, 0);
  for (unsigned i = 1; i <= 100; i++) {
    g_autofree char *id = g_strdup_printf("%u", i);
    state_add_pair(&state, folder, id, id);
  }
  state_add_pair(&state, folder, "name", "name");
  g_autoptr(HaulIntentBatch) sample = haul_journal_sample(state.journal, folder, 10, NULL);
  CU_ASSERT_EQUAL_FATAL(sample->cargo->len, 10);
  for (guint i = 0; i < 10; i++)
    CU_ASSERT_EQUAL(g_ascii_strtoull(g_array_index(sample->cargo, HaulCargo, i).id1, NULL, 10),
                    (i + 1) * 10);
  g_autoptr(HaulIntentBatch) all = haul_journal_sample(state.journal, folder, 1000, NULL);
  CU_ASSERT_EQUAL(all->cargo->len, 100);
}

static void
a_folder_can_be_forgotten_and_no_other(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t a = state_begin_folder(&state, "a", 7, 8), b = state_begin_folder(&state, "b", 7, 8);
  state_add_pair(&state, a, "1", "11");
  state_add_pair(&state, b, "1", "11");
  CU_ASSERT_TRUE(haul_journal_forget_pairs(state.journal, a, NULL));
  CHECK_PAIRS(&state, a, "");
  CHECK_PAIRS(&state, b, "1=11");
}

static void
strays_are_kept_until_they_are_none(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  int64_t a = state_begin_folder(&state, "a", 7, 8), b = state_begin_folder(&state, "b", 7, 8);
  static const char *const ids[] = { "5", "cur/1700000000.x", "7", "7" };
  for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
    CU_ASSERT(haul_journal_set_stray(state.journal, a, ids[i], true, NULL));
  CU_ASSERT(haul_journal_set_stray(state.journal, b, "5", true, NULL));
  CU_ASSERT(haul_journal_set_stray(state.journal, a, "5", false, NULL));
  CU_ASSERT(haul_journal_set_stray(state.journal, a, "99", false, NULL));
  state_reopen(&state);
  g_autoptr(HaulIds) texts = haul_ids_new();
  g_autoptr(GArray) strays = g_array_new(FALSE, FALSE, sizeof(HaulId));
  CU_ASSERT(haul_journal_load_strays(state.journal, a, texts, strays, NULL));
  CU_ASSERT_EQUAL_FATAL(strays->len, 2);
  CU_ASSERT_EQUAL(g_array_index(strays, HaulId, 0), 7);
  CU_ASSERT_EQUAL(g_array_index(strays, HaulId, 1), haul_id_intern(texts, ids[1]));
  g_array_set_size(strays, 0);
  CU_ASSERT_EQUAL(state_begin_folder(&state, "a", 7, 9),
                  a); /* of another epoch they tell nothing */
  CU_ASSERT(haul_journal_load_strays(state.journal, a, texts, strays, NULL));
  CU_ASSERT_EQUAL(strays->len, 0);
  CU_ASSERT(haul_journal_load_strays(state.journal, b, texts, strays, NULL));
  CU_ASSERT_EQUAL(strays->len, 1);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_new_state_knows_nothing),
    CASE(a_folder_is_remembered_as_it_was_ended),
    CASE(tokens_are_forgotten_while_a_folder_is_worked_on),
    CASE(what_belonged_to_another_epoch_is_forgotten),
    CASE(a_folder_that_goes_elsewhere_now_begins_anew_there_and_is_kept_here),
    CASE(a_folder_that_is_renamed_keeps_what_it_has),
    CASE(ids_come_back_as_they_were_and_differ),
    CASE(a_pair_is_replaced_by_a_later_one),
    CASE(what_is_agreed_on_is_kept_with_the_pair),
    CASE(a_copy_that_is_gone_is_marked_until_it_is_there_again),
    CASE(a_sample_is_spread_over_the_folder),
    CASE(a_folder_can_be_forgotten_and_no_other),
    CASE(strays_are_kept_until_they_are_none),
  };
  return RUN_SUITE("journal", cases);
}
