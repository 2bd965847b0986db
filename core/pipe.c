/* Commands that change messages. See pipe.h. */
#include "pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#define READ_OCTETS 65536u

typedef struct {
  pid_t pid;
  int input; /* a file in memory: a command that does not read it makes nobody wait, and no SIGPIPE */
  int output; /* our end of a pipe */
  int ended;  /* a pidfd */
} Command;

static void
command_clear(Command *command)
{
  if (command->pid > 0) {
    /* The group, for it may have started others. Until it is reaped its number is nobody else's. */
    kill(-command->pid, SIGKILL);
    while (waitpid(command->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  }
  int files[] = { command->input, command->output, command->ended };
  for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
    if (files[i] >= 0)
      close(files[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Command, command_clear)

static int
make_input(const GByteArray *octets)
{
  int fd = memfd_create("mailhaul-message", MFD_CLOEXEC);
  for (size_t done = 0; fd >= 0 && done < octets->len;) {
    ssize_t n = write(fd, octets->data + done, octets->len - done);
    if (n > 0) {
      done += (size_t)n;
    } else if (n == 0 || errno != EINTR) {
      close(fd);
      fd = -1;
    }
  }
  if (fd >= 0)
    lseek(fd, 0, SEEK_SET);
  return fd;
}

/* Returns 0, or an errno. */
static int
start(Command *command, char **words)
{
  int ends[2];
  sigset_t none, all;
  if (command->input < 0 || pipe2(ends, O_CLOEXEC) != 0)
    return errno;
  command->output = ends[0];
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, command->input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  int problem = posix_spawnp(&command->pid, words[0], &files, &attributes, words, environ);
  if (problem != 0)
    command->pid = 0;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  close(ends[1]);
  if (problem == 0 && (command->ended = pidfd_open(command->pid, 0)) < 0)
    problem = errno;
  return problem;
}

/* Waits for @fd. Returns NULL, or what is wrong. */
static const char *
wait_for(int fd, const HaulCancel *cancel, int64_t deadline_us)
{
  struct pollfd one = { .fd = fd, .events = POLLIN };
  switch (haul_cancel_wait(cancel, &one, 1, deadline_us)) {
  case HAUL_WAIT_READY:
    return NULL;
  case HAUL_WAIT_CANCELLED:
    return "was cut off, for the run is to end";
  case HAUL_WAIT_DEADLINE:
  default:
    return "takes too long";
  }
}

/* Reads what it writes, to the end, and waits for its own. Returns NULL, or what is wrong. */
static const char *
finish(Command *command, GByteArray *output, const HaulCancel *cancel, int64_t deadline_us,
       size_t limit)
{
  for (;;) {
    const char *wrong = wait_for(command->output, cancel, deadline_us);
    if (wrong != NULL)
      return wrong;
    guint at = output->len;
    g_byte_array_set_size(output, at + READ_OCTETS);
    ssize_t n = read(command->output, output->data + at, READ_OCTETS);
    g_byte_array_set_size(output, at + (guint)MAX(n, 0));
    if (n == 0)
      break;
    if (n < 0 && errno != EINTR)
      return "cannot be read";
    if (output->len > limit)
      return "writes too much";
  }
  const char *wrong = wait_for(command->ended, cancel, deadline_us);
  if (wrong != NULL)
    return wrong;
  siginfo_t info = { 0 };
  if (waitid(P_PID, (id_t)command->pid, &info, WEXITED | WNOWAIT) != 0 || info.si_code != CLD_EXITED
      || info.si_status != 0)
    return "failed";
  return output->len > 0 ? NULL : "wrote nothing";
}

GByteArray *
haul_pipe_run(char **words, const GByteArray *input, unsigned timeout_ms, size_t limit,
              const HaulCancel *cancel, GError **error)
{
  g_auto(Command) command = { 0, make_input(input), -1, -1 };
  g_autoptr(GByteArray) output = g_byte_array_new();
  int64_t deadline_us = g_get_monotonic_time() + (int64_t)timeout_ms * 1000;
  int problem = start(&command, words);
  const char *wrong =
      problem != 0 ? g_strerror(problem) : finish(&command, output, cancel, deadline_us, limit);
  if (wrong == NULL)
    return g_steal_pointer(&output);
  g_autofree char *program = haul_text_display(words[0], strlen(words[0]));
  haul_set_error(error, HAUL_ERROR_MESSAGE, "usage", "--pipemess %s%s %s", program,
                 problem != 0 ? " cannot be started:" : "", wrong);
  return NULL;
}
