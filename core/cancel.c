/* A cancel flag on an eventfd: never read, it stays readable once it was written to. */
#include "cancel.h"

#include <errno.h>
#include <glib.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct HaulCancel {
  atomic_bool set; /* what is_set() looks at, without a system call */
  int fd;          /* owned */
};

HaulCancel *
haul_cancel_new(void)
{
  HaulCancel *cancel = g_new0(HaulCancel, 1);
  cancel->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (cancel->fd < 0)
    g_error("eventfd: %s", g_strerror(errno)); /* no descriptors at start: nothing would work */
  return cancel;
}

void
haul_cancel_free(HaulCancel *cancel)
{
  if (cancel == NULL)
    return;
  close(cancel->fd);
  g_free(cancel);
}

void
haul_cancel_set(HaulCancel *cancel)
{
  int saved = errno; /* a signal handler must not change it under the code that it interrupted */
  atomic_store(&cancel->set, true);
  uint64_t one = 1;
  ssize_t written = write(cancel->fd, &one, sizeof one);
  (void)written; /* fails only where the counter is full, and then it is readable anyway */
  errno = saved;
}

bool
haul_cancel_is_set(const HaulCancel *cancel)
{
  return atomic_load_explicit(&cancel->set, memory_order_acquire);
}

int
haul_cancel_fd(const HaulCancel *cancel)
{
  return cancel->fd;
}

HaulWait
haul_cancel_wait(const HaulCancel *cancel, struct pollfd *fds, size_t n_fds, int64_t deadline_us)
{
  struct pollfd all[HAUL_WAIT_MOST + 1];
  g_assert(n_fds <= HAUL_WAIT_MOST);
  for (size_t i = 0; i < n_fds; i++) /* @fds may be NULL */
    all[i] = fds[i];
  all[n_fds] = (struct pollfd){ .fd = cancel == NULL ? -1 : cancel->fd, .events = POLLIN };

  for (;;) {
    int timeout_ms = -1;
    if (deadline_us != HAUL_NEVER) {
      int64_t left_us = MAX(0, deadline_us - g_get_monotonic_time());
      timeout_ms = (int)MIN((left_us + 999) / 1000, INT_MAX); /* up: never awake just before it */
    }
    int n_ready = poll(all, n_fds + 1, timeout_ms);
    if (n_ready < 0) {
      g_assert(errno == EINTR || errno == EAGAIN || errno == ENOMEM);
      continue;
    }
    if (all[n_fds].revents != 0)
      return HAUL_WAIT_CANCELLED;
    for (size_t i = 0; i < n_fds; i++)
      fds[i] = all[i];
    if (n_ready > 0)
      return HAUL_WAIT_READY;
    if (timeout_ms == 0 || (deadline_us != HAUL_NEVER && g_get_monotonic_time() >= deadline_us))
      return HAUL_WAIT_DEADLINE;
  }
}
