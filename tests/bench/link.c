/* One connection of the clients without logic. */
#include "link.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

Link
link_open(const char *host, const char *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
  Link link = { .fd = socket(AF_INET, SOCK_STREAM, 0),
                .in = malloc(LINK_BUFFER),
                .out = malloc(LINK_BUFFER) };
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || link.in == NULL || link.out == NULL)
    errx(2, "no address: %s", host);
  if (connect(link.fd, (struct sockaddr *)&address, sizeof address) != 0)
    err(2, "connect %s", port);
  setsockopt(link.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
  return link;
}

void
link_flush(Link *link)
{
  for (size_t done = 0; done < link->used;) {
    ssize_t sent = send(link->fd, link->out + done, link->used - done, 0);
    if (sent <= 0)
      err(2, "send");
    done += (size_t)sent;
  }
  link->used = 0;
}

void
link_write(Link *link, const char *octets, size_t size)
{
  while (size > 0) {
    if (link->used == LINK_BUFFER)
      link_flush(link);
    size_t part = size < LINK_BUFFER - link->used ? size : LINK_BUFFER - link->used;
    memcpy(link->out + link->used, octets, part);
    link->used += part;
    octets += part;
    size -= part;
  }
}

void
link_printf(Link *link, const char *format, ...)
{
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  link_write(link, text, (size_t)length);
}

void
link_fill(Link *link)
{
  if (link->start == link->end)
    link->start = link->end = 0;
  if (link->end == LINK_BUFFER) {
    memmove(link->in, link->in + link->start, link->end - link->start);
    link->end -= link->start;
    link->start = 0;
  }
  ssize_t got = recv(link->fd, link->in + link->end, LINK_BUFFER - link->end, 0);
  if (got <= 0)
    err(2, "the server hung up");
  link->end += (size_t)got;
}

char *
link_line(Link *link)
{
  char *end;
  size_t seen = 0;
  while ((end = memchr(link->in + link->start + seen, '\n', link->end - link->start - seen))
         == NULL) {
    seen = link->end - link->start;
    link_fill(link);
  }
  char *line = link->in + link->start;
  link->start = (size_t)(end + 1 - link->in);
  if (end > line && end[-1] == '\r')
    end--;
  *end = '\0';
  return line;
}
