/* What a run says. */
#include "output.h"

#include <inttypes.h>
#include <string.h>

#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "json.h"
#include "report-json.h"

/* ---- a plan ---- */

static void
print_planned(const char *path1, const char *path2, const char *deed, const char *text, void *data)
{
  g_autofree char *shown1 = haul_text_display(path1, strlen(path1));
  g_autofree char *shown2 = haul_text_display(path2, strlen(path2));
  printf("%s -> %s: %s\n", shown1, shown2, text);
}

static void
json_planned(const char *path1, const char *path2, const char *deed, const char *text, void *data)
{
  GString *json = haul_json_begin("plan");
  haul_json_text(json, "folder1", path1);
  haul_json_text(json, "folder2", path2);
  haul_json_text(json, "deed", deed);
  haul_json_text(json, "text", text);
  haul_json_end(json, stdout);
}

HaulPreviewFunc
haul_output_planned(bool json)
{
  return json ? json_planned : print_planned;
}

/* ---- a run ---- */

void
haul_output_events(HaulReport *report, double seconds, int code, const GError *error)
{
  GPtrArray *folders = haul_report_folders(report);
  for (guint i = 0; i < folders->len; i++) {
    const HaulTally *tally = folders->pdata[i];
    GString *json = haul_json_begin("folder");
    haul_json_text(json, "folder1", tally->path1);
    haul_json_text(json, "folder2", tally->path2);
    haul_report_json_numbers(json, tally);
    haul_json_text(json, "error", tally->failed);
    haul_json_text(json, "detail", tally->failed_detail);
    haul_json_end(json, stdout);
    for (guint k = 0; k < tally->troubles->len; k++) {
      const HaulTrouble *trouble = &g_array_index(tally->troubles, HaulTrouble, k);
      json = haul_json_begin("not-copied");
      haul_json_text(json, "folder1", tally->path1);
      haul_report_json_trouble(json, trouble);
      haul_json_end(json, stdout);
    }
  }
  HaulTally total = haul_report_total(report);
  GString *json = haul_json_begin("end");
  haul_json_number(json, "exit", (uint64_t)code);
  haul_json_text(json, "error", error != NULL ? error->message : NULL);
  haul_report_json_numbers(json, &total);
  haul_json_number(json, "milliseconds", (uint64_t)(seconds * 1000));
  haul_json_end(json, stdout);
}

void
haul_output_log(HaulReport *report, int code, const GError *error)
{
  GPtrArray *folders = haul_report_folders(report);
  for (guint i = 0; i < folders->len; i++) {
    const HaulTally *tally = folders->pdata[i];
    g_autofree char *sentence = haul_tally_sentence(tally);
    haul_log(HAUL_LOG_INFO, "%s -> %s: %s", tally->path1, tally->path2, sentence);
    for (guint k = 0; k < tally->troubles->len; k++) {
      const HaulTrouble *trouble = &g_array_index(tally->troubles, HaulTrouble, k);
      haul_log(HAUL_LOG_INFO, "%s, message %s %s: not copied: %s [%s]", tally->path1,
               trouble->id != NULL ? trouble->id : "?",
               trouble->message_id != NULL ? trouble->message_id : "", trouble->detail,
               trouble->reason);
    }
  }
  haul_log(HAUL_LOG_INFO, "end: exit code %d%s%s", code, error != NULL ? ": " : "",
           error != NULL ? error->message : "");
}
