/* The subscriptions file. */
#include "subscriptions.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/log.h>
#include <mailhaul/text.h>

#define NAME "subscriptions"
#define COURIER "courierimapsubscribed"
#define HEAD "V\t2\n\n"
#define SIZE_LIMIT (16u << 20)
/* No account has so many folders (limits.h of the imap plugin has the same). */
#define MAX_PATHS 100000

/* Version 2 has no separators between levels, so one there belongs to a level. */
static char *
path_of_line(const char *line, MaildirNaming naming, bool is_new_form)
{
  if (strcmp(line, "INBOX") == 0)
    return g_strdup(line);
  g_autofree char *name = g_strdup(line);
  if (is_new_form && naming.separator != '\0')
    g_strdelimit(name, "\t", naming.separator);
  return maildir_naming_path(naming, name);
}

char *
maildir_subscriptions_line(const char *path, MaildirNaming naming, bool is_new_form)
{
  if (haul_path_is_inbox(path))
    return g_strdup("INBOX");
  char *name = maildir_naming_name(naming, path);
  const char separators[] = { naming.separator, '\0' };
  if (name != NULL && is_new_form)
    g_strdelimit(name, separators, '\t');
  return name;
}

GHashTable *
maildir_subscriptions_parse(const char *text, MaildirNaming naming, bool *is_new_form)
{
  GHashTable *paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  bool new_form = g_str_has_prefix(text, "V\t2\n") || text[0] == '\0';
  if (is_new_form != NULL)
    *is_new_form = new_form;
  if (new_form && text[0] != '\0')
    text += strlen("V\t2\n");
  for (const char *end; *text != '\0' && g_hash_table_size(paths) < MAX_PATHS;
       text = *end == '\0' ? end : end + 1) {
    end = strchrnul(text, '\n');
    if (end == text)
      continue;
    g_autofree char *line = g_strndup(text, (gsize)(end - text));
    g_hash_table_add(paths, path_of_line(line, naming, new_form));
  }
  return paths;
}

GHashTable *
maildir_subscriptions_parse_courier(const char *text)
{
  const MaildirNaming naming = { '.', false };
  GHashTable *paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_auto(GStrv) lines = g_strsplit(text, "\n", MAX_PATHS);
  for (char **line = lines; *line != NULL; line++)
    if (strcmp(*line, "INBOX") == 0)
      g_hash_table_add(paths, g_strdup(*line));
    else if (g_str_has_prefix(*line, "INBOX.") && (*line)[6] != '\0')
      g_hash_table_add(paths, maildir_naming_path(naming, *line + strlen("INBOX.")));
  return paths;
}

/* *cut: gets whether there is more than is looked at. */
static bool
read_file(const MaildirTree *tree, const char *file, GString *text, bool *cut, GError **error)
{
  *cut = false;
  if (tree->fd < 0)
    return true;
  if (!maildir_file_read(tree->fd, file, SIZE_LIMIT, text, cut, HAUL_ERROR_FOLDER, error))
    return false;
  if (*cut) {
    haul_log(HAUL_LOG_WARNING, "%s/%s is too long: its end is not looked at", tree->root, file);
    char *last = strrchr(text->str, '\n');
    g_string_truncate(text, last == NULL ? 0 : (gsize)(last + 1 - text->str));
  }
  return true;
}

GHashTable *
maildir_subscriptions_read(const MaildirTree *tree)
{
  g_autoptr(GString) text = g_string_new(NULL);
  g_autoptr(GError) why = NULL;
  bool cut, is_read = read_file(tree, NAME, text, &cut, &why);
  bool is_courier =
      is_read && text->len == 0 && !cut && (is_read = read_file(tree, COURIER, text, &cut, &why));
  if (!is_read)
    haul_log(HAUL_LOG_WARNING, "%s: subscriptions are not known: %s", tree->root, why->message);
  return is_courier ? maildir_subscriptions_parse_courier(text->str)
                    : maildir_subscriptions_parse(text->str, tree->naming, NULL);
}

static bool
add_lines(const MaildirTree *tree, const HaulFolder *folders, size_t n_folders, GError **error)
{
  g_autoptr(GString) text = g_string_new(NULL);
  bool cut, is_new_form;
  if (!read_file(tree, NAME, text, &cut, error))
    return false;
  g_autoptr(GHashTable) paths = maildir_subscriptions_parse(text->str, tree->naming, &is_new_form);
  if (cut || g_hash_table_size(paths) >= MAX_PATHS) { /* to write it anew would lose the rest */
    haul_set_error(error, HAUL_ERROR_FOLDER, "maildir",
                   "%s/" NAME " is too long: it is left as it is", tree->root);
    return false;
  }
  if (text->len == 0)
    g_string_append(text, HEAD);
  if (text->str[text->len - 1] != '\n')
    g_string_append_c(text, '\n');

  bool changed = false;
  for (size_t i = 0; i < n_folders; i++) {
    if (!g_hash_table_add(paths, g_strdup(folders[i].path)))
      continue;
    g_autofree char *line = maildir_subscriptions_line(folders[i].path, tree->naming, is_new_form);
    if (line == NULL) /* nor is there such a folder */
      continue;
    g_string_append_printf(text, "%s\n", line);
    changed = true;
  }
  if (!changed)
    return true;
  int tmp = maildir_root_open_tmp(tree);
  bool ok = tmp >= 0
            && maildir_file_replace(tree->fd, tmp, NAME, text->str, text->len, false,
                                    &tree->creation, error);
  if (tmp < 0)
    maildir_write_error(error, errno, "cannot open tmp in %s", tree->root);
  else
    close(tmp);
  return ok;
}

bool
maildir_subscriptions_add(const MaildirTree *tree, const HaulFolder *folders, size_t n_folders,
                          GError **error)
{
  int lock = maildir_root_lock(tree);
  bool ok = add_lines(tree, folders, n_folders, error);
  if (lock >= 0)
    close(lock);
  return ok;
}
