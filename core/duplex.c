/* Sockets and pairs of pipes. See duplex.h. */
#include "duplex.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

ssize_t
haul_duplex_read(const HaulDuplex *duplex, void *buffer, size_t size)
{
  ssize_t moved;
  do
    moved = duplex->in == duplex->out ? recv(duplex->in, buffer, size, 0)
                                      : read(duplex->in, buffer, size);
  while (moved < 0 && errno == EINTR);
  return moved;
}

/* A pipe knows no MSG_NOSIGNAL: the signal is kept from this thread, and taken back if it came. */
static ssize_t
write_pipe(int fd, const void *octets, size_t size)
{
  sigset_t broken, before, pending;
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  sigpending(&pending);
  bool was_pending = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &broken, &before);
  ssize_t moved = write(fd, octets, size);
  int problem = errno;
  if (moved < 0 && problem == EPIPE && !was_pending)
    while (sigtimedwait(&broken, NULL, &(struct timespec){ 0 }) < 0 && errno == EINTR)
      ;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = problem;
  return moved;
}

ssize_t
haul_duplex_write(const HaulDuplex *duplex, const void *octets, size_t size)
{
  ssize_t moved;
  do
    moved = duplex->in == duplex->out ? send(duplex->out, octets, size, MSG_NOSIGNAL)
                                      : write_pipe(duplex->out, octets, size);
  while (moved < 0 && errno == EINTR);
  return moved;
}

void
haul_duplex_close(HaulDuplex *duplex)
{
  if (duplex->out >= 0 && duplex->out != duplex->in)
    close(duplex->out);
  if (duplex->in >= 0)
    close(duplex->in);
  duplex->in = duplex->out = -1;
}
