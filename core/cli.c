/* The commands: what was typed becomes a job, and what the job says becomes text or JSON. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "json.h"
#include "log.h"
#include "options.h"
#include "plugin.h"

HAUL_PUBLIC int haul_main(int argc, char **argv);

/* ---- stopping ---- */

static HaulCancel *cancel;

/* The first signal asks to stop after what is under way; the second ends at once. */
static void
on_signal(int number)
{
  haul_cancel_set(cancel);
  signal(number, SIG_DFL);
}

static void
watch_signals(void)
{
  struct sigaction action = { .sa_handler = on_signal };
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
}

/* ---- what a run says ---- */

static void
say_error(const GError *error)
{
  g_autofree char *shown = haul_text_display(error->message, strlen(error->message));
  fprintf(stderr, "mailhaul: %s\n", shown);
}

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

static void
json_numbers(GString *json, const HaulTally *tally)
{
  haul_json_number(json, "source", tally->source);
  for (size_t state = 0; state < HAUL_N_STATES; state++)
    haul_json_number(json, haul_state_key((HaulState)state), tally->n[state]);
  haul_json_number(json, "linked", tally->n_linked);
  haul_json_number(json, "octets", tally->octets);
  haul_json_number(json, "flags_changed", tally->n_flags);
  haul_json_number(json, "deleted_at_source", tally->leaving.n_gone);
}

static void
json_report(HaulReport *report, bool with_folders, double seconds, int code, const GError *error)
{
  GPtrArray *folders = haul_report_folders(report);
  for (guint i = 0; with_folders && i < folders->len; i++) {
    const HaulTally *tally = folders->pdata[i];
    GString *json = haul_json_begin("folder");
    haul_json_text(json, "folder1", tally->path1);
    haul_json_text(json, "folder2", tally->path2);
    json_numbers(json, tally);
    haul_json_text(json, "error", tally->failed);
    haul_json_text(json, "detail", tally->failed_detail);
    haul_json_end(json, stdout);
    for (guint k = 0; k < tally->troubles->len; k++) {
      const HaulTrouble *trouble = &g_array_index(tally->troubles, HaulTrouble, k);
      json = haul_json_begin("not-copied");
      haul_json_text(json, "folder1", tally->path1);
      haul_json_text(json, "id", trouble->id);
      haul_json_text(json, "reason", trouble->reason);
      haul_json_text(json, "detail", trouble->detail);
      haul_json_end(json, stdout);
    }
  }
  HaulTally total = haul_report_total(report);
  GString *json = haul_json_begin("end");
  haul_json_number(json, "exit", (uint64_t)code);
  haul_json_text(json, "error", error != NULL ? error->message : NULL);
  if (with_folders)
    json_numbers(json, &total);
  haul_json_number(json, "milliseconds", (uint64_t)(seconds * 1000));
  haul_json_end(json, stdout);
}

/* What a run did, for the log file: each folder, each message not copied, the end. */
static void
log_report(HaulReport *report, int code, const GError *error)
{
  GPtrArray *folders = haul_report_folders(report);
  for (guint i = 0; i < folders->len; i++) {
    const HaulTally *tally = folders->pdata[i];
    haul_log(HAUL_LOG_INFO, "%s -> %s: %" PRIu64 " at the source, %" PRIu64 " copied", tally->path1,
             tally->path2, tally->source, tally->n[HAUL_STATE_COPIED]);
    for (guint k = 0; k < tally->troubles->len; k++) {
      const HaulTrouble *trouble = &g_array_index(tally->troubles, HaulTrouble, k);
      haul_log(HAUL_LOG_INFO, "%s, message %s: not copied: %s [%s]", tally->path1,
               trouble->id != NULL ? trouble->id : "?", trouble->detail, trouble->reason);
    }
  }
  haul_log(HAUL_LOG_INFO, "end: exit code %d%s%s", code, error != NULL ? ": " : "",
           error != NULL ? error->message : "");
}

/* ---- commands ---- */

static bool
set_up_log(const HaulOptions *options, GError **error)
{
  haul_log_to_stderr(options->debug   ? (int)HAUL_LOG_DEBUG
                     : options->quiet ? (int)HAUL_LOG_ERROR
                                      : (int)HAUL_LOG_WARNING);
  return options->log_file == NULL
         || haul_log_to_file(options->log_file, options->debug ? HAUL_LOG_DEBUG : HAUL_LOG_INFO,
                             error);
}

static int
sync_accounts(HaulOptions *options, GError **error)
{
  HaulAccount *source = NULL, *destination = NULL;
  if (!set_up_log(options, error)
      || !haul_options_accounts(options, cancel, &source, &destination, error))
    return haul_reason_exit_code(haul_error_reason(*error), 0);
  g_autoptr(HaulAccount) account1 = source;
  g_autoptr(HaulAccount) account2 = destination;
  bool some_folders = options->folders->len > 0;
  if (some_folders)
    g_ptr_array_add(options->folders, NULL);
  HaulJobOptions job = {
    .account1 = account1,
    .account2 = account2,
    .cancel = cancel,
    .match = options->match,
    .state_folder = options->state_folder,
    .folders = some_folders ? (const char *const *)options->folders->pdata : NULL,
    .folder2 = options->folder2,
    .id_map = options->id_map,
    .flags_mode = options->flags_mode,
    .labels = options->labels,
    .delete1 = options->delete1,
    .delete1_after_days = options->delete1_after_days,
    .n_lanes = options->n_lanes,
    .grace_s = options->grace_s,
    .stateless = options->stateless,
    .dry = options->dry,
  };
  watch_signals();
  haul_log(HAUL_LOG_INFO, "mailhaul " HAUL_VERSION ": %s to %s%s",
           haul_account_plugin(account1)->name, haul_account_plugin(account2)->name,
           options->dry ? ", a plan only" : "");
  g_autoptr(HaulReport) report = haul_report_new();
  gint64 start = g_get_monotonic_time();
  int code = haul_job_run(&job, report, options->json ? json_planned : print_planned, NULL, error);
  double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
  if (options->json)
    json_report(report, !options->dry, seconds, code, error != NULL ? *error : NULL);
  else if (!options->dry && !options->quiet && haul_report_folders(report)->len > 0)
    haul_report_print(report, seconds, stdout);
  log_report(report, code, error != NULL ? *error : NULL);
  return code;
}

static int
command_sync(int argc, char **argv)
{
  g_auto(HaulOptions) options;
  haul_options_init(&options);
  g_autoptr(GError) error = NULL;
  int code = 0;
  if (!haul_options_parse(&options, argc, argv, &error))
    code = haul_reason_exit_code(haul_error_reason(error), 0);
  else if (options.help)
    haul_options_help(stdout);
  else if (options.version)
    puts("mailhaul " HAUL_VERSION);
  else {
    cancel = haul_cancel_new();
    code = sync_accounts(&options, &error);
  }
  if (error != NULL)
    say_error(error);
  haul_log_close();
  return code;
}

static void
print_settings(const HaulPlugin *plugin)
{
  for (const HaulSetting *setting = plugin->settings; setting != NULL && setting->key != NULL;
       setting++)
    printf("    %-12s %s%s%s%s\n", setting->key, setting->help,
           setting->fallback == NULL      ? " Required."
           : setting->fallback[0] != '\0' ? " Default: "
                                          : "",
           setting->fallback != NULL ? setting->fallback : "",
           setting->fallback != NULL && setting->fallback[0] != '\0' ? "." : "");
}

static void
print_plugin(const char *path, const HaulPlugin *plugin, const GError *why, void *data)
{
  bool verbose = *(const bool *)data;
  if (plugin == NULL) {
    fprintf(stderr, "mailhaul: %s\n", why->message);
    return;
  }
  printf("%-12s %-8s %-8s %s\n", plugin->name, plugin->store != NULL ? "backend" : "matcher",
         plugin->version, plugin->summary);
  if (verbose) {
    printf("    %s\n", path);
    print_settings(plugin);
  }
}

static int
command_plugins(int argc, char **argv)
{
  bool verbose = argc > 0 && (strcmp(argv[0], "-v") == 0 || strcmp(argv[0], "--verbose") == 0);
  if (argc > (verbose ? 1 : 0)) {
    fputs("mailhaul: plugins takes no argument but -v\n", stderr);
    return haul_reason_exit_code("usage", 0);
  }
  haul_plugin_each(print_plugin, &verbose);
  return 0;
}

static int
command_explain(int argc, char **argv)
{
  size_t n;
  const HaulReason *reasons = haul_reason_table(&n);
  if (argc == 0) {
    for (size_t i = 0; i < n; i++)
      printf("%-12s %s\n", reasons[i].code, reasons[i].what);
    return 0;
  }
  const char *meaning = haul_exit_code_meaning(strspn(argv[0], "0123456789") == strlen(argv[0])
                                                   ? (int)g_ascii_strtoll(argv[0], NULL, 10)
                                                   : -1);
  if (meaning != NULL) {
    printf("exit code %s: %s\n", argv[0], meaning);
    return 0;
  }
  for (size_t i = 0; i < n; i++)
    if (strcmp(reasons[i].code, argv[0]) == 0) {
      printf("%s: %s.\n%s\n", reasons[i].code, reasons[i].what, reasons[i].advice);
      return 0;
    }
  fprintf(stderr, "mailhaul: no reason or exit code \"%s\"; mailhaul explain lists them\n",
          argv[0]);
  return haul_reason_exit_code("usage", 0);
}

static int
command_help(int argc, char **argv)
{
  haul_options_help(stdout);
  puts("\nOther commands: mailhaul plugins [-v], mailhaul explain [CODE].");
  return 0;
}

static int
command_version(int argc, char **argv)
{
  puts("mailhaul " HAUL_VERSION);
  return 0;
}

static const struct {
  const char *name;
  int (*run)(int argc, char **argv);
} commands[] = {
  { "sync", command_sync },         { "plugins", command_plugins }, { "explain", command_explain },
  { "help", command_help },         { "--help", command_help },     { "-h", command_help },
  { "--version", command_version },
};

int
haul_main(int argc, char **argv)
{
  if (argc < 2)
    return command_help(0, NULL), haul_reason_exit_code("usage", 0);
  for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
    if (strcmp(argv[1], commands[i].name) == 0)
      return commands[i].run(argc - 2, argv + 2);
  if (argv[1][0] == '-' || strchr(argv[1], ':') != NULL)
    return command_sync(argc - 1, argv + 1);
  g_autofree char *shown = haul_text_display(argv[1], strlen(argv[1]));
  fprintf(stderr, "mailhaul: there is no command \"%s\"; see mailhaul help\n", shown);
  return haul_reason_exit_code("usage", 0);
}
