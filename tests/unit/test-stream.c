/* Tests stream.c, link.c, connect.c and resolve.c in clear text; test-tls.c has the rest. */
#include "suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/stream.h>

#include "deflate.h"
#include "peer.h"

#define MIB ((size_t)1 << 20)

/* A stream to a peer that plays @run. */
typedef struct {
  Peer *peer;
  HaulAccount *account;
  HaulStream *stream;
} Talk;

static Talk
talk_start(PeerRun run, void *data, const char *timeout, HaulCancel *cancel)
{
  Talk talk = { .peer = peer_start(run, data) };
  talk.account = peer_account(peer_port(talk.peer), "none", cancel);
  if (timeout != NULL)
    peer_set(talk.account, "timeout", timeout);
  g_autoptr(GError) error = NULL;
  talk.stream = haul_stream_open(talk.account, 993, 143, &error);
  if (talk.stream == NULL)
    g_error("%s", error->message);
  return talk;
}

static void
talk_end(Talk *talk)
{
  haul_stream_close(talk->stream);
  peer_join(talk->peer);
  haul_account_free(talk->account);
}

static bool
line_is(HaulStream *stream, size_t limit, const char *wanted, size_t wanted_size)
{
  size_t length = 0;
  g_autoptr(GError) error = NULL;
  const char *line = haul_stream_read_line(stream, limit, &length, &error);
  if (line == NULL)
    printf("%s\n", error->message);
  return line != NULL && length == wanted_size && memcmp(line, wanted, length) == 0
         && line[length] == '\0';
}
#define LINE_IS(stream, wanted) line_is(stream, 1000, wanted, sizeof wanted - 1)

static bool
read_pattern(HaulStream *stream, uint64_t from, size_t size, size_t at_once)
{
  g_autofree uint8_t *buffer = g_malloc(at_once);
  while (size > 0) {
    size_t got = haul_stream_read(stream, buffer, MIN(size, at_once), NULL);
    if (got == 0 || !pattern_holds(buffer, from, got))
      return false;
    from += got;
    size -= got;
  }
  return true;
}

static bool
write_pattern(HaulStream *stream, uint64_t from, size_t size, size_t at_once)
{
  g_autofree uint8_t *buffer = g_malloc(at_once);
  while (size > 0) {
    size_t part = MIN(size, at_once);
    pattern_fill(buffer, from, part);
    if (!haul_stream_write(stream, buffer, part, NULL))
      return false;
    from += part;
    size -= part;
  }
  return haul_stream_flush(stream, NULL);
}

static bool
peer_say_pattern(int fd, size_t size)
{
  g_autofree uint8_t *buffer = g_malloc(size);
  pattern_fill(buffer, 0, size);
  return peer_say(fd, buffer, size);
}

/* Reports in @data, a bool, whether the pattern came. */
static void
peer_hear_pattern(int fd, size_t size, bool *held)
{
  g_autofree uint8_t *buffer = g_malloc(size);
  *held = peer_hear(fd, buffer, size) && pattern_holds(buffer, 0, size);
}

static const char lines[] = "a\r\nbc\n\r\n\n\r\r\nx\0y\r\nlast\r\n";

static void
say_lines(int fd, void *data)
{
  peer_say(fd, lines, sizeof lines - 1);
}

static void
drip_lines(int fd, void *data)
{
  char ack;
  for (size_t i = 0; i < sizeof lines - 1; i++)
    if (!peer_say(fd, &lines[i], 1) || (lines[i] == '\r' && !peer_hear(fd, &ack, 1)))
      return;
}

static void
check_lines(HaulStream *stream)
{
  CU_ASSERT(LINE_IS(stream, "a"));
  CU_ASSERT(LINE_IS(stream, "bc"));
  CU_ASSERT(LINE_IS(stream, ""));
  CU_ASSERT(LINE_IS(stream, ""));
  CU_ASSERT(LINE_IS(stream, "\r"));
  CU_ASSERT(LINE_IS(stream, "x\0y"));
  CU_ASSERT(LINE_IS(stream, "last"));
}

static void
lines_come_without_their_ends(void)
{
  Talk talk = talk_start(say_lines, NULL, NULL, NULL);
  check_lines(talk.stream);
  talk_end(&talk);
}

static void
lines_that_drip_are_the_same(void)
{
  Talk talk = talk_start(drip_lines, NULL, NULL, NULL);
  /* One for each CR, after which the peer waits. */
  CU_ASSERT(haul_stream_write(talk.stream, "123456", 6, NULL));
  check_lines(talk.stream);
  talk_end(&talk);
}

static void
say_limit_lines(int fd, void *data)
{
  peer_say(fd, "12345678\r\n12345678\n", 19);
  char go;
  peer_hear(fd, &go, 1);
  peer_say(fd, "12345678\r", 9); /* the end of it is not there yet */
  peer_hear(fd, &go, 1);
  peer_say(fd, "\n", 1);
  peer_say(fd, data, strlen(data));
  peer_hear_end(fd);
}

static void
check_limit(const char *last_line)
{
  g_autofree char *said = g_strdup(last_line);
  Talk talk = talk_start(say_limit_lines, said, NULL, NULL);
  CU_ASSERT(line_is(talk.stream, 8, "12345678", 8));
  CU_ASSERT(line_is(talk.stream, 8, "12345678", 8));
  haul_stream_write(talk.stream, "go", 2, NULL);
  CU_ASSERT(line_is(talk.stream, 8, "12345678", 8));
  g_autoptr(GError) error = NULL;
  size_t length;
  CU_ASSERT(haul_stream_read_line(talk.stream, 8, &length, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "protocol", "more than 8 octets");
  talk_end(&talk);
}

static void
a_line_beyond_the_limit_is_an_error(void)
{
  check_limit("123456789\r\n");
  check_limit("123456789\n");
  check_limit("1234567890"); /* need not end */
}

static void
say_long_lines(int fd, void *data)
{
  g_autofree char *line = g_malloc(MIB + 2);
  memset(line, 'l', MIB);
  memcpy(line + MIB, "\r\n", 2);
  for (unsigned i = 0; i < 8; i++)
    for (size_t from = 0; from < MIB + 2; from += MIN(MIB + 2 - from, 1009))
      if (!peer_say(fd, line + from, MIN(MIB + 2 - from, 1009)))
        return;
}

static void
the_buffer_grows_up_to_the_limit_of_a_line(void)
{
  Talk talk = talk_start(say_long_lines, NULL, NULL, NULL);
  for (unsigned i = 0; i < 8; i++) {
    size_t length;
    const char *line = haul_stream_read_line(talk.stream, MIB, &length, NULL);
    CU_ASSERT(line != NULL && length == MIB && line[0] == 'l' && line[MIB - 1] == 'l');
  }
  talk_end(&talk);
}

static void
say_literals(int fd, void *data)
{
  g_autofree uint8_t *body = g_malloc(300000);
  pattern_fill(body, 0, 300000);
  for (size_t size = 1; size < 300000; size = size * 3 + 1) {
    g_autofree char *line = g_strdup_printf("%zu\r\n", size);
    if (!peer_say(fd, line, strlen(line)) || !peer_say(fd, body, size))
      return;
  }
}

static void
lines_and_bulk_take_turns(void)
{
  Talk talk = talk_start(say_literals, NULL, NULL, NULL);
  for (size_t size = 1; size < 300000; size = size * 3 + 1) {
    g_autofree char *line = g_strdup_printf("%zu", size);
    CU_ASSERT(line_is(talk.stream, 10, line, strlen(line)));
    CU_ASSERT(read_pattern(talk.stream, 0, size, 100000));
  }
  g_autoptr(GError) error = NULL;
  char octet;
  CU_ASSERT(haul_stream_read(talk.stream, &octet, 1, &error) == 0);
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "closed", "closed the connection");
  talk_end(&talk);
}

static void
echo_once(int fd, void *data)
{
  char octets[6];
  if (peer_hear(fd, octets, 6))
    peer_say(fd, octets, 6);
}

static void
a_read_sends_what_was_queued(void)
{
  Talk talk = talk_start(echo_once, NULL, NULL, NULL);
  CU_ASSERT(haul_stream_write(talk.stream, "ab", 2, NULL));
  CU_ASSERT(haul_stream_printf(talk.stream, NULL, "%s\r\n", "cd"));
  CU_ASSERT(LINE_IS(talk.stream, "abcd"));
  talk_end(&talk);
}

static void
hear_8_mib(int fd, void *data)
{
  peer_hear_pattern(fd, 8 * MIB, data);
}

static void
writes_of_every_size_arrive_in_order(void)
{
  bool held = false;
  Talk talk = talk_start(hear_8_mib, &held, NULL, NULL);
  g_autofree uint8_t *octets = g_malloc(200000);
  uint32_t seed = 7;
  for (uint64_t from = 0; from < 8 * MIB;) {
    size_t size = next_random(&seed) % (from % 3 == 0 ? 200000 : 3000);
    size = MIN(size, 8 * MIB - from);
    pattern_fill(octets, from, size);
    CU_ASSERT_FATAL(haul_stream_write(talk.stream, octets, size, NULL));
    from += size;
  }
  CU_ASSERT(haul_stream_flush(talk.stream, NULL));
  peer_join(g_steal_pointer(&talk.peer));
  CU_ASSERT(held);
  haul_stream_close(talk.stream);
  haul_account_free(talk.account);
}

static void
a_text_longer_than_the_buffer_is_printed_whole(void)
{
  bool held = false;
  Talk talk = talk_start(hear_8_mib, &held, NULL, NULL);
  g_autofree char *text = g_malloc(8 * MIB + 1);
  pattern_fill((uint8_t *)text, 0, 8 * MIB);
  /* The pattern holds NULs; between them it is text. */
  for (size_t i = 0; i < 8 * MIB;) {
    size_t length = strnlen(text + i, 8 * MIB - i);
    if (length > 0)
      CU_ASSERT_FATAL(haul_stream_printf(talk.stream, NULL, "%.*s", (int)length, text + i));
    i += length;
    if (i < 8 * MIB)
      CU_ASSERT_FATAL(haul_stream_write(talk.stream, "", 1, NULL));
    i++;
  }
  CU_ASSERT(haul_stream_flush(talk.stream, NULL));
  peer_join(g_steal_pointer(&talk.peer));
  CU_ASSERT(held);
  haul_stream_close(talk.stream);
  haul_account_free(talk.account);
}

static void
say_then_hear(int fd, void *data)
{
  if (peer_say_pattern(fd, 3 * MIB))
    peer_hear_pattern(fd, 32 * MIB, data);
}

static void
a_peer_that_sends_before_it_reads_is_no_deadlock(void)
{
  bool held = false;
  Talk talk = talk_start(say_then_hear, &held, NULL, NULL);
  CU_ASSERT(write_pattern(talk.stream, 0, 32 * MIB, 100000));
  CU_ASSERT(read_pattern(talk.stream, 0, 3 * MIB, MIB));
  talk_end(&talk);
  CU_ASSERT(held);
}

typedef struct {
  int fd;
  bool held;
} Hearing;

static void *
hear_thread(void *data)
{
  Hearing *hearing = data;
  peer_hear_pattern(hearing->fd, 32 * MIB, &hearing->held);
  return NULL;
}

static void
say_and_hear(int fd, void *data)
{
  Hearing hearing = { .fd = fd };
  pthread_t thread;
  pthread_create(&thread, NULL, hear_thread, &hearing);
  bool said = peer_say_pattern(fd, 32 * MIB);
  pthread_join(thread, NULL);
  *(bool *)data = said && hearing.held;
}

static void
both_ends_can_send_at_once(void)
{
  bool held = false;
  Talk talk = talk_start(say_and_hear, &held, NULL, NULL);
  CU_ASSERT(write_pattern(talk.stream, 0, 32 * MIB, MIB));
  CU_ASSERT(read_pattern(talk.stream, 0, 32 * MIB, MIB));
  talk_end(&talk);
  CU_ASSERT(held);
}

static void
say_forever(int fd, void *data)
{
  static const char octets[65536];
  while (peer_say(fd, octets, sizeof octets))
    ;
}

static void
a_peer_that_never_reads_is_given_up(void)
{
  Talk talk = talk_start(say_forever, NULL, "1", NULL);
  g_autofree char *octets = g_malloc0(64 * MIB);
  g_autoptr(GError) error = NULL;
  CU_ASSERT(!haul_stream_write(talk.stream, octets, 64 * MIB, &error));
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "timeout", "taken nothing for");
  talk_end(&talk);
}

static void
say_greeting_and_wait(int fd, void *data)
{
  peer_say(fd, data, strlen(data));
  peer_hear_end(fd);
}

static void
a_silent_server_is_waited_for_as_long_as_the_deadline(void)
{
  static const struct {
    const char *greeting;
    int64_t wait_ms; /* of the deadline, timeout 1 */
    const char *told;
  } table[] = {
    { "", 500, "sent nothing for" },
    /* What came a moment after we began to wait was too little for all of it: either clock may end it. */
    { "* OK", 1000, " 1 s" },
    { "* OK\r\n", 1000, "sent nothing for" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *greeting = g_strdup(table[i].greeting);
    Talk talk = talk_start(say_greeting_and_wait, greeting, "1", NULL);
    if (i == 2) {
      CU_ASSERT(LINE_IS(talk.stream, "* OK"));
      haul_stream_answered(talk.stream); /* what comes next has all of its time */
    }
    int64_t before_us = g_get_monotonic_time();
    size_t length;
    g_autoptr(GError) error = NULL;
    CU_ASSERT(haul_stream_read_line(talk.stream, 100, &length, &error) == NULL);
    int64_t took_ms = (g_get_monotonic_time() - before_us) / 1000;
    CU_ASSERT(took_ms >= table[i].wait_ms - 50 && took_ms < table[i].wait_ms + 10000);
    CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "timeout", table[i].told);
    g_autoptr(GError) again = NULL;
    CU_ASSERT(!haul_stream_flush(talk.stream, &again)); /* dead for good */
    CHECK_ERROR(again, HAUL_ERROR_CONNECTION, "timeout", table[i].told);
    talk_end(&talk);
  }
}

static void
drip(int fd, void *data)
{
  struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
  while (peer_say(fd, "d", 1))
    nanosleep(&pause, NULL); /* what is tested is time */
}

static void
a_server_that_drips_below_the_least_rate_is_given_up(void)
{
  Talk talk = talk_start(drip, NULL, "1", NULL);
  g_autoptr(GError) error = NULL;
  char octet;
  unsigned n_read = 0;
  while (haul_stream_read(talk.stream, &octet, 1, &error) > 0)
    n_read++;
  CU_ASSERT(n_read > 1 && n_read < 100);
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "timeout", "octets in 1 s");
  talk_end(&talk);
}

static void
cancel_when_asked(int fd, void *data)
{
  char octet;
  if (peer_hear(fd, &octet, 1))
    haul_cancel_set(data);
  peer_hear_end(fd);
}

static void
cancelling_wakes_a_read_at_once(void)
{
  HaulCancel *cancel = haul_cancel_new();
  Talk talk = talk_start(cancel_when_asked, cancel, NULL, cancel);
  CU_ASSERT(haul_stream_write(talk.stream, "c", 1, NULL));
  int64_t before_us = g_get_monotonic_time();
  size_t length;
  g_autoptr(GError) error = NULL;
  CU_ASSERT(haul_stream_read_line(talk.stream, 100, &length, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_CANCELLED, "cancelled", NULL);
  CU_ASSERT(g_get_monotonic_time() - before_us < 10 * G_USEC_PER_SEC); /* not the deadline */
  g_clear_error(&error);
  haul_stream_close(g_steal_pointer(&talk.stream));
  /* And nothing is begun after that. */
  CU_ASSERT(haul_stream_open(talk.account, 993, 143, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_CANCELLED, "cancelled", NULL);
  talk_end(&talk);
  haul_cancel_free(cancel);
}

static void
an_end_comes_after_the_octets_before_it(void)
{
  Talk talk = talk_start(say_lines, NULL, NULL, NULL);
  peer_join(g_steal_pointer(&talk.peer)); /* the server is gone before we look */
  CU_ASSERT(haul_stream_pending(talk.stream));
  check_lines(talk.stream);
  CU_ASSERT(haul_stream_pending(talk.stream));
  g_autoptr(GError) error = NULL;
  size_t length;
  CU_ASSERT(haul_stream_read_line(talk.stream, 100, &length, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "closed", "127.0.0.1:");
  haul_stream_close(talk.stream);
  haul_account_free(talk.account);
}

static void
writing_to_a_server_that_is_gone_is_an_error_and_no_signal(void)
{
  Talk talk = talk_start(say_lines, NULL, NULL, NULL);
  peer_join(g_steal_pointer(&talk.peer));
  g_autofree char *octets = g_malloc0(16 * MIB);
  g_autoptr(GError) error = NULL;
  CU_ASSERT(!haul_stream_write(talk.stream, octets, 16 * MIB, &error));
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "closed", "while we were sending");
  haul_stream_close(talk.stream);
  haul_account_free(talk.account);
}

static void
say_when_asked(int fd, void *data)
{
  char go;
  if (peer_hear(fd, &go, 1))
    peer_say(fd, "1\r\n2\r\n", 6);
  peer_hear_end(fd);
}

static void
pending_tells_what_a_read_would_find(void)
{
  Talk talk = talk_start(say_when_asked, NULL, NULL, NULL);
  CU_ASSERT(!haul_stream_pending(talk.stream));
  CU_ASSERT(haul_stream_write(talk.stream, "g", 1, NULL));
  CU_ASSERT(!haul_stream_pending(talk.stream)); /* asked nothing yet */
  CU_ASSERT(LINE_IS(talk.stream, "1"));
  CU_ASSERT(haul_stream_pending(talk.stream));
  CU_ASSERT(LINE_IS(talk.stream, "2"));
  CU_ASSERT(!haul_stream_pending(talk.stream));
  talk_end(&talk);
}

static void
check_refused(const char *key, const char *value, const char *tls, int reach, const char *reason,
              const char *words)
{
  g_autoptr(HaulAccount) account = peer_account(9, tls, NULL);
  /* Past the account's own checks, for they are another's. */
  if (!haul_account_set(account, key, value, NULL))
    return;
  g_autoptr(GError) error = NULL;
  g_autoptr(HaulStream) stream = haul_stream_open(account, 993, 143, &error);
  CU_ASSERT(stream == NULL);
  CHECK_ERROR(error, reach, reason, words);
}

static void
what_is_not_a_host_or_a_port_reaches_no_resolver(void)
{
  static const char *const hosts[] = { "",     "a b",         "a@b",       "u:p@host", "a\r\nQUIT",
                                       "a\tb", "imap.x/path", "a\033[2Jb", "h\177" };
  for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++)
    check_refused("host", hosts[i], "implicit", HAUL_ERROR_ACCOUNT, "usage", "--host1");
  g_autofree char *longest = g_strnfill(256, 'h');
  check_refused("host", longest, "implicit", HAUL_ERROR_ACCOUNT, "usage", "--host1");
  check_refused("port", "65536", "implicit", HAUL_ERROR_ACCOUNT, "usage", "--port1");
  check_refused("tls", "maybe", "none", HAUL_ERROR_ACCOUNT, "usage", "implicit, starttls");
}

static void
a_name_that_does_not_exist_is_an_error_of_the_account(void)
{
  check_refused("host", "nosuch.invalid", "implicit", HAUL_ERROR_ACCOUNT, "resolve", "--host1");
  check_refused("host", "nosuch.INVALID.", "none", HAUL_ERROR_ACCOUNT, "resolve",
                "nosuch.INVALID.:9");
}

static void
clear_text_does_not_leave_this_machine(void)
{
  check_refused("host", "192.0.2.1", "none", HAUL_ERROR_ACCOUNT, "tls", "--insecure1");
  check_refused("host", "2001:db8::1", "none", HAUL_ERROR_ACCOUNT, "tls", "[2001:db8::1]:9");
  check_refused("host", "::ffff:192.0.2.1", "none", HAUL_ERROR_ACCOUNT, "tls", "--insecure1");
}

/* Returns a bound socket of loopback that listens if @backlog is not negative. */
static int
bound_socket(int backlog, uint16_t *port)
{
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&address, size) == 0);
  CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
  if (backlog >= 0)
    CU_ASSERT_FATAL(listen(fd, backlog) == 0);
  *port = ntohs(address.sin_port);
  return fd;
}

static void
a_closed_port_is_an_error_of_the_connection(void)
{
  uint16_t port;
  int fd = bound_socket(-1, &port); /* nobody else gets it meanwhile */
  g_autoptr(HaulAccount) account = peer_account(port, "none", NULL);
  g_autoptr(GError) error = NULL;
  CU_ASSERT(haul_stream_open(account, 993, 143, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "connect", "onnection refused; check --host1 and");
  close(fd);
}

static void
a_server_that_does_not_answer_is_given_up(void)
{
  uint16_t port;
  int fd = bound_socket(0, &port);
  /* Connections that nobody accepts fill the backlog; then requests for more are ignored. */
  int fillers[4];
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  for (size_t i = 0; i < G_N_ELEMENTS(fillers); i++) {
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int ignored = connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    (void)ignored;
  }
  g_autoptr(HaulAccount) account = peer_account(port, "none", NULL);
  peer_set(account, "timeout", "1");
  g_autoptr(GError) error = NULL;
  CU_ASSERT(haul_stream_open(account, 993, 143, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "timeout", "no answer to the connection");
  for (size_t i = 0; i < G_N_ELEMENTS(fillers); i++)
    close(fillers[i]);
  close(fd);
}

static void
names_are_looked_up(void)
{
  Peer *peer = peer_start(say_lines, NULL);
  g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "none", NULL);
  peer_set(account, "host", "localhost"); /* often ::1 first, where nobody listens */
  g_autoptr(GError) error = NULL;
  g_autoptr(HaulStream) stream = haul_stream_open(account, 993, 143, &error);
  if (stream == NULL)
    printf("%s\n", error->message);
  CU_ASSERT_FATAL(stream != NULL);
  CU_ASSERT(haul_stream_tls(stream) == HAUL_TLS_NONE);
  CU_ASSERT(!haul_stream_is_encrypted(stream));
  check_lines(stream);
  peer_join(peer);
}

static void
drip_lines_forever(int fd, void *data)
{
  struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
  while (peer_say(fd, "* 1 EXISTS\r\n", 12))
    nanosleep(&pause, NULL); /* what is tested is time */
}

static void
a_server_that_says_little_and_never_what_was_asked_is_given_up(void)
{
  for (int answering = 0; answering < 2; answering++) {
    Talk talk = talk_start(drip_lines_forever, NULL, "1", NULL);
    g_autoptr(GError) error = NULL;
    size_t length;
    unsigned n_read = 0;
    while (n_read < 30 && haul_stream_read_line(talk.stream, 100, &length, &error) != NULL) {
      n_read++;
      if (answering) /* each line is one that was asked for: 1.5 s of that is well */
        haul_stream_answered(talk.stream);
    }
    CU_ASSERT((error == NULL) == (answering != 0));
    if (error != NULL)
      CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "timeout", "octets in 1 s");
    talk_end(&talk);
  }
}

static HaulStream *
open_tunnel(HaulAccount **account, const char *command, const char *timeout, GError **error)
{
  *account = peer_account(9, "none", NULL);
  peer_set(*account, "host", "");
  peer_set(*account, "tunnel", command);
  peer_set(*account, "timeout", timeout);
  return haul_stream_open(*account, 993, 143, error);
}

static void
a_tunnel_is_a_process(void)
{
  g_autoptr(GError) error = NULL;
  HaulAccount *account;
  HaulStream *stream =
      open_tunnel(&account, "sh -c 'echo \"* PREAUTH $0\"; exec cat' 'two words'", "120", &error);
  if (stream == NULL)
    g_error("%s", error->message);
  CU_ASSERT(haul_stream_is_tunnel(stream) && !haul_stream_is_encrypted(stream));
  CU_ASSERT(LINE_IS(stream, "* PREAUTH two words"));
  CU_ASSERT(write_pattern(stream, 0, 3 * MIB, 100000)); /* cat sends while we do */
  CU_ASSERT(read_pattern(stream, 0, 3 * MIB, 70000));
  haul_stream_close(stream);
  CU_ASSERT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* not even a zombie is left */
  haul_account_free(account);
}

static void
a_tunnel_that_ends_says_why(void)
{
  static const struct {
    const char *command, *timeout;
    int reach;
    const char *reason, *words;
  } table[] = {
    { "sh -c 'echo no such host >&2; echo more >&2; exit 255'", "120", HAUL_ERROR_CONNECTION,
      "closed", "tunnel sh: the server closed the connection: no such host" },
    { "true", "120", HAUL_ERROR_CONNECTION, "closed", "tunnel true: the server closed" },
    /* More than it may say: the rest is not waited for. */
    { "sh -c 'yes complaint >&2'", "1", HAUL_ERROR_CONNECTION, NULL, "tunnel sh" },
    { "sh -c 'trap \"\" TERM; sleep 1000 & sleep 1000'", "1", HAUL_ERROR_CONNECTION, "timeout",
      "has sent nothing for 0.5 s" },
    { "/nonexistent/ssh -q host", "120", HAUL_ERROR_ACCOUNT, "connect",
      "tunnel /nonexistent/ssh: cannot be started: No such file" },
    { "sh -c 'unbalanced", "120", HAUL_ERROR_ACCOUNT, "usage", "--tunnel1 takes a command" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    HaulAccount *account;
    HaulStream *stream = open_tunnel(&account, table[i].command, table[i].timeout, &error);
    size_t length;
    if (stream != NULL)
      CU_ASSERT(haul_stream_read_line(stream, 100, &length, &error) == NULL);
    CU_ASSERT_FATAL(error != NULL);
    CHECK_ERROR(error, table[i].reach,
                table[i].reason == NULL ? haul_error_reason(error) : table[i].reason,
                table[i].words);
    haul_stream_close(stream);
    CU_ASSERT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    haul_account_free(account);
  }
}

static void
writing_to_a_tunnel_that_is_gone_is_an_error_and_no_signal(void)
{
  g_autoptr(GError) error = NULL;
  HaulAccount *account;
  HaulStream *stream = open_tunnel(&account, "true", "120", &error);
  CU_ASSERT_FATAL(stream != NULL);
  g_autofree char *octets = g_malloc0(MIB);
  CU_ASSERT(!haul_stream_write(stream, octets, MIB, &error));
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "closed", "while we were sending");
  haul_stream_close(stream);
  haul_account_free(account);
}

static void
tls_through_a_tunnel_must_know_whose(void)
{
  g_autoptr(HaulAccount) account = peer_account(9, "implicit", NULL);
  peer_set(account, "host", "");
  peer_set(account, "tunnel", "true");
  g_autoptr(GError) error = NULL;
  CU_ASSERT(haul_stream_open(account, 993, 143, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "--tls-pin1");
}

/* Echoes by DEFLATE what comes by DEFLATE. */
static void
echo_compressed(int fd, void *data)
{
  char preface[3], out[65536];
  if (!peer_hear(fd, preface, sizeof preface) || !peer_say(fd, "OK\r\n", 4))
    return;
  HaulDeflate *deflate = haul_deflate_new(6);
  for (;;) {
    size_t got;
    HaulInflate inflated = haul_inflate(deflate, out, sizeof out, &got);
    const char *next = out, *piece;
    for (bool more = inflated == HAUL_INFLATE_DONE; more;) {
      size_t size;
      more = haul_deflate(deflate, &next, &got, true, &piece, &size);
      if (!peer_say(fd, piece, size))
        break;
    }
    if (inflated == HAUL_INFLATE_DONE)
      continue;
    size_t room;
    void *raw = haul_inflate_room(deflate, &room);
    ssize_t n = inflated == HAUL_INFLATE_STARVED ? recv(fd, raw, room, 0) : 0;
    if (n <= 0)
      break;
    haul_inflate_add(deflate, (size_t)n);
  }
  haul_deflate_free(deflate);
}

static Talk
talk_compressed(PeerRun run)
{
  Talk talk = talk_start(run, NULL, NULL, NULL);
  CU_ASSERT(haul_stream_write(talk.stream, "a\r\n", 3, NULL));
  CU_ASSERT(LINE_IS(talk.stream, "OK"));
  CU_ASSERT(!haul_stream_is_compressed(talk.stream));
  CU_ASSERT(haul_stream_compress(talk.stream, NULL));
  CU_ASSERT(haul_stream_is_compressed(talk.stream));
  return talk;
}

static void
what_is_compressed_passes_both_ways(void)
{
  Talk talk = talk_compressed(echo_compressed);
  CU_ASSERT(haul_stream_printf(talk.stream, NULL, "hello\r\n"));
  CU_ASSERT(LINE_IS(talk.stream, "hello"));
  CU_ASSERT(!haul_stream_pending(talk.stream));
  for (unsigned i = 0; i < 2; i++) { /* the echo comes while we send */
    CU_ASSERT(write_pattern(talk.stream, 0, 2 * MIB, i == 0 ? 1000 : MIB));
    CU_ASSERT(read_pattern(talk.stream, 0, 2 * MIB, i == 0 ? MIB : 1000));
  }
  talk_end(&talk);
}

static void
say_octets(int fd, void *data)
{
  const GString *said = data;
  peer_say(fd, said->str, said->len);
  peer_hear_end(fd);
}

static void
what_came_early_is_compressed_already(void)
{
  HaulDeflate *deflate = haul_deflate_new(6);
  const char *text = "first\r\n", *piece;
  size_t size = strlen(text), piece_size;
  haul_deflate(deflate, &text, &size, true, &piece, &piece_size);
  GString *said = g_string_new("OK\r\n");
  g_string_append_len(said, piece, (gssize)piece_size);
  Talk talk = talk_start(say_octets, said, NULL, NULL);
  CU_ASSERT(LINE_IS(talk.stream, "OK"));
  CU_ASSERT(haul_stream_compress(talk.stream, NULL));
  CU_ASSERT(LINE_IS(talk.stream, "first"));
  talk_end(&talk);
  g_string_free(said, TRUE);
  haul_deflate_free(deflate);
}

static void
say_clear_text(int fd, void *data)
{
  static const char text[] = "OK\r\n* OK this is not compressed at all\r\n";
  char preface[3];
  if (peer_hear(fd, preface, sizeof preface))
    peer_say(fd, text, sizeof text - 1);
  peer_hear_end(fd);
}

static void
clear_text_where_compression_was_agreed_is_an_error(void)
{
  Talk talk = talk_compressed(say_clear_text);
  g_autoptr(GError) error = NULL;
  size_t length;
  CU_ASSERT(haul_stream_read_line(talk.stream, 100, &length, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "protocol", "not compressed as it should be");
  talk_end(&talk);
}

static void
say_slowly(int fd, void *data)
{
  static const char octets[10000];
  struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
  while (peer_say(fd, octets, sizeof octets)) /* 1 MB/s */
    nanosleep(&pause, NULL);                  /* what is tested is time */
}

static void
a_slow_link_is_known_for_one_and_a_fast_one_is_not_taken_for_slow(void)
{
  static const struct {
    PeerRun run;
    size_t most;
  } table[] = { { say_slowly, 2 * MIB }, { say_forever, 64 * MIB } };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    Talk talk = talk_start(table[i].run, NULL, NULL, NULL);
    g_autofree char *buffer = g_malloc(MIB);
    CU_ASSERT(haul_stream_rate(talk.stream) == 0);
    size_t got = 0;
    while (got < table[i].most && haul_stream_rate(talk.stream) == 0)
      got += haul_stream_read(talk.stream, buffer, MIB, NULL);
    uint64_t rate = haul_stream_rate(talk.stream);
    CU_ASSERT(i == 0 ? rate > 100000 && rate < 1500000 : rate == 0 || rate > 25000000);
    talk_end(&talk);
  }
}

static void
a_family_that_was_not_asked_for_is_not_used(void)
{
  Peer *peer = peer_start(say_lines, NULL);
  g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "none", NULL);
  g_autoptr(GError) error = NULL;
  peer_set(account, "inet", "6");
  CU_ASSERT(haul_stream_open(account, 993, 143, &error) == NULL);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "resolve", "no IPv6 address; see --inet1");
  g_clear_error(&error);
  peer_set(account, "inet", "4");
  peer_set(account, "host", "localhost");
  HaulStream *stream = haul_stream_open(account, 993, 143, &error);
  CU_ASSERT(stream != NULL);
  haul_stream_close(stream);
  peer_join(peer);
  check_refused("inet", "5", "none", HAUL_ERROR_ACCOUNT, "usage", "--inet1");
}

/* Occupies @port of ::1 so that connecting there gets no answer; -1 where there is no IPv6. */
static int
deaf_socket(uint16_t port, int fillers[4])
{
  struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                  .sin6_port = htons(port),
                                  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0
      && (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 0) != 0)) {
    close(fd);
    fd = -1;
  }
  for (size_t i = 0; i < 4; i++) {
    fillers[i] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int ignored = connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    (void)ignored;
  }
  return fd;
}

static void
a_dead_family_costs_a_quarter_of_a_second(void)
{
  /* RFC 8305 §5: while ::1 says nothing, 127.0.0.1 is tried beside it. */
  Peer *peer = peer_start(say_lines, NULL);
  int fillers[4], fd = deaf_socket(peer_port(peer), fillers);
  g_autoptr(HaulAccount) account = peer_account(peer_port(peer), "none", NULL);
  peer_set(account, "host", "localhost");
  int64_t before_us = g_get_monotonic_time();
  g_autoptr(GError) error = NULL;
  HaulStream *stream = haul_stream_open(account, 993, 143, &error);
  CU_ASSERT_FATAL(stream != NULL);
  int64_t took_us = g_get_monotonic_time() - before_us;
  CU_ASSERT(took_us < 5 * G_USEC_PER_SEC); /* not the deadline of 30 s */
  check_lines(stream);
  haul_stream_close(stream);
  peer_join(peer);
  for (size_t i = 0; i < 4; i++)
    close(fillers[i]);
  if (fd >= 0)
    close(fd);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(lines_come_without_their_ends),
    CASE(lines_that_drip_are_the_same),
    CASE(a_line_beyond_the_limit_is_an_error),
    CASE(the_buffer_grows_up_to_the_limit_of_a_line),
    CASE(lines_and_bulk_take_turns),
    CASE(a_read_sends_what_was_queued),
    CASE(writes_of_every_size_arrive_in_order),
    CASE(a_text_longer_than_the_buffer_is_printed_whole),
    CASE(a_peer_that_sends_before_it_reads_is_no_deadlock),
    CASE(both_ends_can_send_at_once),
    CASE(a_peer_that_never_reads_is_given_up),
    CASE(a_silent_server_is_waited_for_as_long_as_the_deadline),
    CASE(a_server_that_drips_below_the_least_rate_is_given_up),
    CASE(cancelling_wakes_a_read_at_once),
    CASE(an_end_comes_after_the_octets_before_it),
    CASE(writing_to_a_server_that_is_gone_is_an_error_and_no_signal),
    CASE(pending_tells_what_a_read_would_find),
    CASE(what_is_not_a_host_or_a_port_reaches_no_resolver),
    CASE(a_name_that_does_not_exist_is_an_error_of_the_account),
    CASE(clear_text_does_not_leave_this_machine),
    CASE(a_closed_port_is_an_error_of_the_connection),
    CASE(a_server_that_does_not_answer_is_given_up),
    CASE(names_are_looked_up),
    CASE(a_server_that_says_little_and_never_what_was_asked_is_given_up),
    CASE(a_tunnel_is_a_process),
    CASE(a_tunnel_that_ends_says_why),
    CASE(writing_to_a_tunnel_that_is_gone_is_an_error_and_no_signal),
    CASE(tls_through_a_tunnel_must_know_whose),
    CASE(what_is_compressed_passes_both_ways),
    CASE(what_came_early_is_compressed_already),
    CASE(clear_text_where_compression_was_agreed_is_an_error),
    CASE(a_slow_link_is_known_for_one_and_a_fast_one_is_not_taken_for_slow),
    CASE(a_family_that_was_not_asked_for_is_not_used),
    CASE(a_dead_family_costs_a_quarter_of_a_second),
  };
  return RUN_SUITE("stream", cases);
}
