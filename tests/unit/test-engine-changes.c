/*
 * Tests how a run does with what changed alone, where the stores can tell: what it comes to is what a run
 * comes to that lists everything.
 */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "log.h"

#define N_STORIES 150u

static MemoryMessage *
message_at(MemoryBox *box, guint index)
{
  MemoryFolder *folder = memory_box_folder(box, "INBOX");
  CU_ASSERT_FATAL(index < folder->messages->len);
  folder->n_changes++;
  return folder->messages->pdata[index];
}

static void
add(MemoryBox *box, const char *text)
{
  g_autofree char *octets = engine_message(text, text);
  memory_box_add(box, "INBOX", octets);
}

static void
what_did_not_change_is_not_listed(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 50);
  ENGINE_SYNC(&engine);
  add(engine.source, "new");
  message_at(engine.source, 3)->flags = HAUL_FLAGGED;
  memory_box_remove(engine.source, "INBOX", 8);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  /* Only the keys of what is new, and of the copy that lost its source, in case they are the same. */
  CU_ASSERT_EQUAL(engine.calls1.items_listed, 1);
  CU_ASSERT_EQUAL(engine.calls2.items_listed, 1);
  CU_ASSERT_EQUAL(engine.calls1.changes, 1);
  CU_ASSERT_EQUAL(engine.calls1.items_changed, 2);
  CU_ASSERT_EQUAL(engine.calls2.changes, 0); /* it has its token still: nothing is asked */
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 1);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_THERE), 99);
  CU_ASSERT_EQUAL(engine.calls2.flag_changes, 1);
  CU_ASSERT_EQUAL(message_at(engine.copy, 3)->flags, HAUL_FLAGGED);
}

static void
a_copy_that_was_removed_does_not_make_every_run_list(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 20);
  ENGINE_SYNC(&engine);
  memory_box_remove(engine.copy, "INBOX", 5);
  for (unsigned run = 0; run < 3; run++) {
    add(engine.source, run == 0 ? "a" : run == 1 ? "b" : "c");
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 1);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_FILTERED), 1); /* left so, each time */
    CU_ASSERT_EQUAL(engine.calls1.items_listed, 0);
    CU_ASSERT_EQUAL(engine.calls2.items_listed, 0);
  }
}

static void
what_the_source_removed_does_not_make_every_run_list(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 20);
  ENGINE_SYNC(&engine);
  memory_box_remove(engine.source, "INBOX", 5);
  memory_box_remove(engine.source, "INBOX", 6);
  for (unsigned run = 0; run < 3; run++) {
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    add(engine.source, run == 0 ? "a" : run == 1 ? "b" : "c");
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 1);
    /* Their copies might be what came: only keys tell. */
    CU_ASSERT_EQUAL(engine.calls1.items_listed, 1);
    CU_ASSERT_EQUAL(engine.calls2.items_listed, 2);
  }
  memory_box_remove(engine.copy, "INBOX", 5); /* one of them is gone there, too */
  for (unsigned run = 0; run < 2; run++) {
    add(engine.source, run == 0 ? "d" : "e");
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.items_listed, 1);
  }
}

static void
what_came_by_other_means_is_found(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 20);
  add(engine.copy, "by hand");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(engine_run(&engine) == 0 && engine.calls2.lists == 0);
  add(engine.source, "by hand");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 41);
  CU_ASSERT_EQUAL(engine.calls2.items_listed, 1); /* nobody need look for what was seen before */
  add(engine.copy, "again by hand");
  add(engine.source, "again by hand");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 0);
  CU_ASSERT_EQUAL(engine.calls2.changes, 1);
  CU_ASSERT_EQUAL(engine.calls2.items_listed, 1);
}

/* As many as before, but others: only ids show it, and only at the time. */
static void
what_is_swapped_under_a_run_is_found(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 20);
  ENGINE_SYNC(&engine);
  add(engine.source, "a");
  engine.copy->faults.swaps_put = engine.copy->calls.puts + 1;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(memory_box_count(engine.copy), 41);
  memory_box_add(engine.source, "INBOX", MEMORY_OTHERS);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.puts, 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_FILTERED), 1); /* what was taken away is left so */
}

static void
a_side_that_does_not_add_up_is_listed(void)
{
  static const MemoryFaults table[] = {
    { .all_gone = true },   { .hides_gone = true }, { .hides_news = true },
    { .no_changes = true }, { .no_counts = true },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 20);
    ENGINE_SYNC(&engine);
    add(engine.source, "new");
    memory_box_remove(engine.source, "INBOX", 5);
    engine.source->faults = table[i];
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 1);
    CU_ASSERT_EQUAL(engine.calls1.changes, 1);
    CU_ASSERT_EQUAL(engine.calls1.items_listed > 0, true);
    CU_ASSERT_EQUAL(memory_box_count(engine.copy), 41); /* it keeps what the source removed */
    CU_ASSERT_EQUAL(engine.calls2.changes, 0);
  }
}

static void
ids_that_are_no_numbers_are_listed(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.source->faults.text_ids = engine.copy->faults.text_ids = true;
  engine_fill(&engine, 20);
  ENGINE_SYNC(&engine);
  add(engine.source, "new");
  ENGINE_SYNC(&engine);
  CU_ASSERT(engine.calls1.items_listed > 0);
  CU_ASSERT_EQUAL(engine.calls2.lists, 0); /* which changed nothing, and needs no order */
  memory_box_remove(engine.source, "INBOX", 3);
  memory_box_add(engine.source, "INBOX", "Message-ID: <id-2@example.org>\r\n\r\nanother\r\n");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine_n(&engine, HAUL_STATE_COPIED), 1);
}

/* One side that cannot tell does not make the other one list. */
static void
each_side_is_known_as_well_as_it_can_be(void)
{
  for (unsigned cannot = 1; cannot <= 2; cannot++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 20);
    ENGINE_SYNC(&engine);
    MemoryBox *box = cannot == 1 ? engine.source : engine.copy;
    box->faults.no_tokens = true;
    message_at(engine.source, 3)->flags = HAUL_FLAGGED;
    message_at(engine.copy, 4)->flags = 0;
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls1.items_listed > 0, cannot == 1);
    CU_ASSERT_EQUAL(engine.calls2.items_listed > 0, cannot == 2);
    CU_ASSERT_EQUAL(engine.calls1.changes, cannot == 2);
    CU_ASSERT_EQUAL(engine.calls2.changes, cannot == 1);
    CU_ASSERT_EQUAL(message_at(engine.copy, 3)->flags, HAUL_FLAGGED);
    CU_ASSERT_EQUAL(message_at(engine.copy, 4)->flags, 0);
    CU_ASSERT_EQUAL(engine.calls2.puts, 0);
  }
}

static void
a_side_of_which_nothing_was_asked_has_no_order(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    add(engine.source, names[i]);
    add(engine.copy, names[G_N_ELEMENTS(names) - 1 - i]);
  }
  engine.copy->faults.text_ids = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  for (uint64_t uid = 2; uid <= 5; uid++)
    memory_box_remove(engine.source, "INBOX", uid);
  for (size_t i = 1; i <= 4;
       i++) /* they come back, and their copies are looked for among free ones */
    add(engine.source, names[i]);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.changes, 0);
  CU_ASSERT_EQUAL(engine.calls2.items_listed, 4);
  CU_ASSERT_EQUAL(engine.calls2.puts, 0);
}

static void
other_modes_list(void)
{
  static const HaulFlagsMode modes[] = { HAUL_FLAGS_SOURCE, HAUL_FLAGS_ADD, HAUL_FLAGS_NONE };
  for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 20);
    ENGINE_SYNC(&engine);
    engine.options.policy.flags_mode = modes[i];
    add(engine.source, "new");
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT(engine.calls1.changes == 0 && engine.calls1.items_listed > 0);
    /* What was not carried over in that mode is carried over now: it had better be looked for. */
    engine.options.policy.flags_mode = HAUL_FLAGS_MERGE;
    add(engine.source, "newer");
    ENGINE_SYNC(&engine);
    CU_ASSERT_EQUAL(engine.calls1.items_listed > 0, modes[i] != HAUL_FLAGS_SOURCE);
  }
}

static void
a_run_that_was_interrupted_lists(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 20);
  ENGINE_SYNC(&engine);
  for (unsigned i = 0; i < 4; i++)
    add(engine.source, i == 0 ? "a" : i == 1 ? "b" : i == 2 ? "c" : "d");
  engine.copy->faults = (MemoryFaults){ .lose_stored = 42, .ends_run = true };
  CU_ASSERT_NOT_EQUAL(engine_run(&engine), 0);
  engine.copy->faults = (MemoryFaults){ 0 };
  ENGINE_SYNC(&engine);
  CU_ASSERT(engine.calls1.changes == 0 && engine.calls1.items_listed > 0);
}

static void
a_connection_that_is_lost_over_it_is_made_again(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 20);
  ENGINE_SYNC(&engine);
  add(engine.source, "new");
  engine.source->faults.lose_changes = 1;
  ENGINE_SYNC(&engine);
  CU_ASSERT_EQUAL(engine.calls2.puts, 1);
}

/* ---- both ways, with random changes on both sides ---- */

static const char *const texts[] = {
  "Message-ID: <1@x>\r\n\r\none\r\n",
  "Message-ID: <1@x>\r\n\r\none\r\n",
  "Message-ID: <2@x>\r\n\r\ntwo\r\n",
  "Subject: no id\r\n\r\nthree\r\n",
  "\r\nno header\r\n",
};

static void
edit_one(MemoryBox *box, uint32_t *seed)
{
  MemoryFolder *folder = memory_box_folder(box, next_random(seed) % 2 == 0 ? "INBOX" : "Work");
  uint32_t deed = next_random(seed) % 8, random = next_random(seed);
  guint n = folder->messages->len;
  MemoryMessage *one = n > 0 ? folder->messages->pdata[random % n] : NULL;
  folder->n_changes++;
  if (deed == 0 && one != NULL) {
    memory_box_remove(box, folder->path, one->uid);
  } else if (deed == 1 && one != NULL) { /* moved away and back */
    g_autofree char *text =
        g_strndup(g_bytes_get_data(one->octets, NULL), g_bytes_get_size(one->octets));
    uint32_t flags = one->flags;
    memory_box_remove(box, folder->path, one->uid);
    memory_box_add(box, folder->path, text)->flags = flags;
  } else if (deed <= 4 && one != NULL) {
    one->flags ^= 1u << next_random(seed) % 5;
  } else if (deed == 5 && one != NULL) {
    memory_message_set_keywords(one, random % 3 == 0 ? "a" : random % 3 == 1 ? "b c" : "");
  } else {
    MemoryMessage *message = memory_box_add(box, folder->path, texts[random % G_N_ELEMENTS(texts)]);
    message->date = 700000000;
    message->flags = next_random(seed) & HAUL_ALL_FLAGS;
  }
}

static void
edit(Engine *engine, uint32_t seed)
{
  for (unsigned n = next_random(&seed) % 6; n > 0; n--)
    edit_one(next_random(&seed) % 3 == 0 ? engine->copy : engine->source, &seed);
  if (next_random(&seed) % 12 == 0)
    memory_box_renumber(next_random(&seed) % 2 == 0 ? engine->source : engine->copy, "INBOX");
  engine->options.policy.flags_mode =
      next_random(&seed) % 6 == 0 ? (HaulFlagsMode)(next_random(&seed) % 4) : HAUL_FLAGS_MERGE;
}

static bool
is_equal(const Engine *changes, const Engine *listing, uint32_t story, unsigned run)
{
  g_autofree char *text1 = memory_box_text(changes->copy, true);
  g_autofree char *text2 = memory_box_text(listing->copy, true);
  bool equal = changes->code == listing->code && strcmp(text1, text2) == 0;
  for (unsigned i = 0; i < HAUL_N_STATES; i++)
    equal &= changes->total.n[i] == listing->total.n[i];
  if (!equal)
    printf("story %u, run %u: by changes\n%sby listing\n%s", story, run, text1, text2);
  return equal;
}

static void
it_comes_to_what_listing_comes_to(void)
{
  unsigned n_changes = 0, n_believed = 0;
  for (uint32_t story = 1; story <= N_STORIES; story++) {
    g_auto(Engine) changes;
    g_auto(Engine) listing;
    engine_init(&changes);
    engine_init(&listing);
    listing.source->faults.no_changes = listing.copy->faults.no_changes = true;
    changes.options.policy.n_lanes = listing.options.policy.n_lanes = 1;
    uint32_t seed = story * 2654435761u;
    for (unsigned run = 0; run < 8; run++) {
      uint32_t deeds = next_random(&seed);
      edit(&changes, deeds);
      edit(&listing, deeds);
      engine_run(&changes);
      engine_run(&listing);
      n_changes += changes.calls1.changes + changes.calls2.changes;
      n_believed += changes.calls1.changes > 0 && changes.calls1.lists + changes.calls2.lists == 0;
      CU_ASSERT_FATAL(is_equal(&changes, &listing, story, run));
    }
  }
  printf("%u times asked, %u runs without a listing ", n_changes, n_believed);
  CU_ASSERT(n_changes > 4 * N_STORIES / 2 && n_believed > N_STORIES / 4);
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(what_did_not_change_is_not_listed),
    CASE(a_copy_that_was_removed_does_not_make_every_run_list),
    CASE(what_the_source_removed_does_not_make_every_run_list),
    CASE(what_came_by_other_means_is_found),
    CASE(what_is_swapped_under_a_run_is_found),
    CASE(a_side_that_does_not_add_up_is_listed),
    CASE(ids_that_are_no_numbers_are_listed),
    CASE(each_side_is_known_as_well_as_it_can_be),
    CASE(a_side_of_which_nothing_was_asked_has_no_order),
    CASE(other_modes_list),
    CASE(a_run_that_was_interrupted_lists),
    CASE(a_connection_that_is_lost_over_it_is_made_again),
    CASE(it_comes_to_what_listing_comes_to),
  };
  return RUN_SUITE("engine: changes", cases);
}
