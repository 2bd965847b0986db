/*
 * Tests the parsers of the imap plugin with what nobody would send who means well; names of rows are
 * those of the field notes. What a session bears of it is test-imap-limits.c's.
 *
 * That a parser is linear shows in the processor time of inputs so long that a square of it would
 * take minutes.
 */
#include "suite.h"

#include <string.h>

#include <mailhaul/message.h>
#include <mailhaul/plugin.h>

#include "../../plugins/imap/fetch.h"
#include "../../plugins/imap/labels.h"
#include "../../plugins/imap/names.h"
#include "../../plugins/imap/response.h"

#define SOON_US (3 * G_USEC_PER_SEC) /* with any checker; each case takes some milliseconds */

/* @before, @times @unit, @after. */
static GString *
repeat(const char *before, const char *unit, size_t times, const char *after)
{
  GString *text = g_string_new(before);
  for (size_t i = 0; i < times; i++)
    g_string_append(text, unit);
  return g_string_append(text, after);
}

static ImapCursor
cursor_of(const GString *text)
{
  return (ImapCursor){ text->str, text->str + text->len };
}

static bool
parses_as_fetch(const GString *text, ImapFetch *fetch)
{
  ImapCursor cursor = cursor_of(text);
  imap_fetch_clear(fetch);
  return imap_parse_fetch(&cursor, false, fetch);
}

/* 10,000 parentheses, wherever lists of lists may stand. */
static void
nesting_has_a_depth(void)
{
  g_autofree char *deep = g_strnfill(10000, '(');
  g_autofree char *shut = g_strnfill(10000, ')');
  g_autofree char *nest = g_strconcat(deep, shut, NULL);
  g_autoptr(GString) body = repeat("(UID 7 BODYSTRUCTURE ", nest, 1, ")");
  g_autoptr(GString) list = repeat("() \"/\" a ", nest, 1, "");
  g_autoptr(GString) status = repeat("a (X ", nest, 1, ")");
  g_autoptr(GString) namespace = repeat("((\"\" \"/\" \"X\" ", nest, 1, ")) NIL NIL");
  g_autoptr(GString) flags = repeat("(FLAGS ", nest, 1, ")");
  g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(ImapNamespaceEntry));
  ImapFetch fetch;
  ImapListEntry entry;
  ImapStatusData data;
  imap_fetch_init(&fetch);
  CU_ASSERT(!parses_as_fetch(body, &fetch));
  CU_ASSERT(!parses_as_fetch(flags, &fetch));
  ImapCursor cursor = cursor_of(list);
  CU_ASSERT(!imap_parse_list(&cursor, &entry));
  cursor = cursor_of(status);
  CU_ASSERT(!imap_parse_status(&cursor, &data));
  cursor = cursor_of(namespace);
  CU_ASSERT(!imap_parse_namespaces(&cursor, entries));
  imap_fetch_free(&fetch);
}

/* I07 and its kin: so long that what is squared does not end. */
static void
what_repeats_costs_linear_time(void)
{
  g_autofree char *zeros = g_strnfill(1000000, '0');
  g_autofree char *announcement = g_strdup_printf("BODY[] {%s}", zeros);
  const struct {
    const char *before, *unit;
    size_t times;
    const char *after;
    bool fine;
  } table[] = {
    { "(X (", "{0}\r\n ", 300000, ") UID 5)", true },
    { "(UID 5 ", "BODY[] NIL ", 200000, announcement, false }, /* a second body */
    { "(UID 5 ", "FLAGS (a) ", 200000, ")", true },
    { "(UID 5 FLAGS (", "keyword ", 200000, "))", true },
    { "(UID 5 ", "BODY[X ", 200000, ")", false },
    { "(UID 5 ", "X[\"] ", 200000, ")", false },
    { "(UID 5 ", "X \"\\\\\\\"\" ", 200000, ")", true },
    { "(UID 5 ", "{0}", 200000, ")", false },
    { "(UID ", "5", 1000000, ")", true },
    { "(UID 5 INTERNALDATE \"", " ", 1000000, "\")", true },
    { "(UID 5 RFC822.SIZE ", "0", 1000000, ")", true },
  };
  int64_t start = cpu_time_us();
  ImapFetch fetch;
  imap_fetch_init(&fetch);
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GString) text =
        repeat(table[i].before, table[i].unit, table[i].times, table[i].after);
    CU_ASSERT_EQUAL(parses_as_fetch(text, &fetch), table[i].fine);
  }
  imap_fetch_free(&fetch);

  g_autoptr(GString) code = repeat("* OK ", "[X (", 300000, "");
  g_autoptr(GString) words = repeat("IMAP4rev1", " AUTH=X", 150000, " UIDPLUS");
  ImapResponse response;
  uint64_t limit;
  CU_ASSERT(imap_parse_response(code->str, code->len, &response) && response.code.at == NULL);
  CU_ASSERT_EQUAL(imap_parse_capabilities(cursor_of(words), &limit),
                  IMAP_CAP_IMAP4 | IMAP_CAP_UIDPLUS);
  CU_ASSERT_EQUAL(imap_parse_mechanisms(cursor_of(words)), 0);
  CU_ASSERT(cpu_time_us() - start < SOON_US);
}

/* A keyword never fails a message; what is kept of them has a measure. */
static void
keywords_beyond_bounds_are_dropped(void)
{
  g_autofree char *longest = g_strnfill(IMAP_KEYWORD_LIMIT, 'a');
  g_autofree char *too_long = g_strnfill(IMAP_KEYWORD_LIMIT + 1, 'b');
  g_autofree char *both = g_strconcat("(FLAGS (", too_long, " ", longest, " ", NULL);
  g_autoptr(GString) text = repeat(both, "k ", 1000, "\\Seen \\*) UID 3)");
  ImapFetch fetch;
  imap_fetch_init(&fetch);
  CU_ASSERT(parses_as_fetch(text, &fetch) && fetch.uid == 3);
  CU_ASSERT_EQUAL(fetch.flags.keywords->len, IMAP_KEYWORD_COUNT_LIMIT);
  CU_ASSERT_EQUAL(g_array_index(fetch.flags.keywords, ImapSpan, 0).size, IMAP_KEYWORD_LIMIT);
  CU_ASSERT(fetch.flags.flags == HAUL_SEEN && fetch.flags.any_keyword);
  imap_fetch_free(&fetch);
}

/* Ids are kept for the run: RFC 8474 lets them have 255 octets. */
static void
object_ids_beyond_bounds_are_dropped(void)
{
  ImapFetch fetch;
  ImapStatusData status;
  imap_fetch_init(&fetch);
  for (size_t size = IMAP_OBJECT_ID_LIMIT; size <= IMAP_OBJECT_ID_LIMIT + 1; size++) {
    g_autoptr(GString) text = repeat("(EMAILID (", "M", size, ") UID 4)");
    g_autoptr(GString) told = repeat("a (MAILBOXID (", "F", size, ") MESSAGES 2)");
    size_t kept = size <= IMAP_OBJECT_ID_LIMIT ? size : 0;
    CU_ASSERT(parses_as_fetch(text, &fetch) && fetch.uid == 4 && fetch.object_id.size == kept);
    ImapCursor cursor = cursor_of(told);
    CU_ASSERT(imap_parse_status(&cursor, &status) && status.messages == 2);
    CU_ASSERT_EQUAL(status.mailbox_id.size, kept);
  }
  imap_fetch_free(&fetch);
}

/* I13, I28, I29. */
static void
values_that_are_none_are_unknown(void)
{
  static const struct {
    const char *before, *unit;
    size_t times;
    const char *after;
    bool bad_uid;
  } table[] = {
    { "(UID 7 INTERNALDATE \"", "1", 4000, "\")", false },
    { "(UID 7 INTERNALDATE \"00-Jan-0000 00:00:00 +0000\")", "", 0, "", false },
    { "(UID 7 INTERNALDATE \"31-Feb-2020 00:00:00 +0000\")", "", 0, "", false },
    { "(UID 7 INTERNALDATE \"01-Xyz-2020 00:00:00 +0000\")", "", 0, "", false },
    { "(UID 7 INTERNALDATE \"01-Jan-2020 00:00:00 +9999\")", "", 0, "", false },
    { "(UID 7 INTERNALDATE NIL)", "", 0, "", false },
    { "(UID 7 RFC822.SIZE ", "9", 200, ")", false },
    { "(UID 7 RFC822.SIZE -1)", "", 0, "", false },
    { "(UID 7 RFC822.SIZE NIL)", "", 0, "", false },
    { "(UID 0)", "", 0, "", true },
    { "(UID -1)", "", 0, "", true },
    { "(UID 4294967296)", "", 0, "", true },
    { "(UID ", "9", 200, ")", true },
    { "(UID 7 UID 8)", "", 0, "", true },
  };
  ImapFetch fetch;
  imap_fetch_init(&fetch);
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GString) text =
        repeat(table[i].before, table[i].unit, table[i].times, table[i].after);
    CU_ASSERT(parses_as_fetch(text, &fetch));
    CU_ASSERT(fetch.size == HAUL_UNKNOWN && fetch.date == HAUL_NO_DATE);
    CU_ASSERT_EQUAL(fetch.bad_uid, table[i].bad_uid);
  }
  g_autoptr(GString) last = repeat("(INTERNALDATE \"31-Dec-9999 23:59:59 +0000\")", "", 0, "");
  CU_ASSERT(parses_as_fetch(last, &fetch) && fetch.date == INT64_C(253402300799));
  imap_fetch_free(&fetch);
}

/* I10, I11: sets are ranges, whatever they span. */
static void
sets_are_never_expanded(void)
{
  static const struct {
    const char *argument;
    uint64_t expected;
  } refused[] = {
    { "1 1:4294967295", 1 }, { "1 5:3", 3 },   { "1 *", 1 }, { "1 1:*", 5 },        { "1 ", 0 },
    { "1 1,1", 2 },          { "1 2:3,3", 3 }, { "1 0", 1 }, { "1 4294967296", 1 }, { "0 1", 1 },
    { "1 1,", 1 },           { "1 1:2:3", 3 },
  };
  g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  uint32_t validity;
  for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
    const char *text = refused[i].argument;
    ImapCursor cursor = { text, text + strlen(text) };
    g_array_set_size(uids, 0);
    CU_ASSERT(!imap_parse_appenduid(cursor, refused[i].expected, &validity, uids));
    CU_ASSERT(uids->len <= 2);
  }
  static const char all[] = "1 1:4294967295";
  ImapCursor cursor = { all, all + strlen(all) };
  g_array_set_size(uids, 0);
  CU_ASSERT(imap_parse_appenduid(cursor, UINT32_MAX, &validity, uids) && uids->len == 1);

  g_autoptr(GString) many = repeat("", "1,3,", 500000, "5");
  int64_t start = cpu_time_us();
  g_array_set_size(uids, 0);
  CU_ASSERT(imap_parse_set(many->str, many->len, uids) < many->len);
  CU_ASSERT_EQUAL(uids->len, IMAP_SET_RANGES_LIMIT);
  imap_set_normalise(uids);
  CU_ASSERT_EQUAL(uids->len, 2);
  CU_ASSERT(cpu_time_us() - start < SOON_US);
}

/* I20, I22: names and separators. */
static void
names_are_read_whole_and_separators_must_be_one_octet(void)
{
  static const char *const separators[] = { "\"ab\"", "\"\"",  "\"\x1b\"", "\"\xe9\"", "\"\x7f\"",
                                            "\" \"",  "\"a\"", "\"7\"",    "\"%\"" };
  ImapListEntry entry;
  g_autoptr(GString) quotes = repeat("() \"/\" \"", "\\\"\\\\", 5000, "\"");
  ImapCursor cursor = cursor_of(quotes);
  CU_ASSERT_FATAL(imap_parse_list(&cursor, &entry));
  size_t size;
  g_autofree char *name = imap_span_dup(&entry.name, &size);
  CU_ASSERT(size == 10000 && strlen(name) == size && g_str_has_prefix(name, "\"\\\"\\"));
  g_autoptr(GString) out = g_string_new(NULL);
  imap_append_quoted(out, name, size);
  CU_ASSERT(out->len == 20002 && strncmp(out->str, quotes->str + 7, out->len) == 0);

  for (size_t i = 0; i < G_N_ELEMENTS(separators); i++) {
    g_autofree char *text = g_strdup_printf("() %s a", separators[i]);
    cursor = (ImapCursor){ text, text + strlen(text) };
    CU_ASSERT(imap_parse_list(&cursor, &entry) && entry.bad_separator && entry.separator == '\0');
  }
  /* NAMESPACE with one of them is as good as none. */
  g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(ImapNamespaceEntry));
  for (size_t i = 0; i < G_N_ELEMENTS(separators); i++) {
    g_autofree char *text = g_strdup_printf("((\"x\" %s)) NIL NIL", separators[i]);
    cursor = (ImapCursor){ text, text + strlen(text) };
    CU_ASSERT_EQUAL(imap_parse_namespaces(&cursor, entries), strcmp(separators[i], "\"\"") == 0);
  }
  static const char nul[] = "() \"\0\" a";
  cursor = (ImapCursor){ nul, nul + sizeof nul - 1 };
  CU_ASSERT(imap_parse_list(&cursor, &entry) && entry.bad_separator);
}

/* Each folder is compared with each namespace. */
static void
of_namespaces_the_first_ones_count(void)
{
  g_autoptr(GString) text = repeat("((\"\" \"/\")) (", "(\"x/\" \"/\")", 50000, ") NIL");
  g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(ImapNamespaceEntry));
  ImapCursor cursor = cursor_of(text);
  CU_ASSERT(imap_parse_namespaces(&cursor, entries));
  CU_ASSERT_EQUAL(entries->len, IMAP_NAMESPACES_LIMIT);
  ImapNames names;
  imap_names_init(&names);
  for (unsigned i = 0; i < 100; i++)
    imap_names_set(&names, entries);
  CU_ASSERT(names.others->len < IMAP_NAMESPACES_LIMIT);
  CU_ASSERT(!imap_names_is_personal(&names, "x/y") && imap_names_is_personal(&names, "y"));
  imap_names_free(&names);
}

/* Each label that tells a use is looked up among all folders. */
static void
labels_by_use_cost_a_walk_for_each_use(void)
{
  enum { FOLDERS = 50000, LABELS = 10000 };
  g_autofree ImapFolder *folders = g_new0(ImapFolder, FOLDERS);
  HaulStore store = { .folders = g_ptr_array_new(),
                      .by_wire = g_hash_table_new(g_str_hash, g_str_equal),
                      .current = &folders[0] };
  for (guint i = 0; i < FOLDERS; i++) {
    folders[i].listed = true;
    folders[i].path = (char *)(i == 0 ? "here" : "Sent");
    g_ptr_array_add(store.folders, &folders[i]);
  }
  folders[FOLDERS - 1].attributes = HAUL_FOLDER_SENT;
  g_autoptr(GArray) labels = g_array_new(FALSE, FALSE, sizeof(ImapSpan));
  const ImapSpan sent = { "\\Sent", 5, false }, draft = { "\\Draft", 6, false };
  for (guint i = 0; i < LABELS; i++)
    g_array_append_vals(labels, i % 2 == 0 ? &sent : &draft, 1);
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  int64_t start = cpu_time_us();
  imap_labels_append_paths(&store, labels, paths);
  CU_ASSERT(cpu_time_us() - start < G_USEC_PER_SEC / 2);
  CU_ASSERT(paths->len == 1 && strcmp(paths->pdata[0], "Sent") == 0);
  g_ptr_array_unref(store.folders);
  g_hash_table_unref(store.by_wire);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(nesting_has_a_depth),
    CASE(what_repeats_costs_linear_time),
    CASE(keywords_beyond_bounds_are_dropped),
    CASE(object_ids_beyond_bounds_are_dropped),
    CASE(values_that_are_none_are_unknown),
    CASE(sets_are_never_expanded),
    CASE(names_are_read_whole_and_separators_must_be_one_octet),
    CASE(of_namespaces_the_first_ones_count),
    CASE(labels_by_use_cost_a_walk_for_each_use),
  };
  return RUN_SUITE("imap-hostile", cases);
}
