/*
 * Messages that left one folder of the source and are new in another: found out before a pass is carried
 * out, so that the destination puts them there by itself and their bodies do not travel again.
 */
#ifndef HAUL_CORE_MOVES_H
#define HAUL_CORE_MOVES_H

#include "context.h"

/*
 * Looks among what @pass is to copy for the messages of its departures, and makes links of them. Where
 * nothing departed, nothing is asked; else the headers of what is to be copied are, unless that is so much
 * that they are hardly worth it, and the octets of what headers do not tell apart.
 *
 * What lay in folders that the source has no more is looked for, too: one may have another name now.
 *
 * @journal: of HaulJournalFolder; @folders2: of HaulPlanFolder, all of the destination, to outlive @pass.
 * Returns false for what reaches beyond folders. What befalls one folder leaves it as it was planned.
 */
bool haul_find_moves(const HaulContext *context, HaulPass *pass, HaulOpenStore *store1,
                     const GArray *journal, const GArray *folders2, GError **error);

/* Forgets, when the links are made, the pairs of what departed; of folders that the source has no more, and may
 * only not show, of what was found elsewhere alone, and not where such folders go. */
bool haul_forget_departed(const HaulContext *context, const HaulPass *pass, GError **error);

#endif /* HAUL_CORE_MOVES_H */
