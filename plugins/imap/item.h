/* A FETCH response as the item that the core wants. */
#ifndef IMAP_ITEM_H
#define IMAP_ITEM_H

#include <mailhaul/message.h>

#include "fetch.h"
#include "store.h"

/* Room for what an item lends: one that lives as long as a call does for each message. */
typedef struct {
  char id[12];
  char *object_id;     /* owned */
  GString *text;       /* owned: keywords, each with its NUL */
  GPtrArray *keywords; /* owned array of pointers into text, NULL-terminated */
  GPtrArray *labels;   /* owned array of owned paths, NULL-terminated */
} ImapItemRoom;

void imap_item_room_init(ImapItemRoom *room);
void imap_item_room_free(ImapItemRoom *room); /* what it holds */

/* Keeps the texts of @fetch in @room, but for a header: a body that is read afterwards overwrites
 * them. @store: whose folders the labels name. */
void imap_item_keep(ImapItemRoom *room, HaulStore *store, const ImapFetch *fetch);
/* Parts of it, for what comes behind a body. */
void imap_item_keep_keywords(ImapItemRoom *room, const ImapFetch *fetch);
void imap_item_keep_object_id(ImapItemRoom *room, const ImapFetch *fetch);
void imap_item_keep_labels(ImapItemRoom *room, HaulStore *store, const ImapFetch *fetch);

/* Fills @item, lent by @room and @fetch until the next of either. Texts are those kept. */
void imap_item_fill(ImapItemRoom *room, const ImapFetch *fetch, HaulItem *item);

#endif /* IMAP_ITEM_H */
