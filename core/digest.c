/*
 * Digests: SHA-256 over what a matcher feeds, cut to a key.
 *
 * What is fed gathers in a small buffer, for most keys are made of a few hundred octets and a call
 * into the library costs more than they do.
 */
#include "digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#define GATHER_SIZE 1024

struct HaulDigest {
  EVP_MD_CTX *fed;    /* owned */
  EVP_MD_CTX *body;   /* owned; made when a body is first looked at */
  GByteArray *header; /* owned: a value while it is normalised */
  size_t n_gathered;
  uint8_t gathered[GATHER_SIZE];
};

static EVP_MD *sha256; /* kept for the whole process: looking it up costs as much as ten keys */

static void
fetch_sha256(void)
{
  sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  if (sha256 == NULL)
    g_error("OpenSSL has no SHA-256");
}

static void
begin(EVP_MD_CTX *context)
{
  if (EVP_DigestInit_ex2(context, sha256, NULL) != 1)
    g_error("OpenSSL cannot begin a SHA-256");
}

static void
update(EVP_MD_CTX *context, const void *octets, size_t size)
{
  if (EVP_DigestUpdate(context, octets, size) != 1)
    g_error("OpenSSL cannot go on with a SHA-256");
}

static void
finish(EVP_MD_CTX *context, uint8_t sum[HAUL_SHA256_SIZE])
{
  if (EVP_DigestFinal_ex(context, sum, NULL) != 1)
    g_error("OpenSSL cannot end a SHA-256");
}

HaulDigest *
haul_digest_new(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, fetch_sha256);

  HaulDigest *digest = g_new(HaulDigest, 1);
  digest->fed = EVP_MD_CTX_new();
  digest->body = NULL;
  digest->header = g_byte_array_new();
  haul_digest_reset(digest);
  return digest;
}

void
haul_digest_free(HaulDigest *digest)
{
  if (digest == NULL)
    return;
  EVP_MD_CTX_free(digest->fed);
  EVP_MD_CTX_free(digest->body);
  g_byte_array_unref(digest->header);
  g_free(digest);
}

void
haul_digest_reset(HaulDigest *digest)
{
  begin(digest->fed);
  digest->n_gathered = 0;
}

static void
feed(HaulDigest *digest, const void *octets, size_t size)
{
  if (size > GATHER_SIZE - digest->n_gathered) {
    update(digest->fed, digest->gathered, digest->n_gathered);
    digest->n_gathered = 0;
  }
  if (size > GATHER_SIZE) {
    update(digest->fed, octets, size);
  } else if (size > 0) {
    memcpy(digest->gathered + digest->n_gathered, octets, size);
    digest->n_gathered += size;
  }
}

void
haul_digest_finish(HaulDigest *digest, HaulKey *key)
{
  uint8_t sum[HAUL_SHA256_SIZE];
  update(digest->fed, digest->gathered, digest->n_gathered);
  finish(digest->fed, sum);
  memcpy(key->octets, sum, sizeof key->octets);
  haul_digest_reset(digest);
}

/* Feeds one field. The head says how long name and value are, so no other fields can give the same
 * octets; it does not depend on the machine, for keys are kept in the state. */
static void
feed_field(HaulDigest *digest, const char *name, size_t name_size, const uint8_t *value,
           size_t size)
{
  uint64_t head[2] = { GUINT64_TO_LE((uint64_t)name_size), GUINT64_TO_LE((uint64_t)size) };
  feed(digest, head, sizeof head);
  feed(digest, name, name_size);
  feed(digest, value, size);
}

void
haul_digest_field(HaulDigest *digest, const char *name, const uint8_t *value, size_t size)
{
  feed_field(digest, name, strlen(name), value, size);
}

void
haul_digest_header(HaulDigest *digest, const char *name, const uint8_t *value, size_t size)
{
  GByteArray *out = digest->header;
  g_byte_array_set_size(out, (unsigned)size);
  size_t n = 0;
  for (size_t i = 0; i < size; i++) {
    uint8_t octet = value[i];
    if (octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n')
      continue;
    if (octet < 0x20 || octet >= 0x7f)
      octet = '?';
    /* Some servers write one '?' for each octet that they cannot bear, so those run together too. */
    if (octet != '?' || n == 0 || out->data[n - 1] != '?')
      out->data[n++] = octet;
  }
  g_autofree char *lower = g_ascii_strdown(name, -1);
  feed_field(digest, lower, strlen(lower), out->data, n);
}

bool
haul_digest_sha256(HaulDigest *digest, const HaulMessage *message, uint8_t sum[HAUL_SHA256_SIZE])
{
  if (digest->body == NULL)
    digest->body = EVP_MD_CTX_new();
  begin(digest->body);

  uint64_t offset = 0, size = haul_message_item(message)->size;
  while (offset < size) {
    size_t shown;
    const uint8_t *window = haul_message_window(message, offset, &shown);
    if (window == NULL)
      return false;
    update(digest->body, window, shown);
    offset += shown;
  }
  finish(digest->body, sum);
  return true;
}

bool
haul_digest_body(HaulDigest *digest, const HaulMessage *message)
{
  uint8_t sum[HAUL_SHA256_SIZE];
  if (!haul_digest_sha256(digest, message, sum))
    return false;
  haul_digest_field(digest, "body", sum, sizeof sum);
  return true;
}

unsigned
haul_key_hash(gconstpointer key)
{
  /* Any part of a digest is as good a hash as any other. */
  unsigned hash;
  memcpy(&hash, ((const HaulKey *)key)->octets, sizeof hash);
  return hash;
}

gboolean
haul_key_equal(gconstpointer a, gconstpointer b)
{
  return memcmp(a, b, sizeof(HaulKey)) == 0;
}

guint
haul_sha256_hash(gconstpointer octets)
{
  guint hash;
  memcpy(&hash, octets, sizeof hash);
  return hash;
}

gboolean
haul_sha256_equal(gconstpointer a, gconstpointer b)
{
  return memcmp(a, b, HAUL_SHA256_SIZE) == 0;
}
