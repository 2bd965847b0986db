/*
 * What a FETCH response says of a message (RFC 9051 §7.5.2), as values. Pure. The octets of a body
 * are not among them: where one is due, parsing halts, and goes on behind it.
 */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "wire.h"

/* The flags of one message; keywords are ImapSpans. */
typedef struct {
  uint32_t flags;   /* HaulFlags */
  bool any_keyword; /* "\*" was among them (PERMANENTFLAGS) */
  GArray *keywords; /* owned */
} ImapFlagList;

/* Replaces @flags by a parenthesised list. \Recent and unknown \Flags are dropped, and so are
 * keywords beyond bounds: no keyword fails a message. */
bool imap_take_flags(ImapCursor *cursor, ImapFlagList *flags);

typedef enum {
  IMAP_BODY_NONE,   /* not in this response                                   */
  IMAP_BODY_NIL,    /* the server has none                                    */
  IMAP_BODY_STRING, /* body: a quoted string (some servers say "" for empty)  */
  IMAP_BODY_COMES,  /* body_size octets follow the parsed text in the stream  */
} ImapBodyKind;

/* One FETCH response. Cleared by imap_fetch_clear(), whose arrays are kept. */
typedef struct {
  uint64_t uid; /* 0: not told */
  bool bad_uid; /* 0, or beyond 32 bits */
  bool has_flags, has_date, has_size, has_header, has_object_id;
  ImapFlagList flags;
  uint64_t size; /* HAUL_UNKNOWN if not told or no number */
  int64_t date;  /* HAUL_NO_DATE if not told or no date   */
  int32_t zone;
  ImapSpan header;    /* BODY[HEADER.FIELDS ...], without its empty line */
  ImapSpan object_id; /* EMAILID or X-GM-MSGID                           */
  GArray *labels;     /* owned; of ImapSpan: X-GM-LABELS                 */
  ImapBodyKind body_kind;
  ImapSpan body;
  uint64_t body_size;
} ImapFetch;

void imap_fetch_init(ImapFetch *fetch);
void imap_fetch_clear(ImapFetch *fetch);
void imap_fetch_free(ImapFetch *fetch); /* the arrays, not @fetch */

/*
 * Parses items of a FETCH response: from its "(" to its ")", or up to an announced body; or, where
 * @continues, from behind that body to the ")".
 *
 * Items may come in any order (RFC 9051 §7.5.2); the first of a kind counts.
 * Returns false if it is malformed. fetch->body_kind is IMAP_BODY_COMES where a body is due.
 */
bool imap_parse_fetch(ImapCursor *cursor, bool continues, ImapFetch *fetch);

#endif /* IMAP_FETCH_H */
