/*
 * Being asked to stop: a flag that any thread, or a signal handler, may set, and a file descriptor
 * that becomes readable with it, for those who wait in poll().
 */
#ifndef HAUL_CORE_CANCEL_H
#define HAUL_CORE_CANCEL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HaulCancel HaulCancel;

HaulCancel *haul_cancel_new(void);
void haul_cancel_free(HaulCancel *cancel);
void haul_cancel_set(HaulCancel *cancel); /* async-signal-safe */
bool haul_cancel_is_set(const HaulCancel *cancel);
int haul_cancel_fd(const HaulCancel *cancel);

typedef enum {
  HAUL_WAIT_READY,     /* an event came: see revents               */
  HAUL_WAIT_DEADLINE,  /* none came in time                        */
  HAUL_WAIT_CANCELLED, /* stop; found out first, whatever came too */
} HaulWait;

/* A deadline that never comes. */
#define HAUL_NEVER INT64_MAX

/*
 * Waits in poll() for one of @fds, at most HAUL_WAIT_MOST, until @deadline_us or @cancel.
 *
 * @cancel: may be NULL. @deadline_us: on the clock of g_get_monotonic_time(), or HAUL_NEVER.
 */
#define HAUL_WAIT_MOST 16
HaulWait
haul_cancel_wait(const HaulCancel *cancel, struct pollfd *fds, size_t n_fds, int64_t deadline_us);

#endif /* HAUL_CORE_CANCEL_H */
