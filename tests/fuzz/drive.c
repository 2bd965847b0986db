/*
 * Runs a fuzz target without libFuzzer: on its seeds, on the files named as arguments, and on
 * mutations of the seeds, the same ones every time. A broken promise aborts.
 */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS 60000
#define SIZE_LIMIT 4096

static uint32_t state = 2463534242u;

static uint32_t
next(uint32_t below)
{
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % below;
}

static size_t n_seeds;

/* Changes @octets in one place; returns the new size. */
static size_t
mutate(uint8_t *octets, size_t size)
{
  static const char telling[] = "()[]{}\"\\*+,:0123456789 \r\n~%&-.";
  size_t at = next((uint32_t)size + 1);
  switch (next(5)) {
  case 0: /* another octet */
    if (at < size)
      octets[at] = (uint8_t)next(256);
    return size;
  case 1: /* one that means something */
    if (at < size)
      octets[at] = (uint8_t)telling[next(sizeof telling - 1)];
    return size;
  case 2: /* cut out */
    if (at < size) {
      size_t gone = 1 + next((uint32_t)(size - at));
      memmove(octets + at, octets + at + gone, size - at - gone);
      size -= gone;
    }
    return size;
  case 3: { /* put in a part of another */
    const char *other = fuzz_seeds[next((uint32_t)n_seeds)];
    size_t from = next((uint32_t)strlen(other) + 1), more = strlen(other) - from;
    if (size + more <= SIZE_LIMIT) {
      memmove(octets + at + more, octets + at, size - at);
      memcpy(octets + at, other + from, more);
      size += more;
    }
    return size;
  }
  default: /* an end */
    return at;
  }
}

static int
run_file(const char *name)
{
  static uint8_t octets[1 << 20];
  FILE *file = fopen(name, "rb");
  if (file == NULL) {
    perror(name);
    return 1;
  }
  size_t size = fread(octets, 1, sizeof octets, file);
  fclose(file);
  LLVMFuzzerTestOneInput(octets, size);
  return 0;
}

int
main(int argc, char **argv)
{
  uint8_t octets[SIZE_LIMIT];
  int bad = 0;
  for (int i = 1; i < argc; i++)
    bad |= run_file(argv[i]);
  if (argc > 1)
    return bad;

  for (; fuzz_seeds[n_seeds] != NULL; n_seeds++)
    LLVMFuzzerTestOneInput((const uint8_t *)fuzz_seeds[n_seeds], strlen(fuzz_seeds[n_seeds]));
  for (unsigned round = 0; round < ROUNDS; round++) {
    const char *seed = fuzz_seeds[round % n_seeds];
    size_t size = strlen(seed);
    memcpy(octets, seed, size);
    for (uint32_t times = 1 + next(6); times > 0; times--)
      size = mutate(octets, size);
    LLVMFuzzerTestOneInput(octets, size);
  }
  return 0;
}
