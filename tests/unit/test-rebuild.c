/* Tests rebuild.c: a listing made of pairs, of what changed and of what is gone. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rebuild.h"

/* Of a folder; "~5" is a stray; ids at the destination are those of the source. "!": its copy is gone; "x7" is an id that is
 * no number. What is in @expected ends in "'" if it is as it was agreed on, not as it was told. */
typedef struct {
  unsigned side;
  const char *pairs, *changed, *gone; /* changed: NULL if nothing was asked */
  uint64_t n_messages;
  const char *expected; /* NULL: not to be believed */
} Row;

#define AGREED 1u
#define TOLD 2u

static HaulId
read_id(HaulListing *listing, const char *word)
{
  g_autofree char *id = g_strndup(word, strcspn(word, "!"));
  return strcmp(id, "0") == 0 ? 0 : haul_id_intern(listing->ids, id);
}

static void
read_pairs(HaulListing *listing, const char *text, GArray *pairs, GArray *strays)
{
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  for (char **word = words; *word != NULL; word++) {
    HaulId id = read_id(listing, *word + (**word == '~'));
    HaulPair pair = { .id1 = id, .id2 = id, .flags = AGREED, .gone = strchr(*word, '!') != NULL };
    if (**word == '~')
      g_array_append_val(strays, id);
    else if (**word != '\0')
      g_array_append_val(pairs, pair);
  }
}

static void
read_changes(HaulListing *listing, const char *changed, const char *gone)
{
  g_auto(GStrv) ids = g_strsplit(changed, " ", -1), ranges = g_strsplit(gone, " ", -1);
  for (char **id = ids; *id != NULL; id++) {
    HaulEntry entry = { .id = read_id(listing, *id), .flags = TOLD };
    if (**id != '\0')
      g_array_append_val(listing->items, entry);
  }
  for (char **text = ranges; *text != NULL; text++) {
    const char *colon = strchr(*text, ':');
    HaulIdRange range = { strtoull(*text, NULL, 10), colon == NULL ? strtoull(*text, NULL, 10)
                                                     : colon[1] == '*'
                                                         ? UINT64_MAX
                                                         : strtoull(colon + 1, NULL, 10) };
    if (**text != '\0')
      g_array_append_val(listing->gone, range);
  }
}

static char *
describe(const HaulListing *listing)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < listing->items->len; i++) {
    const HaulEntry *entry = &g_array_index(listing->items, HaulEntry, i);
    HaulIdBuffer buffer;
    g_string_append_printf(text, "%s%s%s", i > 0 ? " " : "", haul_id_text(entry->id, &buffer),
                           entry->flags == AGREED ? "'" : "");
  }
  return g_string_free(text, FALSE);
}

static void
check_rows(const Row *rows, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    const Row *row = &rows[i];
    g_autoptr(HaulListing) listing = haul_listing_new(HAUL_LIST_CHANGES);
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
    g_autoptr(GArray) strays = g_array_new(FALSE, FALSE, sizeof(HaulId));
    read_pairs(listing, row->pairs, pairs, strays);
    if (row->changed != NULL)
      read_changes(listing, row->changed, row->gone);
    listing->n_messages = row->n_messages;
    bool believed = haul_rebuild_listing(listing, pairs, strays, row->side, row->changed != NULL);
    g_autofree char *text = believed ? describe(listing) : NULL;
    CU_ASSERT_EQUAL(g_strcmp0(text, row->expected), 0);
    if (g_strcmp0(text, row->expected) != 0)
      printf("row %zu gives [%s], not [%s]\n", i, text, row->expected);
  }
}

#define CHECK_ROWS(rows) check_rows(rows, G_N_ELEMENTS(rows))

static void
what_did_not_change_is_as_both_sides_agreed(void)
{
  static const Row rows[] = {
    { 1, "1 2 3", "", "", 3, "1' 2' 3'" },
    { 1, "3 1 2", "", "", 3, "1' 2' 3'" },
    { 1, "", "", "", 0, "" },
    { 1, "1 2 3", "2", "", 3, "1' 2 3'" },
    { 1, "1 2 3", "9 4 1", "", 5, "1 2' 3' 4 9" },
    { 2, "2 5", "1 3", "", 4, "1 2' 3 5'" },
  };
  CHECK_ROWS(rows);
}

static void
what_is_gone_is_left_out_by_ranges(void)
{
  static const Row rows[] = {
    { 1, "1 2 3 4 5", "", "2", 4, "1' 3' 4' 5'" },
    { 1, "1 2 3 4 5", "", "4:5 1:2", 1, "3'" },
    { 1, "1 2 3 4 5", "", "2:4 3 1:2 3:3", 1, "5'" },
    { 1, "1 2 3", "", "7:9 4", 3, "1' 2' 3'" },
    { 1, "1 2 3", "", "1:4294967295", 0, "" },
    { 1, "1 2 3", "", "2:*", 1, "1'" },
    { 1, "1 2 3", "2", "1:*", 1, "2" }, /* told later, and so it is there */
  };
  CHECK_ROWS(rows);
}

static void
a_copy_that_was_gone_before_is_not_expected(void)
{
  static const Row rows[] = {
    { 1, "1 2! 3", "", "", 3, "1' 2' 3'" },
    { 2, "1 2! 3", "", "", 2, "1' 3'" },
    { 2, "1 2! 3", "2", "", 3, "1' 2 3'" }, /* it came back */
    { 2, "1 0 3", "", "", 2, "1' 3'" },     /* one of which the id is not known */
  };
  CHECK_ROWS(rows);
}

static void
what_no_pair_covers_is_there_all_the_same(void)
{
  static const Row rows[] = {
    { 1, "1 2 ~3", "", "", 2, "1' 2'" }, /* at the destination only */
    { 2, "1 2 ~3", "", "", 3, "1' 2' 3" },
    { 2, "1 ~2 3 ~4", "2 5", "4", 4, "1' 2 3' 5" },
    { 2, "x1 ~x2", NULL, NULL, 2, "x1' x2" },
    { 2, "1 2 ~2", "", "", 2, "1' 2'" }, /* since then a pair covers it */
    { 2, "1 2 ~2", NULL, NULL, 2, "1' 2'" },
    { 2, "1 2 ~2", NULL, NULL, 3, NULL },
    { 2, "1 2! ~2", NULL, NULL, 2, NULL },
  };
  CHECK_ROWS(rows);
}

static void
only_what_adds_up_is_believed(void)
{
  static const Row rows[] = {
    { 1, "1 2 3", "", "", 2, NULL }, /* one is gone, and was not told */
    { 1, "1 2 3", "", "", 4, NULL }, /* one is new, or no pair covers it */
    { 1, "1 2 3", "4", "2", 4, NULL }, { 1, "1 2 3", "", "", HAUL_UNKNOWN, NULL },
    { 1, "1 2", "3 3", "", 3, NULL }, /* the same one twice, and one is missing */
    { 1, "1 2", "3 3", "", 4, NULL },  { 1, "1 2 2", "", "", 3, NULL },
    { 2, "1 0 3", "", "", 3, NULL },
  };
  CHECK_ROWS(rows);
}

static void
ids_that_are_no_numbers_have_no_place_among_others(void)
{
  static const Row rows[] = {
    { 1, "x2 x1", "", "", 2, NULL },
    { 1, "1 2", "x3", "", 3, NULL },
    /* Where nothing was asked there is nothing to find a place for. */
    { 1, "x2 x1", NULL, NULL, 2, "x2' x1'" },
    { 2, "x2 x1! 7", NULL, NULL, 2, "x2' 7'" },
    { 1, "x2 x1", NULL, NULL, 3, NULL },
    { 1, "x2 x1", NULL, NULL, HAUL_UNKNOWN, NULL },
  };
  CHECK_ROWS(rows);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_did_not_change_is_as_both_sides_agreed),
    CASE(what_is_gone_is_left_out_by_ranges),
    CASE(a_copy_that_was_gone_before_is_not_expected),
    CASE(what_no_pair_covers_is_there_all_the_same),
    CASE(only_what_adds_up_is_believed),
    CASE(ids_that_are_no_numbers_have_no_place_among_others),
  };
  return RUN_SUITE("rebuild", cases);
}
