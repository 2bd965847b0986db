/* What every unit test has in common: a table of cases, run as one CUnit suite. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <CUnit/CUnit.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *name;
  void (*run)(void);
} Case;

#define CASE(name)                                                                                 \
  {                                                                                                \
#name, name                                                                                    \
  }
#define RUN_SUITE(title, cases) run_suite(title, cases, sizeof(cases) / sizeof(*(cases)))

/* Runs @cases. Returns the exit code: 0 if all hold. */
int run_suite(const char *title, const Case *cases, size_t n_cases);

/* Whether the error has this reach and reason, and a message that holds @words (NULL: any). Prints
 * what it is otherwise. */
#define CHECK_ERROR(error, reach, reason, words)                                                   \
  CU_ASSERT(check_error(error, reach, reason, words, __LINE__))
bool check_error(const GError *error, int reach, const char *reason, const char *words, int line);

/* A reproducible stream of numbers: the state is @seed, not 0. */
uint32_t next_random(uint32_t *seed);

/* Processor time of this thread so far: what is linear is told from what is not, however busy the
 * machine is. */
int64_t cpu_time_us(void);

/* Makes a folder for files of a test, to be removed and freed: in memory where there is a place, for
 * what is synced to a disk costs most of the time. */
char *make_test_folder(void);

#endif /* TESTS_SUITE_H */
