/*
 * Batches: what a folder that shows a part of its messages at a time (HAUL_FOLDER_BATCHES) has shown in this run. A
 * message that was shown and is not any more may have been read, and not delivered: it must not be forgotten.
 *
 * This remembers; it does nothing. The survey tells it.
 */
#ifndef HAUL_CORE_BATCH_H
#define HAUL_CORE_BATCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* All zero at first, and for folders that show all they have. */
typedef struct {
  GHashTable *shown;   /* owned; ids that were listed in earlier passes of this run, or NULL */
  GHashTable *listed;  /* owned; ids of the last listing, or NULL */
  bool is_listed;      /* that is of this pass */
  uint64_t n_settled;  /* messages that were copied or got into trouble before this session */
  unsigned n_sessions; /* that brought something */
} HaulBatch;

void haul_batch_clear(HaulBatch *batch);

/* A listing of a pass begins; it shows a message. */
void haul_batch_begin_listing(HaulBatch *batch);
void haul_batch_listed(HaulBatch *batch, const char *id);

/* A message left by our own doing. */
void haul_batch_left(HaulBatch *batch, const char *id);

/* Whether anything was shown in this run; whether a message is in the last listing. */
bool haul_batch_has_shown(const HaulBatch *batch);
bool haul_batch_shows(const HaulBatch *batch, const char *id);

/* Calls @each for what earlier listings have shown, and that of this pass, if there was one, does not. */
typedef void (*HaulBatchFunc)(const char *id, void *data);
void haul_batch_end_listing(HaulBatch *batch, HaulBatchFunc each, void *data);

/* Whether @n_settled messages are more than before the last session: then another one is worth while, which
 * begins. */
bool haul_batch_goes_on(HaulBatch *batch, uint64_t n_settled);

#endif /* HAUL_CORE_BATCH_H */
