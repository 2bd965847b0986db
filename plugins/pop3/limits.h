/*
 * What a server may send before it counts as hostile, each with its reason. Real servers stay far
 * below all of them; docs/architecture.md says what becomes of one that does not.
 */
#ifndef POP3_LIMITS_H
#define POP3_LIMITS_H

enum {
  /* Octets of a line. RFC 2449 §4 allows 512; longer ones are cut, and what is cut is dropped. */
  POP3_LINE_KEPT = 16 << 10,   /* challenges of SASL have up to 12 KiB (RFC 5034 §4) */
  POP3_LINE_LIMIT = 1 << 20,   /* and no longer one is read past */
  POP3_CAPA_LINES_LIMIT = 500, /* real ones have a dozen */

  POP3_MECHANISMS_LIMIT = 1000, /* words of SASL that are looked at: ten, in the field */

  POP3_MESSAGES_LIMIT = 4 << 20, /* lines of a listing: mailboxes of a million are known */
  POP3_UIDL_LIMIT = 512,         /* octets of one that names a message; RFC 1939 §7 allows 70 */
  POP3_HEAD_LIMIT = 256 << 10,   /* octets of a header that are looked at, as the matchers do */

  POP3_COMMAND_LIMIT = 255, /* octets of ours with CRLF (RFC 2449 §4, RFC 5034 §4) */
  POP3_WINDOW = 1000, /* commands under way: small messages fill a link of 1 Gbit/s and 50 ms */
};

/* A message: beyond what any store holds. */
#define POP3_BODY_LIMIT (UINT64_C(1) << 40)

/* Seconds that CAPA may take, where "timeout" is 120; servers are known that never answer it. */
#define POP3_CAPA_S 10
/* And QUIT, where nothing was deleted: whoever comes back at once should not find the mailbox locked. */
#define POP3_FAREWELL_S 5

#endif /* POP3_LIMITS_H */
