/* The report for people: a line for a folder in which something was done, for each message that was not copied,
 * and for the whole. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include <mailhaul/message.h>
#include <mailhaul/text.h>

/* Of the messages of a folder that were not copied; the rest is in the log and in report files. */
#define SHOWN_TROUBLES 100u

static void
print_trouble(const HaulTally *tally, const HaulTrouble *trouble, FILE *out)
{
  g_autofree char *path = haul_text_display(tally->path1, strlen(tally->path1));
  g_autofree char *detail = haul_text_display(trouble->detail, strlen(trouble->detail));
  g_autofree char *id = haul_text_display(trouble->id != NULL ? trouble->id : "?",
                                          trouble->id != NULL ? strlen(trouble->id) : 1);
  fprintf(out, "%s, message %s", path, id);
  if (trouble->message_id != NULL) {
    g_autofree char *shown = haul_text_display(trouble->message_id, strlen(trouble->message_id));
    fprintf(out, " %s", shown);
  }
  if (trouble->size != HAUL_UNKNOWN)
    fprintf(out, ", %" PRIu64 " octets", trouble->size);
  if (trouble->date != HAUL_NO_DATE) {
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(trouble->date);
    g_autofree char *day = date != NULL ? g_date_time_format(date, "%Y-%m-%d") : NULL;
    fprintf(out, ", of %s", day != NULL ? day : "?");
  }
  fprintf(out, ": not copied: %s [%s]\n", detail, trouble->reason);
}

static void
print_troubles(const HaulTally *tally, FILE *out)
{
  g_autofree char *path = haul_text_display(tally->path1, strlen(tally->path1));
  if (tally->failed != NULL) {
    g_autofree char *detail = haul_text_display(tally->failed_detail, strlen(tally->failed_detail));
    fprintf(out, "%s: %s [%s]\n", path, detail, tally->failed);
  }
  guint n = tally->troubles->len;
  for (guint i = 0; i < MIN(n, SHOWN_TROUBLES); i++)
    print_trouble(tally, &g_array_index(tally->troubles, HaulTrouble, i), out);
  if (n > SHOWN_TROUBLES)
    fprintf(out, "%s: and %u more that were not copied; --report FILE.json lists them\n", path,
            n - SHOWN_TROUBLES);
}

static bool
is_at_rest(const HaulTally *tally)
{
  return tally->n[HAUL_STATE_THERE] == tally->source && tally->n_flags == 0
         && tally->leaving.n_gone == 0 && tally->leaving2.n_gone == 0;
}

/* Says of what was not selected why. */
static void
print_left_out(const HaulTally *total, FILE *out)
{
  for (unsigned verdict = HAUL_VERDICT_SELECTED + 1; verdict < HAUL_N_VERDICTS; verdict++)
    if (total->n_left_out[verdict] > 0)
      fprintf(out, "%" PRIu64 " filtered: %s [%s]\n", total->n_left_out[verdict],
              haul_reason_find(haul_verdict_reason(verdict))->what, haul_verdict_reason(verdict));
}

/* What became of a folder's messages: in short where all of them are there now. */
static char *
outcome_of(const HaulTally *tally)
{
  uint64_t n_copied = tally->n[HAUL_STATE_COPIED], n_there = tally->n[HAUL_STATE_THERE];
  if (n_copied + n_there < tally->source)
    return haul_tally_sentence(tally);
  return n_there == 0
             ? g_strdup_printf("%" PRIu64 " copied", n_copied)
             : g_strdup_printf("%" PRIu64 " copied, %" PRIu64 " already there", n_copied, n_there);
}

/* A line for a folder in which not all was there already. */
static void
print_folder(const HaulTally *tally, FILE *out)
{
  if (is_at_rest(tally))
    return;
  g_autofree char *path1 = haul_text_display(tally->path1, strlen(tally->path1));
  g_autofree char *path2 = haul_text_display(tally->path2, strlen(tally->path2));
  g_autofree char *outcome = outcome_of(tally);
  fprintf(out, "%s -> %s: %s", path1, path2, outcome);
  if (tally->batch.n_sessions > 1)
    fprintf(out, ", in %u batches", tally->batch.n_sessions);
  if (tally->n_repaired > 0)
    fprintf(out, "; %" PRIu64 " of them repaired", tally->n_repaired);
  if (tally->n_flags > 0)
    fprintf(out, "; flags of %" PRIu64 " changed", tally->n_flags);
  if (tally->leaving.n_gone > 0)
    fprintf(out, "; %" PRIu64 " deleted at the source", tally->leaving.n_gone);
  if (tally->leaving2.n_gone > 0)
    fprintf(out, "; %" PRIu64 " deleted at the destination", tally->leaving2.n_gone);
  fputc('\n', out);
}

/* Whoever misses mail there is to know why. */
static void
print_batches(const HaulTally *tally, FILE *out)
{
  if (!haul_batch_has_shown(&tally->batch))
    return;
  g_autofree char *path = haul_text_display(tally->path1, strlen(tally->path1));
  fprintf(out, "%s is shown in batches: what was read there before may be hidden\n", path);
}

void
haul_report_print(HaulReport *report, double seconds, FILE *out)
{
  HaulTally total = haul_report_total(report);
  for (guint i = 0; i < haul_report_folders(report)->len; i++)
    print_folder(haul_report_folders(report)->pdata[i], out);
  for (guint i = 0; i < haul_report_folders(report)->len; i++)
    print_troubles(haul_report_folders(report)->pdata[i], out);
  g_autofree char *sentence = haul_tally_sentence(&total);
  fprintf(out, "%s\n", sentence);
  print_left_out(&total, out);
  for (guint i = 0; i < haul_report_folders(report)->len; i++)
    print_batches(haul_report_folders(report)->pdata[i], out);
  if (total.n_moved > 0)
    fprintf(out,
            "%" PRIu64 " of them moved to another folder at the source: copied by the destination "
            "itself\n",
            total.n_moved);
  if (total.n_linked > total.n_moved)
    fprintf(out, "%" PRIu64 " messages, %" PRIu64 " copies\n",
            total.n[HAUL_STATE_COPIED] - total.n_linked, total.n[HAUL_STATE_COPIED]);
  if (total.n_conflicts > 0)
    fprintf(out, "%" PRIu64 " messages with the id of another but other content: copied, too\n",
            total.n_conflicts);
  if (total.n_repaired > 0)
    fprintf(out, "%" PRIu64 " messages repaired, since they were refused as they are\n",
            total.n_repaired);
  if (total.n_flags > 0)
    fprintf(out, "%" PRIu64 " messages with changed flags\n", total.n_flags);
  if (total.leaving.n_gone > 0)
    fprintf(out, "%" PRIu64 " messages deleted at the source\n", total.leaving.n_gone);
  if (total.leaving2.n_gone > 0)
    fprintf(out, "%" PRIu64 " messages deleted at the destination\n", total.leaving2.n_gone);
  if (total.leaving.n_unproven > 0)
    fprintf(out,
            "%" PRIu64 " messages not deleted at the source: their copies are not known well\n",
            total.leaving.n_unproven);
  g_autofree char *size = g_format_size_full(total.octets, G_FORMAT_SIZE_DEFAULT);
  fprintf(out, "%u folder%s, %s copied in %.1f s\n", haul_report_folders(report)->len,
          haul_report_folders(report)->len == 1 ? "" : "s", size, seconds);
}

void
haul_report_print_verified(HaulReport *report, double seconds, FILE *out)
{
  HaulTally total = haul_report_total(report);
  for (guint i = 0; i < haul_report_folders(report)->len; i++) {
    const HaulTally *tally = haul_report_folders(report)->pdata[i];
    g_autofree char *path1 = haul_text_display(tally->path1, strlen(tally->path1));
    g_autofree char *path2 = haul_text_display(tally->path2, strlen(tally->path2));
    uint64_t n_there = tally->n[HAUL_STATE_THERE];
    fprintf(out, "%s -> %s: %" PRIu64 " of %" PRIu64 " are there", path1, path2, n_there,
            tally->source);
    if (tally->n[HAUL_STATE_FILTERED] > 0)
      fprintf(out, ", %" PRIu64 " were not looked for", tally->n[HAUL_STATE_FILTERED]);
    if (tally->n_extra > 0)
      fprintf(out, ", and %" PRIu64 " more", tally->n_extra);
    if (tally->n_flags > 0)
      fprintf(out, "; %" PRIu64 " lack flags of the source", tally->n_flags);
    fputc('\n', out);
  }
  for (guint i = 0; i < haul_report_folders(report)->len; i++)
    print_troubles(haul_report_folders(report)->pdata[i], out);
  fprintf(out,
          "%" PRIu64 " of %" PRIu64 " messages are there; %" PRIu64
          " are at the destination alone; compared in %.1f s\n",
          total.n[HAUL_STATE_THERE], total.source, total.n_extra, seconds);
  print_left_out(&total, out);
}

void
haul_report_print_plan(HaulReport *report, FILE *out)
{
  HaulTally total = haul_report_total(report);
  for (guint i = 0; i < haul_report_folders(report)->len; i++)
    print_troubles(haul_report_folders(report)->pdata[i], out);
  g_autofree char *sentence = haul_tally_sentence(&total);
  fprintf(out, "planned: %s\n", sentence);
  if (total.n_linked > 0)
    fprintf(out, "%" PRIu64 " of them to be copied within the destination\n", total.n_linked);
  if (total.n_flags > 0)
    fprintf(out, "%" PRIu64 " messages whose flags are to be changed\n", total.n_flags);
  if (total.leaving.n_gone > 0)
    fprintf(out, "%" PRIu64 " messages to be deleted at the source\n", total.leaving.n_gone);
  if (total.leaving2.n_gone > 0)
    fprintf(out, "%" PRIu64 " messages to be deleted at the destination\n", total.leaving2.n_gone);
  g_autofree char *size = g_format_size_full(total.octets, G_FORMAT_SIZE_DEFAULT);
  fprintf(out, "%u folder%s, %" PRIu64 " to be made, %s to be copied; nothing was written\n",
          haul_report_folders(report)->len, haul_report_folders(report)->len == 1 ? "" : "s",
          total.n_created, size);
}
