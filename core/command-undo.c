/* undo: what runs have added to the destination, and taking it back. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "json.h"
#include "undo.h"

/* ---- the list ---- */

static char *
time_text(int64_t seconds)
{
  g_autoptr(GDateTime) time = seconds != 0 ? g_date_time_new_from_unix_utc(seconds) : NULL;
  return time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

static void
print_run(const HaulRun *run, void *data)
{
  g_autofree char *started = time_text(run->started_at), *undone = time_text(run->undone_at);
  printf("run %" PRId64 ", %s: %" PRIu64 " messages added%s%s\n", run->number,
         started != NULL ? started : "?", run->n_added,
         undone != NULL ? " that are left; undone " : "", undone != NULL ? undone : "");
}

static void
json_run(const HaulRun *run, void *data)
{
  g_autofree char *started = time_text(run->started_at), *undone = time_text(run->undone_at);
  GString *json = haul_json_begin("run");
  haul_json_number(json, "run", (uint64_t)run->number);
  haul_json_text(json, "started", started);
  haul_json_text(json, "undone", undone);
  haul_json_number(json, "added", run->n_added);
  haul_json_end(json, stdout);
}

/* ---- undoing one ---- */

static void
print_message(const char *path2, const char *id2, const char *why, void *data)
{
  g_autofree char *shown = haul_text_display(path2, strlen(path2));
  g_autofree char *id = haul_text_display(id2 != NULL ? id2 : "?", id2 != NULL ? strlen(id2) : 1);
  printf("%s: message %s %s%s\n", shown, id, why != NULL ? "stays: " : "would be removed",
         why != NULL ? why : "");
}

static void
json_message(const char *path2, const char *id2, const char *why, void *data)
{
  GString *json = why != NULL ? haul_json_begin("kept") : haul_json_begin("removal");
  haul_json_text(json, "folder", path2);
  haul_json_text(json, "id", id2);
  haul_json_text(json, "why", why);
  haul_json_end(json, stdout);
}

static void
say_nothing(const char *path2, const char *id2, const char *why, void *data)
{
}

static void
tell_sum(const HaulOptions *options, int64_t run, const HaulUndoSum *sum, int code,
         const GError *error)
{
  if (options->json) {
    GString *json = haul_json_begin("end");
    haul_json_number(json, "exit", (uint64_t)code);
    haul_json_text(json, "error", error != NULL ? error->message : NULL);
    haul_json_number(json, "removed", sum->n_removed);
    haul_json_number(json, "absent", sum->n_absent);
    haul_json_number(json, "kept", sum->n_kept);
    haul_json_end(json, stdout);
  } else if (!options->quiet && error == NULL) {
    printf("%" PRIu64 " messages of run %" PRId64 " %s, %" PRIu64
           " were not there any more, %" PRIu64 " stay\n",
           sum->n_removed, run, options->job.dry ? "would be removed" : "removed", sum->n_absent,
           sum->n_kept);
  }
}

/* @data: the number of the run, an int64_t; 0: none, they are listed. */
static int
undo_accounts(HaulOptions *options, void *data, GError **error)
{
  int64_t wanted = *(const int64_t *)data;
  if (wanted == 0) {
    bool listed = haul_undo_list(&options->job, options->json ? json_run : print_run, NULL, error);
    return listed ? 0 : haul_reason_exit_code(haul_error_reason(*error), 1);
  }
  HaulUndoSum sum = { 0 };
  HaulUndoFunc each = options->json ? json_message : options->quiet ? say_nothing : print_message;
  bool done = haul_undo_run(&options->job, wanted, each, NULL, &sum, error);
  int code = done ? sum.code : haul_reason_exit_code(haul_error_reason(*error), 2);
  tell_sum(options, wanted, &sum, code, *error);
  return code;
}

int
haul_command_undo(int argc, char **argv)
{
  bool named = argc > 0 && g_ascii_isdigit(argv[0][0]);
  guint64 number = 0;
  if (named && !g_ascii_string_to_unsigned(argv[0], 10, 1, INT64_MAX, &number, NULL)) {
    fputs("mailhaul: undo: a run is a number from 1; undo without one lists them\n", stderr);
    return haul_reason_exit_code("usage", 0);
  }
  int64_t wanted = (int64_t)number;
  return haul_command_run(argc - named, argv + named, HAUL_COMMAND_UNDO, undo_accounts, &wanted);
}
