/*
 * Tests identity.c of the maildir plugin, by opening trees that the last run knew: what is not that
 * tree is refused, on either side, and nothing is written to it.
 */
#include "suite.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mailhaul/error.h>

#include "../conformance/subject.h"

extern const HaulPlugin haul_plugin_maildir;
Subject subject;

static char *scratch;

/* A path that was not used yet, below scratch; to be freed. */
static char *
new_path(void)
{
  static unsigned number;
  return g_strdup_printf("%s/tree-%u", scratch, ++number);
}

/* Runs a shell command in @root. Returns whether it succeeds. */
static bool
run(const char *root, const char *command)
{
  g_autofree char *whole = g_strdup_printf("cd '%s' && { %s\n}", root, command);
  return system(whole) == 0;
}

/* Opens and closes the tree as @side, knowing an identity. Returns its own, to be freed, or NULL. */
static char *
open_known(unsigned side, const char *root, const char *known, bool new_tree, GError **error)
{
  HaulCancel *cancel = haul_cancel_new();
  HaulAccount *account = haul_account_new(side, subject.plugin, cancel);
  haul_account_set_known_identity(account, known);
  CU_ASSERT(haul_account_set(account, "path", root, NULL));
  CU_ASSERT(haul_account_set(account, "newtree", new_tree ? "true" : "false", NULL));
  HaulOpenStore *store =
      haul_store_open(account, side == 1 ? HAUL_READ : HAUL_READ | HAUL_WRITE, error);
  char *identity = store != NULL ? haul_store_identity(store) : NULL;
  if (store != NULL)
    haul_store_close(store);
  haul_account_free(account);
  haul_cancel_free(cancel);
  return identity;
}

/* Whether opening it fails with these words. */
static bool
is_refused(unsigned side, const char *root, const char *known, const char *words, int line)
{
  g_autoptr(GError) why = NULL;
  g_autofree char *identity = open_known(side, root, known, false, &why);
  return identity == NULL && check_error(why, HAUL_ERROR_ACCOUNT, "not-mounted", words, line);
}

/* Makes a tree. Returns its identity, to be freed. */
static char *
make_tree(const char *root)
{
  char *identity = NULL;
  MUST((identity = open_known(2, root, NULL, false, error)) != NULL);
  return identity;
}

static void
the_tree_of_the_last_run_is_opened(void)
{
  g_autofree char *root = new_path(), *known = make_tree(root), *again = NULL;
  MUST((again = open_known(2, root, known, false, error)) != NULL);
  CU_ASSERT(again != NULL && strcmp(again, known) == 0);
  g_autofree char *moved = g_strconcat(root, "-moved", NULL), *there = NULL;
  CU_ASSERT(g_rename(root, moved) == 0);
  MUST((there = open_known(1, moved, known, false, error)) != NULL);
  CU_ASSERT(there != NULL && strcmp(there, known) == 0);
}

static void
a_tree_that_is_not_there_counts_as_not_mounted(void)
{
  g_autofree char *root = new_path(), *known = make_tree(root);
  g_autofree char *away = g_strconcat(root, "-away", NULL);
  CU_ASSERT(g_rename(root, away) == 0);
  CU_ASSERT(is_refused(2, root, known, "is not there, and was the Maildir", __LINE__));
  CU_ASSERT(g_access(root, F_OK) != 0);

  /* The folder that it is mounted on: empty, with what a new file system has, or with other mail. */
  CU_ASSERT(g_mkdir(root, 0700) == 0);
  for (unsigned side = 1; side <= 2; side++)
    CU_ASSERT(is_refused(side, root, known, "has no file .mailhaul", __LINE__));
  CU_ASSERT(run(root, "mkdir lost+found"));
  for (unsigned side = 1; side <= 2; side++)
    CU_ASSERT(is_refused(side, root, known, "has no file .mailhaul", __LINE__));
  CU_ASSERT(run(root, "test \"$(ls -A)\" = lost+found; mkdir -p cur new tmp; echo x > cur/1.x"));
  for (unsigned side = 1; side <= 2; side++)
    CU_ASSERT(is_refused(side, root, known, "has no file .mailhaul", __LINE__));
  CU_ASSERT(run(root, "test ! -e .mailhaul -a \"$(find cur new tmp -type f)\" = cur/1.x"));
}

static void
another_tree_is_told_from_it(void)
{
  g_autofree char *root = new_path(), *known = make_tree(root);
  g_autofree char *other = new_path(), *others = make_tree(other);
  CU_ASSERT(strcmp(known, others) != 0);
  for (unsigned side = 1; side <= 2; side++) {
    CU_ASSERT(is_refused(side, other, known, others + strlen("maildir:"), __LINE__));
    CU_ASSERT(is_refused(side, other, known, known + strlen("maildir:"), __LINE__));
  }
}

static void
one_begins_anew_only_when_told(void)
{
  g_autofree char *root = new_path(), *known = make_tree(root), *fresh = NULL;
  CU_ASSERT(run(root, "rm .mailhaul"));
  CU_ASSERT(is_refused(2, root, known, "has no file .mailhaul", __LINE__));
  MUST((fresh = open_known(2, root, known, true, error)) != NULL);
  CU_ASSERT(fresh != NULL && strcmp(fresh, known) != 0 && strlen(fresh) == strlen(known));
}

static void
a_source_that_had_no_name_needs_none(void)
{
  g_autofree char *root = new_path(), *identity = NULL, *again = NULL;
  CU_ASSERT(g_mkdir(root, 0700) == 0 && run(root, "mkdir cur new tmp"));
  MUST((identity = open_known(1, root, NULL, false, error)) != NULL);
  CU_ASSERT(identity != NULL && g_str_has_prefix(identity, "maildir:path:"));
  MUST((again = open_known(1, root, identity, false, error)) != NULL);
  CU_ASSERT(run(root, "test ! -e .mailhaul"));
}

/* Field notes M-6: it is read whole or not at all, and at most 4 KiB of it. */
static void
a_damaged_identity_is_named_and_left_alone(void)
{
  static const char *const damages[] = {
    "printf '\\377\\376\\000garbage' > .mailhaul",
    "printf '[maildir]' > .mailhaul",
    "printf '[maildir]\\nuuid=' > .mailhaul",
    "printf '[maildir]\\nuuid=../../etc' > .mailhaul",
    "rm -f .mailhaul; truncate -s 1G .mailhaul",
    "rm -f .mailhaul; mkfifo .mailhaul",
    "rm -f .mailhaul; ln -s /etc/passwd .mailhaul",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
    g_autofree char *root = new_path(), *known = make_tree(root);
    CU_ASSERT(run(root, damages[i]));
    g_autoptr(GError) why = NULL;
    g_autofree char *identity = open_known(2, root, known, false, &why);
    CU_ASSERT(identity == NULL);
    CHECK_ERROR(why, HAUL_ERROR_ACCOUNT, "maildir", ".mailhaul");
    CU_ASSERT(run(
        root, "test -e .mailhaul -o -p .mailhaul && test -z \"$(ls cur new tmp | grep -v :)\""));
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(the_tree_of_the_last_run_is_opened),
    CASE(a_tree_that_is_not_there_counts_as_not_mounted),
    CASE(another_tree_is_told_from_it),
    CASE(one_begins_anew_only_when_told),
    CASE(a_source_that_had_no_name_needs_none),
    CASE(a_damaged_identity_is_named_and_left_alone),
  };
  scratch = g_dir_make_tmp("maildir-XXXXXX", NULL);
  g_assert(scratch != NULL);
  subject.plugin = &haul_plugin_maildir;
  int code = RUN_SUITE("maildir identity", cases);
  g_autofree char *command = g_strdup_printf("rm -rf '%s'", scratch);
  return system(command) == 0 ? code : EXIT_FAILURE;
}
