/*
 * Which messages go at the destination because the source has no such: decided from arrays, touching nothing.
 * That something is not there is weak evidence, so this is mostly about when to refuse.
 */
#ifndef HAUL_CORE_PLAN_MIRROR_H
#define HAUL_CORE_PLAN_MIRROR_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "entry.h"

/* What is known of a folder pair when both its listings have been compared. */
typedef struct {
  const HaulId *strays; /* listed at the destination, and no copy of what the source has listed */
  size_t n_strays;
  const HaulId *covered; /* copies of what other folders of the source hold or held */
  size_t n_covered;
  uint64_t n1, n2;   /* how many the listings have: at the source, that which has fewest */
  bool has_limit;    /* the user has said how many may go ... */
  uint64_t limit;    /* ... of a folder */
  bool source_empty; /* no folder of the source holds a message */
  bool other_source; /* most folders of the source were numbered anew at once */
  bool state_is_new; /* no run has ended well with it */
  bool matched_anew; /* what the state knew of the folder does not hold, or was nothing */
  bool is_short;     /* a listing has fewer messages than its folder was said to hold */
  bool is_round;     /* the source shows as many as servers do that show no more */
  bool in_trouble;   /* something of the folder, or of one that goes there, too, went wrong */
  bool has_nameless; /* one of the messages is the copy of another one, and nobody knows which */
  bool leaves_out;   /* source messages were left out, and not compared */
} HaulMirrorInput;

typedef enum {
  HAUL_MIRROR_GOES,
  HAUL_MIRROR_SOURCE_EMPTY,
  HAUL_MIRROR_OTHER_SOURCE,
  HAUL_MIRROR_STATE_IS_NEW,
  HAUL_MIRROR_MATCHED_ANEW,
  HAUL_MIRROR_SHORT,
  HAUL_MIRROR_TROUBLE,
  HAUL_MIRROR_NAMELESS,
  HAUL_MIRROR_LEAVES_OUT,
  HAUL_MIRROR_FOLDER_EMPTY,
  HAUL_MIRROR_ROUND,
  HAUL_MIRROR_TOO_MANY,
} HaulMirrorVerdict;

typedef struct {
  GArray *victims; /* owned; of HaulId, in the order of the strays */
  uint64_t n2;     /* of how many */
  HaulMirrorVerdict verdict;
} HaulMirrorPlan;

/*
 * Strays go, but for copies that belong to another folder, if nothing speaks against it. By default no more
 * than 100 messages of a folder go, nor more than both 10 and a tenth of it, nor the last that an empty
 * folder of the source has left there, nor any where the source may show a part only; a limit that the user
 * has set stands for all of these, and for nothing else.
 */
void haul_plan_mirror(const HaulMirrorInput *input, HaulMirrorPlan *plan);
void haul_mirror_plan_clear(HaulMirrorPlan *plan);

/* Whether @n messages of a folder are more than may go of @input->n2. */
bool haul_mirror_is_too_many(const HaulMirrorInput *input, uint64_t n);

/* Says why nothing goes, and what to do; to be freed. NULL where the victims go, or where there is none. */
char *haul_mirror_refusal(const HaulMirrorPlan *plan);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaulMirrorPlan, haul_mirror_plan_clear)

#endif /* HAUL_CORE_PLAN_MIRROR_H */
