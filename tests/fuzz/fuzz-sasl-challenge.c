/* What a server asks of SCRAM, and says of a token: nothing passes that breaks a rule, as a second
 * reading of the same text shows; nothing that is shown holds a token. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include "bearer.h"
#include "scram.h"

#define NONCE "fyko+d2lbbFgONRv9qkxdawL"
#define TOKEN "t0k3n.t0k3n"

static void
try_scram(const char *text, size_t size)
{
  g_autoptr(GError) error = NULL;
  bool fine = haul_scram_check(text, size, NONCE, &error);
  FUZZ_ASSERT(fine == (error == NULL));
  if (!fine)
    return;
  g_autofree char *copy = g_strndup(text, size);
  FUZZ_ASSERT(strlen(copy) == size);
  g_autofree char *framed = g_strconcat(",", copy, NULL);
  const char *nonce = strstr(framed, ",r=" NONCE), *work = strstr(framed, ",i=");
  FUZZ_ASSERT(nonce != NULL && strchr(",", nonce[3 + strlen(NONCE)]) == NULL);
  FUZZ_ASSERT(work != NULL && strstr(framed, ",s=") != NULL && strstr(framed, ",m=") == NULL);
  guint64 n = g_ascii_strtoull(work + 3, NULL, 10);
  FUZZ_ASSERT(n >= 1 && n <= HAUL_SCRAM_ITERATIONS_LIMIT);
}

static void
try_token(const char *text, size_t size)
{
  g_autofree char *status = haul_bearer_status(text, size, TOKEN);
  if (status != NULL)
    FUZZ_ASSERT(*status != '\0' && strlen(status) <= 512 && strstr(status, TOKEN) == NULL
                && g_utf8_validate(status, -1, NULL));
  g_autofree char *word = g_strndup(text, size);
  if (!haul_bearer_is_token(word))
    return;
  GString *answer = haul_bearer_xoauth2("ann", word);
  size_t n_ends = 0;
  for (size_t i = 0; i < answer->len; i++)
    n_ends += answer->str[i] == '\001';
  FUZZ_ASSERT(n_ends == 3); /* no field of the token's own */
  g_string_free(answer, TRUE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_memdup2(data, size + (size == 0)); /* exact, for checkers */
  g_autofree char *nonce = haul_scram_nonce(text, size);
  FUZZ_ASSERT(nonce == NULL || strchr(nonce, ',') == NULL);
  try_scram(text, size);
  try_token(text, size);
  return 0;
}

const char *const fuzz_seeds[] = {
  "r=" NONCE "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
  "r=" NONCE ",s=QSXCR+Q6sek8bf92,i=1",
  "r=" NONCE "x,s=QQ==,i=4000000000",
  "m=x,r=" NONCE "x,s=QQ==,i=1",
  "n,,n=user,r=" NONCE,
  "{\"status\":\"401\",\"schemes\":\"bearer\",\"scope\":\"https://mail.example/\"}",
  "{ \"status\" : 400 }",
  "{\"status\":\"" TOKEN "\"}",
  "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
  NULL,
};
