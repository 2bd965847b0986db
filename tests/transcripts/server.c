/*
 * The scripted server. It plays the lines in their order: it sends an S: line as soon as the client
 * has come to the step above it, and waits at a C: line until the client has sent just that. So "C: fetch a, C: fetch b, S: answer to a" holds
 * only for a client that asks for b before a is answered.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deflate.h"

/* A client that says nothing for so long has stopped for good. */
#define PATIENCE_MS 10000

struct Server {
  const Script *script; /* borrowed */
  bool octets;
  unsigned cut_after;
  SSL_CTX *tls; /* borrowed; NULL if no line needs it */
  int listener, stop;
  uint16_t port;
  pthread_t thread;

  pthread_mutex_t lock;
  pthread_cond_t came; /* to a step, or to the end */
  unsigned line;       /* of the step that the client came to; under lock */

  /* the thread's own */
  int fd;               /* the connection, or -1                     */
  SSL *ssl;             /* owned; NULL in clear text                 */
  HaulDeflate *deflate; /* owned; NULL: not compressed            */
  GString *input;       /* received and not yet matched              */
  GHashTable *bound;    /* "1" to the tag that $1 stands for         */
  char *failure;        /* the first thing that went wrong, or NULL  */
};

static void G_GNUC_PRINTF(3, 4) fail(Server *server, const Line *line, const char *format, ...)
{
  if (server->failure != NULL)
    return;
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *what = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  server->failure = g_strdup_printf("%s:%u: %s", server->script->path, line->number, what);
}

static bool
wait_readable(Server *server, int fd, int timeout_ms)
{
  struct pollfd polled[] = { { .fd = fd, .events = POLLIN },
                             { .fd = server->stop, .events = POLLIN } };
  while (poll(polled, 2, timeout_ms) < 0 && errno == EINTR)
    ;
  return polled[0].revents != 0;
}

/* Receives some octets into the input. Returns false at the end, or after a long silence. */
static bool
receive_octets(Server *server, GString *into)
{
  char buffer[4096];
  if ((server->ssl == NULL || SSL_pending(server->ssl) == 0)
      && !wait_readable(server, server->fd, PATIENCE_MS))
    return false;
  ssize_t got = server->ssl != NULL ? SSL_read(server->ssl, buffer, sizeof buffer)
                                    : recv(server->fd, buffer, sizeof buffer, 0);
  if (got <= 0)
    return false;
  g_string_append_len(into, buffer, got);
  return true;
}

static bool
receive(Server *server)
{
  if (server->deflate == NULL)
    return receive_octets(server, server->input);
  g_autoptr(GString) raw = g_string_new(NULL);
  if (!receive_octets(server, raw))
    return false;
  size_t room, got;
  void *at = haul_inflate_room(server->deflate, &room);
  g_assert(room >= raw->len); /* all that came before was expanded */
  memcpy(at, raw->str, raw->len);
  haul_inflate_add(server->deflate, raw->len);
  char buffer[4096];
  HaulInflate inflated;
  while ((inflated = haul_inflate(server->deflate, buffer, sizeof buffer, &got))
         == HAUL_INFLATE_DONE)
    g_string_append_len(server->input, buffer, (gssize)got);
  return inflated == HAUL_INFLATE_STARVED;
}

/* Sends what it can: a client may close whenever it likes. */
static void
send_octets(Server *server, const char *octets, size_t size)
{
  size_t piece = server->octets ? 1 : size;
  for (size_t done = 0; done < size;) {
    size_t want = MIN(piece, size - done);
    ssize_t sent = server->ssl != NULL ? SSL_write(server->ssl, octets + done, (int)want)
                                       : send(server->fd, octets + done, want, MSG_NOSIGNAL);
    if (sent <= 0)
      return;
    done += (size_t)sent;
  }
}

/* Waits until the client ends its half of the connection; @at_once: having ended ours, so that
 * nothing sent is lost. */
static void
hang_up(Server *server, bool at_once)
{
  if (server->fd < 0)
    return;
  if (at_once)
    shutdown(server->fd, SHUT_WR);
  while (receive(server))
    ;
  g_clear_pointer(&server->ssl, SSL_free);
  g_clear_pointer(&server->deflate, haul_deflate_free);
  close(server->fd);
  server->fd = -1;
}

static bool
answer(Server *server, const Line *line)
{
  if (!wait_readable(server, server->listener, PATIENCE_MS)) {
    fail(server, line, "nobody connected");
    return false;
  }
  server->fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
  setsockopt(server->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
  g_string_truncate(server->input, 0);
  return server->fd >= 0;
}

/* Appends the line's text as often as it says, with what $1 and so on stand for. */
static GString *
compose(Server *server, const Line *line)
{
  GString *out = g_string_new(NULL);
  for (unsigned i = 0; i < line->repeat; i++) {
    for (size_t at = 0; at < line->text->len; at++) {
      const char *text = line->text->str + at;
      char name[] = { text[0] == '$' ? text[1] : 'x', '\0' };
      const char *tag = g_ascii_isdigit(name[0]) ? g_hash_table_lookup(server->bound, name) : NULL;
      if (tag != NULL) {
        g_string_append(out, tag);
        at++;
      } else {
        g_string_append_c(out, *text);
      }
    }
  }
  return out;
}

static void
say(Server *server, const Line *line)
{
  /* RFC 9051 §4.3, RFC 5034 §4: a client that waits for "+" has sent nothing beyond the announcement. */
  bool asks = line->text->str[0] == '+' && !g_str_has_prefix(line->text->str, "+OK");
  if (asks && server->input->len > 0)
    fail(server, line, "sent before it was asked for: %.60s", server->input->str);
  GString *out = compose(server, line);
  g_string_append(out, "\r\n");
  const char *next = out->str, *piece;
  size_t left = out->len, size;
  if (server->deflate == NULL)
    send_octets(server, next, left);
  for (bool more = server->deflate != NULL; more;) {
    more = haul_deflate(server->deflate, &next, &left, true, &piece, &size);
    send_octets(server, piece, size);
  }
  g_string_free(out, TRUE);
}

/*
 * Matches a line of the client against a pattern, in which $1 to $9 stand for a tag: the first
 * time for any, from then on for that one; $* matches the rest.
 */
static bool
matches(Server *server, const char *pattern, size_t pattern_size, const char *got, size_t size)
{
  size_t at = 0;
  for (size_t i = 0; i < pattern_size; i++) {
    if (pattern[i] == '$' && pattern[i + 1] == '*')
      return true;
    if (pattern[i] == '$' && g_ascii_isdigit(pattern[i + 1])) {
      char name[] = { pattern[++i], '\0' };
      size_t length = 0;
      while (at + length < size && g_ascii_isalnum(got[at + length]))
        length++;
      g_autofree char *tag = g_strndup(got + at, length);
      const char *bound = g_hash_table_lookup(server->bound, name);
      if (length == 0 || (bound != NULL && strcmp(bound, tag) != 0))
        return false;
      if (bound == NULL)
        g_hash_table_insert(server->bound, g_strdup(name), g_steal_pointer(&tag));
      at += length;
    } else if (at >= size || got[at++] != pattern[i]) {
      return false;
    }
  }
  return at == size;
}

static bool
expect(Server *server, const Line *line)
{
  GString *pattern = g_string_new(NULL);
  for (unsigned i = 0; i < line->repeat; i++)
    g_string_append_len(pattern, line->text->str, (gssize)line->text->len);

  bool right = true;
  char *end;
  while (right && (end = memchr(server->input->str, '\n', server->input->len)) == NULL)
    if (!receive(server)) {
      if (server->cut_after == 0)
        fail(server, line, "expected \"%.200s\", and no line came (\"%.200s\")", pattern->str,
             server->input->str);
      right = false;
    }
  if (right) {
    size_t length = (size_t)(end - server->input->str);
    bool crlf = length > 0 && end[-1] == '\r';
    if (!crlf || !matches(server, pattern->str, pattern->len, server->input->str, length - 1)) {
      fail(server, line, "expected \"%.200s\", got \"%.*s\"%s", pattern->str, (int)MIN(length, 200),
           server->input->str, crlf ? "" : " without CR");
      right = false;
    }
    g_string_erase(server->input, 0, (gssize)length + 1);
  }
  g_string_free(pattern, TRUE);
  return right;
}

static bool
shake_hands(Server *server, const Line *line)
{
  server->ssl = SSL_new(server->tls);
  SSL_set_fd(server->ssl, server->fd);
  if (SSL_accept(server->ssl) == 1)
    return true;
  if (server->cut_after == 0)
    fail(server, line, "no TLS handshake");
  return false;
}

/* Whether @text is what a client says that leaves, and waits for no answer. */
static bool
is_farewell(const char *text)
{
  return strstr(text, " LOGOUT\r\n") != NULL || strcmp(text, "QUIT\r\n") == 0;
}

/* Waits until the client has come to the last step above @line. */
static bool
wait_for_step(Server *server, const Line *line)
{
  unsigned step = 0;
  for (const Line *at = (const Line *)server->script->lines->data; at < line; at++)
    if (at->kind == LINE_STEP)
      step = at->number;
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += PATIENCE_MS / 1000;
  pthread_mutex_lock(&server->lock);
  int late = 0;
  while (server->line < step && late == 0)
    late = pthread_cond_timedwait(&server->came, &server->lock, &end);
  bool came = server->line >= step;
  pthread_mutex_unlock(&server->lock);
  if (!came)
    fail(server, line, "the client does not come to the step above");
  return came;
}

static bool
play_line(Server *server, const Line *line)
{
  if (line->kind != LINE_CLIENT && !wait_for_step(server, line))
    return false;
  if (server->fd < 0 && !answer(server, line))
    return false;
  switch (line->kind) {
  case LINE_SERVER:
    say(server, line);
    return true;
  case LINE_CLIENT:
    return expect(server, line);
  case LINE_TLS:
    return shake_hands(server, line);
  case LINE_DEFLATE:
    server->deflate = haul_deflate_new(6);
    return true;
  default:
    hang_up(server, line->kind == LINE_CLOSE);
    return true;
  }
}

static void
play_lines(Server *server)
{
  const Line *last = NULL;
  for (unsigned i = 0; i < server->script->lines->len; i++) {
    const Line *line = &g_array_index(server->script->lines, Line, i);
    if (!line_is_server(line))
      continue;
    last = line;
    if (!play_line(server, line) || line->number == server->cut_after) {
      hang_up(server, true);
      return;
    }
  }
  hang_up(server, false);
  /* Nothing follows the last line but a farewell; or a ClientHello, which may leave before the client sees what
   * else the line held (RFC 8446 §5.1: a record of type 22). */
  if (server->input->len > 0 && server->input->str[0] != 22 && !is_farewell(server->input->str))
    fail(server, last, "more came after this line: \"%.200s\"", server->input->str);
}

/* Lets nobody wait who comes after the last line. (A listener that is shut down just then can keep one for
 * ever.) */
static void
turn_away(Server *server)
{
  while (wait_readable(server, server->listener, PATIENCE_MS)) {
    int late = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (late >= 0)
      close(late);
  }
}

static void *
play(void *data)
{
  Server *server = data;
  play_lines(server);
  turn_away(server);
  return NULL;
}

Server *
server_start(const Script *script, bool octets, unsigned cut_after, SSL_CTX *tls, GError **error)
{
  Server *server = g_new0(Server, 1);
  server->script = script;
  server->octets = octets;
  server->cut_after = cut_after;
  server->fd = -1;
  server->stop = eventfd(0, EFD_CLOEXEC);
  server->input = g_string_new(NULL);
  server->bound = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  server->tls = tls;

  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  pthread_mutex_init(&server->lock, NULL);
  pthread_cond_init(&server->came, NULL);
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(server->listener, (struct sockaddr *)&address, size) != 0
      || listen(server->listener, 4) != 0
      || getsockname(server->listener, (struct sockaddr *)&address, &size) != 0
      || pthread_create(&server->thread, NULL, play, server) != 0) {
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot listen: %s", g_strerror(errno));
    return NULL;
  }
  server->port = ntohs(address.sin_port);
  return server;
}

uint16_t
server_port(const Server *server)
{
  return server->port;
}

void
server_come_to(Server *server, unsigned line)
{
  pthread_mutex_lock(&server->lock);
  server->line = line;
  pthread_cond_signal(&server->came);
  pthread_mutex_unlock(&server->lock);
}

char *
server_stop(Server *server)
{
  server_come_to(server, UINT_MAX);
  uint64_t one = 1;
  if (write(server->stop, &one, sizeof one) != sizeof one)
    g_error("cannot stop the server: %s", g_strerror(errno));
  pthread_join(server->thread, NULL);
  char *failure = server->failure;
  close(server->listener);
  close(server->stop);
  pthread_cond_destroy(&server->came);
  pthread_mutex_destroy(&server->lock);
  g_hash_table_unref(server->bound);
  g_string_free(server->input, TRUE);
  g_free(server);
  return failure;
}
