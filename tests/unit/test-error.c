/* Tests error.c and cancel.c. */
#include "suite.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <mailhaul/error.h>

#include "cancel.h"

static void
an_error_keeps_its_reach_reason_and_wait_under_context(void)
{
  GError *error = NULL;
  haul_set_error(&error, HAUL_ERROR_BUSY, "throttled", "wait %d s", 30);
  CU_ASSERT_EQUAL(haul_error_wait_ms(error), 0);
  haul_error_set_wait(error, 30000);
  g_prefix_error(&error, "source: ");
  CHECK_ERROR(error, HAUL_ERROR_BUSY, "throttled", "source: wait 30 s");
  GError *copy = g_error_copy(error);
  g_error_free(error);
  CHECK_ERROR(copy, HAUL_ERROR_BUSY, "throttled", "source: wait 30 s");
  CU_ASSERT_EQUAL(haul_error_wait_ms(copy), 30000);
  g_error_free(copy);
}

static void
an_error_that_nobody_wants_is_not_made(void)
{
  haul_set_error(NULL, HAUL_ERROR_FOLDER, "select", "%s", "unused");
}

static void
a_foreign_error_ends_the_account(void)
{
  g_autoptr(GError) error = g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_NOENT, "gone");
  haul_error_set_wait(error, 1000);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "failed", "gone");
  CU_ASSERT_EQUAL(haul_error_wait_ms(error), 0);
}

static void
a_cancel_stays_set_and_readable(void)
{
  HaulCancel *cancel = haul_cancel_new();
  struct pollfd readable = { .fd = haul_cancel_fd(cancel), .events = POLLIN };
  CU_ASSERT(!haul_cancel_is_set(cancel));
  CU_ASSERT(poll(&readable, 1, 0) == 0);
  for (unsigned i = 0; i < 3; i++) {
    errno = EBADMSG;
    haul_cancel_set(cancel);
    CU_ASSERT(errno == EBADMSG);
    CU_ASSERT(haul_cancel_is_set(cancel));
    CU_ASSERT(poll(&readable, 1, 0) == 1);
  }
  haul_cancel_free(cancel);
}

static HaulCancel *signalled;

static void
on_signal(int number)
{
  haul_cancel_set(signalled);
}

static void *
wait_thread(void *data)
{
  HaulWait *wait = data;
  *wait = haul_cancel_wait(signalled, NULL, 0, HAUL_NEVER);
  return NULL;
}

static void
a_signal_handler_can_cancel_all_who_wait(void)
{
  signalled = haul_cancel_new();
  struct sigaction action = { .sa_handler = on_signal }, before;
  sigaction(SIGUSR1, &action, &before);
  pthread_t threads[2];
  HaulWait waits[2] = { HAUL_WAIT_DEADLINE, HAUL_WAIT_DEADLINE };
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    pthread_create(&threads[i], NULL, wait_thread, &waits[i]);
  raise(SIGUSR1);
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
    pthread_join(threads[i], NULL);
    CU_ASSERT(waits[i] == HAUL_WAIT_CANCELLED);
  }
  sigaction(SIGUSR1, &before, NULL);
  haul_cancel_free(signalled);
}

static void
a_wait_ends_at_its_deadline_and_not_before(void)
{
  HaulCancel *cancel = haul_cancel_new();
  int64_t deadline_us = g_get_monotonic_time() + 20000;
  CU_ASSERT(haul_cancel_wait(cancel, NULL, 0, deadline_us) == HAUL_WAIT_DEADLINE);
  CU_ASSERT(g_get_monotonic_time() >= deadline_us);
  CU_ASSERT(haul_cancel_wait(NULL, NULL, 0, 0) == HAUL_WAIT_DEADLINE);
  haul_cancel_free(cancel);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(an_error_keeps_its_reach_reason_and_wait_under_context),
    CASE(an_error_that_nobody_wants_is_not_made),
    CASE(a_foreign_error_ends_the_account),
    CASE(a_cancel_stays_set_and_readable),
    CASE(a_signal_handler_can_cancel_all_who_wait),
    CASE(a_wait_ends_at_its_deadline_and_not_before),
  };
  return RUN_SUITE("error", cases);
}
