/* Copying and moving messages of the selected folder into another one: copy() of the contract. */
#ifndef IMAP_COPIER_H
#define IMAP_COPIER_H

#include "store.h"

bool imap_copy(HaulStore *store, const char *const *ids, size_t n_ids, const char *to_path,
               bool move, HaulCopiedFunc each, void *data, GError **error);

#endif /* IMAP_COPIER_H */
