/* What of a run's additions can be taken back. Pure. */
#ifndef HAUL_CORE_PLAN_UNDO_H
#define HAUL_CORE_PLAN_UNDO_H

#include <stddef.h>

#include "digest.h"
#include "entry.h"

/* A copy that a run has added. */
typedef struct {
  HaulId id1, id2; /* id2: 0 where the destination never said */
  uint64_t size;   /* or HAUL_UNKNOWN */
  HaulKey key;     /* all zero: none */
  bool left;       /* its message was removed at the source, or was about to be */
} HaulAddition;

typedef enum {
  HAUL_UNDO_REMOVE,  /* it is there as it was added, and the source has its message */
  HAUL_UNDO_ABSENT,  /* it is not there any more */
  HAUL_UNDO_UNNAMED, /* the destination never told its id */
  HAUL_UNDO_ALTERED, /* what has its id is not what was added, or that cannot be told */
  HAUL_UNDO_ALONE,   /* the source does not show its message: it may be the only copy */
} HaulUndoFate;

/* What there is in a folder. */
typedef struct {
  const HaulAddition *added;
  size_t n_added;
  const HaulEntry *items2; /* of the destination, in any order */
  const HaulKey *keys2;    /* beside them */
  size_t n_items2;
  const HaulEntry *items1; /* of the source, in any order */
  size_t n_items1;
} HaulUndoInput;

/* Returns an array of HaulUndoFate beside the additions, as uint8_t; to be freed. */
GArray *haul_plan_undo(const HaulUndoInput *input);

#endif /* HAUL_CORE_PLAN_UNDO_H */
