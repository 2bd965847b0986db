/*
 * Which messages that are new in one folder of the source are those that left another: the destination has
 * their copies, and can put them there by itself. Decided from arrays; pure.
 *
 * A message is taken for one that left if its key and its size are those of the pair that the state has, and
 * nothing else can be meant: where copies with one key differ, or a key says little, the octets decide.
 */
#ifndef HAUL_CORE_PLAN_MOVES_H
#define HAUL_CORE_PLAN_MOVES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "digest.h"

#define HAUL_NOT_MOVED UINT32_MAX

/* A copy whose message left, or a message that came. All zero: there is no key; nobody knows the octets. */
typedef struct {
  uint32_t folder; /* number of the folder that it left, or came to; none is both for one message */
  uint64_t size;   /* or HAUL_UNKNOWN */
  HaulKey key;
  uint8_t sha256[HAUL_SHA256_SIZE];
} HaulMover;

typedef struct {
  const HaulMover *gone; /* in the order in which they serve */
  size_t n_gone;
  const HaulMover *come;
  size_t n_come;
  bool doubts_keys; /* keys say so little that the octets have to be compared, too */
} HaulMovesInput;

/*
 * Says which copy each message that came is: each copy is one message at most.
 *
 * @copies: gets, beside input->come, the index into input->gone, or HAUL_NOT_MOVED.
 * @wanted: gets appended the indices (uint32_t) of those messages whose octets have to be known before that
 * can be said; NULL if what is not known stays so.
 */
void haul_plan_moves(const HaulMovesInput *input, uint32_t *copies, GArray *wanted);

#endif /* HAUL_CORE_PLAN_MOVES_H */
