/* Tests digest.c and the matchers of plugins/match/, which are linked in. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/plugin.h>

#include "digest.h"
#include "message.h"

extern const HaulPlugin haul_plugin_message_id, haul_plugin_received, haul_plugin_size_date,
    haul_plugin_content, haul_plugin_header;

/* Makes the key by @matcher of a message with this header; false if it has none. */
static bool
key_of(const HaulPlugin *matcher, const char *header, HaulKey *key)
{
  g_autoptr(HaulDigest) digest = haul_digest_new();
  size_t size = strlen(header);
  g_autofree uint8_t *copy = g_memdup2(header, size); /* exact, for checkers */
  HaulItem item = { .id = "1", .size = 100, .date = 1000, .header = copy, .header_size = size };
  if (!matcher->matcher->key(&item, NULL, digest))
    return false;
  haul_digest_finish(digest, key);
  return true;
}

static bool
same(const HaulPlugin *matcher, const char *a, const char *b)
{
  HaulKey key_a, key_b;
  return key_of(matcher, a, &key_a) && key_of(matcher, b, &key_b) && haul_key_equal(&key_a, &key_b);
}

static bool
none(const HaulPlugin *matcher, const char *header)
{
  HaulKey key;
  return !key_of(matcher, header, &key);
}

static void
feedings_do_not_run_together(void)
{
  static const struct {
    const char *name1, *value1, *name2, *value2;
  } table[] = {
    { "a", "b", "c", "d" }, { "a", "bc", "", "d" }, { "ab", "", "c", "d" }, { "a", "b", "cd", "" },
    { "", "", "abcd", "" }, { "abcd", "", "", "" }, { "c", "d", "a", "b" }, { "", "ab", "", "cd" },
  };
  g_autoptr(GHashTable) keys = g_hash_table_new_full(haul_key_hash, haul_key_equal, g_free, NULL);
  g_autoptr(HaulDigest) digest = haul_digest_new();
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    HaulKey key;
    haul_digest_field(digest, table[i].name1, (const uint8_t *)table[i].value1,
                      strlen(table[i].value1));
    haul_digest_field(digest, table[i].name2, (const uint8_t *)table[i].value2,
                      strlen(table[i].value2));
    haul_digest_finish(digest, &key);
    CU_ASSERT(g_hash_table_add(keys, g_memdup2(&key, sizeof key)));
  }
}

static void
a_key_is_that_of_sha256_and_does_not_change_between_versions(void)
{
  /* Keys are kept in the state: computed once by another tool, and not to change. */
  static const uint8_t known[16] = { 0x44, 0xcf, 0x6a, 0xc8, 0xa1, 0x9e, 0xbb, 0x78,
                                     0x00, 0xe8, 0x99, 0xaf, 0x95, 0x29, 0x04, 0x82 };
  HaulKey key;
  CU_ASSERT(key_of(&haul_plugin_message_id, "Message-ID: <a@b>\r\n", &key));
  CU_ASSERT(memcmp(key.octets, known, sizeof known) == 0);
  if (memcmp(key.octets, known, sizeof known) != 0)
    for (size_t i = 0; i < sizeof key.octets; i++)
      printf("%02x", key.octets[i]);
}

static void
feeding_sizes_do_not_change_a_key(void)
{
  /* Values around the size of the buffer they gather in. */
  g_autofree uint8_t *value = g_malloc0(5000);
  g_autoptr(GHashTable) keys = g_hash_table_new_full(haul_key_hash, haul_key_equal, g_free, NULL);
  g_autoptr(HaulDigest) digest = haul_digest_new();
  for (size_t size = 0; size < 5000; size++) {
    HaulKey key, again;
    haul_digest_field(digest, "x", value, size);
    haul_digest_field(digest, "y", value, 5000 - size);
    haul_digest_finish(digest, &key);
    haul_digest_field(digest, "junk", value, 700);
    haul_digest_reset(digest);
    haul_digest_field(digest, "x", value, size);
    haul_digest_field(digest, "y", value, 5000 - size);
    haul_digest_finish(digest, &again);
    CU_ASSERT(haul_key_equal(&key, &again));
    CU_ASSERT(g_hash_table_add(keys, g_memdup2(&key, sizeof key)));
  }
}

static void
what_servers_do_to_headers_does_not_change_the_key(void)
{
  const HaulPlugin *id = &haul_plugin_message_id, *received = &haul_plugin_received;
  CU_ASSERT(same(id, "Message-ID: <a@b>\r\n", "message-id:<a@b>\n"));
  CU_ASSERT(same(id, "Message-ID:\r\n <a@b>\r\n", "Message-Id: <a@b>   \r\n"));
  CU_ASSERT(same(id, "Message-Id: <\303\244\303\266@b>\r\n", "Message-Id: <?@b>\r\n"));
  CU_ASSERT(same(id, "Message-Id: <\303\244@b>\r\n", "Message-Id: <??@b>\r\n"));
  CU_ASSERT(same(received, "Received: from a\r\n\tby b;\r\n\tdate\r\n",
                 "Received: from a by b; date\r\n"));
  CU_ASSERT(!same(id, "Message-Id: <a@b>\r\n", "Message-Id: <A@b>\r\n"));
  CU_ASSERT(!same(id, "Message-Id: <a@b>\r\n", "Message-Id: <a@bc>\r\n"));
}

static void
a_message_without_message_id_has_no_key_by_it(void)
{
  const HaulPlugin *id = &haul_plugin_message_id;
  CU_ASSERT(none(id, ""));
  CU_ASSERT(none(id, "Subject: x\r\n"));
  CU_ASSERT(none(id, "Message-Id:\r\n"));
  CU_ASSERT(none(id, "Message-Id: <>\r\n"));
  CU_ASSERT(none(id, "Message-Id: < \r\n\t >\r\n"));
  CU_ASSERT(same(id, "Message-Id: <>\r\nMessage-Id: <a@b>\r\nMessage-Id: <c@d>\r\n",
                 "Message-Id: <a@b>\r\n"));
}

static void
a_message_id_counts_up_to_64_kib(void)
{
  g_autofree char *fill = g_strnfill(100000, 'x');
  g_autofree char *one = g_strconcat("Message-Id: ", fill, "1\r\n", NULL);
  g_autofree char *two = g_strconcat("Message-Id: ", fill, "2\r\n", NULL);
  CU_ASSERT(same(&haul_plugin_message_id, one, two));
  fill[60000] = '\0';
  g_autofree char *three = g_strconcat("Message-Id: ", fill, "1\r\n", NULL);
  g_autofree char *four = g_strconcat("Message-Id: ", fill, "2\r\n", NULL);
  CU_ASSERT(!same(&haul_plugin_message_id, three, four));
}

static void
all_received_fields_count_in_their_order(void)
{
  const HaulPlugin *received = &haul_plugin_received;
  CU_ASSERT(none(received, "Subject: x\r\n"));
  CU_ASSERT(
      same(received, "Received: a\r\nReceived: b\r\n", "Received: a\r\nX: y\r\nRECEIVED:b\r\n"));
  CU_ASSERT(!same(received, "Received: a\r\nReceived: b\r\n", "Received: b\r\nReceived: a\r\n"));
  CU_ASSERT(!same(received, "Received: a\r\nReceived: b\r\n", "Received: ab\r\n"));
  CU_ASSERT(!same(received, "Received: a\r\n", "Received: a\r\nReceived: a\r\n"));
}

static bool
size_date_key(HaulItem item, const HaulMessage *message, HaulKey *key)
{
  g_autoptr(HaulDigest) digest = haul_digest_new();
  if (item.header != NULL)
    item.header_size = strlen((const char *)item.header);
  if (!haul_plugin_size_date.matcher->key(&item, message, digest))
    return false;
  haul_digest_finish(digest, key);
  return true;
}

static void
size_and_date_make_a_key_where_the_size_is_known(void)
{
  static const uint8_t dated[] = "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n";
  static const uint8_t redated[] = "date:Thu, 1 Jan 1970\r\n 00:00:00 +0000\r\nDate: other\r\n";
  static const uint8_t undated[] = "Date: \r\n";
  HaulKey a, b;
  HaulItem item = { .id = "1", .size = 7, .date = 5, .header = dated };
  HaulItem other = { .id = "2", .size = 7, .date = 6, .header = redated };
  CU_ASSERT(size_date_key(item, NULL, &a) && size_date_key(other, NULL, &b));
  CU_ASSERT(haul_key_equal(&a, &b)); /* with a Date the arrival does not matter */

  other.size = 8;
  CU_ASSERT(size_date_key(other, NULL, &b) && !haul_key_equal(&a, &b));

  item.header = undated;
  other = item;
  other.header = NULL;
  CU_ASSERT(size_date_key(item, NULL, &a) && size_date_key(other, NULL, &b));
  CU_ASSERT(haul_key_equal(&a, &b));
  other.date = 6;
  CU_ASSERT(size_date_key(other, NULL, &b) && !haul_key_equal(&a, &b));
  other.date = HAUL_NO_DATE;
  CU_ASSERT(size_date_key(other, NULL, &b) && !haul_key_equal(&a, &b));

  HaulItem unknown = { .id = "3", .size = HAUL_UNKNOWN, .date = 5 };
  CU_ASSERT(!size_date_key(unknown, NULL, &b));
  g_autoptr(HaulMessage) message = haul_message_new(&unknown, "1234567", 7);
  CU_ASSERT(size_date_key(unknown, message, &b) && haul_key_equal(&a, &b));
}

/* Makes a message of any size, a large one in the spool. */
static HaulMessage *
make_message(const char *octets, size_t size)
{
  HaulBodyWriter *writer = haul_body_writer_new(g_get_tmp_dir(), NULL, size, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
  for (size_t at = 0; at < size;) {
    size_t room;
    void *buffer = haul_body_writer_reserve(writer, size - at, &room, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(buffer);
    memcpy(buffer, octets + at, room);
    haul_body_writer_advance(writer, room);
    at += room;
  }
  HaulItem item = { .id = "1", .size = size, .date = HAUL_NO_DATE };
  HaulMessage *message = haul_body_writer_seal(writer, &item, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(message);
  return message;
}

static bool
content_key(const char *octets, size_t size, HaulKey *key)
{
  g_autoptr(HaulDigest) digest = haul_digest_new();
  g_autoptr(HaulMessage) message = make_message(octets, size);
  if (!haul_plugin_content.matcher->key(haul_message_item(message), message, digest))
    return false;
  haul_digest_finish(digest, key);
  return true;
}

static void
content_is_compared_octet_by_octet(void)
{
  HaulKey a, b;
  CU_ASSERT(content_key("a\0b", 3, &a) && content_key("a\0c", 3, &b) && !haul_key_equal(&a, &b));
  CU_ASSERT(content_key("a\0b", 3, &b) && haul_key_equal(&a, &b));
  CU_ASSERT(content_key("", 0, &a) && content_key("\n", 1, &b) && !haul_key_equal(&a, &b));

  g_autofree char *large = g_strnfill(5 << 20, 'x');
  CU_ASSERT(content_key(large, 5 << 20, &a));
  large[(5 << 20) - 1] = 'y';
  CU_ASSERT(content_key(large, 5 << 20, &b) && !haul_key_equal(&a, &b));

  HaulItem item = { .id = "1" };
  g_autoptr(HaulDigest) digest = haul_digest_new();
  CU_ASSERT(!haul_plugin_content.matcher->key(&item, NULL, digest));
}

static void
a_body_has_its_own_sha256(void)
{
  static const uint8_t abc[HAUL_SHA256_SIZE] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                                 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                                 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                                 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad };
  uint8_t sum[HAUL_SHA256_SIZE];
  HaulItem item = { .id = "1" };
  g_autoptr(HaulMessage) message = haul_message_new(&item, "abc", 3);
  g_autoptr(HaulDigest) digest = haul_digest_new();
  for (int i = 0; i < 2; i++) {
    CU_ASSERT(haul_digest_sha256(digest, message, sum));
    CU_ASSERT(memcmp(sum, abc, sizeof sum) == 0);
  }
}

static void
a_key_costs_about_a_microsecond(void)
{
  static const uint8_t header[] =
      "Message-ID: <20240102030405.12345.6789@a.long.name.of.a.host.example.org>\r\n";
  HaulItem item = { .id = "1", .header = header, .header_size = sizeof header - 1 };
  g_autoptr(HaulDigest) digest = haul_digest_new();
  int64_t start = g_get_monotonic_time();
  const int n = 100000;
  for (int i = 0; i < n; i++) {
    HaulKey key;
    haul_plugin_message_id.matcher->key(&item, NULL, digest);
    haul_digest_finish(digest, &key);
  }
  double each = (double)(g_get_monotonic_time() - start) / n;
  printf("%.2f us ", each);
  CU_ASSERT(each < 50); /* wide: it also runs under checkers and beside other tests */
}

static bool
header_key(const char *field, const char *header, HaulKey *key)
{
  g_autoptr(HaulDigest) digest = haul_digest_new();
  HaulItem item = { .id = "1", .header = (const uint8_t *)header, .header_size = strlen(header) };
  if (!haul_plugin_header.matcher->key_by(field, &item, NULL, digest))
    return false;
  haul_digest_finish(digest, key);
  return true;
}

static void
a_named_field_is_known_again_whatever_servers_do_to_it(void)
{
  static const struct {
    const char *a, *b;
    bool same;
  } table[] = {
    { "X-Number: 17\r\n", "x-number:17\r\n", true },
    { "X-Number: 1 7\r\n", "X-Number: 1\r\n 7\r\n", true },
    { "X-Number: 17\r\n", "X-Number: 18\r\n", false },
    { "X-Number: 17\r\n", "X-Number: 17\r\nX-Number: 18\r\n", false },
    { "X-Number: 17\r\n", "X-Number-2: 3\r\nX-Number: 17\r\nX: 3\r\n", true },
    { "X-Number: 17\r\n", "X-Number: \r\nX-Number: 17\r\n", true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    HaulKey a, b;
    CU_ASSERT_FATAL(header_key("X-Number", table[i].a, &a)
                    && header_key("X-Number", table[i].b, &b));
    CU_ASSERT_EQUAL(haul_key_equal(&a, &b), table[i].same);
  }
  HaulKey key;
  CU_ASSERT_FALSE(header_key("X-Number", "Subject: 17\r\n", &key));
  CU_ASSERT_FALSE(header_key("X-Number", "X-Number: \r\n", &key));
  CU_ASSERT_FALSE(header_key("X-Number", "", &key));
}

int
main(void)
{
  static const Case cases[] = {
    CASE(feedings_do_not_run_together),
    CASE(a_key_is_that_of_sha256_and_does_not_change_between_versions),
    CASE(feeding_sizes_do_not_change_a_key),
    CASE(what_servers_do_to_headers_does_not_change_the_key),
    CASE(a_message_without_message_id_has_no_key_by_it),
    CASE(a_message_id_counts_up_to_64_kib),
    CASE(all_received_fields_count_in_their_order),
    CASE(size_and_date_make_a_key_where_the_size_is_known),
    CASE(content_is_compared_octet_by_octet),
    CASE(a_body_has_its_own_sha256),
    CASE(a_key_costs_about_a_microsecond),
    CASE(a_named_field_is_known_again_whatever_servers_do_to_it),
  };
  return RUN_SUITE("matchers", cases);
}
