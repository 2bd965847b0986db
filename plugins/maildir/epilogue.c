/* What the stores of one tree leave to the end of a run. */
#include "epilogue.h"

#include <pthread.h>
#include <string.h>

#include <mailhaul/log.h>

struct MaildirEpilogue {
  char *root; /* owned */
  unsigned references;
  GHashTable *lagging; /* owned; path -> owned MaildirNumbering */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GSList *epilogues; /* of the trees that have a store open, or something to do */

static GHashTable *
new_table(void)
{
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                               (GDestroyNotify)maildir_numbering_unref);
}

MaildirEpilogue *
maildir_epilogue_join(const char *root)
{
  pthread_mutex_lock(&lock);
  MaildirEpilogue *found = NULL;
  for (GSList *each = epilogues; found == NULL && each != NULL; each = each->next)
    if (strcmp(((MaildirEpilogue *)each->data)->root, root) == 0)
      found = each->data;
  if (found == NULL) {
    found = g_new0(MaildirEpilogue, 1);
    found->root = g_strdup(root);
    found->lagging = new_table();
    epilogues = g_slist_prepend(epilogues, found);
  }
  found->references++;
  pthread_mutex_unlock(&lock);
  return found;
}

void
maildir_epilogue_leave(MaildirEpilogue *epilogue)
{
  pthread_mutex_lock(&lock);
  if (--epilogue->references == 0 && g_hash_table_size(epilogue->lagging) == 0) {
    epilogues = g_slist_remove(epilogues, epilogue);
    g_hash_table_unref(epilogue->lagging);
    g_free(epilogue->root);
    g_free(epilogue);
  }
  pthread_mutex_unlock(&lock);
}

void
maildir_epilogue_note(MaildirEpilogue *epilogue, const char *path,
                      const MaildirNumbering *numbering)
{
  pthread_mutex_lock(&lock);
  if (maildir_numbering_lags(numbering))
    g_hash_table_replace(epilogue->lagging, g_strdup(path), maildir_numbering_copy(numbering));
  else
    g_hash_table_remove(epilogue->lagging, path);
  pthread_mutex_unlock(&lock);
}

static bool
finish_folder(const HaulAccount *account, MaildirTree *tree, const char *path,
              MaildirNumbering *numbering, GError **error)
{
  g_autoptr(MaildirFolder) folder = maildir_folder_open(tree, path, HAUL_READ | HAUL_WRITE, error);
  return folder != NULL && maildir_numbering_finish(numbering, folder, account, error);
}

/* Keeps what could not be done for the next occasion, unless more is known by now. */
static void
put_back(MaildirEpilogue *epilogue, GHashTable *lagging)
{
  GHashTableIter iterator;
  gpointer path, numbering;
  g_hash_table_iter_init(&iterator, lagging);
  pthread_mutex_lock(&lock);
  while (g_hash_table_iter_next(&iterator, &path, &numbering))
    if (!g_hash_table_contains(epilogue->lagging, path)) {
      g_hash_table_iter_steal(&iterator);
      g_hash_table_insert(epilogue->lagging, path, numbering);
    }
  pthread_mutex_unlock(&lock);
}

bool
maildir_epilogue_perform(MaildirEpilogue *epilogue, MaildirTree *tree, const HaulAccount *account,
                         GError **error)
{
  pthread_mutex_lock(&lock);
  g_autoptr(GHashTable) lagging = epilogue->lagging;
  epilogue->lagging = new_table();
  pthread_mutex_unlock(&lock);
  GHashTableIter iterator;
  gpointer path, numbering;
  bool going = true;
  g_hash_table_iter_init(&iterator, lagging);
  while (going && g_hash_table_iter_next(&iterator, &path, &numbering)) {
    g_autoptr(GError) why = NULL;
    if (finish_folder(account, tree, path, numbering, &why)) {
      g_hash_table_iter_remove(&iterator);
      continue;
    }
    HaulError reach = haul_error_reach(why);
    if (reach != HAUL_ERROR_FOLDER && reach != HAUL_ERROR_BUSY) {
      g_propagate_error(error, g_steal_pointer(&why));
      going = false;
      continue;
    }
    haul_log(HAUL_LOG_WARNING, "the next UID of %s stays as it is: %s", (const char *)path,
             why->message);
  }
  put_back(epilogue, lagging);
  return going;
}
