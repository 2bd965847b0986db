/*
 * Runs jobs between two boxes of memory-store.h, and checks after each what must hold after any: that
 * the report adds up, and that the source is as it was, unless messages are to be removed there.
 */
#ifndef TESTS_ENGINE_H
#define TESTS_ENGINE_H

#include "job.h"
#include "memory-store.h"

typedef struct {
  MemoryBox *source, *copy; /* owned */
  char *state_folder;       /* owned; removed in the end */
  HaulJobOptions options;   /* accounts and cancel are of each run */
  const char *path2;        /* borrowed; where the copy is said to lie, or NULL */

  /* What the last run came to. */
  int code;
  GError *error;              /* owned */
  HaulReport *report;         /* owned */
  HaulTally total;            /* its counts */
  GPtrArray *planned;         /* owned; of char *: "PATH1 PATH2 DEED TEXT", of a dry run */
  MemoryCalls calls1, calls2; /* what was asked of either box in it */
} Engine;

void engine_init(Engine *engine);
void engine_clear(Engine *engine);

/* Runs the job once more; returns its exit code. */
int engine_run(Engine *engine);

/* The same, of what is to go well: 0, and both boxes hold the same mail, flags and all. */
#define ENGINE_SYNC(engine) CU_ASSERT(engine_sync(engine, __LINE__))
bool engine_sync(Engine *engine, int line);

/* Whether both boxes hold the same messages; prints the difference. */
#define ENGINE_SAME(engine) CU_ASSERT(engine_is_same(engine, __LINE__))
bool engine_is_same(const Engine *engine, int line);

/* Forgets the state, as if it was deleted. */
void engine_forget(Engine *engine);

/* What the last run says of the state, e.g. of HAUL_STATE_COPIED. */
uint64_t engine_n(const Engine *engine, HaulState state);

/* What the last run says of one folder; the case ends where it says nothing. */
const HaulTally *engine_tally(const Engine *engine, const char *path);

/* Fills the source with @n messages in each of two folders, all different. */
void engine_fill(Engine *engine, unsigned n);

/* Adds twelve odd ones to INBOX: twins, an id with two contents, without id, header or anything. */
void engine_fill_oddities(Engine *engine);

/* Runs once more. Whether nothing was changed at the destination, and nothing fetched or copied. */
bool engine_is_at_rest(Engine *engine);

/* A small message with this Message-ID (NULL: none) and text, to be freed. */
char *engine_message(const char *id, const char *text);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Engine, engine_clear)

#endif /* TESTS_ENGINE_H */
