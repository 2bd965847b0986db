/*
 * The report: what became of every message, folder by folder, so that it adds up:
 * source = copied + already there + duplicate + filtered + too big + refused + unfetchable + failed.
 * It is told by many threads and shown by one.
 */
#ifndef HAUL_CORE_REPORT_H
#define HAUL_CORE_REPORT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "batch.h"
#include "leaving.h"
#include "entry.h"
#include "plan-select.h"
#include "reason.h"
#include "suspect.h"

/* A message that was not copied. */
typedef struct {
  char *id;           /* owned; the source's, or NULL */
  const char *reason; /* a code */
  const char *detail; /* lent by the report; what was said */
  /* What is found out of it when the run is done (describing.c), where it can be. */
  char *message_id; /* owned; as it stands in the header, or NULL */
  uint64_t size;    /* octets, or HAUL_UNKNOWN */
  int64_t date;     /* arrival, or what Date says; Unix seconds, or HAUL_NO_DATE */
} HaulTrouble;

typedef struct {
  char *path1, *path2; /* owned */
  uint64_t source;     /* messages there */
  uint64_t n[HAUL_N_STATES];
  uint64_t octets;           /* copied */
  uint64_t n_linked;         /* of the copied, those that the destination copied itself */
  uint64_t n_moved;          /* of these, those that moved from folder to folder at the source */
  uint64_t n_repaired;       /* of the copied, those that the destination took repaired */
  uint64_t n_flags;          /* messages whose flags were changed at the destination */
  uint64_t n_trouble_failed; /* of the failed, those that are in trouble one by one */
  /* Of the filtered, those that were not selected. */
  uint64_t n_left_out[HAUL_N_VERDICTS];
  uint64_t n_twice;     /* of the duplicates, those that the folder has more than once; likewise */
  uint64_t n_pseudo;    /* of the filtered, those that are no messages: no pass sees them anew */
  uint64_t n_extra;     /* of a comparison: messages that only the destination has */
  uint64_t n_conflicts; /* same key, different content: copied */
  uint64_t n_created, n_subscribed; /* folders at the destination: 1 or 0, but in totals */
  GArray *troubles;                 /* owned; of HaulTrouble: the first ones, one by one */
  GHashTable *in_trouble;           /* owned; ids of all of them */
  GHashTable *given_up;             /* owned; ids that are not tried any more in this run */
  GArray *lifted;       /* owned; of HaulTrouble: what is tried for the last time, or NULL */
  HaulSuspect suspect;  /* what the rooms of a run note by themselves */
  HaulLeaving leaving;  /* likewise */
  HaulLeaving leaving2; /* likewise, at the destination: only what is gone */
  bool was_known;       /* a state of an earlier run knew messages of it ... */
  bool renumbered;      /* ... and the source has numbered it anew */
  HaulBatch batch;      /* likewise */
  const char *failed;   /* a reason, if the folder as a whole failed */
  char *failed_detail;  /* owned */
} HaulTally;

typedef struct HaulReport HaulReport;

HaulReport *haul_report_new(void);
void haul_report_free(HaulReport *report);

/* The tally of a folder, made if need be. Its members are changed through the calls below while lanes
 * run. */
HaulTally *haul_report_folder(HaulReport *report, const char *path1, const char *path2);
GPtrArray *
haul_report_folders(HaulReport *report); /* lent; of HaulTally, in the order of arrival */

void haul_report_copied(HaulReport *report, HaulTally *tally, uint64_t octets);
/* What was copied in an earlier pass is gone with its folder: it counts no more. */
void haul_report_begin_anew(HaulReport *report, HaulTally *tally);
/* A message that the destination had in another folder, and copied itself. */
void haul_report_linked(HaulReport *report, HaulTally *tally, bool moved);
/* A message that is copied was repaired for it. */
void haul_report_repaired(HaulReport *report, HaulTally *tally);
void haul_report_flags(HaulReport *report, HaulTally *tally, uint64_t n_messages);
/* So many messages are not selected, and filtered for this reason; told anew by each pass. */
void haul_report_filtered(HaulReport *report, HaulTally *tally, HaulVerdict verdict, uint64_t n);
/* The folder was made, or subscribed to. */
void haul_report_created(HaulReport *report, HaulTally *tally);
void haul_report_subscribed(HaulReport *report, HaulTally *tally);

/* What a plan says of a folder, where nothing is carried out: the numbers that the calls above would come to. */
typedef struct {
  uint64_t n_copied; /* linked ones, too */
  uint64_t n_linked;
  uint64_t octets; /* as far as they are known */
  uint64_t n_flags;
  uint64_t n_deleted1, n_deleted2;
  bool create, subscribe;
} HaulForecast;
void haul_report_foretell(HaulTally *tally, const HaulForecast *forecast);

/* How many messages and folders went wrong, in all passes: what is too big, or filtered, did not. */
unsigned haul_report_n_errors(HaulReport *report);
/* @id may be NULL. One message gets into trouble once: a second time is ignored. */
void haul_report_trouble(HaulReport *report, HaulTally *tally, const char *id, const GError *why);
/* The same of one that is not to be tried any more in this run. */
void haul_report_give_up(HaulReport *report, HaulTally *tally, const char *id, const GError *why);
/* Whether a message is in trouble, or was and is tried for the last time. */
bool haul_report_is_in_trouble(HaulReport *report, const HaulTally *tally, const char *id);
/* Lifts the trouble of what could not be fetched, so that the next pass tries it once more; what was lifted
 * before stays. Returns how many messages that are. */
unsigned haul_report_lift(HaulReport *report);
/* Whether the folder has some of them. */
bool haul_report_has_lifted(HaulReport *report, const char *path1);
/* One of them was copied. */
void haul_report_reached(HaulReport *report, HaulTally *tally, const char *id);
/* Puts back the trouble of those that no pass has come to. */
void haul_report_put_back(HaulReport *report);
/* How many messages were given up, and folders left: that, too, is progress. */
uint64_t haul_report_n_given_up(HaulReport *report);
void haul_report_left_folder(HaulReport *report);
/* Another pass looks at the folder: that it failed as a whole in the one before is forgotten. */
void haul_report_retry(HaulReport *report, HaulTally *tally);
void haul_report_folder_failed(HaulReport *report, HaulTally *tally, const GError *why);

/* Returns the ids (HaulId) of messages with which something went wrong in this run; to be freed. */
GArray *haul_tally_troubled(const HaulTally *tally, HaulIds *ids);

/* Whether every message of the folder ended where it need not be looked for again. */
bool haul_tally_is_complete(const HaulTally *tally);

uint64_t haul_report_n_copied(HaulReport *report);

/* Counts what no state was told of as failed ("not-reached"), so that the identity holds. Returns whether it
 * does: it does not where more became of messages than there are, which is an error of ours ("account"). */
bool haul_report_close(HaulReport *report, GError **error);

/* What stands on both sides of the identity: "3 at the source = 1 copied + 2 already there + 0 failed"; to be
 * freed. */
char *haul_tally_sentence(const HaulTally *tally);

/* 0, or the code of what went wrong with messages and folders: one kind's own, 111 for several. */
int haul_report_exit_code(HaulReport *report);

/* Totals: path1 and path2 are NULL, troubles too. */
HaulTally haul_report_total(HaulReport *report);

void haul_report_print(HaulReport *report, double seconds, FILE *out);
/* The same of a comparison. */
void haul_report_print_verified(HaulReport *report, double seconds, FILE *out);
/* The same of a plan: what a run would come to. */
void haul_report_print_plan(HaulReport *report, FILE *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulReport, haul_report_free)

#endif /* HAUL_CORE_REPORT_H */
