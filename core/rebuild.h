/*
 * The listing of a folder, rebuilt from what the state knows and from what changed since. Pure.
 *
 * For messages that did not change, the flags are those last agreed on. That is exact where flags are
 * merged: what both sides agreed on then is what the source has, as long as it did not change; and the
 * destination is only ever told what the source gained and lost since, so that what a copy had besides
 * stays as it is, known or not.
 */
#ifndef HAUL_CORE_REBUILD_H
#define HAUL_CORE_REBUILD_H

#include "listing.h"

/*
 * Makes @listing, which holds what changed and what is gone, into one of all messages of the folder.
 *
 * @pairs: of HaulPair, @strays: of HaulId: what was at the destination besides; with ids of @listing. Of
 * strays the flags are not known, nor wanted: whoever takes one for a copy asks for its key, and them.
 * @side: 1 or 2.
 * @changed: whether the store was asked; else nothing changed, and the listing is unordered.
 * Returns whether it can be believed: it holds as many messages as the folder does. A message that nobody
 * knew of makes that differ, and so does whatever the store left out. (Nor is it believed where what changed
 * has ids that are no numbers: only the store knows the place of such.) If not, the items are of no use.
 */
bool haul_rebuild_listing(HaulListing *listing, const GArray *pairs, const GArray *strays,
                          unsigned side, bool changed);

#endif /* HAUL_CORE_REBUILD_H */
