/* Tests plan-moves.c: which message that came is which that left. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mailhaul/message.h>

#include "plan-moves.h"

/* A message is FOLDER KEY SIZE [OCTETS], such as "Aa5" or "Aa5x": a letter, a letter ('-': none), a digit
 * ('?': not known), a letter. */
static GArray *
read_movers(const char *text)
{
  GArray *movers = g_array_new(FALSE, TRUE, sizeof(HaulMover));
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  for (char **word = words; *word != NULL && **word != '\0'; word++) {
    const char *w = *word;
    HaulMover mover = { .folder = (uint32_t)(w[0] - 'A'),
                        .size = w[2] == '?' ? HAUL_UNKNOWN : (uint64_t)(w[2] - '0') };
    if (w[1] != '-')
      memset(&mover.key, w[1], sizeof mover.key);
    if (w[3] != '\0')
      memset(mover.sha256, w[3], sizeof mover.sha256);
    g_array_append_val(movers, mover);
  }
  return movers;
}

/* Writes which copy each is, and '?' where that cannot be said before its octets are known. */
static char *
decide(const char *gone_text, const char *come_text, bool doubts_keys, bool asks)
{
  g_autoptr(GArray) gone = read_movers(gone_text);
  g_autoptr(GArray) come = read_movers(come_text);
  g_autoptr(GArray) wanted = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autofree uint32_t *copies = g_new(uint32_t, come->len + 1);
  HaulMovesInput input = { (const HaulMover *)(void *)gone->data, gone->len,
                           (const HaulMover *)(void *)come->data, come->len, doubts_keys };
  haul_plan_moves(&input, copies, asks ? wanted : NULL);
  GString *text = g_string_new(NULL);
  guint n_wanted = 0;
  for (guint i = 0; i < come->len; i++) {
    bool is_wanted = n_wanted < wanted->len && g_array_index(wanted, uint32_t, n_wanted) == i;
    n_wanted += is_wanted;
    CU_ASSERT(!is_wanted || copies[i] == HAUL_NOT_MOVED);
    if (copies[i] != HAUL_NOT_MOVED)
      g_string_append_printf(text, " %u", copies[i]);
    else
      g_string_append(text, is_wanted ? " ?" : " -");
  }
  CU_ASSERT_EQUAL(n_wanted, wanted->len);
  return g_strchug(g_string_free(text, FALSE));
}

typedef struct {
  const char *gone, *come, *expected;
  bool doubts_keys;
} Row;

static void
check_rows(const Row *rows, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    g_autofree char *text = decide(rows[i].gone, rows[i].come, rows[i].doubts_keys, true);
    CU_ASSERT_STRING_EQUAL(text, rows[i].expected);
    if (strcmp(text, rows[i].expected) != 0)
      printf("[%s] [%s]: [%s], not [%s]\n", rows[i].gone, rows[i].come, text, rows[i].expected);
  }
}

#define CHECK_ROWS(rows) check_rows(rows, G_N_ELEMENTS(rows))

static void
one_that_left_is_the_one_that_came_with_its_key_and_size(void)
{
  static const Row rows[] = {
    { "", "", "", false },
    { "", "Ba5", "-", false },
    { "Aa5", "", "", false },
    { "Aa5", "Ba5", "0", false },
    { "Aa5x", "Ba5", "0", false },
    { "Aa5 Ab6", "Cb6 Ba5 Bc7", "1 0 -", false },
    /* A key alone is not enough, nor is a size. */
    { "Aa5", "Ba6", "-", false },
    { "Aa5", "Bb5", "-", false },
    { "A-5", "B-5", "-", false },
    { "Aa?", "Ba?", "-", false },
    /* Two messages of one folder are two. */
    { "Aa5", "Aa5", "-", false },
    /* Where octets are known on both sides, they count. */
    { "Aa5x", "Ba5x", "0", false },
    { "Aa5x", "Ba5y", "-", false },
  };
  CHECK_ROWS(rows);
}

static void
where_two_can_be_meant_the_octets_decide(void)
{
  static const Row rows[] = {
    { "Aa5x Aa5y", "Ba5", "?", false },
    { "Aa5x Ca5x", "Ba5", "?", false },
    { "Aa5x", "Ba5 Ca5", "? ?", false },
    { "Aa5x Aa5y", "Ba5y Ba5x", "1 0", false },
    { "Aa5x Aa5x", "Ba5x Ba5x Ba5x", "0 1 -", false },
    { "Aa5x Aa5", "Ba5x Ba5y", "0 -", false },
    /* Where nobody knows those of the copies, there is nothing to read. */
    { "Aa5 Aa5", "Ba5 Ba5", "- -", false },
    { "Aa5", "Ba5 Ba5", "- -", false },
  };
  CHECK_ROWS(rows);
}

static void
a_key_that_says_little_is_never_enough(void)
{
  static const Row rows[] = {
    { "Aa5x", "Ba5", "?", true }, { "Aa5x", "Ba5x", "0", true }, { "Aa5x", "Ba5y", "-", true },
    { "Aa5", "Ba5", "-", true },  { "Aa5", "Ba5x", "-", true },
  };
  CHECK_ROWS(rows);
}

static void
what_is_not_read_after_all_stays_undecided(void)
{
  g_autofree char *text = decide("Aa5x Aa5y Ab6", "Ba5 Bb6", false, false);
  CU_ASSERT_STRING_EQUAL(text, "- 2");
}

/* Whatever there is: no copy serves twice, and none serves what is not its like. */
static void
no_copy_is_two_messages(void)
{
  uint32_t seed = 20261124;
  for (unsigned round = 0; round < 2000; round++) {
    g_autoptr(GString) gone = g_string_new(NULL);
    g_autoptr(GString) come = g_string_new(NULL);
    for (unsigned i = next_random(&seed) % 9; i > 0; i--)
      g_string_append_printf(gone, "%c%c%u%s ", 'A' + next_random(&seed) % 2,
                             'a' + next_random(&seed) % 2, 5 + next_random(&seed) % 2,
                             ((const char *[]){ "", "x", "y" })[next_random(&seed) % 3]);
    for (unsigned i = next_random(&seed) % 9; i > 0; i--)
      g_string_append_printf(come, "%c%c%u%s ", 'B' + next_random(&seed) % 2,
                             'a' + next_random(&seed) % 2, 5 + next_random(&seed) % 2,
                             ((const char *[]){ "", "x", "y" })[next_random(&seed) % 3]);
    g_autofree char *text = decide(gone->str, come->str, round % 2, true);
    g_auto(GStrv) left = g_strsplit(gone->str, " ", -1);
    g_auto(GStrv) arrived = g_strsplit(come->str, " ", -1);
    g_auto(GStrv) served = g_strsplit(text, " ", -1);
    bool used[9] = { false };
    for (guint i = 0; served[i] != NULL && g_ascii_isdigit(served[i][0]); i++)
      continue;
    for (guint i = 0; served[i] != NULL && *served[i] != '\0'; i++) {
      if (!g_ascii_isdigit(served[i][0]))
        continue;
      int k = atoi(served[i]);
      CU_ASSERT(!used[k]);
      used[k] = true;
      CU_ASSERT(left[k][0] != arrived[i][0] && strncmp(left[k] + 1, arrived[i] + 1, 2) == 0);
      CU_ASSERT(left[k][3] == '\0' || arrived[i][3] == '\0' || left[k][3] == arrived[i][3]);
    }
  }
}

static void
many_with_one_key_take_linear_time(void)
{
  enum { N = 200000 };
  g_autofree HaulMover *movers = g_new0(HaulMover, N);
  g_autofree HaulMover *come = g_new0(HaulMover, N);
  g_autofree uint32_t *copies = g_new(uint32_t, N);
  g_autoptr(GArray) wanted = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  for (uint32_t i = 0; i < N; i++) {
    memset(&movers[i].key, 7, sizeof movers[i].key);
    movers[i].size = 100;
    memset(movers[i].sha256, 3, sizeof movers[i].sha256);
    come[i] = movers[i];
    come[i].folder = 1;
  }
  HaulMovesInput input = { movers, N, come, N, false };
  int64_t start_us = cpu_time_us();
  haul_plan_moves(&input, copies, wanted);
  CU_ASSERT(cpu_time_us() - start_us < 5000000);
  CU_ASSERT(wanted->len == 0 && copies[0] == 0 && copies[N - 1] == N - 1);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(one_that_left_is_the_one_that_came_with_its_key_and_size),
    CASE(where_two_can_be_meant_the_octets_decide),
    CASE(a_key_that_says_little_is_never_enough),
    CASE(what_is_not_read_after_all_stays_undecided),
    CASE(no_copy_is_two_messages),
    CASE(many_with_one_key_take_linear_time),
  };
  return RUN_SUITE("plan: moves", cases);
}
