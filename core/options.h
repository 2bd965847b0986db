/* The command line of sync: one table of options, read into what a job needs. */
#ifndef HAUL_CORE_OPTIONS_H
#define HAUL_CORE_OPTIONS_H

#include <stdio.h>

#include "job.h"

/* What is said of one side before its backend is known. */
typedef struct {
  char *backend;       /* owned; NULL: by what else is said */
  GPtrArray *settings; /* owned; of char *: key, value, key, value... */
  char *password;      /* owned; wiped */
  int ssl, tls;        /* -1: not said */
} HaulSideOptions;

typedef struct {
  HaulSideOptions sides[2];
  char *match, *state_folder, *log_file; /* owned */
  char *folder2, *id_map;                /* owned, or NULL */
  GPtrArray *folders;                    /* owned; of char * */
  const char *inet;                      /* "4" or "6"; NULL: not said */
  HaulFlagsMode flags_mode;
  HaulLabelsMode labels;
  unsigned n_lanes, grace_s, delete1_after_days;
  bool delete1, stateless, dry, json, debug, quiet, help, version;
} HaulOptions;

void haul_options_init(HaulOptions *options);
void haul_options_clear(HaulOptions *options);

/* Reads @argv (without the command), wiping passwords in it. Errors: "usage", "input". */
bool haul_options_parse(HaulOptions *options, int argc, char **argv, GError **error);

/* Makes the accounts that @options describe; loads their backends. Both are to be freed. */
bool haul_options_accounts(HaulOptions *options, HaulCancel *cancel, HaulAccount **account1,
                           HaulAccount **account2, GError **error);

void haul_options_help(FILE *out);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaulOptions, haul_options_clear)

#endif /* HAUL_CORE_OPTIONS_H */
