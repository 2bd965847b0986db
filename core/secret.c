/* Where passwords come from, and how they go. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

/* Longer ones are not passwords but mistakes. */
#define SECRET_LIMIT 8192u

void
haul_secret_free(char *secret)
{
  if (secret == NULL)
    return;
  explicit_bzero(secret, strlen(secret));
  g_free(secret);
}

char *
haul_secret_read_file(const char *path, unsigned side, GError **error)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  char buffer[SECRET_LIMIT + 1] = "";
  ssize_t n = fd < 0 ? -1 : read(fd, buffer, SECRET_LIMIT);
  int saved_errno = errno;
  struct stat info;
  if (n >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0)
    haul_log(HAUL_LOG_WARNING, "others can read %s; chmod 600 it", path);
  if (fd >= 0)
    close(fd);
  if (n < 0) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "input", "--passfile%u %s: %s", side, path,
                   g_strerror(saved_errno));
    return NULL;
  }
  buffer[strcspn(buffer, "\r\n")] = '\0';
  char *secret = g_strdup(buffer);
  explicit_bzero(buffer, sizeof buffer);
  if (*secret == '\0') {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "input", "--passfile%u %s: its first line is empty",
                   side, path);
    haul_secret_free(secret);
    return NULL;
  }
  return secret;
}

char *
haul_secret_from_environment(unsigned side)
{
  return g_strdup(g_getenv(side == 1 ? "MAILHAUL_PASSWORD1" : "MAILHAUL_PASSWORD2"));
}
