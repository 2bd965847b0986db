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
  GArray *given_up;                 /* owned; of HaulId */
  GArray *contents1, *contents2;    /* owned; of HaulKey beside the items, or NULL */
} HaulPlanning;

void haul_planning_free(HaulPlanning *planning); /* NULL is fine */

/* Whether it is enough to ask what changed on either side: the state knows all else. rebuild.h says why flags
 * have to be merged for that. */
bool haul_planning_can_rebuild(const HaulContext *context, const HaulFolderPlan *plan,
                               const HaulOpenStore *store1, const HaulOpenStore *store2);

/* Takes what the state knows of the folder, once more after a listing was replaced. Both listings are there. */
bool haul_planning_take_state(const HaulContext *context, HaulPlanning *planning, GError **error);

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

/* Handles the failure of one folder; false if it reaches farther, with @error set. @why is taken. */
bool haul_contain(const HaulContext *context, HaulFolderWork *work, GError *why, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulPlanning, haul_planning_free)

#endif /* HAUL_CORE_PLANNING_H */
