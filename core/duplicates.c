/* Messages that a folder of the source has more than once. See duplicates.h. */
#include "duplicates.h"

#include <string.h>

/* What is known of a copy that was found and not made. */
typedef struct {
  HaulKey key;
  uint64_t size;
} Trace;

struct HaulDuplicates {
  const HaulContext *context; /* borrowed */
  GHashTable *seen;           /* owned; a set of owned SHA-256 */
  GHashTable *found;          /* owned; a set of owned Trace: of copies that were found */
  bool knows_state;           /* what earlier runs copied of the folder is among them */
};

static guint
hash_trace(gconstpointer trace)
{
  return haul_key_hash(&((const Trace *)trace)->key);
}

static gboolean
equal_trace(gconstpointer a, gconstpointer b)
{
  const Trace *x = a, *y = b;
  return x->size == y->size && haul_key_equal(&x->key, &y->key);
}

HaulDuplicates *
haul_duplicates_new(const HaulContext *context)
{
  HaulDuplicates *duplicates = g_new0(HaulDuplicates, 1);
  duplicates->context = context;
  duplicates->seen = g_hash_table_new_full(haul_sha256_hash, haul_sha256_equal, g_free, NULL);
  duplicates->found = g_hash_table_new_full(hash_trace, equal_trace, g_free, NULL);
  return duplicates;
}

void
haul_duplicates_free(HaulDuplicates *duplicates)
{
  if (duplicates == NULL)
    return;
  g_hash_table_unref(duplicates->seen);
  g_hash_table_unref(duplicates->found);
  g_free(duplicates);
}

void
haul_duplicates_begin(HaulDuplicates *duplicates)
{
  g_hash_table_remove_all(duplicates->seen);
  g_hash_table_remove_all(duplicates->found);
  duplicates->knows_state = false;
}

static void
take_known(const HaulCargo *cargo, bool has_sha256, void *data)
{
  HaulDuplicates *duplicates = data;
  Trace trace = { cargo->key, cargo->size };
  if (has_sha256)
    g_hash_table_add(duplicates->seen, g_memdup2(cargo->sha256, HAUL_SHA256_SIZE));
  else if (haul_chain_is_auto(duplicates->context->chain))
    g_hash_table_add(duplicates->found, g_memdup2(&trace, sizeof trace));
}

bool
haul_duplicates_see(HaulDuplicates *duplicates, const HaulFolderWork *work, const HaulCargo *cargo,
                    bool *is_duplicate, GError **error)
{
  /* All at once: asked for each, the state would be read as often as there are messages. */
  if (!duplicates->knows_state
      && !haul_journal_each_copied(duplicates->context->journal, work->number, take_known,
                                   duplicates, error))
    return false;
  duplicates->knows_state = true;
  Trace trace = { cargo->key, cargo->size };
  *is_duplicate = !g_hash_table_add(duplicates->seen, g_memdup2(cargo->sha256, HAUL_SHA256_SIZE))
                  || g_hash_table_contains(duplicates->found, &trace);
  return true;
}
