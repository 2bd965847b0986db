/*
 * Plays a transcript between a plugin and a scripted server: whole, an octet at a time, and cut off
 * after every line that the server plays.
 *
 *     transcripts PLUGIN.so TRANSCRIPT.txt
 *
 * Whole and octet-wise, every result must be the one written down. Cut off, the client may end with
 * an error that another connection may cure (or that ends the account), must settle every ticket
 * once, and must not have come to a result that stands after the cut: nothing is believed that the
 * server has not said.
 */
#include <mailhaul/error.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certificate.h"
#include "player.h"
#include "plugin.h"
#include "server.h"

/* A run that takes longer hangs. */
#define RUN_SECONDS 60

typedef struct {
  const HaulPlugin *plugin;
  const Script *script;
  char *folder;      /* owned; scratch, removed at the end         */
  char *certificate; /* owned; path in it, NULL if no TLS is asked */
  SSL_CTX *tls;      /* owned; likewise                            */
  unsigned cut;      /* line after which to cut, or 0              */
  bool octets;
  GString *complaint; /* owned; what was wrong in this run         */
} Run;

/* ------------------------------------------------- the client's sockets, an octet at a time */

/* The linker sends the reads and writes of the stream through here (--wrap, see meson.build). */
static _Thread_local bool octetwise; /* of the thread that the client runs in */
ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __real_send(int fd, const void *buffer, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *buffer, size_t size, int flags);

static size_t
less(int fd, size_t size, size_t most)
{
  int type;
  socklen_t length = sizeof type;
  bool is_socket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
  return octetwise && is_socket ? MIN(size, most) : size;
}

ssize_t
__wrap_recv(int fd, void *buffer, size_t size, int flags)
{
  return __real_recv(fd, buffer, less(fd, size, 1), flags);
}

ssize_t
__wrap_send(int fd, const void *buffer, size_t size, int flags)
{
  return __real_send(fd, buffer, less(fd, size, 7), flags);
}

/* ------------------------------------------------------------------------------ one run */

static void G_GNUC_PRINTF(2, 3) complain(Run *run, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_string_append(run->complaint, "  ");
  g_string_append_vprintf(run->complaint, format, arguments);
  g_string_append_c(run->complaint, '\n');
  va_end(arguments);
}

static char *
show_error(const GError *error)
{
  static const char *const reaches[] = { "message", "folder",  "connection",
                                         "busy",    "account", "cancelled" };
  unsigned wait_ms = haul_error_wait_ms(error);
  g_autofree char *wait = wait_ms > 0 ? g_strdup_printf(" wait %u", wait_ms) : NULL;
  return g_strdup_printf("error %s %s \"%s\"%s", reaches[haul_error_reach(error)],
                         haul_error_reason(error), error->message, wait != NULL ? wait : "");
}

static bool
is_receipt(const char *text)
{
  return g_str_has_prefix(text, "receipt ") || g_str_has_prefix(text, "refusal ");
}

/* The results written down between the step at @from and the next one, receipts left out. */
static GPtrArray *
expected_results(const Run *run, unsigned from)
{
  GPtrArray *expected = g_ptr_array_new();
  for (unsigned i = from + 1; i < run->script->lines->len; i++) {
    Line *line = &g_array_index(run->script->lines, Line, i);
    if (line->kind == LINE_STEP)
      break;
    if (line->kind == LINE_RESULT && !is_receipt(line->text->str))
      g_ptr_array_add(expected, line);
  }
  return expected;
}

/* Whether @result is written behind a line that the server did not come to, being cut off. */
static bool
is_too_early(const Run *run, const Line *result)
{
  for (unsigned i = 0; i < run->script->lines->len && run->cut != 0; i++) {
    const Line *line = &g_array_index(run->script->lines, Line, i);
    if (line_is_server(line) && line->number > run->cut && line->number < result->number)
      return true;
  }
  return false;
}

/* Compares the results of the step at @line. With the connection cut, the first ones are enough. */
static void
compare_results(Run *run, const Line *step, GPtrArray *expected, GPtrArray *results, bool partly)
{
  for (unsigned i = 0; i < MAX(expected->len, results->len); i++) {
    const Line *line = i < expected->len ? expected->pdata[i] : NULL;
    const char *wanted = line != NULL ? line->text->str : "nothing";
    const char *got = i < results->len ? results->pdata[i] : NULL;
    if (got == NULL && !partly)
      complain(run, "line %u: %s: expected \"%s\", and nothing came", step->number, step->text->str,
               wanted);
    else if (got != NULL && (line == NULL || !g_pattern_match_simple(wanted, got)))
      complain(run, "line %u: %s: expected \"%s\", got \"%s\"", step->number, step->text->str,
               wanted, got);
    else if (got != NULL && is_too_early(run, line))
      complain(run, "line %u: \"%s\" before the server said so", line->number, got);
  }
}

/* Whether a cut connection may end in this error. */
static bool
may_end_in(const GError *error)
{
  HaulError reach = haul_error_reach(error);
  return reach == HAUL_ERROR_CONNECTION || reach == HAUL_ERROR_BUSY || reach == HAUL_ERROR_ACCOUNT;
}

/* Carries out the step at @index. Returns false if there is no going on. */
static bool
play_step(Run *run, Player *player, unsigned index)
{
  const Line *step = &g_array_index(run->script->lines, Line, index);
  g_autoptr(GPtrArray) expected = expected_results(run, index);
  g_autoptr(GPtrArray) results = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GError) error = NULL;
  bool done = player_step(player, step->text->str, results, &error);
  if (!done && error == NULL)
    complain(run, "line %u: %s failed without an error", step->number, step->text->str);
  if (error != NULL)
    g_ptr_array_add(results, show_error(error));

  const Line *last = expected->len > 0 ? expected->pdata[expected->len - 1] : NULL;
  bool as_written = error != NULL && expected->len == results->len && !is_too_early(run, last)
                    && g_pattern_match_simple(last->text->str, results->pdata[results->len - 1]);
  bool lost = run->cut != 0 && error != NULL && !as_written;
  if (lost) {
    if (!may_end_in(error))
      complain(run, "line %u: %s: cut off, it ends with %s", step->number, step->text->str,
               (const char *)results->pdata[results->len - 1]);
    g_ptr_array_set_size(results, (int)results->len - 1);
  }
  compare_results(run, step, expected, results, lost);
  return error == NULL || as_written;
}

/* Every receipt must be written down; cut off, it must stand before the cut, or be a failure. */
static void
compare_receipts(Run *run, Player *player)
{
  GPtrArray *receipts = player_receipts(player);
  for (unsigned i = 0; i < receipts->len; i++) {
    const char *got = receipts->pdata[i];
    const Line *found = NULL;
    for (unsigned n = 0; n < run->script->lines->len && got != NULL; n++) {
      const Line *line = &g_array_index(run->script->lines, Line, n);
      if (line->kind == LINE_RESULT && is_receipt(line->text->str)
          && g_pattern_match_simple(line->text->str, got))
        found = line;
    }
    bool lost = run->cut != 0 && got != NULL && g_str_has_prefix(got, "refusal ")
                && strstr(got, " message ") == NULL;
    if (found == NULL && !lost)
      complain(run, "message %u: not written down: %s", i + 1, got != NULL ? got : "no receipt");
    else if (found != NULL && !lost && is_too_early(run, found))
      complain(run, "line %u: \"%s\" before the server said so", found->number, got);
  }
}

static void
play(Run *run)
{
  g_autoptr(GError) error = NULL;
  Server *server = server_start(run->script, run->octets, run->cut, run->tls, &error);
  if (server == NULL)
    g_error("%s", error->message);
  Player *player = player_new(run->plugin, server_port(server), run->folder, run->certificate);
  octetwise = run->octets;
  alarm(RUN_SECONDS);

  bool connected = true;
  for (unsigned i = 0; i < run->script->lines->len && connected; i++)
    if (g_array_index(run->script->lines, Line, i).kind == LINE_STEP) {
      server_come_to(server, g_array_index(run->script->lines, Line, i).number);
      connected = play_step(run, player, i);
    }
  if (!connected && player_outstanding(player) > 0) {
    /* What put() or another call left to be settled is settled by flush(), which then fails. */
    g_autoptr(GPtrArray) results = g_ptr_array_new_with_free_func(g_free);
    player_step(player, "flush", results, NULL);
  }
  compare_receipts(run, player);
  if (!player_free(player))
    complain(run, "a ticket was not settled once");

  octetwise = false;
  g_autofree char *failure = server_stop(server);
  if (failure != NULL && run->cut == 0)
    complain(run, "%s", failure);
  alarm(0);
}

static char current[1024]; /* what to say if it never ends */

/* Plays once; prints what was wrong. Returns whether nothing was. */
static bool
play_and_report(Run *run, const char *how)
{
  g_string_truncate(run->complaint, 0);
  snprintf(current, sizeof current, "%s, %s:\n  the client hangs\n", run->script->path, how);
  play(run);
  if (run->complaint->len > 0)
    printf("%s, %s:\n%s", run->script->path, how, run->complaint->str);
  return run->complaint->len == 0;
}

static unsigned
play_all_ways(Run *run)
{
  unsigned failed = !play_and_report(run, "whole");
  run->octets = true;
  failed += !play_and_report(run, "octet-wise");
  run->octets = false;
  for (unsigned i = 0; i < run->script->lines->len && failed == 0; i++) {
    const Line *line = &g_array_index(run->script->lines, Line, i);
    if (!line_is_server(line))
      continue;
    run->cut = line->number;
    g_autofree char *how = g_strdup_printf("cut after line %u", line->number);
    failed += !play_and_report(run, how);
  }
  return failed;
}

static void
too_long(int signal)
{
  _exit(write(STDERR_FILENO, current, strlen(current)) < 0 ? 3 : 2);
}

int
main(int argc, char **argv)
{
  if (argc != 3) {
    fprintf(stderr, "usage: transcripts PLUGIN.so TRANSCRIPT.txt\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGALRM, too_long);
  g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK); /* a promise that was broken */
  g_autoptr(GError) error = NULL;
  Run run = { .complaint = g_string_new(NULL) };
  g_autoptr(Script) script = script_read(argv[2], &error);
  if (script != NULL)
    run.plugin = haul_plugin_load_file(argv[1], &error);
  if (run.plugin != NULL)
    run.folder = g_dir_make_tmp("haul-transcript-XXXXXX", &error);
  if (run.folder == NULL) {
    fprintf(stderr, "%s\n", error->message);
    return 2;
  }
  run.script = script;
  for (unsigned i = 0; i < script->lines->len; i++)
    if (g_array_index(script->lines, Line, i).kind == LINE_TLS && run.tls == NULL) {
      run.certificate = g_build_filename(run.folder, "ca.pem", NULL);
      run.tls = certificate_new(run.certificate);
    }

  unsigned failed = play_all_ways(&run);
  if (run.tls != NULL) {
    unlink(run.certificate);
    SSL_CTX_free(run.tls);
  }
  rmdir(run.folder);
  g_free(run.certificate);
  g_free(run.folder);
  g_string_free(run.complaint, TRUE);
  return failed > 0;
}
