/* Tests keywords.c: sets as numbers. */
#include "suite.h"

#include <pthread.h>
#include <string.h>

#include "keywords.h"

static void
equal_sets_are_one_number(void)
{
  g_autoptr(HaulKeywords) keywords = haul_keywords_new();
  static const char *const equal[][2] = {
    { "a b c", "c b a" },     { "a b", "A B" }, { "a a b", "b a" },
    { "$Label1", "$LABEL1" }, { "", "" },       { "x", "x x X x" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(equal); i++)
    CU_ASSERT_EQUAL(haul_keywords_parse(keywords, equal[i][0]),
                    haul_keywords_parse(keywords, equal[i][1]));
  static const char *const different[] = { "",      "a",   "b",  "a b",     "ab",
                                           "a b c", "a-b", "$a", "\xc3\xa9" };
  for (size_t i = 0; i < G_N_ELEMENTS(different); i++)
    for (size_t k = 0; k < i; k++)
      CU_ASSERT_NOT_EQUAL(haul_keywords_parse(keywords, different[i]),
                          haul_keywords_parse(keywords, different[k]));
}

static void
the_empty_set_is_0(void)
{
  g_autoptr(HaulKeywords) keywords = haul_keywords_new();
  const char *const none[] = { NULL };
  CU_ASSERT_EQUAL(haul_keywords_intern(keywords, NULL), 0);
  CU_ASSERT_EQUAL(haul_keywords_intern(keywords, none), 0);
  CU_ASSERT_EQUAL(haul_keywords_parse(keywords, NULL), 0);
  CU_ASSERT_EQUAL(haul_keywords_parse(keywords, ""), 0);
  CU_ASSERT_EQUAL(haul_keywords_parse(keywords, "  "), 0);
  CU_ASSERT_PTR_NULL(haul_keywords_names(keywords, 0)[0]);
  g_autofree char *text = haul_keywords_text(keywords, 0);
  CU_ASSERT_STRING_EQUAL(text, "");
}

static void
names_are_sorted_and_keep_the_spelling_seen_first(void)
{
  g_autoptr(HaulKeywords) keywords = haul_keywords_new();
  uint32_t set = haul_keywords_parse(keywords, "work $Forwarded Junk");
  CU_ASSERT_EQUAL(haul_keywords_parse(keywords, "JUNK WORK $forwarded"), set);
  g_autofree char *text = haul_keywords_text(keywords, set);
  CU_ASSERT_STRING_EQUAL(text, "$Forwarded Junk work");
  CU_ASSERT_EQUAL(haul_keywords_parse(keywords, text), set);
  CU_ASSERT_EQUAL(haul_keywords_parse(keywords, "  work   Junk $Forwarded "), set);
}

static void
sets_are_added_and_taken_away(void)
{
  static const struct {
    const char *a, *b, *minus, *plus;
  } table[] = {
    { "", "", "", "" },
    { "a", "", "a", "a" },
    { "", "a", "", "a" },
    { "a", "a", "", "a" },
    { "a b", "b c", "a", "a b c" },
    { "a b", "A", "b", "a b" },
    { "a", "b", "a", "a b" },
    { "a b c", "a b c", "", "a b c" },
    { "x", "x y z", "", "x y z" },
  };
  g_autoptr(HaulKeywords) keywords = haul_keywords_new();
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    uint32_t a = haul_keywords_parse(keywords, table[i].a);
    uint32_t b = haul_keywords_parse(keywords, table[i].b);
    CU_ASSERT_EQUAL(haul_keywords_minus(keywords, a, b),
                    haul_keywords_parse(keywords, table[i].minus));
    CU_ASSERT_EQUAL(haul_keywords_plus(keywords, a, b),
                    haul_keywords_parse(keywords, table[i].plus));
    CU_ASSERT_EQUAL(haul_keywords_plus(keywords, b, a), haul_keywords_plus(keywords, a, b));
  }
}

/* Returns NULL if all is well. */
static void *
use_many(void *data)
{
  HaulKeywords *keywords = data;
  for (unsigned i = 0; i < 500; i++) {
    g_autofree char *text = g_strdup_printf("k%u common", i % 50);
    uint32_t set = haul_keywords_parse(keywords, text);
    uint32_t common = haul_keywords_parse(keywords, "common");
    uint32_t rest = haul_keywords_minus(keywords, set, common);
    if (haul_keywords_plus(keywords, rest, common) != set
        || haul_keywords_names(keywords, set)[2] != NULL)
      return data;
  }
  return NULL;
}

static void
threads_may_share_them(void)
{
  g_autoptr(HaulKeywords) keywords = haul_keywords_new();
  pthread_t threads[4];
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    pthread_create(&threads[i], NULL, use_many, keywords);
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
    void *outcome;
    pthread_join(threads[i], &outcome);
    CU_ASSERT_PTR_NULL(outcome);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(equal_sets_are_one_number),
    CASE(the_empty_set_is_0),
    CASE(names_are_sorted_and_keep_the_spelling_seen_first),
    CASE(sets_are_added_and_taken_away),
    CASE(threads_may_share_them),
  };
  return RUN_SUITE("keywords", cases);
}
