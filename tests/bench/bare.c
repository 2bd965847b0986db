/*
 * Clients without any logic, for what ends in a local folder: how fast mail can be read, and how fast it
 * can be written.
 *
 *     bare read [-b] HOST PORT USER     all messages of an IMAP account, by one connection
 *     bare same [-b] HOST PORT USER     finding that nothing changed there: LIST-STATUS
 *     bare pop [-b] HOST PORT USER      all messages of a POP3 mailbox: UIDL, then RETR of each, pipelined
 *     bare uidl [-b] HOST PORT USER     finding that nothing came: UIDL
 *     bare write FROM TO [SYNC]         the files of the Maildir++ tree FROM into one like it, by tmp and rename;
 *                                       SYNC: "batch" puts 512 at a time on disk, files first, then folders;
 *                                       "each" one by one
 *
 * What is read is dropped. With -b nothing is sent before the answer that it depends on: a round trip for
 * connecting, greeting, capabilities (POP3), login, list, and messages; without, all is sent ahead. They know how
 * Dovecot writes its answers. The password is "pass".
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "link.h"

#define MAX_FOLDERS 4096
#define BATCH 512

/* ---- reading ---- */

static void
drop(Link *link, size_t size)
{
  while (size > 0) {
    if (link->start == link->end)
      link_fill(link);
    size_t part = link->end - link->start < size ? link->end - link->start : size;
    link->start += part;
    size -= part;
  }
}

static char *folders[MAX_FOLDERS];
static unsigned n_folders;

/* Reads up to the answer to @tag, which must be OK, dropping messages. */
static void
await(Link *link, const char *tag)
{
  size_t length = strlen(tag);
  for (;;) {
    char *line = link_line(link), *literal = strrchr(line, '{'), *name;
    if (strncmp(line, tag, length) == 0 && line[length] == ' ') {
      if (strncmp(line + length, " OK", 3) != 0)
        errx(1, "%s", line);
      return;
    }
    if (literal != NULL && strstr(line, " FETCH (") != NULL)
      drop(link, strtoull(literal + 1, NULL, 10));
    else if (strncmp(line, "* LIST ", 7) == 0 && n_folders < MAX_FOLDERS
             && (name = strstr(line, "\"/\" ")) != NULL)
      folders[n_folders++] = strdup(name + 4);
  }
}

static void
read_imap(Link *link, const char *user, bool bare, bool same)
{
  if (bare)
    link_line(link); /* the greeting */
  link_printf(link, "a LOGIN %s pass\r\n", user);
  link_flush(link);
  if (bare)
    await(link, "a");
  link_printf(link, "l LIST \"\" *%s\r\n",
              same ? " RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))" : "");
  link_flush(link);
  await(link, "l");
  for (unsigned i = 0; !same && i < n_folders; i++)
    link_printf(link, "e EXAMINE %s\r\nf%u UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])\r\n",
                folders[i], i);
  link_flush(link);
  for (unsigned i = 0; !same && i < n_folders; i++) {
    char tag[16];
    snprintf(tag, sizeof tag, "f%u", i);
    await(link, tag);
  }
}

static void
await_ok(Link *link)
{
  char *line = link_line(link);
  if (strncmp(line, "+OK", 3) != 0)
    errx(1, "%s", line);
}

/* Reads a multi-line answer. Returns its number of lines. */
static unsigned
await_lines(Link *link)
{
  unsigned n = 0;
  await_ok(link);
  while (strcmp(link_line(link), ".") != 0)
    n++;
  return n;
}

/* Reads a message up to CRLF.CRLF, and nothing of it. */
static void
drop_message(Link *link)
{
  await_ok(link);
  for (;;) {
    char *from = link->in + link->start;
    size_t size = link->end - link->start;
    char *end = memmem(from, size, "\r\n.\r\n", 5);
    if (end != NULL) {
      link->start = (size_t)(end + 5 - link->in);
      return;
    }
    if (size > 4)
      link->start = link->end - 4;
    link_fill(link);
  }
}

static void
read_pop(Link *link, const char *user, bool bare, bool same)
{
  if (bare) {
    await_ok(link);
    link_printf(link, "CAPA\r\n");
    link_flush(link);
    await_lines(link);
  }
  link_printf(link, "USER %s\r\nPASS pass\r\n", user);
  link_flush(link);
  if (bare) {
    await_ok(link);
    await_ok(link);
  }
  link_printf(link, "UIDL\r\n");
  link_flush(link);
  for (unsigned i = 0; !bare && i < 3; i++) /* the greeting, USER, PASS */
    await_ok(link);
  unsigned n = await_lines(link);
  for (unsigned i = 1; !same && i <= n; i++)
    link_printf(link, "RETR %u\r\n", i);
  link_printf(link, "QUIT\r\n");
  link_flush(link);
  for (unsigned i = 1; !same && i <= n; i++)
    drop_message(link);
  await_ok(link);
}

/* ---- writing ---- */

typedef struct {
  int tmp, cur, fd;
  char *tmp_name, *name;
} File;

static File batch[BATCH];
static unsigned n_batch;
static bool by_batch, by_each;

static int
open_dir(int at, const char *name, bool make)
{
  if (make && mkdirat(at, name, 0700) != 0)
    err(2, "mkdir %s", name);
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    err(2, "open %s", name);
  return fd;
}

static void
settle(void)
{
  for (unsigned i = 0; i < n_batch; i++) {
    File *file = &batch[i];
    if (((by_batch || by_each) && fsync(file->fd) != 0) || close(file->fd) != 0
        || renameat(file->tmp, file->tmp_name, file->cur, file->name) != 0)
      err(2, "%s", file->name);
  }
  for (unsigned i = 0; i < n_batch; i++) {
    if ((by_batch || by_each) && (i + 1 == n_batch || batch[i + 1].cur != batch[i].cur)
        && fsync(batch[i].cur) != 0)
      err(2, "folder");
    free(batch[i].name);
    free(batch[i].tmp_name);
  }
  n_batch = 0;
}

static void
write_one(int from, const char *name, int tmp, int cur)
{
  static char *octets;
  static size_t room;
  struct stat status;
  int in = openat(from, name, O_RDONLY);
  if (in < 0 || fstat(in, &status) != 0)
    err(2, "%s", name);
  if ((size_t)status.st_size > room)
    octets = realloc(octets, room = (size_t)status.st_size);
  if (read(in, octets, room) != status.st_size)
    err(2, "read %s", name);
  close(in);
  File file = { .tmp = tmp, .cur = cur, .name = strdup(name), .tmp_name = strdup(name) };
  file.fd = openat(tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file.fd < 0 || write(file.fd, octets, (size_t)status.st_size) != status.st_size)
    err(2, "write %s", name);
  const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, status.st_mtim };
  futimens(file.fd, times);
  batch[n_batch++] = file;
  if (n_batch == BATCH || !by_batch)
    settle();
}

/* Writes the messages of the folder @name below @from. */
static void
write_folder(int from, int to, const char *name)
{
  char path[512];
  snprintf(path, sizeof path, "%s/cur", name);
  int there = openat(from, path, O_RDONLY | O_DIRECTORY);
  if (there < 0)
    return;
  int folder = open_dir(to, name, strcmp(name, ".") != 0);
  int tmp = open_dir(folder, "tmp", true), cur = open_dir(folder, "cur", true);
  open_dir(folder, "new", true);
  DIR *listing = fdopendir(dup(there));
  for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;)
    if (entry->d_name[0] != '.')
      write_one(there, entry->d_name, tmp, cur);
  if (listing != NULL)
    closedir(listing);
  close(there);
}

static void
write_tree(const char *from_path, const char *to_path)
{
  int from = open_dir(AT_FDCWD, from_path, false), to = open_dir(AT_FDCWD, to_path, true);
  write_folder(from, to, ".");
  DIR *listing = fdopendir(dup(from));
  for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;)
    if (entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0
        && strcmp(entry->d_name, "..") != 0)
      write_folder(from, to, entry->d_name);
  settle();
  if (listing != NULL)
    closedir(listing);
}

int
main(int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "write") == 0 && (argc == 4 || argc == 5)) {
    by_batch = argc == 5 && strcmp(argv[4], "batch") == 0;
    by_each = argc == 5 && strcmp(argv[4], "each") == 0;
    write_tree(argv[2], argv[3]);
    return 0;
  }
  bool bare = argc > 2 && strcmp(argv[2], "-b") == 0;
  if (argc != 5 + bare)
    errx(2, "usage: bare read|same|pop|uidl [-b] HOST PORT USER; bare write FROM TO [batch|each]");
  Link link = link_open(argv[2 + bare], argv[3 + bare]);
  bool imap = strcmp(what, "read") == 0 || strcmp(what, "same") == 0;
  bool same = strcmp(what, "same") == 0 || strcmp(what, "uidl") == 0;
  (imap ? read_imap : read_pop)(&link, argv[4 + bare], bare, same);
  return 0;
}
