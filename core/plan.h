/*
 * The planner: what to do, decided from arrays, touching nothing.
 *
 * It works in two steps. haul_plan_folders() compares what LIST and STATUS told of both sides with
 * what the state knows, and says which folders to create, to subscribe, to look into. Then
 * haul_plan_messages() compares the listings of one folder pair, and says which messages to copy
 * and which flags to change. What --dry prints is what a run executes: the same array of actions.
 */
#ifndef HAUL_CORE_PLAN_H
#define HAUL_CORE_PLAN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "entry.h"
#include "keywords.h"
#include "plan-select.h"

/* ---- folders ---- */

/* Which folders are subscribed to at the destination. */
typedef enum {
  HAUL_SUBSCRIBE_AS_SOURCE, /* those that are at the source */
  HAUL_SUBSCRIBE_ALL,
  HAUL_SUBSCRIBE_NONE,
} HaulSubscribing;

/* What one side told of a folder, or the state remembers. */
typedef struct {
  const char *path;
  const char *token; /* or NULL */
  const char *next_id;
  uint64_t epoch;                /* 0: not known */
  uint64_t n_messages, n_octets; /* or HAUL_UNKNOWN */
  uint32_t attributes;           /* HaulFolderAttributes */
} HaulPlanFolder;

/* What the state knows of a folder pair. */
typedef struct {
  const char *path1, *path2;
  const char *token1, *token2; /* NULL unless the pair was complete when they were read */
  uint64_t epoch1, epoch2;
  uint64_t n_pairs;
  uint64_t n_gone;     /* of them, those whose copy was removed at the destination */
  bool has_intents;    /* deliveries whose end nobody knows */
  bool was_subscribed; /* at the source, when last seen */
  bool has_flags1;     /* the pairs hold the flags that the source had, as of token1 */
} HaulPlanKnown;

typedef enum {
  HAUL_LOOK_NONE,    /* nothing changed since the last run             */
  HAUL_LOOK_NOTHING, /* the source folder is empty                     */
  HAUL_LOOK_STREAM,  /* an empty destination: copy all, no listing     */
  HAUL_LOOK_LIST,    /* list both sides and pair by state              */
  HAUL_LOOK_MATCH,   /* list both sides with keys: nothing to pair by  */
} HaulLook;

/* Where a folder of the source goes, and why. */
typedef struct {
  char *path2, *rule; /* owned by whoever made it */
  bool is_wish;    /* the user sends it there: what it is for at the source does not hold there */
  bool subscribes; /* whether it is subscribed to at the source or not */
} HaulMapping;

typedef struct {
  const HaulPlanFolder *folder1; /* borrowed from the input */
  const HaulPlanFolder *folder2; /* NULL if it is not there yet */
  const HaulPlanKnown *known;    /* NULL for first contact; its path2 may be spelt otherwise */
  const char *path2;             /* where it goes; borrowed */
  const char *rule;              /* which rule of mapping made it, for the user; borrowed */
  const char *taken_by;          /* another source folder that goes there; NULL: none */
  HaulLook look;
  bool create, subscribe;
  bool is_sent_elsewhere;        /* by the user: what it is for at the source does not hold there */
  bool keep_pairs1, keep_pairs2; /* whether the state's ids still hold on that side */
} HaulFolderPlan;

typedef struct {
  const HaulPlanFolder *folders1, *folders2;
  size_t n_folders1, n_folders2;
  const HaulPlanKnown *known;
  size_t n_known;
  bool mirrors;       /* what is at the destination besides has to be known */
  bool selects;       /* what streams is listed first: not all of it may be wanted */
  bool lists_unknown; /* what streams is listed first where numbers or octets are not known */
  HaulSubscribing subscribing;
  bool lists_all;         /* what streams is listed first: one message may be in several folders */
  GHashTable *spellings2; /* path -> path as the destination spells it; NULL: all as they are */
  bool merges;            /* several may go to one */
  const HaulMapping *mappings; /* beside folders1; NULL: each has the same path there */
} HaulFoldersInput;

/* Returns HaulFolderPlan for each source folder that holds mail, in the order of @folders1. Where two
 * would go to one folder, the one with its very name does, or the first; the other's is taken. */
GArray *haul_plan_folders(const HaulFoldersInput *input);

/* ---- messages ---- */

/* How a message that is in several folders at once, as labels make it, is copied. */
typedef enum {
  HAUL_LABELS_FOLDERS,  /* into each of them                                          */
  HAUL_LABELS_KEYWORDS, /* into the first; the names of the others become keywords    */
  HAUL_LABELS_FIRST,    /* into the first                                             */
} HaulLabelsMode;

#define HAUL_NO_PLACE UINT32_MAX

/* What a source message is in the other folders of its account. */
typedef struct {
  uint32_t object; /* number of its object id: equal numbers are one message. 0: not known */
  uint32_t first;  /* the first of the other folders that it is in; HAUL_NO_PLACE if none  */
} HaulTwin;

typedef enum {
  HAUL_FLAGS_MERGE,  /* carry over what the source changed since the last run */
  HAUL_FLAGS_SOURCE, /* make the destination equal to the source              */
  HAUL_FLAGS_ADD,    /* only ever add                                         */
  HAUL_FLAGS_NONE,   /* leave flags alone                                     */
} HaulFlagsMode;

typedef struct {
  const HaulEntry *items1, *items2; /* complete listings, in the stores' order */
  const HaulKey *keys1, *keys2;     /* beside the items; all zero: no key. NULL if not asked for */
  size_t n1, n2;
  /* Beside the items: hashes of what follows the header, all zero where not known. NULL if none is. */
  const HaulKey *contents1, *contents2;
  /* Likewise of what keys left over: likeness, and traits; see likeness.h. NULL if not asked for. Of traits the
   * first octets are of the text, the others of whence it came, all zero if it does not say. */
#define HAUL_TRAITS_TEXT 12
  const HaulKey *likes1, *likes2, *traits1, *traits2;
  const HaulPair *pairs; /* in any order; an id of either side occurs once */
  size_t n_pairs;
  const HaulId *strays; /* ids at the destination that no pair covered in the last run */
  size_t n_strays;
  const HaulId *covered2; /* ids at the destination that are copies of what other folders have */
  size_t n_covered2;
  const HaulId *given_up; /* source ids that failed in this run already */
  size_t n_given_up;
  bool shows_part;  /* what is not in items1 may be there: its pair stays, and covers its copy */
  bool first_alone; /* the first message to be copied is suspected, and gets an action of its own */
  /* Beside the items, HaulVerdict; NULL: all are selected. What is not, and has no pair, is neither copied
   * nor matched. */
  const uint8_t *verdicts1, *verdicts2;
  HaulFlagsMode flags_mode;
  HaulKeywords *keywords;
  /* Where messages may be in several folders: beside items1; else NULL. */
  const HaulTwin *twins1;
  uint32_t place;        /* of this folder in the order of all, as in the twins */
  bool is_rest;          /* it shows all mail: what others have is not its own  */
  HaulLabelsMode labels; /* of folders that are labels; else FOLDERS            */
  /* By number of an object: the place of the folder that has or gets its copy, or HAUL_NO_PLACE. Kept
   * from folder to folder by haul_plan_messages(). NULL if the destination cannot copy by itself. */
  uint32_t *providers;
} HaulMessagesInput;

typedef enum {
  HAUL_DO_COPY_ALL,
  HAUL_DO_COPY,
  HAUL_DO_FLAGS,
  HAUL_DO_LINK, /* the destination has it, or will, in another folder, and copies it itself */
} HaulDeed;

/* One thing to do to the destination. */
typedef struct {
  HaulDeed deed;
  uint32_t folder; /* of the plan */
  union {
    struct {
      HaulId first, last; /* a run of neighbours in the source's listing; 0 and 0 for all */
      uint64_t n, octets; /* octets: HAUL_UNKNOWN if one of them is */
      bool alone;         /* to be asked for in a call of its own */
    } copy;
    struct {
      HaulId id1, id2;
      uint32_t add, remove;                   /* HaulFlags */
      uint32_t add_keywords, remove_keywords; /* sets */
      uint32_t flags, keywords;               /* of the source: agreed on, once done */
    } flags;
    struct {
      HaulId id1;
      uint32_t object;    /* that others have a copy of, too; or 0:               */
      uint32_t departure; /* the copy of a message that left another folder: of the pass */
    } link;
  };
} HaulAction;

/* Whether messages are fetched for it. */
static inline bool
haul_action_fetches(const HaulAction *action)
{
  return action->deed == HAUL_DO_COPY_ALL || action->deed == HAUL_DO_COPY;
}

/* What the state is to note without anything being done: indices into the items. */
typedef struct {
  uint32_t index1, index2;
} HaulAdoption;

typedef struct {
  HaulId id1;
  uint32_t flags, keywords;
} HaulRebase;

typedef struct {
  HaulId id1;
  bool gone;
} HaulAbsence;

typedef struct {
  HaulId id2;
  bool is_stray;
} HaulStray;

typedef struct {
  HaulId id1;
  uint32_t index2;
} HaulParting;

typedef struct {
  GArray *actions;   /* owned; of HaulAction, in the source's order, copies first */
  GArray *adopted;   /* owned; of HaulAdoption: pairs that matching found          */
  GArray *rebased;   /* owned; of HaulRebase: agreement that needs no change       */
  GArray *forgotten; /* owned; of HaulId: pairs whose source message is gone       */
  GArray *
      partings; /* owned; of HaulParting: those of them whose copy is there, and is no other's; in the same order */
  GArray *departed; /* owned; of HaulId: the same, but that we removed it               */
  GArray *absences; /* owned; of HaulAbsence: pairs whose copy is gone, or back   */
  GArray *strays;   /* owned; of HaulStray: what no pair covers now, or no more   */
  uint64_t n_there; /* source messages with a copy                                */
  uint64_t n_gone;  /* whose copy was removed at the destination: left so         */
  uint64_t n_given_up;
  uint64_t n_left_out[HAUL_N_VERDICTS]; /* not selected, and without a copy: by verdict */
  uint64_t n_elsewhere; /* left to another folder that they are in                 */
  uint64_t n_conflicts; /* equal keys, evidently different content: copied          */
} HaulMessagesPlan;

/* @folder: number that the actions carry. */
void haul_plan_messages(const HaulMessagesInput *input, uint32_t folder, HaulMessagesPlan *plan);
void haul_messages_plan_clear(HaulMessagesPlan *plan);

/* Whether matching would find anything: sets @wanted1 and @wanted2 to the indices (uint32_t) of the
 * items that no pair covers on both sides, and returns whether both have any. */
bool haul_plan_unpaired(const HaulMessagesInput *input, GArray *wanted1, GArray *wanted2);

/* Given the keys: appends the indices of the items whose content must be known to tell messages with
 * equal keys apart. Returns whether there are any; given their contents, there may be more once. */
bool haul_plan_ambiguous(const HaulMessagesInput *input, GArray *wanted1, GArray *wanted2);

/* Given keys and contents: appends the indices of the items that these left without their like, and returns
 * whether there are any on both sides. What the state knows at the destination is left out, strays and copies whose
 * message is gone: it was compared when it was new.
 * *ids_count: whether some were paired by key, so that Message-Ids are what they were. */
bool
haul_plan_unlike(const HaulMessagesInput *input, GArray *wanted1, GArray *wanted2, bool *ids_count);

/* Given the likenesses: appends the indices of the items whose traits must be known. Returns whether there are any. */
bool haul_plan_alike(const HaulMessagesInput *input, GArray *wanted1, GArray *wanted2);

#endif /* HAUL_CORE_PLAN_H */
