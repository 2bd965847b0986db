/*
 * Tests --delete1 with random mail, random faults and random accidents: no message is gone from both
 * sides, and none is at the destination more often than it ever came to the source.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "log.h"

#define N_STORIES 500u

/* Few messages, much alike: twins are common, also of those that have left. */
static const char *const texts[] = {
  "Message-ID: <1@x>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\none\r\n",
  "Message-ID: <2@x>\r\nReceived: from a\r\n\r\ntwo\r\n",
  "Message-ID: <2@x>\r\nReceived: from b\r\n\r\ntwo\r\n",
  "Subject: no id\r\n\r\nthree\r\n",
  "\r\nno header\r\n",
  "x",
};
static const char *const paths[] = { "INBOX", "Work" };

typedef unsigned Counts[G_N_ELEMENTS(paths)][G_N_ELEMENTS(texts)];

static void
count_all(MemoryBox *box, Counts counts)
{
  memset(counts, 0, sizeof(Counts));
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
    const MemoryFolder *folder = memory_box_folder(box, paths[i]);
    for (guint m = 0; m < folder->messages->len; m++) {
      gsize size;
      const char *octets =
          g_bytes_get_data(((const MemoryMessage *)folder->messages->pdata[m])->octets, &size);
      for (size_t k = 0; k < G_N_ELEMENTS(texts); k++)
        counts[i][k] += size == strlen(texts[k]) && memcmp(octets, texts[k], size) == 0;
    }
  }
}

/* Adds messages to the source, and to what ever came there. */
static void
add_some(MemoryBox *box, unsigned most, Counts ever, uint32_t *seed)
{
  for (unsigned n = next_random(seed) % (most + 1); n > 0; n--) {
    uint32_t i = next_random(seed) % G_N_ELEMENTS(paths);
    uint32_t k = next_random(seed) % G_N_ELEMENTS(texts);
    MemoryMessage *message = memory_box_add(box, paths[i], texts[k]);
    message->date = 700000000; /* what has no date of its own is known by its arrival */
    message->flags = next_random(seed) & HAUL_ALL_FLAGS & ~(uint32_t)HAUL_DELETED;
    ever[i][k]++;
  }
}

static MemoryFaults
random_faults(bool is_source, uint32_t *seed)
{
  uint32_t bits = next_random(seed);
  return (MemoryFaults){
    .no_tokens = bits & 1,
    .no_counts = bits >> 1 & 1,
    .text_ids = bits >> 2 & 1,
    .no_sizes = (bits >> 3 & 3) == 0,
    .no_ids = !is_source && (bits >> 5 & 1),
    .hold = !is_source ? (bits >> 6) % 4 : 0,
  };
}

/* Has the connection lost at one of the next calls; at the source mostly when messages are removed. */
static void
plan_loss(Engine *engine, uint32_t *seed)
{
  MemoryFaults *faults1 = &engine->source->faults, *faults2 = &engine->copy->faults;
  unsigned soon = 1 + next_random(seed) % 3, expunge = engine->source->calls.expunges + soon;
  faults1->ends_run = faults2->ends_run = next_random(seed) % 10 > 0; /* or it waits and goes on */
  switch (next_random(seed) % 7) {
  case 0:
    faults2->lose_stored = engine->copy->calls.puts + soon;
    break;
  case 1:
    faults2->lose_flush = engine->copy->calls.flushes + soon;
    break;
  case 2:
    faults1->lose_select = engine->source->calls.selects + soon;
    break;
  case 3:
    faults1->lose_expunge = expunge;
    break;
  case 4:
    faults1->lose_marked = expunge;
    break;
  case 5:
    faults1->expunges_one = true;
    break;
  default:
    faults1->lose_expunged = expunge;
    break;
  }
}

static void
forgive(MemoryFaults *faults)
{
  faults->lose_stored = faults->lose_flush = faults->lose_select = 0;
  faults->lose_expunge = faults->lose_marked = faults->lose_expunged = 0;
  faults->expunges_one = faults->ends_run = false;
}

/* What came is at one of both sides, and at the destination not more often than it came. Where the state
 * was lost, one that is left may be taken for one that has gone before it: then one is enough. */
static bool
is_right(Engine *engine, Counts ever, bool knows, const char *when, uint32_t story)
{
  Counts here, there;
  count_all(engine->source, here);
  count_all(engine->copy, there);
  bool right = true;
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(texts); k++) {
      unsigned least = knows ? ever[i][k] : MIN(ever[i][k], 1);
      if (here[i][k] + there[i][k] >= least && there[i][k] <= ever[i][k])
        continue;
      printf("story %u, %s: %s, text %zu: came %u, %u at the source, %u at the destination\n",
             story, when, paths[i], k, ever[i][k], here[i][k], there[i][k]);
      right = false;
    }
  return right;
}

/* No mark of ours has come to a copy. */
static bool
is_unmarked(const MemoryBox *box)
{
  for (guint i = 0; i < box->folders->len; i++) {
    const MemoryFolder *folder = box->folders->pdata[i];
    for (guint m = 0; m < folder->messages->len; m++)
      if (((const MemoryMessage *)folder->messages->pdata[m])->flags & HAUL_DELETED)
        return false;
  }
  return true;
}

static bool
live_through(uint32_t story)
{
  uint32_t seed = story * 2654435761u;
  Counts ever = { { 0 } };
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.options.policy.n_lanes = 1 + next_random(&seed) % 2;
  engine.options.policy.delete1 = true;
  engine.source->faults = random_faults(true, &seed);
  engine.copy->faults = random_faults(false, &seed);
  bool uids = next_random(&seed) % 2 == 0, knows = true, right = true;
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
    MemoryFolder *folder1 = memory_box_folder(engine.source, paths[i]);
    MemoryFolder *folder2 = memory_box_folder(engine.copy, paths[i]);
    folder1->attributes = folder2->attributes = uids ? HAUL_FOLDER_UIDS : 0;
    memory_box_renumber(engine.copy, paths[i]);
  }
  add_some(engine.source, 12, ever, &seed);
  for (unsigned accidents = next_random(&seed) % 4; accidents > 0; accidents--) {
    plan_loss(&engine, &seed);
    engine_run(&engine);
    right &= is_right(&engine, ever, knows, "after an accident", story);
    forgive(&engine.source->faults);
    forgive(&engine.copy->faults);
    add_some(engine.source, 4, ever, &seed);
    if (next_random(&seed) % 5 == 0) {
      engine_forget(&engine);
      knows = false;
    }
  }
  for (unsigned runs = 0; runs < 2; runs++) {
    right &= engine_run(&engine) == 0;
    right &= is_right(&engine, ever, knows, "in the end", story);
  }
  right &= engine.calls2.puts == 0 && engine.calls2.flag_changes == 0;
  right &= !knows || is_unmarked(engine.copy);
  /* Where the copies' ids are told, all that came has left. */
  bool all_left = memory_box_count(engine.source) == 0;
  right &= !knows || engine.copy->faults.no_ids || all_left;
  if (!right)
    printf("story %u: code %d, %u left: %s\n", story, engine.code, memory_box_count(engine.source),
           engine.error != NULL ? engine.error->message : "");
  return right;
}

static void
no_message_is_gone_from_both_sides_and_none_is_doubled(void)
{
  const char *only = g_getenv("STORY"); /* to look at one of them */
  if (only != NULL) {
    haul_log_to_stderr(HAUL_LOG_DEBUG);
    CU_ASSERT(live_through((uint32_t)strtoul(only, NULL, 10)));
    return;
  }
  for (uint32_t story = 1; story <= N_STORIES; story++)
    CU_ASSERT(live_through(story));
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(no_message_is_gone_from_both_sides_and_none_is_doubled),
  };
  return RUN_SUITE("engine: leaving", cases);
}
