/* Which folders a run is about. */
#include "choice.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

static bool
is_named(const char *wanted, const char *path, const char *native)
{
  if (strcmp(wanted, path) == 0 || g_strcmp0(wanted, native) == 0)
    return true;
  if (haul_path_is_inbox(wanted) && haul_path_is_inbox(path))
    return true;
  g_autofree char *decoded = native != NULL ? haul_utf7_decode(native) : NULL;
  return g_strcmp0(wanted, decoded) == 0;
}

/* Whether it is a label for what the user, or the server, has marked: all of it is in all mail. */
static bool
is_a_view(const HaulPlanFolder *folder)
{
  return (folder->attributes & HAUL_FOLDER_LABEL) != 0
         && (folder->attributes & (HAUL_FOLDER_FLAGGED | HAUL_FOLDER_IMPORTANT)) != 0;
}

static bool
is_all_mail(const HaulPlanFolder *folder)
{
  return (folder->attributes & HAUL_FOLDER_LABEL) != 0
         && (folder->attributes & HAUL_FOLDER_ALL) != 0
         && (folder->attributes & HAUL_FOLDER_NOSELECT) == 0;
}

/* Whether @list has the folder of all mail; users can hide it. */
static bool
shows_all_mail(const HaulFolderList *list)
{
  for (guint i = 0; i < list->folders->len; i++)
    if (is_all_mail(&g_array_index(list->folders, HaulPlanFolder, i)))
      return true;
  return false;
}

/* The last ones give what the others have not. */
static int
rank(const HaulPlanFolder *folder)
{
  return haul_path_is_inbox(folder->path) ? 0 : is_a_view(folder) ? 2 : 1;
}

/* INBOX first, views last, and by name, whatever order the server has. */
static int
compare_paths(const void *a, const void *b)
{
  const HaulPlanFolder *x = a, *y = b;
  int order = rank(x) - rank(y);
  return order != 0 ? order : strcmp(x->path, y->path);
}

static void
move_all_mail_to_the_end(GArray *folders)
{
  guint n = folders->len;
  for (guint i = 0; i < n; i++) {
    HaulPlanFolder folder = g_array_index(folders, HaulPlanFolder, i);
    if (!is_all_mail(&folder))
      continue;
    g_array_remove_index(folders, i--);
    g_array_append_val(folders, folder);
    n--;
  }
}

static void
choose_all(const HaulFolderList *list, GArray *chosen)
{
  g_autoptr(GString) left_out = g_string_new(NULL);
  bool has_all = shows_all_mail(list);
  for (guint i = 0; i < list->folders->len; i++) {
    const HaulPlanFolder *folder = &g_array_index(list->folders, HaulPlanFolder, i);
    if (!has_all || !is_a_view(folder)) {
      g_array_append_val(chosen, *folder);
      continue;
    }
    g_string_append_printf(left_out, "%s\"%s\"", left_out->len > 0 ? ", " : "", folder->path);
  }
  if (left_out->len > 0)
    haul_log(HAUL_LOG_INFO, "source: left out, for all of it is in all mail: %s; --folder takes it",
             left_out->str);
  g_array_sort(chosen, compare_paths);
}

static bool
choose_named(const HaulFolderList *list, const char *const *wanted, GArray *chosen, GError **error)
{
  for (; *wanted != NULL; wanted++) {
    guint i = 0;
    while (i < list->folders->len
           && !is_named(*wanted, g_array_index(list->folders, HaulPlanFolder, i).path,
                        list->natives->pdata[i]))
      i++;
    if (i == list->folders->len) {
      g_autofree char *shown = haul_text_display(*wanted, strlen(*wanted));
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "no-folder",
                     "source: there is no folder \"%s\"; --dry without --folder lists them", shown);
      return false;
    }
    const HaulPlanFolder *folder = &g_array_index(list->folders, HaulPlanFolder, i);
    bool twice = false;
    for (guint k = 0; k < chosen->len; k++)
      twice |= g_array_index(chosen, HaulPlanFolder, k).path == folder->path;
    if (!twice)
      g_array_append_val(chosen, *folder);
  }
  return true;
}

GArray *
haul_choose_folders(const HaulFolderList *list, const char *const *wanted, GError **error)
{
  g_autoptr(GArray) chosen = g_array_new(FALSE, TRUE, sizeof(HaulPlanFolder));
  if (wanted == NULL)
    choose_all(list, chosen);
  else if (!choose_named(list, wanted, chosen, error))
    return NULL;
  move_all_mail_to_the_end(chosen);
  return g_steal_pointer(&chosen);
}

/* Finds the folder that is @wanted: its canonical path counts more than what the store calls another. */
const char *
haul_choose_named(const HaulFolderList *list, const char *wanted)
{
  if (haul_folder_list_find(list, wanted) != NULL)
    return wanted;
  for (guint i = 0; i < list->folders->len; i++) {
    const char *path = g_array_index(list->folders, HaulPlanFolder, i).path;
    if (is_named(wanted, path, list->natives->pdata[i]))
      return path;
  }
  return NULL;
}

char *
haul_choose_target(const GArray *folders1, const HaulFolderList *list2, const char *wanted,
                   GError **error)
{
  guint n = 0;
  for (guint i = 0; i < folders1->len; i++)
    n += (g_array_index(folders1, HaulPlanFolder, i).attributes & HAUL_FOLDER_NOSELECT) == 0;
  if (n > 1) {
    haul_set_error(
        error, HAUL_ERROR_ACCOUNT, "usage",
        "--folder2 says where one folder goes, but %u are chosen; name one with --folder", n);
    return NULL;
  }
  const char *found = haul_choose_named(list2, wanted);
  return g_strdup(found != NULL ? found : haul_path_is_inbox(wanted) ? "INBOX" : wanted);
}
