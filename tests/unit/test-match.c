/* Tests match.c: chains of matchers, whose plugins are loaded as a run loads them. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "match.h"
#include "message.h"

/* A message, as text, with CRLF where a line ends. */
typedef struct {
  const char *text;
  int64_t date;
  uint64_t size_told; /* by a listing; 0: the true one */
} Mail;

static HaulKeyResult
key_of_listing(const HaulChain *chain, const Mail *mail, HaulKey *key)
{
  g_autoptr(GByteArray) header = g_byte_array_new();
  haul_header_select((const uint8_t *)mail->text, strlen(mail->text),
                     haul_chain_header_fields(chain), header);
  HaulItem item = { .id = "1",
                    .size = mail->size_told != 0 ? mail->size_told : strlen(mail->text),
                    .date = mail->date,
                    .header = header->data,
                    .header_size = header->len };
  g_autoptr(HaulKeyMaker) maker = haul_key_maker_new(chain);
  return haul_key_of_item(maker, &item, key);
}

static HaulMessage *
message_of(const Mail *mail)
{
  HaulItem item = { .id = "1", .size = HAUL_UNKNOWN, .date = mail->date };
  return haul_message_new(&item, mail->text, strlen(mail->text));
}

static bool
key_of_body(const HaulChain *chain, const Mail *mail, HaulKey *key)
{
  static const HaulKey none;
  uint8_t sha256[HAUL_SHA256_SIZE];
  g_autoptr(HaulMessage) message = message_of(mail);
  g_autoptr(HaulKeyMaker) maker = haul_key_maker_new(chain);
  CU_ASSERT(haul_key_of_message(maker, message, key, sha256));
  g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, mail->text, -1);
  for (size_t i = 0; i < sizeof sha256; i++)
    CU_ASSERT_EQUAL(sha256[i],
                    g_ascii_xdigit_value(sum[2 * i]) * 16 + g_ascii_xdigit_value(sum[2 * i + 1]));
  return memcmp(key, &none, sizeof none) != 0;
}

static HaulChain *
parse(const char *text)
{
  g_autoptr(GError) error = NULL;
  HaulChain *chain = haul_chain_parse(text, &error);
  if (chain == NULL)
    printf("%s: %s\n", text, error->message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(chain);
  return chain;
}

static const Mail mails[] = {
  { "Message-ID: <a@b>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\nReceived: from x\r\n\r\nbody",
    5 },
  { "Message-ID: <a@b>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\nbody", 5 },
  { "Received: from x\r\nReceived: from y\r\nDate: today\r\n\r\nbody", 5 },
  { "Date: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\nbody", 5 },
  { "Date: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\nbodY", 5 },
  { "Subject: no date\r\n\r\nbody", 5 },
  { "Received: from x\r\nSubject: no date\r\n\r\nbody", 6 },
  { "\r\nbody", 5 },
  { "body", 5 },
  { "", 5 },
};

static void
a_listing_and_a_body_give_the_same_key(void)
{
  static const char *const chains[] = {
    "auto",
    "message-id",
    "received",
    "size-date",
    "content",
    "message-id,size-date",
    "message-id+received,size-date",
    "received+size-date, content",
    "header:Subject",
    "header:Subject+header:Date,header:Received,content",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(chains); i++) {
    g_autoptr(HaulChain) chain = parse(chains[i]);
    for (size_t k = 0; k < G_N_ELEMENTS(mails); k++) {
      HaulKey listed, read;
      HaulKeyResult result = key_of_listing(chain, &mails[k], &listed);
      bool has_key = key_of_body(chain, &mails[k], &read);
      if (result == HAUL_KEY_NEEDS_BODY)
        continue; /* and then it is read */
      CU_ASSERT_EQUAL(result == HAUL_KEY_FOUND, has_key);
      CU_ASSERT(haul_key_equal(&listed, &read));
      if (!haul_key_equal(&listed, &read))
        printf("%s, mail %zu\n", chains[i], k);
    }
  }
}

static void
an_item_without_a_size_gives_the_key_of_its_body_or_none(void)
{
  static const char *const chains[] = { "auto", "size-date", "message-id+size-date", "message-id" };
  for (size_t i = 0; i < G_N_ELEMENTS(chains); i++) {
    g_autoptr(HaulChain) chain = parse(chains[i]);
    for (size_t k = 0; k < G_N_ELEMENTS(mails); k++) {
      Mail mail = mails[k];
      mail.size_told = HAUL_UNKNOWN;
      HaulKey listed, read;
      HaulKeyResult result = key_of_listing(chain, &mail, &listed);
      bool has_key = key_of_body(chain, &mail, &read);
      CU_ASSERT(result == HAUL_KEY_NEEDS_BODY
                || (result == HAUL_KEY_FOUND) == (has_key && haul_key_equal(&listed, &read)));
    }
  }
}

static void
all_messages_that_differ_have_keys_that_differ_by_default(void)
{
  g_autoptr(HaulChain) chain = parse("auto");
  for (size_t i = 0; i < G_N_ELEMENTS(mails); i++) {
    HaulKey key;
    CU_ASSERT(key_of_body(chain, &mails[i], &key)); /* even the empty one has one */
    for (size_t k = 0; k < i; k++) {
      HaulKey other;
      key_of_body(chain, &mails[k], &other);
      CU_ASSERT(!haul_key_equal(&key, &other));
      if (haul_key_equal(&key, &other))
        printf("%zu and %zu\n", i, k);
    }
  }
}

/* POP3 tells none, and what another tool copied need not have kept it. */
static void
arrival_makes_no_difference_by_default(void)
{
  static const int64_t dates[] = { 5, 6, HAUL_NO_DATE };
  g_autoptr(HaulChain) chain = parse("auto"), by_arrival = parse("size-date");
  for (size_t i = 0; i < G_N_ELEMENTS(mails); i++) {
    HaulKey listed[G_N_ELEMENTS(dates)], read[G_N_ELEMENTS(dates)];
    for (size_t k = 0; k < G_N_ELEMENTS(dates); k++) {
      Mail mail = { mails[i].text, dates[k], 0 };
      key_of_listing(chain, &mail, &listed[k]);
      CU_ASSERT(key_of_body(chain, &mail, &read[k]));
      CU_ASSERT(haul_key_equal(&listed[0], &listed[k]) && haul_key_equal(&read[0], &read[k]));
      if (!haul_key_equal(&read[0], &read[k]))
        printf("mail %zu, date %zu\n", i, k);
    }
  }
  Mail other = mails[5];
  other.date++;
  HaulKey key, other_key;
  CU_ASSERT(key_of_body(by_arrival, &mails[5], &key) && key_of_body(by_arrival, &other, &other_key)
            && !haul_key_equal(&key, &other_key));
}

static void
the_next_link_is_asked_where_one_has_no_key(void)
{
  static const struct {
    const char *chain, *a, *b;
    bool same;
  } table[] = {
    { "message-id", "Message-ID: <1>\r\n\r\na", "Message-ID: <1>\r\n\r\nb", true },
    { "message-id", "Message-ID: <1>\r\n\r\na", "Message-ID: <2>\r\n\r\na", false },
    { "message-id", "\r\na", "\r\na", false }, /* no key: matches nothing */
    { "message-id,content", "\r\na", "\r\na", true },
    { "message-id,content", "\r\na", "\r\nb", false },
    { "message-id,content", "Message-ID: <1>\r\n\r\na", "Message-ID: <1>\r\n\r\nb", true },
    /* A part without a key counts as empty; the first must have one. */
    { "message-id+received", "Message-ID: <1>\r\n\r\n", "Message-ID: <1>\r\n\r\n", true },
    { "message-id+received", "Message-ID: <1>\r\nReceived: x\r\n\r\n",
      "Message-ID: <1>\r\nReceived: y\r\n\r\n", false },
    { "message-id+received", "Received: x\r\n\r\n", "Received: x\r\n\r\n", false },
    { "received+message-id", "Received: x\r\n\r\n", "Received: x\r\n\r\n", true },
    /* An id alone does not make two messages one. */
    { "auto", "Message-ID: <1>\r\nDate: a\r\n\r\n", "Message-ID: <1>\r\nDate: b\r\n\r\n", false },
    { "auto", "Message-ID: <1>\r\nDate: a\r\n\r\n", "Message-ID: <1>\r\nDate: a\r\n\r\n", true },
    { "message-id", "Message-ID: <1>\r\nDate: a\r\n\r\n", "Message-ID: <1>\r\nDate: b\r\n\r\n",
      true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(HaulChain) chain = parse(table[i].chain);
    Mail a = { table[i].a, 5, 0 }, b = { table[i].b, 5, 0 };
    HaulKey key_a, key_b;
    bool same = key_of_body(chain, &a, &key_a) && key_of_body(chain, &b, &key_b)
                && haul_key_equal(&key_a, &key_b);
    CU_ASSERT_EQUAL(same, table[i].same);
    if (same != table[i].same)
      printf("row %zu\n", i);
  }
}

static void
which_link_gave_a_key_is_part_of_it(void)
{
  g_autoptr(HaulChain) one = parse("message-id"), two = parse("message-id+received"),
                       three = parse("received,message-id");
  Mail mail = { "Message-ID: <1>\r\n\r\n", 5, 0 };
  HaulKey a, b, c;
  CU_ASSERT(key_of_body(one, &mail, &a) && key_of_body(two, &mail, &b)
            && key_of_body(three, &mail, &c));
  CU_ASSERT(!haul_key_equal(&a, &b)); /* another link */
  CU_ASSERT(haul_key_equal(&a, &c));  /* the same link of another chain */
}

static void
a_body_is_asked_for_only_where_a_link_needs_it(void)
{
  g_autoptr(HaulChain) chain = parse("message-id,content");
  HaulKey key;
  CU_ASSERT_EQUAL(key_of_listing(chain, &mails[0], &key), HAUL_KEY_FOUND);
  CU_ASSERT_EQUAL(key_of_listing(chain, &mails[5], &key), HAUL_KEY_NEEDS_BODY);
  g_autoptr(HaulChain) by_header = parse("message-id");
  CU_ASSERT_EQUAL(key_of_listing(by_header, &mails[5], &key), HAUL_KEY_NONE);
}

static void
a_chain_names_each_field_once(void)
{
  g_autoptr(HaulChain) chain = parse("message-id+received,received+size-date,size-date");
  const char *const *fields = haul_chain_header_fields(chain);
  for (size_t i = 0; fields[i] != NULL; i++)
    for (size_t k = 0; k < i; k++)
      CU_ASSERT(g_ascii_strcasecmp(fields[i], fields[k]) != 0);
  CU_ASSERT(g_strv_contains(fields, "Message-ID") || g_strv_contains(fields, "Message-Id"));
  CU_ASSERT(g_strv_contains(fields, "Received"));
  CU_ASSERT(g_strv_contains(fields, "Date"));
}

static void
a_chain_that_names_no_matcher_is_refused(void)
{
  static const struct {
    const char *text, *reason;
  } table[] = {
    { "no-such-matcher", "plugin" },
    { "message-id,no-such-matcher", "plugin" },
    { "message-id+", NULL },
    { ",message-id", NULL },
    { "", NULL },
    { "../message-id", NULL },
    { "message-id received", NULL },
    { "message-id,", NULL },
    { "content,,size-date", NULL },
    { ",", NULL },
    { "header", NULL },
    { "header:", NULL },
    { "header:Sub ject", NULL },
    { "header:X:Y", NULL },
    { "message-id:3", NULL },
    { "header:A+header", NULL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(haul_chain_parse(table[i].text, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_EQUAL(haul_error_reach(error), HAUL_ERROR_ACCOUNT);
    if (table[i].reason != NULL)
      CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, table[i].reason, "no-such-matcher");
  }
}

static void
header_options_make_a_chain_of_what_a_message_has(void)
{
  static const char *const one[] = { "X-UID", NULL }, *const three[] = { "A", "B", "C", NULL };
  static const char *const all[] = { "ALL", NULL }, *const most[] = { "A", "all", NULL };
  static const struct {
    const char *const *headers;
    const char *text;
  } table[] = {
    { NULL, "auto" },
    { one, "header:X-UID,content" },
    { three, "header:A+header:B+header:C,header:B+header:C,header:C,content" },
    { all, "content" },
    { most, "header:A,content" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *text = haul_chain_text("auto", table[i].headers, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, table[i].text);
    g_autoptr(HaulChain) chain = parse(text);
    CU_ASSERT_PTR_NOT_NULL(chain);
  }
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_chain_text("content", one, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "--match");
}

static void
content_is_what_follows_the_header(void)
{
  static const struct {
    const char *a, *b;
    bool same;
  } table[] = {
    { "A: 1\r\n\r\ntext\r\n", "B: 2\r\nC: 3\r\n\r\ntext\r\n", true },
    { "A: 1\r\n\r\ntext\r\n", "A: 1\r\n\r\nother\r\n", false },
    { "A: 1\r\n\r\ntext", "A: 1\r\n\r\ntext\r\n\r\n", true }, /* some servers end lines */
    { "A: 1\r\n\r\n", "A: 1\r\n\r\n\r\n", true },
    { "A: 1\r\n\r\n text", "A: 1\r\n\r\ntext", false },
    { "A: 1\r\n\r\na\nb", "A: 1\n\na\r\nb\r\n", true }, /* and others exchange them */
    { "A: 1\r\n\r\na\nb", "A: 1\r\n\r\nab", false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    Mail a = { table[i].a, 5, 0 }, b = { table[i].b, 5, 0 };
    g_autoptr(HaulMessage) message_a = message_of(&a), message_b = message_of(&b);
    HaulKey key_a, key_b;
    CU_ASSERT(haul_content_of_message(message_a, &key_a)
              && haul_content_of_message(message_b, &key_b));
    CU_ASSERT_EQUAL(haul_key_equal(&key_a, &key_b), table[i].same);
    if (haul_key_equal(&key_a, &key_b) != table[i].same)
      printf("row %zu\n", i);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_listing_and_a_body_give_the_same_key),
    CASE(an_item_without_a_size_gives_the_key_of_its_body_or_none),
    CASE(all_messages_that_differ_have_keys_that_differ_by_default),
    CASE(arrival_makes_no_difference_by_default),
    CASE(the_next_link_is_asked_where_one_has_no_key),
    CASE(which_link_gave_a_key_is_part_of_it),
    CASE(a_body_is_asked_for_only_where_a_link_needs_it),
    CASE(a_chain_names_each_field_once),
    CASE(a_chain_that_names_no_matcher_is_refused),
    CASE(header_options_make_a_chain_of_what_a_message_has),
    CASE(content_is_what_follows_the_header),
  };
  return RUN_SUITE("match", cases);
}
