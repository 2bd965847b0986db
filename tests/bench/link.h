/*
 * One connection of the clients without logic, buffered both ways. Whatever goes wrong ends the program.
 */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <stddef.h>

#define LINK_BUFFER (256 * 1024)

typedef struct {
  int fd;
  char *in; /* received: in[start] to in[end] */
  size_t start, end;
  char *out; /* to be sent: used octets */
  size_t used;
} Link;

Link link_open(const char *host, const char *port);
void link_write(Link *link, const char *octets, size_t size);
void link_printf(Link *link, const char *format, ...) __attribute__((format(printf, 2, 3)));
void link_flush(Link *link);

/* Waits for octets, and adds them to what is there. */
void link_fill(Link *link);

/* Returns the next line without its end, NUL-terminated, good until the next read. */
char *link_line(Link *link);

#endif /* BENCH_LINK_H */
