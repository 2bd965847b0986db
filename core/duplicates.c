/* Messages that a folder of the source has more than once. See duplicates.h. */
#include "duplicates.h"

#include <string.h>

struct HaulDuplicates {
  const HaulContext *context; /* borrowed */
  GHashTable *seen;           /* owned; a set of owned SHA-256 */
};

static guint
hash_sha256(gconstpointer sha256)
{
  guint hash;
  memcpy(&hash, sha256, sizeof hash);
  return hash;
}

static gboolean
equal_sha256(gconstpointer a, gconstpointer b)
{
  return memcmp(a, b, HAUL_SHA256_SIZE) == 0;
}

HaulDuplicates *
haul_duplicates_new(const HaulContext *context)
{
  HaulDuplicates *duplicates = g_new0(HaulDuplicates, 1);
  duplicates->context = context;
  duplicates->seen = g_hash_table_new_full(hash_sha256, equal_sha256, g_free, NULL);
  return duplicates;
}

void
haul_duplicates_free(HaulDuplicates *duplicates)
{
  if (duplicates == NULL)
    return;
  g_hash_table_unref(duplicates->seen);
  g_free(duplicates);
}

void
haul_duplicates_begin(HaulDuplicates *duplicates)
{
  g_hash_table_remove_all(duplicates->seen);
}

bool
haul_duplicates_see(HaulDuplicates *duplicates, const HaulFolderWork *work, const HaulCargo *cargo,
                    bool *is_duplicate, GError **error)
{
  *is_duplicate = !g_hash_table_add(duplicates->seen, g_memdup2(cargo->sha256, HAUL_SHA256_SIZE));
  return *is_duplicate
         || haul_journal_has_like(duplicates->context->journal, work->number, cargo, is_duplicate,
                                  error);
}
