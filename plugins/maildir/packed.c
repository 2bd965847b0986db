/* Files that hold a message in compressed form. */
#include "packed.h"

#include <string.h>

/* Each begins with octets that no header field begins with. */
static const struct {
  const char *how, *octets;
  size_t size;
} beginnings[] = {
  { "gzip", "\x1f\x8b\x08", 3 },
  { "xz",
    "\xfd"
    "7zXZ\0",
    6 },
  { "zstd", "\x28\xb5\x2f\xfd", 4 },
  { "lz4", "Dovecot-LZ4\r\x2a\x9b\xc5", 15 },
};

const char *
maildir_packed_how(const uint8_t *octets, size_t size)
{
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
    if (size >= beginnings[i].size && memcmp(octets, beginnings[i].octets, beginnings[i].size) == 0)
      return beginnings[i].how;
  /* "BZh", the size of its blocks, and the sign of the first: together no text. */
  if (size >= 10 && memcmp(octets, "BZh", 3) == 0 && memcmp(octets + 4, "1AY&SY", 6) == 0)
    return "bzip2";
  return NULL;
}
