/* Tests plugins/pop3/ids.c, head.c and status.c: what a message is called, and what its header tells. */
#include "suite.h"

#include <string.h>

#include <mailhaul/message.h>

#include "../../plugins/pop3/glued.h"
#include "../../plugins/pop3/head.h"
#include "../../plugins/pop3/ids.h"
#include "../../plugins/pop3/status.h"

#define RECEIVED "Received: from a by b; Mon, 6 Jan 2003 10:00:00 +0000\r\n"

/* Returns the id of a message that comes in pieces of @piece octets. */
static char *
made_of(const char *message, size_t piece)
{
  Pop3Head head;
  Pop3Print print = { 0 };
  pop3_head_init(&head);
  size_t size = strlen(message);
  bool begun = false;
  for (size_t at = 0; at < size; at += piece) {
    const uint8_t *octets = (const uint8_t *)message + at;
    size_t n = MIN(piece, size - at), used = pop3_head_feed(&head, octets, n);
    if (head.is_complete && !begun) {
      pop3_print_begin(&print, head.octets->data, head.octets->len, head.is_cut);
      begun = true;
    }
    if (begun)
      pop3_print_feed(&print, octets + used, n - used);
  }
  if (!begun)
    pop3_print_begin(&print, head.octets->data, head.octets->len, head.is_cut);
  pop3_head_clear(&head);
  return pop3_print_end(&print);
}

static void
what_a_uidl_is(void)
{
  static const struct {
    const char *text;
    size_t size;
    bool is_uidl;
  } table[] = {
    { "", 0, false },        { "x", 1, true },     { "!~", 2, true },
    { "../../x", 7, true }, /* a text as any other */
    { "-rf", 3, true },      { "a b", 3, false },  { " ", 1, false },
    { "a\tb", 3, false },    { "a\0b", 3, false }, { "a\x7f", 2, false },
    { "caf\xe9", 4, false }, { "a\r", 2, false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    CU_ASSERT_EQUAL(pop3_ids_is_uidl(table[i].text, table[i].size), table[i].is_uidl);
  char longest[POP3_UIDL_LIMIT + 1];
  memset(longest, 'x', sizeof longest);
  CU_ASSERT(pop3_ids_is_uidl(longest, POP3_UIDL_LIMIT));
  CU_ASSERT(!pop3_ids_is_uidl(longest, POP3_UIDL_LIMIT + 1));
}

static void
an_id_that_was_made_is_no_uidl(void)
{
  g_autofree char *first = made_of(RECEIVED "\r\n", 100);
  g_autofree char *second = pop3_ids_nth(first, 2), *same = pop3_ids_nth(first, 1);
  CU_ASSERT(pop3_ids_is_made(first));
  CU_ASSERT(!pop3_ids_is_uidl(first, strlen(first)));
  CU_ASSERT(!pop3_ids_is_made("../../x"));
  CU_ASSERT_STRING_EQUAL(first, same);
  CU_ASSERT_STRING_NOT_EQUAL(first, second);
}

static void
pieces_make_no_difference(void)
{
  static const char *const messages[] = {
    RECEIVED "Subject: hi\r\n\r\nbody\r\n",
    "Subject: hi\r\n\r\nbody\r\n",
    "no header\r\n\r\nx\r\n",
    "\r\nx",
    "Subject: bare\n\nx\n",
    "x",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
    g_autofree char *whole = made_of(messages[i], 1000);
    for (size_t piece = 1; piece < 12; piece++) {
      g_autofree char *id = made_of(messages[i], piece);
      CU_ASSERT_STRING_EQUAL(id, whole);
    }
  }
}

static void
what_ids_are_made_of(void)
{
  static const struct {
    const char *one, *other;
    bool same;
  } table[] = {
    /* Received names a message; else all of it does. */
    { RECEIVED "\r\nx", RECEIVED "\r\nother", true },
    { RECEIVED "\r\nx", RECEIVED "", true }, /* as TOP may end it */
    { RECEIVED "A: 1\r\n\r\n", RECEIVED "A: 2\r\n\r\n", false },
    { "A: 1\r\n\r\nx", "A: 1\r\n\r\nother", false },
    { "received: from\r\n\r\nx", "received: from\r\n\r\ny", true },
    { "X: a\r\n Received: no\r\n\r\nx", "X: a\r\n Received: no\r\n\r\ny", false },
    /* What servers note is left out, and what follows it is not. */
    { RECEIVED "Status: RO\r\nX-UIDL: a\r\n b\r\nA: 1\r\n\r\n", RECEIVED "A: 1\r\n\r\n", true },
    { RECEIVED "status: O\r\ncontent-length: 3\r\n\r\n", RECEIVED "Lines: 7\r\n\r\n", true },
    { RECEIVED "Status: RO\r\nB: 1\r\n\r\n", RECEIVED "A: 1\r\n\r\n", false },
    { RECEIVED "Statuses: 1\r\n\r\n", RECEIVED "\r\n", false },
    /* Lines that are no fields count, too. */
    { "hello\r\n\r\nx", "bye\r\n\r\nx", false },
    { "", "\r\n", true },
    { "\r\n\r\n", "\r\n", false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *one = made_of(table[i].one, 1000), *other = made_of(table[i].other, 1000);
    CU_ASSERT_EQUAL(strcmp(one, other) == 0, table[i].same);
  }
}

static void
a_header_without_end_is_kept_in_part(void)
{
  Pop3Head head;
  pop3_head_init(&head);
  static const uint8_t line[] = "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n";
  size_t fed = 0, taken = 0;
  while (fed < 2 * POP3_HEAD_LIMIT) {
    taken += pop3_head_feed(&head, line, sizeof line - 1);
    fed += sizeof line - 1;
  }
  CU_ASSERT_EQUAL(taken, POP3_HEAD_LIMIT);
  CU_ASSERT_EQUAL(head.octets->len, POP3_HEAD_LIMIT);
  CU_ASSERT(head.is_complete && head.is_cut);
  Pop3Print print = { 0 };
  pop3_print_begin(&print, head.octets->data, head.octets->len, head.is_cut);
  CU_ASSERT(print.needs_body);
  pop3_print_clear(&print);
  pop3_head_reset(&head);
  CU_ASSERT(!head.is_complete && !head.is_cut);
  pop3_head_clear(&head);
}

static void
where_a_header_ends(void)
{
  static const struct {
    const char *message;
    size_t end;
    bool is_complete;
  } table[] = {
    { "A: 1\r\n\r\nbody", 8, true },
    { "A: 1\n\nbody", 6, true },
    { "\r\nbody", 2, true },
    { "\nbody", 1, true },
    { "A: 1\r\nB: 2", 10, false },
    { "A: 1\r\r\n\r\nx", 9, true },
    { "A\r\n \r\nx\r\n\r\n", 11, true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    for (size_t piece = 1; piece < 14; piece++) {
      Pop3Head head;
      pop3_head_init(&head);
      size_t size = strlen(table[i].message), taken = 0;
      for (size_t at = 0; at < size; at += piece)
        taken +=
            pop3_head_feed(&head, (const uint8_t *)table[i].message + at, MIN(piece, size - at));
      CU_ASSERT_EQUAL(taken, table[i].end);
      CU_ASSERT_EQUAL(head.is_complete, table[i].is_complete);
      pop3_head_clear(&head);
    }
}

static void
what_status_fields_tell(void)
{
  static const struct {
    const char *header;
    uint32_t flags;
  } table[] = {
    { "Subject: x\r\n\r\n", 0 },
    { "Status: RO\r\n\r\n", HAUL_SEEN },
    { "Status: O\r\n\r\n", 0 },
    { "Status: OR\r\nX-Status: AF\r\n\r\n", HAUL_SEEN | HAUL_ANSWERED | HAUL_FLAGGED },
    { "x-status: T\r\n\r\n", HAUL_DRAFT },
    { "X-Status: D\r\nStatus: D\r\n\r\n", 0 },
    { "X-Status: R\r\nStatus: A\r\n\r\n", 0 }, /* each has its own letters */
    { "Status:R\n\n", HAUL_SEEN },
    { "X-Status: A", HAUL_ANSWERED },
    { "Subject: Status: R\r\nX-My-Status: A\r\nStatusX: R\r\n\r\n", 0 },
    { "Subject: x\r\n\r\nStatus: R\r\n", 0 }, /* of the body */
    { "", 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    CU_ASSERT_EQUAL(pop3_status_flags((const uint8_t *)table[i].header, strlen(table[i].header)),
                    table[i].flags);
}

static void
what_seems_to_hold_the_next_answer(void)
{
  static const struct {
    const char *octets;
    uint64_t announced;
    bool found;
  } table[] = {
    { "text\r\n", 6, false },
    { "text.\r\n+OK\r\nmore\r\n", 6, true },
    { "text.\r\n-ERR no\r\nmore\r\n", 6, true },
    { "text\r\n.\r\n+OK\r\n", 4, true },
    { "text.\r\n+OK\r\nmore\r\n", 18, false }, /* announced so */
    { "text.\r\n+OK\r\nmore\r\n", HAUL_UNKNOWN, false },
    { "text..\r\n+OK", 4, true },
    { "text.\r\n.\r\n+OK", 4, true },
    { "text.\n+OK\r\n", 4, false },
    { "text.\r\n+NO\r\n-ERX.\r\n", 4, false },
    { "", 0, false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    for (size_t piece = 1; piece < 30; piece++) {
      Pop3Glued glued = { .announced = table[i].announced };
      size_t size = strlen(table[i].octets);
      for (size_t at = 0; at < size; at += piece)
        pop3_glued_feed(&glued, (const uint8_t *)table[i].octets + at, MIN(piece, size - at));
      CU_ASSERT_EQUAL(glued.found, table[i].found);
    }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_a_uidl_is),
    CASE(an_id_that_was_made_is_no_uidl),
    CASE(pieces_make_no_difference),
    CASE(what_ids_are_made_of),
    CASE(a_header_without_end_is_kept_in_part),
    CASE(where_a_header_ends),
    CASE(what_status_fields_tell),
    CASE(what_seems_to_hold_the_next_answer),
  };
  return RUN_SUITE("pop3 ids", cases);
}
