/*
 * Deliveries under way: messages that wait for their receipts, one by one or in the batch of one
 * APPEND command.
 */
#ifndef IMAP_DELIVERY_H
#define IMAP_DELIVERY_H

#include "store.h"

typedef struct {
  HaulMessage *message; /* owned */
  HaulTicket *ticket;   /* owned: to be settled once */
  ImapFolder *folder;   /* borrowed */
  bool bare;            /* without keywords, which were refused */
  unsigned n_left_out;  /* keywords that were not sent */
  bool doubtful;        /* refused with TRYCREATE: is the folder gone? */
  bool waits;           /* its literal for "+": without, the APPEND was not understood */
  bool again;           /* it was refused before: it is not tried once more */
  bool binary;   /* as a literal8 (RFC 3516 §4.4), for it has NULs, and was refused as a literal */
  bool nameless; /* an APPEND was answered before it had named its folder */
  bool in_company; /* if doubtful: refused together with others */
  char *text;      /* owned; if doubtful or waiting, why */
} ImapDelivery;

typedef struct {
  HaulStore *store;      /* borrowed */
  ImapFolder *folder;    /* borrowed */
  GPtrArray *deliveries; /* owned */
  uint64_t octets;
  unsigned tag;
  bool with_keywords;
  bool answered; /* before it was closed */
  char *refusal; /* owned; if that was before it had named the folder: why, or NULL */
} ImapBatch;

void imap_delivery_free(gpointer delivery);
/* Each settles the ticket, and frees the delivery. */
void imap_delivery_fail(ImapDelivery *delivery, const GError *why);
void imap_delivery_refuse(ImapDelivery *delivery, const char *reason, const char *text);

void imap_batch_free(gpointer batch); /* which has no deliveries left */
/* Fails all deliveries of @batch, and frees it. */
void imap_batch_fail(ImapBatch *batch, const GError *why);
/* Settles all deliveries of @batch, which was accepted, with the receipts that @response holds, if
 * it holds as many as there are messages (RFC 4315 §3). They are freed, not yet removed. */
void imap_batch_settle(ImapBatch *batch, const ImapResponse *response);

#endif /* IMAP_DELIVERY_H */
