/* Tests the journal as a file: who may open it, what a dry run leaves, and a disk that is full. */
#include "suite.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/message.h>

#include "journal-db.h"
#include "state.h"

/* ---- who may open it ---- */

static void
a_state_is_its_owners_alone(void)
{
  g_auto(State) state;
  state_init(&state);
  g_autofree char *above = g_steal_pointer(&state.folder);
  state.folder = g_build_filename(above, "deeper", NULL);
  state_reopen(&state);
  struct stat info;
  CU_ASSERT_EQUAL(stat(state.folder, &info), 0);
  CU_ASSERT_EQUAL(info.st_mode & 07777, 0700);
  state_close(&state);

  g_autofree char *lock = state_file(&state, ".lock"), *file = state_file(&state, ".db");
  CU_ASSERT_PTR_NOT_NULL_FATAL(lock);
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  unlink(lock);
  unlink(file);
  CU_ASSERT_EQUAL(rmdir(state.folder), 0); /* nothing else is in it */
  g_free(state.folder);
  state.folder = g_steal_pointer(&above);
}

static void
a_state_folder_that_cannot_be_used_is_said_so(void)
{
  g_auto(State) state;
  state_init(&state);
  g_autofree char *file = g_build_filename(state.folder, "file", NULL);
  CU_ASSERT(g_file_set_contents(file, "", 0, NULL));
  const char *const folders[] = { file, "/proc/mailhaul", "/dev/null/state" };
  for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
    g_autoptr(GError) error = NULL;
    bool was_rebuilt;
    CU_ASSERT_PTR_NULL(haul_journal_open(folders[i], HAUL_JOURNAL_FILE, "1", "2", state.keywords,
                                         &was_rebuilt, &error));
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "state", folders[i]);
    CU_ASSERT(error != NULL && strstr(error->message, "--state") != NULL);
  }
}

static void
a_second_opener_is_told_who_holds_the_lock(void)
{
  g_auto(State) state;
  state_init(&state);
  state_reopen(&state);
  g_autofree char *holder = g_strdup_printf("pid %d since ", (int)getpid());
  static const HaulJournalMode modes[] = { HAUL_JOURNAL_FILE, HAUL_JOURNAL_DRY };
  for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
    g_autoptr(GError) error = NULL;
    bool was_rebuilt;
    CU_ASSERT_PTR_NULL(haul_journal_open(state.folder, modes[i], "ann@old", "ann@new",
                                         state.keywords, &was_rebuilt, &error));
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "locked", holder);
    CU_ASSERT(!was_rebuilt);
  }
  /* Others are not concerned; nor is the way back. */
  static const char *const pairs[][2] = {
    { "ann@new", "ann@old" },
    { "ann@old", "bob@new" },
    { "ann@olda", "nn@new" },
    { "", "" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
    bool was_rebuilt;
    g_autoptr(HaulJournal) other =
        haul_journal_open(state.folder, HAUL_JOURNAL_FILE, pairs[i][0], pairs[i][1], state.keywords,
                          &was_rebuilt, NULL);
    CU_ASSERT_PTR_NOT_NULL(other);
  }
}

static void
a_lock_ends_with_its_process(void)
{
  g_auto(State) state;
  state_init(&state);
  state_fill(&state);
  int ready[2];
  CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
  fflush(NULL);
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0) {
    uint64_t n;
    bool done = state_open(&state, HAUL_JOURNAL_FILE, NULL) && state_work(&state, &n, NULL);
    if (write(ready[1], done ? "y" : "n", 1) == 1)
      pause();
    _exit(1);
  }
  char answer = 0;
  CU_ASSERT_EQUAL(read(ready[0], &answer, 1), 1);
  CU_ASSERT_EQUAL(answer, 'y');
  g_autoptr(GError) error = NULL;
  CU_ASSERT(!state_open(&state, HAUL_JOURNAL_FILE, &error));
  g_autofree char *holder = g_strdup_printf("pid %d ", (int)child);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "locked", holder);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  close(ready[0]);
  close(ready[1]);

  uint64_t n_pairs = 0;
  state_reopen(&state);
  CU_ASSERT(!state.was_rebuilt);
  CU_ASSERT(state_work(&state, &n_pairs, NULL));
  CU_ASSERT_EQUAL(n_pairs, 2 * STATE_PAIRS);
}

/* ---- dry runs ---- */

/* Opens the state for a dry run and works with it. Returns whether it left all files as they were. */
static bool
dry_run_changes_nothing(State *state, uint64_t expected_pairs)
{
  g_autofree char *before = state_snapshot(state);
  g_autoptr(GError) error = NULL;
  uint64_t n_pairs = UINT64_MAX;
  bool done = state_open(state, HAUL_JOURNAL_DRY, &error) && state_work(state, &n_pairs, &error);
  if (!done)
    printf("%s\n", error->message);
  CU_ASSERT(done);
  CU_ASSERT_EQUAL(n_pairs, expected_pairs);
  state_close(state);
  g_autofree char *after = state_snapshot(state);
  if (strcmp(before, after) != 0)
    printf("before:\n%safter:\n%s", before, after);
  return strcmp(before, after) == 0;
}

static void
a_dry_run_sees_all_and_leaves_every_octet_alone(void)
{
  g_auto(State) state;
  state_init(&state);
  CU_ASSERT(dry_run_changes_nothing(&state, 0)); /* nothing there: nothing is made */
  state_fill(&state);
  CU_ASSERT(dry_run_changes_nothing(&state, 2 * STATE_PAIRS));
}

static void
a_dry_run_sees_what_a_killed_run_has_noted(void)
{
  g_auto(State) state;
  state_init(&state);
  fflush(NULL);
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0) {
    state_fill(&state);
    uint64_t n;
    bool done = state_open(&state, HAUL_JOURNAL_FILE, NULL) && state_work(&state, &n, NULL);
    _exit(done ? 0 : 1);
  }
  int status;
  waitpid(child, &status, 0);
  CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  g_autofree char *wal = state_file(&state, "-wal");
  CU_ASSERT_PTR_NOT_NULL(wal);
  CU_ASSERT(dry_run_changes_nothing(&state, 2 * STATE_PAIRS));
}

static void
dry_runs_at_the_same_time_do_not_harm_the_state(void)
{
  g_auto(State) state;
  state_init(&state);
  state_fill(&state);
  g_autofree char *before = state_snapshot(&state);
  CU_ASSERT_FATAL(state_open(&state, HAUL_JOURNAL_DRY, NULL));
  g_autoptr(GError) error = NULL;
  bool was_rebuilt;
  /* It may work, or be told to wait. */
  g_autoptr(HaulJournal) other = haul_journal_open(state.folder, HAUL_JOURNAL_DRY, "ann@old",
                                                   "ann@new", state.keywords, &was_rebuilt, &error);
  if (other == NULL)
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "locked", NULL);
  CU_ASSERT(!was_rebuilt);
  g_clear_pointer(&other, haul_journal_close);
  state_close(&state);
  g_autofree char *after = state_snapshot(&state);
  CU_ASSERT_STRING_EQUAL(after, before);
}

static void
another_program_that_holds_the_file_does_not_make_it_damaged(void)
{
  g_auto(State) state;
  state_init(&state);
  state_fill(&state);
  g_autofree char *path = state_file(&state, ".db");
  sqlite3 *other;
  CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &other), SQLITE_OK);
  CU_ASSERT_EQUAL(sqlite3_exec(other,
                               "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE;"
                               "UPDATE folder SET n_gone = 0",
                               NULL, NULL, NULL),
                  SQLITE_OK);
  g_autoptr(GError) error = NULL;
  CU_ASSERT(!state_open(&state, HAUL_JOURNAL_FILE, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "state", NULL);
  CU_ASSERT(!state.was_rebuilt);
  sqlite3_close(other);
  uint64_t n_pairs = 0;
  state_reopen(&state);
  CU_ASSERT(!state.was_rebuilt && state_work(&state, &n_pairs, NULL));
  CU_ASSERT_EQUAL(n_pairs, 2 * STATE_PAIRS);
}

/* ---- a full disk ---- */

/* Adds pairs until one is refused; returns its number. */
static unsigned
add_until_refused(const State *state, unsigned first, GError **error)
{
  for (unsigned i = first; i < first + 100000; i++) {
    g_autofree char *id = g_strdup_printf("%u", i);
    g_auto(HaulCargo) cargo = state_cargo(id, 1);
    if (!haul_journal_add_pair(state->journal, 1, &cargo, id, error))
      return i;
  }
  return 0;
}

static void
a_full_disk_is_said_so_and_survived(void)
{
  g_auto(State) state;
  state_init(&state);
  state_fill(&state);
  state_reopen(&state);
  CU_ASSERT_EQUAL(sqlite3_exec(state.journal->db, "PRAGMA max_page_count = 100", NULL, NULL, NULL),
                  SQLITE_OK);
  g_autoptr(GError) error = NULL;
  unsigned n = add_until_refused(&state, 10000, &error);
  CU_ASSERT(n > 10000);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "disk-full", "free some space");

  /* A group that meets it ends as a whole. */
  g_clear_error(&error);
  CU_ASSERT(haul_journal_begin(state.journal, NULL));
  add_until_refused(&state, n, &error);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "disk-full", NULL);
  haul_journal_commit(state.journal, NULL);

  /* Once there is space again, it goes on. */
  CU_ASSERT_EQUAL(
      sqlite3_exec(state.journal->db, "PRAGMA max_page_count = 100000", NULL, NULL, NULL),
      SQLITE_OK);
  uint64_t n_pairs = 0;
  CU_ASSERT(state_work(&state, &n_pairs, NULL));
  CU_ASSERT_EQUAL(n_pairs, 2 * STATE_PAIRS + n - 10000);
}

static void
a_file_that_may_not_grow_is_an_error_and_no_crash(void)
{
  g_auto(State) state;
  state_init(&state);
  state_fill(&state);
  fflush(NULL);
  pid_t child = fork(); /* whose limit and signals are its own */
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = { 200000, 200000 };
    setrlimit(RLIMIT_FSIZE, &limit);
    g_autoptr(GError) error = NULL;
    bool right = state_open(&state, HAUL_JOURNAL_FILE, NULL)
                 && add_until_refused(&state, 10000, &error) > 10000
                 && haul_error_reach(error) == HAUL_ERROR_ACCOUNT;
    state_close(&state);
    _exit(right ? 0 : 1);
  }
  int status;
  waitpid(child, &status, 0);
  CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  uint64_t n_pairs = 0;
  state_reopen(&state);
  CU_ASSERT(!state.was_rebuilt && state_work(&state, &n_pairs, NULL));
  CU_ASSERT(n_pairs > 2 * STATE_PAIRS);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_state_is_its_owners_alone),
    CASE(a_state_folder_that_cannot_be_used_is_said_so),
    CASE(a_second_opener_is_told_who_holds_the_lock),
    CASE(a_lock_ends_with_its_process),
    CASE(a_dry_run_sees_all_and_leaves_every_octet_alone),
    CASE(a_dry_run_sees_what_a_killed_run_has_noted),
    CASE(dry_runs_at_the_same_time_do_not_harm_the_state),
    CASE(another_program_that_holds_the_file_does_not_make_it_damaged),
    CASE(a_full_disk_is_said_so_and_survived),
    CASE(a_file_that_may_not_grow_is_an_error_and_no_crash),
  };
  return RUN_SUITE("journal: file", cases);
}
