/* Both sides of a run, opened at once. */
#ifndef HAUL_CORE_SIDES_H
#define HAUL_CORE_SIDES_H

#include "folder-list.h"

typedef struct {
  const HaulAccount *account; /* borrowed */
  HaulIntent intent;
  HaulOpenStore *store; /* owned, or NULL */
  HaulFolderList *list; /* owned, or NULL */
  GError *error;        /* owned; why the side could not be opened, or NULL */
} HaulSide;

/*
 * Opens both, a thread each, and reads their lists of folders; what is open already stays so.
 *
 * *took_us: how long that took, in microseconds. Returns false if a side could not be opened: @error is of it, or of
 * both in one line.
 */
bool haul_sides_open(HaulSide *side1, HaulSide *side2, int64_t *took_us, GError **error);
void haul_side_close(HaulSide *side);

/* Who the account is, for the state; to be freed. */
char *haul_side_identity(const HaulSide *side);

/* The exit code of an error that ended a run on them. */
int haul_sides_exit_code(const HaulSide *side1, const HaulSide *side2, const GError *error);

#endif /* HAUL_CORE_SIDES_H */
