/* sync: one account to another. */
#include "commands.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "output.h"
#include "report-file.h"
#include "result-file.h"

#define WHAT "the report"

/* "imap ann@imap.example", "maildir /backup/ann"; to be freed. */
static char *
account_text(const HaulAccount *account)
{
  static const struct {
    const char *key, *mark;
  } parts[] = { { "user", " " }, { "host", "@" }, { "path", " " } };
  GString *text = g_string_new(haul_account_plugin(account)->name);
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
    if (haul_account_has(account, parts[i].key) && haul_account_is_set(account, parts[i].key))
      g_string_append_printf(text, "%s%s", parts[i].mark,
                             haul_account_string(account, parts[i].key));
  return g_string_free(text, FALSE);
}

/* Writes the report of a run that is over. That it cannot be written is an error of a run that had none. */
static int
write_report(const HaulOptions *options, const char *path, HaulReport *report,
             HaulReportFacts *facts, GError **error)
{
  HaulReportFormat format;
  GError *why = NULL;
  g_autofree char *source = account_text(options->job.account1);
  g_autofree char *destination = account_text(options->job.account2);
  facts->source = source;
  facts->destination = destination;
  facts->error = *error != NULL ? (*error)->message : NULL;
  haul_report_format_of(options->report, &format, NULL);
  g_autoptr(GString) text = haul_report_text(report, facts, format);
  if (haul_result_file_write(path, WHAT, text, &why))
    return facts->code;
  if (*error != NULL) {
    haul_log(HAUL_LOG_ERROR, "%s", why->message);
    g_error_free(why);
    return facts->code;
  }
  g_propagate_error(error, why);
  return haul_reason_exit_code(haul_error_reason(*error), 0);
}

int
haul_command_transfer(HaulOptions *options, void *data, GError **error)
{
  const HaulJobOptions *job = &options->job;
  haul_log(HAUL_LOG_INFO, "mailhaul " HAUL_VERSION ": %s to %s%s",
           haul_account_plugin(job->account1)->name, haul_account_plugin(job->account2)->name,
           job->dry ? ", a plan only" : "");
  g_autoptr(HaulReport) report = haul_report_new();
  g_autofree char *report_file = NULL;
  if (options->report != NULL
      && (report_file = haul_result_file_find(options->report, WHAT, error)) == NULL)
    return haul_reason_exit_code(haul_error_reason(*error), 0);
  HaulReportFacts facts = { .began_at = g_get_real_time() / G_USEC_PER_SEC };
  gint64 start = g_get_monotonic_time();
  int code = haul_job_run(job, report, haul_output_planned(options->json), NULL, error);
  double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
  facts.seconds = seconds;
  facts.code = code;
  if (report_file != NULL && !job->dry)
    code = write_report(options, report_file, report, &facts, error);
  if (options->json)
    haul_output_events(report, seconds, code, *error);
  else if (!options->quiet && haul_report_folders(report)->len > 0) {
    if (job->dry)
      haul_report_print_plan(report, stdout);
    else
      haul_report_print(report, seconds, stdout);
  }
  haul_output_log(report, code, *error);
  return code;
}

int
haul_command_sync(int argc, char **argv)
{
  return haul_command_run(argc, argv, HAUL_COMMAND_SYNC, haul_command_transfer, NULL);
}
