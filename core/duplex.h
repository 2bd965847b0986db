/* The two ways of a connection, which never block: one socket, or the two pipes of a process. Neither
 * raises SIGPIPE, whose disposition is not a library's to change. */
#ifndef HAUL_CORE_DUPLEX_H
#define HAUL_CORE_DUPLEX_H

#include <stddef.h>
#include <sys/types.h>

typedef struct {
  int in, out; /* descriptors; equal: a socket; -1: none */
} HaulDuplex;

/* As read() and write(), and not interrupted. */
ssize_t haul_duplex_read(const HaulDuplex *duplex, void *buffer, size_t size);
ssize_t haul_duplex_write(const HaulDuplex *duplex, const void *octets, size_t size);

void haul_duplex_close(HaulDuplex *duplex);

#endif /* HAUL_CORE_DUPLEX_H */
