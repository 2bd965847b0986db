/* Keywords as Courier keeps them. */
#include "courier.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/log.h>

#include "keywords.h"

#define LIST ":list"
#define LIST_LIMIT (64u << 20)
/* Of the keywords of one message. */
#define UPDATE_LIMIT (64u << 10)
/* Of a list; Courier gives them as clients name them. */
#define KEYWORDS_LIMIT 1000

/* Returns the set of the keywords whose numbers stand in @text. */
static MaildirNames
set_of_numbers(MaildirBeyond *beyond, const GPtrArray *keywords, const char *text, const char *end)
{
  MaildirNames set = NULL;
  for (const char *at = text; at < end; at++) {
    guint number = 0;
    const char *digits = at;
    for (; at < end && g_ascii_isdigit(*at) && number < KEYWORDS_LIMIT; at++)
      number = number * 10 + (guint)(*at - '0');
    if (at > digits && number < keywords->len && maildir_keywords_is_name(keywords->pdata[number]))
      set = maildir_beyond_with(beyond, set, keywords->pdata[number]);
  }
  return set;
}

void
maildir_courier_parse(MaildirBeyond *beyond, const char *text)
{
  g_autoptr(GPtrArray) keywords = g_ptr_array_new_with_free_func(g_free);
  bool in_head = true;
  for (const char *end; *text != '\0'; text = *end == '\0' ? end : end + 1) {
    end = strchrnul(text, '\n');
    const char *colon = memrchr(text, ':', (size_t)(end - text));
    if (in_head && end == text)
      in_head = false;
    else if (in_head && keywords->len < KEYWORDS_LIMIT)
      g_ptr_array_add(keywords, g_strndup(text, (gsize)(end - text)));
    else if (!in_head && colon != NULL)
      maildir_beyond_put(beyond, text, (size_t)(colon - text),
                         set_of_numbers(beyond, keywords, colon + 1, end));
  }
}

/* What was set since the list was written. */
typedef struct {
  char *file; /* owned */
  uint64_t time;
  const char *base; /* in file */
} Update;

static void
update_clear(Update *update)
{
  g_free(update->file);
}

static int
compare_updates(const Update *one, const Update *two)
{
  return (one->time > two->time) - (one->time < two->time);
}

/* Returns the updates in @dir, the latest last. */
static GArray *
updates_in(int dir)
{
  GArray *updates = g_array_new(FALSE, FALSE, sizeof(Update));
  g_array_set_clear_func(updates, (GDestroyNotify)update_clear);
  DIR *listing = maildir_file_list(dir);
  for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
    Update update = { .time = UINT64_MAX };
    const char *name = entry->d_name;
    char *rest = NULL;
    if (name[0] == '.') {
      update.time = g_ascii_strtoull(name + 1, &rest, 10);
      if (!g_ascii_isdigit(name[1]) || *rest != '.' || rest[1] == '\0')
        continue;
      rest++;
    } else if (name[0] == ':')
      continue;
    update.file = g_strdup(name);
    update.base = rest == NULL ? update.file : update.file + (rest - name);
    g_array_append_val(updates, update);
  }
  if (listing != NULL)
    closedir(listing);
  g_array_sort(updates, (GCompareFunc)compare_updates);
  return updates;
}

static bool
load_update(MaildirBeyond *beyond, int dir, const Update *update, GError **error)
{
  g_autoptr(GString) text = g_string_new(NULL);
  if (!maildir_file_read(dir, update->file, UPDATE_LIMIT, text, NULL, HAUL_ERROR_FOLDER, error))
    return false;
  MaildirNames set = NULL;
  g_auto(GStrv) names = g_strsplit(text->str, "\n", KEYWORDS_LIMIT);
  for (char **name = names; *name != NULL; name++)
    if (maildir_keywords_is_name(*name))
      set = maildir_beyond_with(beyond, set, *name);
  maildir_beyond_put(beyond, update->base, strlen(update->base), set);
  return true;
}

static bool
load_all(MaildirBeyond *beyond, int dir, GError **error)
{
  g_autoptr(GString) text = g_string_new(NULL);
  if (!maildir_file_read(dir, LIST, LIST_LIMIT, text, NULL, HAUL_ERROR_FOLDER, error))
    return false;
  maildir_courier_parse(beyond, text->str);
  g_autoptr(GArray) updates = updates_in(dir);
  for (guint i = 0; i < updates->len; i++)
    if (!load_update(beyond, dir, &g_array_index(updates, Update, i), error))
      return false;
  return true;
}

void
maildir_courier_load(MaildirBeyond *beyond, int dir, const char *where)
{
  int fd = maildir_file_open_dir(dir, MAILDIR_COURIER_KEYWORDS);
  if (fd < 0 && errno == ENOENT)
    return;
  g_autoptr(GError) why = NULL;
  bool is_read = fd >= 0
                     ? load_all(beyond, fd, &why)
                     : maildir_error(&why, HAUL_ERROR_FOLDER, "select", errno, "cannot open it");
  if (!is_read)
    haul_log(HAUL_LOG_WARNING, "%s/" MAILDIR_COURIER_KEYWORDS ": not all keywords are known: %s",
             where, why->message);
  if (fd >= 0)
    close(fd);
}
