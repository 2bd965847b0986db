/* Tests token.c: commands, files and texts that give access tokens. */
#include "suite.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "peer.h"
#include "secret.h"
#include "token.h"

static char *
fetch(const char *key, const char *value, HaulCancel *cancel, GError **error)
{
  g_autoptr(HaulAccount) account = peer_account(143, "none", cancel);
  peer_set(account, key, value);
  CU_ASSERT_TRUE(haul_token_is_wanted(account));
  return haul_token_fetch(account, error);
}

static void
the_first_line_is_the_token(void)
{
  static const char *const commands[] = {
    "echo tok.1",
    "printf tok.1",
    "printf 'tok.1\\r\\nexpires 12\\n'",
    "sh -c 'echo noise >&2; echo tok.1; echo more'",
    "sh -c 'echo tok.1; exec >&- 2>&-'",
    "/bin/echo \"tok.1 \"",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
    g_autoptr(GError) error = NULL;
    char *token = fetch("tokencmd", commands[i], NULL, &error);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_STRING_EQUAL(token != NULL ? token : "", "tok.1");
    haul_secret_free(token);
  }
}

static void
a_failing_command_is_told_of(void)
{
  static const struct {
    const char *command;
    HaulError reach;
    const char *reason, *words;
  } table[] = {
    { "sh -c 'printf \"bad\\033[1m\\nmore\\n\" >&2; exit 3'", HAUL_ERROR_ACCOUNT, "login",
      "ended with status 3: bad\\u{1B}[1m" },
    { "false", HAUL_ERROR_ACCOUNT, "login", "ended with status 1" },
    { "sh -c 'echo later >&2; exit 75'", HAUL_ERROR_BUSY, "busy", "status 75: later" },
    { "sh -c 'kill -9 $$'", HAUL_ERROR_ACCOUNT, "login", "signal 9" },
    { "sh -c 'echo tok.1; exit 1'", HAUL_ERROR_ACCOUNT, "login", "status 1" },
    { "true", HAUL_ERROR_ACCOUNT, "login", "it is empty" },
    { "echo two words", HAUL_ERROR_ACCOUNT, "login", "no access token" },
    { "echo tok.1 > /dev/null", HAUL_ERROR_ACCOUNT, "login", "no access token" }, /* no shell */
    { "/nonexistent/program", HAUL_ERROR_ACCOUNT, "input", "cannot be run" },
    { "echo 'unterminated", HAUL_ERROR_ACCOUNT, "usage", "shell would read" },
    { "head -c 70000 /dev/zero", HAUL_ERROR_ACCOUNT, "login", "more than 64 KiB" },
    { "yes", HAUL_ERROR_ACCOUNT, "login", "more than 64 KiB" }, /* that would never end */
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(fetch("tokencmd", table[i].command, NULL, &error));
    CHECK_ERROR(error, (int)table[i].reach, table[i].reason, table[i].words);
  }
}

static void
a_flood_of_complaints_is_read_and_cut(void)
{
  g_autoptr(GError) error = NULL;
  char *token = fetch("tokencmd", "sh -c 'yes | head -c 1000000 >&2; echo tok.1'", NULL, &error);
  CU_ASSERT_STRING_EQUAL(token != NULL ? token : "", "tok.1");
  haul_secret_free(token);
}

static void
what_a_command_leaves_running_is_not_waited_for(void)
{
  int64_t begin = g_get_monotonic_time();
  char *token = fetch("tokencmd", "sh -c 'sleep 10 & echo tok.1'", NULL, NULL);
  CU_ASSERT_STRING_EQUAL(token != NULL ? token : "", "tok.1");
  CU_ASSERT(g_get_monotonic_time() - begin < 8 * G_USEC_PER_SEC);
  haul_secret_free(token);
}

static void *
cancel_soon(void *cancel)
{
  haul_cancel_set(cancel);
  return NULL;
}

static void
a_command_that_hangs_is_ended_with_the_run(void)
{
  HaulCancel *cancel = haul_cancel_new();
  g_autoptr(GError) error = NULL;
  int64_t begin = g_get_monotonic_time();
  GThread *thread = g_thread_new("cancel", cancel_soon, cancel);
  CU_ASSERT_PTR_NULL(fetch("tokencmd", "sleep 50", cancel, &error));
  CHECK_ERROR(error, HAUL_ERROR_CANCELLED, "cancelled", NULL);
  CU_ASSERT(g_get_monotonic_time() - begin < 20 * G_USEC_PER_SEC);
  g_thread_join(thread);
  haul_cancel_free(cancel);
}

static void
a_file_is_read_anew_and_a_text_is_itself(void)
{
  g_autofree char *folder = g_dir_make_tmp("mh-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(folder, "token", NULL);
  static const char *const contents[][2] = {
    { "one\n", "one" }, { "two", "two" },   { "three  \r\nrest", "three" },
    { "", NULL },       { "\nfour", NULL }, { "a b", NULL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
    g_autoptr(GError) error = NULL;
    g_file_set_contents(path, contents[i][0], -1, NULL);
    char *token = fetch("oauthaccesstoken", path, NULL, &error);
    CU_ASSERT_EQUAL(g_strcmp0(token, contents[i][1]), 0);
    if (contents[i][1] == NULL)
      CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "login", "no access token");
    haul_secret_free(token);
  }
  g_unlink(path);
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(fetch("oauthaccesstoken", path, NULL, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "input", "No such file");
  g_rmdir(folder);

  char *token = fetch("oauthaccesstoken", "eyJ0.e30.c2ln", NULL, NULL);
  CU_ASSERT_STRING_EQUAL(token, "eyJ0.e30.c2ln");
  haul_secret_free(token);
  g_autoptr(GError) none = NULL;
  CU_ASSERT_PTR_NULL(fetch("oauthaccesstoken", "no token", NULL, &none));
  CHECK_ERROR(none, HAUL_ERROR_ACCOUNT, "usage", NULL);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(the_first_line_is_the_token),
    CASE(a_failing_command_is_told_of),
    CASE(a_flood_of_complaints_is_read_and_cut),
    CASE(what_a_command_leaves_running_is_not_waited_for),
    CASE(a_command_that_hangs_is_ended_with_the_run),
    CASE(a_file_is_read_anew_and_a_text_is_itself),
  };
  return RUN_SUITE("token", cases);
}
