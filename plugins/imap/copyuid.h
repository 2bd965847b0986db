/*
 * The receipt of COPY and MOVE (RFC 4315 §3): which message became which. Pure.
 */
#ifndef IMAP_COPYUID_H
#define IMAP_COPYUID_H

#include "set.h"
#include "wire.h"

typedef struct {
  uint32_t uid_validity; /* of the folder copied to */
  GArray *from,
      *to; /* owned; of ImapRange, as written: the n-th id of one became the n-th of the other */
} ImapCopyUid;

/*
 * Parses the argument of COPYUID.
 *
 * @asked: what was to be copied, normalised.
 * Returns false, and nothing may be believed, unless both sets hold as many ids, each of the first was
 * asked for, none twice, and no '*' stands in either.
 */
bool imap_parse_copyuid(ImapCursor argument, const GArray *asked, ImapCopyUid *copied);
void imap_copyuid_clear(ImapCopyUid *copied); /* what it holds */

/* Calls @each with every id and what it became, until it returns false; then false. */
typedef bool (*ImapCopyUidFunc)(uint32_t from, uint32_t to, void *data);
bool imap_copyuid_each(const ImapCopyUid *copied, ImapCopyUidFunc each, void *data);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImapCopyUid, imap_copyuid_clear)

#endif /* IMAP_COPYUID_H */
