/* The identity file of a tree. */
#include "identity.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SIZE_LIMIT 4096
#define PREFIX "maildir:"
#define BY_PATH PREFIX "path:"
#define ADVICE                                                                                     \
  ": is its file system mounted? If it was replaced on purpose, --newtree2 (of a source, "         \
  "--newtree1) begins anew"

bool
maildir_identity_read(int root, const char *where, char **uuid, char **layout, GError **error)
{
  g_clear_pointer(uuid, g_free);
  if (layout != NULL)
    g_clear_pointer(layout, g_free);
  g_autoptr(GString) text = g_string_new(NULL);
  if (!maildir_file_read(root, MAILDIR_IDENTITY, SIZE_LIMIT, text, NULL, HAUL_ERROR_ACCOUNT, error))
    return false;
  if (text->len == 0)
    return true;
  g_autoptr(GKeyFile) file = g_key_file_new();
  g_autofree char *found = NULL;
  if (g_key_file_load_from_data(file, text->str, text->len, G_KEY_FILE_NONE, NULL))
    found = g_key_file_get_string(file, "maildir", "uuid", NULL);
  if (found == NULL || !g_uuid_string_is_valid(found)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "maildir",
                   "%s/" MAILDIR_IDENTITY " is damaged: it names no UUID; remove it and begin anew "
                   "(newtree): messages are then paired by matching",
                   where);
    return false;
  }
  *uuid = g_steal_pointer(&found);
  if (layout != NULL)
    *layout = g_key_file_get_string(file, "maildir", "layout", NULL);
  return true;
}

bool
maildir_identity_make(int root, int tmp, const char *where, const char *layout,
                      const MaildirCreation *creation, char **uuid, GError **error)
{
  g_autofree char *made = g_uuid_string_random();
  g_autofree char *text =
      g_strdup_printf("# Names this Maildir to mailhaul. A copy of the tree that is to be another\n"
                      "# account must not have this file.\n[maildir]\nuuid=%s\nlayout=%s\n",
                      made, layout);
  return maildir_file_replace(root, tmp, MAILDIR_IDENTITY, text, strlen(text), true, creation,
                              error)
         && maildir_identity_read(root, where, uuid, NULL, error);
}

char *
maildir_identity_text(const char *uuid, const char *where)
{
  return uuid != NULL ? g_strconcat(PREFIX, uuid, NULL) : g_strconcat(BY_PATH, where, NULL);
}

bool
maildir_identity_check(const char *known, const char *uuid, const char *where, bool is_there,
                       GError **error)
{
  if (known == NULL || !g_str_has_prefix(known, PREFIX) || g_str_has_prefix(known, BY_PATH))
    return true;
  known += strlen(PREFIX);
  if (uuid != NULL && g_ascii_strcasecmp(uuid, known) == 0)
    return true;
  if (!is_there)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "not-mounted",
                   "%s is not there, and was the Maildir %s in the last run" ADVICE, where, known);
  else if (uuid == NULL)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "not-mounted",
                   "%s has no file " MAILDIR_IDENTITY
                   ", and was the Maildir %s in the last run" ADVICE,
                   where, known);
  else
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "not-mounted",
                   "%s is the Maildir %s, and was %s in the last run" ADVICE, where, uuid, known);
  return false;
}
