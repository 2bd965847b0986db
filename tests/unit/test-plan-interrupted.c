/*
 * Tests that the planner comes to the same end whatever runs were killed before: after any number of copies, of
 * which any number were noted, with the deliveries in between settled by looking or left to matching, and the state
 * kept or lost. The run that is let go on leaves each message of the source at the destination in its number.
 */
#include "suite.h"

#include <stdio.h>

#include "scene.h"

#define N_HISTORIES 40000u

enum { N_KEYS = 3, N_CONTENTS = 3 };

typedef unsigned Counts[N_KEYS][N_CONTENTS];

static void
add(Listing *side, HaulId id, unsigned key, unsigned content)
{
  scene_add(side, id, (char)('a' + key), 1000);
  g_array_index(side->contents, HaulKey, side->contents->len - 1).octets[0] =
      (uint8_t)(1 + content);
  side->has_contents = true;
}

static void
count(const Listing *side, Counts counts)
{
  for (guint i = 0; i < side->items->len; i++)
    counts[g_array_index(side->keys, HaulKey, i).octets[15] - 'a']
          [g_array_index(side->contents, HaulKey, i).octets[0] - 1]++;
}

static bool
is_same(const Scene *scene, guint index1, guint index2)
{
  return haul_key_equal(&g_array_index(scene->side1.keys, HaulKey, index1),
                        &g_array_index(scene->side2.keys, HaulKey, index2))
         && haul_key_equal(&g_array_index(scene->side1.contents, HaulKey, index1),
                           &g_array_index(scene->side2.contents, HaulKey, index2));
}

static bool
is_taken(const Scene *scene, HaulId id2)
{
  for (guint i = 0; i < scene->pairs->len; i++)
    if (g_array_index(scene->pairs, HaulPair, i).id2 == id2)
      return true;
  return false;
}

static void
note(Scene *scene, HaulId id1, HaulId id2)
{
  HaulPair pair = { .id1 = id1, .id2 = id2 };
  g_array_append_val(scene->pairs, pair);
}

/* Whether the action copies the item of this index, given whether the one before it was in the run. */
static bool
copies(const HaulAction *action, const Scene *scene, guint index, bool *within)
{
  HaulId id = g_array_index(scene->side1.items, HaulEntry, index).id;
  if (action->deed == HAUL_DO_COPY_ALL)
    return true;
  *within |= id == action->copy.first;
  bool is_in = *within;
  *within &= id != action->copy.last;
  return is_in;
}

/* The places of what a plan copies, in its order. */
static GArray *
to_copy(const Scene *scene, const HaulMessagesPlan *plan)
{
  GArray *places = g_array_new(FALSE, FALSE, sizeof(guint));
  for (guint i = 0; i < plan->actions->len; i++) {
    const HaulAction *action = &g_array_index(plan->actions, HaulAction, i);
    bool within = false;
    for (guint k = 0; haul_action_fetches(action) && k < scene->side1.items->len; k++)
      if (copies(action, scene, k, &within))
        g_array_append_val(places, k);
  }
  return places;
}

/* What haul_settle() does: what is there, is of no pair and holds the same, ends one open intent. */
static void
settle(Scene *scene, const GArray *open)
{
  for (guint i = 0; i < open->len; i++) {
    guint index1 = g_array_index(open, guint, i);
    for (guint k = 0; k < scene->side2.items->len; k++) {
      HaulId id2 = g_array_index(scene->side2.items, HaulEntry, k).id;
      if (id2 >= 5000 && !is_taken(scene, id2) && is_same(scene, index1, k)) {
        note(scene, g_array_index(scene->side1.items, HaulEntry, index1).id, id2);
        break;
      }
    }
  }
}

/* One run, of whose deliveries the first @n_stored are made, and the first @n_noted of them noted. Returns those
 * whose end nobody knows then. */
static GArray *
run(Scene *scene, guint n_stored, guint n_noted, bool notes_adoptions)
{
  HaulMessagesInput input = scene_input(scene);
  HaulMessagesPlan plan;
  haul_plan_messages(&input, SCENE_FOLDER, &plan);
  for (guint i = 0; notes_adoptions && i < plan.adopted->len; i++) {
    const HaulAdoption *adoption = &g_array_index(plan.adopted, HaulAdoption, i);
    note(scene, g_array_index(scene->side1.items, HaulEntry, adoption->index1).id,
         g_array_index(scene->side2.items, HaulEntry, adoption->index2).id);
  }
  GArray *places = to_copy(scene, &plan), *open = g_array_new(FALSE, FALSE, sizeof(guint));
  for (guint i = 0; i < places->len; i++) {
    guint index1 = g_array_index(places, guint, i);
    HaulId id2 = 5000 + scene->side2.items->len;
    if (i < n_stored)
      add(&scene->side2, id2, g_array_index(scene->side1.keys, HaulKey, index1).octets[15] - 'a',
          g_array_index(scene->side1.contents, HaulKey, index1).octets[0] - 1u);
    if (i < n_stored && i < n_noted)
      note(scene, g_array_index(scene->side1.items, HaulEntry, index1).id, id2);
    else
      g_array_append_val(open, index1);
  }
  g_array_unref(places);
  haul_messages_plan_clear(&plan);
  return open;
}

static bool
live_through(uint32_t history)
{
  uint32_t seed = history * 2654435761u;
  g_auto(Scene) scene;
  scene_init(&scene);
  for (unsigned n = next_random(&seed) % 12, i = 0; i < n; i++)
    add(&scene.side1, 1 + i, next_random(&seed) % N_KEYS, next_random(&seed) % N_CONTENTS);
  for (unsigned n = next_random(&seed) % 5, i = 0; i < n; i++)
    add(&scene.side2, 1000 + i, next_random(&seed) % N_KEYS, next_random(&seed) % N_CONTENTS);
  Counts wanted = { { 0 } }, there = { { 0 } }, got = { { 0 } };
  count(&scene.side1, wanted);
  count(&scene.side2, there);

  for (unsigned n_kills = next_random(&seed) % 5; n_kills > 0; n_kills--) {
    guint n_stored = next_random(&seed) % 13, n_noted = next_random(&seed) % (n_stored + 1);
    g_autoptr(GArray) open = run(&scene, n_stored, n_noted, next_random(&seed) % 2);
    switch (next_random(&seed) % 3) {
    case 0:
      g_array_set_size(scene.pairs, 0); /* and with it the intents */
      break;
    case 1:
      settle(&scene, open);
      break;
    default: /* the server alters what it stores: nothing is found by its octets */
      break;
    }
  }
  g_array_unref(run(&scene, G_MAXUINT, G_MAXUINT, true));
  count(&scene.side2, got);
  bool right = true;
  for (unsigned k = 0; k < N_KEYS; k++)
    for (unsigned c = 0; c < N_CONTENTS; c++)
      right &= got[k][c] == MAX(wanted[k][c], there[k][c]);

  guint n_in_the_end = scene.side2.items->len;
  g_array_unref(run(&scene, G_MAXUINT, G_MAXUINT, true));
  return right && scene.side2.items->len == n_in_the_end
         && scene.pairs->len == scene.side1.items->len;
}

static void
any_interleaving_of_kills_and_runs_ends_in_the_same_state(void)
{
  for (uint32_t history = 1; history <= N_HISTORIES; history++) {
    bool right = live_through(history);
    CU_ASSERT(right);
    if (!right)
      printf("history %u\n", history);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(any_interleaving_of_kills_and_runs_ends_in_the_same_state),
  };
  return RUN_SUITE("plan: interrupted", cases);
}
