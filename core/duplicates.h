/*
 * Messages that a folder of the source has more than once, for --nosyncduplicates: of equal octets one is
 * copied. What was copied in this run is remembered here, what was before in the state.
 */
#ifndef HAUL_CORE_DUPLICATES_H
#define HAUL_CORE_DUPLICATES_H

#include "context.h"

typedef struct HaulDuplicates HaulDuplicates;

HaulDuplicates *haul_duplicates_new(const HaulContext *context); /* borrowed */
void haul_duplicates_free(HaulDuplicates *duplicates);

/* Forgets what was seen: another folder begins. */
void haul_duplicates_begin(HaulDuplicates *duplicates);

/* Sees a message of @work: whether it is the first of its kind, or one that has a copy has the same octets. (Of a
 * copy that was found and not made the octets are not known: auto's key and the size count. A key that the user
 * chose may be that of many.) */
bool haul_duplicates_see(HaulDuplicates *duplicates, const HaulFolderWork *work,
                         const HaulCargo *cargo, bool *is_duplicate, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulDuplicates, haul_duplicates_free)

#endif /* HAUL_CORE_DUPLICATES_H */
