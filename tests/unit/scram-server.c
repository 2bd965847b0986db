/* A server of SCRAM. See scram-server.h. */
#include "scram-server.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

typedef struct {
  unsigned char octets[EVP_MAX_MD_SIZE];
  unsigned size;
} Digest;

static Digest
keyed(const ScramUser *user, const Digest *key, const char *text)
{
  Digest out;
  HMAC(EVP_get_digestbyname(user->digest), key->octets, (int)key->size, (const unsigned char *)text,
       strlen(text), out.octets, &out.size);
  return out;
}

static Digest
hashed(const ScramUser *user, const Digest *in)
{
  Digest out;
  EVP_Digest(in->octets, in->size, out.octets, &out.size, EVP_get_digestbyname(user->digest), NULL);
  return out;
}

/* What follows the GS2 header. */
static const char *
bare(const char *client_first)
{
  const char *comma = strchr(client_first, ',');
  return strchr(comma + 1, ',') + 1;
}

char *
scram_server_first(const ScramUser *user, const char *client_first, const char *more_nonce)
{
  const char *nonce = strstr(bare(client_first), "r=");
  return g_strdup_printf("%s%s,s=%s,i=%u", nonce, more_nonce, user->salt, user->iterations);
}

char *
scram_server_final(const ScramUser *user, const char *client_first, const char *server_first,
                   const char *client_final)
{
  const EVP_MD *md = EVP_get_digestbyname(user->digest);
  const char *proof_text = strstr(client_final, ",p=");
  if (proof_text == NULL)
    return NULL;
  g_autofree char *without_proof = g_strndup(client_final, (size_t)(proof_text - client_final));
  g_autofree char *message = g_strjoin(",", bare(client_first), server_first, without_proof, NULL);

  Digest salted = { .size = (unsigned)EVP_MD_get_size(md) };
  gsize salt_size;
  g_autofree guchar *salt = g_base64_decode(user->salt, &salt_size);
  PKCS5_PBKDF2_HMAC(user->password, (int)strlen(user->password), salt, (int)salt_size,
                    (int)user->iterations, md, (int)salted.size, salted.octets);
  Digest client_key = keyed(user, &salted, "Client Key");
  Digest server_key = keyed(user, &salted, "Server Key");
  Digest stored_key = hashed(user, &client_key);
  Digest proof = keyed(user, &stored_key, message);
  for (unsigned i = 0; i < proof.size; i++)
    proof.octets[i] ^= client_key.octets[i];
  g_autofree char *expected = g_base64_encode(proof.octets, proof.size);
  if (strcmp(expected, proof_text + strlen(",p=")) != 0)
    return NULL;
  Digest signature = keyed(user, &server_key, message);
  g_autofree char *verifier = g_base64_encode(signature.octets, signature.size);
  return g_strconcat("v=", verifier, NULL);
}
