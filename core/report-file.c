/* The report as a file: JSON for programs, HTML for people, of the same facts. */
#include "report-file.h"

#include <inttypes.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/message.h>
#include <mailhaul/text.h>

#include "json.h"
#include "report-json.h"

bool
haul_report_format_of(const char *path, HaulReportFormat *format, GError **error)
{
  *format = g_str_has_suffix(path, ".json") ? HAUL_REPORT_JSON : HAUL_REPORT_HTML;
  if (g_str_has_suffix(path, ".json") || g_str_has_suffix(path, ".html"))
    return true;
  g_autofree char *shown = haul_text_display(path, strlen(path));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "--report takes the name of a file that ends in .json or .html, not \"%s\"",
                 shown);
  return false;
}

static void
add_reason(GPtrArray *reasons, const char *code)
{
  const HaulReason *reason = haul_reason_find(code);
  if (!g_ptr_array_find(reasons, reason, NULL))
    g_ptr_array_add(reasons, (void *)reason);
}

/* Returns the reasons that the report names, of HaulReason, each once. */
static GPtrArray *
reasons_in(HaulReport *report)
{
  GPtrArray *reasons = g_ptr_array_new(), *folders = haul_report_folders(report);
  for (guint i = 0; i < folders->len; i++) {
    const HaulTally *tally = folders->pdata[i];
    if (tally->failed != NULL)
      add_reason(reasons, tally->failed);
    for (guint k = 0; k < tally->troubles->len; k++)
      add_reason(reasons, g_array_index(tally->troubles, HaulTrouble, k).reason);
  }
  return reasons;
}

/* ---- JSON ---- */

static void
json_folder(GString *json, const HaulTally *tally)
{
  haul_json_open(json, NULL, '{');
  haul_json_text(json, "folder1", tally->path1);
  haul_json_text(json, "folder2", tally->path2);
  haul_report_json_numbers(json, tally);
  haul_json_text(json, "error", tally->failed);
  haul_json_text(json, "detail", tally->failed_detail);
  haul_json_open(json, "not_copied", '[');
  for (guint i = 0; i < tally->troubles->len; i++) {
    haul_json_open(json, NULL, '{');
    haul_report_json_trouble(json, &g_array_index(tally->troubles, HaulTrouble, i));
    haul_json_close(json, '}');
  }
  haul_json_close(json, ']');
  haul_json_close(json, '}');
}

static GString *
json_report(HaulReport *report, const HaulReportFacts *facts)
{
  GString *json = g_string_new(NULL);
  GPtrArray *folders = haul_report_folders(report);
  g_autoptr(GPtrArray) reasons = reasons_in(report);
  g_autofree char *began_at = haul_report_time(facts->began_at);
  HaulTally total = haul_report_total(report);
  haul_json_open(json, NULL, '{');
  haul_json_text(json, "mailhaul", HAUL_VERSION);
  haul_json_text(json, "source_account", facts->source);
  haul_json_text(json, "destination_account", facts->destination);
  haul_json_text(json, "began_at", began_at);
  haul_json_number(json, "milliseconds", (uint64_t)(facts->seconds * 1000));
  haul_json_number(json, "exit", (uint64_t)facts->code);
  haul_json_text(json, "meaning", haul_exit_code_meaning(facts->code));
  haul_json_text(json, "error", facts->error);
  haul_json_open(json, "total", '{');
  haul_report_json_numbers(json, &total);
  haul_json_close(json, '}');
  haul_json_open(json, "folders", '[');
  for (guint i = 0; i < folders->len; i++)
    json_folder(json, folders->pdata[i]);
  haul_json_close(json, ']');
  haul_json_open(json, "reasons", '[');
  for (guint i = 0; i < reasons->len; i++) {
    const HaulReason *reason = reasons->pdata[i];
    haul_json_open(json, NULL, '{');
    haul_json_text(json, "reason", reason->code);
    haul_json_text(json, "what", reason->what);
    haul_json_text(json, "advice", reason->advice);
    haul_json_close(json, '}');
  }
  haul_json_close(json, ']');
  haul_json_close(json, '}');
  g_string_append_c(json, '\n');
  return json;
}

/* ---- HTML ---- */

/* Texts from outside are made fit to be shown, and then fit for HTML. */
static void
html_cell(GString *html, const char *text)
{
  g_autofree char *shown =
      haul_text_display(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
  g_autofree char *escaped = g_markup_escape_text(shown, -1);
  g_string_append_printf(html, "<td>%s</td>", escaped);
}

static void
html_number(GString *html, uint64_t number)
{
  if (number == HAUL_UNKNOWN)
    g_string_append(html, "<td></td>");
  else
    g_string_append_printf(html, "<td class=n>%" PRIu64 "</td>", number);
}

static void
html_fact(GString *html, const char *name, const char *text)
{
  if (text == NULL)
    return;
  g_string_append_printf(html, "<tr><th>%s</th>", name);
  html_cell(html, text);
  g_string_append(html, "</tr>\n");
}

static void
html_facts(GString *html, const HaulReportFacts *facts)
{
  g_autofree char *began_at = haul_report_time(facts->began_at);
  g_autofree char *took = g_strdup_printf("%.1f s", facts->seconds);
  g_autofree char *code =
      g_strdup_printf("%d: %s", facts->code, haul_exit_code_meaning(facts->code));
  g_string_append(html, "<table>\n");
  html_fact(html, "source", facts->source);
  html_fact(html, "destination", facts->destination);
  html_fact(html, "began at", began_at);
  html_fact(html, "took", took);
  html_fact(html, "exit code", code);
  html_fact(html, "error", facts->error);
  g_string_append(html, "</table>\n");
}

static void
html_tally(GString *html, const char *path1, const char *path2, const HaulTally *tally)
{
  g_string_append(html, "<tr>");
  html_cell(html, path1);
  html_cell(html, path2);
  html_number(html, tally->source);
  for (size_t state = 0; state < HAUL_N_STATES; state++)
    html_number(html, tally->n[state]);
  html_number(html, tally->octets);
  html_cell(html, tally->failed_detail);
  g_string_append(html, "</tr>\n");
}

static void
html_folders(GString *html, HaulReport *report)
{
  GPtrArray *folders = haul_report_folders(report);
  HaulTally total = haul_report_total(report);
  g_string_append(html, "<h2>Folders</h2>\n<table>\n<tr><th>source</th><th>destination</th>"
                        "<th>messages</th>");
  for (size_t state = 0; state < HAUL_N_STATES; state++)
    g_string_append_printf(html, "<th>%s</th>", haul_state_name((HaulState)state));
  g_string_append(html, "<th>octets</th><th>error</th></tr>\n");
  for (guint i = 0; i < folders->len; i++) {
    const HaulTally *tally = folders->pdata[i];
    html_tally(html, tally->path1, tally->path2, tally);
  }
  html_tally(html, "all", "", &total);
  g_string_append(html, "</table>\n");
}

static void
html_trouble(GString *html, const HaulTally *tally, const HaulTrouble *trouble)
{
  g_autofree char *date = haul_report_time(trouble->date);
  g_string_append(html, "<tr>");
  html_cell(html, tally->path1);
  html_cell(html, trouble->id);
  html_cell(html, trouble->message_id);
  html_cell(html, date);
  html_number(html, trouble->size);
  html_cell(html, trouble->reason);
  html_cell(html, trouble->detail);
  g_string_append(html, "</tr>\n");
}

static void
html_troubles(GString *html, HaulReport *report)
{
  GPtrArray *folders = haul_report_folders(report);
  g_string_append(html,
                  "<h2>Messages that were not copied</h2>\n<table>\n<tr><th>folder</th><th>id</th>"
                  "<th>Message-Id</th><th>date</th><th>octets</th><th>reason</th>"
                  "<th>what was said</th></tr>\n");
  for (guint i = 0; i < folders->len; i++) {
    const HaulTally *tally = folders->pdata[i];
    for (guint k = 0; k < tally->troubles->len; k++)
      html_trouble(html, tally, &g_array_index(tally->troubles, HaulTrouble, k));
  }
  g_string_append(html, "</table>\n");
}

static void
html_reasons(GString *html, const GPtrArray *reasons)
{
  g_string_append(html, "<h2>What to do</h2>\n<table>\n");
  for (guint i = 0; i < reasons->len; i++) {
    const HaulReason *reason = reasons->pdata[i];
    g_string_append_printf(html, "<tr><th>%s</th>", reason->code);
    html_cell(html, reason->what);
    html_cell(html, reason->advice);
    g_string_append(html, "</tr>\n");
  }
  g_string_append(html, "</table>\n");
}

static GString *
html_report(HaulReport *report, const HaulReportFacts *facts)
{
  GString *html = g_string_new(
      "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>mailhaul: report</title>\n"
      "<style>body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}"
      "th,td{border:1px solid #ccc;padding:.2em .5em;text-align:left;vertical-align:top}"
      ".n{text-align:right}</style></head>\n<body>\n<h1>mailhaul " HAUL_VERSION "</h1>\n");
  g_autoptr(GPtrArray) reasons = reasons_in(report);
  html_facts(html, facts);
  html_folders(html, report);
  if (reasons->len > 0) {
    html_troubles(html, report);
    html_reasons(html, reasons);
  }
  g_string_append(html, "</body></html>\n");
  return html;
}

GString *
haul_report_text(HaulReport *report, const HaulReportFacts *facts, HaulReportFormat format)
{
  return format == HAUL_REPORT_JSON ? json_report(report, facts) : html_report(report, facts);
}
