/* In which order folders are made. See creation.h. */
#include "creation.h"

#include <string.h>

#include <glib.h>

/* Returns the set of all paths that others lie below. */
static GHashTable *
parents_of(const HaulCreation *creations, size_t n)
{
  GHashTable *parents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (size_t i = 0; i < n; i++) {
    g_autofree char *path = g_strdup(creations[i].path);
    for (char *slash; (slash = strrchr(path, '/')) != NULL;) {
      *slash = '\0';
      if (!g_hash_table_add(parents, g_strdup(path)))
        break; /* so is all that it lies in */
    }
  }
  return parents;
}

void
haul_creation_order(HaulCreation *creations, size_t n)
{
  g_autoptr(GHashTable) parents = parents_of(creations, n);
  g_autofree HaulCreation *later = g_new(HaulCreation, n);
  size_t n_first = 0, n_later = 0;
  for (size_t i = 0; i < n; i++) {
    if (creations[i].is_empty && g_hash_table_contains(parents, creations[i].path))
      later[n_later++] = creations[i];
    else
      creations[n_first++] = creations[i];
  }
  while (n_later > 0)
    creations[n_first++] = later[--n_later];
}
