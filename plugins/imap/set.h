/*
 * Sets of UIDs, "2:4,7,9:*" (RFC 9051 §9, sequence-set): read, written and counted as ranges, and
 * never expanded, whatever a server announces. Pure.
 */
#ifndef IMAP_SET_H
#define IMAP_SET_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UIDs from first to last; UINT32_MAX stands for '*', too. */
typedef struct {
  uint32_t first, last;
} ImapRange;

/*
 * Parses the longest prefix of @text that is a sequence set, such as "2:4,7,9:*".
 *
 * @ranges: gets an ImapRange for each element, as written: "9:3" too; '*' becomes UINT32_MAX.
 * Returns the octets consumed; 0 if @text does not begin with a set, and @ranges is untouched.
 * Source: RFC 9051 §9, sequence-set.
 */
size_t imap_parse_set(const char *text, size_t size, GArray *ranges);

/* Returns how many ids the ranges hold, without walking them. */
uint64_t imap_set_count(const GArray *ranges);

/* Sorts ranges, puts their ends in order, and merges what touches. */
void imap_set_normalise(GArray *ranges);

/* Appends a range for each run of neighbours in @ids, which ascend. */
void imap_set_from_ids(GArray *ranges, const uint32_t *ids, size_t n_ids);

/* Appends ranges from @ranges[@from] on until @limit octets are reached; at least one. Returns the
 * index of the first that is left. */
size_t imap_append_set(GString *out, const GArray *ranges, size_t from, size_t limit);

/* UIDs that have been dealt with: 4 octets each as long as they ascend. */
typedef struct {
  GArray *ascending; /* owned; of uint32_t */
  GHashTable *rest;  /* owned; those that came out of order, or NULL */
} ImapSeen;

void imap_seen_init(ImapSeen *seen);
void imap_seen_free(ImapSeen *seen); /* what it holds */
bool imap_seen_has(const ImapSeen *seen, uint32_t uid);
void imap_seen_add(ImapSeen *seen, uint32_t uid); /* which it does not have */
uint32_t imap_seen_last(const ImapSeen *seen);    /* the greatest of those that ascend; 0 if none */
uint64_t imap_seen_count(const ImapSeen *seen);
/* Returns those that @without does not have, ascending uint32_t, to be freed. */
GArray *imap_seen_without(const ImapSeen *seen, const ImapSeen *without);

/* Whether @uid is in @ranges, which are normalised. @hint: where it was found last; begin with 0. */
bool imap_set_has(const GArray *ranges, uint32_t uid, guint *hint);

#endif /* IMAP_SET_H */
