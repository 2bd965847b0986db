/*
 * Tests what a session of the pop3 plugin bears, and that it stays in step: answers of a server that has
 * no measure, messages however their octets come, commands that are under way.
 */
#include "suite.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>

#include "log.h"
#include "peer.h"

#include "../../plugins/pop3/limits.h"
#include "../../plugins/pop3/session.h"

extern const HaulPlugin haul_plugin_pop3;

#define MIB ((size_t)1 << 20)

/* A session with a server that is played by the test. */
typedef struct {
  Peer *peer;
  HaulAccount *account;
  Pop3Session *session;
} Line;

static Line
line_open(PeerRun run, void *data)
{
  g_autoptr(GError) error = NULL;
  Line line = { .peer = peer_start(run, data),
                .account = haul_account_new(1, &haul_plugin_pop3, NULL) };
  g_autofree char *port = g_strdup_printf("%u", peer_port(line.peer));
  peer_set(line.account, "host", "127.0.0.1");
  peer_set(line.account, "port", port);
  peer_set(line.account, "tls", "none");
  HaulStream *stream = haul_stream_open(line.account, 995, 110, &error);
  CU_ASSERT_FATAL(stream != NULL);
  line.session = pop3_session_new(line.account, stream);
  return line;
}

static void
line_close(Line *line)
{
  pop3_session_close(line->session);
  peer_join(line->peer);
  haul_account_free(line->account);
}

static bool
say(int fd, const char *text)
{
  return peer_say(fd, text, strlen(text));
}

/* Reads a line; false at the end. */
static bool
hear_line(int fd, GString *line)
{
  char octet;
  g_string_truncate(line, 0);
  while (peer_hear(fd, &octet, 1)) {
    if (octet == '\n')
      return true;
    g_string_append_c(line, octet);
  }
  return false;
}

/* ---- answers without measure ---- */

/* What the server says to the first command: @unit, @times, between @before and @after. */
typedef struct {
  const char *before, *unit;
  size_t times;
  const char *after;
} Flood;

static void
flood(int fd, void *data)
{
  const Flood *flood = data;
  g_autoptr(GString) text = g_string_new(NULL);
  if (!hear_line(fd, text))
    return;
  g_string_assign(text, flood->before);
  for (size_t i = 0; i < flood->times; i++) {
    g_string_append(text, flood->unit);
    if (text->len < MIB)
      continue;
    if (!peer_say(fd, text->str, text->len))
      return;
    g_string_truncate(text, 0);
  }
  g_string_append(text, flood->after);
  if (peer_say(fd, text->str, text->len))
    peer_hear_end(fd);
}

/* P-9, P-11 */
static void
a_line_that_is_too_long_is_cut_and_the_next_one_understood(void)
{
  static const Flood lines = { "+OK\r\n1 ", "0123456789abcdef", 60000, "\r\n2 x\r\n.\r\n" };
  g_autoptr(GError) error = NULL;
  Line line = line_open(flood, (void *)&lines);
  Pop3Status status;
  const char *text;
  size_t size;
  CU_ASSERT_FATAL(pop3_session_send(line.session, &error, "UIDL"));
  CU_ASSERT_FATAL(pop3_session_status(line.session, &status, &error));
  CU_ASSERT(status.ok);
  CU_ASSERT_FATAL(pop3_session_line(line.session, &text, &size, &error));
  CU_ASSERT_EQUAL(size, POP3_LINE_KEPT);
  CU_ASSERT(text != NULL && memcmp(text, "1 0123456789", 12) == 0);
  CU_ASSERT_FATAL(pop3_session_line(line.session, &text, &size, &error));
  CU_ASSERT(text != NULL && size == 3 && memcmp(text, "2 x", 3) == 0);
  CU_ASSERT_FATAL(pop3_session_line(line.session, &text, &size, &error));
  CU_ASSERT(text == NULL);
  line_close(&line);
}

static void
a_refusal_of_any_length_is_a_refusal(void)
{
  static const Flood lines = { "-ERR ", "%s%n\xff", 20000, "\r\n" };
  g_autoptr(GError) error = NULL;
  Line line = line_open(flood, (void *)&lines);
  Pop3Status status;
  CU_ASSERT_FATAL(pop3_session_send(line.session, &error, "RETR 1"));
  CU_ASSERT_FATAL(pop3_session_status(line.session, &status, &error));
  CU_ASSERT(!status.ok && strlen(status.text) <= POP3_LINE_KEPT);
  g_autoptr(GError) why =
      pop3_session_refusal_as(line.session, &status, HAUL_ERROR_MESSAGE, "unfetchable", "RETR");
  CHECK_ERROR(why, HAUL_ERROR_MESSAGE, "unfetchable", "RETR: %s%n\\xFF");
  CU_ASSERT(strlen(why->message) < 600);
  line_close(&line);
}

static void
a_line_without_end_is_not_pop3(void)
{
  static const Flood lines = { "+OK ", "0123456789abcdef", 64 * MIB / 16, "" };
  g_autoptr(GError) error = NULL;
  Line line = line_open(flood, (void *)&lines);
  Pop3Status status;
  CU_ASSERT_FATAL(pop3_session_send(line.session, &error, "NOOP"));
  CU_ASSERT(!pop3_session_status(line.session, &status, &error));
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "protocol", "a line without end");
  line_close(&line);
}

/* ---- messages ---- */

/* Collects a message, up to a limit. */
typedef struct {
  GByteArray *octets;
  guint limit;
} Heap;

static bool
collect(const uint8_t *octets, size_t size, void *data)
{
  Heap *heap = data;
  CU_ASSERT(heap->octets->len < heap->limit); /* it has said that it wants no more */
  g_byte_array_append(heap->octets, octets, (guint)size);
  return heap->octets->len < heap->limit;
}

/* Answers each RETR with a message of a pattern, in pieces of the number asked for. */
static void
serve_pieces(int fd, void *data)
{
  g_autoptr(GString) line = g_string_new(NULL);
  g_autoptr(GString) out = g_string_new(NULL);
  while (hear_line(fd, line) && g_str_has_prefix(line->str, "RETR ")) {
    size_t step = (size_t)g_ascii_strtoull(line->str + 5, NULL, 10);
    g_string_assign(out, "+OK\r\n");
    for (unsigned i = 0; i < 3000; i++)
      g_string_append_printf(out, "%s%u\r\n", i % 3 == 0 ? ".." : "", i);
    g_string_append(out, ".\r\n");
    for (size_t at = 0; at < out->len; at += step)
      if (!peer_say(fd, out->str + at, MIN(step, out->len - at)))
        return;
  }
}

static void
a_message_is_the_same_in_pieces_of_any_size(void)
{
  static const unsigned steps[] = { 1, 2, 3, 7, 1000, 100000 };
  g_autoptr(GError) error = NULL;
  g_autoptr(GString) wanted = g_string_new(NULL);
  for (unsigned i = 0; i < 3000; i++)
    g_string_append_printf(wanted, "%s%u\r\n", i % 3 == 0 ? "." : "", i);
  Line line = line_open(serve_pieces, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
    Heap heap = { g_byte_array_new(), UINT_MAX };
    Pop3Status status;
    uint64_t octets;
    CU_ASSERT_FATAL(pop3_session_send(line.session, &error, "RETR %u", steps[i]));
    CU_ASSERT_FATAL(pop3_session_status(line.session, &status, &error));
    CU_ASSERT_FATAL(pop3_session_body(line.session, collect, &heap, &octets, &error));
    CU_ASSERT_EQUAL(octets, wanted->len);
    CU_ASSERT(heap.octets->len == wanted->len
              && memcmp(heap.octets->data, wanted->str, wanted->len) == 0);
    g_byte_array_unref(heap.octets);
  }
  line_close(&line);
}

static void
what_nobody_wants_of_a_message_is_read_past(void)
{
  g_autoptr(GError) error = NULL;
  Line line = line_open(serve_pieces, NULL);
  Heap heap = { g_byte_array_new(), 10 };
  Pop3Status status;
  uint64_t octets;
  CU_ASSERT_FATAL(pop3_session_send(line.session, &error, "RETR 100"));
  CU_ASSERT_FATAL(pop3_session_status(line.session, &status, &error));
  CU_ASSERT(pop3_session_body(line.session, collect, &heap, &octets, &error));
  CU_ASSERT(heap.octets->len >= 10 && octets > 10000);
  CU_ASSERT_FATAL(pop3_session_send(line.session, &error, "RETR 100"));
  CU_ASSERT_FATAL(pop3_session_status(line.session, &status, &error));
  CU_ASSERT(status.ok);
  CU_ASSERT(pop3_session_body(line.session, NULL, NULL, NULL, &error));
  g_byte_array_unref(heap.octets);
  line_close(&line);
}

/* ---- commands under way ---- */

/* Hears all commands of a window before it answers the first; each is answered by its own words. */
static void
serve_window(int fd, void *data)
{
  g_autoptr(GString) line = g_string_new(NULL);
  g_autoptr(GString) out = g_string_new(NULL);
  for (unsigned i = 0; i < POP3_WINDOW; i++) {
    if (!hear_line(fd, line))
      return;
    g_string_append_printf(out, "+OK %s\n", line->str);
  }
  if (peer_say(fd, out->str, out->len))
    peer_hear_end(fd);
}

static void
a_window_of_commands_is_under_way_at_once(void)
{
  g_autoptr(GError) error = NULL;
  Line line = line_open(serve_window, NULL);
  CU_ASSERT_EQUAL(pop3_session_window(line.session), 1);
  line.session->can.set |= POP3_CAN_PIPELINING;
  CU_ASSERT_EQUAL(pop3_session_window(line.session), POP3_WINDOW);
  for (unsigned i = 0; i < POP3_WINDOW; i++)
    CU_ASSERT_FATAL(pop3_session_send(line.session, &error, "NOOP %u", i));
  for (unsigned i = 0; i < POP3_WINDOW; i++) {
    Pop3Status status;
    g_autofree char *wanted = g_strdup_printf("NOOP %u", i);
    CU_ASSERT_FATAL(pop3_session_status(line.session, &status, &error));
    CU_ASSERT_STRING_EQUAL(status.text, wanted);
  }
  line_close(&line);
}

/* Answers a command with @data, and nothing more. */
static void
serve_once(int fd, void *data)
{
  g_autoptr(GString) line = g_string_new(NULL);
  if (hear_line(fd, line) && say(fd, data))
    peer_hear_end(fd);
}

/* P-8 */
static void
an_answer_that_nobody_asked_for_ends_the_session(void)
{
  static const struct {
    const char *answer;
    HaulError reach;
    const char *reason, *words;
  } table[] = {
    { "-ERR no\r\n+OK\r\n", HAUL_ERROR_CONNECTION, "protocol", "a command never sent" },
    { "-ERR no\r\nmore of it\r\n", HAUL_ERROR_CONNECTION, "protocol", "not POP3: more of it" },
    { "+OK\r\n-ERR Disconnected for inactivity.\r\n", HAUL_ERROR_CONNECTION, "closed",
      "inactivity" },
    { "+OK\r\n-ERR bye\r\n", HAUL_ERROR_CONNECTION, "closed", "server ended the session: bye" },
    { "+OK\r\n-ERR [SYS/TEMP] going down\r\n", HAUL_ERROR_BUSY, "busy", "going down" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    Line line = line_open(serve_once, (void *)table[i].answer);
    Pop3Status status;
    CU_ASSERT_FATAL(pop3_session_send(line.session, &error, "RETR 1"));
    CU_ASSERT_FATAL(pop3_session_status(line.session, &status, &error));
    CU_ASSERT(!pop3_session_send(line.session, &error, "RETR 2"));
    CHECK_ERROR(error, table[i].reach, table[i].reason, table[i].words);
    line_close(&line);
  }
}

/* ---- leaving ---- */

/* Keeps what it hears; says OK to each line but QUIT. */
static void
serve_and_note(int fd, void *data)
{
  g_autoptr(GString) line = g_string_new(NULL);
  while (hear_line(fd, line)) {
    g_string_append_printf(data, "%s\n", line->str);
    if (!g_str_has_prefix(line->str, "QUIT"))
      say(fd, "+OK\r\n");
  }
}

static void
what_was_marked_as_deleted_stays_without_quit(void)
{
  static const struct {
    const char *command, *heard;
  } table[] = { { "NOOP", "NOOP\r\nQUIT\r\n" }, { "DELE 1", "DELE 1\r\n" } };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) heard = g_string_new(NULL);
    Pop3Status status;
    Line line = line_open(serve_and_note, heard);
    CU_ASSERT_FATAL(pop3_session_send(line.session, &error, "%s", table[i].command));
    CU_ASSERT_FATAL(pop3_session_status(line.session, &status, &error));
    line_close(&line);
    CU_ASSERT_STRING_EQUAL(heard->str, table[i].heard);
  }
}

/* PO8 */
static void
quit_counts_only_if_it_was_answered(void)
{
  static const struct {
    const char *answer;
    HaulError reach;
    const char *reason; /* NULL: it counts */
  } table[] = { { "+OK bye\r\n", HAUL_ERROR_MESSAGE, NULL },
                { "-ERR some messages were not deleted\r\n", HAUL_ERROR_FOLDER, "failed" },
                { "-ERR [SYS/TEMP] disk\r\n", HAUL_ERROR_BUSY, "busy" },
                { "+OK bye", HAUL_ERROR_CONNECTION, "timeout" } };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    Line line = line_open(serve_once, (void *)table[i].answer);
    if (!g_str_has_suffix(table[i].answer, "\n")) /* it goes on for ever */
      line.session->answer_by_us = g_get_monotonic_time() + G_USEC_PER_SEC / 4;
    bool counts = pop3_session_quit(line.session, &error);
    CU_ASSERT_EQUAL(counts, table[i].reason == NULL);
    if (!counts)
      CHECK_ERROR(error, table[i].reach, table[i].reason, NULL);
    CU_ASSERT(line.session->dead);
    line_close(&line);
  }
}

static void
nothing_is_read_behind_the_end(void)
{
  g_autoptr(GError) error = NULL;
  Line line = line_open(serve_once, (void *)"+OK bye\r\n1 x\r\n.\r\n");
  const char *text;
  size_t size;
  CU_ASSERT(pop3_session_quit(line.session, &error));
  CU_ASSERT(!pop3_session_line(line.session, &text, &size, &error));
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "closed", NULL);
  g_clear_error(&error);
  CU_ASSERT(!pop3_session_body(line.session, NULL, NULL, NULL, &error));
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "closed", NULL);
  line_close(&line);
}

/* ---- secrets ---- */

static void
a_password_reaches_the_server_and_no_log(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GString) heard = g_string_new(NULL);
  g_autofree char *folder = make_test_folder();
  g_autofree char *path = g_build_filename(folder, "log", NULL), *log = NULL;
  CU_ASSERT_FATAL(haul_log_to_file(path, HAUL_LOG_DEBUG, &error));
  Line line = line_open(serve_and_note, heard);
  Pop3Status status;
  CU_ASSERT_FATAL(
      pop3_session_send_secret(line.session, "PASS ***", "PASS ", "s3cr3t %s", false, &error));
  CU_ASSERT_FATAL(pop3_session_status(line.session, &status, &error));
  line_close(&line);
  haul_log_close();
  CU_ASSERT_STRING_EQUAL(heard->str, "PASS s3cr3t %s\r\nQUIT\r\n");
  CU_ASSERT_FATAL(g_file_get_contents(path, &log, NULL, &error));
  CU_ASSERT(strstr(log, "C: PASS ***") != NULL && strstr(log, "s3cr3t") == NULL);
  g_unlink(path);
  g_rmdir(folder);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_line_that_is_too_long_is_cut_and_the_next_one_understood),
    CASE(a_refusal_of_any_length_is_a_refusal),
    CASE(a_line_without_end_is_not_pop3),
    CASE(a_message_is_the_same_in_pieces_of_any_size),
    CASE(what_nobody_wants_of_a_message_is_read_past),
    CASE(a_window_of_commands_is_under_way_at_once),
    CASE(an_answer_that_nobody_asked_for_ends_the_session),
    CASE(what_was_marked_as_deleted_stays_without_quit),
    CASE(quit_counts_only_if_it_was_answered),
    CASE(nothing_is_read_behind_the_end),
    CASE(a_password_reaches_the_server_and_no_log),
  };
  return RUN_SUITE("pop3: session", cases);
}
