/* Receipts of COPY, from octets to pairs of ids. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "../../plugins/imap/copyuid.h"

static bool
append_pair(uint32_t from, uint32_t to, void *data)
{
  g_string_append_printf(data, "%u>%u ", from, to);
  return true;
}

/* What is believed of @text where 1 to 10 and 20 were asked for; NULL if nothing is. */
static char *
believed(const char *text)
{
  g_autoptr(GArray) asked = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  const ImapRange ranges[] = { { 1, 10 }, { 20, 20 } };
  g_array_append_vals(asked, ranges, 2);
  g_auto(ImapCopyUid) copied;
  if (!imap_parse_copyuid((ImapCursor){ text, text + strlen(text) }, asked, &copied))
    return NULL;
  GString *pairs = g_string_new(NULL);
  g_string_printf(pairs, "%u: ", copied.uid_validity);
  imap_copyuid_each(&copied, append_pair, pairs);
  return g_string_free(pairs, FALSE);
}

static void
ids_pair_in_the_order_of_both_sets(void)
{
  static const struct {
    const char *text, *pairs;
  } table[] = {
    { "77 3 40", "77: 3>40 " },
    { "77 3:5 40:42", "77: 3>40 4>41 5>42 " },
    { "77 20,3:4 31,40:41", "77: 20>31 3>40 4>41 " },
    { "77 1:4 9,11:12,7", "77: 1>9 2>11 3>12 4>7 " },
    { "77 4:3 41:40", "77: 4>41 3>40 " },
    { "77 1:2 4294967294:4294967295", "77: 1>4294967294 2>4294967295 " },
    { "4294967295 3 5 ", "4294967295: 3>5 " },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *pairs = believed(table[i].text);
    CU_ASSERT(g_strcmp0(pairs, table[i].pairs) == 0);
  }
}

static void
what_cannot_be_true_is_dropped_unexpanded(void)
{
  static const char *const table[] = {
    "",
    "77",
    "77 3",
    "77 3 ",
    "0 3 40",
    "4294967296 3 40",
    "77 3:4 40",
    "77 3 40:41",
    "77 3,3 40:41",
    "77 3:5,4 40:43",
    "77 11 40",
    "77 10:11 40:41",
    "77 1:20 40:59",
    "77 1:4294967295 1:4294967295",
    "77 3:* 40:*",
    "77 * *",
    "77 0 40",
    "77 3 0",
    "77 x 40",
    "77 3 40 50",
    "77 3,, 40",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *pairs = believed(table[i]);
    CU_ASSERT(pairs == NULL);
    if (pairs != NULL)
      printf("\"%s\" is believed: %s\n", table[i], pairs);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(ids_pair_in_the_order_of_both_sets),
    CASE(what_cannot_be_true_is_dropped_unexpanded),
  };
  return run_suite("imap-copyuid", cases, G_N_ELEMENTS(cases));
}
