/*
 * Finds out which messages of the selected folder a run is about: asks the store to search, or looks at the
 * messages as far as the search key needs it.
 */
#ifndef HAUL_CORE_SELECTING_H
#define HAUL_CORE_SELECTING_H

#include "context.h"
#include "plan-select.h"
#include "search-key.h"

/* What the user selects. */
struct HaulSelection {
  HaulMeasures measures;  /* of the source's messages */
  HaulSearchKey *keys[2]; /* owned; of source and destination; NULL: all */
  const char *texts[2];   /* borrowed; the same as written */
};

/* Reads the selection of @policy; *selection gets NULL where there is none. To be freed. Errors: "usage". */
bool haul_selection_new(const HaulPolicy *policy, int64_t now, HaulSelection **selection,
                        GError **error);
void haul_selection_free(HaulSelection *selection); /* NULL is fine */

/* Whether messages of @side, 1 or 2, are selected from. @selection may be NULL. */
bool haul_selection_concerns(const HaulSelection *selection, unsigned side);

/* @item: with its size. */
typedef void (*HaulVerdictFunc)(const HaulItem *item, HaulVerdict verdict, void *data);

/*
 * Tells of each message of @ranges, in no order, whether it is selected.
 *
 * *@found_any gets false where there is a search key, the store searched the whole folder for it, and found
 * nothing: a server that lost its index says so, too.
 * Errors: of the store; "unsupported" where only a server can look for the key, and this one does not.
 */
bool haul_select_messages(const HaulContext *context, HaulOpenStore *store, unsigned side,
                          const GArray *ranges, HaulVerdictFunc each, void *data, bool *found_any,
                          GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulSelection, haul_selection_free)

#endif /* HAUL_CORE_SELECTING_H */
