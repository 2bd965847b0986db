/*
 * Pairing by key: the part of the planner that decides which messages are the same one. Pure.
 *
 * The n-th message with a key pairs with the n-th, equal contents and equal sizes before all else;
 * messages with equal keys and evidently different content are two messages.
 */
#ifndef HAUL_CORE_PLAN_MATCH_H
#define HAUL_CORE_PLAN_MATCH_H

#include "plan.h"

/* What became of an item while planning. NAMELESS: it was delivered, and the destination did not say
 * which of its messages that is: it takes part in matching, and is not copied if nothing matches. */
typedef enum {
  HAUL_FATE_FREE,
  HAUL_FATE_NAMELESS,
  HAUL_FATE_PAIRED,
  HAUL_FATE_GIVEN_UP,
  HAUL_FATE_COVERED,   /* at the destination: the copy of what another folder has */
  HAUL_FATE_ELSEWHERE, /* another folder that it is in takes it */
  HAUL_FATE_LEFT_OUT,  /* it is not selected */
} HaulFate;

/*
 * Pairs the items that are free or nameless, marks them as paired, and appends each pair to @adopted
 * (of HaulAdoption).
 *
 * @fates1, @fates2: HaulFate, one octet per item.
 * Returns how many messages have an equal key on the other side, but not their like.
 */
uint64_t haul_match_by_key(const HaulMessagesInput *input, uint8_t *fates1, uint8_t *fates2,
                           GArray *adopted);

/* Likewise pairs those of what is left that are alike and have the same traits, where these are known. */
void haul_match_by_likeness(const HaulMessagesInput *input, uint8_t *fates1, uint8_t *fates2,
                            GArray *adopted);

/* Appends the indices (uint32_t) of the items that are like one of the other side: their traits have to be
 * known. */
void haul_match_alike(const HaulMessagesInput *input, const uint8_t *fates1, const uint8_t *fates2,
                      GArray *wanted1, GArray *wanted2);

/*
 * Appends the indices (uint32_t) of the items whose content has to be known before they can be paired:
 * several have one key, or the sizes differ; and a sample of those that are alone, or all of them where it
 * shows others. What is known is not asked for.
 */
void haul_match_ambiguous(const HaulMessagesInput *input, const uint8_t *fates1,
                          const uint8_t *fates2, GArray *wanted1, GArray *wanted2);

#endif /* HAUL_CORE_PLAN_MATCH_H */
