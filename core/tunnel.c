/* Tunnels. See tunnel.h. */
#include "tunnel.h"

#include <errno.h>
#include <fcntl.h>
#include <mailhaul/error.h>
#include <mailhaul/text.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_OCTETS 4096
/* How long a process may take to notice that its input has ended, and then to follow SIGTERM. */
#define FAREWELL_US (500 * G_TIME_SPAN_MILLISECOND)
#define TERM_US G_TIME_SPAN_SECOND

struct HaulTunnel {
  pid_t pid;  /* ours to reap; leads a session, and so a group */
  int pid_fd; /* owned; readable when it has ended */
  int words;  /* owned; what it wrote to its standard error */
};

static char **
parse(const char *command, unsigned side, GError **error)
{
  char **words = NULL;
  g_autoptr(GError) why = NULL;
  if (!g_shell_parse_argv(command, NULL, &words, &why))
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--tunnel%u takes a command: %s", side,
                   why->message);
  return words;
}

bool
haul_tunnel_peer_init(HaulPeer *peer, const char *command, const char *host, unsigned side,
                      HaulCancel *cancel, GError **error)
{
  *peer = (HaulPeer){ .side = side, .cancel = cancel };
  g_auto(GStrv) words = parse(command, side, error);
  if (words == NULL)
    return false;
  if (*host == '\0') {
    peer->host = g_strdup("");
  } else {
    if (!haul_peer_init(peer, host, 1, side, cancel, error))
      return false;
    g_clear_pointer(&peer->name, g_free);
  }
  /* Not the whole command, whose words may be nobody's business. */
  g_autofree char *program = haul_text_display(words[0], strlen(words[0]));
  peer->name = g_strdup_printf("tunnel %s", program);
  return true;
}

/* A file in memory for what a process complains of: it can write no more than so much, and it never
 * waits for us to read. */
static int
make_words(void)
{
  int fd = memfd_create("mailhaul-tunnel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd >= 0
      && (ftruncate(fd, WORDS_OCTETS) != 0
          || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK))) {
    close(fd);
    fd = -1;
  }
  return fd;
}

/* The ends of the two pipes of a process; -1: none. */
typedef struct {
  HaulDuplex ours, theirs;
} Pipes;

static bool
make_pipes(Pipes *pipes)
{
  int to[2], from[2];
  *pipes = (Pipes){ { -1, -1 }, { -1, -1 } };
  if (pipe2(to, O_CLOEXEC) != 0)
    return false;
  pipes->theirs.in = to[0];
  pipes->ours.out = to[1];
  if (pipe2(from, O_CLOEXEC) != 0)
    return false;
  pipes->ours.in = from[0];
  pipes->theirs.out = from[1];
  return fcntl(to[1], F_SETFL, O_NONBLOCK) == 0 && fcntl(from[0], F_SETFL, O_NONBLOCK) == 0;
}

/* Returns 0, or an errno. */
static int
spawn(pid_t *pid, char **words, const HaulDuplex *ends, int complaints)
{
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, ends->in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, ends->out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, complaints, STDERR_FILENO);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  int problem = posix_spawnp(pid, words[0], &files, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return problem;
}

HaulTunnel *
haul_tunnel_open(const HaulPeer *peer, const char *command, HaulDuplex *duplex, GError **error)
{
  g_auto(GStrv) words = parse(command, peer->side, error);
  if (words == NULL)
    return NULL;
  HaulTunnel *tunnel = g_new0(HaulTunnel, 1);
  tunnel->pid = tunnel->pid_fd = -1;
  tunnel->words = make_words();
  Pipes pipes;
  int problem = !make_pipes(&pipes) || tunnel->words < 0 ? errno : 0;
  if (problem == 0)
    problem = spawn(&tunnel->pid, words, &pipes.theirs, tunnel->words);
  if (problem == 0 && (tunnel->pid_fd = pidfd_open(tunnel->pid, 0)) < 0)
    problem = errno;
  haul_duplex_close(&pipes.theirs);
  if (problem == 0) {
    *duplex = pipes.ours;
    return tunnel;
  }
  haul_duplex_close(&pipes.ours);
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "connect", "%s: cannot be started: %s; see --tunnel%u",
                 peer->name, g_strerror(problem), peer->side);
  haul_tunnel_close(tunnel);
  return NULL;
}

char *
haul_tunnel_words(const HaulTunnel *tunnel)
{
  char words[WORDS_OCTETS];
  ssize_t n = pread(tunnel->words, words, sizeof words, 0);
  size_t length = n <= 0 ? 0 : strnlen(words, (size_t)n);
  size_t line = 0;
  while (line < length && words[line] != '\n' && words[line] != '\r')
    line++;
  return line == 0 ? NULL : haul_text_display(words, line);
}

static bool
has_ended(const HaulTunnel *tunnel, int64_t within_us)
{
  struct pollfd ended = { .fd = tunnel->pid_fd, .events = POLLIN };
  return haul_cancel_wait(NULL, &ended, 1, g_get_monotonic_time() + within_us) == HAUL_WAIT_READY;
}

void
haul_tunnel_close(HaulTunnel *tunnel)
{
  if (tunnel == NULL)
    return;
  if (tunnel->pid > 0) {
    bool ended = tunnel->pid_fd >= 0 && has_ended(tunnel, FAREWELL_US);
    /* The group, for a process may have started others. Until it is reaped its number is nobody
     * else's. */
    kill(-tunnel->pid, SIGTERM);
    if (!ended && (tunnel->pid_fd < 0 || !has_ended(tunnel, TERM_US)))
      kill(-tunnel->pid, SIGKILL);
    while (waitpid(tunnel->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  }
  if (tunnel->pid_fd >= 0)
    close(tunnel->pid_fd);
  if (tunnel->words >= 0)
    close(tunnel->words);
  g_free(tunnel);
}
