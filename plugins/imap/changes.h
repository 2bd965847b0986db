/*
 * What differs in a folder since a change token: changes() of the contract, by QRESYNC and CONDSTORE
 * (RFC 7162).
 *
 * A token is "epoch-next-count-modseq" (imap_folder_describe()). Flags and new messages come by
 * CHANGEDSINCE. What is gone comes with them where QRESYNC is enabled; elsewhere the counts may show
 * that nothing is; else the gaps between the UIDs that there are (ESEARCH, RFC 4731) are what is gone.
 * Where none of it will do, the core is told so, and lists.
 */
#ifndef IMAP_CHANGES_H
#define IMAP_CHANGES_H

#include "store.h"

/* Appends the commands of changes() to @lines, as far as they are known beforehand; none where what
 * changed cannot be told. @folder: NULL if it is not known. */
void imap_changes_lines(GPtrArray *lines, const HaulStore *store, const ImapFolder *folder,
                        const char *since);

bool imap_changes(HaulStore *store, const char *since_token, HaulItemFunc changed,
                  HaulGoneFunc gone, void *data, GError **error);

#endif /* IMAP_CHANGES_H */
