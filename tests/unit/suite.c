/* Runs one CUnit suite and says by the exit code whether it held. */
#include "suite.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mailhaul/error.h>

int
run_suite(const char *title, const Case *cases, size_t n_cases)
{
  if (CU_initialize_registry() != CUE_SUCCESS)
    return EXIT_FAILURE;
  CU_pSuite suite = CU_add_suite(title, NULL, NULL);
  bool added = suite != NULL;
  for (size_t i = 0; added && i < n_cases; i++)
    added = CU_add_test(suite, cases[i].name, cases[i].run) != NULL;

  CU_basic_set_mode(CU_BRM_VERBOSE);
  bool ran = added && CU_basic_run_tests() == CUE_SUCCESS && CU_get_number_of_failures() == 0;
  CU_cleanup_registry();
  return ran ? EXIT_SUCCESS : EXIT_FAILURE;
}

bool
check_error(const GError *error, int reach, const char *reason, const char *words, int line)
{
  if (error == NULL) {
    printf("line %d: no error\n", line);
    return false;
  }
  bool right = (int)haul_error_reach(error) == reach
               && strcmp(haul_error_reason(error), reason) == 0
               && (words == NULL || strstr(error->message, words) != NULL);
  if (!right)
    printf("line %d: reach %d, reason %s: %s\n", line, (int)haul_error_reach(error),
           haul_error_reason(error), error->message);
  return right;
}

int64_t
cpu_time_us(void)
{
  struct timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

uint32_t
next_random(uint32_t *seed)
{
  /* xorshift32 (Marsaglia 2003): the same on every machine. */
  *seed ^= *seed << 13;
  *seed ^= *seed >> 17;
  *seed ^= *seed << 5;
  return *seed;
}

char *
make_test_folder(void)
{
  const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir();
  return g_mkdtemp(g_build_filename(place, "mailhaul-XXXXXX", NULL));
}
