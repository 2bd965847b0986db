/* Servers that show a window of a folder. See window.h. */
#include "window.h"

#include <mailhaul/log.h>

/* Gmail has a setting of 1,000, 2,000, 5,000 or 10,000; Yahoo shows 10,000, or 100,000. */
static const uint64_t windows[] = { 1000, 2000, 5000, 10000, 100000 };

bool
haul_window_is_round(uint64_t n_messages)
{
  for (size_t i = 0; i < G_N_ELEMENTS(windows); i++)
    if (n_messages == windows[i])
      return true;
  return false;
}

guint
haul_window_count(const GArray *folders, const char **path)
{
  guint n = 0;
  for (guint i = 0; i < folders->len; i++) {
    const HaulPlanFolder *folder = &g_array_index(folders, HaulPlanFolder, i);
    if (haul_window_is_round(folder->n_messages) && n++ == 0)
      *path = folder->path;
  }
  return n;
}

void
haul_window_warn(const GArray *folders)
{
  const char *path = NULL;
  guint n = haul_window_count(folders, &path);
  if (n > 0)
    haul_log(HAUL_LOG_WARNING,
             "source: %u folder%s, such as \"%s\", hold%s a round number of messages: some servers "
             "show no more than that, by a setting of Gmail's or a limit of Yahoo's",
             n, n == 1 ? "" : "s", path, n == 1 ? "s" : "");
}
