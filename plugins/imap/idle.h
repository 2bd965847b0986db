/* wait(): until the selected folder changes. */
#ifndef IMAP_IDLE_H
#define IMAP_IDLE_H

#include "store.h"

bool imap_wait(HaulStore *store, unsigned timeout_s, bool *changed, GError **error);

#endif /* IMAP_IDLE_H */
