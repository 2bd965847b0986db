/*
 * A scene for the planner: two listings, the state, and what to make of them. Messages are written
 * as text, a word each:
 *
 *   ID KEY [@SIZE] [#CONTENT]
 *                    "3b@900#x": message 3, key b, 900 octets, content x; key '-': none; size '?', or
 *                    no content: not known
 *   ID1=ID2          "3=13": a pair of the state; "3=?": the destination did not say; "3=13-": the source
 *                    message was about to be removed; "3=13!": it was
 */
#ifndef TESTS_SCENE_H
#define TESTS_SCENE_H

#include "plan.h"

typedef struct {
  GArray *items, *keys; /* of HaulEntry, HaulKey */
  GArray *contents;     /* of HaulKey, beside them */
  bool has_contents;    /* whether one is known */
} Listing;

typedef struct {
  HaulKeywords *keywords;
  Listing side1, side2;
  GArray *pairs;    /* of HaulPair */
  GArray *given_up; /* of HaulId */
  HaulFlagsMode mode;
} Scene;

void scene_init(Scene *scene);
void scene_clear(Scene *scene);

void scene_add(Listing *side, HaulId id, char key_letter, uint64_t size);
void scene_read_items(Listing *side, const char *text);
void scene_read_pairs(Scene *scene, const char *text);

/* What the planner is given; lent by @scene until it changes. */
HaulMessagesInput scene_input(const Scene *scene);

/* The number of the folder in all plans of scenes. */
#define SCENE_FOLDER 5

/* Writes a plan as text, to be freed: copies, flags, adoptions, what is forgotten, and the counts that
 * are not 0. */
char *scene_describe(const Scene *scene, const HaulMessagesPlan *plan);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scene, scene_clear)

#endif /* TESTS_SCENE_H */
