/*
 * What a server's responses say, as values. Pure, like wire.h, whose tokens it is made of; spans
 * are lent by the octets that were parsed.
 */
#ifndef IMAP_RESPONSE_H
#define IMAP_RESPONSE_H

#include "capability.h"
#include "set.h"
#include "wire.h"

typedef enum { IMAP_OK, IMAP_NO, IMAP_BAD, IMAP_PREAUTH, IMAP_BYE } ImapCondition;

typedef enum {
  IMAP_RESPONSE_TAGGED,   /* "A1 OK ...": condition, code, text               */
  IMAP_RESPONSE_STATUS,   /* "* OK ...": likewise                             */
  IMAP_RESPONSE_CONTINUE, /* "+ ...": text                                    */
  IMAP_RESPONSE_DATA,     /* "* LIST ...": name, rest; "* 5 EXISTS": number   */
} ImapResponseKind;

typedef struct {
  ImapResponseKind kind;
  ImapSpan tag;
  ImapCondition condition;
  ImapSpan code;       /* response code (RFC 9051 §7.1): the word ... */
  ImapCursor argument; /* ... and what follows it in the brackets     */
  ImapSpan text;
  uint64_t number; /* 0 where none came */
  ImapSpan name;
  ImapCursor rest;
} ImapResponse;

/* Parses the beginning of a response; false if it is none. */
bool imap_parse_response(const char *octets, size_t size, ImapResponse *response);

/* Whether a literal may end this line: status lines are text to the end (RFC 9051 §7.1). */
bool imap_may_hold_literals(const char *line, size_t size);

/* Whether the literal that ends @line is the whole of a message, BODY[] of a FETCH. */
bool imap_announces_body(const char *line, size_t size, size_t literal_size);

typedef struct {
  uint32_t attributes; /* HaulFolderAttributes */
  bool nonexistent;    /* \NonExistent, of LIST-EXTENDED */
  bool inbox;          /* \Inbox, of XLIST: whatever it is called */
  char separator;      /* '\0': NIL */
  bool bad_separator;  /* neither NIL nor one octet that can be one */
  ImapSpan name;
} ImapListEntry;

/* Parses what follows "LIST", "LSUB" or "XLIST". */
bool imap_parse_list(ImapCursor *cursor, ImapListEntry *entry);

/* HAUL_UNKNOWN where not told. */
typedef struct {
  ImapSpan name;
  uint64_t messages, uid_next, uid_validity, size, mod_sequence, append_limit;
  ImapSpan mailbox_id;
} ImapStatusData;

/* Parses what follows "STATUS". */
bool imap_parse_status(ImapCursor *cursor, ImapStatusData *status);

typedef enum { IMAP_PERSONAL, IMAP_OTHER_USERS, IMAP_SHARED } ImapNamespaceKind;
typedef struct {
  ImapNamespaceKind kind;
  ImapSpan prefix;
  char separator; /* '\0': NIL */
} ImapNamespaceEntry;

/* Parses what follows "NAMESPACE" (RFC 2342 §6), appending an ImapNamespaceEntry for each, up to
 * IMAP_NAMESPACES_LIMIT. */
bool imap_parse_namespaces(ImapCursor *cursor, GArray *entries);

/*
 * Parses what follows "SEARCH" (RFC 9051 has it no more; RFC 3501 §7.2.5, RFC 7162 §3.1.5).
 *
 * @ranges: gets an ImapRange for each run of neighbours. Returns false where anything but numbers
 * comes, such as an error message (field: 263.net); nothing may be believed then.
 */
bool imap_parse_search(ImapCursor *cursor, GArray *ranges);

/* Of one quota root; HAUL_UNKNOWN where nothing is told. */
typedef struct {
  uint64_t used_octets, limit_octets;
} ImapQuota;

/* Parses what follows "QUOTA" (RFC 9208 §5.1). A root that is no astring, with blanks in it, is passed
 * over (konsoleH). Numbers are saturated. */
bool imap_parse_quota(ImapCursor *cursor, ImapQuota *quota);

/* Returns how many octets @quota leaves; HAUL_UNKNOWN where it sets no limit. */
uint64_t imap_quota_room(const ImapQuota *quota);

/*
 * Parses what follows "VANISHED" (RFC 7162 §3.2.10).
 *
 * @earlier: gets whether it speaks of the time before we came. @ranges: gets the set as it is written.
 */
bool imap_parse_vanished(ImapCursor *cursor, bool *earlier, GArray *ranges);

/*
 * Parses what follows "ESEARCH" (RFC 4731 §3.1) where UIDs were asked for, with RETURN (ALL).
 *
 * @tag: gets that of the search. @ranges: gets the set; nothing if there is none, as of a search that
 * found nothing. Returns false if it is of message numbers, or of no search.
 */
bool imap_parse_esearch(ImapCursor *cursor, ImapSpan *tag, GArray *ranges);

/*
 * Parses the argument of APPENDUID (RFC 4315 §3).
 *
 * @uids: gets the ranges. Returns false, and nothing may be believed, unless they ascend strictly
 * and hold exactly @expected ids.
 */
bool
imap_parse_appenduid(ImapCursor argument, uint64_t expected, uint32_t *uid_validity, GArray *uids);

#endif /* IMAP_RESPONSE_H */
