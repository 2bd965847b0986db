/* Finding and loading plugins: NAME.so in the folders of MAILHAUL_PLUGIN_PATH, then in the installed
 * one. What is refused is refused in one line, and the others still work. */
#ifndef HAUL_CORE_PLUGIN_H
#define HAUL_CORE_PLUGIN_H

#include <glib.h>
#include <mailhaul/plugin.h>

/* Loads a plugin by name, once per process. Errors: HAUL_ERROR_ACCOUNT "plugin". */
const HaulPlugin *haul_plugin_load(const char *name, GError **error);

/* Loads a plugin from a file, without looking anywhere else. */
const HaulPlugin *haul_plugin_load_file(const char *path, GError **error);

/* Calls @each with every file that looks like a plugin, first found first: its path and either
 * the plugin or why it was refused. */
typedef void (*HaulPluginFunc)(const char *path, const HaulPlugin *plugin, const GError *why,
                               void *data);
void haul_plugin_each(HaulPluginFunc each, void *data);

#endif /* HAUL_CORE_PLUGIN_H */
