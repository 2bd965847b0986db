/*
 * What the user wishes of a run: what is copied and how, what goes, within which limits. Plain data, read by
 * the rooms that decide; an option each, in options-table.c.
 */
#ifndef HAUL_CORE_POLICY_H
#define HAUL_CORE_POLICY_H

#include "plan.h"

/* Whether what the destination refuses is repaired and sent once more. */
typedef enum { HAUL_REPAIR_NEVER, HAUL_REPAIR_ON_REJECT } HaulRepairMode;

/* Texts and lists (NULL-terminated; NULL for none) are borrowed. */
typedef struct {
  /* folders */
  const char *const *folders; /* only these; NULL for all */
  const char *const *trees;   /* and these with all that lies below */
  const char *const *choices; /* "+PATTERN" and "-PATTERN": what is added and taken away, in turn */
  const char *const *folders_first, *const
                                        *folders_last; /* patterns: what is done first, and last */
  bool subscribed; /* only what is subscribed to at the source */
  bool skip_empty; /* not what is empty there */
  HaulSubscribing subscribing;
  const char *folder2;         /* where the only one of them goes; NULL: each to its own path */
  const char *const *renames;  /* "OLD=NEW": subtrees that go elsewhere */
  const char *const *rewrites; /* "s/.../.../": of names at the destination, in this order */
  const char *subfolder1;      /* the subtree that is the account; NULL: all */
  const char *subfolder2;      /* what all goes below, or NULL */
  const char
      *prefix2;     /* what the destination's names begin with, if it does not show it; or NULL */
  const char *sep2; /* likewise, what parts their levels: one octet */
  bool no_automap;  /* special use and names in other languages count for nothing */
  bool allow_merge; /* several folders may go to one */

  /* messages */
  const char *match;          /* the chain; never NULL */
  const char *const *headers; /* fields that make the chain instead; NULL for none */
  bool no_duplicates;         /* of what a folder has more than once, one is copied */
  HaulFlagsMode flags_mode;
  HaulLabelsMode labels;
  uint64_t min_octets, max_octets; /* the size of what is copied; 0: any */
  uint64_t min_age_s, max_age_s;   /* its age; 0: any */
  HaulRepairMode repair;
  bool disarm_receipts;                /* nobody is told that a copy was read */
  const char *const *message_rewrites; /* "s/.../.../": of messages, in this order; NULL for none */
  const char *const *message_commands; /* that messages go through after these; NULL for none */
  const char *search1, *search2; /* a search key, or NULL: all are copied; all are compared with */

  /* what goes */
  bool delete1;                /* remove at the source what has a copy ... */
  unsigned delete1_after_days; /* ... if it has had it so long */
  bool delete2;                /* remove at the destination what the source does not have ... */
  bool delete2_duplicates;     /* said of it, too: a second copy is what the source does not have */
  const char *trash2;          /* ... by moving it to this folder; or NULL */
  bool delete2_folders;        /* remove folders there of which the source has none any more ... */
  const char *delete2_folders_only;    /* ... just these, an expression; or NULL */
  const char *delete2_folders_but_not; /* ... but not these; or NULL */
  unsigned max_delete;                 /* ... at most so many of a folder; 0: what the guard says */

  /* limits */
  unsigned n_lanes;
  unsigned errors_max;     /* how many end the run; 0: none do */
  uint64_t exit_when_over; /* so many octets copied end it; 0: none do */
  uint64_t octets_per_s;   /* 0: no limit ... */
  uint64_t free_octets;    /* ... as long as no more than these are copied */
  double messages_per_s;   /* 0: no limit */
  unsigned grace_s;        /* how long a delivery that was cut off may still appear */

  /* what else is written */
  const char *id_map; /* a file that tells where messages are that have UIDLs; or NULL */
} HaulPolicy;

#endif /* HAUL_CORE_POLICY_H */
