/* Tests plugin.c with the plugins of tests/unit/plugins/, copied to a folder of their own. */
#include "suite.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "plugin.h"

static char *folder; /* removed by main() */

/* Copies the fixture @name into the folder as @file. Returns its path. */
static char *
place_as(const char *name, const char *file)
{
  g_autofree char *from = g_strconcat(FIXTURES "/", name, ".so", NULL);
  char *to = g_build_filename(folder, file, NULL);
  g_autofree char *octets = NULL;
  size_t size;
  if (!g_file_get_contents(from, &octets, &size, NULL)
      || !g_file_set_contents(to, octets, (gssize)size, NULL) || chmod(to, 0755) != 0)
    CU_FAIL_FATAL("a fixture cannot be copied");
  return to;
}

static char *
place(const char *name)
{
  g_autofree char *file = g_strconcat(name, ".so", NULL);
  return place_as(name, file);
}

static void
refused(const char *path, const char *words)
{
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_plugin_load_file(path, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "plugin", words);
  CU_ASSERT(error != NULL && g_str_has_prefix(error->message, path)
            && strchr(error->message, '\n') == NULL);
}

static void
a_plugin_that_keeps_the_contract_is_loaded_once(void)
{
  g_autofree char *path = place("good");
  g_autoptr(GError) error = NULL;
  const HaulPlugin *plugin = haul_plugin_load_file(path, &error);
  CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
  CU_ASSERT_PTR_NULL(error);
  CU_ASSERT_STRING_EQUAL(plugin->name, "good");
  CU_ASSERT_STRING_EQUAL(plugin->settings[0].key, "user");
  CU_ASSERT(plugin->store != NULL && plugin->store->open != NULL && plugin->matcher == NULL);
  CU_ASSERT_PTR_EQUAL(haul_plugin_load_file(path, NULL), plugin);
  CU_ASSERT_PTR_EQUAL(haul_plugin_load("good", NULL), plugin);
}

static void
an_older_one_gets_null_for_what_it_does_not_know(void)
{
  g_autofree char *path = place("older");
  const HaulPlugin *plugin = haul_plugin_load_file(path, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
  CU_ASSERT(plugin->store->open != NULL && plugin->store->flush != NULL);
  CU_ASSERT_PTR_NULL(plugin->store->quota);
  CU_ASSERT_PTR_NULL(plugin->store->identity); /* set behind the size that it states */
  CU_ASSERT_EQUAL(plugin->store->struct_size, sizeof(HaulStoreOps));
}

static void
a_newer_one_is_taken_as_far_as_it_is_known(void)
{
  g_autofree char *path = place("newer");
  const HaulPlugin *plugin = haul_plugin_load_file(path, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
  CU_ASSERT(plugin->store->identity != NULL);
  CU_ASSERT_EQUAL(plugin->store->struct_size, sizeof(HaulStoreOps));
  CU_ASSERT_EQUAL(plugin->struct_size, sizeof(HaulPlugin));
}

static void
one_without_settings_has_an_empty_table(void)
{
  g_autofree char *path = place("no-settings");
  const HaulPlugin *plugin = haul_plugin_load_file(path, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
  CU_ASSERT(plugin->settings != NULL && plugin->settings[0].key == NULL);
}

static void
one_that_breaks_the_contract_is_refused_in_one_line(void)
{
  static const struct {
    const char *name, *words;
  } table[] = {
    { "wrong-abi", "made for plugin ABI 7, this mailhaul has ABI 1" },
    { "short", "only 40 octets" },
    { "no-symbol", "exports no haul_plugin" },
    { "wrong-name", "calls itself \"another\"" },
    { "nameless", "calls itself \"\"" },
    { "neither", "neither a backend nor a matcher" },
    { "tiny-store", "its store is only 8 octets" },
    { "no-close", "no close()" },
    { "keyless", "no key()" },
    { "bad-type", "\"path\" is of no known type" },
    { "bad-key", "\"Path_1\" has no proper name" },
    { "bad-default", "\"path\" has a malformed default" },
    { "twice", "the setting \"user\" twice" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *path = place(table[i].name);
    refused(path, table[i].words);
  }
}

static void
a_file_that_others_could_have_written_is_refused(void)
{
  g_autofree char *path = place_as("good", "open-file.so");
  g_chmod(path, 0777);
  refused(path, "anybody may write to it");
  g_chmod(path, 0755);

  g_chmod(folder, 0777);
  refused(path, "anybody may write to its folder");
  g_chmod(folder, 01777);
  refused(path, "disagrees with its file name"); /* a sticky one is safe: it gets that far */
  g_chmod(folder, 0700);

  if (geteuid() == 0) {
    CU_ASSERT_EQUAL(chown(path, 12345, (gid_t)-1), 0);
    refused(path, "owned by user 12345");
  } else {
    g_chmod(path, 0);
    refused(path, "cannot be read");
  }
  g_unlink(path);
}

static void
what_is_no_plugin_is_refused(void)
{
  g_autofree char *text = g_build_filename(folder, "text.so", NULL);
  CU_ASSERT(g_file_set_contents(text, "no object", -1, NULL));
  refused(text, "cannot be loaded");
  g_autofree char *empty = g_build_filename(folder, "empty.so", NULL);
  CU_ASSERT(g_file_set_contents(empty, "", -1, NULL));
  refused(empty, "cannot be loaded");
  g_autofree char *subfolder = g_build_filename(folder, "folder.so", NULL);
  CU_ASSERT_EQUAL(g_mkdir(subfolder, 0755), 0);
  refused(subfolder, "not a regular file");
  g_autofree char *absent = g_build_filename(folder, "absent.so", NULL);
  refused(absent, "No such file");
  g_autofree char *misnamed = place_as("good", "Good.so");
  refused(misnamed, "NAME.so");
  g_unlink(text);
  g_unlink(empty);
  g_rmdir(subfolder);
  g_unlink(misnamed);
}

static void
an_unknown_name_lists_where_it_was_sought(void)
{
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_plugin_load("imapp", &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "plugin", folder);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "plugin", "there is no plugin \"imapp\" in ");
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "plugin", "`mailhaul plugins`");

  static const char *const names[] = { "", "../good", "Good", "good.so", "9", "a/b", "a\nb" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autoptr(GError) odd = NULL;
    CU_ASSERT_PTR_NULL(haul_plugin_load(names[i], &odd));
    CHECK_ERROR(odd, HAUL_ERROR_ACCOUNT, "plugin", "cannot be the name of a plugin");
  }
}

typedef struct {
  unsigned loaded, refused, hidden;
} Count;

static void
count(const char *path, const HaulPlugin *plugin, const GError *why, void *data)
{
  Count *seen = data;
  CU_ASSERT((plugin == NULL) == (why != NULL));
  if (plugin != NULL)
    seen->loaded++;
  else if (strstr(why->message, "hidden by") != NULL)
    seen->hidden++;
  else
    seen->refused++;
}

static void
those_refused_do_not_hide_the_others(void)
{
  g_free(place("good"));
  g_free(place("wrong-abi"));
  Count alone = { 0, 0, 0 }, twice = { 0, 0, 0 };
  haul_plugin_each(count, &alone);
  CU_ASSERT(alone.loaded >= 1 && alone.refused >= 1);
  CU_ASSERT_EQUAL(alone.hidden, 0);

  g_autofree char *path = g_strconcat("/nonexistent::", folder, ":", folder, NULL);
  g_setenv("MAILHAUL_PLUGIN_PATH", path, TRUE);
  haul_plugin_each(count, &twice);
  CU_ASSERT_EQUAL(twice.loaded, alone.loaded);
  CU_ASSERT_EQUAL(twice.hidden, alone.loaded + alone.refused);
  CU_ASSERT_PTR_NOT_NULL(haul_plugin_load("good", NULL));
  g_setenv("MAILHAUL_PLUGIN_PATH", folder, TRUE);
}

static void
one_that_is_found_first_but_refused_has_no_stand_in(void)
{
  g_autofree char *first = g_build_filename(folder, "first", NULL);
  CU_ASSERT_EQUAL(g_mkdir(first, 0700), 0);
  g_autofree char *bad = place_as("wrong-abi", "first/older.so");
  g_free(place("older"));
  g_autofree char *path = g_strconcat(first, ":", folder, NULL);
  g_setenv("MAILHAUL_PLUGIN_PATH", path, TRUE);
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_plugin_load("older", &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "plugin", "ABI 7");
  g_setenv("MAILHAUL_PLUGIN_PATH", folder, TRUE);
  CU_ASSERT_PTR_NOT_NULL(haul_plugin_load("older", NULL));
  g_unlink(bad);
  g_rmdir(first);
}

static void
remove_folder(void)
{
  g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
  const char *name;
  while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_unlink(path);
  }
  g_rmdir(folder);
  g_free(folder);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_plugin_that_keeps_the_contract_is_loaded_once),
    CASE(an_older_one_gets_null_for_what_it_does_not_know),
    CASE(a_newer_one_is_taken_as_far_as_it_is_known),
    CASE(one_without_settings_has_an_empty_table),
    CASE(one_that_breaks_the_contract_is_refused_in_one_line),
    CASE(a_file_that_others_could_have_written_is_refused),
    CASE(what_is_no_plugin_is_refused),
    CASE(an_unknown_name_lists_where_it_was_sought),
    CASE(those_refused_do_not_hide_the_others),
    CASE(one_that_is_found_first_but_refused_has_no_stand_in),
  };
  folder = g_dir_make_tmp("mailhaul-XXXXXX", NULL);
  if (folder == NULL)
    return 1;
  g_setenv("MAILHAUL_PLUGIN_PATH", folder, TRUE);
  int code = RUN_SUITE("plugin", cases);
  remove_folder();
  return code;
}
