/* Tests the files beside the messages: keywords.c, subscriptions.c, and naming.c. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "../../plugins/maildir/keywords.h"
#include "../../plugins/maildir/subscriptions.h"

static const MaildirNaming plus = { '.', false };

static void
keywords_are_read_as_far_as_they_can_be(void)
{
  static const struct {
    const char *text, *printed;
  } table[] = {
    { "", "" },
    { "0 Work\n1 $Forwarded\n", "0 Work\n1 $Forwarded\n" },
    { "25 Last\n3 Third", "3 Third\n25 Last\n" },
    { "26 TooMany\n999999999999 Far\n-1 Neg\n 2 blank\n", "" },
    { "0 One\n0 Two\n1 ONE\n", "0 One\n" },
    { "0 two words\n1 \n2\n3  x\n4 ok\n", "4 ok\n" },
    { "garbage\n\n\n0 Good\n\001\002\n", "0 Good\n" },
    { "0 With\rcontrol\n", "" },
  };
  MaildirKeywords keywords = { 0 };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    maildir_keywords_parse(&keywords, table[i].text);
    g_autofree char *printed = maildir_keywords_print(&keywords);
    CU_ASSERT_STRING_EQUAL(printed, table[i].printed);
  }
  maildir_keywords_parse(&keywords, "0 Work\n7 \303\244\n");
  CU_ASSERT_EQUAL(maildir_keywords_find(&keywords, "WORK"), 0);
  CU_ASSERT_EQUAL(maildir_keywords_find(&keywords, "\303\244"), 7);
  CU_ASSERT_EQUAL(maildir_keywords_find(&keywords, "Play"), -1);
  maildir_keywords_clear(&keywords);
}

static void
subscriptions_are_read_in_both_forms(void)
{
  static const struct {
    const char *text;
    bool is_new_form;
    const char *paths[5];
  } table[] = {
    { "", true, { 0 } },
    { "V\t2\n\n", true, { 0 } },
    { "V\t2\n\nINBOX\nEntw&APw-rfe\tM&APw-ll &- Co\n",
      true,
      { "INBOX", "Entw\303\274rfe/M\303\274ll & Co" } },
    { "V\t2\n\nOpen", true, { "Open" } },
    { "INBOX\nA.B\nEntw&APw-rfe\n", false, { "INBOX", "A/B", "Entw\303\274rfe" } },
    { "A\n\n\nA\nINBOX.Sub\n", false, { "A", "INBOX/Sub" } },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    bool is_new_form;
    g_autoptr(GHashTable) paths = maildir_subscriptions_parse(table[i].text, plus, &is_new_form);
    CU_ASSERT_EQUAL(is_new_form, table[i].is_new_form);
    guint n = 0;
    for (; table[i].paths[n] != NULL; n++) {
      CU_ASSERT(g_hash_table_contains(paths, table[i].paths[n]));
      g_autofree char *line = maildir_subscriptions_line(table[i].paths[n], plus, is_new_form);
      CU_ASSERT(strstr(table[i].text, line) != NULL);
    }
    CU_ASSERT_EQUAL(g_hash_table_size(paths), n);
  }
}

static void
folder_names_go_to_disk_and_back(void)
{
  static const struct {
    const char *path, *name;
  } table[] = {
    { "A/B", "A.B" },
    { "Entw\303\274rfe/M\303\274ll & Co", "Entw&APw-rfe.M&APw-ll &- Co" },
    { "with.dot/sub", "with%2Edot.sub" },
    { "a%2Fslash", "a%2Fslash" },
    { "100%", "100%" },
    { "INBOX/Sub", "INBOX.Sub" },
    { " blank ", " blank " },
    { "\"'`$(x)*?~", "\"'`$(x)*?~" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *name = maildir_naming_name(plus, table[i].path);
    CU_ASSERT_STRING_EQUAL(name, table[i].name);
    g_autofree char *path = maildir_naming_path(plus, table[i].name);
    CU_ASSERT_STRING_EQUAL(path, table[i].path);
  }
}

static void
every_name_on_disk_has_a_path(void)
{
  static const struct {
    const char *name, *path;
  } table[] = {
    { "Entw\303\274rfe", "Entw\303\274rfe" }, /* UTF-8 as it is */
    { "a&b", "a%26b" },                       /* no modified UTF-7 */
    { "&AGE-", "%26AGE-" },                   /* an encoded ASCII letter */
    { "Latin\344", "Latin%E4" },
    { "INBOX", "%49NBOX" }, /* beside the root */
    { "inbox", "%69nbox" },
    { "Inbox.Sub", "%49nbox/Sub" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *path = maildir_naming_path(plus, table[i].name);
    CU_ASSERT_STRING_EQUAL(path, table[i].path);
    CU_ASSERT(g_utf8_validate(path, -1, NULL));
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(keywords_are_read_as_far_as_they_can_be),
    CASE(subscriptions_are_read_in_both_forms),
    CASE(folder_names_go_to_disk_and_back),
    CASE(every_name_on_disk_has_a_path),
  };
  return RUN_SUITE("maildir files", cases);
}
