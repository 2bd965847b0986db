/* Tests rewrite.c: substitutions as users have them in their scripts, and what is refused. */
#include "suite.h"

#include <string.h>

#include <mailhaul/error.h>

#include "rewrite.h"

static void
substitutions_do_what_perl_does(void)
{
  static const struct {
    const char *text, *name, *result;
  } table[] = {
    { "s/a/b/", "aa", "ba" },
    { "s/a/b/g", "aa", "bb" },
    { "s/A/b/", "aa", "aa" },
    { "s/A/b/i", "aa", "ba" },
    { "s/ a # comment/b/x", "aa", "ba" },
    { "s,a,b,gi", "aA", "bb" },
    { "s#a#b#", "a", "b" },
    { "s|a|b|", "a", "b" },
    { "s{a}{b}", "a", "b" },
    { "s(a(b))(<$1>)", "ab", "<b>" },
    { "s[a] {b}g", "aaa", "bbb" },
    { "s/a\\/b/c/", "a/b", "c" },
    { "s/a/x\\/y/", "a", "x/y" },
    { "s/(a)(b)/$2$1/", "ab", "ba" },
    { "s/(a)(b)/\\2\\1/", "ab", "ba" },
    { "s/(a)/${1}0/", "a", "a0" },
    { "s/b/[$&]/", "abc", "a[b]c" },
    { "s/b/\\$1/", "abc", "a$1c" },
    { "s/(.*)/\\L$1/",
      "\xc3\x84"
      "B",
      "\xc3\xa4"
      "b" },
    { "s/(.*)/\\U$1\\Ex/", "ab", "ABx" },
    { "s/(.)(.*)/\\u$1\\l$2/", "aB", "Ab" },
    { "s/^Sent$/Sent Items/", "Sent", "Sent Items" },
    { "s/^INBOX\\.(.+)/$1/", "INBOX.a.b", "a.b" },
    { "s,(.*),NEW/$1,", "a/b", "NEW/a/b" },
    { "s/\\./_/g", "a.b.c", "a_b_c" },
    { "s/[ ]+$//", "a  ", "a" },
    { "s/(.*) (.*)/$2 $1/", "a b", "b a" },
    { "s,^\\[Gmail\\].,,", "[Gmail]/Sent Mail", "Sent Mail" },
    { "s/\xc3\xbc/ue/g", "T\xc3\xbcr", "Tuer" },
    { "s/x*/-/g", "ab", "-a-b-" },
    { "s/(a)|(b)/[$2]/g", "ab", "[][b]" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(HaulRewrite) rewrite = haul_rewrite_parse(table[i].text, &error);
    if (rewrite == NULL)
      fprintf(stderr, "%s: %s\n", table[i].text, error->message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rewrite);
    CU_ASSERT_STRING_EQUAL(haul_rewrite_text(rewrite), table[i].text);
    g_autofree char *result = haul_rewrite_apply(rewrite, table[i].name, &error);
    CU_ASSERT_STRING_EQUAL(result, table[i].result);
  }
}

static void
what_is_none_is_refused_with_its_place(void)
{
  static const struct {
    const char *text, *words;
  } table[] = {
    { "", "no such form" },
    { "a/b", "no such form" },
    { "y/a/b/", "no such form" },
    { "tr/a/b/", "no such form" },
    { "sxaxbx", "no such form" },
    { "s", "no such form" },
    { "s/a", "pattern does not end" },
    { "s/a/b", "replacement does not end" },
    { "s{a}", "replacement does not end" },
    { "s/a/b/e", "executed" },
    { "s/a/b/ee", "executed" },
    { "s/a/b/q", "flags may be" },
    { "s/(a/b/", "the pattern is none" },
    { "s/a/$1/", "no group 1" },
    { "s/(a)/$2/", "no group 2" },
    { "s/(a)/$99999999999/", "no group" },
    { "s/a/$x/", "nothing is computed" },
    { "s/a/${\\ exit }/", "nothing is computed" },
    { "s/a/@{[1]}/", NULL }, /* which is only text */
    { "s/a/\\n/", "backslash" },
    { "s/\xff/b/", "no such form" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(HaulRewrite) rewrite = haul_rewrite_parse(table[i].text, &error);
    if (table[i].words == NULL) {
      CU_ASSERT_PTR_NOT_NULL(rewrite);
      continue;
    }
    CU_ASSERT_PTR_NULL(rewrite);
    if (error == NULL || strstr(error->message, table[i].words) == NULL)
      fprintf(stderr, "%s: %s\n", table[i].text, error != NULL ? error->message : "taken");
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "--regextrans2");
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, table[i].words));
  }
}

static void
a_pattern_without_end_ends(void)
{
  static const char *const texts[] = { "s/^(a+)+$/b/", "s/(a*)*(a*)*(a*)*b/x/", "s/(?:a|aa)+$/b/" };
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(HaulRewrite) rewrite = haul_rewrite_parse(texts[i], NULL);
    gint64 start = g_get_monotonic_time();
    g_autofree char *result = haul_rewrite_apply(
        rewrite, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", &error);
    CU_ASSERT(g_get_monotonic_time() - start < 10 * G_USEC_PER_SEC);
    if (result == NULL)
      CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "--regextrans2");
  }
}

static void
a_name_does_not_grow_without_end(void)
{
  g_autoptr(GString) name = g_string_new(NULL), text = g_string_new("s/(.*)/");
  for (unsigned i = 0; i < 1000; i++) {
    g_string_append_c(name, 'a');
    g_string_append(text, "$1");
  }
  g_string_append_c(text, '/');
  g_autoptr(GError) error = NULL;
  g_autoptr(HaulRewrite) rewrite = haul_rewrite_parse(text->str, NULL);
  g_autofree char *result = haul_rewrite_apply(rewrite, name->str, &error);
  CU_ASSERT_PTR_NULL(result);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "--regextrans2");
}

static void
messages_are_changed_octet_by_octet(void)
{
  static const struct {
    const char *text, *octets;
    size_t size;
    const char *result;
    size_t result_size;
  } table[] = {
#define OCTETS(text) text, sizeof text - 1
    { "s/a/b/g", OCTETS("a\0a"), OCTETS("b\0b") },
    { "s/\\x00//g", OCTETS("a\0\0b"), OCTETS("ab") },
    { "s/^To: .*\\r\\n//m", OCTETS("A: b\r\nTo: x\r\nC: d\r\n"), OCTETS("A: b\r\nC: d\r\n") },
    { "s/^/X: y\\r\\n/", OCTETS("A: b\r\n"), OCTETS("X: y\r\nA: b\r\n") },
    { "s/^/-/gm", OCTETS("a\nb\n"), OCTETS("-a\n-b\n") },
    { "s/(b.+)(d)/$2\\U$1/s", OCTETS("ab\nd"), OCTETS("adB\n") },
    { "s/x*/-/g", OCTETS("ab"), OCTETS("-a-b-") },
    { "s/\\xff/\\t/", OCTETS("\377"), OCTETS("\t") },
    { "s/a/b/", OCTETS(""), OCTETS("") },
    { "s/(\\A|\\n)date:/$1X-Date:/i", OCTETS("A: b\nDate: c"), OCTETS("A: b\nX-Date: c") },
#undef OCTETS
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(HaulRewrite) rewrite = haul_rewrite_parse_octets(table[i].text, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rewrite);
    g_autoptr(GByteArray) result = haul_rewrite_apply_octets(
        rewrite, (const uint8_t *)table[i].octets, table[i].size, 100, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    CU_ASSERT_EQUAL(result->len, table[i].result_size);
    CU_ASSERT_TRUE(result->len == 0
                   || memcmp(result->data, table[i].result, table[i].result_size) == 0);
  }
}

static void
a_message_is_changed_within_limits(void)
{
  g_autoptr(GString) text = g_string_new(NULL);
  while (text->len < 100000)
    g_string_append(text, "aaaaaaaaaa");
  static const char *const rules[] = { "s/a/aaa/g", "s/(a+)+[bc]/x/" };
  for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(HaulRewrite) rewrite = haul_rewrite_parse_octets(rules[i], NULL);
    CU_ASSERT_PTR_NULL(haul_rewrite_apply_octets(rewrite, (const uint8_t *)text->str, text->len,
                                                 2 * text->len, &error));
    CHECK_ERROR(error, HAUL_ERROR_MESSAGE, "usage", "--regexmess");
  }
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_rewrite_parse_octets("s/a/b/e", &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "--regexmess takes");
}

int
main(void)
{
  static const Case cases[] = {
    CASE(substitutions_do_what_perl_does),     CASE(what_is_none_is_refused_with_its_place),
    CASE(a_pattern_without_end_ends),          CASE(a_name_does_not_grow_without_end),
    CASE(messages_are_changed_octet_by_octet), CASE(a_message_is_changed_within_limits),
  };
  return RUN_SUITE("rewrite", cases);
}
