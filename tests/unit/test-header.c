/* Tests header.c. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/text.h>

/* Lends a copy of exactly @size octets to @use, so that a checker sees a read beyond them. */
static size_t
end_of(const char *text, size_t size)
{
  g_autofree uint8_t *copy = g_memdup2(text, size);
  return haul_header_end(copy, size);
}

static void
a_header_ends_after_its_first_empty_line(void)
{
  static const struct {
    const char *text;
    size_t end;
  } table[] = {
    { "A: b\r\n\r\nbody", 8 },
    { "A: b\n\nbody", 6 },
    { "\r\nbody", 2 },
    { "\nbody", 1 },
    { "A: b\r\n", 6 },
    { "A: b", 4 },
    { "", 0 },
    { "A: b\r\n \r\n", 9 },
    { "A: b\r\n\r", 7 },
    { "A\r\r\n\r\n", 6 },
    { "A: b\n\r\nbody", 7 },
    { "\r", 1 },
    { "A\n\r\r\nB\n\n", 8 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    CU_ASSERT_EQUAL(end_of(table[i].text, strlen(table[i].text)), table[i].end);
}

static char *
select_from(const char *header, size_t size, const char *const *names)
{
  g_autofree uint8_t *copy = g_memdup2(header, size);
  g_autoptr(GByteArray) out = g_byte_array_new();
  haul_header_select(copy, size, names, out);
  g_byte_array_append(out, (const uint8_t *)"", 1);
  return g_strdup((const char *)out->data);
}

static void
fields_are_selected_whole_and_in_their_order(void)
{
  static const char *const names[] = { "subject", "DATE", NULL };
  static const struct {
    const char *header, *selected;
  } table[] = {
    { "Subject: a\r\nFrom: x\r\nDate: d\r\n\r\nSubject: body\r\n", "Subject: a\r\nDate: d\r\n" },
    { "Date: d\nsubject: a\n\tb\n  c\nTo: y\n\n", "Date: d\nsubject: a\n\tb\n  c\n" },
    { "SUBJECT : a\r\nSubject\t:b\r\n", "SUBJECT : a\r\nSubject\t:b\r\n" },
    { "Subject: one\r\nSubject: two\r\n", "Subject: one\r\nSubject: two\r\n" },
    { " Subject: a\r\nDate:d", "Date:d" },
    { "From x@y Mon Jan  1 00:00:00 2001\nDate: d\n", "Date: d\n" },
    { "no colon here\r\n Date: folded\r\nDate: d\r\n", "Date: d\r\n" },
    { "Subject\r\n: a\r\nSub ject: b\r\nSubjects: c\r\nSubjec: d\r\n", "" },
    { "Subject: a\r\n \r\n b\r\nX: y\r\n", "Subject: a\r\n \r\n b\r\n" },
    { "\r\nSubject: a\r\n", "" },
    { "Subject:", "Subject:" },
    { ": x\r\nSubject:\r\n", "Subject:\r\n" },
    { "Subj\303\244ct: x\r\nDate: \303\244\r\n", "Date: \303\244\r\n" },
    { "", "" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *got = select_from(table[i].header, strlen(table[i].header), names);
    if (strcmp(got, table[i].selected) != 0)
      printf("case %zu: got \"%s\"\n", i, got);
    CU_ASSERT_STRING_EQUAL(got, table[i].selected);
  }
}

static bool
append_field(const char *name, size_t name_size, const uint8_t *value, size_t value_size,
             void *data)
{
  g_string_append_printf(data, "<%.*s|%.*s>", (int)name_size, name, (int)value_size,
                         (const char *)value);
  return name[0] != '!';
}

static void
each_field_comes_with_its_raw_value(void)
{
  static const char header[] = "A: b\r\n c\r\nnothing\r\nEmpty:\r\nX :y\n!last: z\r\nB: no\r\n\r\n";
  g_autoptr(GString) seen = g_string_new(NULL);
  haul_header_each((const uint8_t *)header, strlen(header), append_field, seen);
  CU_ASSERT_STRING_EQUAL(seen->str, "<A| b\r\n c><Empty|><X|y><!last| z>");
}

static bool
count_octets(const char *name, size_t name_size, const uint8_t *value, size_t value_size,
             void *data)
{
  *(size_t *)data += name_size + value_size;
  return true;
}

static void
no_more_than_256_kib_are_looked_at(void)
{
  static const char *const names[] = { "A", "B", "C", NULL };
  g_autoptr(GString) header = g_string_new("A: first\r\n");
  while (header->len < (256 << 10) - 20)
    g_string_append(header, "X: y\r\n");
  g_string_append(header, "B: crosses the limit, here or nearby\r\nC: behind it\r\n\r\n");
  g_autofree char *got = select_from(header->str, header->len, names);
  CU_ASSERT_STRING_EQUAL(got, "A: first\r\n");

  size_t seen = 0;
  g_autofree char *endless = g_strnfill(1 << 20, 'x');
  memcpy(endless, "A: ", 3);
  haul_header_each((const uint8_t *)endless, 1 << 20, count_octets, &seen);
  CU_ASSERT_EQUAL(seen, 0); /* one field, and it is not whole */
}

static void
a_million_lines_take_linear_time(void)
{
  static const char *const names[] = { "Subject", NULL };
  g_autoptr(GString) header = g_string_new(NULL);
  for (int i = 0; i < 1000000; i++)
    g_string_append(header, i % 2 == 0 ? "a:\n" : " \n");
  int64_t start = cpu_time_us();
  CU_ASSERT_EQUAL(haul_header_end((const uint8_t *)header->str, header->len), header->len);
  g_autofree char *got = select_from(header->str, header->len, names);
  CU_ASSERT_STRING_EQUAL(got, "");
  CU_ASSERT(cpu_time_us() - start < 2000000); /* takes some 20 ms; squared, hours */
}

static void
any_octets_are_read_without_harm(void)
{
  static const char *const names[] = { "a", NULL };
  uint32_t seed = 5;
  for (int round = 0; round < 50000; round++) {
    char octets[24];
    size_t size = next_random(&seed) % sizeof octets;
    for (size_t i = 0; i < size; i++)
      octets[i] = "aA: \t\r\n\0\377b"[next_random(&seed) % 10];
    g_autofree uint8_t *copy = g_memdup2(octets, size);
    size_t end = haul_header_end(copy, size);
    g_autoptr(GByteArray) out = g_byte_array_new();
    haul_header_select(copy, size, names, out);
    CU_ASSERT(end <= size && out->len <= end);
    size_t seen = 0;
    haul_header_each(copy, size, count_octets, &seen);
    CU_ASSERT(seen <= end);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_header_ends_after_its_first_empty_line),
    CASE(fields_are_selected_whole_and_in_their_order),
    CASE(each_field_comes_with_its_raw_value),
    CASE(no_more_than_256_kib_are_looked_at),
    CASE(a_million_lines_take_linear_time),
    CASE(any_octets_are_read_without_harm),
  };
  return RUN_SUITE("header", cases);
}
