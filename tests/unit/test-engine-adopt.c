/*
 * Tests that a destination which another tool has filled is adopted: the same mail, altered as tools and
 * servers alter it. Nothing is copied that is there, and nothing is taken for there that is another.
 */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "engine.h"

#define N 20u

/* A message as it came, number @n. */
static GString *
original(unsigned n)
{
  GString *text = g_string_new(NULL);
  g_string_printf(text,
                  "Return-Path: <ann@example.org>\r\n"
                  "Received: from a.example by b.example; Tue, 24 Nov 2026 06:%02u:01 +0000\r\n"
                  "Received: from c.example by a.example; Tue, 24 Nov 2026 06:%02u:00 +0000\r\n"
                  "Message-ID: <%u.a@example.org>\r\n"
                  "From: =?utf-8?q?J=C3=B6rg?= <ann@example.org>\r\n"
                  "Subject: number %u of a series of messages that\r\n are alike\r\n"
                  "Date: Tue, 24 Nov 2026 06:%02u:00 +0100\r\n"
                  "\r\nText %u\r\nand more\r\n",
                  n, n, n, n, n, n);
  return text;
}

static void
replace(GString *text, const char *from, const char *to)
{
  CU_ASSERT(g_string_replace(text, from, to, 1) == 1);
}

static void
alter_nothing(GString *text, unsigned n)
{
}

/* mbsync marks what it has stored. */
static void
alter_tuid(GString *text, unsigned n)
{
  g_autofree char *line = g_strdup_printf("\r\nX-TUID: abcdefgh%04u\r\n\r\n", n);
  replace(text, "\r\n\r\n", line);
}

/* fetchmail and procmail put a Received on top. */
static void
alter_received(GString *text, unsigned n)
{
  g_string_prepend(text, "Received: from b.example by localhost with IMAP (fetchmail-6.4.37)\r\n"
                         "\tfor <ann@localhost>; Wed, 25 Nov 2026 07:00:00 +0000\r\n");
}

/* getmail puts more. */
static void
alter_delivered(GString *text, unsigned n)
{
  g_string_prepend(text, "Return-Path: <ann@example.org>\r\nDelivered-To: ann\r\n"
                         "Received: from b.example by h with POP3; 25 Nov 2026 07:00:00 -0000\r\n"
                         "X-getmail-retrieved-from-mailbox: INBOX\r\n");
}

static void
alter_lf(GString *text, unsigned n)
{
  g_string_replace(text, "\r\n", "\n", 0);
}

static void
alter_final_newline(GString *text, unsigned n)
{
  g_string_append(text, "\r\n");
}

static void
alter_no_final_newline(GString *text, unsigned n)
{
  g_string_truncate(text, text->len - 2);
}

static void
alter_folding(GString *text, unsigned n)
{
  replace(text, "Message-ID: ", "Message-Id:\r\n ");
  replace(text, "that\r\n are", "that are");
}

/* Exchange gives another id, writes the date in another way, and drops the way that it came. */
static void
alter_id(GString *text, unsigned n)
{
  replace(text, ".a@example.org", ".fresh@exchange.example");
}

static void
alter_date_form(GString *text, unsigned n)
{
  replace(text, ":00 +0100\r\n\r\n", ":00 +0100 (CET)\r\n\r\n");
}

static void
alter_trace(GString *text, unsigned n)
{
  char *from = strstr(text->str, "Received:"), *to = strstr(text->str, "Message-ID:");
  g_string_erase(text, from - text->str, to - from);
}

static void
alter_all(GString *text, unsigned n)
{
  alter_trace(text, n);
  alter_id(text, n);
  alter_date_form(text, n);
  g_string_prepend(text, "X-MS-Exchange-Organization-AuthSource: mail.exchange.example\r\n");
  g_string_append(text, "\r\n");
}

/* What is another message, however much alike. */
static void
alter_text(GString *text, unsigned n)
{
  replace(text, "and more", "and else");
}

static void
alter_trace_and_text(GString *text, unsigned n)
{
  alter_received(text, n);
  alter_text(text, n);
}

static void
alter_day(GString *text, unsigned n)
{
  replace(text, "Date: Tue, 24", "Date: Wed, 25");
}

static void
alter_id_and_subject(GString *text, unsigned n)
{
  alter_id(text, n);
  replace(text, "Subject: number", "Subject: another");
}

static void
what_another_tool_has_copied_is_adopted(void)
{
  static const struct {
    const char *name;
    void (*alter)(GString *text, unsigned n);
    bool adopted;
  } table[] = {
    { "nothing", alter_nothing, true },
    { "mbsync's X-TUID", alter_tuid, true },
    { "fetchmail's Received", alter_received, true },
    { "getmail's Delivered-To and Received", alter_delivered, true },
    { "bare LF", alter_lf, true },
    { "an empty line at the end", alter_final_newline, true },
    { "no line end at the end", alter_no_final_newline, true },
    { "another folding", alter_folding, true },
    { "another Message-Id", alter_id, true },
    { "the same date, written otherwise", alter_date_form, true },
    { "no Received", alter_trace, true },
    { "all of that", alter_all, true },
    { "another text", alter_text, false },
    { "another text and way", alter_trace_and_text, false },
    { "another day", alter_day, false },
    { "another id and subject", alter_id_and_subject, false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    for (unsigned n = 0; n < N; n++) {
      g_autoptr(GString) text = original(n), altered = original(n);
      table[i].alter(altered, n);
      memory_box_add(engine.source, "INBOX", text->str);
      memory_box_add(engine.copy, "INBOX", altered->str);
    }
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), table[i].adopted ? N : 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, table[i].adopted ? 0 : N);
    if (engine.calls2.puts != (table[i].adopted ? 0 : N))
      printf("%s: %u copied\n", table[i].name, engine.calls2.puts);
    /* And whatever it was: once is enough, with the state and without. */
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, 0);
    engine_forget(&engine);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, 0);
  }
}

static void
what_is_alike_is_counted(void)
{
  /* Five times the same, of which three are there with a Received on top, and one is another. */
  g_auto(Engine) engine;
  engine_init(&engine);
  for (unsigned n = 0; n < 5; n++) {
    g_autoptr(GString) text = original(7);
    memory_box_add(engine.source, "INBOX", text->str);
    if (n > 3)
      continue;
    alter_received(text, n);
    if (n == 3)
      alter_text(text, n);
    memory_box_add(engine.copy, "INBOX", text->str);
  }
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 2);
  engine_forget(&engine);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 0);
}

static void
ids_count_where_they_survive(void)
{
  /* The destination keeps ids, as one of the two shows; so the other is another message. */
  g_auto(Engine) engine;
  engine_init(&engine);
  for (unsigned n = 0; n < 2; n++) {
    g_autoptr(GString) text = original(n);
    memory_box_add(engine.source, "INBOX", text->str);
    if (n == 1)
      alter_id(text, n);
    memory_box_add(engine.copy, "INBOX", text->str);
  }
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 1);
}

static void
a_letter_to_another_is_another(void)
{
  /* Of a letter to two, sent in one second, each side has the one that the other has not. */
  static const char *const fields[] = { "To", "Cc" };
  for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    for (unsigned n = 0; n < 2; n++) {
      g_autoptr(GString) text = original(0);
      g_autofree char *line = g_strdup_printf("%s: %s@x.example\r\n", fields[i], n ? "bob" : "eve");
      alter_trace(text, n);
      g_string_prepend(text, line);
      if (n == 1)
        alter_id(text, n);
      memory_box_add(n == 0 ? engine.source : engine.copy, "Sent", text->str);
    }
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, 1);
  }
}

static void
what_was_a_stray_is_not_looked_at_again(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  for (unsigned n = 0; n < N; n++) {
    g_autoptr(GString) text = original(n);
    alter_day(text, n);
    memory_box_add(engine.copy, "INBOX", text->str);
  }
  g_autoptr(GString) first = original(30), second = original(31);
  memory_box_add(engine.source, "INBOX", first->str);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  memory_box_add(engine.source, "INBOX", second->str);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 1);
  CU_ASSERT(engine.calls2.items_listed <= N + 2); /* once, for their keys */
}

static void
what_a_folder_has_more_than_once_is_copied_once_if_asked(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.options.policy.no_duplicates = true;
  for (unsigned i = 0; i < 9; i++) {
    g_autoptr(GString) text = original(i % 3);
    if (i == 8)
      alter_text(text, i); /* the same id, another text: no duplicate */
    memory_box_add(engine.source, i < 8 ? "INBOX" : "Work", text->str);
  }
  g_autoptr(GString) other = original(0);
  alter_text(other, 0);
  memory_box_add(engine.source, "INBOX", other->str);
  /* 0 1 2 0 1 2 0 1 and 0 with another text in INBOX, one in Work */
  for (unsigned run = 0; run < 3; run++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_DUPLICATE), 5);
    CU_ASSERT_EQUAL(engine.calls2.puts, run == 0 ? 5 : 0);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 5);
    if (run == 1)
      engine_forget(&engine);
  }
  engine.options.policy.no_duplicates = false;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 5);
  ENGINE_SAME(&engine);
}

static void
of_what_was_there_a_field_is_no_proof(void)
{
  /* A report of each day, under a subject of its own kind and of one size: the first one was there before. */
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.options.policy.no_duplicates = true;
  engine.options.policy.match = "header:Subject";
  for (unsigned day = 1; day <= 3; day++) {
    g_autofree char *text = g_strdup_printf("Subject: report\r\n\r\nday %u\r\n", day);
    memory_box_add(engine.source, "INBOX", text);
    if (day == 1)
      memory_box_add(engine.copy, "INBOX", text);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
  }
  ENGINE_SAME(&engine);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_another_tool_has_copied_is_adopted),
    CASE(what_is_alike_is_counted),
    CASE(ids_count_where_they_survive),
    CASE(a_letter_to_another_is_another),
    CASE(what_was_a_stray_is_not_looked_at_again),
    CASE(what_a_folder_has_more_than_once_is_copied_once_if_asked),
    CASE(of_what_was_there_a_field_is_no_proof),
  };
  return RUN_SUITE("engine: adoption", cases);
}
