/*
 * What a server may send before it counts as hostile, each with its reason. Real servers stay far
 * below all of them; docs/architecture.md says what becomes of one that does not.
 */
#ifndef IMAP_LIMITS_H
#define IMAP_LIMITS_H

#include <stdint.h>

enum {
  /* Octets of a line. */
  IMAP_LINE_LIMIT = 64 << 10, /* status and capabilities: ours are answered in a few hundred */
  IMAP_DATA_LIMIT = 1 << 20,  /* data: a FETCH with many flags, an address list of thousands */

  /* Literals and responses. */
  IMAP_LITERAL_LIMIT = 1 << 20,     /* one that is no message: a name, header fields */
  IMAP_LITERAL_KEPT = 256 << 10,    /* of one in FETCH that is longer: matching looks no farther */
  IMAP_LITERAL_CUT_LIMIT = 1 << 30, /* and no such is read past if it is longer than this */
  IMAP_RESPONSE_LIMIT = 4 << 20,    /* a response in all, messages apart; we keep it whole */
  IMAP_RESPONSE_LITERALS = 10000,   /* each costs us a read, whatever its size */
  IMAP_NESTING_LIMIT = 32, /* parentheses; BODYSTRUCTURE, which we never ask for, has most */

  /* Parts of one response. */
  IMAP_KEYWORD_COUNT_LIMIT = 256, /* of one message: Maildir knows 26 */
  IMAP_LABEL_COUNT_LIMIT = 10000, /* of one message: an account has no more */
  IMAP_KEYWORD_LIMIT = 255,       /* octets of one; kept for the run */
  IMAP_OBJECT_ID_LIMIT = 255,     /* octets (RFC 8474 §7); kept for the run */
  IMAP_NAME_LIMIT = 1000,         /* octets of a mailbox name; servers stop at 255 or so */
  IMAP_NAMESPACES_LIMIT = 64,     /* each name is compared with each of them */
  IMAP_SET_RANGES_LIMIT = 100000, /* a set that has more than this is read up to there */

  /* What a connection or a listing may add up to. */
  IMAP_FOLDERS_LIMIT = 100000,    /* entries of one LIST; the engine keeps each */
  IMAP_MESSAGES_LIMIT = 16 << 20, /* of one folder; the engine keeps some 60 octets of each */
  IMAP_LATE_LIMIT = 64 << 20,     /* octets of items out of order, which we keep to sort them */
  IMAP_TOLD_LIMIT = 20,           /* complaints of one kind that reach the log: alerts, odd names */

  IMAP_COMMAND_LIMIT = 8000, /* what we put on a line ourselves (RFC 7162 §4 lets us 8192) */
};

/* Octets between two tagged answers, bodies that were asked for aside. */
#define IMAP_UNANSWERED_LIMIT                                                                      \
  (UINT64_C(256) << 20)                        /* 100,000 folders with names as long as may be */
#define IMAP_LISTING_LIMIT (UINT64_C(8) << 30) /* ten million messages with their header fields */

/* A message: beyond what any store holds, and what comes need not be what was announced. */
#define IMAP_BODY_LIMIT (UINT64_C(1) << 40)

#endif /* IMAP_LIMITS_H */
