/* plugins: which backends and matchers there are, and their settings. */
#include "commands.h"

#include <string.h>

#include "plugin.h"

static void
print_settings(const HaulPlugin *plugin)
{
  for (const HaulSetting *setting = plugin->settings; setting != NULL && setting->key != NULL;
       setting++)
    printf("    %-12s %s%s%s%s\n", setting->key, setting->help,
           setting->fallback == NULL      ? " Required."
           : setting->fallback[0] != '\0' ? " Default: "
                                          : "",
           setting->fallback != NULL ? setting->fallback : "",
           setting->fallback != NULL && setting->fallback[0] != '\0' ? "." : "");
}

static void
print_plugin(const char *path, const HaulPlugin *plugin, const GError *why, void *data)
{
  bool verbose = *(const bool *)data;
  if (plugin == NULL) {
    fprintf(stderr, "mailhaul: %s\n", why->message);
    return;
  }
  printf("%-12s %-8s %-8s %s\n", plugin->name, plugin->store != NULL ? "backend" : "matcher",
         plugin->version, plugin->summary);
  if (verbose) {
    printf("    %s\n", path);
    print_settings(plugin);
  }
}

int
haul_command_plugins(int argc, char **argv)
{
  bool verbose = argc > 0 && (strcmp(argv[0], "-v") == 0 || strcmp(argv[0], "--verbose") == 0);
  if (argc > (verbose ? 1 : 0)) {
    fputs("mailhaul: plugins takes no argument but -v\n", stderr);
    return haul_reason_exit_code("usage", 0);
  }
  haul_plugin_each(print_plugin, &verbose);
  return 0;
}
