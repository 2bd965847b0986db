/* Tests pipe.c: commands that change messages, and those that do worse. */
#include "suite.h"

#include <string.h>

#include <mailhaul/error.h>

#include "pipe.h"

static GByteArray *
run(const char *command, size_t size, unsigned timeout_ms, GError **error)
{
  g_auto(GStrv) words = NULL;
  g_autoptr(GByteArray) input = g_byte_array_new();
  g_byte_array_set_size(input, (guint)size);
  memset(input->data, 'a', size);
  CU_ASSERT_TRUE_FATAL(g_shell_parse_argv(command, NULL, &words, NULL));
  return haul_pipe_run(words, input, timeout_ms, 2 * size + (1u << 20), NULL, error);
}

static void
what_a_command_makes_comes_back(void)
{
  static const size_t sizes[] = { 1, 70000, 3u << 20 }; /* more than a pipe holds, too */
  for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) same = run("cat", sizes[i], 60000, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(same);
    CU_ASSERT_EQUAL(same->len, sizes[i]);
    g_autoptr(GByteArray) other = run("tr a b", sizes[i], 60000, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(other);
    CU_ASSERT_EQUAL(other->data[sizes[i] - 1], 'b');
  }
}

static void
a_command_that_does_not_read_is_as_good(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GByteArray) result = run("sh -c 'exec <&-; echo x'", 3u << 20, 60000, &error);
  CU_ASSERT_PTR_NOT_NULL_FATAL(result);
  CU_ASSERT_EQUAL(result->len, 2);
}

static void
what_a_command_fails_at_is_told(void)
{
  static const struct {
    const char *command, *told;
    unsigned timeout_ms;
  } table[] = {
    { "no-such-command-at-all", "cannot be started", 60000 },
    { "false", "failed", 60000 },
    { "sh -c 'echo x; exit 1'", "failed", 60000 },
    { "sh -c 'echo x; kill -9 $$'", "failed", 60000 },
    { "true", "wrote nothing", 60000 },
    { "yes", "writes too much", 60000 },
    { "sleep 60", "takes too long", 100 },
    { "sh -c 'echo x; exec >&-; exec sleep 60'", "takes too long", 100 },
    { "sh -c 'sleep 60 & echo x'", "takes too long", 100 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) result = run(table[i].command, 100, table[i].timeout_ms, &error);
    CU_ASSERT_PTR_NULL(result);
    CHECK_ERROR(error, HAUL_ERROR_MESSAGE, "usage", table[i].told);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_a_command_makes_comes_back),
    CASE(a_command_that_does_not_read_is_as_good),
    CASE(what_a_command_fails_at_is_told),
  };
  return RUN_SUITE("pipe", cases);
}
