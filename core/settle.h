/*
 * Open intents: deliveries whose end nobody knows, since a run was killed or a connection lost. They
 * are settled by looking at what the destination got since, before anything is sent again.
 */
#ifndef HAUL_CORE_SETTLE_H
#define HAUL_CORE_SETTLE_H

#include "context.h"

/*
 * Settles the intents of @work, whose folder exists at the destination or not.
 *
 * A message there settles one intent, never two, and only if it has the same octets. A server may still
 * be storing what a dead connection had sent: while an intent is younger than the grace and its message
 * not there, this waits and looks again. What is not there in the end is simply forgotten: it will be
 * planned like any other.
 */
bool haul_settle(const HaulContext *context, HaulOpenStore *store2, HaulFolderWork *work,
                 GError **error);

#endif /* HAUL_CORE_SETTLE_H */
