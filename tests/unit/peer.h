/* The other end of a connection: a thread with a socket on loopback, played by the test. */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"

typedef struct Peer Peer;

/* Plays the server on one accepted connection; @fd is closed after it returns. */
typedef void (*PeerRun)(int fd, void *data);

/* Listens on a free port of 127.0.0.1, and runs @run in a thread for one connection. */
Peer *peer_start(PeerRun run, void *data);
uint16_t peer_port(const Peer *peer);
/* Waits until the connection is over, and frees @peer. */
void peer_join(Peer *peer);

/* Blocking, whole; false at the end of the connection. */
bool peer_say(int fd, const void *octets, size_t size);
bool peer_hear(int fd, void *buffer, size_t size);
/* Reads until the other end closes. */
void peer_hear_end(int fd);

/* An account for haul_stream_open(): 127.0.0.1, @port, @tls; further settings by key and value. */
HaulAccount *peer_account(uint16_t port, const char *tls, HaulCancel *cancel);
void peer_set(HaulAccount *account, const char *key, const char *value);

/* Octet @i of a long pattern that both ends know: differs from its neighbours at any power of 2. */
static inline uint8_t
pattern(uint64_t i)
{
  return (uint8_t)(i ^ i >> 8 ^ i >> 16 ^ i >> 24);
}
void pattern_fill(uint8_t *buffer, uint64_t from, size_t size);
bool pattern_holds(const uint8_t *buffer, uint64_t from, size_t size);

#endif /* TESTS_PEER_H */
