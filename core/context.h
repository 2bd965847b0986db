/* What the rooms of a run share: who the two sides are, and the means to work on them. */
#ifndef HAUL_CORE_CONTEXT_H
#define HAUL_CORE_CONTEXT_H

#include "account.h"
#include "cancel.h"
#include "journal.h"
#include "keywords.h"
#include "match.h"
#include "objects.h"
#include "policy.h"
#include "report.h"
#include "store.h"

typedef struct HaulSelection HaulSelection; /* see selecting.h */
typedef struct HaulBounds HaulBounds;       /* see bounds.h */
typedef struct HaulTransform HaulTransform; /* see transform.h */

/* Everything is borrowed from the job. */
typedef struct {
  const HaulAccount *account1, *account2;
  HaulCancel *cancel;
  HaulJournal *journal;
  HaulKeywords *keywords;
  HaulChain *chain;
  HaulReport *report;
  const char *spool; /* folder for large bodies */
  const HaulPolicy *policy;
  HaulBounds *bounds; /* of the run */
  /* NULL: all messages. */
  const HaulSelection *selection;
  const HaulTransform *transform; /* NULL: messages are delivered as they are */
  unsigned n_lanes;               /* how many there may be at most, by now */
  GHashTable *spellings2;         /* of this pass: see haul_spelling_ask() */
  GHashTable *made2;              /* owned paths: folders that were made to find spellings out */
  const char *trash2;     /* of this pass: where goes what is deleted at the destination, or NULL */
  const GArray *all1;     /* of this pass: HaulPlanFolder of all of the source; or NULL */
  const GArray *mappings; /* of this pass: HaulMapping beside the chosen folders; or NULL */
  int64_t opening_us;     /* how long it took to open both sides */
  bool dry;
  /* The state was rebuilt, is only for this run, or no run has ended well with it, and the destination holds
   * mail: that it does not know of a message means nothing, and nothing is deleted for that. */
  bool state_is_new;
} HaulContext;

/* One folder pair of a run, and what is to be done to it. */
typedef struct {
  HaulFolderPlan plan; /* its pointers are lent by the run */
  int64_t number;      /* the journal's */
  HaulTally *tally;    /* lent by the report */
  uint64_t epoch1, epoch2;
  const char *next_id2; /* lent by the run, or NULL */
  GArray
      *sharers; /* owned; int64_t: whose place this is, by the journal's numbers, if others', too */
  HaulIds *ids; /* owned; texts of the actions' ids, or NULL */
  guint first_action, n_actions; /* of the run's */
  uint64_t n_there, n_gone;
  uint64_t n_left_out; /* not selected */
  bool finds_nothing;  /* the source finds nothing of what is searched for, in all of the folder */
  uint64_t n_before2;  /* messages at the destination before the run; HAUL_UNKNOWN */
  uint64_t n_put;      /* delivered in this pass */
  uint64_t n_removed2; /* removed at the destination in this pass */
  uint64_t n_listed1, n_listed2; /* how many the listings of this pass have, if is_listed */
  bool is_listed;                /* both sides are known as of this pass */
  bool is_short;           /* one listing has fewer messages than its folder was said to hold */
  bool wrote;              /* something was done at the destination */
  bool told;               /* the destination was told whence it is */
  _Atomic bool unusable;   /* it could not be listed or made: nothing is copied  */
  _Atomic bool incomplete; /* something failed: look again next time */
} HaulFolderWork;

/* Of messages that left their folders so many are looked for in others; of what is beyond, bodies come. */
#define HAUL_MAX_DEPARTURES 50000u

/* A copy at the destination whose message is not in its folder at the source any more. Its pair stays in the
 * state until it is known whether the message came to another folder. */
typedef struct {
  HaulFolderWork *from;       /* borrowed from the pass */
  HaulCopy copy;              /* owned */
  uint32_t flags2, keywords2; /* that it has */
  uint32_t flags1, keywords1; /* that the message has where it came to */
  bool is_copied;             /* to where the message came to */
} HaulDeparture;

/* A pass over both accounts: folders and actions, planned first and then carried out. */
typedef struct {
  GArray *folders;    /* owned; of HaulFolderWork */
  GArray *actions;    /* owned; of HaulAction, grouped by folder */
  GArray *departures; /* owned; of HaulDeparture */
  GArray *
      vanished; /* owned; of HaulFolderWork: of folders that the source has no more; all but where they lie is unknown */
  HaulObjects *objects; /* owned; NULL where no message is in several folders */
  bool links;           /* the destination can copy by itself */
  bool knows_objects;   /* the state knew some before this pass */
  _Atomic bool crowded; /* several lanes work on it: a connection may be lost for want of room */
} HaulPass;

/* Returns the folder that the journal gave @number, or NULL. */
static inline HaulFolderWork *
haul_pass_find(const HaulPass *pass, int64_t number)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    if (work->number == number)
      return work;
  }
  return NULL;
}

#endif /* HAUL_CORE_CONTEXT_H */
