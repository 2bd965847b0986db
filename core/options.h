/* The command line: words are read into what a job needs, by one table of options. */
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

#define HAUL_DEFAULT_ERRORS_MAX 50u

typedef struct {
  HaulSideOptions sides[2];
  HaulJobOptions job;   /* its texts and lists are of @texts; accounts and cancel are given later */
  GPtrArray *texts;     /* owned; what the job's members point to */
  const char *log_file; /* of @texts, or NULL */
  const char *report;   /* likewise: a file that gets the report */
  const char *inet;     /* "4" or "6"; NULL: not said */
  bool deep;            /* of verify: by content */
  bool apply;           /* of dedupe: remove what was found */
  bool json, debug, quiet, help, version;
} HaulOptions;

void haul_options_init(HaulOptions *options);
void haul_options_clear(HaulOptions *options);

/* Reads @argv (without the command), wiping passwords in it. Errors: "usage", "input". */
bool haul_options_parse(HaulOptions *options, int argc, char **argv, GError **error);

/* Makes the account that @options describe of side @number, 1 or 2; loads its backend. To be freed. */
HaulAccount *
haul_options_account(HaulOptions *options, unsigned number, HaulCancel *cancel, GError **error);
/* Makes both, which are to be freed. */
bool haul_options_accounts(HaulOptions *options, HaulCancel *cancel, HaulAccount **account1,
                           HaulAccount **account2, GError **error);

void haul_options_help(FILE *out);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaulOptions, haul_options_clear)

#endif /* HAUL_CORE_OPTIONS_H */
