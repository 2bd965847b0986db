/*
 * What the fuzz targets have in common. Each is built twice: by clang as a libFuzzer program, for a
 * long search, and by any compiler with drive.c, which tries its seeds and mutations of them for a
 * second as a test of the suite.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define FUZZ_ASSERT(promise)                                                                       \
  do {                                                                                             \
    if (!(promise))                                                                                \
      abort();                                                                                     \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const char *const fuzz_seeds[]; /* NULL-terminated */

#endif /* TESTS_FUZZ_H */
