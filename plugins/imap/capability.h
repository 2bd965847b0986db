/*
 * What a server says that it can do, as a set. Pure.
 */
#ifndef IMAP_CAPABILITY_H
#define IMAP_CAPABILITY_H

#include "wire.h"

/* Capabilities that change what we send; a set of them is a uint64_t. */
#define IMAP_CAP_APPENDLIMIT (UINT64_C(1) << 0)
#define IMAP_CAP_BINARY (UINT64_C(1) << 1)
#define IMAP_CAP_COMPRESS (UINT64_C(1) << 2)
#define IMAP_CAP_CONDSTORE (UINT64_C(1) << 3)
#define IMAP_CAP_CREATE_SPECIAL_USE (UINT64_C(1) << 4)
#define IMAP_CAP_ENABLE (UINT64_C(1) << 5)
#define IMAP_CAP_ESEARCH (UINT64_C(1) << 6)
#define IMAP_CAP_GMAIL (UINT64_C(1) << 7)
#define IMAP_CAP_ID (UINT64_C(1) << 8)
#define IMAP_CAP_IDLE (UINT64_C(1) << 9)
#define IMAP_CAP_IMAP4 (UINT64_C(1) << 10) /* rev1 */
#define IMAP_CAP_IMAP4REV2 (UINT64_C(1) << 11)
#define IMAP_CAP_LIST_EXTENDED (UINT64_C(1) << 12)
#define IMAP_CAP_LIST_STATUS (UINT64_C(1) << 13)
#define IMAP_CAP_LITERAL_MINUS (UINT64_C(1) << 14)
#define IMAP_CAP_LITERAL_PLUS (UINT64_C(1) << 15)
#define IMAP_CAP_LOGINDISABLED (UINT64_C(1) << 16)
#define IMAP_CAP_MOVE (UINT64_C(1) << 17)
#define IMAP_CAP_MULTIAPPEND (UINT64_C(1) << 18)
#define IMAP_CAP_NAMESPACE (UINT64_C(1) << 19)
#define IMAP_CAP_OBJECTID (UINT64_C(1) << 20)
#define IMAP_CAP_QRESYNC (UINT64_C(1) << 21)
#define IMAP_CAP_QUOTA (UINT64_C(1) << 22)
#define IMAP_CAP_SASL_IR (UINT64_C(1) << 23)
#define IMAP_CAP_SPECIAL_USE (UINT64_C(1) << 24)
#define IMAP_CAP_STARTTLS (UINT64_C(1) << 25)
#define IMAP_CAP_STATUS_SIZE (UINT64_C(1) << 26)
#define IMAP_CAP_UIDPLUS (UINT64_C(1) << 27)
#define IMAP_CAP_UNSELECT (UINT64_C(1) << 28)
#define IMAP_CAP_UTF8 (UINT64_C(1) << 29)      /* UTF8=ACCEPT or UTF8=ONLY */
#define IMAP_CAP_UTF8_ONLY (UINT64_C(1) << 30) /* UTF8=ONLY                */
#define IMAP_CAP_XLIST (UINT64_C(1) << 31)
#define IMAP_CAP_SIZES                                                                             \
  (UINT64_C(1) << 40) /* RFC822.SIZE: none that is offered, but one to do without */

#define IMAP_CAP_LITERALS (IMAP_CAP_LITERAL_PLUS | IMAP_CAP_LITERAL_MINUS)

/* What IMAP4rev2 has of these without naming it (RFC 9051 §6.1.1, appendix E). */
#define IMAP_CAP_OF_REV2                                                                           \
  (IMAP_CAP_BINARY | IMAP_CAP_ENABLE | IMAP_CAP_ESEARCH | IMAP_CAP_IDLE | IMAP_CAP_LIST_EXTENDED   \
   | IMAP_CAP_LIST_STATUS | IMAP_CAP_LITERAL_MINUS | IMAP_CAP_MOVE | IMAP_CAP_NAMESPACE            \
   | IMAP_CAP_SASL_IR | IMAP_CAP_SPECIAL_USE | IMAP_CAP_STATUS_SIZE | IMAP_CAP_UIDPLUS             \
   | IMAP_CAP_UNSELECT)

/* Returns the capabilities listed, separated by blanks or commas; unknown ones are passed over.
 * @append_limit: gets the value of APPENDLIMIT=, and is untouched where there is none. */
uint64_t imap_parse_capabilities(ImapCursor list, uint64_t *append_limit);

/* Returns the SASL mechanisms listed (HaulSaslMechanism). */
uint32_t imap_parse_mechanisms(ImapCursor list);

/* Whether among them are some that a Cyrus alone has. */
bool imap_are_of_cyrus(ImapCursor list);

/* Returns @offered without @ignored, and with what it implies besides. @rev2: IMAP4rev2 was enabled;
 * where rev1 is not offered, it need not be. */
uint64_t imap_capabilities_imply(uint64_t offered, uint64_t ignored, bool rev2);

/* Returns the name that users know the lowest of @capabilities by; static. NULL for none. */
const char *imap_capability_name(uint64_t capabilities);

#endif /* IMAP_CAPABILITY_H */
