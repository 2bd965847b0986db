/* Scenes for the planner, from text and to text. */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include <CUnit/CUnit.h>
#include <mailhaul/plugin.h>

static Listing
listing_new(void)
{
  return (Listing){
    .items = g_array_new(FALSE, TRUE, sizeof(HaulEntry)),
    .keys = g_array_new(FALSE, TRUE, sizeof(HaulKey)),
    .contents = g_array_new(FALSE, TRUE, sizeof(HaulKey)),
  };
}

static void
listing_clear(Listing *listing)
{
  g_array_unref(listing->items);
  g_array_unref(listing->keys);
  g_array_unref(listing->contents);
}

void
scene_init(Scene *scene)
{
  *scene = (Scene){
    .keywords = haul_keywords_new(),
    .side1 = listing_new(),
    .side2 = listing_new(),
    .pairs = g_array_new(FALSE, TRUE, sizeof(HaulPair)),
    .given_up = g_array_new(FALSE, TRUE, sizeof(HaulId)),
  };
}

void
scene_clear(Scene *scene)
{
  haul_keywords_free(scene->keywords);
  listing_clear(&scene->side1);
  listing_clear(&scene->side2);
  g_array_unref(scene->pairs);
  g_array_unref(scene->given_up);
}

static const HaulKey *
contents_of(const Listing *listing)
{
  return listing->has_contents ? (const HaulKey *)(void *)listing->contents->data : NULL;
}

HaulMessagesInput
scene_input(const Scene *scene)
{
  return (HaulMessagesInput){
    .items1 = (const HaulEntry *)(void *)scene->side1.items->data,
    .items2 = (const HaulEntry *)(void *)scene->side2.items->data,
    .keys1 = (const HaulKey *)(void *)scene->side1.keys->data,
    .keys2 = (const HaulKey *)(void *)scene->side2.keys->data,
    .contents1 = contents_of(&scene->side1),
    .contents2 = contents_of(&scene->side2),
    .n1 = scene->side1.items->len,
    .n2 = scene->side2.items->len,
    .pairs = (const HaulPair *)(void *)scene->pairs->data,
    .n_pairs = scene->pairs->len,
    .given_up = (const HaulId *)(void *)scene->given_up->data,
    .n_given_up = scene->given_up->len,
    .flags_mode = scene->mode,
    .keywords = scene->keywords,
  };
}

void
scene_add(Listing *side, HaulId id, char key_letter, uint64_t size)
{
  HaulEntry item = { .id = id, .size = size };
  HaulKey key = { { 0 } }, content = { { 0 } };
  if (key_letter != '-')
    key.octets[15] = (uint8_t)key_letter;
  g_array_append_val(side->items, item);
  g_array_append_val(side->keys, key);
  g_array_append_val(side->contents, content);
}

void
scene_read_items(Listing *side, const char *text)
{
  g_auto(GStrv) words = g_strsplit_set(text, " ", -1);
  for (char **word = words; *word != NULL; word++) {
    if (**word == '\0')
      continue;
    char *at;
    HaulId id = strtoull(*word, &at, 10);
    char letter = *at++;
    uint64_t size = *at != '@' ? 1000 : at[1] == '?' ? HAUL_UNKNOWN : strtoull(at + 1, NULL, 10);
    scene_add(side, id, letter, size);
    const char *content = strchr(*word, '#');
    if (content != NULL) {
      side->has_contents = true;
      g_array_index(side->contents, HaulKey, side->contents->len - 1).octets[0] =
          (uint8_t)content[1];
    }
  }
}

void
scene_read_pairs(Scene *scene, const char *text)
{
  g_auto(GStrv) words = g_strsplit_set(text, " ", -1);
  for (char **word = words; *word != NULL; word++) {
    char *at;
    HaulPair pair = { .id1 = strtoull(*word, &at, 10) };
    if (pair.id1 == 0)
      continue;
    pair.id2 = at[1] == '?' ? 0 : strtoull(at + 1, NULL, 10);
    pair.leaving = g_str_has_suffix(*word, "-");
    pair.left = g_str_has_suffix(*word, "!");
    g_array_append_val(scene->pairs, pair);
  }
}

static void
append_count(GString *text, const char *name, uint64_t n)
{
  if (n > 0)
    g_string_append_printf(text, " %s:%u", name, (unsigned)n);
}

char *
scene_describe(const Scene *scene, const HaulMessagesPlan *plan)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < plan->actions->len; i++) {
    const HaulAction *action = &g_array_index(plan->actions, HaulAction, i);
    CU_ASSERT_EQUAL(action->folder, SCENE_FOLDER);
    if (action->deed == HAUL_DO_FLAGS)
      g_string_append_printf(text, " flags %u=%u", (unsigned)action->flags.id1,
                             (unsigned)action->flags.id2);
    else if (action->deed == HAUL_DO_LINK)
      g_string_append_printf(text, " link %u", (unsigned)action->link.id1);
    else
      g_string_append_printf(text, " copy %u..%u (%u)", (unsigned)action->copy.first,
                             (unsigned)action->copy.last, (unsigned)action->copy.n);
  }
  for (guint i = 0; i < plan->adopted->len; i++) {
    const HaulAdoption *adoption = &g_array_index(plan->adopted, HaulAdoption, i);
    g_string_append_printf(
        text, " adopt %u=%u",
        (unsigned)g_array_index(scene->side1.items, HaulEntry, adoption->index1).id,
        (unsigned)g_array_index(scene->side2.items, HaulEntry, adoption->index2).id);
  }
  for (guint i = 0; i < plan->forgotten->len; i++)
    g_string_append_printf(text, " forget %u", (unsigned)g_array_index(plan->forgotten, HaulId, i));
  for (guint i = 0; i < plan->departed->len; i++)
    g_string_append_printf(text, " departed %u",
                           (unsigned)g_array_index(plan->departed, HaulId, i));
  append_count(text, "there", plan->n_there);
  append_count(text, "gone", plan->n_gone);
  append_count(text, "elsewhere", plan->n_elsewhere);
  append_count(text, "given-up", plan->n_given_up);
  append_count(text, "conflicts", plan->n_conflicts);
  g_strchug(text->str);
  return g_string_free(text, FALSE);
}
