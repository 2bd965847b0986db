/* What a box of memory-store.h holds: folders and messages, made and compared by tests. */
#include "memory-store.h"

#include <string.h>

void
memory_message_free(MemoryMessage *message)
{
  g_bytes_unref(message->octets);
  g_strfreev(message->keywords);
  g_free(message);
}

static void
folder_free(MemoryFolder *folder)
{
  g_free(folder->path);
  g_ptr_array_unref(folder->messages);
  g_hash_table_unref(folder->pasts);
  g_free(folder);
}

MemoryFolder *
memory_box_folder(MemoryBox *box, const char *path)
{
  for (guint i = 0; i < box->folders->len; i++) {
    MemoryFolder *folder = box->folders->pdata[i];
    if (strcmp(folder->path, path) == 0)
      return folder;
  }
  MemoryFolder *folder = g_new0(MemoryFolder, 1);
  folder->path = g_strdup(path);
  folder->epoch = 100 + box->folders->len;
  folder->next_uid = 1;
  folder->pasts = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
                                        (GDestroyNotify)g_hash_table_unref);
  folder->messages = g_ptr_array_new_with_free_func((GDestroyNotify)memory_message_free);
  g_ptr_array_add(box->folders, folder);
  return folder;
}

MemoryMessage *
memory_box_add(MemoryBox *box, const char *path, const char *octets)
{
  MemoryFolder *folder = memory_box_folder(box, path);
  MemoryMessage *message = g_new0(MemoryMessage, 1);
  message->uid = folder->next_uid++;
  message->octets = g_bytes_new(octets, strlen(octets));
  message->keywords = g_new0(char *, 1);
  message->date = 700000000 + (int64_t)message->uid * 1000;
  message->zone = 3600;
  g_ptr_array_add(folder->messages, message);
  folder->n_changes++;
  return message;
}

void
memory_message_set_keywords(MemoryMessage *message, const char *keywords)
{
  g_strfreev(message->keywords);
  message->keywords = *keywords != '\0' ? g_strsplit(keywords, " ", -1) : g_new0(char *, 1);
}

void
memory_box_remove(MemoryBox *box, const char *path, uint64_t uid)
{
  MemoryFolder *folder = memory_box_folder(box, path);
  for (guint i = 0; i < folder->messages->len; i++)
    if (((MemoryMessage *)folder->messages->pdata[i])->uid == uid)
      g_ptr_array_remove_index(folder->messages, i);
  folder->n_changes++;
}

MemoryPast *
memory_folder_past(const MemoryFolder *folder)
{
  MemoryPast *past = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
  int64_t now = g_get_monotonic_time();
  for (guint i = 0; i < folder->messages->len; i++) {
    const MemoryMessage *message = folder->messages->pdata[i];
    g_autofree char *keywords = g_strjoinv(" ", message->keywords);
    if (message->visible_at_us <= now)
      g_hash_table_insert(past, GSIZE_TO_POINTER((gsize)message->uid),
                          g_strdup_printf("%x %s", message->flags, keywords));
  }
  return past;
}

void
memory_box_renumber(MemoryBox *box, const char *path)
{
  MemoryFolder *folder = memory_box_folder(box, path);
  folder->epoch += 1000;
  folder->next_uid = 50;
  for (guint i = 0; i < folder->messages->len; i++)
    ((MemoryMessage *)folder->messages->pdata[i])->uid = folder->next_uid++;
  folder->n_changes++;
}

/* The checksum of what was sent to the box: without the lines that it adds. */
static char *
sum_of(const MemoryBox *box, const MemoryMessage *message)
{
  gsize size, added = box->faults.adds != NULL ? strlen(box->faults.adds) : 0;
  const uint8_t *octets = g_bytes_get_data(message->octets, &size);
  if (added > size || (added > 0 && memcmp(octets, box->faults.adds, added) != 0))
    added = 0;
  return g_compute_checksum_for_data(G_CHECKSUM_SHA256, octets + added, size - added);
}

static int
compare_texts(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *
memory_box_text(const MemoryBox *box, bool with_flags)
{
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < box->folders->len; i++) {
    const MemoryFolder *folder = box->folders->pdata[i];
    for (guint k = 0; k < folder->messages->len; k++) {
      const MemoryMessage *message = folder->messages->pdata[k];
      g_autofree char *sum = sum_of(box, message);
      g_autofree char *keywords = g_strjoinv(" ", message->keywords);
      g_ptr_array_add(lines,
                      g_strdup_printf("%s %.16s %" G_GINT64_FORMAT " %d [%x %s]\n", folder->path,
                                      sum, message->date, (int)message->zone,
                                      with_flags ? message->flags : 0, with_flags ? keywords : ""));
    }
  }
  g_ptr_array_sort(lines, compare_texts);
  g_ptr_array_add(lines, NULL);
  return g_strjoinv("", (char **)lines->pdata);
}

guint
memory_box_count(const MemoryBox *box)
{
  guint n = 0;
  for (guint i = 0; i < box->folders->len; i++)
    n += ((MemoryFolder *)box->folders->pdata[i])->messages->len;
  return n;
}

/* ---- boxes by name ---- */

static pthread_mutex_t boxes_mutex = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *boxes; /* borrowed */

MemoryBox *
memory_box_new(const char *name)
{
  MemoryBox *box = g_new0(MemoryBox, 1);
  box->name = g_strdup(name);
  pthread_mutex_init(&box->mutex, NULL);
  pthread_cond_init(&box->opened, NULL);
  box->origins = g_ptr_array_new_with_free_func(g_free);
  box->folders = g_ptr_array_new_with_free_func((GDestroyNotify)folder_free);
  pthread_mutex_lock(&boxes_mutex);
  if (boxes == NULL)
    boxes = g_ptr_array_new();
  g_ptr_array_add(boxes, box);
  pthread_mutex_unlock(&boxes_mutex);
  return box;
}

void
memory_box_free(MemoryBox *box)
{
  if (box == NULL)
    return;
  pthread_mutex_lock(&boxes_mutex);
  g_ptr_array_remove(boxes, box);
  if (boxes->len == 0)
    g_clear_pointer(&boxes, g_ptr_array_unref);
  pthread_mutex_unlock(&boxes_mutex);
  g_ptr_array_unref(box->folders);
  pthread_cond_destroy(&box->opened);
  pthread_mutex_destroy(&box->mutex);
  g_free(box->name);
  g_ptr_array_unref(box->origins);
  g_free(box->known);
  g_free(box);
}

MemoryBox *
memory_box_find(const char *name)
{
  MemoryBox *found = NULL;
  pthread_mutex_lock(&boxes_mutex);
  for (guint i = 0; boxes != NULL && i < boxes->len; i++)
    if (strcmp(((MemoryBox *)boxes->pdata[i])->name, name) == 0)
      found = boxes->pdata[i];
  pthread_mutex_unlock(&boxes_mutex);
  return found;
}
