/* Tests naming.c: names of folders go to disk and come back, whatever they hold, in every layout. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/text.h>

#include "../../plugins/maildir/naming.h"

static const MaildirNaming plus = { '.', false }, fs = { '/', true }, flat = { '.', true },
                           underscore = { '_', true };

typedef struct {
  const char *path, *plus, *fs, *flat;
} Name;

static void
check(MaildirNaming naming, const char *path, const char *wanted)
{
  g_autofree char *name = maildir_naming_name(naming, path);
  CU_ASSERT_PTR_NOT_NULL_FATAL(name);
  CU_ASSERT_STRING_EQUAL(name, wanted);
  if (strcmp(name, wanted) != 0)
    printf("%s is %s, not %s\n", path, name, wanted);
  g_autofree char *back = maildir_naming_path(naming, name);
  CU_ASSERT_STRING_EQUAL(back, path);
}

static void
each_layout_has_a_name_of_its_own_for_a_folder(void)
{
  static const Name table[] = {
    { "A/B", "A.B", "A/B", "A.B" },
    { "with.dot/sub", "with%2Edot.sub", "with.dot/sub", "with%2Edot.sub" },
    { "Entw\303\274rfe/&", "Entw&APw-rfe.&-", "Entw&APw-rfe/&-", "Entw&APw-rfe.&-" },
    { "a%2Fslash", "a%2Fslash", "a%2Fslash", "a%2Fslash" },
    { "~", "~", "~", "~" },
    { "end. /x ", "end%2E .x ", "end. /x ", "end%2E .x " },
    { "tab%09", "tab%09", "tab%09", "tab%09" },
    { "a/%00/b", "a..b", "a/%00/b", "a..b" },
    { "INBOX/Sub", "INBOX.Sub", "INBOX/Sub", "INBOX.Sub" },
    { "x%2Ey", "x%252Ey", "x%2Ey", "x%252Ey" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    check(plus, table[i].path, table[i].plus);
    check(fs, table[i].path, table[i].fs);
    check(flat, table[i].path, table[i].flat);
  }
}

static void
a_directory_is_not_called_like_what_lies_beside_it(void)
{
  static const Name table[] = {
    { "cur", "cur", "%63ur", "%63ur" },
    { "A/new", "A.new", "A/%6Eew", "A.new" },
    { "tmp/cur", "tmp.cur", "%74mp/%63ur", "tmp.cur" },
    { "%63ur", "%63ur", "%2563ur", "%2563ur" },
    { "%2563ur", "%2563ur", "%252563ur", "%252563ur" },
    { "%43ur", "%43ur", "%43ur", "%43ur" }, /* "Cur" is not reserved */
    { ".hidden/x", "%2Ehidden.x", "%2Ehidden/x", "%252Ehidden.x" },
    { "a/.", "a.%2E", "a/%2E", "a.%2E" },
    { "a/..", "a.%2E%2E", "a/%2E.", "a.%2E%2E" },
    { "subscriptions", "subscriptions", "%73ubscriptions", "%73ubscriptions" },
    { "dovecot-uidlist", "dovecot-uidlist", "%64ovecot-uidlist", "%64ovecot-uidlist" },
    { "snapshots/x", "snapshots.x", "%73napshots/x", "snapshots.x" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    check(plus, table[i].path, table[i].plus);
    check(fs, table[i].path, table[i].fs);
    check(flat, table[i].path, table[i].flat);
  }
}

static void
normal_forms_of_letters_stay_apart(void)
{
  g_autofree char *composed = maildir_naming_name(fs, "\303\244");
  g_autofree char *decomposed = maildir_naming_name(fs, "a\314\210");
  CU_ASSERT_STRING_EQUAL(composed, "&AOQ-");
  CU_ASSERT_STRING_EQUAL(decomposed, "a&Awg-");
}

static void
a_malformed_level_leaves_the_others_alone(void)
{
  g_autofree char *path = maildir_naming_path(fs, "Entw&APw-rfe/a&b/Latin\344");
  CU_ASSERT_STRING_EQUAL(path, "Entw\303\274rfe/a%26b/Latin%E4");
}

/* Any text as a canonical path. */
static char *
random_path(GRand *random)
{
  static const char *const pieces[] = {
    "a",
    "B",
    ".",
    "..",
    "/",
    "%",
    "25",
    "2E",
    "2F",
    "63ur",
    "cur",
    "new",
    "~",
    " ",
    "&",
    "-",
    "_",
    "\303\274",
    "\t",
    "\\",
    ":",
    "*",
    "\177",
    "INBOX",
    "inbox",
    "%00",
    "\360\237\230\200",
    "tmp",
    "&-",
    "x",
    "/",
    "u\314\210",
    "snapshots",
    "maildirfolder",
  };
  g_autoptr(GString) text = g_string_new(NULL);
  for (int i = g_rand_int_range(random, 1, 9); i > 0; i--)
    g_string_append(text, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
  return haul_path_from_native(text->str, '/', "/");
}

static void
every_path_comes_back_and_no_two_share_a_name(void)
{
  const MaildirNaming namings[] = { plus, fs, flat, underscore };
  g_autoptr(GRand) random = g_rand_new_with_seed(7);
  for (size_t k = 0; k < G_N_ELEMENTS(namings); k++) {
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (unsigned i = 0; i < 20000; i++) {
      g_autofree char *path = random_path(random);
      if (haul_path_is_inbox(path)) /* the root, and no name */
        continue;
      g_autofree char *name = maildir_naming_name(namings[k], path);
      /* A directory cannot be called nothing at all, nor ".". */
      bool is_nothing =
          strcmp(path, "%00") == 0 || (strcmp(path, "%00/%00") == 0 && !namings[k].is_bare);
      CU_ASSERT_EQUAL(name == NULL, is_nothing && namings[k].separator != '/');
      if (name == NULL)
        continue;
      g_auto(GStrv) levels = g_strsplit(name, "/", -1);
      CU_ASSERT(namings[k].separator == '/' || g_strv_length(levels) == 1);
      for (char **level = levels; namings[k].is_bare && *level != NULL; level++)
        CU_ASSERT((*level)[0] != '.' && (*level)[0] != '\0' && strcmp(*level, "cur") != 0);
      const char *other = g_hash_table_lookup(names, name);
      CU_ASSERT(other == NULL || strcmp(other, path) == 0);
      g_hash_table_replace(names, g_steal_pointer(&name), g_steal_pointer(&path));
    }
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(each_layout_has_a_name_of_its_own_for_a_folder),
    CASE(a_directory_is_not_called_like_what_lies_beside_it),
    CASE(normal_forms_of_letters_stay_apart),
    CASE(a_malformed_level_leaves_the_others_alone),
    CASE(every_path_comes_back_and_no_two_share_a_name),
  };
  return RUN_SUITE("maildir naming", cases);
}
