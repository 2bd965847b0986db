/*
 * Listing folders of both sides at once: a thread per side asks for one folder after the other, with
 * the next ones announced ahead, and hands the listings over in order.
 */
#ifndef HAUL_CORE_LISTING_H
#define HAUL_CORE_LISTING_H

#include "context.h"

typedef enum {
  HAUL_LIST_CHANGES,   /* ids and flags of what changed; what is gone     */
  HAUL_LIST_IDS,       /* ids and flags                                   */
  HAUL_LIST_KEYS,      /* sizes and keys, too                             */
  HAUL_LIST_CONTENTS,  /* ids, sizes and haul_content_of_message() as key */
  HAUL_LIST_MORE,      /* the same, of messages beyond a sample */
  HAUL_LIST_LIKENESS,  /* ids, flags, sizes and haul_likeness_of_item() as key */
  HAUL_LIST_TRAITS,    /* ids, sizes and haul_traits_of_message() as key */
  HAUL_LIST_SELECTION, /* ids, sizes and verdicts, in no order */
} HaulListKind;

/* What to list of one folder. */
typedef struct {
  const char *path; /* borrowed */
  GArray *ranges;   /* owned; of HaulRange with owned texts */
  HaulListKind kind;
  bool by_id;           /* of LIKENESS */
  unsigned side;        /* of SELECTION: 1 or 2 */
  bool header_alone;    /* of KEYS: a message whose key takes its body gets none */
  const char *since;    /* borrowed; the token, of CHANGES */
  HaulObjects *objects; /* borrowed; what to number object ids with, or NULL: not wanted */
} HaulListRequest;

HaulListRequest *haul_list_request_new(const char *path, HaulListKind kind);
void haul_list_request_add_range(HaulListRequest *request, const char *first, const char *last);
void haul_list_request_free(HaulListRequest *request);

/* Ids that are numbers, from first to last. */
typedef struct {
  HaulId first, last;
} HaulIdRange;

typedef struct {
  HaulIds *ids;       /* owned */
  GArray *items;      /* owned; of HaulEntry, in the store's order */
  bool unordered;     /* but in this one they are in none: see haul_rebuild_listing() */
  GArray *keys;       /* owned; of HaulKey beside them, or NULL */
  GArray *verdicts;   /* owned; of SELECTION: uint8_t, HaulVerdict, beside them; or NULL */
  bool finds_nothing; /* of SELECTION: the store has found nothing at all */
  GArray *twins;      /* owned; of HaulTwin beside them, or NULL */
  GArray *gone;       /* owned; of HaulIdRange: of CHANGES; else NULL */
  uint64_t epoch;
  uint64_t n_messages; /* that the folder held when it was opened; HAUL_UNKNOWN */
  GError *error;       /* owned; of this folder, or of the connection: then it is the last */
} HaulListing;

HaulListing *haul_listing_new(HaulListKind kind);
void haul_listing_free(HaulListing *listing);

/* Lists what @request, which is taken, asks for; to be freed. NULL on error. */
HaulListing *haul_list_one(const HaulContext *context, HaulOpenStore *store,
                           HaulListRequest *request, GError **error);

typedef struct HaulLister HaulLister;

/* Starts to list; @requests: of HaulListRequest, borrowed as is all else until haul_lister_free(). */
HaulLister *
haul_lister_new(const HaulContext *context, HaulOpenStore *store, const GPtrArray *requests);
/* Waits for the next listing, in the order of the requests; to be freed. NULL after the last. */
HaulListing *haul_lister_next(HaulLister *lister);
void haul_lister_free(HaulLister *lister); /* waits for the thread */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulListing, haul_listing_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulLister, haul_lister_free)

#endif /* HAUL_CORE_LISTING_H */
