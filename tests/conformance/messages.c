/* Messages: put, listed, fetched; what goes in comes out. */
#include <stdio.h>
#include <string.h>

#include "subject.h"

#define LONG_LINE 12000
#define LARGE_SIZE (3u << 20)

typedef struct {
  const char *name;
  const char *octets; /* NULL: made by its size */
  size_t size;
  bool plain; /* every store keeps it as it is */
  uint32_t flags;
  const char *keywords[4];
  int64_t date;
} Row;

#define OCTETS(text) text, sizeof(text) - 1
#define DATE 1234567890

static Row rows[] = {
  { "simple", OCTETS("From: a@example.org\r\nSubject: hi\r\n\r\nyo\r\n"), true, 0, { 0 }, DATE },
  { "seen", OCTETS("Subject: seen\r\n\r\nx\r\n"), true, HAUL_SEEN, { 0 }, DATE + 1 },
  { "all flags", OCTETS("Subject: all\r\n\r\nx\r\n"), true, HAUL_ALL_FLAGS, { 0 }, DATE + 2 },
  { "keywords",
    OCTETS("Subject: kw\r\n\r\nx\r\n"),
    true,
    HAUL_FLAGGED,
    { "$Label1", "Work" },
    DATE + 3 },
  { "forwarded",
    OCTETS("Subject: fw\r\n\r\nx\r\n"),
    true,
    HAUL_SEEN | HAUL_ANSWERED,
    { "$Forwarded", "work" },
    DATE + 4 },
  { "one octet", OCTETS("x"), true, 0, { 0 }, DATE },
  { "one line end", OCTETS("\r\n"), true, 0, { 0 }, DATE },
  { "no header", OCTETS("\r\nnothing but a body\r\n"), true, HAUL_DRAFT, { 0 }, DATE },
  { "no body", OCTETS("Subject: header only\r\n"), true, 0, { 0 }, DATE },
  { "no final line end", OCTETS("Subject: open\r\n\r\nended"), true, 0, { 0 }, DATE },
  { "8-bit",
    OCTETS("Subject: \344\366\374 \303\244\r\n\r\n\200\377\240 caf\351\r\n"),
    true,
    0,
    { 0 },
    DATE },
  { "dots and froms",
    OCTETS("From x\r\nA: b\r\n\r\n.\r\n..\r\nFrom me\r\n>From\r\n"),
    true,
    0,
    { 0 },
    DATE },
  { "blanks at ends",
    OCTETS("Subject: x \t \r\n\r\nx  \r\n \r\n\t\r\n\r\n\r\n"),
    true,
    0,
    { 0 },
    DATE },
  { "twice the same", OCTETS("Message-ID: <1@x>\r\n\r\nsame\r\n"), true, 0, { 0 }, DATE },
  { "the same again", OCTETS("Message-ID: <1@x>\r\n\r\nsame\r\n"), true, 0, { 0 }, DATE },
  { "a long line", NULL, LONG_LINE, true, 0, { 0 }, DATE },
  { "large", NULL, LARGE_SIZE, true, HAUL_SEEN, { "$Label1" }, DATE - 1000000 },
  { "without a date", OCTETS("Subject: now\r\n\r\nx\r\n"), true, 0, { 0 }, HAUL_NO_DATE },
  { "of 1990", OCTETS("Subject: old\r\n\r\nx\r\n"), true, 0, { 0 }, 631152000 },
  { "of 1970", OCTETS("Subject: older\r\n\r\nx\r\n"), false, 0, { 0 }, 86400 },
  { "of 2090", OCTETS("Subject: future\r\n\r\nx\r\n"), false, 0, { 0 }, 3786912000 },
  { "NUL", OCTETS("Subject: n\0ul\r\n\r\n\0\r\n"), false, 0, { 0 }, DATE },
  { "bare CR", OCTETS("A: b\r\n\r\nold\rMac\r\r\n"), false, 0, { 0 }, DATE },
  { "bare LF", OCTETS("A: b\n\nUnix\n"), false, 0, { 0 }, DATE },
  { "both line ends", OCTETS("A: b\r\n\r\nboth\nkinds\r\n"), false, 0, { 0 }, DATE },
  { "CR CR LF", OCTETS("A: b\r\n\r\ndoubled\r\r\n"), false, 0, { 0 }, DATE },
  { "a final CR", OCTETS("A: b\r\n\r\nx\r"), false, 0, { 0 }, DATE },
  { "only an LF", OCTETS("\n"), false, 0, { 0 }, DATE },
};

static char *
octets_of_row(const Row *row)
{
  if (row->octets != NULL)
    return g_memdup2(row->octets, row->size);
  static const char head[] = "Subject: made\r\n\r\n";
  char *octets = g_malloc(row->size);
  uint32_t seed = 7;
  for (size_t i = 0; i < row->size; i++)
    octets[i] = (char)('!' + next_random(&seed) % 90);
  memcpy(octets, head, sizeof head - 1);
  if (row->size > LONG_LINE)
    for (size_t i = 80; i + 2 <= row->size; i += 78)
      memcpy(octets + i, "\r\n", 2);
  return octets;
}

static HaulItem
item_of_row(const Row *row)
{
  return (HaulItem){
    .id = row->name,
    .size = row->size,
    .date = row->date,
    .flags = row->flags,
    .keywords = row->keywords[0] != NULL ? row->keywords : NULL,
  };
}

/* The folder that the next cases look at. */
static char *filled;
static Receipt receipts[G_N_ELEMENTS(rows)];

static void
each_delivery_is_settled_once(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  filled = create_fresh(&opened, "filled");
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, filled, HAUL_READ | HAUL_WRITE, &folder, error));
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *octets = octets_of_row(&rows[i]);
    const HaulItem item = item_of_row(&rows[i]);
    MUST(put_one(&opened, &item, octets, rows[i].size, &receipts[i], error));
  }
  MUST(haul_store_flush(opened.store, error));
  MUST(haul_store_flush(opened.store, error));
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    CU_ASSERT(receipts[i].settled == 1);
    bool excused = subject.lenient && !rows[i].plain;
    CU_ASSERT(!receipts[i].refused || excused);
    if (receipts[i].refused) {
      CU_ASSERT(receipts[i].reach == HAUL_ERROR_MESSAGE);
      if (!excused)
        printf("refused: %s\n", rows[i].name);
    }
  }
}

static void
receipts_name_messages_of_the_folder(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, filled, HAUL_READ, &folder, error));
  uint64_t epoch = folder.epoch;
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, 0, NULL, error)) != NULL);
  if (items == NULL)
    return;
  guint next = 0;
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    if (receipts[i].refused)
      continue;
    /* In the order in which they were put: what a store lists is what it got. */
    CU_ASSERT_FATAL(next < items->len);
    const char *id = listed(items, next++)->id;
    CU_ASSERT(receipts[i].id == NULL ? subject.lenient : strcmp(receipts[i].id, id) == 0);
    CU_ASSERT(receipts[i].id == NULL || receipts[i].epoch == 0 || receipts[i].epoch == epoch);
    for (guint k = next; k < items->len; k++)
      CU_ASSERT(strcmp(listed(items, k)->id, id) != 0);
  }
  CU_ASSERT(next == items->len);
}

static bool
keywords_match(const Row *row, char **got)
{
  guint n = 0;
  for (; row->keywords[n] != NULL; n++) {
    bool found = false;
    for (char **name = got; *name != NULL; name++)
      found |= g_ascii_strcasecmp(*name, row->keywords[n]) == 0;
    if (!found)
      return false;
  }
  return g_strv_length(got) == n;
}

static bool
compare_item(const Row *row, const ListedItem *item, int64_t now)
{
  bool right = item->flags == row->flags && keywords_match(row, item->keywords);
  if (row->date == HAUL_NO_DATE)
    right &= item->date > now - 3600 && item->date < now + 3600;
  else if (row->plain || !subject.lenient)
    right &= item->date == row->date;
  if (row->plain || !subject.lenient)
    right &= item->size == row->size || (subject.lenient && item->size == HAUL_UNKNOWN);
  if (!right)
    printf("%s: flags %x, %u keywords, size %" G_GUINT64_FORMAT ", date %" G_GINT64_FORMAT "\n",
           row->name, item->flags, g_strv_length(item->keywords), item->size, item->date);
  return right;
}

static void
items_say_what_was_put(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, filled, HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, HAUL_WANT_SIZE | HAUL_WANT_DATE, NULL, error)) != NULL);
  int64_t now = g_get_real_time() / G_USEC_PER_SEC;
  guint next = 0;
  for (size_t i = 0; items != NULL && i < G_N_ELEMENTS(rows); i++)
    if (!receipts[i].refused && next < items->len)
      CU_ASSERT(compare_item(&rows[i], listed(items, next++), now));
}

/* Whether two bodies are equal but for what a lenient suite allows: line ends. */
static bool
same_octets(const Row *row, GBytes *got)
{
  g_autofree char *octets = octets_of_row(row);
  g_autoptr(GBytes) wanted = g_bytes_new(octets, row->size);
  return g_bytes_equal(wanted, got);
}

static void
bodies_come_back_octet_for_octet(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, filled, HAUL_READ, &folder, error));
  const HaulRange all = { NULL, NULL };
  g_auto(Fetched) fetched = { 0 };
  MUST(fetch_ranges(&opened, &all, 1, &fetched, error));
  CU_ASSERT(fetched.skipped->len == 0);
  guint next = 0;
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    if (receipts[i].refused)
      continue;
    CU_ASSERT_FATAL(next < fetched.messages->len);
    HaulMessage *message = fetched.messages->pdata[next++];
    const HaulItem *item = haul_message_item(message);
    CU_ASSERT(receipts[i].id == NULL || strcmp(receipts[i].id, item->id) == 0);
    CU_ASSERT(item->flags == rows[i].flags);
    g_autoptr(GBytes) got = octets_of(message);
    CU_ASSERT(item->size == g_bytes_get_size(got));
    if (subject.lenient && !rows[i].plain)
      continue;
    CU_ASSERT(rows[i].date == HAUL_NO_DATE || item->date == rows[i].date);
    bool same = same_octets(&rows[i], got);
    CU_ASSERT(same);
    if (!same)
      printf("%s: %" G_GSIZE_FORMAT " octets came back for %" G_GSIZE_FORMAT "\n", rows[i].name,
             g_bytes_get_size(got), rows[i].size);
  }
  CU_ASSERT(next == fetched.messages->len);
}

static void
reading_changes_nothing(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ);
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, filled, HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, 0, NULL, error)) != NULL);
  guint next = 0;
  for (size_t i = 0; items != NULL && i < G_N_ELEMENTS(rows); i++)
    if (!receipts[i].refused && next < items->len)
      CU_ASSERT(listed(items, next++)->flags == rows[i].flags);
}

static void
header_fields_come_as_they_stand(void)
{
  static const char message[] = "Received: by a\r\n\tfor b\r\nSubject: one\r\nX-Other: no\r\n"
                                "received: by c\r\nMessage-ID: <2@x>\r\n\r\nSubject: body\r\n";
  static const char wanted[] = "Received: by a\r\n\tfor b\r\nreceived: by c\r\n"
                               "Message-ID: <2@x>\r\n";
  static const char *const fields[] = { "received", "MESSAGE-ID", "absent", NULL };
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *path = create_fresh(&opened, "headers");
  HaulFolder folder = { 0 };
  g_auto(Receipt) one = { 0 }, two = { 0 };
  const HaulItem item = { .date = HAUL_NO_DATE };
  MUST(haul_store_select(opened.store, path, HAUL_READ | HAUL_WRITE, &folder, error));
  MUST(put_one(&opened, &item, message, sizeof message - 1, &one, error));
  MUST(put_one(&opened, &item, "no header", 9, &two, error));
  MUST(haul_store_flush(opened.store, error));
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, HAUL_WANT_SIZE, fields, error)) != NULL);
  CU_ASSERT_FATAL(items != NULL && items->len == 2);
  size_t size = 0;
  GBytes *header = listed(items, 0)->header;
  CU_ASSERT_FATAL(header != NULL);
  const char *got = g_bytes_get_data(header, &size);
  bool same = size == sizeof wanted - 1 && memcmp(got, wanted, size) == 0;
  CU_ASSERT(same);
  if (!same)
    printf("got \"%.*s\"\n", (int)size, got);
  header = listed(items, 1)->header;
  CU_ASSERT(header != NULL && g_bytes_get_size(header) == 0);
}

/* How many of the items of a folder of five lie in ranges between their indices; -1: open. */
static void
check_ranges(Opened *opened, const GPtrArray *items, const int (*bounds)[2], size_t n,
             const char *wanted)
{
  HaulRange ranges[4];
  g_assert(n <= G_N_ELEMENTS(ranges));
  for (size_t i = 0; i < n; i++) {
    ranges[i].first = bounds[i][0] < 0 ? NULL : listed(items, (guint)bounds[i][0])->id;
    ranges[i].last = bounds[i][1] < 0 ? NULL : listed(items, (guint)bounds[i][1])->id;
  }
  g_autoptr(GPtrArray) got = NULL;
  MUST((got = list_ranges(opened, ranges, n, 0, NULL, error)) != NULL);
  g_auto(Fetched) fetched = { 0 };
  MUST(fetch_ranges(opened, ranges, n, &fetched, error));
  CU_ASSERT_FATAL(got != NULL && got->len == strlen(wanted));
  CU_ASSERT_FATAL(fetched.messages->len == strlen(wanted));
  for (guint i = 0; i < got->len; i++) {
    const char *id = listed(items, (guint)(wanted[i] - '0'))->id;
    CU_ASSERT(strcmp(listed(got, i)->id, id) == 0);
    CU_ASSERT(strcmp(haul_message_item(fetched.messages->pdata[i])->id, id) == 0);
  }
}

static void
ranges_give_what_lies_in_them(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *path = create_fresh(&opened, "ranges");
  HaulFolder folder = { 0 };
  Receipt five[5] = { 0 };
  const HaulItem item = { .date = HAUL_NO_DATE };
  MUST(haul_store_select(opened.store, path, HAUL_READ | HAUL_WRITE, &folder, error));
  for (size_t i = 0; i < G_N_ELEMENTS(five); i++)
    MUST(put_one(&opened, &item, "A: b\r\n\r\nx\r\n", 11, &five[i], error));
  MUST(haul_store_flush(opened.store, error));
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, 0, NULL, error)) != NULL);
  CU_ASSERT_FATAL(items != NULL && items->len == 5);
  check_ranges(&opened, items, NULL, 0, "");
  check_ranges(&opened, items, (const int[][2]){ { -1, -1 } }, 1, "01234");
  check_ranges(&opened, items, (const int[][2]){ { 2, 2 } }, 1, "2");
  check_ranges(&opened, items, (const int[][2]){ { 3, -1 } }, 1, "34");
  check_ranges(&opened, items, (const int[][2]){ { -1, 1 } }, 1, "01");
  check_ranges(&opened, items, (const int[][2]){ { 1, 3 } }, 1, "123");
  check_ranges(&opened, items, (const int[][2]){ { 0, 0 }, { 2, 2 }, { 4, 4 } }, 3, "024");
  check_ranges(&opened, items, (const int[][2]){ { 0, 1 }, { 3, -1 } }, 2, "0134");
  for (size_t i = 0; i < G_N_ELEMENTS(five); i++)
    receipt_clear(&five[i]);
}

static void
flags_change_as_told_and_no_others(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  if (!haul_store_can_set_flags(opened.store))
    return;
  g_autofree char *path = create_fresh(&opened, "flags");
  HaulFolder folder = { 0 };
  Receipt three[3] = { 0 };
  const char *const before[] = { "Old", "$Forwarded", NULL };
  const HaulItem item = { .date = HAUL_NO_DATE,
                          .flags = HAUL_SEEN | HAUL_DRAFT,
                          .keywords = before };
  MUST(haul_store_select(opened.store, path, HAUL_READ | HAUL_WRITE, &folder, error));
  for (size_t i = 0; i < G_N_ELEMENTS(three); i++)
    MUST(put_one(&opened, &item, "A: b\r\n\r\nx\r\n", 11, &three[i], error));
  MUST(haul_store_flush(opened.store, error));
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, 0, NULL, error)) != NULL);
  CU_ASSERT_FATAL(items != NULL && items->len == 3);

  const char *const ids[] = { listed(items, 0)->id, listed(items, 2)->id };
  const char *const add[] = { "New", NULL }, *const remove[] = { "old", "$forwarded", NULL };
  const HaulFlagChange change = { .add = HAUL_ANSWERED | HAUL_FLAGGED,
                                  .remove = HAUL_SEEN,
                                  .add_keywords = add,
                                  .remove_keywords = remove };
  for (unsigned time = 1; time <= 2; time++) { /* the second changes nothing */
    MUST(haul_store_set_flags(opened.store, ids, G_N_ELEMENTS(ids), &change, error));
    g_autoptr(GPtrArray) after = NULL;
    MUST((after = list_all(&opened, 0, NULL, error)) != NULL);
    CU_ASSERT_FATAL(after != NULL && after->len == 3);
    for (guint i = 0; i < 3; i++) {
      const ListedItem *got = listed(after, i);
      CU_ASSERT(strcmp(got->id, listed(items, i)->id) == 0);
      bool changed = i != 1;
      CU_ASSERT(got->flags == (changed ? HAUL_DRAFT | HAUL_ANSWERED | HAUL_FLAGGED : item.flags));
      CU_ASSERT(g_strv_length(got->keywords) == (changed ? 1 : 2));
      CU_ASSERT(g_ascii_strcasecmp(got->keywords[0], changed ? "New" : "$Forwarded") == 0);
    }
  }
  for (size_t i = 0; i < G_N_ELEMENTS(three); i++)
    receipt_clear(&three[i]);
}

void
forget_receipts(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    receipt_clear(&receipts[i]);
  g_clear_pointer(&filled, g_free);
}

const Case message_cases[] = {
  CASE(each_delivery_is_settled_once), CASE(receipts_name_messages_of_the_folder),
  CASE(items_say_what_was_put),        CASE(bodies_come_back_octet_for_octet),
  CASE(reading_changes_nothing),       CASE(header_fields_come_as_they_stand),
  CASE(ranges_give_what_lies_in_them), CASE(flags_change_as_told_and_no_others),
};
const size_t n_message_cases = G_N_ELEMENTS(message_cases);
