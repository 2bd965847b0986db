/* The commands, a file each; cli.c has the table. Each takes the words behind its name, and returns an exit code. */
#ifndef HAUL_CORE_COMMANDS_H
#define HAUL_CORE_COMMANDS_H

#include "options-fit.h"

int haul_command_sync(int argc, char **argv);
int haul_command_plan(int argc, char **argv);
int haul_command_verify(int argc, char **argv);
int haul_command_dedupe(int argc, char **argv);
int haul_command_undo(int argc, char **argv);
int haul_command_plugins(int argc, char **argv);
int haul_command_explain(int argc, char **argv);

/*
 * Does what all commands on accounts have in common: reads options, refuses those that the command does not
 * take, sets the log up, makes the accounts (of dedupe one, else both), lets signals cancel, and tells an error.
 *
 * @run: gets options whose job is ready to go, and @data; returns the exit code; where it failed as a whole, with
 * @error set. --help and --version are answered instead.
 */
typedef int (*HaulCommandFunc)(HaulOptions *options, void *data, GError **error);
int haul_command_run(int argc, char **argv, HaulCommand command, HaulCommandFunc run, void *data);

/* From one account to another, or what that would be (@options->job.dry). A HaulCommandFunc. */
int haul_command_transfer(HaulOptions *options, void *data, GError **error);

#endif /* HAUL_CORE_COMMANDS_H */
