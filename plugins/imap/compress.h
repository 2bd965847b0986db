/* COMPRESS=DEFLATE (RFC 4978): whether it pays, and turning it on. */
#ifndef IMAP_COMPRESS_H
#define IMAP_COMPRESS_H

#include "session.h"

/* Whether compression is to begin at the next moment at which no command is under way: whoever could
 * keep one under way for long holds it back then. */
bool imap_compress_is_due(const ImapSession *session);

/* Whether it may yet come to that, once the link is known: what is sent ahead is waited for first. */
bool imap_compress_is_open(const ImapSession *session);

/* Begins it if it is due and no command is under way. */
bool imap_compress(ImapSession *session, GError **error);

#endif /* IMAP_COMPRESS_H */
