/* Makes the folders that are missing at the destination, and subscribes to them. */
#ifndef HAUL_CORE_PREPARING_H
#define HAUL_CORE_PREPARING_H

#include "context.h"

/* Does so for a pass. A folder that cannot be made is unusable in it, and its tally says so.
 * @wrote: set to true if anything was asked for. */
bool haul_prepare_folders(HaulPass *pass, HaulReport *report, HaulOpenStore *store2, bool *wrote,
                          GError **error);

#endif /* HAUL_CORE_PREPARING_H */
