/* Tests what plugins/imap makes of responses: response.c, fetch.c, refusal.c, names.c. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/plugin.h>
#include <mailhaul/sasl.h>

#include "../../plugins/imap/fetch.h"
#include "../../plugins/imap/names.h"
#include "../../plugins/imap/refusal.h"
#include "../../plugins/imap/response.h"

static bool
span_equals(const ImapSpan *span, const char *text)
{
  g_autofree char *copy = imap_span_dup(span, NULL);
  return span->at != NULL && strcmp(copy, text) == 0;
}

static ImapResponse
parse(const char *text)
{
  ImapResponse response;
  CU_ASSERT(imap_parse_response(text, strlen(text), &response));
  return response;
}

static ImapCursor
whole(const char *text)
{
  return (ImapCursor){ text, text + strlen(text) };
}

static void
each_kind_of_response_is_told_apart(void)
{
  ImapResponse response = parse("A1 OK [APPENDUID 9 4:5] done");
  CU_ASSERT(response.kind == IMAP_RESPONSE_TAGGED && response.condition == IMAP_OK);
  CU_ASSERT(span_equals(&response.tag, "A1") && span_equals(&response.code, "APPENDUID"));
  CU_ASSERT(span_equals(&response.text, "done"));
  response = parse("* no [ALERT] going down");
  CU_ASSERT(response.kind == IMAP_RESPONSE_STATUS && response.condition == IMAP_NO);
  response = parse("* 23 EXISTS");
  CU_ASSERT(response.kind == IMAP_RESPONSE_DATA && response.number == 23
            && span_equals(&response.name, "EXISTS"));
  response = parse("+ go ahead");
  CU_ASSERT(response.kind == IMAP_RESPONSE_CONTINUE);
  response = parse("+");
  CU_ASSERT(response.kind == IMAP_RESPONSE_CONTINUE);
  response = parse("* BYE");
  CU_ASSERT(response.kind == IMAP_RESPONSE_STATUS && response.condition == IMAP_BYE);
  response = parse("A7 OK Success [THROTTLED]");
  CU_ASSERT(response.code.at == NULL && span_equals(&response.text, "Success [THROTTLED]"));
}

static void
what_is_no_response_is_refused(void)
{
  static const char *const table[] = {
    "", "*", "* ", "Subject: hello", "A1", "A1 LIST", "* 99999999999999999999 EXISTS"
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    ImapResponse response;
    CU_ASSERT(!imap_parse_response(table[i], strlen(table[i]), &response));
  }
}

static void
a_code_ends_at_its_own_bracket(void)
{
  ImapResponse response = parse("* OK [PERMANENTFLAGS (\\Seen a]b \\*)] limited");
  ImapFlagList flags = { .keywords = g_array_new(FALSE, FALSE, sizeof(ImapSpan)) };
  CU_ASSERT(imap_take_flags(&response.argument, &flags));
  CU_ASSERT(flags.flags == HAUL_SEEN && flags.any_keyword && flags.keywords->len == 1);
  CU_ASSERT(span_equals(&response.text, "limited"));
  response = parse("* OK [PERMANENTFLAGS (\\Seen"); /* FastMail, once */
  CU_ASSERT(response.code.at == NULL);
  g_array_unref(flags.keywords);
}

static void
only_data_holds_literals(void)
{
  CU_ASSERT(imap_may_hold_literals("* LIST () \"/\" {3}", 17));
  CU_ASSERT(imap_may_hold_literals("* 1 FETCH (BODY[] {3}", 21));
  CU_ASSERT(!imap_may_hold_literals("* OK see {3}", 12));
  CU_ASSERT(!imap_may_hold_literals("A1 NO {3}", 9));
  CU_ASSERT(!imap_may_hold_literals("+ {3}", 5));
}

static void
a_body_is_announced_by_name(void)
{
  static const struct {
    const char *line;
    bool announces;
  } table[] = {
    { "* 1 FETCH (UID 4 BODY[] {3}", true },
    { "* 1 FETCH (UID 4 BODY[] ~{3}", true },
    { "* 1 FETCH (UID 4 BODY[]  {3}", true },
    { "* 1 FETCH (UID 4 BODY[]{3}", false },
    { "* 1 FETCH (UID 4 BODY[]~{3}", false },
    { "* 1 FETCH (UID 4 BODY[]<0> {3}", false },
    { "* 1 FETCH (UID 4 BODY[TEXT] {3}", false },
    { "* 1 FETCH (BODY[HEADER.FIELDS (DATE)] {3}", false },
    { "* LIST (BODY[] {3}", false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    CU_ASSERT_EQUAL(imap_announces_body(table[i].line, strlen(table[i].line), 3),
                    table[i].announces);
}

static void
capabilities_are_known_by_whole_names(void)
{
  uint64_t limit = 0;
  uint64_t found = imap_parse_capabilities(
      whole("IMAP4rev1 literal+ AUTH=PLAIN AUTH=PLAINTEXT LIST-STATUSES APPENDLIMIT=35651584"),
      &limit);
  CU_ASSERT_EQUAL(found, IMAP_CAP_IMAP4 | IMAP_CAP_LITERAL_PLUS | IMAP_CAP_APPENDLIMIT);
  CU_ASSERT_EQUAL(limit, 35651584);
  CU_ASSERT_EQUAL(imap_parse_capabilities(whole("MULTIAPPEND,UIDPLUS"), &limit),
                  IMAP_CAP_MULTIAPPEND | IMAP_CAP_UIDPLUS);
}

static void
imap4rev2_has_what_it_does_not_name(void)
{
  const uint64_t rev1 = IMAP_CAP_IMAP4, rev2 = IMAP_CAP_IMAP4REV2;
  CU_ASSERT_EQUAL(imap_capabilities_imply(rev2, 0, false), rev2 | IMAP_CAP_OF_REV2);
  CU_ASSERT_EQUAL(imap_capabilities_imply(rev1 | rev2, 0, false), rev1 | rev2);
  CU_ASSERT_EQUAL(imap_capabilities_imply(rev1 | rev2, 0, true), rev1 | rev2 | IMAP_CAP_OF_REV2);
  CU_ASSERT_EQUAL(imap_capabilities_imply(rev2, IMAP_CAP_MOVE, false),
                  (rev2 | IMAP_CAP_OF_REV2) & ~IMAP_CAP_MOVE);
  CU_ASSERT_EQUAL(imap_capabilities_imply(rev1 | rev2 | IMAP_CAP_MOVE, rev2, true),
                  rev1 | IMAP_CAP_MOVE);
}

static void
quota_is_told_in_octets(void)
{
  static const struct {
    const char *text;
    bool parses;
    uint64_t used, limit;
  } table[] = {
    { "\"\" (STORAGE 10 512)", true, 10 * 1024, 512 * 1024 },
    { "user (MESSAGE 5 10 STORAGE 1 2)", true, 1024, 2048 },
    { "{4}\r\n(a b (STORAGE 1 2)", true, 1024, 2048 },
    { "\"user-defined quota (konsoleH)\" (STORAGE 988 48829 MESSAGE 20 20)", true, 988 * 1024,
      48829 * 1024 },
    { "user-defined quota (konsoleH) (STORAGE 988 48829)", true, 988 * 1024, 48829 * 1024 },
    { "\"\" ()", true, HAUL_UNKNOWN, HAUL_UNKNOWN },
    { "\"\" (MESSAGE 1 2)", true, HAUL_UNKNOWN, HAUL_UNKNOWN },
    { "\"\" (STORAGE 1 99999999999999999999999999)", true, 1024, HAUL_UNKNOWN - 1 },
    { "\"\" (STORAGE 18014398509481985 18446744073709551615)", true, HAUL_UNKNOWN - 1,
      HAUL_UNKNOWN - 1 },
    { "\"\" (STORAGE 1)", false, 0, 0 },
    { "\"\" (STORAGE -1 2)", false, 0, 0 },
    { "\"\" (STORAGE 1 2", false, 0, 0 },
    { "\"\"", false, 0, 0 },
    { "", false, 0, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    ImapQuota quota;
    ImapCursor cursor = whole(table[i].text);
    CU_ASSERT_EQUAL(imap_parse_quota(&cursor, &quota), table[i].parses);
    if (table[i].parses
        && (quota.used_octets != table[i].used || quota.limit_octets != table[i].limit)) {
      printf("%s: %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", table[i].text, quota.used_octets,
             quota.limit_octets);
      CU_FAIL("another quota");
    }
  }
  CU_ASSERT_EQUAL(imap_quota_room(&(ImapQuota){ 10, 15 }), 5);
  CU_ASSERT_EQUAL(imap_quota_room(&(ImapQuota){ 20, 15 }), 0);
  CU_ASSERT_EQUAL(imap_quota_room(&(ImapQuota){ 20, HAUL_UNKNOWN }), HAUL_UNKNOWN);
}

static void
names_in_utf8_are_taken_as_they_are(void)
{
  static const struct {
    const char *wire, *path;
  } table[] = {
    { "Entw\xC3\xBCrfe", "Entw\xC3\xBCrfe" }, { "R&D", "R&D" },     { "R&-D", "R&-D" },
    { "Entw&APw-rfe/x", "Entw&APw-rfe/x" },   { "inbox", "INBOX" },
  };
  ImapNames names;
  imap_names_init(&names);
  names.utf8 = true;
  names.separator = '/';
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *path = imap_names_to_path(&names, table[i].wire, '/');
    CU_ASSERT_STRING_EQUAL(path, table[i].path);
    g_autofree char *wire = imap_names_to_wire(&names, path);
    CU_ASSERT(strcmp(wire, table[i].wire) == 0 || strcmp(wire, "INBOX") == 0);
  }
  imap_names_free(&names);
}

static void
a_capability_is_called_as_users_do(void)
{
  CU_ASSERT_STRING_EQUAL(imap_capability_name(IMAP_CAP_COMPRESS), "COMPRESS");
  CU_ASSERT_STRING_EQUAL(imap_capability_name(IMAP_CAP_GMAIL), "X-GM-EXT-1");
  CU_ASSERT_STRING_EQUAL(imap_capability_name(IMAP_CAP_UTF8), "UTF8=ACCEPT");
  CU_ASSERT_PTR_NULL(imap_capability_name(0));
}

static void
mechanisms_are_known_by_whole_names(void)
{
  uint32_t found = imap_parse_mechanisms(
      whole("IMAP4rev1 AUTH=PLAINTEXT auth=scram-sha-256 AUTH=SCRAM-SHA-1-PLUS AUTH= SASL-IR"));
  CU_ASSERT_EQUAL(found, HAUL_SASL_SCRAM_SHA_256 | HAUL_SASL_SCRAM_SHA_1_PLUS);
}

static void
items_of_a_message_come_in_any_order(void)
{
  static const char *const table[] = {
    "(UID 7 FLAGS (\\Seen $x) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 12)",
    "(RFC822.SIZE 12 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" FLAGS (\\Seen $x) UID 7) ",
    "(MODSEQ (99) UID 7 X-GM-LABELS (\"\\\\Inbox\" {2}\r\n()) FLAGS (\\Recent \\Seen \\Odd $x) "
    "ENVELOPE (NIL ((NIL NIL \"a\" \"b\")) {1}\r\n)) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" "
    "RFC822.SIZE 12)",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    ImapFetch fetch;
    ImapCursor cursor = whole(table[i]);
    imap_fetch_init(&fetch);
    CU_ASSERT(imap_parse_fetch(&cursor, false, &fetch));
    CU_ASSERT(fetch.uid == 7 && !fetch.bad_uid && fetch.size == 12 && fetch.date == 837596665
              && fetch.zone == -25200);
    CU_ASSERT(fetch.flags.flags == HAUL_SEEN && fetch.flags.keywords->len == 1);
    CU_ASSERT(fetch.body_kind == IMAP_BODY_NONE);
    imap_fetch_free(&fetch);
  }
}

static void
a_body_is_left_for_the_stream_and_what_follows_is_read(void)
{
  ImapFetch fetch;
  ImapCursor cursor = whole("(FLAGS () BODY[] {2147483648}");
  imap_fetch_init(&fetch);
  CU_ASSERT(imap_parse_fetch(&cursor, false, &fetch));
  CU_ASSERT(fetch.body_kind == IMAP_BODY_COMES && fetch.body_size == 2147483648u);
  cursor = whole(" UID 3 INTERNALDATE NIL)");
  CU_ASSERT(imap_parse_fetch(&cursor, true, &fetch));
  CU_ASSERT(fetch.uid == 3 && fetch.date == HAUL_NO_DATE);

  static const struct {
    const char *text;
    ImapBodyKind kind;
  } table[] = { { "(UID 1 BODY[] \"\")", IMAP_BODY_STRING },
                { "(UID 1 BODY[] NIL)", IMAP_BODY_NIL },
                { "(UID 1 BODY[]<0> \"abc\")", IMAP_BODY_NONE },
                { "(UID 1 BODY[TEXT] \"abc\")", IMAP_BODY_NONE } };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    cursor = whole(table[i].text);
    imap_fetch_clear(&fetch);
    CU_ASSERT(imap_parse_fetch(&cursor, false, &fetch) && fetch.body_kind == table[i].kind);
  }
  imap_fetch_free(&fetch);
}

static void
labels_are_data_and_ids_have_64_bits(void)
{
  ImapFetch fetch;
  imap_fetch_init(&fetch);
  ImapCursor cursor = whole("(X-GM-LABELS (\\Inbox \"a\\\"b\" {3}\r\n\r\n) INBOX)"
                            " X-GM-MSGID 18446744073709551615 UID 1)");
  CU_ASSERT(imap_parse_fetch(&cursor, false, &fetch) && fetch.labels->len == 4);
  CU_ASSERT(span_equals(&g_array_index(fetch.labels, ImapSpan, 1), "a\"b"));
  CU_ASSERT(span_equals(&g_array_index(fetch.labels, ImapSpan, 2), "\r\n)"));
  CU_ASSERT(span_equals(&fetch.object_id, "18446744073709551615"));
  static const char *const none[] = {
    "(X-GM-MSGID 18446744073709551616 X-GM-LABELS NIL)",
    "(X-GM-MSGID 0 X-GM-LABELS ())",
    "(X-GM-MSGID -1)",
    "(X-GM-MSGID (1))",
    "(EMAILID NIL)",
    "(EMAILID (\"a b\"))",
    "(EMAILID M1)",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
    cursor = whole(none[i]);
    imap_fetch_clear(&fetch);
    CU_ASSERT(imap_parse_fetch(&cursor, false, &fetch));
    CU_ASSERT(fetch.has_object_id && fetch.object_id.at == NULL && fetch.labels->len == 0);
  }
  g_autoptr(GString) many = g_string_new("(X-GM-LABELS (");
  for (unsigned i = 0; i <= IMAP_LABEL_COUNT_LIMIT; i++)
    g_string_append(many, "a ");
  g_string_append(many, "))");
  cursor = whole(many->str);
  imap_fetch_clear(&fetch);
  CU_ASSERT(!imap_parse_fetch(&cursor, false, &fetch));
  imap_fetch_free(&fetch);
}

static void
header_fields_lose_the_line_that_ends_them(void)
{
  ImapFetch fetch;
  imap_fetch_init(&fetch);
  ImapCursor cursor = whole("(UID 1 BODY[HEADER.FIELDS (\"Message-Id\" X)] {9}\r\nX: ab\r\n\r\n)");
  CU_ASSERT(imap_parse_fetch(&cursor, false, &fetch));
  CU_ASSERT(fetch.has_header && span_equals(&fetch.header, "X: ab\r\n"));
  imap_fetch_clear(&fetch);
  cursor = whole("(UID 1 BODY[HEADER.FIELDS (X)] {2}\r\n\r\n)");
  CU_ASSERT(imap_parse_fetch(&cursor, false, &fetch) && fetch.has_header && fetch.header.size == 0);
  imap_fetch_free(&fetch);
}

static void
uids_are_numbers_of_32_bits(void)
{
  static const char *const table[] = {
    "(UID 0)", "(UID -1)", "(UID 4294967296)", "(UID 1 UID 2)", "(UID 99999999999999999999999)",
    "(UID 1x)"
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    ImapFetch fetch;
    ImapCursor cursor = whole(table[i]);
    imap_fetch_init(&fetch);
    CU_ASSERT(imap_parse_fetch(&cursor, false, &fetch) && fetch.bad_uid);
    imap_fetch_free(&fetch);
  }
}

static void
sizes_and_dates_that_are_none_are_unknown(void)
{
  ImapFetch fetch;
  g_autofree char *digits = g_strnfill(200, '9');
  g_autofree char *date = g_strnfill(4000, '1');
  g_autofree char *text =
      g_strdup_printf("(RFC822.SIZE %s INTERNALDATE \"%s\" UID 1)", digits, date);
  ImapCursor cursor = whole(text);
  imap_fetch_init(&fetch);
  CU_ASSERT(imap_parse_fetch(&cursor, false, &fetch) && fetch.uid == 1);
  CU_ASSERT(fetch.size == HAUL_UNKNOWN && fetch.date == HAUL_NO_DATE);
  imap_fetch_free(&fetch);
}

static void
folders_are_read_with_separator_and_attributes(void)
{
  static const struct {
    const char *text, *name;
    char separator;
    bool bad_separator;
    uint32_t attributes;
  } table[] = {
    { "(\\HasNoChildren \\Sent) \"/\" \"a b\"", "a b", '/', false, HAUL_FOLDER_SENT },
    { "() \".\" INBOX", "INBOX", '.', false, 0 },
    { "(\\Noselect) NIL {3}\r\na\"b", "a\"b", '\0', false, HAUL_FOLDER_NOSELECT },
    { "() \"\\\\\" \"a\\\\b\"", "a\\b", '\\', false, 0 },
    { "(\\Subscribed) \"/\" x (\"CHILDINFO\" (\"SUBSCRIBED\"))", "x", '/', false,
      HAUL_FOLDER_SUBSCRIBED },
    { "() \"ab\" x", "x", '\0', true, 0 },
    { "() \"\" x", "x", '\0', true, 0 },
    { "() \"\x1b\" x", "x", '\0', true, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    ImapListEntry entry;
    ImapCursor cursor = whole(table[i].text);
    CU_ASSERT_FATAL(imap_parse_list(&cursor, &entry));
    CU_ASSERT(span_equals(&entry.name, table[i].name) && entry.separator == table[i].separator);
    CU_ASSERT(entry.bad_separator == table[i].bad_separator
              && entry.attributes == table[i].attributes);
  }
}

static void
status_is_read_with_blanks_at_its_end(void)
{
  ImapStatusData status;
  ImapCursor cursor =
      whole("\"a\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 HIGHESTMODSEQ 18446744073709551615 "
            "MAILBOXID (F1) X (a b)) ");
  CU_ASSERT(imap_parse_status(&cursor, &status));
  CU_ASSERT(status.messages == 1 && status.uid_next == 2 && status.uid_validity == 3
            && status.mod_sequence == UINT64_MAX && status.size == HAUL_UNKNOWN);
  CU_ASSERT(span_equals(&status.mailbox_id, "F1"));
  cursor = whole("a (MESSAGES 99999999999999999999)");
  CU_ASSERT(!imap_parse_status(&cursor, &status));
}

static void
appended_uids_are_believed_only_if_they_fit(void)
{
  static const struct {
    const char *argument;
    uint64_t expected;
    bool believed;
  } table[] = {
    { "9 4", 1, true },    { "9 4:6,9", 4, true },       { "9 4,5,6", 3, true },
    { "9 4:6", 4, false }, { "9 6:4", 3, false },        { "9 5,4", 2, false },
    { "9 4,4", 2, false }, { "9 1:*", 3, false },        { "9 1:4294967295", 3, false },
    { "0 4", 1, false },   { "4294967296 4", 1, false }, { "9", 1, false },
    { "9 4 x", 1, false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(ImapRange));
    uint32_t validity;
    CU_ASSERT_EQUAL(
        imap_parse_appenduid(whole(table[i].argument), table[i].expected, &validity, uids),
        table[i].believed);
  }
}

static void
a_refused_append_is_understood_by_code_and_by_words(void)
{
  static const struct {
    const char *code, *text;
    ImapRefusal meaning;
  } table[] = {
    { "OVERQUOTA", "Quota exceeded (mailbox for user is full)", IMAP_REFUSED_OVER_QUOTA },
    { NULL, "Over quota", IMAP_REFUSED_OVER_QUOTA },
    { "ALERT", "You exceeded quota", IMAP_REFUSED_OVER_QUOTA },
    { "ALERT", "You exceeded your mail quota.", IMAP_REFUSED_OVER_QUOTA },
    { "OVERQUOTA", "Account exceeded command or bandwidth limits.", IMAP_REFUSED_FOR_NOW },
    { "LIMIT", "UID FETCH Rate limit hit.", IMAP_REFUSED_FOR_NOW },
    { NULL, "Request is throttled. Suggested Backoff Time: 299961 milliseconds",
      IMAP_REFUSED_FOR_NOW },
    { "UNAVAILABLE", "backend down", IMAP_REFUSED_FOR_NOW },
    { "LIMIT", "message exceeds what we take", IMAP_REFUSED_TOO_BIG },
    { "TOOBIG", "", IMAP_REFUSED_TOO_BIG },
    { NULL, "Cannot upload message, TOOBIG", IMAP_REFUSED_TOO_BIG },
    { NULL, "Maximum size of appendable message has been exceeded", IMAP_REFUSED_TOO_BIG },
    { "TRYCREATE", "no such mailbox", IMAP_REFUSED_NO_FOLDER },
    { NULL, "Message contains NUL characters", IMAP_REFUSED },
    { NULL, "Too many header fields", IMAP_REFUSED },
    { NULL, "", IMAP_REFUSED },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    ImapRefusal meaning = imap_classify_append(table[i].code, table[i].text);
    if (meaning != table[i].meaning)
      printf("[%s] %s: %d\n", table[i].code != NULL ? table[i].code : "", table[i].text,
             (int)meaning);
    CU_ASSERT_EQUAL(meaning, table[i].meaning);
  }
}

static void
names_init(ImapNames *names, const char *answer)
{
  g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(ImapNamespaceEntry));
  ImapCursor cursor = whole(answer);
  imap_names_init(names);
  CU_ASSERT(imap_parse_namespaces(&cursor, entries));
  imap_names_set(names, entries);
}

static void
paths_leave_the_namespace_out_and_find_back(void)
{
  static const struct {
    const char *namespaces, *wire, *path;
  } table[] = {
    { "((\"INBOX.\" \".\")) NIL NIL", "INBOX", "INBOX" },
    { "((\"INBOX.\" \".\")) NIL NIL", "INBOX.a.b", "a/b" },
    { "((\"INBOX.\" \".\")) NIL NIL", "INBOX.a/b", "a%2Fb" },
    { "((\"INBOX.\" \".\")) NIL NIL", "INBOX.INBOX", "INBOX/INBOX" },
    { "((\"INBOX.\" \".\")) NIL NIL", "INBOX.INBOX.INBOX", "INBOX/INBOX/INBOX" },
    { "((\"INBOX.\" \".\")) NIL NIL", "INBOX.INBOX.x", "INBOX/x" },
    { "((\"\" \"/\")) NIL NIL", "INBOX/x", "INBOX/x" },
    { "((\"\" \"/\")) NIL NIL", "a.b/c d", "a.b/c d" },
    { "((\"\" \"/\")) NIL NIL", "Entw&APw-rfe", "Entw\xc3\xbcrfe" },
    { "((\"\" \"\\\\\")) NIL NIL", "a\\b", "a/b" },
    { "((\"\" NIL)) NIL NIL", "a", "a" },
    { "NIL NIL ((\"\" \"/\"))", "x", "x" },
    { "((\"INBOX.\" \".\")(\"Archive.\" \".\")) NIL NIL", "INBOX.a.b", "a/b" },
    { "((\"INBOX.\" \".\")(\"Archive.\" \".\")) NIL NIL", "Archive.x.y", "Archive/x/y" },
    { "((\"INBOX.\" \".\")(\"Archive.\" \".\")) NIL NIL", "Archive", "Archive" },
    { "((\"INBOX.\" \".\")(\"Archive.\" \".\")) NIL NIL", "INBOX.Archived", "Archived" },
    { "((\"INBOX.\" \".\")(\"old/\" \"/\")) NIL NIL", "old/a.b", "old/a.b" },
    { "((\"Mail/\" \"/\")(\"INBOX/\" \"/\")) NIL NIL", "INBOX/INBOX", "INBOX/INBOX" },
    { "((\"INBOX.\" \".\")(\"INBOX.Archive.\" \".\")) NIL NIL", "INBOX.INBOX.Archive.x",
      "INBOX/Archive/x" },
    { "((\"\" \"/\")(\"user/me/\" \"/\")) ((\"user/\" \"/\")) NIL", "user/me/x", "user/me/x" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    ImapNames names;
    names_init(&names, table[i].namespaces);
    CU_ASSERT(imap_names_is_personal(&names, table[i].wire));
    g_autofree char *path = imap_names_to_path(&names, table[i].wire, names.separator);
    if (strcmp(path, table[i].path) != 0)
      printf("\"%s\" became \"%s\"\n", table[i].wire, path);
    CU_ASSERT_STRING_EQUAL(path, table[i].path);
    if (names.separator != '\0') {
      g_autofree char *wire = imap_names_to_wire(&names, path);
      CU_ASSERT_STRING_EQUAL(wire, table[i].wire);
    }
    imap_names_free(&names);
  }
}

static void
mailboxes_of_others_are_left_alone(void)
{
  ImapNames names;
  names_init(&names, "((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared/\" \"/\"))");
  CU_ASSERT(imap_names_is_personal(&names, "a/b")
            && imap_names_is_personal(&names, "Shared stuff"));
  CU_ASSERT(!imap_names_is_personal(&names, "Shared/x")
            && !imap_names_is_personal(&names, "Shared"));
  CU_ASSERT(!imap_names_is_personal(&names, "Other Users/bob/INBOX"));
  imap_names_free(&names);
  names_init(&names, "((\"INBOX.\" \".\")) NIL ((\"\" \".\"))");
  CU_ASSERT(imap_names_is_personal(&names, "INBOX.a") && imap_names_is_personal(&names, "inbox.a"));
  CU_ASSERT(!imap_names_is_personal(&names, "public.a") && imap_names_is_personal(&names, "inbox"));
  imap_names_free(&names);
  names_init(&names,
             "((\"INBOX.\" \".\")(\"Mine.\" \".\")) ((\"user.\" \".\")(\"Mine.not.\" \".\")) NIL");
  CU_ASSERT(imap_names_is_personal(&names, "Mine.a")
            && !imap_names_is_personal(&names, "Mine.not.a"));
  CU_ASSERT(imap_names_is_personal(&names, "nobody.a")
            && !imap_names_is_personal(&names, "user.a"));
  imap_names_free(&names);
}

static void
a_path_of_a_mailbox_in_no_namespace_leads_to_one_that_has_it(void)
{
  ImapNames names;
  names_init(&names, "((\"Mail/\" \"/\")) NIL NIL");
  static const char *const wires[] = { "a/b", "INBOX/inbox", "inbox/INBOX", "Mail" };
  for (size_t i = 0; i < G_N_ELEMENTS(wires); i++) {
    g_autofree char *path = imap_names_to_path(&names, wires[i], '/');
    g_autofree char *wire = imap_names_to_wire(&names, path);
    g_autofree char *again = imap_names_to_path(&names, wire, '/');
    CU_ASSERT_STRING_EQUAL(again, path);
  }
  imap_names_free(&names);
}

static void
a_prefix_is_guessed_where_all_lie_below_inbox(void)
{
  char *below[] = { (char *)"INBOX", (char *)"INBOX.a", (char *)"INBOX.b" };
  char *beside[] = { (char *)"INBOX", (char *)"INBOX.a", (char *)"b" };
  ImapNames names;
  imap_names_init(&names);
  imap_names_guess(&names, beside, 3, '.');
  CU_ASSERT_STRING_EQUAL(names.prefix, "");
  imap_names_guess(&names, below, 1, '.');
  CU_ASSERT_STRING_EQUAL(names.prefix, "");
  imap_names_guess(&names, below, 3, '.');
  CU_ASSERT_STRING_EQUAL(names.prefix, "INBOX.");
  imap_names_free(&names);
}

static void
a_name_that_is_no_utf7_is_taken_as_it_is(void)
{
  ImapNames names;
  names_init(&names, "((\"\" \"/\")) NIL NIL");
  static const struct {
    const char *wire, *path;
  } table[] = { { "a&b", "a&b" },
                { "&2AA-", "&2AA-" },
                { "&AA0ACg-", "&AA0ACg-" },
                { "caf\xc3\xa9", "caf\xc3\xa9" },
                { "caf\xe9", "caf%E9" } };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *path = imap_names_to_path(&names, table[i].wire, '/');
    CU_ASSERT_STRING_EQUAL(path, table[i].path);
  }
  imap_names_free(&names);
}

/* The ranges as written: "3:5 9:9"; to be freed. */
static char *
ranges_text(const GArray *ranges)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < ranges->len; i++) {
    const ImapRange *range = &g_array_index(ranges, ImapRange, i);
    g_string_append_printf(text, "%s%u:%u", i > 0 ? " " : "", range->first, range->last);
  }
  return g_string_free(text, FALSE);
}

static void
what_vanished_is_a_set_that_is_not_expanded(void)
{
  static const struct {
    const char *rest, *expected; /* NULL: not to be believed; "<" before what vanished earlier */
  } table[] = {
    { "(EARLIER) 41,43:116", "<41:41 43:116" },
    { "(earlier) 1:4294967295 ", "<1:4294967295" },
    { "405,407,410:*", "405:405 407:407 410:4294967295" },
    { "", NULL },
    { "(EARLIER)", NULL },
    { "(EARLIER) ", NULL },
    { "(LATER) 1", NULL },
    { "(EARLIER 1", NULL },
    { "1,x", NULL },
    { "1,", NULL },
    { "1 2", NULL },
    { "0", NULL },
    { "1:4294967296", NULL },
    { "(EARLIER) 5(", NULL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
    ImapCursor cursor = { table[i].rest, table[i].rest + strlen(table[i].rest) };
    bool earlier, read = imap_parse_vanished(&cursor, &earlier, ranges);
    g_autofree char *set = ranges_text(ranges);
    g_autofree char *text = read ? g_strconcat(earlier ? "<" : "", set, NULL) : NULL;
    CU_ASSERT_EQUAL(g_strcmp0(text, table[i].expected), 0);
    if (g_strcmp0(text, table[i].expected) != 0)
      printf("[%s] gives [%s]\n", table[i].rest, text);
  }
}

static void
a_search_is_answered_by_its_tag(void)
{
  static const struct {
    const char *rest, *expected; /* NULL: not to be believed */
  } table[] = {
    { "(TAG \"A285\") UID ALL 17,900,901", "A285 17:17 900:900 901:901" },
    { "(TAG A285) UID ALL 1:*", "A285 1:4294967295" },
    { "(tag \"a\") uid MIN 7 ALL 2:3 COUNT 5 ", "a 2:3" },
    { "(TAG \"a\") UID MODSEQ (5 6) ALL 2", "a 2:2" },
    { "(TAG \"a\") UID", "a " },
    { "(TAG \"a\") ALL 1:3", NULL }, /* of message numbers */
    { "UID ALL 1:3", NULL },         /* of no search that we know */
    { "(TAG \"a\") UID ALL", NULL },
    { "(TAG \"a\") UID ALL 1,x", NULL },
    { "(TAG \"a\")UID ALL 1", NULL },
    { "(TAG \"a\" UID ALL 1", NULL },
    { "(TAG) UID ALL 1", NULL },
    { "", NULL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
    ImapCursor cursor = { table[i].rest, table[i].rest + strlen(table[i].rest) };
    ImapSpan tag = { 0 };
    bool read = imap_parse_esearch(&cursor, &tag, ranges);
    g_autofree char *set = ranges_text(ranges);
    g_autofree char *name = read ? imap_span_dup(&tag, NULL) : NULL;
    g_autofree char *text = read ? g_strconcat(name, " ", set, NULL) : NULL;
    CU_ASSERT_EQUAL(g_strcmp0(text, table[i].expected), 0);
    if (g_strcmp0(text, table[i].expected) != 0)
      printf("[%s] gives [%s]\n", table[i].rest, text);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(each_kind_of_response_is_told_apart),
    CASE(what_is_no_response_is_refused),
    CASE(a_code_ends_at_its_own_bracket),
    CASE(only_data_holds_literals),
    CASE(a_body_is_announced_by_name),
    CASE(capabilities_are_known_by_whole_names),
    CASE(quota_is_told_in_octets),
    CASE(names_in_utf8_are_taken_as_they_are),
    CASE(imap4rev2_has_what_it_does_not_name),
    CASE(a_capability_is_called_as_users_do),
    CASE(mechanisms_are_known_by_whole_names),
    CASE(items_of_a_message_come_in_any_order),
    CASE(a_body_is_left_for_the_stream_and_what_follows_is_read),
    CASE(labels_are_data_and_ids_have_64_bits),
    CASE(header_fields_lose_the_line_that_ends_them),
    CASE(uids_are_numbers_of_32_bits),
    CASE(sizes_and_dates_that_are_none_are_unknown),
    CASE(folders_are_read_with_separator_and_attributes),
    CASE(status_is_read_with_blanks_at_its_end),
    CASE(appended_uids_are_believed_only_if_they_fit),
    CASE(a_refused_append_is_understood_by_code_and_by_words),
    CASE(paths_leave_the_namespace_out_and_find_back),
    CASE(mailboxes_of_others_are_left_alone),
    CASE(a_path_of_a_mailbox_in_no_namespace_leads_to_one_that_has_it),
    CASE(a_prefix_is_guessed_where_all_lie_below_inbox),
    CASE(a_name_that_is_no_utf7_is_taken_as_it_is),
    CASE(what_vanished_is_a_set_that_is_not_expanded),
    CASE(a_search_is_answered_by_its_tag),
  };
  return RUN_SUITE("imap-response", cases);
}
