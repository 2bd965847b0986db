/* Reading the selected folder: list() and fetch() of the contract. */
#ifndef IMAP_READER_H
#define IMAP_READER_H

#include "store.h"

bool imap_list(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
               const char *const *header_fields, HaulItemFunc each, void *data, GError **error);
bool imap_fetch(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
                GError **error);

#endif /* IMAP_READER_H */
