/*
 * Deliveries whose ids the store did not tell (no UIDPLUS): they are found among what came to the
 * folder since, by key, the n-th with the n-th.
 */
#ifndef HAUL_CORE_NAMING_H
#define HAUL_CORE_NAMING_H

#include "context.h"

typedef struct HaulNaming HaulNaming;

HaulNaming *haul_naming_new(const HaulContext *context, HaulOpenStore *store2); /* both borrowed */
void haul_naming_free(HaulNaming *naming);

/* Remembers a delivery to @work; @cargo is copied. */
void haul_naming_add(HaulNaming *naming, HaulFolderWork *work, const HaulCargo *cargo);
bool haul_naming_is_empty(const HaulNaming *naming);

/*
 * Looks for the deliveries and notes what is found. Nothing may be under way to the store. What cannot
 * be found now stays without an id, and the next run looks for it.
 *
 * Returns false for what reaches beyond a folder.
 */
bool haul_naming_look(HaulNaming *naming, GError **error);

#endif /* HAUL_CORE_NAMING_H */
