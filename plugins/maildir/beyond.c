/* Keywords beyond a to z. See beyond.h. */
#include "beyond.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keywords.h"

/* What is beyond it is not read: a million messages with a further keyword each. */
#define SIZE_LIMIT (128u << 20)
/* So many lines that no longer count, besides as many as do, and the file is written anew. */
#define SPARE_LINES 1000

struct MaildirBeyond {
  GHashTable *sets;    /* owned; base -> MaildirNames */
  GHashTable *known;   /* owned; joined names -> MaildirNames: each set once */
  GStringChunk *texts; /* owned; of all names */
  GString *unwritten;  /* owned; lines */
  guint n_lines;       /* of the file */
};

MaildirBeyond *
maildir_beyond_new(void)
{
  MaildirBeyond *beyond = g_new0(MaildirBeyond, 1);
  beyond->sets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  beyond->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  beyond->texts = g_string_chunk_new(1000);
  beyond->unwritten = g_string_new(NULL);
  return beyond;
}

void
maildir_beyond_free(MaildirBeyond *beyond)
{
  if (beyond == NULL)
    return;
  g_hash_table_unref(beyond->sets);
  g_hash_table_unref(beyond->known);
  g_string_chunk_free(beyond->texts);
  g_string_free(beyond->unwritten, TRUE);
  g_free(beyond);
}

/* ---- sets ---- */

/* The set of these names, in this order. */
static MaildirNames
intern(MaildirBeyond *beyond, const GPtrArray *names)
{
  if (names->len == 0)
    return NULL;
  g_autoptr(GString) joined = g_string_new(NULL);
  for (guint i = 0; i < names->len; i++)
    g_string_append_printf(joined, "%s ", (const char *)names->pdata[i]);
  MaildirNames known = g_hash_table_lookup(beyond->known, joined->str);
  if (known != NULL)
    return known;
  const char **set = g_new0(const char *, names->len + 1);
  for (guint i = 0; i < names->len; i++)
    set[i] = g_string_chunk_insert_const(beyond->texts, names->pdata[i]);
  g_hash_table_insert(beyond->known, g_string_free(g_steal_pointer(&joined), FALSE), set);
  return set;
}

static bool
has(const GPtrArray *names, const char *name)
{
  for (guint i = 0; i < names->len; i++)
    if (g_ascii_strcasecmp(names->pdata[i], name) == 0)
      return true;
  return false;
}

static GPtrArray *
names_of(MaildirNames set, const char *but)
{
  GPtrArray *names = g_ptr_array_new();
  for (; set != NULL && *set != NULL; set++)
    if (but == NULL || g_ascii_strcasecmp(*set, but) != 0)
      g_ptr_array_add(names, (char *)*set);
  return names;
}

MaildirNames
maildir_beyond_with(MaildirBeyond *beyond, MaildirNames set, const char *name)
{
  g_autoptr(GPtrArray) names = names_of(set, NULL);
  if (names->len >= MAILDIR_N_BEYOND || has(names, name))
    return set;
  g_ptr_array_add(names, (char *)name);
  return intern(beyond, names);
}

MaildirNames
maildir_beyond_without(MaildirBeyond *beyond, MaildirNames set, const char *name)
{
  g_autoptr(GPtrArray) names = names_of(set, name);
  return intern(beyond, names);
}

/* ---- messages ---- */

MaildirNames
maildir_beyond_find(const MaildirBeyond *beyond, const char *base, size_t size)
{
  if (g_hash_table_size(beyond->sets) == 0)
    return NULL;
  g_autofree char *key = g_strndup(base, size);
  return g_hash_table_lookup(beyond->sets, key);
}

static void
append_line(GString *text, const char *base, MaildirNames set)
{
  g_string_append_printf(text, "%s\t", base);
  for (size_t i = 0; set != NULL && set[i] != NULL; i++)
    g_string_append_printf(text, "%s%s", i > 0 ? " " : "", set[i]);
  g_string_append_c(text, '\n');
}

static void
set_of(MaildirBeyond *beyond, char *base, MaildirNames set)
{
  if (set != NULL) {
    g_hash_table_replace(beyond->sets, base, (gpointer)set);
    return;
  }
  g_hash_table_remove(beyond->sets, base);
  g_free(base);
}

bool
maildir_beyond_put(MaildirBeyond *beyond, const char *base, size_t size, MaildirNames set)
{
  if (set == maildir_beyond_find(beyond, base, size))
    return true;
  char *key = g_strndup(base, size);
  if (!maildir_keywords_is_name(key)) {
    g_free(key);
    return false;
  }
  append_line(beyond->unwritten, key, set);
  set_of(beyond, key, set);
  return true;
}

/* ---- the file ---- */

/* Reads one line, without its end: @text is cut into pieces. */
static void
parse_line(MaildirBeyond *beyond, char *text)
{
  char *tab = strchr(text, '\t');
  if (tab == NULL)
    return;
  *tab = '\0';
  if (!maildir_keywords_is_name(text))
    return;
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  char *rest = tab + 1;
  for (char *name; (name = strsep(&rest, " ")) != NULL && names->len < MAILDIR_N_BEYOND;)
    if (maildir_keywords_is_name(name) && !has(names, name))
      g_ptr_array_add(names, name);
  set_of(beyond, g_strdup(text), intern(beyond, names));
}

void
maildir_beyond_parse(MaildirBeyond *beyond, const char *text, size_t size)
{
  g_hash_table_remove_all(beyond->sets);
  beyond->n_lines = 0;
  /* A last line without its end was cut short. */
  for (const char *end; (end = memchr(text, '\n', size)) != NULL;) {
    g_autofree char *line = g_strndup(text, (gsize)(end - text));
    parse_line(beyond, line);
    beyond->n_lines++;
    size -= (size_t)(end + 1 - text);
    text = end + 1;
  }
}

GString *
maildir_beyond_print(const MaildirBeyond *beyond)
{
  GString *text = g_string_new(NULL);
  GHashTableIter iter;
  gpointer base, set;
  g_hash_table_iter_init(&iter, beyond->sets);
  while (g_hash_table_iter_next(&iter, &base, &set))
    append_line(text, base, set);
  return text;
}

bool
maildir_beyond_load(MaildirBeyond *beyond, int dir, GError **error)
{
  if (beyond->unwritten->len > 0)
    return true;
  g_autoptr(GString) text = g_string_new(NULL);
  if (!maildir_file_read(dir, MAILDIR_BEYOND_FILE, SIZE_LIMIT, text, NULL, HAUL_ERROR_FOLDER,
                         error))
    return false;
  maildir_beyond_parse(beyond, text->str, text->len);
  return true;
}

/* Appends @text, behind the last line that is whole. False with errno. */
static bool
append(const MaildirTree *tree, int dir, const GString *text)
{
  int fd = openat(dir, MAILDIR_BEYOND_FILE,
                  O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  struct stat status;
  char last = '\n';
  bool ok = fd >= 0 && fstat(fd, &status) == 0 && maildir_file_give(fd, &tree->creation)
            && (status.st_size == 0 || pread(fd, &last, 1, status.st_size - 1) == 1)
            && (last == '\n' || maildir_file_write_all(fd, "\n", 1))
            && maildir_file_write_all(fd, text->str, text->len)
            && (!tree->creation.sync || fsync(fd) == 0)
            && (!tree->creation.sync || status.st_size > 0 || fsync(dir) == 0);
  int failure = errno;
  if (fd >= 0)
    close(fd);
  errno = failure;
  return ok;
}

static bool
append_unwritten(const MaildirBeyond *beyond, const MaildirTree *tree, int dir, GError **error)
{
  return append(tree, dir, beyond->unwritten)
         || maildir_folder_error(error, errno, "cannot write " MAILDIR_BEYOND_FILE);
}

/* Writes the file anew: what stands in it by now, for others write to it, too, and what is not written
 * yet. What is too long to be read whole is only appended to. */
static bool
condense(MaildirBeyond *beyond, const MaildirTree *tree, int dir, int tmp, GError **error)
{
  g_autoptr(GString) text = g_string_new(NULL);
  bool cut;
  if (!maildir_file_read(dir, MAILDIR_BEYOND_FILE, SIZE_LIMIT, text, &cut, HAUL_ERROR_FOLDER,
                         error))
    return false;
  if (cut)
    return append_unwritten(beyond, tree, dir, error);
  const char *last = memrchr(text->str, '\n', text->len);
  g_string_truncate(text, last == NULL ? 0 : (gsize)(last + 1 - text->str));
  g_string_append_len(text, beyond->unwritten->str, (gssize)beyond->unwritten->len);
  maildir_beyond_parse(beyond, text->str, text->len);
  g_autoptr(GString) lines = maildir_beyond_print(beyond);
  bool ok = maildir_file_replace(dir, tmp, MAILDIR_BEYOND_FILE, lines->str, lines->len, false,
                                 &tree->creation, error);
  if (ok)
    beyond->n_lines = g_hash_table_size(beyond->sets);
  return ok;
}

bool
maildir_beyond_write(MaildirBeyond *beyond, const MaildirTree *tree, int dir, int tmp,
                     GError **error)
{
  if (beyond->unwritten->len == 0)
    return true;
  int lock = maildir_root_lock(tree);
  bool ok = beyond->n_lines > 2 * g_hash_table_size(beyond->sets) + SPARE_LINES
                ? condense(beyond, tree, dir, tmp, error)
                : append_unwritten(beyond, tree, dir, error);
  if (lock >= 0)
    close(lock);
  if (ok)
    g_string_truncate(beyond->unwritten, 0);
  return ok;
}
