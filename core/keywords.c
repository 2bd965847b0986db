/* Sets of keywords as numbers. */
#include "keywords.h"

#include <pthread.h>
#include <stdbool.h>

struct HaulKeywords {
  pthread_mutex_t mutex;
  GPtrArray *sets;    /* of char **, owned: sorted, NULL-terminated */
  GHashTable *by_key; /* lower-cased names joined by blanks -> number */
};

HaulKeywords *
haul_keywords_new(void)
{
  HaulKeywords *keywords = g_new0(HaulKeywords, 1);
  pthread_mutex_init(&keywords->mutex, NULL);
  keywords->sets = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
  g_ptr_array_add(keywords->sets, g_new0(char *, 1));
  keywords->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return keywords;
}

void
haul_keywords_free(HaulKeywords *keywords)
{
  if (keywords == NULL)
    return;
  g_hash_table_unref(keywords->by_key);
  g_ptr_array_unref(keywords->sets);
  pthread_mutex_destroy(&keywords->mutex);
  g_free(keywords);
}

static int
compare_names(const void *a, const void *b)
{
  return g_ascii_strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

uint32_t
haul_keywords_intern(HaulKeywords *keywords, const char *const *names)
{
  if (names == NULL || names[0] == NULL)
    return 0;
  g_autoptr(GPtrArray) sorted = g_ptr_array_new();
  for (size_t i = 0; names[i] != NULL; i++)
    if (names[i][0] != '\0') /* between two blanks is no name */
      g_ptr_array_add(sorted, (char *)names[i]);
  if (sorted->len == 0)
    return 0;
  g_ptr_array_sort(sorted, compare_names);
  g_autoptr(GString) key = g_string_new(NULL);
  for (guint i = 0; i < sorted->len;) {
    const char *name = sorted->pdata[i];
    if (i > 0 && g_ascii_strcasecmp(sorted->pdata[i - 1], name) == 0) {
      g_ptr_array_remove_index(sorted, i);
      continue;
    }
    for (const char *at = name; *at != '\0'; at++)
      g_string_append_c(key, g_ascii_tolower(*at));
    g_string_append_c(key, ' ');
    i++;
  }

  pthread_mutex_lock(&keywords->mutex);
  uint32_t set = GPOINTER_TO_UINT(g_hash_table_lookup(keywords->by_key, key->str));
  if (set == 0 && keywords->sets->len < HAUL_KEYWORDS_LIMIT) {
    char **copy = g_new0(char *, sorted->len + 1);
    for (guint i = 0; i < sorted->len; i++)
      copy[i] = g_strdup(sorted->pdata[i]);
    set = keywords->sets->len;
    g_ptr_array_add(keywords->sets, copy);
    g_hash_table_insert(keywords->by_key, g_strdup(key->str), GUINT_TO_POINTER(set));
  }
  pthread_mutex_unlock(&keywords->mutex);
  return set;
}

uint32_t
haul_keywords_parse(HaulKeywords *keywords, const char *text)
{
  if (text == NULL || *text == '\0')
    return 0;
  g_auto(GStrv) names = g_strsplit(text, " ", -1);
  return haul_keywords_intern(keywords, (const char *const *)names);
}

const char *const *
haul_keywords_names(HaulKeywords *keywords, uint32_t set)
{
  pthread_mutex_lock(&keywords->mutex);
  g_assert(set < keywords->sets->len);
  const char *const *names = keywords->sets->pdata[set];
  pthread_mutex_unlock(&keywords->mutex);
  return names;
}

char *
haul_keywords_text(HaulKeywords *keywords, uint32_t set)
{
  return g_strjoinv(" ", (char **)haul_keywords_names(keywords, set));
}

static bool
contains(const char *const *names, const char *name)
{
  for (; *names != NULL; names++)
    if (g_ascii_strcasecmp(*names, name) == 0)
      return true;
  return false;
}

uint32_t
haul_keywords_minus(HaulKeywords *keywords, uint32_t a, uint32_t b)
{
  if (a == 0 || b == 0 || a == b)
    return a == b ? 0 : a;
  const char *const *from = haul_keywords_names(keywords, a);
  const char *const *less = haul_keywords_names(keywords, b);
  g_autoptr(GPtrArray) rest = g_ptr_array_new();
  for (; *from != NULL; from++)
    if (!contains(less, *from))
      g_ptr_array_add(rest, (char *)*from);
  g_ptr_array_add(rest, NULL);
  return haul_keywords_intern(keywords, (const char *const *)rest->pdata);
}

uint32_t
haul_keywords_plus(HaulKeywords *keywords, uint32_t a, uint32_t b)
{
  if (a == 0 || b == 0 || a == b)
    return a != 0 ? a : b;
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  for (const char *const *names = haul_keywords_names(keywords, a); *names != NULL; names++)
    g_ptr_array_add(all, (char *)*names);
  for (const char *const *names = haul_keywords_names(keywords, b); *names != NULL; names++)
    g_ptr_array_add(all, (char *)*names);
  g_ptr_array_add(all, NULL);
  return haul_keywords_intern(keywords, (const char *const *)all->pdata);
}
