/*
 * A slow link: passes connections on, every octet a fixed time after it came, however much is under
 * way, and no more octets a second each way than are said, whichever connection they are of. A new
 * connection costs what a TCP handshake would. Loss, jitter and slow start are not modelled.
 *
 *     delay [-r OCTETS_A_SECOND] ONE_WAY_MS HOST PORT...
 *
 * Prints a line with the port that stands for each PORT, and runs until its standard input ends.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE (64 * 1024)
#define SLOW_PIECE (8 * 1024) /* where the rate is limited */
#define MAX_PORTS 16
#define UNDER_WAY (256u << 20) /* no more than this is held for one direction of a connection ... */
#define QUEUE (128u << 10)     /* ... or than is under way and this, where the rate is limited  */

typedef struct Piece Piece;
struct Piece {
  Piece *next;
  int64_t due; /* ns */
  size_t size, sent;
  char octets[];
};

/* One direction of a connection. */
typedef struct {
  bool down;    /* from the server to the client */
  int from, to; /* sockets; to is -1 until the far side is connected */
  Piece *first, *last;
  size_t held;
  bool ended;   /* nothing more will come from "from" */
  bool closed;  /* and "to" was told                   */
  bool blocked; /* "to" takes nothing now              */
} Way;

typedef struct Pair Pair;
struct Pair {
  Pair *next;
  struct sockaddr_in target;
  int64_t accepted; /* ns */
  Way up, down;     /* client to server, and back */
};

static int64_t delay_ns;
static double rate;                  /* octets a second; 0: no limit */
static int64_t free_from[2];         /* ns: when the link can take more; up, down */
static size_t under_way = UNDER_WAY; /* the limit of Way.held */
static Pair *pairs;

static int64_t
now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void
set_up_socket(int fd)
{
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
  if (rate > 0) /* what waits to be taken is not to wait with us */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ QUEUE }, sizeof(int));
}

/* When the last of @size octets that come at @now has been sent into the link. */
static int64_t
pass(const Way *way, int64_t now, size_t size)
{
  if (rate <= 0)
    return now;
  int64_t *from = &free_from[way->down];
  *from = (*from > now ? *from : now) + (int64_t)((double)size / rate * 1e9);
  return *from;
}

static void
take(Way *way, int64_t not_before)
{
  while (!way->ended && way->held < under_way) {
    Piece *piece = malloc(sizeof *piece + PIECE);
    if (piece == NULL)
      err(1, "memory");
    ssize_t got = recv(way->from, piece->octets, rate > 0 ? SLOW_PIECE : PIECE, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      free(piece);
      return;
    }
    int64_t now = now_ns();
    size_t size = got > 0 ? (size_t)got : 0;
    piece = realloc(piece, sizeof *piece + size);
    piece->next = NULL;
    piece->size = size; /* an empty one is the end */
    piece->sent = 0;
    piece->due = pass(way, now > not_before ? now : not_before, size) + delay_ns;
    way->ended = got <= 0;
    way->held += size;
    if (way->last != NULL)
      way->last->next = piece;
    else
      way->first = piece;
    way->last = piece;
  }
}

/* Sends what is due. Returns when the next piece will be, or 0. */
static int64_t
give(Way *way, int64_t now)
{
  way->blocked = false;
  while (way->first != NULL && way->to >= 0) {
    Piece *piece = way->first;
    if (piece->due > now)
      return piece->due;
    if (piece->size == 0) {
      shutdown(way->to, SHUT_WR);
      way->closed = true;
    }
    while (piece->sent < piece->size) {
      ssize_t sent =
          send(way->to, piece->octets + piece->sent, piece->size - piece->sent, MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) {
        way->blocked = true;
        return 0;
      }
      if (sent < 0) {
        way->closed = way->ended = true;
        break;
      }
      piece->sent += (size_t)sent;
    }
    way->held -= piece->size;
    way->first = piece->next;
    if (way->first == NULL)
      way->last = NULL;
    free(piece);
  }
  return 0;
}

static void
watch(int poll, Pair *pair)
{
  /* Level-triggered and asked anew each round: simple, and quick enough for a few connections. */
  struct epoll_event near = { .data.ptr = pair }, far = { .data.ptr = pair };
  near.events = (pair->up.ended || pair->up.held >= under_way ? 0 : EPOLLIN)
                | (pair->down.blocked ? EPOLLOUT : 0);
  far.events = (pair->down.ended || pair->down.held >= under_way ? 0 : EPOLLIN)
               | (pair->up.blocked ? EPOLLOUT : 0);
  epoll_ctl(poll, EPOLL_CTL_MOD, pair->up.from, &near);
  if (pair->up.to >= 0)
    epoll_ctl(poll, EPOLL_CTL_MOD, pair->up.to, &far);
}

static void
connect_far(int poll, Pair *pair)
{
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&pair->target, sizeof pair->target) != 0)
    err(1, "connect to the server");
  set_up_socket(fd);
  pair->up.to = pair->down.from = fd;
  struct epoll_event event = { .data.ptr = pair };
  epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static bool
is_over(const Pair *pair)
{
  return pair->up.closed && pair->down.closed;
}

/* Does what is due for all pairs. Returns when something will be, or 0. */
static int64_t
advance(int poll)
{
  int64_t soonest = 0, now = now_ns();
  for (Pair **at = &pairs; *at != NULL;) {
    Pair *pair = *at;
    /* SYN, SYN-ACK, ACK: the server has the connection after one and a half round trips, and the
     * client, which has it at once here, would have been able to send after one. */
    int64_t times[3] = { 0 };
    if (pair->up.to < 0 && pair->accepted + 3 * delay_ns <= now)
      connect_far(poll, pair);
    if (pair->up.to < 0)
      times[0] = pair->accepted + 3 * delay_ns;
    take(&pair->up, pair->accepted + 2 * delay_ns);
    if (pair->down.from >= 0)
      take(&pair->down, 0);
    times[1] = give(&pair->up, now);
    times[2] = give(&pair->down, now);
    for (unsigned i = 0; i < 3; i++)
      if (times[i] != 0 && (soonest == 0 || times[i] < soonest))
        soonest = times[i];
    if (is_over(pair)) {
      close(pair->up.from);
      close(pair->up.to);
      *at = pair->next;
      free(pair);
      continue;
    }
    watch(poll, pair);
    at = &pair->next;
  }
  return soonest;
}

static void
accept_near(int poll, int listener, const struct sockaddr_in *target)
{
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    return;
  set_up_socket(fd);
  Pair *pair = calloc(1, sizeof *pair);
  if (pair == NULL)
    err(1, "memory");
  pair->target = *target;
  pair->accepted = now_ns();
  pair->up = (Way){ .from = fd, .to = -1 };
  pair->down = (Way){ .down = true, .from = -1, .to = fd };
  pair->next = pairs;
  pairs = pair;
  struct epoll_event event = { .data.ptr = pair };
  epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

int
main(int argc, char **argv)
{
  if (argc > 3 && strcmp(argv[1], "-r") == 0) {
    rate = strtod(argv[2], NULL);
    argc -= 2;
    argv += 2;
  }
  if (argc < 4)
    errx(2, "usage: delay [-r OCTETS_A_SECOND] ONE_WAY_MS HOST PORT...");
  delay_ns = (int64_t)(strtod(argv[1], NULL) * 1e6);
  if (rate > 0)
    under_way = QUEUE + (size_t)(rate * (double)delay_ns / 1e9);
  int n_listeners = argc - 3;
  if (n_listeners > MAX_PORTS)
    errx(2, "at most %d ports", MAX_PORTS);
  int listeners[MAX_PORTS + 1]; /* and the standard input */
  struct sockaddr_in targets[MAX_PORTS];
  int poll = epoll_create1(EPOLL_CLOEXEC);

  for (int i = 0; i < n_listeners; i++) {
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    inet_pton(AF_INET, argv[2], &address.sin_addr);
    targets[i] = address;
    targets[i].sin_port = htons((uint16_t)atoi(argv[3 + i]));
    listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(listeners[i], (struct sockaddr *)&address, size) != 0 || listen(listeners[i], 64) != 0
        || getsockname(listeners[i], (struct sockaddr *)&address, &size) != 0)
      err(1, "listen");
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = &listeners[i] };
    epoll_ctl(poll, EPOLL_CTL_ADD, listeners[i], &event);
    printf("%u%c", ntohs(address.sin_port), i + 1 < n_listeners ? ' ' : '\n');
  }
  fflush(stdout);
  listeners[n_listeners] = STDIN_FILENO;
  struct epoll_event input = { .events = EPOLLIN, .data.ptr = &listeners[n_listeners] };
  epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &input);

  for (;;) {
    int64_t soonest = advance(poll), now = now_ns();
    struct timespec wait = { 0 };
    if (soonest > now) {
      wait.tv_sec = (soonest - now) / 1000000000;
      wait.tv_nsec = (soonest - now) % 1000000000;
    }
    struct epoll_event events[64];
    int n = epoll_pwait2(poll, events, 64, soonest != 0 ? &wait : NULL, NULL);
    for (int i = 0; i < n; i++) {
      int *which = events[i].data.ptr;
      if (which == &listeners[n_listeners])
        return 0;
      if (which >= listeners && which < listeners + n_listeners)
        accept_near(poll, *which, &targets[which - listeners]);
    }
  }
}
