/*
 * Runs one command and writes what it cost to a file: wall time, user and system time in
 * microseconds, peak memory in KiB, exit status. A small program of its own, because a child's peak
 * counts what its parent held when it forked.
 *
 *     meter FILE SECONDS COMMAND...     SECONDS: when to give up
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;

static void
give_up(int signal)
{
  kill(-child, SIGKILL);
}

static long long
now_us(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static long long
microseconds(struct timeval time)
{
  return time.tv_sec * 1000000LL + time.tv_usec;
}

int
main(int argc, char **argv)
{
  if (argc < 4)
    errx(2, "usage: meter FILE SECONDS COMMAND...");
  FILE *file = fopen(argv[1], "we");
  if (file == NULL)
    err(2, "%s", argv[1]);
  signal(SIGALRM, give_up);

  long long start = now_us();
  child = fork();
  if (child == 0) {
    setpgid(0, 0);
    execvp(argv[3], argv + 3);
    err(127, "%s", argv[3]);
  }
  setpgid(child, child);
  alarm((unsigned)atoi(argv[2]));
  int status;
  struct rusage usage;
  while (wait4(child, &status, 0, &usage) < 0)
    ;
  long long end = now_us();
  fprintf(file, "%lld %lld %lld %ld %d\n", end - start, microseconds(usage.ru_utime),
          microseconds(usage.ru_stime), usage.ru_maxrss,
          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return fclose(file) == 0 ? 0 : 2;
}
