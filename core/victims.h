/*
 * Messages that are about to be removed at the destination: which of them are there, what the log says of
 * them, and how they come into the trash.
 */
#ifndef HAUL_CORE_VICTIMS_H
#define HAUL_CORE_VICTIMS_H

#include "context.h"
#include "folder-list.h"

typedef struct {
  GPtrArray *ids;      /* owned; of char * */
  GPtrArray *names;    /* owned; of char *, beside them: Message-Ids, or NULL */
  uint64_t n_messages; /* that the folder is said to hold, or HAUL_UNKNOWN */
} HaulVictims;

void haul_victims_clear(HaulVictims *victims);

/* Enters a folder, and looks which of @ids (HaulId; NULL: all that there are) are there. @epoch2: what it must
 * be, or 0. @victims is to be cleared. */
bool haul_victims_look(HaulOpenStore *store2, const char *path2, uint64_t epoch2, const GArray *ids,
                       HaulVictims *victims, GError **error);

/* Copies them to the trash, which is made if need be, and leaves those of which the store says that they are
 * there; fails if these are not all. */
bool haul_victims_to_trash(const HaulContext *context, HaulOpenStore *store2,
                           const HaulFolderList *list2, const char *path2, HaulVictims *victims,
                           GError **error);

/* Says of each that it is gone. */
void haul_victims_log(const HaulContext *context, const char *path2, const HaulVictims *victims);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaulVictims, haul_victims_clear)

#endif /* HAUL_CORE_VICTIMS_H */
