/*
 * Quota (RFC 2087, RFC 9208): how much there is, and how much may be.
 */
#ifndef IMAP_QUOTA_H
#define IMAP_QUOTA_H

#include "session.h"
#include "store.h"

/* Asks what holds for INBOX, so that quota() finds it answered or under way: create() does, where it travels with
 * what is asked anyway. Nothing is waited for. */
bool imap_quota_request(HaulStore *store, GError **error);

/* Tells the quota that leaves the least room; HAUL_UNKNOWN where there is none. */
bool imap_quota(HaulStore *store, uint64_t *used_octets, uint64_t *limit_octets, GError **error);

#endif /* IMAP_QUOTA_H */
