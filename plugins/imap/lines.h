/* The commands of list() and fetch(), as lines without their tags. */
#ifndef IMAP_LINES_H
#define IMAP_LINES_H

#include "set.h"
#include "store.h"

/* Normalises ranges of ids. Errors: HAUL_ERROR_FOLDER for what is no UID. */
GArray *imap_ranges_parse(const HaulRange *ranges, size_t n_ranges, GError **error);

/* Appends "UID FETCH set items" to @lines, as many as the set needs. */
void imap_fetch_lines(GPtrArray *lines, const GArray *ranges, const char *items);

/* Whether they are all messages, which EXISTS counts. */
bool imap_ranges_are_all(const GArray *ranges);

/*
 * Appends the commands of list() or fetch(): FETCH of @items and, where ranges may have holes, of
 * the UIDs alone. For a message that the server leaves out looks like a hole; asked for behind the
 * first, at no round trip, its UID tells.
 * Returns whether UIDs are asked for.
 */
bool imap_call_lines(GPtrArray *lines, const GArray *ranges, const char *items);
#define IMAP_UID_ITEMS "(UID)"

/* Returns of @want (HaulWant) what is asked for: sizes are not where they are to be done without. */
uint32_t imap_list_want(const HaulStore *store, uint32_t want);

/* Returns the items that list() asks for, to be freed. */
char *imap_list_items(const HaulStore *store, uint32_t want, const char *const *header_fields);
/* Returns those that fetch() asks for. Not for the size: the literal tells it, and some servers read
 * every message to answer. */
const char *imap_fetch_items(const HaulStore *store);

/* Returns the lines of a visit that reads; none if they cannot be known beforehand. */
GPtrArray *imap_visit_lines(const HaulStore *store, const HaulVisit *named);

bool imap_lines_equal(const GPtrArray *a, const GPtrArray *b);

#endif /* IMAP_LINES_H */
