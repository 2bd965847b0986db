/* Which folders go at the destination: pure, no I/O. */
#include "plan-prune.h"

#include <string.h>

#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

#define FOR_SOMETHING                                                                              \
  (HAUL_FOLDER_ALL | HAUL_FOLDER_ARCHIVE | HAUL_FOLDER_DRAFTS | HAUL_FOLDER_FLAGGED                \
   | HAUL_FOLDER_JUNK | HAUL_FOLDER_SENT | HAUL_FOLDER_TRASH | HAUL_FOLDER_IMPORTANT)

static bool
may_go(const HaulPruneFolder *folder)
{
  return (folder->is_known || folder->is_named) && !folder->is_wanted && !folder->is_excepted
         && !haul_path_is_inbox(folder->path)
         && (folder->attributes & (FOR_SOMETHING | HAUL_FOLDER_NOSELECT | HAUL_FOLDER_LABEL)) == 0;
}

/* Adds all that @path lies in. */
static void
add_parents(GHashTable *stays, const char *path)
{
  for (const char *slash = strrchr(path, '/'); slash != NULL && slash != path;) {
    char *parent = g_strndup(path, (gsize)(slash - path));
    if (!g_hash_table_add(stays, parent)) /* and those above, then */
      return;
    path = parent;
    slash = strrchr(path, '/');
  }
}

static unsigned
depth(const char *path)
{
  unsigned n = 0;
  for (; *path != '\0'; path++)
    n += *path == '/';
  return n;
}

static int
compare_depths(const void *a, const void *b, void *data)
{
  const HaulPruneFolder *folders = data;
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  unsigned depth_x = depth(folders[x].path), depth_y = depth(folders[y].path);
  return depth_x != depth_y ? (depth_x < depth_y) - (depth_x > depth_y) : (x > y) - (x < y);
}

GArray *
haul_plan_prune(const HaulPruneFolder *folders, size_t n)
{
  GArray *victims = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GHashTable) stays = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (size_t i = 0; i < n; i++)
    if (!may_go(&folders[i]))
      add_parents(stays, folders[i].path);
  for (uint32_t i = 0; i < n; i++)
    if (may_go(&folders[i]) && !g_hash_table_contains(stays, folders[i].path))
      g_array_append_val(victims, i);
  g_array_sort_with_data(victims, compare_depths, (void *)folders);
  return victims;
}
