/* Tests repair.c, encoded-word.c and mend.c: what becomes of octets that a destination refuses. */
#include "suite.h"

#include <string.h>

#include "encoded-word.h"
#include "mend.h"
#include "repair.h"

/* Repairs @text in steps of so many octets; *done gets what changed. */
static GByteArray *
repair(unsigned set, const char *text, size_t size, size_t step, unsigned *done)
{
  GByteArray *out = g_byte_array_new();
  g_autoptr(HaulRepairer) repairer = haul_repairer_new(set);
  for (size_t at = 0; at < size; at += step)
    haul_repairer_feed(repairer, (const uint8_t *)text + at, MIN(step, size - at), out);
  *done = haul_repairer_end(repairer, out);
  return out;
}

#define TEXT(text) text, sizeof text - 1
#define ALL HAUL_REPAIR_HEADER

static void
each_repair_does_its_own_and_those_before_it(void)
{
  static const struct {
    HaulRepair rank;
    const char *text;
    size_t size;
    const char *wanted;
    size_t wanted_size;
    unsigned done;
  } table[] = {
    { ALL, TEXT("A: b\r\n\r\nc\r\n"), TEXT("A: b\r\n\r\nc\r\n"), 0 },
    { HAUL_REPAIR_END, TEXT("A: b\r\n\r\nc"), TEXT("A: b\r\n\r\nc\r\n"), 1 },
    { HAUL_REPAIR_END, TEXT("A: b\r\n\r\nc\r"), TEXT("A: b\r\n\r\nc\r\n"), 1 },
    { HAUL_REPAIR_END, TEXT("A: b\n\nc\n"), TEXT("A: b\n\nc\n"), 0 },
    { ALL, TEXT(""), TEXT(""), 0 },
    { HAUL_REPAIR_BARE, TEXT("A: b\n\rc\rd\r\r\ne"), TEXT("A: b\r\n\r\nc\r\nd\r\n\r\ne\r\n"), 3 },
    { HAUL_REPAIR_BARE, TEXT("a\0b\r\n"), TEXT("a\0b\r\n"), 0 },
    { HAUL_REPAIR_NUL, TEXT("A: \0\r\n\r\nx\0y\r\n"), TEXT("A: ?\r\n\r\nx\200y\r\n"), 4 },
    { ALL, TEXT("Subject: \303\274 b\r\n\r\n\303\274\r\n"),
      TEXT("Subject: =?UTF-8?B?w7w=?= b\r\n\r\n\303\274\r\n"), 16 },
    { ALL, TEXT("Subject: \303\274 \303\274\r\n"), TEXT("Subject: =?UTF-8?B?w7wgw7w=?=\r\n"), 16 },
    { ALL, TEXT("Subject: \374\r\n"), TEXT("Subject: =?unknown-8bit?B?/A==?=\r\n"), 16 },
    { ALL, TEXT("Message-Id: <\374@x>\r\n"), TEXT("Message-Id: <?@x>\r\n"), 16 },
    { ALL, TEXT("From: \"J\303\274, x\"<j\303\274@x>, b@c\r\n"),
      TEXT("From: =?UTF-8?B?SsO8LCB4?= <j??@x>, b@c\r\n"), 16 },
    { ALL, TEXT("X-A: b\r\n \303\274\r\n"), TEXT("X-A: b\r\n =?UTF-8?B?w7w=?=\r\n"), 16 },
    { HAUL_REPAIR_LONG, TEXT("Subject: \303\274\r\n"), TEXT("Subject: \303\274\r\n"), 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    for (size_t step = 1; step < 4; step++) {
      unsigned done;
      g_autoptr(GByteArray) out =
          repair(haul_repair_up_to(table[i].rank), table[i].text, table[i].size, step, &done);
      if (out->len != table[i].wanted_size
          || (out->len > 0 && memcmp(out->data, table[i].wanted, out->len) != 0))
        fprintf(stderr, "row %zu: %.*s\n", i, (int)out->len, (const char *)out->data);
      CU_ASSERT_EQUAL(out->len, table[i].wanted_size);
      CU_ASSERT_TRUE(out->len == 0 || memcmp(out->data, table[i].wanted, out->len) == 0);
      CU_ASSERT_EQUAL(done, table[i].done);
    }
}

/* The longest line of @octets, without its end. */
static size_t
longest_line(const GByteArray *octets)
{
  size_t longest = 0, line = 0;
  for (guint i = 0; i < octets->len; i++) {
    line = octets->data[i] == '\n' ? 0 : line + (octets->data[i] != '\r');
    longest = MAX(longest, line);
  }
  return longest;
}

static void
no_line_stays_longer_than_it_may_be(void)
{
  static const size_t sizes[] = { 997, 998, 999, 1997, 16383, 16384, 16385, 40000 };
  static const char *const fills[] = { "x", "\303\274", "word ", " " };
  for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
    for (size_t k = 0; k < 2 * G_N_ELEMENTS(fills); k++) {
      g_autoptr(GString) text = g_string_new(k % 2 == 0 ? "Subject: " : "A: b\r\n\r\n");
      while (text->len < sizes[i])
        g_string_append(text, fills[k / 2]);
      g_string_append(text, "\r\nend\r\n");
      for (unsigned rank = HAUL_REPAIR_LONG; rank < HAUL_N_REPAIRS; rank++) {
        unsigned done;
        g_autoptr(GByteArray) out =
            repair(haul_repair_up_to((HaulRepair)rank), text->str, text->len, 1000, &done);
        CU_ASSERT(longest_line(out) <= 998);
        /* Once is enough. */
        unsigned again;
        g_autoptr(GByteArray) twice = repair(haul_repair_up_to((HaulRepair)rank),
                                             (const char *)out->data, out->len, 7, &again);
        CU_ASSERT_EQUAL(again, 0);
        CU_ASSERT_EQUAL(twice->len, out->len);
      }
    }
}

static void
a_message_is_repaired_as_little_as_makes_a_difference(void)
{
  static const char text[] = "Subject: \303\274\r\n\r\na\nb";
  static const unsigned wanted[] = { 1, 3, 19 };
  HaulItem item = { .id = "7", .date = 5, .flags = HAUL_SEEN };
  HaulMending mending = { 0 };
  g_autoptr(HaulMessage) message = haul_message_new(&item, text, strlen(text));
  for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
    g_autoptr(HaulMessage) mended = haul_mend(message, &mending, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mended);
    CU_ASSERT_EQUAL(mending.done, wanted[i]);
    CU_ASSERT_STRING_EQUAL(haul_message_item(mended)->id, "7");
    CU_ASSERT_EQUAL(haul_message_item(mended)->flags, HAUL_SEEN);
  }
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_mend(message, &mending, NULL, NULL, &error));
  CU_ASSERT_PTR_NULL(error);
}

static void
a_spooled_message_is_repaired_like_any_other(void)
{
  HaulItem item = { .id = "1" };
  HaulMending mending = { 0 };
  g_autoptr(GString) text = g_string_new("A: b\r\n\r\n");
  while (text->len < 3u << 20)
    g_string_append(text, "line of text\n");
  g_autoptr(HaulBodyWriter) body = haul_body_writer_new(g_get_tmp_dir(), NULL, text->len, NULL);
  for (size_t at = 0, room; at < text->len; at += room) {
    void *buffer = haul_body_writer_reserve(body, text->len - at, &room, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(buffer);
    memcpy(buffer, text->str + at, room);
    haul_body_writer_advance(body, room);
  }
  g_autoptr(HaulMessage) message = haul_body_writer_seal(g_steal_pointer(&body), &item, NULL);
  g_autoptr(HaulMessage) mended = haul_mend(message, &mending, g_get_tmp_dir(), NULL, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(mended);
  size_t n_lines = (text->len - 8) / strlen("line of text\n");
  CU_ASSERT_EQUAL(haul_message_item(mended)->size, text->len + n_lines);
}

static void
what_was_done_has_a_name(void)
{
  g_autofree char *none = haul_repair_names(0);
  g_autofree char *all = haul_repair_names(haul_repair_up_to(HAUL_REPAIR_HEADER));
  CU_ASSERT_STRING_EQUAL(none, "");
  CU_ASSERT_STRING_EQUAL(all,
                         "last line end, bare line ends, NUL octets, long lines, 8-bit header");
}

int
main(void)
{
  static const Case cases[] = {
    CASE(each_repair_does_its_own_and_those_before_it),
    CASE(no_line_stays_longer_than_it_may_be),
    CASE(a_message_is_repaired_as_little_as_makes_a_difference),
    CASE(a_spooled_message_is_repaired_like_any_other),
    CASE(what_was_done_has_a_name),
  };
  return RUN_SUITE("repair", cases);
}
