/*
 * Being asked to stop: a flag that any thread, or a signal handler, may set, and a file descriptor
 * that becomes readable with it, for those who wait in poll().
 */
#ifndef HAUL_CORE_CANCEL_H
#define HAUL_CORE_CANCEL_H

#include <stdbool.h>

typedef struct HaulCancel HaulCancel;

HaulCancel *haul_cancel_new(void);
void haul_cancel_free(HaulCancel *cancel);
void haul_cancel_set(HaulCancel *cancel); /* async-signal-safe */
bool haul_cancel_is_set(const HaulCancel *cancel);
int haul_cancel_fd(const HaulCancel *cancel);

#endif /* HAUL_CORE_CANCEL_H */
