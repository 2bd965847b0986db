/* Tests which folders go at the destination because the source has none that goes there. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/plugin.h>

#include "plan-prune.h"

#define KNOWN .is_known = true

typedef struct {
  const char *what;
  HaulPruneFolder folders[4];
  const char *gone; /* in their order */
} Row;

static const Row rows[] = {
  { "one that the source had", { { "A", KNOWN } }, "A " },
  { "one that it never had", { { "A" } }, "" },
  { "one that is named", { { "A", .is_named = true } }, "A " },
  { "one that is needed", { { "A", KNOWN, .is_wanted = true } }, "" },
  { "one that is named and needed", { { "A", .is_named = true, .is_wanted = true } }, "" },
  { "one that is excepted", { { "A", KNOWN, .is_excepted = true } }, "" },
  { "INBOX", { { "INBOX", KNOWN }, { "inbox", .is_named = true } }, "" },
  { "what is below INBOX", { { "INBOX", KNOWN }, { "INBOX/A", KNOWN } }, "INBOX/A " },
  { "one for something", { { "A", KNOWN, .attributes = HAUL_FOLDER_SENT } }, "" },
  { "all for something",
    { { "A", KNOWN, .attributes = HAUL_FOLDER_TRASH },
      { "B", KNOWN, .attributes = HAUL_FOLDER_ARCHIVE },
      { "C", KNOWN, .attributes = HAUL_FOLDER_JUNK },
      { "D", KNOWN, .attributes = HAUL_FOLDER_DRAFTS } },
    "" },
  { "no mailbox", { { "A", KNOWN, .attributes = HAUL_FOLDER_NOSELECT } }, "" },
  { "a label", { { "A", KNOWN, .attributes = HAUL_FOLDER_LABEL } }, "" },
  { "children first", { { "A", KNOWN }, { "A/B/C", KNOWN }, { "A/B", KNOWN } }, "A/B/C A/B A " },
  { "parents of what stays",
    { { "A", KNOWN }, { "A/B", KNOWN }, { "A/B/C" }, { "A/D", KNOWN } },
    "A/D " },
  { "names that only begin alike", { { "A", KNOWN }, { "AB" }, { "A.B" } }, "A " },
};

static void
what_goes_and_what_stays(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    size_t n = 0;
    while (n < 4 && rows[i].folders[n].path != NULL)
      n++;
    g_autoptr(GArray) victims = haul_plan_prune(rows[i].folders, n);
    g_autoptr(GString) gone = g_string_new(NULL);
    for (guint k = 0; k < victims->len; k++)
      g_string_append_printf(gone, "%s ",
                             rows[i].folders[g_array_index(victims, uint32_t, k)].path);
    if (strcmp(gone->str, rows[i].gone) != 0)
      printf("%s: %s\n", rows[i].what, gone->str);
    CU_ASSERT_STRING_EQUAL(gone->str, rows[i].gone);
  }
}

int
main(void)
{
  static const Case cases[] = { CASE(what_goes_and_what_stays) };
  return RUN_SUITE("plan-prune", cases);
}
