/* Tests creation.c. Folders are written as "PATH:", with a "-" behind it where they are empty. */
#include "suite.h"

#include <string.h>

#include <glib.h>

#include "creation.h"

static void
what_is_empty_and_holds_others_comes_last_and_the_deepest_first(void)
{
  static const char *const table[][2] = {
    { "", "" },
    { "a: b:", "a b" },
    { "a:- b:-", "a b" },
    { "a: a/b:", "a a/b" }, /* it holds mail: that decides */
    { "a:- a/b:", "a/b a" },
    { "a:- a/b:- a/b/c: z:", "a/b/c z a/b a" },
    { "a:- a/b:- z:-", "a/b z a" },
    { "a:- a b:- a/b/c:- ab:-", "a b a/b/c ab a" },
    { "a:- a/b: a/b/c:", "a/b a/b/c a" },
    { "a/b/c: a/b/d: b:- b/c/d:-", "a/b/c a/b/d b/c/d b" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(GStrv) words = g_strsplit(table[i][0], *table[i][0] != '\0' ? ":" : " ", -1);
    g_autoptr(GArray) creations = g_array_new(FALSE, FALSE, sizeof(HaulCreation));
    for (guint k = 0; words[k] != NULL && words[k + 1] != NULL; k++) {
      char *path = words[k] + strspn(words[k], "- ");
      HaulCreation one = { path, *words[k + 1] == '-', k };
      g_array_append_val(creations, one);
    }
    haul_creation_order((HaulCreation *)(void *)creations->data, creations->len);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint k = 0; k < creations->len; k++) {
      const HaulCreation *one = &g_array_index(creations, HaulCreation, k);
      g_string_append_printf(text, "%s%s", k > 0 ? " " : "", one->path);
      CU_ASSERT_PTR_EQUAL(one->path, words[one->index] + strspn(words[one->index], "- "));
    }
    CU_ASSERT_STRING_EQUAL(text->str, table[i][1]);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_is_empty_and_holds_others_comes_last_and_the_deepest_first),
  };
  return RUN_SUITE("creation", cases);
}
