/* Where folders go. See mapping.h. */
#include "mapping.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

#include "automap.h"

/* One folder while it is being mapped. */
typedef struct {
  HaulMapping *mapping; /* where it goes by now */
  char *plain;          /* owned; where it goes if nothing automatic is heard */
  char *plain_rule;     /* owned */
  const char *name;     /* borrowed; its path from the root that the user chose */
  bool is_free;         /* nothing that the user says is about it: special use is looked at */
  bool holds_mail;
  int use; /* by which it is mapped, itself or what it lies in; -1: none */
} Place;

static void
place_clear(Place *place)
{
  g_free(place->plain);
  g_free(place->plain_rule);
}

static void
mapping_clear(HaulMapping *mapping)
{
  g_free(mapping->path2);
  g_free(mapping->rule);
}

const char *
haul_path_below(const char *path, const char *above)
{
  size_t size = strlen(above);
  if (strncmp(path, above, size) != 0 || (path[size] != '\0' && path[size] != '/'))
    return NULL;
  return path + size;
}

/* Takes both texts. */
static void
set(HaulMapping *mapping, char *path2, char *rule)
{
  mapping_clear(mapping);
  mapping->path2 = path2;
  mapping->rule = rule;
}

/* ---- what the user says ---- */

static const HaulRename *
find_rename(const HaulMappingInput *input, const char *path)
{
  const HaulRename *found = NULL;
  for (size_t i = 0; i < input->n_renames; i++) {
    const HaulRename *one = &input->renames[i];
    if (haul_path_below(path, one->from) != NULL
        && (found == NULL || strlen(one->from) > strlen(found->from)))
      found = one;
  }
  return found;
}

static void
add_rule(GString *rules, const char *option, const char *value)
{
  g_string_append_printf(rules, "%s%s %s", rules->len > 0 ? ", " : "", option, value);
}

/* Makes the substitutions, in their order, on the name that the folder has in the destination's words. */
static char *
rewrite(const HaulMappingInput *input, const char *path, GString *rules, GError **error)
{
  g_autofree char *name = haul_notation_write(input->notation2, path);
  bool any = false;
  for (size_t i = 0; i < input->n_rewrites; i++) {
    char *other = haul_rewrite_apply(input->rewrites[i], name, error);
    if (other == NULL)
      return NULL;
    if (strcmp(other, name) != 0) {
      add_rule(rules, "--regextrans2", haul_rewrite_text(input->rewrites[i]));
      any = true;
    }
    g_free(name);
    name = other;
  }
  if (any && *name == '\0') {
    g_autofree char *shown = haul_text_display(path, strlen(path));
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--regextrans2 leaves nothing of the name of folder \"%s\"", shown);
    return NULL;
  }
  return any ? haul_notation_read(input->notation2, name) : g_strdup(path);
}

/* Says where the folder goes by the user's words and its own name. */
static bool
place_by_wish(const HaulMappingInput *input, const HaulPlanFolder *folder, Place *place,
              GError **error)
{
  HaulMapping *mapping = place->mapping;
  const HaulRename *rename = find_rename(input, folder->path);
  mapping->is_wish = true;
  if (input->target2 != NULL) {
    mapping->subscribes = true;
    set(mapping, g_strdup(input->target2), g_strdup("--folder2"));
    return true;
  }
  if (rename != NULL) {
    const char *rest = haul_path_below(folder->path, rename->from);
    set(mapping, g_strconcat(rename->to, rest, NULL), g_strconcat("--f1f2 ", rename->text, NULL));
    return true;
  }
  g_autoptr(GString) rules = g_string_new(NULL);
  const char *below =
      input->subfolder1 != NULL ? haul_path_below(folder->path, input->subfolder1) : NULL;
  if (below != NULL) {
    place->name = *below == '/' ? below + 1 : "INBOX";
    add_rule(rules, "--subfolder1", input->subfolder1);
  }
  if (haul_path_is_inbox(place->name))
    place->name = "INBOX";
  g_autofree char *path = input->subfolder2 != NULL
                              ? g_strconcat(input->subfolder2, "/", place->name, NULL)
                              : g_strdup(place->name);
  if (input->subfolder2 != NULL)
    add_rule(rules, "--subfolder2", input->subfolder2);
  size_t n_before = rules->len;
  place->plain = rewrite(input, path, rules, error);
  if (place->plain == NULL)
    return false;
  place->is_free = input->automaps && input->subfolder2 == NULL && rules->len == n_before
                   && strcmp(place->name, "INBOX") != 0;
  place->plain_rule = g_strdup(rules->len > 0 ? rules->str : "same name");
  mapping->is_wish = input->subfolder2 != NULL || rules->len > n_before;
  set(mapping, g_strdup(place->plain), g_strdup(place->plain_rule));
  return true;
}

/* ---- what folders are for ---- */

/* A folder found for a use. */
typedef struct {
  guint index;
  bool found, by_name;
  unsigned rank;
} Special;

/* Takes a folder for @use if it is better than the one that was found: what the server says counts more than
 * a name, and of several the first. */
static void
consider(Special *special, unsigned use, guint index, uint32_t attributes, const char *name)
{
  unsigned number, rank = 0;
  if (attributes & HAUL_FOLDER_NOSELECT)
    return;
  bool by_name = (attributes & haul_use_attribute(use)) == 0;
  if (by_name && (!haul_use_by_name(name, &number, &rank) || number != use))
    return;
  if (special->found
      && (by_name > special->by_name || (by_name == special->by_name && rank >= special->rank)))
    return;
  *special = (Special){ index, true, by_name, rank };
}

static const HaulPlanFolder *
find_folder2(const HaulMappingInput *input, GHashTable *index2, const char *path)
{
  const HaulPlanFolder *folder2 = g_hash_table_lookup(index2, path);
  return folder2 != NULL && (folder2->attributes & HAUL_FOLDER_NOSELECT) == 0 ? folder2 : NULL;
}

static bool
serves(const HaulPlanFolder *folder2, unsigned use)
{
  Special special = { 0 };
  consider(&special, use, 0, folder2->attributes, folder2->path);
  return special.found;
}

/* Returns the folder that the state has for @path1 already, if it is one that automatics may choose: its own
 * name, or one for the use. @target: what they would choose. */
static const char *
recall(const HaulMappingInput *input, GHashTable *index2, const char *path1, const Place *place,
       unsigned use, const char *target)
{
  const char *recalled = NULL;
  for (size_t i = 0; i < input->n_known; i++) {
    const HaulPlanKnown *known = &input->known[i];
    if (strcmp(known->path1, path1) != 0)
      continue;
    const HaulPlanFolder *folder2 = find_folder2(input, index2, known->path2);
    if (folder2 == NULL)
      continue;
    if (strcmp(known->path2, target) == 0)
      return target;
    if (strcmp(known->path2, place->plain) == 0)
      recalled = place->plain;
    else if (recalled == NULL && serves(folder2, use))
      recalled = known->path2;
  }
  return recalled != NULL ? recalled : target;
}

/* Sends what lies below @from, and is not spoken for, below @to. */
static void
take_along(const HaulMappingInput *input, GArray *places, guint from, unsigned use)
{
  const Place *above = &g_array_index(places, Place, from);
  for (guint i = 0; i < places->len; i++) {
    Place *place = &g_array_index(places, Place, i);
    const char *rest = place->is_free ? haul_path_below(place->name, above->name) : NULL;
    if (rest == NULL || *rest == '\0' || place->use >= 0)
      continue;
    place->use = (int)use;
    set(place->mapping, g_strconcat(above->mapping->path2, rest, NULL),
        g_strdup_printf("as \"%s\": %s", input->folders1[from].path, above->mapping->rule));
  }
}

static char *
describe(unsigned use, const Special *source, const Special *target)
{
  if (!source->by_name && !target->by_name)
    return g_strdup_printf("special use %s", haul_use_name(use));
  return g_strdup_printf("%s by name%s", haul_use_name(use),
                         !target->by_name   ? " at the source"
                         : !source->by_name ? " at the destination"
                                            : "");
}

/* Finds the folder of the source that is for @use, and sends it to that of the destination. */
static void
map_use(const HaulMappingInput *input, GHashTable *index2, GArray *places, unsigned use, int *from)
{
  Special source = { 0 }, target = { 0 };
  *from = -1;
  for (guint i = 0; i < places->len; i++) {
    const Place *place = &g_array_index(places, Place, i);
    consider(&source, use, i, input->folders1[i].attributes, place->name);
  }
  Place *place = source.found ? &g_array_index(places, Place, source.index) : NULL;
  if (place == NULL || !place->is_free)
    return;
  for (guint i = 0; i < input->n_folders2; i++)
    consider(&target, use, i, input->folders2[i].attributes, input->folders2[i].path);
  const HaulPlanFolder *same = find_folder2(input, index2, place->plain);
  if (target.found && target.by_name && same != NULL && serves(same, use))
    target.index = (guint)(same - input->folders2);
  if (!target.found)
    return;
  const char *chosen = input->folders2[target.index].path;
  const char *path2 = recall(input, index2, input->folders1[source.index].path, place, use, chosen);
  place->use = (int)use;
  *from = (int)source.index;
  set(place->mapping, g_strdup(path2),
      strcmp(path2, chosen) == 0 ? describe(use, &source, &target)
                                 : g_strdup_printf("%s, as in earlier runs", haul_use_name(use)));
}

/* Returns path2 -> how many folders with mail go there. */
static GHashTable *
count_takers(const GArray *places)
{
  GHashTable *takers = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < places->len; i++) {
    const Place *place = &g_array_index(places, Place, i);
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(takers, place->mapping->path2));
    if (place->holds_mail)
      g_hash_table_insert(takers, place->mapping->path2, GUINT_TO_POINTER(n + 1));
  }
  return takers;
}

/* Gives up a use whose folders would meet others. Returns whether there was one. */
static bool
give_way(GArray *places)
{
  g_autoptr(GHashTable) takers = count_takers(places);
  int use = -1;
  for (guint i = 0; i < places->len && use < 0; i++) {
    const Place *place = &g_array_index(places, Place, i);
    if (place->use >= 0 && place->holds_mail
        && GPOINTER_TO_UINT(g_hash_table_lookup(takers, place->mapping->path2)) > 1)
      use = place->use;
  }
  for (guint i = 0; i < places->len && use >= 0; i++) {
    Place *place = &g_array_index(places, Place, i);
    if (place->use != use)
      continue;
    place->use = -1;
    set(place->mapping, g_strdup(place->plain),
        g_strdup_printf("%s; the destination's %s is another folder's", place->plain_rule,
                        haul_use_name((unsigned)use)));
  }
  return use >= 0;
}

static void
map_by_use(const HaulMappingInput *input, GArray *places)
{
  g_autoptr(GHashTable) index2 = g_hash_table_new(g_str_hash, g_str_equal);
  for (size_t i = 0; i < input->n_folders2; i++)
    g_hash_table_insert(index2, (char *)input->folders2[i].path, (void *)&input->folders2[i]);
  int from[HAUL_N_USES];
  for (unsigned use = 0; use < HAUL_N_USES; use++)
    map_use(input, index2, places, use, &from[use]);
  for (unsigned use = 0; use < HAUL_N_USES; use++)
    if (from[use] >= 0)
      take_along(input, places, (guint)from[use], use);
  while (give_way(places)) {
    /* what gave way may meet another one */
  }
}

GArray *
haul_map_folders(const HaulMappingInput *input, GError **error)
{
  g_autoptr(GArray) mappings = g_array_new(FALSE, TRUE, sizeof(HaulMapping));
  g_autoptr(GArray) places = g_array_new(FALSE, TRUE, sizeof(Place));
  g_array_set_clear_func(mappings, (GDestroyNotify)mapping_clear);
  g_array_set_clear_func(places, (GDestroyNotify)place_clear);
  g_array_set_size(mappings, (guint)input->n_folders1);
  for (guint i = 0; i < input->n_folders1; i++) {
    const HaulPlanFolder *folder = &input->folders1[i];
    Place place = { .mapping = &g_array_index(mappings, HaulMapping, i),
                    .name = folder->path,
                    .holds_mail = (folder->attributes & HAUL_FOLDER_NOSELECT) == 0,
                    .use = -1 };
    bool placed = place_by_wish(input, folder, &place, error);
    g_array_append_val(places, place);
    if (!placed)
      return NULL;
  }
  if (input->automaps)
    map_by_use(input, places);
  return g_steal_pointer(&mappings);
}

bool
haul_mapping_meets(const HaulPlanFolder *folders1, const GArray *mappings, guint *a, guint *b)
{
  g_autoptr(GHashTable) takers = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < mappings->len; i++) {
    const char *path2 = g_array_index(mappings, HaulMapping, i).path2;
    if (folders1[i].attributes & HAUL_FOLDER_NOSELECT)
      continue;
    guint taker = GPOINTER_TO_UINT(g_hash_table_lookup(takers, path2));
    if (taker > 0) {
      *a = taker - 1;
      *b = i;
      return true;
    }
    g_hash_table_insert(takers, (char *)path2, GUINT_TO_POINTER(i + 1));
  }
  return false;
}
