/* Tests findings.c. */
#include "suite.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>

#include <mailhaul/message.h>

#include "account.h"
#include "log.h"

static const HaulPlugin plugin = { HAUL_PLUGIN_HEAD, .name = "sample" };

static void
what_was_forgone_stays_so_for_all_stores_of_the_account(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &plugin, NULL);
  g_autoptr(HaulAccount) other = haul_account_new(2, &plugin, NULL);
  CU_ASSERT(!haul_account_forgoes(account, "COMPRESS"));
  CU_ASSERT(haul_account_forgo(account, "COMPRESS"));
  CU_ASSERT(!haul_account_forgo(account, "compress"));
  CU_ASSERT(haul_account_forgoes(account, "Compress"));
  CU_ASSERT(!haul_account_forgoes(account, "COMPRES"));
  CU_ASSERT(!haul_account_forgoes(other, "COMPRESS"));
}

static void
it_is_said_once(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(2, &plugin, NULL);
  g_autofree char *folder = g_dir_make_tmp("mailhaul-findings-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(folder, "log", NULL), *text = NULL;
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  CU_ASSERT_FATAL(haul_log_to_file(path, HAUL_LOG_WARNING, NULL));
  haul_account_forgo(account, "UIDPLUS");
  haul_account_forgo(account, "UIDPLUS");
  haul_log_close();
  CU_ASSERT_FATAL(g_file_get_contents(path, &text, NULL, NULL));
  const char *said = strstr(text, "destination: UIDPLUS does not work here, done without\n");
  CU_ASSERT_FATAL(said != NULL);
  CU_ASSERT_PTR_NULL(strstr(said + strlen("destination: UIDPLUS"), "UIDPLUS"));
  g_unlink(path);
  g_rmdir(folder);
}

static void
the_least_refused_size_counts(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &plugin, NULL);
  CU_ASSERT_EQUAL(haul_account_refused_size(account), HAUL_UNKNOWN);
  haul_account_note_refused_size(account, 2000);
  haul_account_note_refused_size(account, 3000);
  CU_ASSERT_EQUAL(haul_account_refused_size(account), 2000);
  haul_account_note_refused_size(account, 1000);
  CU_ASSERT_EQUAL(haul_account_refused_size(account), 1000);
}

static void *
note_many(void *data)
{
  for (uint64_t number = 10000; number > 0; number--)
    haul_account_note_refused_size(data, number);
  return NULL;
}

static void
lanes_may_find_out_at_the_same_time(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &plugin, NULL);
  pthread_t threads[4];
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    pthread_create(&threads[i], NULL, note_many, account);
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    pthread_join(threads[i], NULL);
  CU_ASSERT_EQUAL(haul_account_refused_size(account), 1);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_was_forgone_stays_so_for_all_stores_of_the_account),
    CASE(it_is_said_once),
    CASE(the_least_refused_size_counts),
    CASE(lanes_may_find_out_at_the_same_time),
  };
  return RUN_SUITE("findings", cases);
}
