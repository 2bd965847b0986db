/*
 * Two clients without any logic, to hold others against.
 *
 *     floor [-b] copy HOST1 PORT1 USER1 HOST2 PORT2 USER2    the first copy
 *     floor [-b] same HOST1 PORT1 USER1 HOST2 PORT2 USER2    finding that nothing changed: LIST-STATUS
 *
 * The floor is how fast two servers can be driven: everything is sent ahead of all answers, as if it
 * were known what they will be. It logs in before it is greeted and makes folders that may be there.
 * No client that has to be right about servers it does not know can be as fast over a slow link.
 *
 * The bare client (-b) takes a round trip where one step needs the answer to the one before, and none
 * else. Each step is done on both sides at once:
 *
 *     1  connect
 *     2  read the greeting, which tells how to log in
 *     3  LOGIN
 *     4  LIST, with STATUS for "same", which ends here
 *     5  CREATE what the destination lacks, all in one go; EXAMINE and UID FETCH of every folder
 *     6  APPEND, after the answers to CREATE: MULTIAPPEND and LITERAL+, a command a folder, sent as
 *        the messages come; then the answers
 *
 * In both, one connection reads and one writes. Nothing is compared, recorded or recovered. What they
 * print is the number of round trips. They know how Dovecot writes its answers and work with nothing
 * else. The password is "pass".
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "link.h"

#define MAX_FOLDERS 4096

typedef struct {
  char *names[MAX_FOLDERS]; /* as the server wrote them, quotes and all */
  unsigned n;
} Folders;

static unsigned n_trips; /* that were waited for */
static Folders told[2];  /* of the source and the destination */

/* Reads up to the tagged answer of @tag, which must be OK; notes what LIST told in @folders, if any. */
static void
link_await(Link *link, Folders *folders, const char *tag)
{
  size_t length = strlen(tag);
  for (;;) {
    char *line = link_line(link);
    if (strncmp(line, tag, length) == 0 && line[length] == ' ') {
      if (strncmp(line + length, " OK", 3) != 0)
        errx(1, "%s", line);
      return;
    }
    if (strncmp(line, "* LIST ", 7) == 0 && folders != NULL && folders->n < MAX_FOLDERS) {
      char *name = strstr(line, "\"/\" ");
      if (name == NULL)
        errx(2, "not understood: %s", line);
      folders->names[folders->n++] = strdup(name + 4);
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

static bool
has_folder(const Folders *folders, const char *name)
{
  for (unsigned i = 0; i < folders->n; i++)
    if (strcmp(folders->names[i], name) == 0)
      return true;
  return strcasecmp(name, "INBOX") == 0;
}

/* Sends what waits on both sides: the answers are a round trip away. */
static void
set_out(Link *one, Link *other)
{
  link_flush(one);
  link_flush(other);
  n_trips++;
}

/* Passes a folder on: the answer to "f@i". Returns whether there was any message. */
static bool
move_folder(Link *from, Link *to, unsigned i, const char *name)
{
  char done[16];
  bool began = false;
  int done_length = snprintf(done, sizeof done, "f%u ", i);
  for (;;) {
    char *line = link_line(from);
    if (strncmp(line, done, (size_t)done_length) == 0)
      break;
    if (line[0] != '*' || strstr(line, " FETCH (") == NULL)
      continue;
    if (!began)
      link_printf(to, "m%u APPEND %s", i, name);
    began = true;
    move_message(from, to, line);
  }
  if (began)
    link_printf(to, "\r\n");
  return began;
}

static void
copy(Link *from, Link *to, bool bare)
{
  const Folders *folders = &told[0];
  for (unsigned i = 0; i < folders->n; i++) {
    if (!has_folder(&told[1], folders->names[i]))
      link_printf(to, "c%u CREATE %s\r\n", i, folders->names[i]);
    link_printf(from, "e%u EXAMINE %s\r\nf%u UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])\r\n", i,
                folders->names[i], i);
  }
  if (bare)
    link_printf(to, "n NOOP\r\n");
  set_out(from, to);
  if (bare)
    link_await(to, NULL, "n");

  unsigned answers = 0;
  for (unsigned i = 0; i < folders->n; i++)
    answers += move_folder(from, to, i, folders->names[i]);
  set_out(to, from);
  while (answers > 0) {
    char *line = link_line(to);
    if (line[0] == 'm' && strstr(line, " OK ") == NULL)
      errx(1, "%s", line);
    answers -= line[0] == 'm';
  }
}

/* The steps of the bare client up to the list of folders. */
static void
begin_bare(Link *from, Link *to, char **users, const char *list)
{
  Link *links[2] = { from, to };
  n_trips++; /* connect: a handshake on the way */
  n_trips++; /* the greeting */
  for (unsigned i = 0; i < 2; i++)
    if (strncmp(link_line(links[i]), "* OK", 4) != 0)
      errx(2, "no greeting");
  for (unsigned i = 0; i < 2; i++)
    link_printf(links[i], "a LOGIN %s pass\r\n", users[3 * i]);
  set_out(from, to);
  for (unsigned i = 0; i < 2; i++)
    link_await(links[i], NULL, "a");
  for (unsigned i = 0; i < 2; i++)
    link_printf(links[i], "l %s\r\n", list);
  set_out(from, to);
  for (unsigned i = 0; i < 2; i++)
    link_await(links[i], &told[i], "l");
}

/* The same for the floor, in one go. */
static void
begin_ahead(Link *from, Link *to, char **users, const char *list, bool same)
{
  link_printf(from, "a LOGIN %s pass\r\nl %s\r\n", users[0], list);
  link_printf(to, "a LOGIN %s pass\r\n", users[3]);
  if (same)
    link_printf(to, "l %s\r\n", list);
  n_trips++; /* connect */
  set_out(from, to);
  link_await(from, &told[0], "l");
  if (same)
    link_await(to, &told[1], "l");
}

int
main(int argc, char **argv)
{
  bool bare = argc > 1 && strcmp(argv[1], "-b") == 0;
  if (bare) {
    argc--;
    argv++;
  }
  if (argc != 8)
    errx(2, "usage: floor [-b] copy|same HOST1 PORT1 USER1 HOST2 PORT2 USER2");
  bool same = strcmp(argv[1], "same") == 0;
  Link from = link_open(argv[2], argv[3]), to = link_open(argv[5], argv[6]);
  const char *list =
      same ? "LIST \"\" * RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))"
           : "LIST \"\" *";
  if (bare)
    begin_bare(&from, &to, &argv[4], list);
  else
    begin_ahead(&from, &to, &argv[4], list, same);
  if (!same)
    copy(&from, &to, bare);
  printf("%u round trips\n", n_trips);
  return 0;
}
