/*
 * Whether ids still name the messages that the state says: bridges number anew, under the same
 * UIDVALIDITY (RFC 9051 §2.3.1.1 forbids it). A new message under an old number would look copied.
 */
#ifndef HAUL_CORE_STEADY_H
#define HAUL_CORE_STEADY_H

#include "context.h"

/*
 * Looks at a sample of the known messages of each source folder that is to be listed, all in one
 * flight. Where they are listed as others, by key and by size, their bodies are read; if these are others,
 * too, what the state has of the folder is forgotten, with a warning, and it is matched anew.
 *
 * Not looked at are folders with change tokens, for a server that numbers changes keeps its numbers,
 * and ids that are names, which nobody gives to another message.
 * Returns false for what reaches beyond folders.
 */
bool
haul_check_ids(const HaulContext *context, HaulPass *pass, HaulOpenStore *store1, GError **error);

#endif /* HAUL_CORE_STEADY_H */
