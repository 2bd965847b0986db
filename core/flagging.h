/* Carrying out the planned changes of flags. */
#ifndef HAUL_CORE_FLAGGING_H
#define HAUL_CORE_FLAGGING_H

#include "context.h"

/*
 * Changes the flags of the copies in @work, which is selected for writing, as the actions of @pass say:
 * one call to the store per distinct change. What fails for the folder is in the report.
 *
 * Returns false for what reaches beyond the folder.
 */
bool haul_change_flags(const HaulContext *context, const HaulPass *pass, HaulOpenStore *store2,
                       HaulFolderWork *work, GError **error);

#endif /* HAUL_CORE_FLAGGING_H */
