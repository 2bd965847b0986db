/* A server for one connection, and the pattern that long transfers carry. */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mailhaul/sasl.h>

struct Peer {
  int listener; /* owned */
  uint16_t port;
  PeerRun run;
  void *data;
  pthread_t thread;
};

static void *
peer_thread(void *data)
{
  Peer *peer = data;
  /* In this thread only: the stream under test has to look after itself. */
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, NULL);
  int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    return NULL;
  peer->run(fd, peer->data);
  close(fd);
  return NULL;
}

static struct sockaddr_in
loopback(uint16_t port)
{
  return (struct sockaddr_in){ .sin_family = AF_INET,
                               .sin_port = htons(port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

Peer *
peer_start(PeerRun run, void *data)
{
  Peer *peer = g_new0(Peer, 1);
  peer->run = run;
  peer->data = data;
  peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(peer->listener, (struct sockaddr *)&address, size) != 0 || listen(peer->listener, 1) != 0
      || getsockname(peer->listener, (struct sockaddr *)&address, &size) != 0
      || pthread_create(&peer->thread, NULL, peer_thread, peer) != 0)
    g_error("cannot listen on loopback: %s", g_strerror(errno));
  peer->port = ntohs(address.sin_port);
  return peer;
}

uint16_t
peer_port(const Peer *peer)
{
  return peer->port;
}

void
peer_join(Peer *peer)
{
  /* Ends an accept() that nobody came for; after one that somebody did, nobody sees this. */
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = loopback(peer->port);
  int connected = connect(fd, (struct sockaddr *)&address, sizeof address);
  (void)connected;
  close(fd);
  pthread_join(peer->thread, NULL);
  close(peer->listener);
  g_free(peer);
}

bool
peer_say(int fd, const void *octets, size_t size)
{
  const char *next = octets;
  while (size > 0) {
    ssize_t n = send(fd, next, size, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    next += n;
    size -= (size_t)n;
  }
  return true;
}

bool
peer_hear(int fd, void *buffer, size_t size)
{
  char *next = buffer;
  while (size > 0) {
    ssize_t n = recv(fd, next, size, 0);
    if (n <= 0)
      return false;
    next += n;
    size -= (size_t)n;
  }
  return true;
}

void
peer_hear_end(int fd)
{
  char buffer[4096];
  while (recv(fd, buffer, sizeof buffer, 0) > 0)
    ;
}

HaulAccount *
peer_account(uint16_t port, const char *tls, HaulCancel *cancel)
{
  static const HaulSetting settings[] = { HAUL_STREAM_SETTINGS,
                                          HAUL_SASL_SETTINGS,
                                          { NULL, 0, NULL, NULL } };
  static const HaulPlugin plugin = { HAUL_PLUGIN_HEAD, .name = "peer", .settings = settings };
  HaulAccount *account = haul_account_new(1, &plugin, cancel);
  char text[8];
  g_snprintf(text, sizeof text, "%u", port);
  peer_set(account, "host", "127.0.0.1");
  peer_set(account, "port", text);
  peer_set(account, "tls", tls);
  return account;
}

void
peer_set(HaulAccount *account, const char *key, const char *value)
{
  if (!haul_account_set(account, key, value, NULL))
    g_error("setting %s to %s", key, value);
}

void
pattern_fill(uint8_t *buffer, uint64_t from, size_t size)
{
  for (size_t i = 0; i < size; i++)
    buffer[i] = pattern(from + i);
}

bool
pattern_holds(const uint8_t *buffer, uint64_t from, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (buffer[i] != pattern(from + i))
      return false;
  return true;
}
