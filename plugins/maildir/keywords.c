/* The file dovecot-keywords. */
#include "keywords.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NAME "dovecot-keywords"
#define SIZE_LIMIT (64u << 10)

void
maildir_keywords_clear(MaildirKeywords *keywords)
{
  for (size_t i = 0; i < MAILDIR_N_KEYWORDS; i++)
    g_clear_pointer(&keywords->names[i], g_free);
}

bool
maildir_keywords_is_name(const char *name)
{
  for (const char *at = name; *at != '\0'; at++)
    if ((unsigned char)*at <= ' ' || *at == 127)
      return false;
  return name[0] != '\0';
}

void
maildir_keywords_parse(MaildirKeywords *keywords, const char *text)
{
  maildir_keywords_clear(keywords);
  for (const char *end; *text != '\0'; text = *end == '\0' ? end : end + 1) {
    end = strchrnul(text, '\n');
    const char *at = text;
    unsigned number = 0;
    for (; g_ascii_isdigit(*at) && number < MAILDIR_N_KEYWORDS; at++)
      number = number * 10 + (unsigned)(*at - '0');
    if (at == text || *at != ' ' || number >= MAILDIR_N_KEYWORDS)
      continue;
    g_autofree char *name = g_strndup(at + 1, (gsize)(end - at - 1));
    if (keywords->names[number] == NULL && maildir_keywords_is_name(name)
        && maildir_keywords_find(keywords, name) < 0)
      keywords->names[number] = g_steal_pointer(&name);
  }
}

char *
maildir_keywords_print(const MaildirKeywords *keywords)
{
  GString *text = g_string_new(NULL);
  for (unsigned i = 0; i < MAILDIR_N_KEYWORDS; i++)
    if (keywords->names[i] != NULL)
      g_string_append_printf(text, "%u %s\n", i, keywords->names[i]);
  return g_string_free(text, FALSE);
}

int
maildir_keywords_find(const MaildirKeywords *keywords, const char *name)
{
  for (int i = 0; i < MAILDIR_N_KEYWORDS; i++)
    if (keywords->names[i] != NULL && g_ascii_strcasecmp(keywords->names[i], name) == 0)
      return i;
  return -1;
}

bool
maildir_keywords_is_full(const MaildirKeywords *keywords)
{
  for (int i = 0; i < MAILDIR_N_KEYWORDS; i++)
    if (keywords->names[i] == NULL)
      return false;
  return true;
}

bool
maildir_keywords_load(MaildirKeywords *keywords, int dir, GError **error)
{
  g_autoptr(GString) text = g_string_new(NULL);
  if (!maildir_file_read(dir, NAME, SIZE_LIMIT, text, NULL, HAUL_ERROR_FOLDER, error))
    return false;
  maildir_keywords_parse(keywords, text->str);
  return true;
}

static int
assign_locked(MaildirKeywords *keywords, const MaildirTree *tree, int dir, int tmp,
              const char *name, GError **error)
{
  if (!maildir_keywords_load(keywords, dir, error))
    return -1;
  int letter = maildir_keywords_find(keywords, name);
  if (letter >= 0)
    return letter;
  for (letter = 0; letter < MAILDIR_N_KEYWORDS && keywords->names[letter] != NULL; letter++)
    ;
  if (letter == MAILDIR_N_KEYWORDS)
    return -1;
  keywords->names[letter] = g_strdup(name);
  g_autofree char *text = maildir_keywords_print(keywords);
  MaildirCreation creation = tree->creation;
  creation.sync = false;
  if (maildir_file_replace(dir, tmp, NAME, text, strlen(text), false, &creation, error))
    return letter;
  g_clear_pointer(&keywords->names[letter], g_free);
  return -1;
}

int
maildir_keywords_assign(MaildirKeywords *keywords, const MaildirTree *tree, int dir, int tmp,
                        const char *name, GError **error)
{
  int letter = maildir_keywords_find(keywords, name);
  if (letter >= 0)
    return letter;
  int lock = maildir_root_lock(tree);
  letter = assign_locked(keywords, tree, dir, tmp, name, error);
  if (lock >= 0)
    close(lock);
  return letter;
}

bool
maildir_keywords_settle(int dir, GError **error)
{
  int fd = openat(dir, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  bool ok = fd >= 0 && fsync(fd) == 0 && fsync(dir) == 0;
  int failure = errno;
  if (fd >= 0)
    close(fd);
  return ok || maildir_folder_error(error, failure, "cannot write " NAME);
}
