/* Tests plugins/maildir/lines.c: octets survive the way to disk and back, however they are cut. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "../../plugins/maildir/lines.h"

#define LONGEST 8

/* Writes the @number-th string over a, CR, LF and NUL: every one comes, the short ones first. */
static size_t
nth(unsigned number, uint8_t *out)
{
  size_t n = 0;
  for (; number > 0; number = (number - 1) / 4)
    out[n++] = (uint8_t) "a\r\n\0"[(number - 1) % 4];
  return n;
}

static MaildirLines
look(const uint8_t *octets, size_t size, size_t piece)
{
  MaildirLines lines = { 0 };
  for (size_t done = 0; done < size; done += piece)
    maildir_lines_feed(&lines, octets + done, MIN(piece, size - done));
  return lines;
}

static size_t
to_lf(const uint8_t *octets, size_t size, size_t piece, uint8_t *out)
{
  bool held = false;
  size_t filled = 0;
  for (size_t done = 0; done < size; done += piece)
    filled += maildir_lines_to_lf(&held, octets + done, MIN(piece, size - done), out + filled);
  if (held)
    out[filled++] = '\r';
  return filled;
}

static size_t
to_crlf(const uint8_t *octets, size_t size, size_t piece, size_t room, uint8_t *out)
{
  uint8_t last = 0;
  size_t filled = 0;
  for (size_t done = 0; done < size;) {
    size_t used;
    filled += maildir_lines_to_crlf(&last, octets + done, MIN(piece, size - done), &used,
                                    out + filled, room);
    done += used;
  }
  return filled;
}

/* What a simple reader would make of octets on disk. */
static size_t
plain_to_crlf(const uint8_t *octets, size_t size, uint8_t *out)
{
  size_t filled = 0;
  for (size_t i = 0; i < size; i++) {
    if (octets[i] == '\n' && (i == 0 || octets[i - 1] != '\r'))
      out[filled++] = '\r';
    out[filled++] = octets[i];
  }
  return filled;
}

static bool
survives(const uint8_t *octets, size_t size, size_t piece, size_t room)
{
  uint8_t disk[2 * LONGEST], back[4 * LONGEST];
  MaildirLines lines = look(octets, size, piece);
  size_t disk_size = size;
  if (maildir_lines_convertible(&lines)) {
    disk_size = to_lf(octets, size, piece, disk);
    if (disk_size != maildir_lines_lf_size(&lines))
      return false;
  } else
    memcpy(disk, octets, size);
  if (maildir_lines_has_bare_lf(&lines))
    return true; /* marked, and read as it is */
  size_t back_size = to_crlf(disk, disk_size, piece, room, back);
  return back_size == size && memcmp(back, octets, size) == 0;
}

static void
octets_survive_however_they_are_cut(void)
{
  unsigned wrong = 0, n = 0;
  for (;; n++) {
    uint8_t octets[LONGEST + 1];
    size_t size = nth(n, octets);
    if (size > LONGEST)
      break;
    for (size_t piece = 1; piece <= MAX(size, 1); piece++)
      for (size_t room = 1; room <= 3; room++)
        wrong += !survives(octets, size, piece, room);
  }
  CU_ASSERT(n > 80000);
  CU_ASSERT_EQUAL(wrong, 0);
}

static void
sizes_are_what_a_reader_gets(void)
{
  unsigned wrong = 0;
  for (unsigned n = 0;; n++) {
    uint8_t octets[LONGEST + 1], plain[2 * LONGEST], got[2 * LONGEST];
    size_t size = nth(n, octets);
    if (size > LONGEST)
      break;
    size_t wanted = plain_to_crlf(octets, size, plain);
    MaildirLines lines = look(octets, size, 3);
    wrong += maildir_lines_crlf_size(&lines) != wanted;
    wrong += maildir_lines_has_bare_lf(&lines) != (wanted != size);
    size_t filled = to_crlf(octets, size, 5, 2, got);
    wrong += filled != wanted || memcmp(got, plain, wanted) != 0;
  }
  CU_ASSERT_EQUAL(wrong, 0);
}

static void
mail_as_it_should_be_is_stored_with_lf(void)
{
  static const struct {
    const char *octets;
    bool convertible, bare;
  } table[] = {
    { "a\r\nb\r\n", true, false }, { "", true, false },         { "a", true, false },
    { "a\rb\r\n", true, false },   { "a\r", true, false },      { "a\r\r\n", false, false },
    { "a\r\nb\n", false, true },   { "a\n", false, true },      { "\n", false, true },
    { "\r\n", true, false },       { "\r\n\r\n", true, false }, { "\r\r\n\n", false, true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    MaildirLines lines = look((const uint8_t *)table[i].octets, strlen(table[i].octets), 1);
    CU_ASSERT_EQUAL(maildir_lines_convertible(&lines), table[i].convertible);
    CU_ASSERT_EQUAL(maildir_lines_has_bare_lf(&lines), table[i].bare);
  }
}

/* Field notes M-5: 3 GB, and more than 32 bits hold. */
static void
counts_hold_beyond_four_gigabytes(void)
{
  enum { PIECE = 1 << 20, PIECES = 6000, LINE = 1 << 10 };
  g_autofree uint8_t *octets = g_malloc(PIECE);
  memset(octets, 'x', PIECE);
  for (size_t end = LINE; end <= PIECE; end += LINE) {
    octets[end - 2] = '\r';
    octets[end - 1] = '\n';
  }
  MaildirLines lines = { 0 };
  for (unsigned i = 0; i < PIECES; i++)
    maildir_lines_feed(&lines, octets, PIECE);
  const uint64_t size = (uint64_t)PIECES * PIECE, n_lines = size / LINE;
  CU_ASSERT(lines.octets == size && size > UINT32_MAX);
  CU_ASSERT(maildir_lines_convertible(&lines));
  CU_ASSERT(maildir_lines_lf_size(&lines) == size - n_lines);
  CU_ASSERT(maildir_lines_crlf_size(&lines) == size);
  maildir_lines_feed(&lines, (const uint8_t *)"\n", 1);
  CU_ASSERT(maildir_lines_crlf_size(&lines) == size + 2);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(octets_survive_however_they_are_cut),
    CASE(sizes_are_what_a_reader_gets),
    CASE(mail_as_it_should_be_is_stored_with_lf),
    CASE(counts_hold_beyond_four_gigabytes),
  };
  return RUN_SUITE("maildir lines", cases);
}
