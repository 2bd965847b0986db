/*
 * The log: composes a record, escapes it, and writes it with one write() per sink, so that records
 * of several threads never mix. What is worth a record is its callers' to say.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <mailhaul/error.h>
#include <mailhaul/text.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int stderr_level = HAUL_LOG_WARNING;
static atomic_int file_level = HAUL_LOG_NOTHING;
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;
static int file_fd = -1; /* owned; under file_lock */

static const char *const level_names[] = { "error", "warning", "info", "debug" };

void
haul_log_to_stderr(int level)
{
  atomic_store(&stderr_level, level);
}

bool
haul_log_to_file(const char *path, HaulLogLevel level, GError **error)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd < 0) {
    int problem = errno;
    g_autofree char *shown = haul_text_display(path, strlen(path));
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "cannot write the log %s: %s", shown,
                   g_strerror(problem));
    return false;
  }
  haul_log_close();
  pthread_mutex_lock(&file_lock);
  file_fd = fd;
  pthread_mutex_unlock(&file_lock);
  atomic_store(&file_level, (int)level);
  return true;
}

void
haul_log_close(void)
{
  atomic_store(&file_level, HAUL_LOG_NOTHING);
  pthread_mutex_lock(&file_lock);
  if (file_fd >= 0)
    close(file_fd);
  file_fd = -1;
  pthread_mutex_unlock(&file_lock);
}

gboolean
haul_log_wants(HaulLogLevel level)
{
  return (int)level <= atomic_load_explicit(&stderr_level, memory_order_relaxed)
         || (int)level <= atomic_load_explicit(&file_level, memory_order_relaxed);
}

/* Appends @text escaped as haul_text_display() does, but whole: a record is not cut. */
static void
append_escaped(GString *line, const char *text)
{
  size_t left = strlen(text);
  while (left > 0) {
    /* One octet becomes at most six ("\u{1B}"), so that a piece of 80 stays below the 512 that are
     * shown; pieces end between characters. */
    size_t piece = MIN(left, 80);
    if (piece < left)
      for (unsigned back = 0; back < 3 && ((unsigned char)text[piece] & 0xc0) == 0x80; back++)
        piece--;
    g_autofree char *shown = haul_text_display(text, piece);
    g_string_append(line, shown);
    text += piece;
    left -= piece;
  }
}

static bool
is_plain(const char *text)
{
  for (; *text != '\0'; text++)
    if (*text < ' ' || *text > '~')
      return false;
  return true;
}

/* Ends @line and writes it at once; a log that cannot be written must not end the run. */
static void
put_line(int fd, GString *line)
{
  g_string_append_c(line, '\n');
  ssize_t written;
  do
    written = write(fd, line->str, line->len);
  while (written < 0 && errno == EINTR);
}

static void
append_time(GString *line)
{
  struct timespec now;
  struct tm utc;
  char text[32];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  g_string_append_printf(line, "%s.%03ldZ ", text, now.tv_nsec / 1000000);
}

void
haul_log(HaulLogLevel level, const char *format, ...)
{
  if (!haul_log_wants(level))
    return;
  int saved = errno;

  g_autoptr(GString) record = g_string_sized_new(256);
  va_list arguments;
  va_start(arguments, format);
  g_string_vprintf(record, format, arguments);
  va_end(arguments);

  g_autoptr(GString) line = g_string_sized_new(record->len + 48);
  const char *name = level_names[CLAMP((int)level, 0, (int)G_N_ELEMENTS(level_names) - 1)];
  g_autoptr(GString) text = g_string_sized_new(record->len + 1);
  if (is_plain(record->str))
    g_string_append_len(text, record->str, (gssize)record->len);
  else
    append_escaped(text, record->str);

  if ((int)level <= atomic_load(&stderr_level)) {
    g_string_printf(line, "mailhaul: %s: %s", name, text->str);
    put_line(STDERR_FILENO, line);
  }
  pthread_mutex_lock(&file_lock);
  if (file_fd >= 0 && (int)level <= atomic_load(&file_level)) {
    g_string_truncate(line, 0);
    append_time(line);
    g_string_append_printf(line, "%s %s", name, text->str);
    put_line(file_fd, line);
  }
  pthread_mutex_unlock(&file_lock);
  errno = saved;
}
