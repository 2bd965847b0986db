/*
 * Where access tokens come from. See token.h.
 *
 * A command is run without a shell; its words are split as a shell would. It gets nothing on its
 * standard input, and of its output the first line counts.
 */
#include "token.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "bearer.h"
#include "secret.h"

#define COMMAND_TIMEOUT_S 60
#define TOKEN_LIMIT_OCTETS ((size_t)64 << 10) /* of output; tokens of some kinds have several KiB */
#define COMPLAINT_LIMIT_OCTETS ((size_t)4 << 10)

/* Output of the command, or content of a file: wiped as a whole. */
typedef struct {
  size_t size;
  char octets[TOKEN_LIMIT_OCTETS + 1];
} Text;

static void
text_free(Text *text)
{
  explicit_bzero(text, sizeof *text);
  g_free(text);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Text, text_free)

static bool
is_set(const char *value)
{
  return value != NULL && *value != '\0';
}

bool
haul_token_is_wanted(const HaulAccount *account)
{
  return is_set(haul_account_string(account, "tokencmd"))
         || is_set(haul_account_secret(account, "oauthaccesstoken"));
}

static char *
refuse(GError **error, const char *reason, const char *what)
{
  haul_set_error(error, HAUL_ERROR_ACCOUNT, reason, "%s", what);
  return NULL;
}

/* Takes the first line of @text, which @source gave. */
static char *
first_line(Text *text, const char *source, GError **error)
{
  if (text->size > TOKEN_LIMIT_OCTETS) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "login", "%s gives more than 64 KiB", source);
    return NULL;
  }
  text->octets[text->size] = '\0';
  text->octets[strcspn(text->octets, "\r\n")] = '\0';
  g_strchomp(text->octets);
  if (haul_bearer_is_token(text->octets))
    return g_strdup(text->octets);
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "login", "the first line of %s is no access token%s",
                 source, text->octets[0] == '\0' ? ": it is empty" : "");
  return NULL;
}

/* ---- files ---- */

static char *
read_token_file(const char *path, GError **error)
{
  g_autoptr(Text) text = g_new0(Text, 1);
  g_autofree char *shown = haul_text_display(path, strlen(path));
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : 1;
  while (got > 0 && text->size < sizeof text->octets) {
    got = read(fd, text->octets + text->size, sizeof text->octets - text->size);
    text->size += got > 0 ? (size_t)got : 0;
  }
  int saved_errno = errno;
  if (fd >= 0)
    close(fd);
  if (got < 0) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "input", "access token in %s: %s", shown,
                   g_strerror(saved_errno));
    return NULL;
  }
  g_autofree char *source = g_strdup_printf("the file %s", shown);
  return first_line(text, source, error);
}

/* Whether @value names a file, rather than being a token itself. */
static bool
is_path(const char *value)
{
  return g_str_has_prefix(value, "/") || g_str_has_prefix(value, "./")
         || g_str_has_prefix(value, "../") || access(value, F_OK) == 0;
}

/* ---- commands ---- */

typedef struct {
  GPid pid;
  int pidfd;          /* owned; -1 where the kernel has none */
  int out, complaint; /* owned; -1 once they have ended */
  Text *text;         /* owned */
  char complaints[COMPLAINT_LIMIT_OCTETS];
  size_t n_complaints;
  bool ended;
} Child;

static bool
child_start(Child *child, const char *command, GError **error)
{
  g_auto(GStrv) words = NULL;
  g_autoptr(GError) why = NULL;
  if (!g_shell_parse_argv(command, NULL, &words, &why))
    return refuse(error, "usage", "the token command is not written as a shell would read it");
  if (!g_spawn_async_with_pipes(
          NULL, words, NULL,
          G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES, NULL, NULL,
          &child->pid, NULL, &child->out, &child->complaint, &why)) {
    g_autofree char *shown = haul_text_display(why->message, strlen(why->message));
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "input", "the token command cannot be run: %s",
                   shown);
    return false;
  }
  child->pidfd = pidfd_open(child->pid, 0);
  child->text = g_new0(Text, 1);
  return true;
}

/* Moves what @fd has into a buffer, as far as there is room. At its end, or with no room left where
 * that is a fault, closes it. */
static void
drain(int *fd, char *buffer, size_t size, size_t *filled, bool keep_reading)
{
  char rest[4096];
  bool full = *filled == size;
  ssize_t got = read(*fd, full ? rest : buffer + *filled, full ? sizeof rest : size - *filled);
  if (got < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  if (got > 0 && !full)
    *filled += (size_t)got;
  if (got > 0 && (*filled < size || keep_reading))
    return;
  close(*fd);
  *fd = -1;
}

/* Reads what there is without waiting. Returns false once there is nothing more to come. */
static bool
child_read(Child *child, const struct pollfd *fds)
{
  if (fds[1].revents != 0)
    drain(&child->out, child->text->octets, sizeof child->text->octets, &child->text->size, false);
  if (fds[2].revents != 0)
    drain(&child->complaint, child->complaints, sizeof child->complaints, &child->n_complaints,
          true);
  /* What it started may hold the pipes open: that it has ended itself is enough. */
  bool silent = fds[1].revents == 0 && fds[2].revents == 0;
  child->ended |= fds[0].revents != 0;
  return !(child->ended && silent) && (child->out >= 0 || child->complaint >= 0);
}

/* Waits for the command to say all. @status: gets how it ended. */
static bool
child_listen(Child *child, HaulCancel *cancel, int *status, GError **error)
{
  int64_t deadline = g_get_monotonic_time() + COMMAND_TIMEOUT_S * G_USEC_PER_SEC;
  HaulWait wait = HAUL_WAIT_READY;
  bool going = true;
  while (going && wait == HAUL_WAIT_READY) {
    struct pollfd fds[] = { { .fd = child->ended ? -1 : child->pidfd, .events = POLLIN },
                            { .fd = child->out, .events = POLLIN },
                            { .fd = child->complaint, .events = POLLIN } };
    wait = haul_cancel_wait(cancel, fds, G_N_ELEMENTS(fds), child->ended ? 0 : deadline);
    if (child->ended && wait == HAUL_WAIT_DEADLINE) { /* and has said all */
      wait = HAUL_WAIT_READY;
      break;
    }
    going = wait != HAUL_WAIT_READY || child_read(child, fds);
  }
  /* Its output has ended, or is too much: now it has only to end itself. */
  if (wait == HAUL_WAIT_READY && !child->ended && child->pidfd >= 0
      && child->text->size <= TOKEN_LIMIT_OCTETS) {
    struct pollfd fd = { .fd = child->pidfd, .events = POLLIN };
    wait = haul_cancel_wait(cancel, &fd, 1, deadline);
  }
  if (wait != HAUL_WAIT_READY || child->text->size > TOKEN_LIMIT_OCTETS)
    kill(child->pid, SIGKILL);
  while (waitpid(child->pid, status, 0) < 0 && errno == EINTR)
    ;
  child->pid = 0;
  if (wait == HAUL_WAIT_CANCELLED)
    haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "cancelled");
  else if (wait == HAUL_WAIT_DEADLINE)
    haul_set_error(error, HAUL_ERROR_CONNECTION, "timeout",
                   "the token command took more than %d seconds", COMMAND_TIMEOUT_S);
  return wait == HAUL_WAIT_READY;
}

static bool
child_succeeded(const Child *child, int status, GError **error)
{
  if (child->text->size > TOKEN_LIMIT_OCTETS || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
    return true;
  size_t size = 0;
  while (size < child->n_complaints && strchr("\r\n", child->complaints[size]) == NULL)
    size++;
  g_autofree char *complaint = haul_text_display(child->complaints, size);
  const char *colon = *complaint == '\0' ? "" : ": ";
  bool temporary = WIFEXITED(status) && WEXITSTATUS(status) == EX_TEMPFAIL;
  if (WIFEXITED(status))
    haul_set_error(error, temporary ? HAUL_ERROR_BUSY : HAUL_ERROR_ACCOUNT,
                   temporary ? "busy" : "login", "the token command ended with status %d%s%s",
                   WEXITSTATUS(status), colon, complaint);
  else
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "login",
                   "the token command was ended by signal %d%s%s", WTERMSIG(status), colon,
                   complaint);
  return false;
}

static char *
run_command(const char *command, HaulCancel *cancel, GError **error)
{
  Child child = { .pidfd = -1, .out = -1, .complaint = -1 };
  int status;
  if (!child_start(&child, command, error))
    return NULL;
  char *token =
      child_listen(&child, cancel, &status, error) && child_succeeded(&child, status, error)
          ? first_line(child.text, "what the token command says", error)
          : NULL;
  const int fds[] = { child.pidfd, child.out, child.complaint };
  for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
    if (fds[i] >= 0)
      close(fds[i]);
  text_free(child.text);
  explicit_bzero(child.complaints, sizeof child.complaints);
  return token;
}

char *
haul_token_fetch(const HaulAccount *account, GError **error)
{
  const char *command = haul_account_string(account, "tokencmd");
  if (is_set(command))
    return run_command(command, haul_account_cancel(account), error);
  const char *given = haul_account_secret(account, "oauthaccesstoken");
  if (is_path(given))
    return read_token_file(given, error);
  return haul_bearer_is_token(given) ? g_strdup(given)
                                     : refuse(error, "usage", "the access token is none");
}
