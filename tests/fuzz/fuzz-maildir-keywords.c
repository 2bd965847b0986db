/* The files dovecot-keywords and mailhaul-keywords: what was read and printed, is read again the same,
 * and nothing is in them that a keyword cannot be. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include "../../plugins/maildir/beyond.h"
#include "../../plugins/maildir/courier.h"
#include "../../plugins/maildir/keywords.h"

static void
try_letters(const char *text)
{
  MaildirKeywords first = { 0 }, second = { 0 };
  maildir_keywords_parse(&first, text);
  g_autofree char *printed = maildir_keywords_print(&first);
  maildir_keywords_parse(&second, printed);
  for (int i = 0; i < MAILDIR_N_KEYWORDS; i++) {
    FUZZ_ASSERT(g_strcmp0(first.names[i], second.names[i]) == 0);
    FUZZ_ASSERT(first.names[i] == NULL || maildir_keywords_find(&first, first.names[i]) == i);
  }
  maildir_keywords_clear(&first);
  maildir_keywords_clear(&second);
}

static void
check_set(MaildirNames set)
{
  size_t n = 0;
  for (; set != NULL && set[n] != NULL; n++)
    FUZZ_ASSERT(maildir_keywords_is_name(set[n]));
  FUZZ_ASSERT(n <= MAILDIR_N_BEYOND && (set == NULL || n > 0));
}

static void
try_beyond(const char *text, size_t size)
{
  MaildirBeyond *first = maildir_beyond_new(), *second = maildir_beyond_new();
  maildir_beyond_parse(first, text, size);
  g_autoptr(GString) printed = maildir_beyond_print(first);
  maildir_beyond_parse(second, printed->str, printed->len);
  /* The order of lines is nobody's: each is looked up. */
  for (char *line = printed->str; *line != '\0'; line = strchr(line, '\n') + 1) {
    size_t base = strcspn(line, "\t");
    MaildirNames one = maildir_beyond_find(first, line, base);
    MaildirNames two = maildir_beyond_find(second, line, base);
    FUZZ_ASSERT(one != NULL && two != NULL);
    check_set(one);
    size_t i = 0;
    for (; one[i] != NULL; i++)
      FUZZ_ASSERT(g_strcmp0(one[i], two[i]) == 0);
    FUZZ_ASSERT(two[i] == NULL);
    MaildirNames more = maildir_beyond_with(first, one, "never-there-before");
    check_set(more);
    FUZZ_ASSERT(more == one || maildir_beyond_without(first, more, "NEVER-there-before") == one);
  }
  maildir_beyond_free(first);
  maildir_beyond_free(second);
}

static void
try_courier(const char *text)
{
  MaildirBeyond *beyond = maildir_beyond_new();
  maildir_courier_parse(beyond, text);
  g_autoptr(GString) printed = maildir_beyond_print(beyond);
  for (char *line = printed->str; *line != '\0'; line = strchr(line, '\n') + 1) {
    size_t base = strcspn(line, "\t");
    FUZZ_ASSERT(memmem(text, strlen(text), line, base) != NULL);
    check_set(maildir_beyond_find(beyond, line, base));
  }
  maildir_beyond_free(beyond);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup((const char *)data, size);
  try_letters(text);
  try_beyond((const char *)data, size);
  try_courier(text);
  return 0;
}

const char *const fuzz_seeds[] = {
  "0 $label1\n1 work\n27 no\n3 a b\n3 twice\n25 WORK\n",
  "1700000000.M1P1.host,S=3\tone two ONE\nx\t\nx\ty\n\tz\n",
  "Play\nWork\n$Label1\n\n1.M2.h,S=14:2 1\n3.h:0 0 9 99999999999\n:1\nx:\n\n",
  "a\tb\na\tc d\na\t\nb\t\t e\nc",
  NULL,
};
