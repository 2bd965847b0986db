/* Keywords that a folder does not take. See keywords.h. */
#include "keywords.h"

#include <string.h>

static int
compare(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns what stands for the set of @keywords that can be sent, in whatever order they come; to be freed. */
static char *
name_set(const char *const *keywords)
{
  g_autoptr(GPtrArray) sorted = g_ptr_array_new();
  g_autoptr(GString) name = g_string_new(NULL);
  for (; keywords != NULL && *keywords != NULL; keywords++)
    g_ptr_array_add(sorted, (char *)*keywords);
  g_ptr_array_sort(sorted, compare);
  g_ptr_array_add(sorted, NULL);
  imap_append_flags(name, 0, (const char *const *)sorted->pdata);
  return g_strdup(name->str);
}

bool
imap_keywords_are_refused(const ImapFolder *folder, const char *const *keywords)
{
  if (folder->no_keywords || folder->refused_keywords == NULL)
    return folder->no_keywords;
  g_autofree char *name = name_set(keywords);
  return strcmp(name, folder->refused_keywords) == 0;
}

void
imap_keywords_refuse(const HaulStore *store, ImapFolder *folder, const char *const *keywords)
{
  if (imap_keywords_are_refused(folder, keywords))
    return;
  folder->no_keywords = folder->refused_keywords != NULL;
  if (folder->no_keywords) {
    haul_log(HAUL_LOG_WARNING, "%s folder \"%s\" takes no keywords: they are left out",
             haul_account_side(store->account), folder->path);
    return;
  }
  folder->refused_keywords = name_set(keywords);
  haul_log(HAUL_LOG_INFO, "%s folder \"%s\" does not take the keywords %s: they are left out",
           haul_account_side(store->account), folder->path, folder->refused_keywords);
}

unsigned
imap_keywords_left_out(const char *const *keywords, bool bare)
{
  unsigned n = 0;
  for (; keywords != NULL && *keywords != NULL; keywords++)
    n += bare || !imap_is_keyword(*keywords);
  return n;
}

void
imap_keywords_tell(const HaulStore *store)
{
  for (guint i = 0; i < store->folders->len; i++) {
    const ImapFolder *folder = g_ptr_array_index(store->folders, i);
    if (folder->n_left_out > 0)
      haul_log(HAUL_LOG_WARNING,
               "%s folder \"%s\": keywords of messages that were left out: %" G_GUINT64_FORMAT,
               haul_account_side(store->account), folder->path, folder->n_left_out);
  }
}
