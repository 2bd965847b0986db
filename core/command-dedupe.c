/* dedupe: messages that an account has more than once. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "dedupe.h"
#include "json.h"

static void
print_duplicate(const char *path, const char *id, const char *kept, uint64_t size, void *data)
{
  g_autofree char *shown = haul_text_display(path, strlen(path));
  g_autofree char *shown_id = haul_text_display(id, strlen(id));
  g_autofree char *shown_kept = haul_text_display(kept, strlen(kept));
  printf("%s: message %s is the same as %s\n", shown, shown_id, shown_kept);
}

static void
json_duplicate(const char *path, const char *id, const char *kept, uint64_t size, void *data)
{
  GString *json = haul_json_begin("duplicate");
  haul_json_text(json, "folder", path);
  haul_json_text(json, "id", id);
  haul_json_text(json, "same_as", kept);
  haul_json_end(json, stdout);
}

static void
say_nothing(const char *path, const char *id, const char *kept, uint64_t size, void *data)
{
}

static void
tell_sum(const HaulOptions *options, const HaulDedupeSum *sum, int code, const GError *error)
{
  if (options->json) {
    GString *json = haul_json_begin("end");
    haul_json_number(json, "exit", (uint64_t)code);
    haul_json_text(json, "error", error != NULL ? error->message : NULL);
    haul_json_number(json, "messages", sum->n_messages);
    haul_json_number(json, "duplicates", sum->n_duplicates);
    haul_json_number(json, "removed", sum->n_removed);
    haul_json_end(json, stdout);
    return;
  }
  if (options->quiet || error != NULL)
    return;
  printf("%" PRIu64 " of %" PRIu64 " messages in %" PRIu64 " folders are duplicates; ",
         sum->n_duplicates, sum->n_messages, sum->n_folders);
  if (options->apply)
    printf("%" PRIu64 " removed\n", sum->n_removed);
  else
    puts(sum->n_duplicates > 0 ? "--apply removes them" : "nothing is to be done");
}

static int
dedupe_account(HaulOptions *options, void *data, GError **error)
{
  HaulDedupeSum sum = { 0 };
  HaulDedupeFunc tell = options->json    ? json_duplicate
                        : options->quiet ? say_nothing
                                         : print_duplicate;
  bool done =
      haul_dedupe_run(&options->job, options->apply && !options->job.dry, tell, NULL, &sum, error);
  int code = done ? sum.code : haul_reason_exit_code(haul_error_reason(*error), 1);
  tell_sum(options, &sum, code, *error);
  return code;
}

int
haul_command_dedupe(int argc, char **argv)
{
  return haul_command_run(argc, argv, HAUL_COMMAND_DEDUPE, dedupe_account, NULL);
}
