/* The command line's first word: which command runs, and what all commands on accounts have in common. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "commands.h"
#include "log.h"

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

/* ---- commands on accounts ---- */

static void
say_error(const GError *error)
{
  g_autofree char *shown = haul_text_display(error->message, strlen(error->message));
  fprintf(stderr, "mailhaul: %s\n", shown);
}

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

/* Makes the accounts that @command is about; the second is NULL where it is about one. */
static bool
make_accounts(HaulOptions *options, HaulCommand command, HaulAccount **account1,
              HaulAccount **account2, GError **error)
{
  if (!haul_options_fit(options, command, error))
    return false;
  if (command != HAUL_COMMAND_DEDUPE)
    return haul_options_accounts(options, cancel, account1, account2, error);
  if (options->sides[1].backend != NULL || options->sides[1].settings->len > 0) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "dedupe looks at one account, which is given as the source");
    return false;
  }
  *account1 = haul_options_account(options, 1, cancel, error);
  return *account1 != NULL;
}

static int
run_on_accounts(HaulOptions *options, HaulCommand command, HaulCommandFunc run, void *data,
                GError **error)
{
  HaulAccount *source = NULL, *destination = NULL;
  cancel = haul_cancel_new();
  if (!make_accounts(options, command, &source, &destination, error))
    return haul_reason_exit_code(haul_error_reason(*error), 0);
  g_autoptr(HaulAccount) account1 = source;
  g_autoptr(HaulAccount) account2 = destination;
  options->job.account1 = account1;
  options->job.account2 = account2;
  options->job.cancel = cancel;
  watch_signals();
  return run(options, data, error);
}

int
haul_command_run(int argc, char **argv, HaulCommand command, HaulCommandFunc run, void *data)
{
  g_auto(HaulOptions) options;
  haul_options_init(&options);
  g_autoptr(GError) error = NULL;
  int code = 0;
  if (!haul_options_parse(&options, argc, argv, &error)
      || (!options.help && !options.version && !set_up_log(&options, &error)))
    code = haul_reason_exit_code(haul_error_reason(error), 0);
  else if (options.help)
    haul_options_help(stdout);
  else if (options.version)
    puts("mailhaul " HAUL_VERSION);
  else
    code = run_on_accounts(&options, command, run, data, &error);
  if (error != NULL)
    say_error(error);
  haul_log_close();
  return code;
}

/* ---- the commands ---- */

static int
command_help(int argc, char **argv)
{
  haul_options_help(stdout);
  puts("\nOther commands: mailhaul plan, mailhaul verify, mailhaul dedupe, "
       "mailhaul undo [RUN], mailhaul plugins [-v], mailhaul explain [CODE].");
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
  { "sync", haul_command_sync },       { "plan", haul_command_plan },
  { "verify", haul_command_verify },   { "dedupe", haul_command_dedupe },
  { "undo", haul_command_undo },       { "plugins", haul_command_plugins },
  { "explain", haul_command_explain }, { "help", command_help },
  { "--help", command_help },          { "-h", command_help },
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
    return haul_command_sync(argc - 1, argv + 1);
  g_autofree char *shown = haul_text_display(argv[1], strlen(argv[1]));
  fprintf(stderr, "mailhaul: there is no command \"%s\"; see mailhaul help\n", shown);
  return haul_reason_exit_code("usage", 0);
}
