/* Changing flags in the selected folder. */
#ifndef IMAP_FLAGS_H
#define IMAP_FLAGS_H

#include "store.h"

bool imap_set_flags(HaulStore *store, const char *const *ids, size_t n_ids,
                    const HaulFlagChange *change, GError **error);

#endif /* IMAP_FLAGS_H */
