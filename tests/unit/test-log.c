/* Tests log.c. */
#include "suite.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include <mailhaul/error.h>

#include "log.h"

static char *folder; /* of the running case */

/* Logs to a fresh file up to @level. */
static char *
open_log(HaulLogLevel level)
{
  folder = g_dir_make_tmp("mailhaul-log-XXXXXX", NULL);
  char *path = g_build_filename(folder, "log", NULL);
  g_autoptr(GError) error = NULL;
  CU_ASSERT_FATAL(haul_log_to_file(path, level, &error));
  return path;
}

/* Closes the log at @path, removes it, and returns its lines. */
static char **
take_log(char *path)
{
  haul_log_close();
  char *text = NULL;
  CU_ASSERT_FATAL(g_file_get_contents(path, &text, NULL, NULL));
  g_unlink(path);
  g_rmdir(folder);
  g_free(folder);
  g_free(path);
  char **lines = g_strsplit(text, "\n", -1);
  g_free(text);
  return lines;
}

static void
a_record_is_a_line_with_its_time_and_level(void)
{
  char *path = open_log(HAUL_LOG_INFO);
  struct stat state;
  CU_ASSERT(stat(path, &state) == 0 && (state.st_mode & 0777) == 0600);
  haul_log(HAUL_LOG_INFO, "copied %d", 3);
  haul_log(HAUL_LOG_DEBUG, "not wanted");
  g_auto(GStrv) lines = take_log(path);
  CU_ASSERT_FATAL(g_strv_length(lines) == 2);
  CU_ASSERT(g_regex_match_simple(
      "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z info copied 3$", lines[0], 0, 0));
  CU_ASSERT_STRING_EQUAL(lines[1], "");
}

static void
no_record_can_forge_another_or_move_the_cursor(void)
{
  char *path = open_log(HAUL_LOG_INFO);
  haul_log(HAUL_LOG_INFO, "%s", "a\n2026-01-01T00:00:00.000Z info deleted 0");
  haul_log(HAUL_LOG_INFO, "%s", "\033]0;pwn\007 \x9b \xe2\x80\xae \xc3\xbc");
  g_auto(GStrv) lines = take_log(path);
  CU_ASSERT_FATAL(g_strv_length(lines) == 3);
  CU_ASSERT(strstr(lines[0], " info a\\") != NULL);
  CU_ASSERT(g_str_has_suffix(lines[0], "2026-01-01T00:00:00.000Z info deleted 0"));
  CU_ASSERT(strpbrk(lines[1], "\033\007\x9b") == NULL);
  CU_ASSERT(strstr(lines[1], "]0;pwn\\") != NULL);
  CU_ASSERT(strstr(lines[1], "\xe2\x80\xae") == NULL);
  CU_ASSERT(g_str_has_suffix(lines[1], " \xc3\xbc"));
}

static void
a_long_record_is_whole(void)
{
  char *path = open_log(HAUL_LOG_INFO);
  g_autoptr(GString) text = g_string_new(NULL);
  for (unsigned i = 0; i < 5000; i++)
    g_string_append(text, i % 3 == 0 ? "\xe2\x82\xac" : i % 3 == 1 ? "\xc3\xbc" : "x");
  haul_log(HAUL_LOG_INFO, "%s", text->str);
  g_autofree char *controls = g_strnfill(5000, '\1');
  haul_log(HAUL_LOG_INFO, "%s", controls);
  g_auto(GStrv) lines = take_log(path);
  CU_ASSERT_FATAL(g_strv_length(lines) == 3);
  CU_ASSERT(g_str_has_suffix(lines[0], text->str));
  unsigned n_escapes = 0;
  for (const char *at = lines[1]; (at = strchr(at, '\\')) != NULL; at++)
    n_escapes++;
  CU_ASSERT(n_escapes == 5000);
}

static void
a_level_is_wanted_where_a_sink_takes_it(void)
{
  CU_ASSERT(haul_log_wants(HAUL_LOG_WARNING)); /* stderr */
  CU_ASSERT(!haul_log_wants(HAUL_LOG_INFO));
  char *path = open_log(HAUL_LOG_DEBUG);
  CU_ASSERT(haul_log_wants(HAUL_LOG_DEBUG));
  g_strfreev(take_log(path));
  CU_ASSERT(!haul_log_wants(HAUL_LOG_INFO));
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  CU_ASSERT(!haul_log_wants(HAUL_LOG_ERROR));
  haul_log_to_stderr(HAUL_LOG_WARNING);
}

static void *
log_thread(void *data)
{
  for (unsigned i = 0; i < 1000; i++)
    haul_log(HAUL_LOG_INFO, "%s %u", (const char *)data, i);
  return NULL;
}

static void
records_of_threads_do_not_mix(void)
{
  static char names[][64] = { "aaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbb" };
  char *path = open_log(HAUL_LOG_INFO);
  pthread_t threads[G_N_ELEMENTS(names)];
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    pthread_create(&threads[i], NULL, log_thread, names[i]);
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    pthread_join(threads[i], NULL);
  g_auto(GStrv) lines = take_log(path);
  CU_ASSERT(g_strv_length(lines) == 2001);
  g_autoptr(GRegex) whole = g_regex_new("Z info (a{25}|b{29}) \\d+$", 0, 0, NULL);
  for (size_t i = 0; i < 2000 && lines[i] != NULL; i++)
    CU_ASSERT(g_regex_match(whole, lines[i], 0, NULL));
}

static void
a_log_that_cannot_be_opened_is_an_error(void)
{
  g_autoptr(GError) error = NULL;
  CU_ASSERT(!haul_log_to_file("/nonexistent/log", HAUL_LOG_INFO, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "/nonexistent/log");
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_record_is_a_line_with_its_time_and_level),
    CASE(no_record_can_forge_another_or_move_the_cursor),
    CASE(a_long_record_is_whole),
    CASE(a_level_is_wanted_where_a_sink_takes_it),
    CASE(records_of_threads_do_not_mix),
    CASE(a_log_that_cannot_be_opened_is_an_error),
  };
  return RUN_SUITE("log", cases);
}
