/*
 * The map of ids: under which ids the destination has the messages of folders whose ids are UIDLs, as a file, for
 * those who move the clients along that remember these.
 *
 * A line for each message, of four columns between tabs: UIDL, destination folder, its epoch (or "-") and the id
 * there; in the order of ids, so that equal maps are equal files. Lines that begin with "#" are comments. Control
 * octets, "\" and what would be taken for a comment are written \xNN.
 */
#ifndef HAUL_CORE_ID_MAP_H
#define HAUL_CORE_ID_MAP_H

#include "context.h"

typedef struct HaulIdMap HaulIdMap;

/*
 * Prepares to write @path; to be called before anything else is done, for the sake of the error: "usage" where
 * no file can be written there.
 */
HaulIdMap *haul_id_map_new(const char *path, GError **error);
void haul_id_map_free(HaulIdMap *map);

/* Notes which folders it is about: those of a pass. */
void haul_id_map_note(HaulIdMap *map, const HaulPass *pass);

/*
 * Replaces the file by what @journal knows of these folders, as a whole. What has no id at the destination, or is
 * not there any more, is left out, and so is an id that the store made up (HAUL_FOLDER_UIDLS).
 *
 * Errors: HAUL_ERROR_ACCOUNT, "usage", "disk-full", or the journal's.
 */
bool haul_id_map_write(const HaulIdMap *map, HaulJournal *journal, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulIdMap, haul_id_map_free)

#endif /* HAUL_CORE_ID_MAP_H */
