/*
 * Looking at the folders of a pass, in as many rounds as it takes to plan them: ids and flags of each;
 * then keys of what is new on both sides; then contents of what keys do not tell apart.
 */
#ifndef HAUL_CORE_ROUNDS_H
#define HAUL_CORE_ROUNDS_H

#include "context.h"

/* Plans every folder of @pass that has to be listed. Returns false for what reaches beyond folders. */
bool haul_look_at_folders(const HaulContext *context, HaulPass *pass, HaulOpenStore *store1,
                          HaulOpenStore *store2, GError **error);

#endif /* HAUL_CORE_ROUNDS_H */
