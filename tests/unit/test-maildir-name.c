/* Tests plugins/maildir/name.c. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mailhaul/message.h>

#include "../../plugins/maildir/name.h"

static void
letters_become_flags_and_back(void)
{
  static const struct {
    const char *name;
    MaildirFlags flags;
    const char *back;
  } table[] = {
    { "1.a.h", { 0 }, "1.a.h:2," },
    { "1.a.h:2,", { 0 }, "1.a.h:2," },
    { "1.a.h:2,S", { HAUL_SEEN, 0, false }, "1.a.h:2,S" },
    { "1.a.h:2,TSRPFD", { HAUL_ALL_FLAGS, 0, true }, "1.a.h:2,DFPRST" },
    { "1.a.h:2,Sazb", { HAUL_SEEN, 1u << 25 | 3, false }, "1.a.h:2,Sabz" },
    { "1.a.h,S=3,W=4:2,RS", { HAUL_SEEN | HAUL_ANSWERED, 0, false }, "1.a.h,S=3,W=4:2,RS" },
    /* What we do not know is somebody's. */
    { "1.a.h:2,SXE", { HAUL_SEEN, 0, false }, "1.a.h:2,ESX" },
    { "1.a.h:2,S,extra", { HAUL_SEEN, 0, false }, "1.a.h:2,S,extra" },
    { "1.a.h:1,SF", { 0 }, "1.a.h:2," },
    { "1.a.h:2", { 0 }, "1.a.h:2," },
    /* Where a file system takes no colon. */
    { "1.a.h;2,FS", { HAUL_SEEN | HAUL_FLAGGED, 0, false }, "1.a.h;2,FS" },
    { "1.a.h,S=3!2,Sa", { HAUL_SEEN, 1, false }, "1.a.h,S=3!2,Sa" },
    { "1.a!2,b;2,", { 0 }, "1.a!2,b;2," },
    { "1.a;2,h.1", { 0 }, "1.a;2,h.1:2," },
    { "1.a;2,S:2,F", { HAUL_FLAGGED, 0, false }, "1.a;2,S:2,F" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    MaildirFlags flags = maildir_name_flags(table[i].name);
    CU_ASSERT_EQUAL(flags.flags, table[i].flags.flags);
    CU_ASSERT_EQUAL(flags.letters, table[i].flags.letters);
    CU_ASSERT_EQUAL(flags.passed, table[i].flags.passed);
    g_autofree char *back = maildir_name_with_flags(table[i].name, &flags);
    CU_ASSERT_STRING_EQUAL(back, table[i].back);
  }
}

static void
fields_are_found_in_the_base_only(void)
{
  static const struct {
    const char *name;
    char letter;
    bool found;
    uint64_t value;
  } table[] = {
    { "1.a.h,S=12,W=34:2,S", 'S', true, 12 },
    { "1.a.h,S=12,W=34:2,S", 'W', true, 34 },
    { "1.a.h,S=12", 'W', false, 0 },
    { "1.a.h,W=5", 'W', true, 5 },
    { "1.a.h,W=5,V=1", 'V', true, 1 },
    { "1.a.h:2,S,W=5", 'W', false, 0 },
    { "1.a.h,W=5;2,S", 'W', true, 5 },
    { "1.a.h,W=", 'W', false, 0 },
    { "1.a.h,W", 'W', false, 0 },
    { "1.a.h,", 'W', false, 0 },
    { "1.a.h,W=x", 'W', false, 0 },
    { "1.a.h,W=18446744073709551615", 'W', true, UINT64_MAX },
    { "1.a.h,W=18446744073709551616", 'W', false, 0 },
    { "W=5", 'W', false, 0 },
    { "", 'W', false, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    uint64_t value = 0;
    bool found = maildir_name_field(table[i].name, maildir_name_base(table[i].name),
                                    table[i].letter, &value);
    CU_ASSERT_EQUAL(found, table[i].found);
    CU_ASSERT(!found || value == table[i].value);
  }
}

static int
sign(int number)
{
  return (number > 0) - (number < 0);
}

static int
compare(const char *a, const char *b)
{
  return sign(maildir_name_compare(a, strlen(a), b, strlen(b)));
}

static void
names_sort_by_delivery(void)
{
  static const char *const sorted[] = {
    "",
    "abc",
    "letter",
    "0",
    "00",
    "9.M1P1.h",
    "0010.M1P1.h",
    "10.M1P1.h",
    "10.M2P1.h",
    "10.M10P1.h",
    "10.M10P1.h,S=1",
    "10.M10P1Q2.h",
    "10.M10P1Q10.h",
    "1700000000.M000001P1.h",
    "1700000000.M1P2.h",
    "99999999999999999999999999.x",
    "100000000000000000000000000.x",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(sorted); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(sorted); k++) {
      int wanted = i < k ? -1 : i > k;
      if (compare(sorted[i], sorted[k]) != wanted)
        printf("\"%s\" and \"%s\"\n", sorted[i], sorted[k]);
      CU_ASSERT_EQUAL(compare(sorted[i], sorted[k]), wanted);
      uint64_t one = maildir_name_seconds(sorted[i]), two = maildir_name_seconds(sorted[k]);
      CU_ASSERT(one == two || (one < two) == (i < k));
    }
}

static void
the_order_is_total(void)
{
  enum { N = 150 };
  char names[N][8];
  uint32_t seed = 42;
  for (size_t i = 0; i < N; i++) {
    size_t length = next_random(&seed) % 7;
    for (size_t k = 0; k < length; k++)
      names[i][k] = "0019.Ma,"[next_random(&seed) % 8];
    names[i][length] = '\0';
  }
  unsigned wrong = 0;
  for (size_t i = 0; i < N; i++)
    for (size_t k = 0; k < N; k++) {
      int order = compare(names[i], names[k]);
      wrong += order != -compare(names[k], names[i]);
      wrong += (order == 0) != (strcmp(names[i], names[k]) == 0);
      for (size_t m = 0; m < N && order <= 0; m++)
        wrong += compare(names[k], names[m]) <= 0 && compare(names[i], names[m]) > 0;
    }
  CU_ASSERT_EQUAL(wrong, 0);
}

static void
new_names_follow_each_other(void)
{
  g_autofree char *one = maildir_name_new(1700000000999999, 7, "h", 10, 11, false);
  g_autofree char *two = maildir_name_new(1700000001000000, 7, "h", 10, 11, true);
  CU_ASSERT_STRING_EQUAL(one, "1700000000.M999999P7.h,S=10,W=11");
  CU_ASSERT_STRING_EQUAL(two, "1700000001.M000000P7.h,S=10,W=11,V=1");
  CU_ASSERT(compare(one, two) < 0);
}

static void
the_longest_name_fits_a_file_system(void)
{
  char long_host[400];
  memset(long_host, '/', sizeof long_host);
  long_host[sizeof long_host - 1] = '\0';
  g_autofree char *host = maildir_name_host(long_host);
  g_autofree char *base =
      maildir_name_new(UINT64_MAX, UINT32_MAX, host, UINT64_MAX, UINT64_MAX, true);
  const MaildirFlags all = { HAUL_ALL_FLAGS, (1u << 26) - 1, true };
  g_autofree char *name = maildir_name_with_flags(base, &all);
  CU_ASSERT(strlen(name) <= MAILDIR_NAME_LIMIT);
  CU_ASSERT_EQUAL(maildir_name_base(name), strlen(base));
}

static void
a_host_says_nothing_that_a_name_means(void)
{
  g_autofree char *host = maildir_name_host("a/b:c,d\\e f.example");
  CU_ASSERT_STRING_EQUAL(host, "a\\057b\\072c\\054d\\134e\\040f.example");
  g_autofree char *none = maildir_name_host("");
  CU_ASSERT_STRING_EQUAL(none, "localhost");
}

int
main(void)
{
  static const Case cases[] = {
    CASE(letters_become_flags_and_back),
    CASE(fields_are_found_in_the_base_only),
    CASE(names_sort_by_delivery),
    CASE(the_order_is_total),
    CASE(new_names_follow_each_other),
    CASE(the_longest_name_fits_a_file_system),
    CASE(a_host_says_nothing_that_a_name_means),
  };
  return RUN_SUITE("maildir names", cases);
}
