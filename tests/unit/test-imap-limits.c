/*
 * Tests what a session of the imap plugin bears: answers of a server that has no measure, each of
 * which ends in an error, or is passed over, and what follows is still understood.
 */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>

#include "peer.h"

#include "../../plugins/imap/fetch.h"
#include "../../plugins/imap/session.h"

extern const HaulPlugin haul_plugin_imap;

#define MIB ((size_t)1 << 20)

/* What the server says to a NOOP: @unit, @times, between @before and @after. */
typedef struct {
  const char *before, *unit;
  size_t times;
  const char *after;
  const char *words; /* of the error; NULL: it is borne */
} Flood;

static bool
say(int fd, const char *text)
{
  return peer_say(fd, text, strlen(text));
}

static void
serve(int fd, void *data)
{
  const Flood *flood = data;
  char command[9]; /* "A1 NOOP", and the line end */
  if (!say(fd, "* PREAUTH hi\r\n") || !peer_hear(fd, command, sizeof command))
    return;
  g_autoptr(GString) text = g_string_new(flood->before);
  for (size_t i = 0; i < flood->times; i++) {
    g_string_append(text, flood->unit);
    if (text->len < MIB)
      continue;
    if (!peer_say(fd, text->str, text->len))
      return;
    g_string_truncate(text, 0);
  }
  g_string_append(text, flood->after);
  if (peer_say(fd, text->str, text->len) && say(fd, "A1 OK done\r\n"))
    peer_hear_end(fd);
}

/* Asks for NOOP and gives what comes to @take. */
static void
play(const Flood *flood, bool streams, ImapDataFunc take, void *context)
{
  g_autoptr(GError) error = NULL;
  Peer *peer = peer_start(serve, (void *)flood);
  HaulAccount *account = haul_account_new(1, &haul_plugin_imap, NULL);
  g_autofree char *port = g_strdup_printf("%u", peer_port(peer));
  peer_set(account, "host", "127.0.0.1");
  peer_set(account, "port", port);
  peer_set(account, "tls", "none");
  HaulStream *stream = haul_stream_open(account, 993, 143, &error);
  CU_ASSERT_FATAL(stream != NULL);
  ImapSession *session = imap_session_new(account, stream);
  ImapResponse greeting;
  g_auto(ImapReply) reply = { 0 };
  ImapCommand noop = {
    .name = "NOOP", .data = take, .reply = &reply, .context = context, .streams = streams
  };
  CU_ASSERT(imap_session_greeting(session, &greeting, &error));
  CU_ASSERT(imap_session_send(session, &noop, &error, "NOOP"));
  bool fine = imap_session_wait(session, &reply, &error);
  CU_ASSERT_EQUAL(fine, flood->words == NULL);
  if (!fine)
    CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "protocol", flood->words);
  CU_ASSERT(session->head->len <= IMAP_RESPONSE_LIMIT + IMAP_DATA_LIMIT);
  imap_session_close(session);
  peer_join(peer);
  haul_account_free(account);
}

static void
play_all(const Flood *floods, size_t n, bool streams)
{
  for (size_t i = 0; i < n; i++)
    play(&floods[i], streams, NULL, NULL);
}

/* I05, I41: lines and texts without end. */
static void
a_line_has_a_length(void)
{
  static const Flood floods[] = {
    { "* X ", "0123456789abcdef", MIB / 16, "\r\n", "more than 1048576 octets" },
    { "* X ", "0123456789abcdef", MIB / 16 - 1, "\r\n", NULL },
    { "", "0123456789abcdef", 100 * MIB / 16, "\r\n", "more than 1048576 octets" },
    { "* OK ", "0123456789abcdef", 5000, "\r\n", "a status line of 80005 octets" },
    { "* OK [ALERT] ", "\033]52;c;", 8000, "\r\n", NULL },
    { "* BAD [X ", "(", 70000, "] \r\n", "a status line" },
    { "+ ", "QUJD", 20000, "\r\n", "a status line" },
    { "* CAPABILITY", " IMAP4rev1", 100000, "\r\n", "a status line" },
    { "* CAPABILITY", " IMAP4rev1", 6000, "\r\n", NULL },
  };
  play_all(floods, G_N_ELEMENTS(floods), false);
}

/* I01: a size is a number of 64 bits, and what it announces is not there yet. */
static void
a_literal_has_a_size(void)
{
  static const Flood floods[] = {
    { "* LIST () \"/\" {2147483648}\r\n", "", 0, "", "2147483648 octets" },
    { "* LIST () \"/\" {4294967295}\r\n", "", 0, "", "4294967295 octets" },
    { "* LIST () \"/\" {4294967296}\r\n", "", 0, "", "4294967296 octets" },
    { "* LIST () \"/\" {18446744073709551615}\r\n", "", 0, "", "18446744073709551615 octets" },
    { "* LIST () \"/\" {99999999999999999999}\r\n", "", 0, "", "without bounds" },
    { "* LIST () \"/\" {", "0", 100, "7}\r\n1234567\r\n", NULL },
    { "* LIST () \"/\" {007}\r\n1234567\r\n", "", 0, "", NULL },
    { "* LIST () \"/\" {-1}\r\n", "", 0, "", NULL }, /* a line that LIST will not know */
    { "* 1 FETCH (BODY[] {1099511627777}\r\n", "", 0, "", "a message of 1099511627777 octets" },
    { "* 1 FETCH (BODY[] {18446744073709551615}\r\n", "", 0, "", "a message of 1844674407" },
    { "* 1 FETCH (BODY[] {18446744073709551616}\r\n", "", 0, "", "without bounds" },
    { "* 1 FETCH (X {1073741825}\r\n", "", 0, "", "1073741825 octets" },
  };
  play_all(floods, G_N_ELEMENTS(floods), true);
}

/* I07: literals are many, or add up. */
static void
a_response_has_a_measure(void)
{
  g_autofree char *big = g_strnfill(700000, 'x');
  g_autofree char *unit = g_strdup_printf("{700000}\r\n%s ", big);
  const Flood floods[] = {
    { "* LIST () \"/\" {1048577}\r\n", "", 0, "", "1048577 octets" },
    { "* X (", "{0}\r\n ", 300000, ")\r\n", "without bounds" },
    { "* X (", "{0}\r\n ", 9999, ")\r\n", NULL },
    { "* X (", unit, 7, ")\r\n", "a literal of 700000 octets" },
    { "* X (", unit, 5, ")\r\n", NULL },
  };
  play_all(floods, G_N_ELEMENTS(floods), false);
}

/* Data that nobody asked for, at any speed. */
static void
data_without_end_end(void)
{
  g_autofree char *line = g_strnfill(60000, 'x');
  g_autofree char *unit = g_strdup_printf("* X %s\r\n", line);
  const Flood floods[] = {
    { "", unit, 10000, "", "data without end" },
    { "", unit, 1000, "", NULL },
  };
  play_all(floods, G_N_ELEMENTS(floods), false);
}

/* I31: go-aheads that nobody waits for. */
static void
go_aheads_that_nobody_awaits_are_passed_over(void)
{
  static const Flood floods[] = { { "", "+ go on\r\n", 100000, "", NULL } };
  play_all(floods, G_N_ELEMENTS(floods), false);
}

static bool
note_header(ImapSession *session, ImapCommand *command, const ImapResponse *response,
            GError **error)
{
  size_t *size = command->context;
  ImapFetch fetch;
  ImapCursor rest = response->rest;
  imap_fetch_init(&fetch);
  if (imap_parse_fetch(&rest, false, &fetch) && fetch.uid == 7)
    *size = fetch.header.size;
  imap_fetch_free(&fetch);
  return true;
}

/* I44: header fields of many MiB. */
static void
of_a_long_header_the_beginning_is_kept(void)
{
  const Flood flood = { "* 1 FETCH (BODY[HEADER.FIELDS (X)] {67108864}\r\n", "X: 0123456789ab\n",
                        64 * MIB / 16, " UID 7)\r\n", NULL };
  size_t size = 0;
  play(&flood, true, note_header, &size);
  CU_ASSERT_EQUAL(size, IMAP_LITERAL_KEPT);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_line_has_a_length),
    CASE(a_literal_has_a_size),
    CASE(a_response_has_a_measure),
    CASE(data_without_end_end),
    CASE(go_aheads_that_nobody_awaits_are_passed_over),
    CASE(of_a_long_header_the_beginning_is_kept),
  };
  return RUN_SUITE("imap-limits", cases);
}
