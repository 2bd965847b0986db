/* Several folders of the source in one of the destination: who has which of its messages. */
#ifndef HAUL_CORE_SHARING_H
#define HAUL_CORE_SHARING_H

#include "context.h"

/* Finds out which folders of the state, in this pass or not, have the destination's folder of one of the pass,
 * too. @journal: of HaulJournalFolder, as it was before the pass. */
void haul_sharing_begin(HaulPass *pass, const GArray *journal);

/* Whether any folder of the pass shares its place. */
bool haul_sharing_is_on(const HaulPass *pass);

/* Appends to @covered the ids (HaulId, of @ids2) of what is at the destination for others that share the place.
 * Nothing of it may be taken for a copy of what @work has. */
bool haul_sharing_load(const HaulContext *context, const HaulFolderWork *work, HaulIds *ids2,
                       GArray *covered, GError **error);

#endif /* HAUL_CORE_SHARING_H */
