/*
 * Runs a fuzz target without libFuzzer. Given files, on them. Given the folder of its corpus, on its
 * seeds, on what lies there, and on mutations of both, the same ones every time. A broken promise
 * aborts.
 */
#include "fuzz.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

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

static GPtrArray *seeds; /* of GBytes */

static const uint8_t *
any_seed(size_t *size)
{
  gsize octets;
  const uint8_t *data = g_bytes_get_data(seeds->pdata[next(seeds->len)], &octets);
  *size = octets;
  return data;
}

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
    size_t other_size;
    const uint8_t *other = any_seed(&other_size);
    size_t from = next((uint32_t)other_size + 1), more = other_size - from;
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

/* Adds a file to the seeds; a long one is cut, for mutations have a measure. */
static bool
add_file(const char *path)
{
  gsize size;
  g_autofree char *octets = NULL;
  if (!g_file_get_contents(path, &octets, &size, NULL))
    return false;
  LLVMFuzzerTestOneInput((const uint8_t *)octets, size);
  g_ptr_array_add(seeds, g_bytes_new(octets, MIN(size, SIZE_LIMIT)));
  return true;
}

static gint
compare_paths(gconstpointer a, gconstpointer b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the files of a folder in an order that does not depend on the file system. */
static bool
add_corpus(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
    g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
  g_ptr_array_sort(paths, compare_paths);
  for (guint i = 0; i < paths->len; i++)
    if (!add_file(paths->pdata[i]))
      return false;
  return true;
}

static void
run_mutations(void)
{
  uint8_t octets[SIZE_LIMIT];
  for (unsigned round = 0; round < ROUNDS; round++) {
    gsize size;
    const uint8_t *seed = g_bytes_get_data(seeds->pdata[round % seeds->len], &size);
    if (size > 0)
      memcpy(octets, seed, size);
    size_t now = size;
    for (uint32_t times = 1 + next(6); times > 0; times--)
      now = mutate(octets, now);
    LLVMFuzzerTestOneInput(octets, now);
  }
}

int
main(int argc, char **argv)
{
  seeds = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  for (int i = 1; i < argc; i++) {
    bool is_folder = g_file_test(argv[i], G_FILE_TEST_IS_DIR);
    if (!(is_folder ? add_corpus(argv[i]) : add_file(argv[i]))) {
      fprintf(stderr, "cannot read %s\n", argv[i]);
      return 1;
    }
  }
  bool only_files = argc > 1 && !g_file_test(argv[1], G_FILE_TEST_IS_DIR);
  for (size_t i = 0; fuzz_seeds[i] != NULL && !only_files; i++) {
    size_t size = strlen(fuzz_seeds[i]);
    LLVMFuzzerTestOneInput((const uint8_t *)fuzz_seeds[i], size);
    g_ptr_array_add(seeds, g_bytes_new(fuzz_seeds[i], size));
  }
  if (!only_files)
    run_mutations();
  g_ptr_array_unref(seeds);
  return 0;
}
