/* Tests the pure parsers of the pop3 plugin: wire.c, capability.c, refusal.c. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/sasl.h>

#include "../../plugins/pop3/capability.h"
#include "../../plugins/pop3/refusal.h"
#include "../../plugins/pop3/wire.h"

#define SOON_US (3 * G_USEC_PER_SEC) /* with any checker; each case takes some milliseconds */

/* ---- status lines ---- */

static void
a_status_line_says_what_became_of_a_command(void)
{
  static const struct {
    const char *line;
    Pop3StatusKind kind;
    Pop3Code code;
    uint32_t wait_s;
    const char *text;
  } table[] = {
    { "+OK", POP3_STATUS_OK, POP3_CODE_NONE, 0, "" },
    { "+OK ready", POP3_STATUS_OK, POP3_CODE_NONE, 0, "ready" },
    { "+ok  two blanks", POP3_STATUS_OK, POP3_CODE_NONE, 0, "two blanks" },
    { "+OK [IN-USE] no error", POP3_STATUS_OK, POP3_CODE_NONE, 0, "[IN-USE] no error" },
    { "-ERR", POP3_STATUS_ERR, POP3_CODE_NONE, 0, "" },
    { "-err what?", POP3_STATUS_ERR, POP3_CODE_NONE, 0, "what?" },
    { "-ERR [IN-USE] busy", POP3_STATUS_ERR, POP3_CODE_IN_USE, 0, "[IN-USE] busy" },
    { "-ERR [in-use] busy", POP3_STATUS_ERR, POP3_CODE_IN_USE, 0, "[in-use] busy" },
    { "-ERR [LOGIN-DELAY] x", POP3_STATUS_ERR, POP3_CODE_LOGIN_DELAY, 0, "[LOGIN-DELAY] x" },
    { "-ERR [LOGIN-DELAY 900] x", POP3_STATUS_ERR, POP3_CODE_LOGIN_DELAY, 900,
      "[LOGIN-DELAY 900] x" },
    { "-ERR [LOGIN-DELAY 99999999999999999999999] x", POP3_STATUS_ERR, POP3_CODE_LOGIN_DELAY,
      UINT32_MAX, "[LOGIN-DELAY 99999999999999999999999] x" },
    { "-ERR [SYS/TEMP]x", POP3_STATUS_ERR, POP3_CODE_SYS_TEMP, 0, "[SYS/TEMP]x" },
    { "-ERR [SYS/TEMP/DISK]", POP3_STATUS_ERR, POP3_CODE_SYS_TEMP, 0, "[SYS/TEMP/DISK]" },
    { "-ERR [SYS]", POP3_STATUS_ERR, POP3_CODE_SYS_TEMP, 0, "[SYS]" },
    { "-ERR [SYS/PERM]", POP3_STATUS_ERR, POP3_CODE_SYS_PERM, 0, "[SYS/PERM]" },
    { "-ERR [SYSTEM]", POP3_STATUS_ERR, POP3_CODE_OTHER, 0, "[SYSTEM]" },
    { "-ERR [AUTH] no", POP3_STATUS_ERR, POP3_CODE_AUTH, 0, "[AUTH] no" },
    { "-ERR [UTF8] no", POP3_STATUS_ERR, POP3_CODE_UTF8, 0, "[UTF8] no" },
    { "-ERR [AUTH", POP3_STATUS_ERR, POP3_CODE_NONE, 0, "[AUTH" },
    { "-ERR see [AUTH]", POP3_STATUS_ERR, POP3_CODE_NONE, 0, "see [AUTH]" },
    { "-ERR []", POP3_STATUS_ERR, POP3_CODE_OTHER, 0, "[]" },
    { "+", POP3_STATUS_GO_AHEAD, POP3_CODE_NONE, 0, "" },
    { "+ UGFzcw==", POP3_STATUS_GO_AHEAD, POP3_CODE_NONE, 0, "UGFzcw==" },
    { "", POP3_STATUS_NONE, POP3_CODE_NONE, 0, "" },
    { "* OK", POP3_STATUS_NONE, POP3_CODE_NONE, 0, "* OK" },
    { "-", POP3_STATUS_NONE, POP3_CODE_NONE, 0, "-" },
    { " +OK", POP3_STATUS_NONE, POP3_CODE_NONE, 0, "+OK" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    const char *text;
    size_t size;
    Pop3Code code;
    uint32_t wait_s;
    Pop3StatusKind kind =
        pop3_wire_status(table[i].line, strlen(table[i].line), &text, &size, &code, &wait_s);
    bool right = kind == table[i].kind && code == table[i].code && wait_s == table[i].wait_s
                 && size == strlen(table[i].text) && memcmp(text, table[i].text, size) == 0;
    CU_ASSERT(right);
    if (!right)
      printf("%s: %d, %d, %u, \"%.*s\"\n", table[i].line, kind, code, wait_s, (int)size, text);
  }
}

/* ---- listings ---- */

/* P-5, P-2, P-3 */
static void
a_line_of_a_listing_is_a_number_and_a_rest(void)
{
  static const struct {
    const char *line;
    uint32_t number; /* 0: it is none */
    const char *rest;
    uint64_t size;
  } table[] = {
    { "1 120", 1, "120", 120 },
    { "2 200 octets", 2, "200 octets", 200 },
    { "3\t 7 ", 3, "7", 7 },
    { "12 whqtswO00WBw418f9t5JxYwZ", 12, "whqtswO00WBw418f9t5JxYwZ", UINT64_MAX },
    { "4 ../../x", 4, "../../x", UINT64_MAX },
    { "5", 5, "", UINT64_MAX },
    { "5   ", 5, "", UINT64_MAX },
    { "6 12x", 6, "12x", UINT64_MAX },
    { "7 18446744073709551614", 7, "18446744073709551614", 18446744073709551614u },
    { "7 99999999999999999999", 7, "99999999999999999999", UINT64_MAX },
    { "4294967295 0", 4294967295u, "0", 0 },
    { "0000000000000000000000000000007 1", 7, "1", 1 },
    { "4294967296 1", 0, "", 0 },
    { "99999999999999999999 1", 0, "", 0 },
    { "0 1", 0, "", 0 },
    { "-1 1", 0, "", 0 },
    { "1x 1", 0, "", 0 },
    { " 1 1", 0, "", 0 },
    { "", 0, "", 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    uint32_t number = 0;
    const char *rest = "";
    size_t size = 0;
    bool found = pop3_wire_listing(table[i].line, strlen(table[i].line), &number, &rest, &size);
    bool right = found == (table[i].number != 0) && number == table[i].number
                 && size == strlen(table[i].rest) && memcmp(rest, table[i].rest, size) == 0
                 && (!found || pop3_wire_size(rest, size) == table[i].size);
    CU_ASSERT(right);
    if (!right)
      printf("%s: %u, \"%.*s\"\n", table[i].line, number, (int)size, rest);
  }
}

/* ---- the time stamp ---- */

static void
a_time_stamp_is_a_message_id_and_nothing_else(void)
{
  static const struct {
    const char *text, *stamp;
  } table[] = {
    { "POP3 server ready <1896.697170952@dbc.mtview.ca.us>", "<1896.697170952@dbc.mtview.ca.us>" },
    { "<a@b> ready", "<a@b>" },
    { "ready <x.y$z+1@[192.0.2.1]>", "<x.y$z+1@[192.0.2.1]>" },
    { "ready", NULL },
    { "<1896.697170952>", NULL },
    { "<@b>", NULL },
    { "<a@>", NULL },
    { "<a@b", NULL },
    { "<a@b@c>", NULL },
    { "<a b@c>", NULL },
    { "<a\x80@c>", NULL },
    { "<a\001@c>", NULL },
    { "<<a@b>", NULL },
    { "< a@b>", NULL },
    { "<a\\@b>", NULL },
    { "", NULL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    size_t size = 0;
    const char *stamp = pop3_wire_stamp(table[i].text, strlen(table[i].text), &size);
    g_autofree char *found = stamp != NULL ? g_strndup(stamp, size) : NULL;
    CU_ASSERT(g_strcmp0(found, table[i].stamp) == 0);
    if (g_strcmp0(found, table[i].stamp) != 0)
      printf("%s: %s\n", table[i].text, found);
  }
}

/* ---- messages ---- */

/* Feeds @size octets, @step at a time; returns the message. @used: how many were consumed. */
static GString *
unstuff(const char *octets, size_t size, size_t step, Pop3Body *body, size_t *used)
{
  GString *out = g_string_new(NULL);
  *used = 0;
  while (*used < size && body->state != POP3_BODY_END) {
    const uint8_t *piece;
    size_t piece_size;
    *used += pop3_wire_body(body, (const uint8_t *)octets + *used, MIN(step, size - *used), &piece,
                            &piece_size);
    g_string_append_len(out, (const char *)piece, (gssize)piece_size);
  }
  return out;
}

#define TEXT(text) text, sizeof text - 1

/* P-6, P-8 */
static void
only_a_dot_alone_on_a_line_ends_a_message(void)
{
  static const struct {
    const char *wire;
    size_t size;
    const char *message; /* NULL: it has not ended */
    size_t message_size;
    size_t left; /* octets behind it */
  } table[] = {
    { TEXT("a\r\n.\r\n"), TEXT("a\r\n"), 0 },
    { TEXT("a\r\n.\r\n+OK\r\n"), TEXT("a\r\n"), 5 },
    { TEXT(".\r\n+OK\r\n"), TEXT(""), 5 },
    { TEXT("\r\n.\r\n"), TEXT("\r\n"), 0 },
    { TEXT("..\r\n.\r\n"), TEXT(".\r\n"), 0 },
    { TEXT("a\r\n..b\r\n.\r\n"), TEXT("a\r\n.b\r\n"), 0 },
    { TEXT("a\r\n...\r\n.\r\n"), TEXT("a\r\n..\r\n"), 0 },
    { TEXT("a\r\n.b\r\n.\r\n"), TEXT("a\r\nb\r\n"), 0 },  /* not stuffed: RFC 1939 §3 strips it */
    { TEXT("a\n.\nb\r\n.\r\n"), TEXT("a\n.\nb\r\n"), 0 }, /* LF.LF */
    { TEXT("a\n.\r\nb\r\n.\r\n"), TEXT("a\n.\r\nb\r\n"), 0 }, /* LF.CRLF */
    { TEXT("a\r\n.\nb\r\n.\r\n"), TEXT("a\r\n\nb\r\n"), 0 },  /* CRLF.LF */
    { TEXT("a\r.\rb\r\n.\r\n"), TEXT("a\r.\rb\r\n"), 0 },     /* CR.CR */
    { TEXT("a\r\n.\rb\r\n.\r\n"), TEXT("a\r\n\rb\r\n"), 0 },  /* CRLF.CR */
    { TEXT("a\r\n.\r\r\n.\r\n"), TEXT("a\r\n\r\r\n"), 0 },
    { TEXT("a\r\r\n.\r\n"), TEXT("a\r\r\n"), 0 },
    { TEXT("a.\r\nb\r\n.\r\n"), TEXT("a.\r\nb\r\n"), 0 }, /* glued to text */
    { TEXT("a\n..\n\r\n.\r\n"), TEXT("a\n..\n\r\n"), 0 }, /* LF begins no line: nothing to undo */
    { TEXT("a\0b\r\n\0.\r\n.\r\n"), TEXT("a\0b\r\n\0.\r\n"), 0 },
    { TEXT("a\xff\xfe\r\n.\r\n"), TEXT("a\xff\xfe\r\n"), 0 },
    { TEXT("a.\r\n"), NULL, 0, 0 },
    { TEXT("a\r\n.\r"), NULL, 0, 0 },
    { TEXT("a\r\n."), NULL, 0, 0 },
    { TEXT("a\n.\n"), NULL, 0, 0 },
    { TEXT(""), NULL, 0, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    for (size_t step = 1; step <= table[i].size + 1; step++) {
      Pop3Body body = { POP3_BODY_AT_LINE };
      size_t used;
      GString *message = unstuff(table[i].wire, table[i].size, step, &body, &used);
      bool ended = body.state == POP3_BODY_END;
      CU_ASSERT_EQUAL(ended, table[i].message != NULL);
      if (ended && table[i].message != NULL) {
        CU_ASSERT_EQUAL(table[i].size - used, table[i].left);
        CU_ASSERT_EQUAL(message->len, table[i].message_size);
        CU_ASSERT(message->len == table[i].message_size
                  && memcmp(message->str, table[i].message, message->len) == 0);
      }
      g_string_free(message, TRUE);
    }
}

static void
what_comes_without_line_ends_or_of_nothing_else_takes_no_time(void)
{
  static const struct {
    const char *unit;
    size_t step;
  } table[] = {
    { "x", SIZE_MAX }, { "\r\n..", SIZE_MAX }, { "\n", 1000 }, { "\r", 7 }, { ".\r", 3 }
  };
  enum { SIZE = 16 << 20 };
  int64_t before_us = cpu_time_us();
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *octets = g_malloc(SIZE);
    size_t length = strlen(table[i].unit), used, passed = 0;
    for (size_t at = 0; at < SIZE; at++)
      octets[at] = table[i].unit[at % length];
    Pop3Body body = { POP3_BODY_AT_LINE };
    for (used = 0; used < SIZE;) {
      const uint8_t *piece;
      size_t piece_size;
      used += pop3_wire_body(&body, (const uint8_t *)octets + used, MIN(table[i].step, SIZE - used),
                             &piece, &piece_size);
      passed += piece_size;
    }
    CU_ASSERT(body.state != POP3_BODY_END && passed >= SIZE / 2);
  }
  CU_ASSERT(cpu_time_us() - before_us < SOON_US);
}

/* ---- capabilities ---- */

static void
capabilities_are_read_a_line_at_a_time(void)
{
  static const char *const lines[] = { "TOP",
                                       "uidl",
                                       "PIPELINING",
                                       "RESP-CODES",
                                       "AUTH-RESP-CODE",
                                       "USER",
                                       "UTF8 USER",
                                       "SASL  PLAIN scram-sha-256 X-UNKNOWN",
                                       "SASL LOGIN",
                                       "LOGIN-DELAY 900 USER",
                                       "EXPIRE NEVER",
                                       "IMPLEMENTATION TOP-POP PLAIN",
                                       "",
                                       "   ",
                                       "UIDLX" };
  Pop3Capabilities can;
  pop3_capabilities_begin(&can);
  for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
    pop3_capabilities_take(&can, lines[i], strlen(lines[i]));
  CU_ASSERT(can.known);
  CU_ASSERT_EQUAL(can.set, POP3_CAN_TOP | POP3_CAN_UIDL | POP3_CAN_PIPELINING | POP3_CAN_RESP_CODES
                               | POP3_CAN_AUTH_RESP_CODE | POP3_CAN_USER | POP3_CAN_UTF8
                               | POP3_CAN_UTF8_USER);
  CU_ASSERT_EQUAL(can.mechanisms, HAUL_SASL_PLAIN | HAUL_SASL_SCRAM_SHA_256 | HAUL_SASL_LOGIN);
  CU_ASSERT_EQUAL(can.login_delay_s, 900);
}

static void
a_capability_that_is_odd_is_passed_over(void)
{
  static const char *const lines[] = {
    "EXPIRENEVER", "LOGIN-DELAY", "LOGIN-DELAY x", "SASL", "LOGIN-DELAY 99999999999999999999",
    "XUIDL",       "TOPPLE"
  };
  Pop3Capabilities can;
  pop3_capabilities_begin(&can);
  for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
    pop3_capabilities_take(&can, lines[i], strlen(lines[i]));
  CU_ASSERT_EQUAL(can.set, 0);
  CU_ASSERT_EQUAL(can.mechanisms, 0);
  CU_ASSERT_EQUAL(can.login_delay_s, 0);
}

static void
a_server_that_tells_nothing_may_know_the_old_commands(void)
{
  Pop3Capabilities can;
  pop3_capabilities_forget(&can);
  CU_ASSERT(!can.known);
  CU_ASSERT((can.set & POP3_CAN_UIDL) != 0 && (can.set & POP3_CAN_TOP) != 0);
  CU_ASSERT((can.set & POP3_CAN_PIPELINING) == 0);
}

/* ---- refusals ---- */

static void
what_a_refusal_means_is_told_by_its_code_or_words(void)
{
  static const struct {
    Pop3Code code;
    const char *text;
    Pop3Refusal refusal;
  } table[] = {
    { POP3_CODE_IN_USE, "", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_LOGIN_DELAY, "", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_SYS_TEMP, "", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_SYS_PERM, "try again later", POP3_REFUSED_FOR_GOOD },
    { POP3_CODE_AUTH, "try again later", POP3_REFUSED_FOR_GOOD },
    { POP3_CODE_NONE, "Mailbox is locked by another session", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_NONE, "maildrop already locked", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_NONE, "/var/mail/.ann.pop lock busy!  Is another session active? (11)",
      POP3_REFUSED_FOR_NOW },
    { POP3_CODE_NONE, "Unable to lock maildrop: Resource temporarily unavailable",
      POP3_REFUSED_FOR_NOW },
    { POP3_CODE_NONE, "Can't get lock.  Mailbox in use", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_OTHER, "[X] mailbox already in use", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_NONE, "Too many simultaneous connections", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_NONE, "login too frequent", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_NONE, "account is locked", POP3_REFUSED_FOR_GOOD },
    { POP3_CODE_NONE, "Your account has been temporarily locked", POP3_REFUSED_FOR_GOOD },
    { POP3_CODE_NONE, "Disconnected for inactivity.", POP3_REFUSED_AND_LEAVING },
    { POP3_CODE_NONE, "Autologout; idle for too long", POP3_REFUSED_AND_LEAVING },
    { POP3_CODE_NONE, "no such message", POP3_REFUSED },
    { POP3_CODE_NONE, "blocked", POP3_REFUSED },
    { POP3_CODE_NONE, "", POP3_REFUSED },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    Pop3Refusal refusal = pop3_classify(table[i].code, table[i].text);
    CU_ASSERT_EQUAL(refusal, table[i].refusal);
    if (refusal != table[i].refusal)
      printf("%s: %d\n", table[i].text, refusal);
  }
}

static void
words_that_refuse_one_message_ask_for_no_patience(void)
{
  static const struct {
    Pop3Code code;
    const char *text;
    Pop3Refusal refusal;
  } table[] = {
    { POP3_CODE_IN_USE, "", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_LOGIN_DELAY, "", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_SYS_TEMP, "", POP3_REFUSED_FOR_NOW },
    { POP3_CODE_SYS_PERM, "could not read, closing connection", POP3_REFUSED },
    { POP3_CODE_AUTH, "", POP3_REFUSED },
    { POP3_CODE_NONE, "message temporarily unavailable", POP3_REFUSED },
    { POP3_CODE_NONE, "system error reading message", POP3_REFUSED },
    { POP3_CODE_OTHER, "[X] try again later", POP3_REFUSED },
    { POP3_CODE_NONE, "message is in use by another session", POP3_REFUSED },
    { POP3_CODE_NONE, "your account is locked", POP3_REFUSED },
    { POP3_CODE_NONE, "temporary error, closing connection", POP3_REFUSED_AND_LEAVING },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    CU_ASSERT_EQUAL(pop3_classify_for_message(table[i].code, table[i].text), table[i].refusal);
}

static void
a_login_that_is_refused_says_whether_to_try_another_way(void)
{
  static const struct {
    Pop3Code code;
    const char *text;
    Pop3LoginRefusal refusal;
  } table[] = {
    { POP3_CODE_AUTH, "unsupported", POP3_LOGIN_DENIED },
    { POP3_CODE_AUTH, "authenticating: bad protocol / cancel", POP3_LOGIN_UNSUPPORTED },
    { POP3_CODE_AUTH, "authenticating: authentication failure", POP3_LOGIN_DENIED },
    { POP3_CODE_SYS_PERM, "", POP3_LOGIN_DENIED },
    { POP3_CODE_SYS_TEMP, "wrong password", POP3_LOGIN_FOR_NOW },
    { POP3_CODE_NONE, "Invalid user name or password", POP3_LOGIN_DENIED },
    { POP3_CODE_NONE, "Unknown command or bad password", POP3_LOGIN_DENIED },
    { POP3_CODE_NONE, "account disabled", POP3_LOGIN_DENIED },
    { POP3_CODE_NONE, "Protocol error. 18", POP3_LOGIN_UNSUPPORTED },
    { POP3_CODE_NONE, "Unrecognized authentication type", POP3_LOGIN_UNSUPPORTED },
    { POP3_CODE_NONE, "Command not implemented", POP3_LOGIN_UNSUPPORTED },
    { POP3_CODE_NONE, "Authentication failed", POP3_LOGIN_UNEXPLAINED },
    { POP3_CODE_NONE, "", POP3_LOGIN_UNEXPLAINED },
    { POP3_CODE_NONE, "maildrop lock", POP3_LOGIN_FOR_NOW },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    Pop3LoginRefusal refusal = pop3_classify_login(table[i].code, table[i].text);
    CU_ASSERT_EQUAL(refusal, table[i].refusal);
    if (refusal != table[i].refusal)
      printf("%s: %d\n", table[i].text, refusal);
  }
}

static void
how_long_to_wait_is_read_from_the_words(void)
{
  static const struct {
    const char *text;
    unsigned ms;
  } table[] = {
    { "Please wait 30 seconds", 30000 },
    { "try again in 5 minutes", 300000 },
    { "Retry after 2 hours", 3600000 }, /* no longer than one */
    { "wait 15", 15000 },
    { "wait 99999999999999999999999", 3600000 },
    { "try again later", 0 },
    { "wait. 42 messages", 0 },
    { "wait", 0 },
    { "", 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    CU_ASSERT_EQUAL(pop3_wait_asked_ms(table[i].text), table[i].ms);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_status_line_says_what_became_of_a_command),
    CASE(a_line_of_a_listing_is_a_number_and_a_rest),
    CASE(a_time_stamp_is_a_message_id_and_nothing_else),
    CASE(only_a_dot_alone_on_a_line_ends_a_message),
    CASE(what_comes_without_line_ends_or_of_nothing_else_takes_no_time),
    CASE(capabilities_are_read_a_line_at_a_time),
    CASE(a_capability_that_is_odd_is_passed_over),
    CASE(a_server_that_tells_nothing_may_know_the_old_commands),
    CASE(what_a_refusal_means_is_told_by_its_code_or_words),
    CASE(words_that_refuse_one_message_ask_for_no_patience),
    CASE(a_login_that_is_refused_says_whether_to_try_another_way),
    CASE(how_long_to_wait_is_read_from_the_words),
  };
  return RUN_SUITE("pop3: wire", cases);
}
