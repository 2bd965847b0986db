/* search(): which messages of the selected folder match a key. */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include "store.h"
#include "visit.h"

bool imap_search(HaulStore *store, const char *key, HaulItemFunc each, void *data, GError **error);

/* Searches the folder that @visit has open. Returns ImapRanges, normalised, to be freed; NULL on
 * error. */
GArray *imap_search_ranges(ImapVisit *visit, const char *key, GError **error);

#endif /* IMAP_SEARCH_H */
