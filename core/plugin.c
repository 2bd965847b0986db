/*
 * Finding and loading plugins.
 *
 * A shared object is somebody's code in our process with the user's passwords in reach, so before
 * it is loaded it is asked who could have written it, and after that whether it keeps the contract.
 * What passes is handed out as a copy of the host's own shape: a table of an older plugin gets NULL
 * for the callbacks that it does not know, so nobody else has to look at sizes. A plugin stays
 * loaded until the process ends.
 */
#include "plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "account.h"

/* The least of each struct that is of any use. */
#define PLUGIN_MINIMUM (G_STRUCT_OFFSET(HaulPlugin, matcher) + sizeof(const HaulMatcherOps *))
#define STORE_MINIMUM G_STRUCT_OFFSET(HaulStoreOps, folders)
#define MATCHER_MINIMUM sizeof(HaulMatcherOps)

typedef struct {
  HaulPlugin plugin; /* what is handed out; points to the next two */
  HaulStoreOps store;
  HaulMatcherOps matcher;
} Loaded;

static pthread_mutex_t loaded_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *loaded; /* path -> Loaded; guarded by loaded_lock, kept for the whole process */

static bool refuse(GError **error, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);

static bool
refuse(GError **error, const char *path, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *why = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autofree char *text = g_strdup_printf("%s: %s", path, why);
  g_autofree char *shown = haul_text_display(text, strlen(text));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "plugin", "%s", shown);
  return false;
}

/* Whether @name is [a-z][a-z0-9-]*, as plugins and their settings are named. */
static bool
is_plain_name(const char *name)
{
  return g_ascii_islower(name[0])
         && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* Returns the name that the plugin in the file @path must have; NULL where no plugin can have it. */
static char *
name_of_file(const char *path)
{
  g_autofree char *base = g_path_get_basename(path);
  if (!g_str_has_suffix(base, ".so"))
    return NULL;
  base[strlen(base) - strlen(".so")] = '\0';
  return is_plain_name(base) ? g_steal_pointer(&base) : NULL;
}

/* Whether nobody but root and ourselves can have put this file where it is. */
static bool
check_file(const char *path, GError **error)
{
  struct stat status;
  if (stat(path, &status) != 0)
    return refuse(error, path, "%s", g_strerror(errno));
  if (!S_ISREG(status.st_mode))
    return refuse(error, path, "not a regular file");
  if (status.st_uid != 0 && status.st_uid != geteuid())
    return refuse(error, path, "owned by user %lu, neither root nor you",
                  (unsigned long)status.st_uid);
  if (status.st_mode & S_IWOTH)
    return refuse(error, path, "anybody may write to it; chmod o-w");
  if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
    return refuse(error, path, "cannot be read: %s", g_strerror(errno));

  g_autofree char *folder = g_path_get_dirname(path);
  if (stat(folder, &status) != 0)
    return refuse(error, path, "its folder: %s", g_strerror(errno));
  if ((status.st_mode & S_IWOTH) && !(status.st_mode & S_ISVTX))
    return refuse(error, path, "anybody may write to its folder; chmod o-w");
  return true;
}

/* Whether a table of the plugin keeps its types and can be printed and parsed. */
static bool
check_settings(const char *path, const HaulSetting *settings, GError **error)
{
  for (const HaulSetting *setting = settings; setting->key != NULL; setting++) {
    if (!is_plain_name(setting->key))
      return refuse(error, path, "its setting \"%s\" has no proper name", setting->key);
    for (const HaulSetting *other = settings; other != setting; other++)
      if (strcmp(other->key, setting->key) == 0)
        return refuse(error, path, "it declares the setting \"%s\" twice", setting->key);
    if (setting->type == '\0' || strchr("sbnpd*", setting->type) == NULL)
      return refuse(error, path, "its setting \"%s\" is of no known type", setting->key);
    if (setting->fallback != NULL && !haul_setting_accepts(setting, setting->fallback))
      return refuse(error, path, "its setting \"%s\" has a malformed default", setting->key);
  }
  return true;
}

/* Copies the part of a sized struct that both sides know; what the other lacks stays zero. */
static void
copy_known(void *to, size_t size, const void *from, size_t from_size)
{
  memset(to, 0, size);
  memcpy(to, from, MIN(size, from_size));
}

static bool
take_store(const char *path, const HaulStoreOps *given, Loaded *to, GError **error)
{
  if (given->struct_size < STORE_MINIMUM)
    return refuse(error, path, "its store is only %zu octets of callbacks", given->struct_size);
  copy_known(&to->store, sizeof to->store, given, given->struct_size);
  to->store.struct_size = sizeof to->store;
  if (to->store.open == NULL || to->store.close == NULL)
    return refuse(error, path, "its store has no open() or no close()");
  to->plugin.store = &to->store;
  return true;
}

static bool
take_matcher(const char *path, const HaulMatcherOps *given, Loaded *to, GError **error)
{
  if (given->struct_size < MATCHER_MINIMUM)
    return refuse(error, path, "its matcher is only %zu octets of callbacks", given->struct_size);
  copy_known(&to->matcher, sizeof to->matcher, given, given->struct_size);
  to->matcher.struct_size = sizeof to->matcher;
  bool has_setting = to->matcher.configure != NULL && to->matcher.key_by != NULL;
  if (to->matcher.key == NULL && !has_setting)
    return refuse(error, path, "its matcher has no key()");
  to->plugin.matcher = &to->matcher;
  return true;
}

/* Checks what a loaded file exports and copies it into the host's own shape. */
static Loaded *
take(const char *path, const HaulPlugin *given, GError **error)
{
  static const HaulSetting no_settings[] = { { NULL, 0, NULL, NULL } };

  if (given->abi_version != HAUL_ABI_VERSION) {
    refuse(error, path, "made for plugin ABI %u, this mailhaul has ABI %u; rebuild it",
           given->abi_version, HAUL_ABI_VERSION);
    return NULL;
  }
  if (given->struct_size < PLUGIN_MINIMUM) {
    refuse(error, path, "describes itself in only %u octets", given->struct_size);
    return NULL;
  }

  g_autofree Loaded *copy = g_new0(Loaded, 1);
  copy_known(&copy->plugin, sizeof copy->plugin, given, given->struct_size);
  HaulPlugin *plugin = &copy->plugin;
  plugin->struct_size = sizeof *plugin;
  plugin->store = NULL;
  plugin->matcher = NULL;

  g_autofree char *name = name_of_file(path);
  if (plugin->name == NULL || g_strcmp0(plugin->name, name) != 0) {
    refuse(error, path, "calls itself \"%s\", which disagrees with its file name",
           plugin->name != NULL ? plugin->name : "");
    return NULL;
  }
  if (plugin->version == NULL)
    plugin->version = "";
  if (plugin->summary == NULL)
    plugin->summary = "";
  if (plugin->settings == NULL)
    plugin->settings = no_settings;
  if (!check_settings(path, plugin->settings, error))
    return NULL;

  if (given->store == NULL && given->matcher == NULL) {
    refuse(error, path, "neither a backend nor a matcher");
    return NULL;
  }
  if (given->store != NULL && !take_store(path, given->store, copy, error))
    return NULL;
  if (given->matcher != NULL && !take_matcher(path, given->matcher, copy, error))
    return NULL;
  return g_steal_pointer(&copy);
}

static Loaded *
load(const char *path, GError **error)
{
  g_autofree char *name = name_of_file(path);
  if (name == NULL) {
    refuse(error, path, "a plugin's file is NAME.so, NAME of a to z, 0 to 9 and '-'");
    return NULL;
  }
  if (!check_file(path, error))
    return NULL;

  /* With a '/' in it dlopen() looks nowhere else. */
  g_autofree char *file =
      strchr(path, '/') != NULL ? g_strdup(path) : g_strconcat("./", path, NULL);
  void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) {
    const char *why = dlerror();
    size_t repeated = g_str_has_prefix(why, file) ? strlen(file) : 0;
    if (repeated > 0)
      repeated += strspn(why + repeated, ": ");
    refuse(error, path, "cannot be loaded: %s", why + repeated);
    return NULL;
  }
  const HaulPlugin *given = dlsym(handle, "haul_plugin");
  Loaded *copy = NULL;
  if (given == NULL)
    refuse(error, path, "not a plugin: it exports no haul_plugin");
  else
    copy = take(path, given, error);
  /* A refused one stays mapped too: what it has started, if anything, may still run. */
  return copy;
}

const HaulPlugin *
haul_plugin_load_file(const char *path, GError **error)
{
  g_autoptr(GError) failure = NULL;
  pthread_mutex_lock(&loaded_lock);
  if (loaded == NULL)
    loaded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  Loaded *plugin = g_hash_table_lookup(loaded, path);
  if (plugin == NULL) {
    plugin = load(path, &failure);
    if (plugin != NULL)
      g_hash_table_insert(loaded, g_strdup(path), plugin);
  }
  pthread_mutex_unlock(&loaded_lock);

  if (plugin == NULL) {
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
  }
  return &plugin->plugin;
}

/* Returns the folders to look in, first to last; to be freed with g_strfreev(). */
static char **
folders(void)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  const char *extra = g_getenv("MAILHAUL_PLUGIN_PATH");
  if (extra != NULL) {
    g_auto(GStrv) parts = g_strsplit(extra, ":", -1);
    for (char **part = parts; *part != NULL; part++)
      if (**part != '\0')
        g_strv_builder_add(builder, *part);
  }
  g_strv_builder_add(builder, HAUL_PLUGIN_DIR);
  return g_strv_builder_end(builder);
}

const HaulPlugin *
haul_plugin_load(const char *name, GError **error)
{
  if (!is_plain_name(name)) {
    g_autofree char *shown = haul_text_display(name, strlen(name));
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "plugin",
                   "\"%s\" cannot be the name of a plugin; `mailhaul plugins` shows what is there",
                   shown);
    return NULL;
  }

  g_auto(GStrv) places = folders();
  for (char **place = places; *place != NULL; place++) {
    g_autofree char *path = g_strconcat(*place, "/", name, ".so", NULL);
    /* One that is there but refused is an error: a later folder must not stand in for it. */
    if (access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
      return haul_plugin_load_file(path, error);
  }
  g_autofree char *looked = g_strjoinv(", ", places);
  g_autofree char *shown = haul_text_display(looked, strlen(looked));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "plugin",
                 "there is no plugin \"%s\" in %s; `mailhaul plugins` shows what is there", name,
                 shown);
  return NULL;
}

static int
compare_strings(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns the names of the files in @folder that look like plugins, sorted. */
static GPtrArray *
files_of(const char *folder)
{
  GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
  const char *name;
  while (directory != NULL && (name = g_dir_read_name(directory)) != NULL)
    if (g_str_has_suffix(name, ".so"))
      g_ptr_array_add(files, g_strdup(name));
  g_ptr_array_sort(files, compare_strings);
  return files;
}

void
haul_plugin_each(HaulPluginFunc each, void *data)
{
  g_autoptr(GHashTable) first = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_auto(GStrv) places = folders();
  for (char **place = places; *place != NULL; place++) {
    g_autoptr(GPtrArray) files = files_of(*place);
    for (unsigned i = 0; i < files->len; i++) {
      const char *file = files->pdata[i];
      g_autofree char *path = g_strconcat(*place, "/", file, NULL);
      g_autoptr(GError) why = NULL;
      const HaulPlugin *plugin = NULL;
      const char *hider = g_hash_table_lookup(first, file);
      if (hider != NULL)
        refuse(&why, path, "hidden by %s", hider);
      else
        plugin = haul_plugin_load_file(path, &why);
      each(path, plugin, why, data);
      if (hider == NULL)
        g_hash_table_insert(first, g_strdup(file), g_strdup(path));
    }
  }
}
