/* The program: everything is in the library. */
#include <malloc.h>

/* What is larger, such as the listing of a large folder, is mapped: it grows without being copied, costs what
 * is used of it, and goes back to the system. By itself the C library does so less and less. */
#define MAPPED_FROM (2 << 20)

int haul_main(int argc, char **argv);

int
main(int argc, char **argv)
{
#ifdef M_MMAP_THRESHOLD
  mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
#endif
  return haul_main(argc, argv);
}
