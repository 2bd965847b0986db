/* Messages that an account has more than once, folder by folder: told, and removed if that is asked for. */
#ifndef HAUL_CORE_DEDUPE_H
#define HAUL_CORE_DEDUPE_H

#include "job.h"

/* What is told of a duplicate: its folder, its id, and that of the message which stays. */
typedef void (*HaulDedupeFunc)(const char *path, const char *id, const char *kept, uint64_t size,
                               void *data);

typedef struct {
  uint64_t n_folders, n_messages; /* looked at */
  uint64_t n_duplicates, n_removed;
  int code; /* the exit code of folders that failed, or 0 */
} HaulDedupeSum;

/*
 * Looks at the folders of the source that @options choose. Duplicates are messages with one key (--match) and
 * one content, which is read; of each lot the first stays, and gets the flags of the others before these are removed.
 *
 * @apply: whether they are removed. @sum: what it came to.
 * Returns whether it came to its end; else @error. What befalls one folder is in @sum and in the log.
 */
bool haul_dedupe_run(const HaulJobOptions *options, bool apply, HaulDedupeFunc each, void *data,
                     HaulDedupeSum *sum, GError **error);

#endif /* HAUL_CORE_DEDUPE_H */
