/* Headers (core/header.c) and what matchers make of them: what was selected selects the same again,
 * and is what was visited; folding and what servers do to it leave a key as it is. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/text.h>

#include "digest.h"

static const char *const names[] = { "Message-Id", "Date", "Received", "X", NULL };

typedef struct {
  const uint8_t *header;
  size_t size, n_octets;
} Visit;

static bool
note(const char *name, size_t name_size, const uint8_t *value, size_t value_size, void *data)
{
  Visit *visit = data;
  const uint8_t *at = (const uint8_t *)name;
  FUZZ_ASSERT(name_size > 0 && at >= visit->header && value > at);
  FUZZ_ASSERT(value + value_size <= visit->header + visit->size);
  for (const char *const *wanted = names; *wanted != NULL; wanted++)
    if (strlen(*wanted) == name_size && g_ascii_strncasecmp(*wanted, name, name_size) == 0)
      visit->n_octets += (size_t)(value + value_size - at);
  return true;
}

static HaulKey
key_of(HaulDigest *digest, const uint8_t *value, size_t size)
{
  HaulKey key;
  haul_digest_reset(digest);
  haul_digest_header(digest, "X", value, size);
  haul_digest_finish(digest, &key);
  return key;
}

/* A value that is folded at each octet has the key that it has unfolded. */
static void
try_key(HaulDigest *digest, const uint8_t *value, size_t size)
{
  g_autoptr(GByteArray) folded = g_byte_array_new();
  for (size_t i = 0; i < size; i++) {
    g_byte_array_append(folded, value + i, 1);
    g_byte_array_append(folded, (const uint8_t *)"\r\n\t", 3);
  }
  HaulKey one = key_of(digest, value, size), two = key_of(digest, folded->data, folded->len);
  FUZZ_ASSERT(haul_key_equal(&one, &two));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree uint8_t *header = g_memdup2(data, size + (size == 0)); /* exact, for checkers */
  size_t end = haul_header_end(header, size);
  FUZZ_ASSERT(end <= size && haul_header_end(header, end) == end);

  g_autoptr(GByteArray) once = g_byte_array_new();
  g_autoptr(GByteArray) twice = g_byte_array_new();
  haul_header_select(header, size, names, once);
  haul_header_select(once->data, once->len, names, twice);
  FUZZ_ASSERT(once->len <= end);
  if (once->len > 0 && once->data[once->len - 1] == '\n') /* a whole field at the end */
    FUZZ_ASSERT(once->len == twice->len && memcmp(once->data, twice->data, once->len) == 0);

  Visit visit = { header, size, 0 };
  haul_header_each(header, size, note, &visit);
  FUZZ_ASSERT(visit.n_octets <= once->len); /* the line ends apart */

  g_autoptr(HaulDigest) digest = haul_digest_new();
  try_key(digest, header, MIN(size, 200));
  return 0;
}

const char *const fuzz_seeds[] = {
  "Message-Id: <a@b>\r\nDate: Wed, 17 Jul 1996 02:23:25 -0700\r\n\r\nbody\r\n",
  "message-id : <>\nReceived: from a\n\tby b;\n x\nX:\n\nMessage-Id: no",
  "X: \xff\x00?? \r\r\n y\r\n",
  "\nX: body",
  " folded: first\r\nX: y",
  ":\r\n:X\r\nX\r\nX:",
  NULL,
};
