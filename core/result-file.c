/* A file that a run writes for its user. */
#include "result-file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include <string.h>

static void
fail(const char *path, const char *what, const char *reason, const char *why, GError **error)
{
  g_autofree char *shown = haul_text_display(path, strlen(path));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, reason, "cannot write %s, %s: %s", what, shown, why);
}

char *
haul_result_file_find(const char *path, const char *what, GError **error)
{
  struct stat info;
  if (*path == '\0' || g_str_has_suffix(path, "/")) {
    fail(path, what, "usage", "that names no file", error);
    return NULL;
  }
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
    fail(path, what, "usage", "it is there, and no file", error);
    return NULL;
  }
  g_autofree char *folder = g_path_get_dirname(path);
  if (access(folder, W_OK | X_OK) != 0) {
    fail(path, what, "usage", g_strerror(errno), error);
    return NULL;
  }
  char *real = realpath(path, NULL), *target = g_strdup(real != NULL ? real : path);
  free(real);
  return target;
}

bool
haul_result_file_write(const char *path, const char *what, const GString *text, GError **error)
{
  g_autoptr(GError) why = NULL;
  if (g_file_set_contents_full(path, text->str, (gssize)text->len,
                               G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                               &why))
    return true;
  bool is_full = g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
  fail(path, what, is_full ? "disk-full" : "usage", why->message, error);
  return false;
}
