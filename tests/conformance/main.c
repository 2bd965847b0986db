/*
 * The conformance suite: what every store must keep of the contract, whatever it is made of.
 *
 *     conformance [--lenient] [--upkeep|--reading] PLUGIN.so KEY=VALUE...
 *
 * It opens the store as a destination with these settings and works in a folder of its own. For a
 * server: conformance --lenient imap.so host=127.0.0.1 port=10143 tls=none user=u1 password=pass
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CUnit/Basic.h>
#include <glib/gstdio.h>

#include "plugin.h"

#include "subject.h"

Subject subject;

static int
run_all(bool upkeep_only, bool reading_only)
{
  if (upkeep_only)
    return run_suite(subject.plugin->name, upkeep_cases, n_upkeep_cases);
  if (reading_only)
    return run_suite(subject.plugin->name, reading_cases, n_reading_cases);
  g_autoptr(GArray) cases = g_array_new(FALSE, FALSE, sizeof(Case));
  g_array_append_vals(cases, folder_cases, (guint)n_folder_cases);
  g_array_append_vals(cases, message_cases, (guint)n_message_cases);
  g_array_append_vals(cases, copy_cases, (guint)n_copy_cases);
  g_array_append_vals(cases, upkeep_cases, (guint)n_upkeep_cases);
  g_array_append_vals(cases, edge_cases, (guint)n_edge_cases);
  return run_suite(subject.plugin->name, (const Case *)cases->data, cases->len);
}

int
main(int argc, char **argv)
{
  int first = 1;
  bool upkeep_only = false, reading_only = false;
  if (argc > 1 && strcmp(argv[1], "--lenient") == 0) {
    subject.lenient = true;
    first++;
  }
  if (argc > first && strcmp(argv[first], "--upkeep") == 0) {
    upkeep_only = true;
    first++;
  } else if (argc > first && strcmp(argv[first], "--reading") == 0) {
    reading_only = true;
    first++;
  }
  if (argc <= first) {
    fprintf(stderr, "usage: conformance [--lenient] [--upkeep|--reading] PLUGIN.so KEY=VALUE...\n");
    return 64;
  }
  g_autoptr(GError) why = NULL;
  subject.plugin = haul_plugin_load_file(argv[first], &why);
  if (subject.plugin == NULL || subject.plugin->store == NULL) {
    fprintf(stderr, "%s\n", why != NULL ? why->message : "the plugin holds no mail");
    return EXIT_FAILURE;
  }
  subject.settings = argv + first + 1;
  subject.spool = g_dir_make_tmp("conformance-XXXXXX", NULL);
  g_assert(subject.spool != NULL);
  subject.base =
      g_strdup_printf("conformance-%u-%" G_GINT64_FORMAT, (unsigned)getpid(), g_get_real_time());
  int code = run_all(upkeep_only, reading_only);
  forget_receipts();
  g_rmdir(subject.spool);
  g_free(subject.spool);
  g_free(subject.base);
  return code;
}
