/*
 * The messages of a pass by their object ids, as numbers, and the folders that are labels: what a store
 * tells of one message in several folders, made fit for the planner.
 *
 * Ids and labels come from the thread that lists; the planner's table belongs to the main thread.
 */
#ifndef HAUL_CORE_OBJECTS_H
#define HAUL_CORE_OBJECTS_H

#include <mailhaul/message.h>

#include "plan.h"

typedef struct HaulObjects HaulObjects;

HaulObjects *haul_objects_new(void);
void haul_objects_free(HaulObjects *objects); /* NULL is fine */

/* Names a folder that labels may name, before anything is listed. @path: borrowed. */
void haul_objects_add_folder(HaulObjects *objects, const char *path, uint32_t place);

/* Returns what @item, of the source, is elsewhere. From any thread. */
HaulTwin haul_objects_twin(HaulObjects *objects, const HaulItem *item);

/* Whether it is one that was named. From any thread. */
bool haul_objects_has_folder(const HaulObjects *objects, const char *path);

/* Returns the object id of a number, lent. From any thread. */
const char *haul_objects_id(HaulObjects *objects, uint32_t number);

/* Returns the table of providers, with room for every number given so far; lent until the next call. */
uint32_t *haul_objects_providers(HaulObjects *objects);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulObjects, haul_objects_free)

#endif /* HAUL_CORE_OBJECTS_H */
