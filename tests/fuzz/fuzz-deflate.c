/* Compression (core/deflate.c): any octets expand to the same however they are cut, or are broken;
 * and what was compressed expands to what it was. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include "deflate.h"

#define OUT_LIMIT ((size_t)64 << 10) /* of what a bomb gives */

/* Expands @data, fed in pieces of @step and read in pieces of @room. Returns how it ended. */
static HaulInflate
expand(const uint8_t *data, size_t size, size_t step, size_t room, GByteArray *out)
{
  HaulDeflate *deflate = haul_deflate_new(1);
  g_autofree uint8_t *buffer = g_malloc(room);
  HaulInflate how;
  for (;;) {
    size_t got, free_size;
    how = haul_inflate(deflate, buffer, room, &got);
    FUZZ_ASSERT(got <= room && (how == HAUL_INFLATE_DONE) == (got > 0));
    if (how == HAUL_INFLATE_DONE) {
      g_byte_array_append(out, buffer, (guint)got);
      if (out->len >= OUT_LIMIT)
        break;
      continue;
    }
    if (how != HAUL_INFLATE_STARVED || size == 0)
      break;
    void *raw = haul_inflate_room(deflate, &free_size);
    FUZZ_ASSERT(free_size > 0);
    size_t piece = MIN(MIN(step, size), free_size);
    memcpy(raw, data, piece);
    haul_inflate_add(deflate, piece);
    data += piece;
    size -= piece;
  }
  haul_deflate_free(deflate);
  return how;
}

static void
try_expand(const uint8_t *data, size_t size)
{
  g_autoptr(GByteArray) one = g_byte_array_new();
  g_autoptr(GByteArray) other = g_byte_array_new();
  HaulInflate how = expand(data, size, 1, 300, one);
  HaulInflate how_too = expand(data, size, size + 1, 4096, other);
  size_t both = MIN(one->len, other->len);
  FUZZ_ASSERT(both == 0 || memcmp(one->data, other->data, both) == 0);
  if (one->len < OUT_LIMIT && other->len < OUT_LIMIT)
    FUZZ_ASSERT(how == how_too && one->len == other->len);
}

static void
try_both_ways(const uint8_t *data, size_t size)
{
  HaulDeflate *deflate = haul_deflate_new(6);
  g_autoptr(GByteArray) packed = g_byte_array_new();
  g_autoptr(GByteArray) back = g_byte_array_new();
  const char *next = (const char *)data;
  for (bool more = true; more;) {
    const char *piece;
    size_t piece_size;
    more = haul_deflate(deflate, &next, &size, true, &piece, &piece_size);
    g_byte_array_append(packed, (const uint8_t *)piece, (guint)piece_size);
  }
  size_t whole = (size_t)(next - (const char *)data);
  FUZZ_ASSERT(size == 0 && !haul_deflate_holds(deflate));
  FUZZ_ASSERT(expand(packed->data, packed->len, 100, 1000, back) == HAUL_INFLATE_STARVED
              || back->len >= OUT_LIMIT);
  FUZZ_ASSERT(back->len <= whole + 1000 && memcmp(back->data, data, MIN(back->len, whole)) == 0);
  FUZZ_ASSERT(back->len == whole || back->len >= OUT_LIMIT);
  haul_deflate_free(deflate);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree uint8_t *exact = g_memdup2(data, size + (size == 0));
  try_expand(exact, size);
  if (size > 0)
    try_both_ways(exact, size);
  return 0;
}

const char *const fuzz_seeds[] = {
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", /* zlib reads most of it as a broken block */
  "\x4b\x04",                                     /* begins a block of fixed codes */
  "\x4b\x4c\x4c\x04",
  "\x01\x02\xfd\xff"
  "ab",
  "* OK ready\r\n",
  NULL,
};
