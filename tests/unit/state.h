/* A folder for state files that is removed in the end, and the journal of one pair in it. */
#ifndef TESTS_STATE_H
#define TESTS_STATE_H

#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "journal.h"

typedef struct {
  char *folder; /* owned */
  HaulKeywords *keywords;
  HaulJournal *journal; /* or NULL */
  bool was_rebuilt;     /* what the last opening said */
} State;

void state_init(State *state);
void state_clear(State *state); /* removes the folder, too */

/* Opens the journal of "ann@old" and "ann@new", closing the one that is open. False on error. */
bool state_open(State *state, HaulJournalMode mode, GError **error);
/* The same, of a file, without which the case cannot go on. */
void state_reopen(State *state);
void state_close(State *state);

/* The path of the only file in the folder that ends in @suffix, to be freed; NULL if there is none. */
char *state_file(const State *state, const char *suffix);

/* The names and contents of all files in the folder, to be compared. */
char *state_snapshot(const State *state);

/* Shorthand for what must not fail. Folders keep their path; pairs are those of state_cargo(). */
int64_t state_begin_folder(const State *state, const char *path, uint64_t epoch1, uint64_t epoch2);
void state_add_pair(const State *state, int64_t folder, const char *id1, const char *id2);
/* What the journal tells of a folder; its number is -1 if it does not know it. */
HaulJournalFolder state_folder(const State *state, const char *path);
/* The pairs of a folder as "1=11 2=? 3=13!", the last one's copy gone, in the journal's order; to be
 * freed. */
char *state_pairs(const State *state, int64_t folder);

#define CHECK_PAIRS(state, folder, expected)                                                       \
  do {                                                                                             \
    g_autofree char *pairs_ = state_pairs(state, folder);                                          \
    CU_ASSERT_STRING_EQUAL(pairs_, expected);                                                      \
    if (strcmp(pairs_, expected) != 0)                                                             \
      printf("line %d: %s\n", __LINE__, pairs_);                                                   \
  } while (0)

/* Fills a state with two folders, their pairs (with ids of both kinds), and an open intent; closes it. */
#define STATE_PAIRS 400u
void state_fill(State *state);

/*
 * Does with the open journal all that a run does to the folders of state_fill() and a new one.
 *
 * @n_pairs: gets the pairs that it knew of. Returns false at the first error.
 */
bool state_work(const State *state, uint64_t *n_pairs, GError **error);

/* Fills a cargo with what follows from @id1 and @seed; it is to be cleared. */
HaulCargo state_cargo(const char *id1, uint8_t seed);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(State, state_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaulCargo, haul_cargo_clear)

#endif /* TESTS_STATE_H */
