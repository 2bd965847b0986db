/* In which order folders are made. Pure. */
#ifndef HAUL_CORE_CREATION_H
#define HAUL_CORE_CREATION_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
  const char *path; /* borrowed */
  bool is_empty;    /* nothing is to be delivered to it */
  size_t index;     /* the caller's */
} HaulCreation;

/*
 * Puts @creations, which come with parents before their children, into the order in which they are
 * made: what holds mail or no folders first, as it comes; then what is empty and holds some of the
 * others, the deepest first.
 *
 * There are stores in which a folder holds either mail or folders, and the first that is made decides
 * (an mbox is a file, and what holds folders is a directory). Elsewhere a parent that came along with
 * its child is there, or becomes a folder that can be opened when it is asked for.
 */
void haul_creation_order(HaulCreation *creations, size_t n);

#endif /* HAUL_CORE_CREATION_H */
