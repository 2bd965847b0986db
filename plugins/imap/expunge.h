/* expunge(): removing messages, these and no other. */
#ifndef IMAP_EXPUNGE_H
#define IMAP_EXPUNGE_H

#include "store.h"

bool imap_expunge(HaulStore *store, const char *const *ids, size_t n_ids, GError **error);

#endif /* IMAP_EXPUNGE_H */
