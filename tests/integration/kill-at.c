/*
 * Runs a program and kills it with SIGKILL right after its Nth deed: a write to a socket, or a
 * change to a file below a folder. Deeds are counted over all threads, in the order they end.
 *
 *   kill-at [-f] N FOLDER[:FOLDER] PROGRAM ARGUMENTS...
 *
 * -f counts file operations below the folders, all kinds and nothing else: files made, written, synced,
 * cut, dated, given away, named and removed, directories, too.
 *
 * N = 0 kills nothing, and says on file descriptor 3 how many deeds there were: "sends S writes W".
 * Exit status: 137 when it killed, else the program's. So the program under test needs no hooks.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_GET_SYSCALL_INFO
#define PTRACE_GET_SYSCALL_INFO 0x420e
#endif

/* As the kernel fills it (linux/ptrace.h, which cannot be included beside sys/ptrace.h). */
struct syscall_info {
  uint8_t op;
  uint8_t pad[3];
  uint32_t arch;
  uint64_t instruction_pointer, stack_pointer;
  union {
    struct {
      uint64_t nr, args[6];
    } entry;
    struct {
      int64_t rval;
      uint8_t is_error;
    } exit;
  };
};

enum { OP_ENTRY = 1, OP_EXIT = 2 };
typedef enum { NOTHING, SEND, WRITE } Deed;

static bool files_only;

enum { MAX_THREADS = 256 };
static struct {
  pid_t id;
  Deed deed; /* that the system call under way will be, once it ends well */
} threads[MAX_THREADS];

static Deed *
deed_of(pid_t id)
{
  for (size_t i = 0; i < MAX_THREADS; i++)
    if (threads[i].id == id || threads[i].id == 0) {
      threads[i].id = id;
      return &threads[i].deed;
    }
  fprintf(stderr, "kill-at: too many threads\n");
  exit(2);
}

static bool
is_below(const char *path, const char *folders)
{
  for (const char *at = folders; at != NULL;) {
    const char *end = strchr(at, ':');
    size_t length = end != NULL ? (size_t)(end - at) : strlen(at);
    if (length > 0 && strncmp(path, at, length) == 0)
      return true;
    at = end != NULL ? end + 1 : NULL;
  }
  return false;
}

/* What writing to descriptor @fd of @thread would be. */
static Deed
deed_on_descriptor(pid_t thread, int fd, const char *folders)
{
  char link[64], target[PATH_MAX];
  snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)thread, fd);
  ssize_t length = readlink(link, target, sizeof target - 1);
  if (length < 0)
    return NOTHING;
  target[length] = '\0';
  if (strncmp(target, "socket:", 7) == 0)
    return SEND;
  return is_below(target, folders) ? WRITE : NOTHING;
}

/* Where a descriptor of the thread points, or its working folder; "" if that cannot be told. */
static void
resolve(pid_t thread, int fd, char target[static PATH_MAX])
{
  char link[64];
  if (fd == AT_FDCWD)
    snprintf(link, sizeof link, "/proc/%d/cwd", (int)thread);
  else
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)thread, fd);
  ssize_t length = readlink(link, target, PATH_MAX - 1);
  target[length < 0 ? 0 : length] = '\0';
}

/* What a call that takes a path below descriptor @dir would be; an unreadable path is none. */
static Deed
deed_on_path(pid_t thread, int dir, uint64_t address, const char *folders)
{
  char file[64], path[PATH_MAX] = "", from[PATH_MAX], whole[2 * PATH_MAX + 1];
  snprintf(file, sizeof file, "/proc/%d/mem", (int)thread);
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return NOTHING;
  ssize_t got = pread(fd, path, sizeof path - 1, (off_t)address);
  close(fd);
  if (got <= 0)
    return NOTHING;
  if (path[0] == '/')
    return is_below(path, folders) ? WRITE : NOTHING;
  resolve(thread, dir, from);
  snprintf(whole, sizeof whole, "%s/%s", from, path);
  return is_below(whole, folders) ? WRITE : NOTHING;
}

/* What is counted with -f alone. */
static Deed
judge_further(pid_t thread, const uint64_t *args, uint64_t number, const char *folders)
{
  switch (number) {
#ifdef SYS_open
  case SYS_open:
    return (args[1] & O_CREAT) != 0 ? deed_on_path(thread, AT_FDCWD, args[0], folders) : NOTHING;
#endif
  case SYS_openat:
    return (args[2] & O_CREAT) != 0 ? deed_on_path(thread, (int)args[0], args[1], folders)
                                    : NOTHING;
  case SYS_utimensat:
    return args[1] == 0 ? deed_on_descriptor(thread, (int)args[0], folders) : NOTHING;
  case SYS_fallocate:
  case SYS_fchown:
  case SYS_fchmod:
  case SYS_sync_file_range:
    return deed_on_descriptor(thread, (int)args[0], folders);
  default:
    return NOTHING;
  }
}

static Deed
judge(pid_t thread, const struct syscall_info *info, const char *folders)
{
  const uint64_t *args = info->entry.args;
  switch (info->entry.nr) {
  case SYS_write:
  case SYS_writev:
  case SYS_pwrite64:
  case SYS_pwritev:
  case SYS_sendto:
  case SYS_sendmsg:
  case SYS_fsync:
  case SYS_fdatasync:
  case SYS_ftruncate:
  case SYS_sendfile:
    return deed_on_descriptor(thread, (int)args[0], folders);
  case SYS_copy_file_range:
    return deed_on_descriptor(thread, (int)args[2], folders);
#ifdef SYS_rename
  case SYS_rename:
  case SYS_link:
  case SYS_unlink:
  case SYS_mkdir:
    return deed_on_path(thread, AT_FDCWD, args[0], folders);
#endif
  case SYS_renameat:
  case SYS_renameat2:
  case SYS_linkat:
  case SYS_unlinkat:
  case SYS_mkdirat:
    return deed_on_path(thread, (int)args[0], args[1], folders);
  case SYS_utimensat:
    if (args[1] != 0)
      return deed_on_path(thread, (int)args[0], args[1], folders);
    break;
  default:
    break;
  }
  return files_only ? judge_further(thread, args, info->entry.nr, folders) : NOTHING;
}

/* Lets the traced threads run until all are gone. Returns the exit status to pass on. */
static int
trace(pid_t child, long n, const char *folders)
{
  long sends = 0, writes = 0;
  for (;;) {
    int status;
    pid_t id = waitpid(-1, &status, __WALL);
    if (id < 0) {
      if (errno == EINTR)
        continue;
      return 2;
    }
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      *deed_of(id) = NOTHING;
      if (id == child) {
        if (n == 0)
          dprintf(3, "sends %ld writes %ld\n", sends, writes);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      continue;
    }
    int deliver = 0;
    int signal = WSTOPSIG(status), event = status >> 16;
    if (signal == (SIGTRAP | 0x80)) {
      struct syscall_info info = { 0 };
      Deed *deed = deed_of(id);
      if (ptrace(PTRACE_GET_SYSCALL_INFO, id, sizeof info, &info) > 0) {
        if (info.op == OP_ENTRY) {
          *deed = judge(id, &info, folders);
          if (files_only && *deed == SEND)
            *deed = NOTHING;
        } else if (info.op == OP_EXIT && *deed != NOTHING) {
          if (!info.exit.is_error) {
            sends += *deed == SEND;
            writes += *deed == WRITE;
            if (n > 0 && sends + writes == n)
              kill(child, SIGKILL);
          }
          *deed = NOTHING;
        }
      }
    } else if (event == 0) {
      deliver = signal;
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
      ptrace(PTRACE_LISTEN, id, 0, 0); /* a group stop */
      continue;
    }
    ptrace(PTRACE_SYSCALL, id, 0, deliver);
  }
}

int
main(int argc, char **argv)
{
  if (argc > 1 && strcmp(argv[1], "-f") == 0) {
    files_only = true;
    argv++;
    argc--;
  }
  if (argc < 4) {
    fprintf(stderr, "usage: kill-at [-f] N FOLDER[:FOLDER] PROGRAM ARGUMENTS...\n");
    return 2;
  }
  pid_t child = fork();
  if (child == 0) {
    raise(SIGSTOP); /* until it is traced */
    execvp(argv[3], argv + 3);
    perror("kill-at: exec");
    _exit(127);
  }
  int status;
  waitpid(child, &status, WUNTRACED);
  if (ptrace(PTRACE_SEIZE, child, 0,
             PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK
                 | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
      != 0) {
    perror("kill-at: ptrace");
    kill(child, SIGKILL);
    return 2;
  }
  kill(child, SIGCONT);
  return trace(child, atol(argv[1]), argv[2]);
}
