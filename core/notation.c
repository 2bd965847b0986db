/* How a store writes names of folders, learnt from some. See mapping.h. */
#include "mapping.h"

#include <string.h>

#include <mailhaul/text.h>

void
haul_notation_clear(HaulNotation *notation)
{
  g_clear_pointer(&notation->prefix, g_free);
}

/* The separators that servers have, and then what else there may be. */
static const char separators[] = "/.\\^|:-_!";

/* Whether @name is what a folder of @path is called with this separator, behind some prefix. */
static bool
fits(const char *name, const char *path, char separator, size_t *prefix)
{
  g_autofree char *plain = haul_path_to_native(path, separator, NULL);
  size_t name_size = strlen(name), size = strlen(plain);
  if (name_size < size || strcmp(name + name_size - size, plain) != 0)
    return false;
  *prefix = name_size - size;
  return *prefix == 0 || (*prefix > 1 && name[*prefix - 1] == separator);
}

void
haul_notation_learn(const HaulPlanFolder *folders, const char *const *natives, size_t n,
                    HaulNotation *out)
{
  *out = (HaulNotation){ g_strdup(""), '\0' };
  for (size_t i = 0; i < n; i++) {
    const char *path = folders[i].path;
    if (natives[i] == NULL || haul_path_is_inbox(path))
      continue;
    g_autofree char *decoded = haul_utf7_decode(natives[i]);
    const char *name = decoded != NULL ? decoded : natives[i];
    bool is_deep = strchr(path, '/') != NULL;
    for (const char *at = separators; *at != '\0'; at++) {
      size_t prefix;
      if (!fits(name, path, *at, &prefix) || (!is_deep && prefix == 0))
        continue; /* a name without levels tells nothing */
      g_free(out->prefix);
      *out = (HaulNotation){ g_strndup(name, prefix), *at };
      return;
    }
  }
}

char *
haul_notation_write(const HaulNotation *notation, const char *path)
{
  if (notation->separator == '\0' || haul_path_is_inbox(path))
    return g_strdup(path);
  g_autofree char *name = haul_path_to_native(path, notation->separator, NULL);
  const char *prefix = notation->prefix != NULL ? notation->prefix : "";
  return g_strconcat(prefix, name, NULL);
}

char *
haul_notation_read(const HaulNotation *notation, const char *name)
{
  if (haul_path_is_inbox(name))
    return g_strdup("INBOX");
  if (notation->separator == '\0')
    return haul_path_from_native(name, '/', NULL);
  if (notation->prefix != NULL && g_str_has_prefix(name, notation->prefix))
    name += strlen(notation->prefix);
  return haul_path_from_native(name, notation->separator, NULL);
}
