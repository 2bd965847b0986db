/* The subscriptions file. */
#include "subscriptions.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/log.h>
#include <mailhaul/text.h>

#define NAME "subscriptions"
#define HEAD "V\t2\n\n"
#define SIZE_LIMIT (16u << 20)

/* Version 2 has no dots between levels, so a dot there belongs to a level. */
static char *
path_of_line(const char *line, bool is_new_form)
{
  if (!is_new_form)
    return strcmp(line, "INBOX") == 0 ? g_strdup(line) : maildir_tree_path_of(line);
  g_auto(GStrv) levels = g_strsplit(line, "\t", -1);
  g_autofree char *name = g_strjoinv(".", levels);
  return strcmp(name, "INBOX") == 0 ? g_steal_pointer(&name) : maildir_tree_path_of(name);
}

char *
maildir_subscriptions_line(const char *path, bool is_new_form)
{
  if (haul_path_is_inbox(path))
    return g_strdup("INBOX");
  char *name = maildir_tree_name_of(path);
  if (is_new_form)
    g_strdelimit(name, ".", '\t');
  return name;
}

GHashTable *
maildir_subscriptions_parse(const char *text, bool *is_new_form)
{
  GHashTable *paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  bool new_form = g_str_has_prefix(text, "V\t2\n") || text[0] == '\0';
  if (is_new_form != NULL)
    *is_new_form = new_form;
  if (new_form && text[0] != '\0')
    text += strlen("V\t2\n");
  for (const char *end; *text != '\0'; text = *end == '\0' ? end : end + 1) {
    end = strchrnul(text, '\n');
    if (end == text)
      continue;
    g_autofree char *line = g_strndup(text, (gsize)(end - text));
    g_hash_table_add(paths, path_of_line(line, new_form));
  }
  return paths;
}

static bool
read_file(const MaildirTree *tree, GString *text, GError **error)
{
  if (tree->fd < 0)
    return true;
  bool cut;
  if (!maildir_file_read(tree->fd, NAME, SIZE_LIMIT, text, &cut, HAUL_ERROR_FOLDER, error))
    return false;
  if (cut) {
    haul_log(HAUL_LOG_WARNING, "%s/" NAME " is too long: its end is not looked at", tree->root);
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
  if (!read_file(tree, text, &why))
    haul_log(HAUL_LOG_WARNING, "%s: subscriptions are not known: %s", tree->root, why->message);
  return maildir_subscriptions_parse(text->str, NULL);
}

static bool
add_lines(const MaildirTree *tree, const HaulFolder *folders, size_t n_folders, GError **error)
{
  g_autoptr(GString) text = g_string_new(NULL);
  if (!read_file(tree, text, error))
    return false;
  bool is_new_form;
  g_autoptr(GHashTable) paths = maildir_subscriptions_parse(text->str, &is_new_form);
  if (text->len == 0)
    g_string_append(text, HEAD);
  if (text->str[text->len - 1] != '\n')
    g_string_append_c(text, '\n');

  bool changed = false;
  for (size_t i = 0; i < n_folders; i++) {
    if (!g_hash_table_add(paths, g_strdup(folders[i].path)))
      continue;
    g_autofree char *line = maildir_subscriptions_line(folders[i].path, is_new_form);
    g_string_append_printf(text, "%s\n", line);
    changed = true;
  }
  if (!changed)
    return true;
  int tmp = maildir_file_open_dir(tree->fd, "tmp");
  bool ok = tmp >= 0
            && maildir_file_replace(tree->fd, tmp, NAME, text->str, text->len, false,
                                    &tree->creation, error);
  if (tmp < 0)
    maildir_write_error(error, errno, "cannot open %s/tmp", tree->root);
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
