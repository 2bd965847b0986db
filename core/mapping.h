/*
 * Where folders go: what the user says, else what they are for, else their own names. Pure: arrays in, an
 * array out.
 */
#ifndef HAUL_CORE_MAPPING_H
#define HAUL_CORE_MAPPING_H

#include "plan.h"
#include "rewrite.h"

/* A folder and all below it, sent elsewhere. */
typedef struct {
  const char *from, *to; /* canonical paths */
  const char *text;      /* as the user wrote it */
} HaulRename;

/* How a store writes names: as users see them in its own words. */
typedef struct {
  char *prefix;   /* owned; "INBOX." */
  char separator; /* '\0': not known, and nothing to translate */
} HaulNotation;

typedef struct {
  const HaulPlanFolder *folders1, *folders2;
  size_t n_folders1, n_folders2;
  const HaulPlanKnown *known; /* only paths are looked at */
  size_t n_known;
  const char *target2; /* where the only folder goes, or NULL */
  const HaulRename *renames;
  size_t n_renames;
  const char *subfolder1, *subfolder2; /* canonical, or NULL */
  bool automaps;                       /* by special use and names */
  const HaulRewrite *const *rewrites;  /* of names as the destination writes them */
  size_t n_rewrites;
  const HaulNotation *notation2;
} HaulMappingInput;

/*
 * Maps every folder of @folders1, in this order: target2; the rename of the nearest folder above; the
 * subfolders and then the rewrites, where these change anything; special use, and what lies below; its own
 * name. What is automatic never sends two folders to one, nor a folder elsewhere than the state has it.
 *
 * Returns HaulMapping beside @folders1, to be freed; NULL with a "usage" error, of a rewrite.
 */
GArray *haul_map_folders(const HaulMappingInput *input, GError **error);

/* Finds two folders of @mappings that hold mail and go to the same: their indices. */
bool haul_mapping_meets(const HaulPlanFolder *folders1, const GArray *mappings, guint *a, guint *b);

/* Returns the rest of @path behind @above: "" for itself, "/b" for what is below; NULL if it is not there. */
const char *haul_path_below(const char *path, const char *above);

/* Finds out, from paths and the store's own names for them, how it writes names. A member that is NULL in
 * @natives is passed over. @out: cleared with haul_notation_clear(). */
void haul_notation_learn(const HaulPlanFolder *folders, const char *const *natives, size_t n,
                         HaulNotation *out);
void haul_notation_clear(HaulNotation *notation);

/* Between a canonical path and a name in the store's own words, but in UTF-8; to be freed. */
char *haul_notation_write(const HaulNotation *notation, const char *path);
char *haul_notation_read(const HaulNotation *notation, const char *name);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaulNotation, haul_notation_clear)

#endif /* HAUL_CORE_MAPPING_H */
