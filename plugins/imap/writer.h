/* Writing: put() and flush() of the contract, by APPEND. */
#ifndef IMAP_WRITER_H
#define IMAP_WRITER_H

#include "store.h"

ImapWriter *imap_writer_new(void);
void imap_writer_free(ImapWriter *writer); /* tickets not settled are failed */

bool imap_put(HaulStore *store, HaulMessage *message, HaulTicket *ticket, GError **error);
bool imap_flush(HaulStore *store, GError **error);

/* Ends the command that deliveries are being added to, so that another may be sent. */
bool imap_writer_pause(HaulStore *store, GError **error);

#endif /* IMAP_WRITER_H */
