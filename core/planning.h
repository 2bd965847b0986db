/* Planning one folder pair from its listings: what the planner is given, and what becomes of its plan. */
#ifndef HAUL_CORE_PLANNING_H
#define HAUL_CORE_PLANNING_H

#include "context.h"
#include "listing.h"

/* A folder being planned: both listings, and what the state knows. */
typedef struct {
  HaulFolderWork *work;
  HaulListing *listing1, *listing2; /* owned; NULL while not known */
  GArray *pairs;                    /* owned; of HaulPair */
  GArray *strays;                   /* owned; of HaulId */
  GArray *covered2;                 /* owned; of HaulId: copies of what other folders have */
  GArray *given_up;                 /* owned; of HaulId */
  /* What later rounds found, beside the items, or NULL: owned. Of what was not asked for it is zero, which
   * costs no memory where that is most of a large folder. Likes and traits: see likeness.h. */
  HaulKey *keys1, *keys2, *contents1, *contents2, *likes1, *likes2, *traits1, *traits2;
  bool read_more; /* contents were asked for beyond a sample */
  /* Owned; of uint8_t, HaulVerdict, beside the items; NULL: all are selected. */
  GArray *verdicts1, *verdicts2;
  bool is_selected; /* they are what they are to be */
} HaulPlanning;

void haul_planning_free(HaulPlanning *planning); /* NULL is fine */

/* Where the listing of a side of a folder is to come from. */
typedef enum {
  HAUL_SOURCE_LISTING,
  HAUL_SOURCE_CHANGES, /* the state, and what changed since */
  HAUL_SOURCE_STATE,   /* the state: nothing changed        */
} HaulSource;

/* rebuild.h says when the state is enough, and why flags have to be merged for that. */
HaulSource haul_planning_source(const HaulContext *context, const HaulFolderPlan *plan,
                                const HaulOpenStore *store, unsigned side);

/* Takes what the state knows of the folder, once more after a listing was replaced. Both listings are there. */
bool haul_planning_take_state(const HaulContext *context, HaulPlanning *planning, GError **error);

/* Makes the listing of a side, which holds what changed, a complete one. False if that is not to be believed:
 * then it is gone, and the side has to be listed. The state is taken. */
bool haul_planning_rebuild(HaulPlanning *planning, unsigned side, HaulSource source);

/* What the planner gets; lent by @planning. */
HaulMessagesInput
haul_planning_input(const HaulContext *context, const HaulPass *pass, const HaulPlanning *planning);

/* Whether the listings, those that are there, are of the folders that we planned for; if not, the state begins anew with those
 * that are there, and @error is of the folder ("epoch"). */
bool haul_planning_check_epochs(const HaulContext *context, const HaulPlanning *planning,
                                GError **error);

/* Plans: appends the actions to @pass, tells the state what was found, and counts. @folder: number of the
 * folder in @pass. */
bool haul_planning_carry_out(const HaulContext *context, HaulPass *pass, HaulPlanning *planning,
                             guint folder, GError **error);

/* Lets an id of an action outlive the listing that it is of. */
void haul_planning_keep_id(HaulFolderWork *work, HaulId *id);

/* Handles the failure of one folder; false if it reaches farther, with @error set. @why is taken. */
bool haul_contain(const HaulContext *context, HaulFolderWork *work, GError *why, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulPlanning, haul_planning_free)

#endif /* HAUL_CORE_PLANNING_H */
