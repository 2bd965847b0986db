/* A folder for state files, and the journal of one pair in it. */
#include "state.h"

#include <string.h>
#include <unistd.h>

#include <mailhaul/message.h>

#include "suite.h"

void
state_init(State *state)
{
  *state = (State){
    .folder = make_test_folder(),
    .keywords = haul_keywords_new(),
  };
  CU_ASSERT_PTR_NOT_NULL_FATAL(state->folder);
}

void
state_clear(State *state)
{
  state_close(state);
  haul_keywords_free(state->keywords);
  g_autoptr(GDir) dir = g_dir_open(state->folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(state->folder, name, NULL);
    unlink(path);
  }
  rmdir(state->folder);
  g_free(state->folder);
}

bool
state_open(State *state, HaulJournalMode mode, GError **error)
{
  state_close(state);
  state->journal = haul_journal_open(state->folder, mode, "ann@old", "ann@new", state->keywords,
                                     &state->was_rebuilt, error);
  return state->journal != NULL;
}

void
state_reopen(State *state)
{
  g_autoptr(GError) error = NULL;
  bool opened = state_open(state, HAUL_JOURNAL_FILE, &error);
  if (!opened)
    g_printerr("%s\n", error->message);
  CU_ASSERT_FATAL(opened);
}

void
state_close(State *state)
{
  g_clear_pointer(&state->journal, haul_journal_close);
}

char *
state_file(const State *state, const char *suffix)
{
  g_autoptr(GDir) dir = g_dir_open(state->folder, 0, NULL);
  const char *name;
  char *found = NULL;
  while ((name = g_dir_read_name(dir)) != NULL)
    if (g_str_has_suffix(name, suffix)) {
      CU_ASSERT_PTR_NULL(found);
      g_free(found);
      found = g_build_filename(state->folder, name, NULL);
    }
  return found;
}

static int
compare_texts(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *
state_snapshot(const State *state)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(state->folder, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(state->folder, name, NULL), *content = NULL;
    gsize size = 0;
    g_file_get_contents(path, &content, &size, NULL);
    g_autofree char *sum =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)content, size);
    g_ptr_array_add(lines, g_strdup_printf("%s %u %s\n", name, (unsigned)size, sum));
  }
  g_ptr_array_sort(lines, compare_texts);
  g_ptr_array_add(lines, NULL);
  return g_strjoinv("", (char **)lines->pdata);
}

HaulCargo
state_cargo(const char *id1, uint8_t seed)
{
  HaulCargo cargo = { .id1 = g_strdup(id1), .size = 100u + seed, .flags = seed & HAUL_ALL_FLAGS };
  memset(cargo.key.octets, seed, sizeof cargo.key);
  memset(cargo.sha256, seed ^ 0x55, sizeof cargo.sha256);
  return cargo;
}

void
state_fill(State *state)
{
  state_reopen(state);
  CU_ASSERT_FATAL(haul_journal_begin(state->journal, NULL));
  for (unsigned i = 0; i < 2; i++) {
    const char *path = i == 0 ? "a" : "b";
    int64_t folder = haul_journal_begin_folder(state->journal, path, path, 7, 8, NULL);
    CU_ASSERT_FATAL(folder > 0);
    for (unsigned k = 1; k <= STATE_PAIRS; k++) {
      g_autofree char *id =
          i == 0 ? g_strdup_printf("%u", k) : g_strdup_printf("1700000000.M%u.host", k);
      g_auto(HaulCargo) cargo = state_cargo(id, (uint8_t)k);
      CU_ASSERT(haul_journal_add_pair(state->journal, folder, &cargo, id, NULL));
    }
    CU_ASSERT(haul_journal_end_folder(state->journal, folder, "x", "y", 0, false, true, NULL));
  }
  CU_ASSERT(haul_journal_commit(state->journal, NULL));
  g_autoptr(HaulIntentBatch) batch = haul_intent_batch_new(1, 8, "1000");
  HaulCargo cargo = state_cargo("999", 1);
  g_array_append_val(batch->cargo, cargo);
  CU_ASSERT(haul_journal_note(state->journal, NULL, NULL, batch, NULL));
  state_close(state);
}

/* An intent, its end, and changes to pairs. */
static bool
work_on_deliveries(HaulJournal *journal, int64_t folder, GError **error)
{
  g_autoptr(GPtrArray) batches = haul_journal_intents(journal, folder, error);
  if (batches == NULL)
    return false;
  HaulIntentBatch *batch = haul_intent_batch_new(folder, 8, "1000");
  g_ptr_array_add(batches, batch);
  HaulCargo cargo = state_cargo("5000", 1);
  g_array_append_val(batch->cargo, cargo);
  return haul_journal_note(journal, NULL, NULL, batch, error)
         && haul_journal_note(journal, NULL, batches, NULL, error)
         && haul_journal_add_pair(journal, folder, &cargo, "6000", error)
         && haul_journal_set_agreed(journal, folder, "1", 1, 0, error)
         && haul_journal_set_gone(journal, folder, "2", true, error)
         && haul_journal_forget_pair(journal, folder, "5000", error);
}

bool
state_work(const State *state, uint64_t *n_pairs, GError **error)
{
  HaulJournal *journal = state->journal;
  *n_pairs = 0;
  if (haul_journal_folders(journal, error) == NULL)
    return false;
  static const char *const paths[] = { "a", "b", "new" };
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
    int64_t number = haul_journal_begin_folder(journal, paths[i], paths[i], 7, 8, error);
    if (number < 0)
      return false;
    g_autoptr(HaulIds) ids1 = haul_ids_new(), ids2 = haul_ids_new();
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
    if (!haul_journal_load_pairs(journal, number, ids1, ids2, pairs, error))
      return false;
    *n_pairs += pairs->len;
    if (!work_on_deliveries(journal, number, error)
        || !haul_journal_end_folder(journal, number, "x", "y", 0, false, true, error))
      return false;
  }
  return true;
}

int64_t
state_begin_folder(const State *state, const char *path, uint64_t epoch1, uint64_t epoch2)
{
  g_autoptr(GError) error = NULL;
  int64_t number = haul_journal_begin_folder(state->journal, path, path, epoch1, epoch2, &error);
  CU_ASSERT_FATAL(number >= 0);
  return number;
}

void
state_add_pair(const State *state, int64_t folder, const char *id1, const char *id2)
{
  g_auto(HaulCargo) cargo = state_cargo(id1, 3);
  CU_ASSERT(haul_journal_add_pair(state->journal, folder, &cargo, id2, NULL));
}

HaulJournalFolder
state_folder(const State *state, const char *path)
{
  GArray *folders = haul_journal_folders(state->journal, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(folders);
  for (guint i = 0; i < folders->len; i++)
    if (strcmp(g_array_index(folders, HaulJournalFolder, i).path1, path) == 0)
      return g_array_index(folders, HaulJournalFolder, i);
  return (HaulJournalFolder){ .number = -1 };
}

static char *
text_of(HaulId id)
{
  HaulIdBuffer buffer;
  return g_strdup(id != 0 ? haul_id_text(id, &buffer) : "?");
}

char *
state_pairs(const State *state, int64_t folder)
{
  g_autoptr(HaulIds) ids1 = haul_ids_new(), ids2 = haul_ids_new();
  g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  CU_ASSERT(haul_journal_load_pairs(state->journal, folder, ids1, ids2, pairs, NULL));
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < pairs->len; i++) {
    const HaulPair *pair = &g_array_index(pairs, HaulPair, i);
    g_autofree char *id1 = text_of(pair->id1), *id2 = text_of(pair->id2);
    g_string_append_printf(text, "%s%s=%s%s", i > 0 ? " " : "", id1, id2, pair->gone ? "!" : "");
  }
  return g_string_free(text, FALSE);
}
