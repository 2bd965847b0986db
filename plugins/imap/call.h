/*
 * What list() and fetch() have in common: which messages were asked for, and which were answered.
 *
 * A server may say OK and have left a message out; it must not be taken for one that is not there.
 * So what was answered is compared with EXISTS, or with the UIDs that there are.
 *
 * Answers are believed where they were asked for: by UID, once, and with what was asked. Everything
 * else that a server may send meanwhile (flags that others changed, messages of others, the same
 * one twice) is passed over.
 */
#ifndef IMAP_CALL_H
#define IMAP_CALL_H

#include "item.h"
#include "set.h"
#include "visit.h"

typedef struct {
  HaulStore *store; /* borrowed */
  GArray *ranges;   /* owned: asked for, normalised */
  guint hint;       /* of imap_set_has() */
  ImapSeen seen;    /* answered */
  ImapSeen there;   /* UIDs told by answers that hold nothing else wanted */
  bool asks_uids;   /* besides the items */
  ImapFetch fetch;  /* the response at hand */
  ImapItemRoom room;
} ImapCall;

/* Errors: HAUL_ERROR_FOLDER for ids that are none; clear it then, too. */
bool imap_call_init(ImapCall *call, HaulStore *store, const HaulRange *ranges, size_t n_ranges,
                    GError **error);
void imap_call_clear(ImapCall *call); /* also one that is all zero */

/* Opens the folder and sends the commands that ask for @items of the ranges, unless they are under
 * way. NULL on error. */
ImapVisit *imap_call_begin(ImapCall *call, const char *items, GError **error);

/* Parses a FETCH response into call->fetch, up to a body that is due; @rest: gets where it ended. */
bool
imap_call_parse(ImapCall *call, const ImapResponse *response, ImapCursor *rest, GError **error);
/* Parses what follows the body. */
bool imap_call_parse_rest(ImapCall *call, ImapCursor *rest, GError **error);

/* Whether the message at hand was asked for and not yet answered. @error is set if its UID is none
 * (RFC 9051 §2.3.1.1): what else this folder says cannot be trusted. */
bool imap_call_awaits(ImapCall *call, GError **error);

/* Notes that the message at hand is there, if it was asked for. */
void imap_call_note(ImapCall *call);

/*
 * Finds which messages of the ranges are there, but were not answered; asks the server if what it
 * said does not tell.
 *
 * @visit: the call's, which has run; it may be over afterwards.
 * Returns UIDs, ascending uint32_t, to be freed. NULL on error: HAUL_ERROR_FOLDER "protocol" if
 * the server does not name as many messages as it says it has.
 */
GArray *imap_call_missing(ImapCall *call, const ImapVisit *visit, GError **error);

/* Sets the error for a folder of which the server gave @n of @n_all messages. Returns false. */
bool imap_call_short(const ImapCall *call, uint64_t n, uint64_t n_all, GError **error);

/* Sets the error for a folder whose messages the server refuses to give. Returns false. */
bool imap_call_refused(const ImapVisit *visit, GError **error);

#endif /* IMAP_CALL_H */
