/*
 * The writing end of a lane: takes parcels from the queue, notes intents a batch at a time, puts the
 * messages, and notes the receipts.
 */
#ifndef HAUL_CORE_DELIVERY_H
#define HAUL_CORE_DELIVERY_H

#include "context.h"
#include "queue.h"

typedef enum {
  HAUL_PARCEL_FOLDER, /* what follows is for this folder                  */
  HAUL_PARCEL_MESSAGE,
  HAUL_PARCEL_END, /* the source gave all of it, or failed: why        */
} HaulParcelKind;

/* What travels through the queue. */
typedef struct {
  HaulParcelKind kind;
  HaulFolderWork *work;
  HaulMessage *message; /* owned */
  HaulCargo cargo;      /* owned */
  GError *why;          /* owned */
} HaulParcel;

void haul_parcel_free(HaulParcel *parcel);

/* What else is done at the destination by who delivers: the store is free for it. */
typedef struct {
  bool (*prepare)(void *data, GError **error); /* first; the source is being read already         */
  bool (*conclude)(void *data, GError **error); /* when all is sent, and need not be answered yet */
  void *data;
} HaulDeliveryFrame;

/*
 * Delivers what comes until the queue is closed; everything is settled and noted when it returns.
 *
 * @pass: for its actions on flags. @frame: NULL for nothing else.
 * Returns false for what reaches beyond a folder; the queue is broken then.
 */
bool haul_deliver(const HaulContext *context, const HaulPass *pass, HaulOpenStore *store2,
                  HaulQueue *queue, const HaulDeliveryFrame *frame, GError **error);

/*
 * Tells the destination, if it wants to know, whence those folders of the pass are that may have changed and
 * got no message. For when all tickets are settled.
 *
 * Errors: those that reach beyond a folder.
 */
bool haul_tell_origins(const HaulPass *pass, HaulOpenStore *store2, GError **error);

#endif /* HAUL_CORE_DELIVERY_H */
