/* What the shared library exports; everything else is hidden. */
#ifndef MAILHAUL_VISIBILITY_H
#define MAILHAUL_VISIBILITY_H

#define HAUL_PUBLIC __attribute__((visibility("default")))

#endif /* MAILHAUL_VISIBILITY_H */
