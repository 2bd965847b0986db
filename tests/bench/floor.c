/*
 * The floor: how fast two servers can be driven by a client without any logic. One connection asks
 * for every message of every folder ahead of all answers; the other replays them with MULTIAPPEND and
 * LITERAL+, one command a folder. Nothing is compared, recorded, or recovered.
 *
 *     floor copy HOST1 PORT1 USER1 HOST2 PORT2 USER2    the first copy
 *     floor same HOST1 PORT1 USER1 HOST2 PORT2 USER2    finding that nothing changed: LIST-STATUS
 *
 * It knows how Dovecot writes its answers and works with nothing else. The password is "pass".
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (256 * 1024)
#define MAX_FOLDERS 4096

typedef struct {
  int fd;
  char *in; /* received: in[start] to in[end] */
  size_t start, end;
  char *out; /* to be sent: used octets */
  size_t used;
} Link;

static char *folders[MAX_FOLDERS];
static unsigned n_folders;

static Link
link_open(const char *host, const char *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
  Link link = { .fd = socket(AF_INET, SOCK_STREAM, 0),
                .in = malloc(BUFFER),
                .out = malloc(BUFFER) };
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || link.in == NULL || link.out == NULL)
    errx(2, "no address: %s", host);
  if (connect(link.fd, (struct sockaddr *)&address, sizeof address) != 0)
    err(2, "connect %s", port);
  setsockopt(link.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
  return link;
}

static void
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

static void
link_write(Link *link, const char *octets, size_t size)
{
  while (size > 0) {
    if (link->used == BUFFER)
      link_flush(link);
    size_t part = size < BUFFER - link->used ? size : BUFFER - link->used;
    memcpy(link->out + link->used, octets, part);
    link->used += part;
    octets += part;
    size -= part;
  }
}

static void __attribute__((format(printf, 2, 3))) link_printf(Link *link, const char *format, ...)
{
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  link_write(link, text, (size_t)length);
}

static void
link_fill(Link *link)
{
  if (link->start == link->end)
    link->start = link->end = 0;
  if (link->end == BUFFER) {
    memmove(link->in, link->in + link->start, link->end - link->start);
    link->end -= link->start;
    link->start = 0;
  }
  ssize_t got = recv(link->fd, link->in + link->end, BUFFER - link->end, 0);
  if (got <= 0)
    err(2, "the server hung up");
  link->end += (size_t)got;
}

/* Returns the next line without its end, NUL-terminated, good until the next read. */
static char *
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

/* Reads up to the tagged answer of @tag, which must be OK. */
static void
link_await(Link *link, const char *tag)
{
  size_t length = strlen(tag);
  for (;;) {
    char *line = link_line(link);
    if (strncmp(line, tag, length) == 0 && line[length] == ' ') {
      if (strncmp(line + length, " OK", 3) != 0)
        errx(1, "%s", line);
      return;
    }
    if (strncmp(line, "* LIST ", 7) == 0 && n_folders < MAX_FOLDERS) {
      char *name = strstr(line, "\"/\" ");
      if (name == NULL)
        errx(2, "not understood: %s", line);
      folders[n_folders++] = strdup(name + 4); /* as the server wrote it, quotes and all */
    }
  }
}

static void
move_octets(Link *from, Link *to, size_t size)
{
  while (size > 0) {
    if (from->start == from->end)
      link_fill(from);
    size_t part = from->end - from->start < size ? from->end - from->start : size;
    link_write(to, from->in + from->start, part);
    from->start += part;
    size -= part;
  }
}

/* Passes one "* n FETCH (UID u FLAGS (...) INTERNALDATE "..." BODY[] {n}" on. */
static void
move_message(Link *from, Link *to, char *line)
{
  char *flags = strstr(line, "FLAGS ("), *date = strstr(line, "INTERNALDATE \""),
       *literal = strrchr(line, '{');
  char *flags_end = flags != NULL ? strchr(flags, ')') : NULL;
  if (flags_end == NULL || date == NULL || literal == NULL)
    errx(2, "not understood: %s", line);
  size_t size = strtoull(literal + 1, NULL, 10);

  link_printf(to, " (");
  bool first = true;
  *flags_end = '\0';
  for (char *flag = strtok(flags + 7, " "); flag != NULL; flag = strtok(NULL, " "))
    if (strcmp(flag, "\\Recent") != 0) {
      link_printf(to, first ? "%s" : " %s", flag);
      first = false;
    }
  link_printf(to, ") %.28s {%zu+}\r\n", date + 13, size);
  move_octets(from, to, size);
  link_line(from); /* the closing parenthesis */
}

static void
copy(Link *from, Link *to)
{
  for (unsigned i = 0; i < n_folders; i++) {
    if (strcasecmp(folders[i], "INBOX") != 0)
      link_printf(to, "c%u CREATE %s\r\n", i, folders[i]);
    link_printf(from, "e%u EXAMINE %s\r\nf%u UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])\r\n", i,
                folders[i], i);
  }
  link_flush(from);
  link_flush(to);

  unsigned answers = 0;
  for (unsigned i = 0; i < n_folders; i++) {
    bool began = false;
    char done[16];
    int done_length = snprintf(done, sizeof done, "f%u ", i);
    for (;;) {
      char *line = link_line(from);
      if (strncmp(line, done, (size_t)done_length) == 0)
        break;
      if (line[0] != '*' || strstr(line, " FETCH (") == NULL)
        continue;
      if (!began)
        link_printf(to, "m%u APPEND %s", i, folders[i]);
      began = true;
      move_message(from, to, line);
    }
    if (began)
      link_printf(to, "\r\n");
    answers += began;
  }
  link_flush(to);
  while (answers > 0) {
    char *line = link_line(to);
    if (line[0] == 'm' && strstr(line, " OK ") == NULL)
      errx(1, "%s", line);
    answers -= line[0] == 'm';
  }
}

int
main(int argc, char **argv)
{
  if (argc != 8)
    errx(2, "usage: floor copy|same HOST1 PORT1 USER1 HOST2 PORT2 USER2");
  bool same = strcmp(argv[1], "same") == 0;
  Link from = link_open(argv[2], argv[3]), to = link_open(argv[5], argv[6]);
  const char *list =
      same ? "LIST \"\" * RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))"
           : "LIST \"\" *";
  link_printf(&from, "a LOGIN %s pass\r\nl %s\r\n", argv[4], list);
  link_printf(&to, "a LOGIN %s pass\r\n", argv[7]);
  if (same)
    link_printf(&to, "l %s\r\n", list);
  link_flush(&from);
  link_flush(&to);
  link_await(&from, "l");
  if (same)
    link_await(&to, "l");
  else
    copy(&from, &to);
  return 0;
}
