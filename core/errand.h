/*
 * What lanes are to do: the folders of a pass that have actions, shared, and the errands that are taken
 * from them.
 */
#ifndef HAUL_CORE_ERRAND_H
#define HAUL_CORE_ERRAND_H

#include "context.h"

/* One folder as a reader sees it. */
typedef struct {
  HaulFolderWork *work; /* borrowed from the pass */
  uint64_t octets;      /* to copy, or a guess */
  bool alone;           /* the first range is to be asked for in a call of its own */
  GArray *ranges;       /* owned; of HaulRange with owned texts; empty: only flags to change */
} HaulErrand;

typedef struct HaulErrandList HaulErrandList;

/* @pass: borrowed; it must outlive the list. */
HaulErrandList *haul_errand_list_new(HaulPass *pass);
void haul_errand_list_free(HaulErrandList *list); /* folders that nobody took are incomplete */

/* How many folders there are to be done, and how many octets, when nothing was taken yet. */
guint haul_errand_list_count(const HaulErrandList *list);
uint64_t haul_errand_list_octets(const HaulErrandList *list);

/* Returns the next errand, the largest first; NULL if none is left. To be freed. From any thread. */
HaulErrand *haul_errand_take(HaulErrandList *list);
void haul_errand_free(HaulErrand *errand);

/*
 * Waits until @until_us, on the clock of g_get_monotonic_time(), as long as there is something to take.
 * Returns whether there is then. From any thread.
 */
bool haul_errand_list_wait(HaulErrandList *list, int64_t until_us);

/* Ends all waiting, as if nothing were left: who has not begun yet is not to begin. From any thread. */
void haul_errand_list_stop(HaulErrandList *list);

/* How many messages the plan has of the folder, as far as it is known. */
uint64_t haul_errand_n_planned(const HaulErrandList *list, const HaulErrand *errand);

/* Whether it takes all that there is, which no listing has counted. */
bool haul_errand_is_stream(const HaulErrandList *list, const HaulErrand *errand);

#endif /* HAUL_CORE_ERRAND_H */
