/*
 * Tests the engine with random mail, random faults and random accidents: whatever happened, in the end
 * every message of the source is at the destination in its number, and none is there once more than
 * either side had it.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "log.h"

#define N_STORIES 800u

/* Few messages, much alike: twins are common. The second gets more text than a server would add to the
 * first: what has the same id and date and nearly the same size may be taken for the same. */
static const char *texts[] = {
  "Message-ID: <1@x>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\none\r\n",
  "Message-ID: <1@x>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\none",
  "Message-ID: <2@x>\r\nReceived: from a\r\n\r\ntwo\r\n",
  "Message-ID: <2@x>\r\nReceived: from b\r\n\r\ntwo\r\n",
  "Subject: no id\r\n\r\nthree\r\n",
  "\r\nno header\r\n",
  "\r\nNO HEADER\r\n",
  "x",
};
static const char *const paths[] = { "INBOX", "Work", "Work/deep" };

static void
add_some(MemoryBox *box, unsigned most, uint32_t *seed)
{
  for (unsigned n = next_random(seed) % (most + 1); n > 0; n--) {
    MemoryMessage *message = memory_box_add(box, paths[next_random(seed) % G_N_ELEMENTS(paths)],
                                            texts[next_random(seed) % G_N_ELEMENTS(texts)]);
    /* What has no date of its own is known by its arrival. */
    message->date = 700000000;
    message->flags = next_random(seed) & HAUL_ALL_FLAGS;
  }
}

/* How often the folder holds the text. */
static unsigned
count(const MemoryBox *box, const char *path, const char *text)
{
  unsigned n = 0;
  for (guint i = 0; i < box->folders->len; i++) {
    const MemoryFolder *folder = box->folders->pdata[i];
    for (guint k = 0; strcmp(folder->path, path) == 0 && k < folder->messages->len; k++) {
      const MemoryMessage *message = folder->messages->pdata[k];
      gsize size;
      const char *octets = g_bytes_get_data(message->octets, &size);
      n += size == strlen(text) && memcmp(octets, text, size) == 0;
    }
  }
  return n;
}

typedef unsigned Counts[G_N_ELEMENTS(paths)][G_N_ELEMENTS(texts)];

static void
count_all(const MemoryBox *box, Counts counts)
{
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(texts); k++)
      counts[i][k] = count(box, paths[i], texts[k]);
}

static MemoryFaults
random_faults(bool is_source, uint32_t *seed)
{
  uint32_t bits = next_random(seed);
  MemoryFaults faults = {
    .no_tokens = bits & 1,
    .no_counts = bits >> 1 & 1,
    .text_ids = bits >> 2 & 1,
    .no_next_id = bits >> 3 & 1,
    .no_sizes = (bits >> 10 & 3) == 0,
  };
  if (!is_source) {
    faults.no_ids = bits >> 4 & 1;
    faults.hold = (bits >> 5 & 1) ? 1 + (bits >> 6) % 4 : 0;
    faults.stores_late = bits >> 9 & 1;
  }
  return faults;
}

/* Has the connection lost at one of the next calls. */
static void
plan_loss(MemoryBox *box, uint32_t *seed)
{
  MemoryFaults *faults = &box->faults;
  const MemoryCalls *calls = &box->calls;
  unsigned soon = 1 + next_random(seed) % 8;
  faults->ends_run = true;
  switch (next_random(seed) % 8) {
  case 0:
    faults->lose_put = calls->puts + soon;
    break;
  case 1:
  case 2:
    faults->lose_stored = calls->puts + soon;
    break;
  case 3:
    faults->lose_flush = calls->flushes + 1 + soon % 3;
    break;
  case 4:
    faults->lose_list = calls->lists + 1 + soon % 4;
    break;
  case 5:
    faults->lose_select = calls->selects + soon;
    break;
  case 6:
    faults->lose_fetch = calls->messages_fetched + soon;
    break;
  default:
    faults->lose_set_flags = calls->flag_changes + 1;
    break;
  }
}

static void
forgive(MemoryBox *box)
{
  MemoryFaults *faults = &box->faults;
  faults->lose_put = faults->lose_stored = faults->lose_flush = faults->lose_list = 0;
  faults->lose_select = faults->lose_fetch = faults->lose_set_flags = 0;
  faults->ends_run = false;
}

/* Something happens between two runs. */
static void
befall(Engine *engine, uint32_t *seed)
{
  switch (next_random(seed) % 6) {
  case 0:
    add_some(engine->source, 3, seed);
    break;
  case 1:
    memory_box_renumber(engine->source, paths[next_random(seed) % G_N_ELEMENTS(paths)]);
    break;
  case 2:
    memory_box_renumber(engine->copy, paths[next_random(seed) % G_N_ELEMENTS(paths)]);
    break;
  case 3:
    engine_forget(engine);
    break;
  default:
    break;
  }
}

static bool
live_through(uint32_t story)
{
  uint32_t seed = story * 2654435761u;
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.options.policy.n_lanes = 1 + next_random(&seed) % 3;
  engine.source->faults = random_faults(true, &seed);
  engine.copy->faults = random_faults(false, &seed);
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
    memory_box_folder(engine.source, paths[i]);
  add_some(engine.source, 14, &seed);
  if (next_random(&seed) % 2 == 0)
    add_some(engine.copy, 5, &seed);
  Counts there, wanted, got;
  count_all(engine.copy, there);

  for (unsigned accidents = next_random(&seed) % 4; accidents > 0; accidents--) {
    plan_loss(next_random(&seed) % 4 == 0 ? engine.source : engine.copy, &seed);
    engine_run(&engine);
    forgive(engine.source);
    forgive(engine.copy);
    befall(&engine, &seed);
  }
  int code = engine_run(&engine);
  bool right = code == 0;
  count_all(engine.source, wanted);
  count_all(engine.copy, got);
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(texts); k++)
      if (got[i][k] != MAX(wanted[i][k], there[i][k])) {
        printf("story %u: %s, text %zu: %u at the source, %u there before, %u in the end\n", story,
               paths[i], k, wanted[i][k], there[i][k], got[i][k]);
        right = false;
      }
  if (code != 0)
    printf("story %u: code %d, %s\n", story, code,
           engine.error != NULL ? engine.error->message : "");
  right &= engine_run(&engine) == 0 && engine.calls2.puts == 0;
  return right;
}

static void
nothing_is_lost_and_nothing_doubled(void)
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
  g_autofree char *more = g_strnfill(3000, '!'),
                  *longer = g_strconcat(texts[1], more, "\r\n", NULL);
  texts[1] = longer;
  static const Case cases[] = {
    CASE(nothing_is_lost_and_nothing_doubled),
  };
  return RUN_SUITE("engine: random", cases);
}
