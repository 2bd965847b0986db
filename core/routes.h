/*
 * Where the folders of a run go: the user's words are held against what there is, the mapping is made of them,
 * and what must not be is refused before anything is written. mapping.h decides.
 */
#ifndef HAUL_CORE_ROUTES_H
#define HAUL_CORE_ROUTES_H

#include "folder-list.h"
#include "journal.h"
#include "mapping.h"
#include "policy.h"

/* What of both sides the routes hang on. */
typedef struct {
  const HaulPolicy *policy;
  const HaulFolderList *list1, *list2;
  const GArray *folders1; /* of HaulPlanFolder: those that were chosen */
  const char *target2;    /* where the only one of them goes, or NULL */
  HaulNotation notation2; /* what the user says of it; its prefix is borrowed, or NULL */
  HaulJournal *journal;
  bool tells; /* what is not as it was in earlier runs is logged */
} HaulRoutesInput;

/* Checks what the user says of folders before anything is connected. Errors: "usage". */
bool haul_routes_check(const HaulPolicy *policy, GError **error);

/* Leaves in @folders1 those of the subtree that the user confines the run to. Errors: "no-folder". */
bool haul_routes_confine(const HaulPolicy *policy, const HaulFolderList *list1, GArray *folders1,
                         GError **error);

/* Returns HaulMapping beside the chosen folders, to be freed. NULL on error: "merge" where two would go to one,
 * and the user does not say that they may. */
GArray *haul_routes_make(const HaulRoutesInput *input, GError **error);

/* Says in the rules where the destination spells a path otherwise. @spellings2: path -> spelling, or NULL. */
void haul_routes_note_spellings(GArray *mappings, GHashTable *spellings2);

#endif /* HAUL_CORE_ROUTES_H */
