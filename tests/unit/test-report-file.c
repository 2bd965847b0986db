/* Tests report-file.c: reports that are written for programs and for people, of the same facts. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/message.h>

#include "report-file.h"

static HaulReport *
sample(void)
{
  HaulReport *report = haul_report_new();
  HaulTally *tally = haul_report_folder(report, "A<b>", "A\x1b&\"");
  tally->source = 3;
  haul_report_copied(report, tally, 100);
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_MESSAGE, "refused", "no <script>\x07");
  haul_report_trouble(report, tally, "7", why);
  HaulTrouble *trouble = &g_array_index(tally->troubles, HaulTrouble, 0);
  trouble->message_id = g_strdup("<a&b@example.org>");
  trouble->size = 1234;
  trouble->date = 86400;
  CU_ASSERT(haul_report_close(report, NULL));
  return report;
}

static const HaulReportFacts facts = {
  .source = "imap ann@old.example",
  .destination = "maildir /backup/\"ann\"",
  .began_at = 1700000000,
  .seconds = 1.25,
  .code = 114,
};

static void
check_has(const GString *text, const char *const *wanted)
{
  for (; *wanted != NULL; wanted++) {
    if (strstr(text->str, *wanted) == NULL)
      printf("lacks %s\n", *wanted);
    CU_ASSERT_PTR_NOT_NULL(strstr(text->str, *wanted));
  }
}

static void
json_has_each_message_that_was_not_copied(void)
{
  static const char *const wanted[] = {
    "{\"mailhaul\":\"",
    "\"source_account\":\"imap ann@old.example\"",
    "\"began_at\":\"2023-11-14T22:13:20Z\",\"milliseconds\":1250,\"exit\":114",
    "\"folders\":[{\"folder1\":\"A<b>\",\"folder2\":\"A\\u001b&\\\"\",\"source\":3,\"copied\":1",
    "\"not_copied\":[{\"id\":\"7\",\"reason\":\"refused\",\"detail\":\"no <script>\\u0007\","
    "\"message_id\":\"<a&b@example.org>\",\"size\":1234,\"date\":\"1970-01-02T00:00:00Z\"}]}]",
    "\"reasons\":[{\"reason\":\"refused\",\"what\":\"",
    "\"total\":{\"source\":3,\"copied\":1,\"already_there\":0",
    NULL,
  };
  g_autoptr(HaulReport) report = sample();
  g_autoptr(GString) text = haul_report_text(report, &facts, HAUL_REPORT_JSON);
  check_has(text, wanted);
  CU_ASSERT(g_str_has_suffix(text->str, "]}\n"));
}

static void
html_shows_what_came_from_outside_as_text(void)
{
  static const char *const wanted[] = {
    "<td>A&lt;b&gt;</td>",
    "no &lt;script&gt;",
    "&lt;a&amp;b@example.org&gt;",
    "<td class=n>1234",
    "1970-01-02",
    "maildir /backup/",
    "114: ",
    "</html>\n",
    NULL,
  };
  g_autoptr(HaulReport) report = sample();
  g_autoptr(GString) text = haul_report_text(report, &facts, HAUL_REPORT_HTML);
  check_has(text, wanted);
  CU_ASSERT_PTR_NULL(strstr(text->str, "<script"));
  CU_ASSERT_PTR_NULL(strchr(text->str, 0x1b));
}

static void
the_name_says_the_format(void)
{
  static const struct {
    const char *path;
    bool is_right;
    HaulReportFormat format;
  } table[] = {
    { "a.json", true, HAUL_REPORT_JSON },
    { "/x/a.html", true, HAUL_REPORT_HTML },
    { "a.JSON", false, 0 },
    { "report", false, 0 },
    { "a.json.txt", false, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    HaulReportFormat format;
    g_autoptr(GError) error = NULL;
    CU_ASSERT_EQUAL(haul_report_format_of(table[i].path, &format, &error), table[i].is_right);
    if (table[i].is_right) {
      CU_ASSERT_EQUAL(format, table[i].format);
      continue;
    }
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "--report");
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(json_has_each_message_that_was_not_copied),
    CASE(html_shows_what_came_from_outside_as_text),
    CASE(the_name_says_the_format),
  };
  return RUN_SUITE("report-file", cases);
}
