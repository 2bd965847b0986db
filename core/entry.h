/*
 * What the engine keeps of a message while it compares two folders: small, for there are many.
 */
#ifndef HAUL_CORE_ENTRY_H
#define HAUL_CORE_ENTRY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A message id as a number: UIDs are their own value, other texts are interned by a HaulIds, and
 * compare equal within it. 0 is no id.
 */
typedef uint64_t HaulId;

typedef struct HaulIds HaulIds;
HaulIds *haul_ids_new(void);
void haul_ids_free(HaulIds *ids);
HaulId haul_id_intern(HaulIds *ids, const char *text); /* NULL gives 0 */

/* Room for the text of any number. */
typedef struct {
  char text[24];
} HaulIdBuffer;
/* The text of @id: in @buffer, or lent by the HaulIds it came from; NULL for 0. */
const char *haul_id_text(HaulId id, HaulIdBuffer *buffer);
/* Whether @id is a number, so that it needs no HaulIds. */
bool haul_id_is_number(HaulId id);

/* A copy of @ids in ascending order, to be freed; NULL for none. */
HaulId *haul_ids_in_order(const HaulId *ids, size_t n);
/* Where @id is among @ids, which ascend; @n if nowhere. */
size_t haul_id_find(const HaulId *ids, size_t n, HaulId id);

/* One message of a listing. There may be millions: 20 octets, which wants care with pointers to its
 * members, for these need not be aligned. */
typedef struct __attribute__((packed, aligned(4))) {
  HaulId id;
  uint64_t size;          /* or HAUL_UNKNOWN */
  uint32_t flags : 5;     /* HaulFlags */
  uint32_t keywords : 24; /* a set of HaulKeywords, which are no more */
} HaulEntry;
_Static_assert(sizeof(HaulEntry) == 20, "see tests/unit/test-plan-memory.c");

/* A source message and its copy, with the flags that both sides last agreed on. */
typedef struct {
  HaulId id1, id2; /* id2: 0 where the destination never said */
  uint32_t flags : 5, keywords : 24;
  bool gone : 1; /* the copy was removed at the destination, and is left so */
  bool
      leaving : 1; /* the source message may be marked as deleted by us: it is about to be removed */
  bool left : 1;   /* it was removed by us, and seen to be gone */
} HaulPair;
_Static_assert(sizeof(HaulPair) == 24, "see tests/unit/test-plan-memory.c");

/* What is known of a pair when it is asked whether its source message may be removed. */
typedef struct {
  HaulId id1;
  int64_t noted_at; /* Unix seconds */
  bool delivered;   /* we did, and know what: there is a receipt. Else the copy was found      */
  bool named;       /* the copy's id is known                                                  */
  bool proven;      /* of one that was found: it is as large as the message, or has its content */
  bool gone;        /* the copy was removed at the destination                                 */
  bool same_id;     /* the copy has the id of the message */
} HaulProof;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulIds, haul_ids_free)

#endif /* HAUL_CORE_ENTRY_H */
