/* The host's side of digests: what a matcher feeds becomes a key. */
#ifndef HAUL_CORE_DIGEST_H
#define HAUL_CORE_DIGEST_H

#include <mailhaul/plugin.h>

#define HAUL_SHA256_SIZE 32

/* For hash tables whose keys are SHA-256 digests. */
guint haul_sha256_hash(gconstpointer octets);
gboolean haul_sha256_equal(gconstpointer a, gconstpointer b);

/* Equal keys mean the same message: the first 128 bits of a SHA-256. */
typedef struct {
  uint8_t octets[16];
} HaulKey;

/* One is made per thread and used for many keys. */
HaulDigest *haul_digest_new(void);
void haul_digest_free(HaulDigest *digest);

/* Forgets what was fed: before a key is begun, and after a matcher that had none. */
void haul_digest_reset(HaulDigest *digest);

/* Makes the key of what was fed since the last reset, and resets. */
void haul_digest_finish(HaulDigest *digest, HaulKey *key);

/* Computes the SHA-256 of a body as it passed. False if the spool cannot be read. */
bool
haul_digest_sha256(HaulDigest *digest, const HaulMessage *message, uint8_t sum[HAUL_SHA256_SIZE]);

/* For hash tables whose keys are HaulKey. */
unsigned haul_key_hash(gconstpointer key);
gboolean haul_key_equal(gconstpointer a, gconstpointer b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulDigest, haul_digest_free)

#endif /* HAUL_CORE_DIGEST_H */
