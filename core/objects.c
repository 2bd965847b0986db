/* Object ids as numbers. */
#include "objects.h"

#include <pthread.h>

struct HaulObjects {
  pthread_mutex_t mutex;
  GStringChunk *texts; /* owned */
  GPtrArray *ids;      /* owned; of texts, by number; 0 is none */
  GHashTable *numbers; /* owned; text -> number */
  GHashTable *places;  /* owned; path -> place, plus 1; read only once there are threads */
  GArray *providers;   /* owned; of uint32_t, by number */
};

HaulObjects *
haul_objects_new(void)
{
  HaulObjects *objects = g_new0(HaulObjects, 1);
  pthread_mutex_init(&objects->mutex, NULL);
  objects->texts = g_string_chunk_new(64 << 10);
  objects->ids = g_ptr_array_new();
  g_ptr_array_add(objects->ids, NULL);
  objects->numbers = g_hash_table_new(g_str_hash, g_str_equal);
  objects->places = g_hash_table_new(g_str_hash, g_str_equal);
  objects->providers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  return objects;
}

void
haul_objects_free(HaulObjects *objects)
{
  if (objects == NULL)
    return;
  g_string_chunk_free(objects->texts);
  g_ptr_array_unref(objects->ids);
  g_hash_table_unref(objects->numbers);
  g_hash_table_unref(objects->places);
  g_array_unref(objects->providers);
  pthread_mutex_destroy(&objects->mutex);
  g_free(objects);
}

void
haul_objects_add_folder(HaulObjects *objects, const char *path, uint32_t place)
{
  g_hash_table_insert(objects->places, (char *)path, GUINT_TO_POINTER(place + 1));
}

static uint32_t
number_of(HaulObjects *objects, const char *id)
{
  if (id == NULL)
    return 0;
  pthread_mutex_lock(&objects->mutex);
  uint32_t number = GPOINTER_TO_UINT(g_hash_table_lookup(objects->numbers, id));
  if (number == 0) {
    char *text = g_string_chunk_insert(objects->texts, id);
    number = objects->ids->len;
    g_ptr_array_add(objects->ids, text);
    g_hash_table_insert(objects->numbers, text, GUINT_TO_POINTER(number));
  }
  pthread_mutex_unlock(&objects->mutex);
  return number;
}

HaulTwin
haul_objects_twin(HaulObjects *objects, const HaulItem *item)
{
  HaulTwin twin = { number_of(objects, item->object_id), HAUL_NO_PLACE };
  for (guint i = 0; item->labels != NULL && item->labels[i] != NULL; i++) {
    guint place = GPOINTER_TO_UINT(g_hash_table_lookup(objects->places, item->labels[i]));
    if (place > 0)
      twin.first = MIN(twin.first, place - 1);
  }
  return twin;
}

bool
haul_objects_has_folder(const HaulObjects *objects, const char *path)
{
  return g_hash_table_contains(objects->places, path);
}

const char *
haul_objects_id(HaulObjects *objects, uint32_t number)
{
  pthread_mutex_lock(&objects->mutex);
  const char *id = g_ptr_array_index(objects->ids, number);
  pthread_mutex_unlock(&objects->mutex);
  return id;
}

uint32_t *
haul_objects_providers(HaulObjects *objects)
{
  static const uint32_t nobody = HAUL_NO_PLACE;
  pthread_mutex_lock(&objects->mutex);
  guint n = objects->ids->len;
  pthread_mutex_unlock(&objects->mutex);
  while (objects->providers->len < n)
    g_array_append_val(objects->providers, nobody);
  return (uint32_t *)(void *)objects->providers->data;
}
