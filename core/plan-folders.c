/* What to do with folders: pure, no I/O. */
#include "plan.h"

#include <string.h>

#include <mailhaul/message.h>
#include <mailhaul/plugin.h>

static GHashTable *
index_folders(const HaulPlanFolder *folders, size_t n)
{
  GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);
  for (size_t i = 0; i < n; i++)
    g_hash_table_insert(index, (char *)folders[i].path, (void *)&folders[i]);
  return index;
}

static bool
same_epoch(uint64_t known, uint64_t now)
{
  return known != 0 && (now == 0 || known == now); /* 0: the store did not tell */
}

static bool
same_token(const char *known, const char *now)
{
  return known != NULL && now != NULL && strcmp(known, now) == 0;
}

/* Whether each message of the destination is the copy of a pair, as far as numbers tell. */
static bool
has_no_strays(const HaulFolderPlan *plan)
{
  const HaulPlanFolder *folder2 = plan->folder2;
  uint64_t n_pairs = plan->known != NULL ? plan->known->n_pairs - plan->known->n_gone : 0;
  return folder2 == NULL || folder2->n_messages <= n_pairs;
}

/* Whether what is copied as it comes has to be listed all the same. */
static bool
is_listed_first(const HaulPlanFolder *folder1, const HaulFoldersInput *input)
{
  bool is_counted = folder1->n_messages != HAUL_UNKNOWN && folder1->n_octets != HAUL_UNKNOWN;
  return input->lists_all || input->selects || (input->lists_unknown && !is_counted);
}

static HaulLook
look_at(const HaulFolderPlan *plan, const HaulFoldersInput *input)
{
  const HaulPlanKnown *known = plan->known;
  const HaulPlanFolder *folder1 = plan->folder1, *folder2 = plan->folder2;
  bool has_pairs = known != NULL && plan->keep_pairs1 && plan->keep_pairs2;
  bool has_intents = known != NULL && known->has_intents;

  /* Who has asked for a message of such a folder may not be shown it again: it has to be known by then. */
  bool shows_part = (folder1->attributes & HAUL_FOLDER_BATCHES) != 0;
  if (has_pairs && !has_intents && !shows_part && (!input->mirrors || has_no_strays(plan))
      && same_token(known->token1, folder1->token) && same_token(known->token2, folder2->token))
    return HAUL_LOOK_NONE;
  if (has_intents || (has_pairs && known->n_pairs > 0))
    return HAUL_LOOK_LIST;
  if (input->mirrors && folder2 != NULL && folder2->n_messages != 0 && folder1->n_messages == 0)
    return HAUL_LOOK_LIST;
  if (folder1->n_messages == 0)
    return HAUL_LOOK_NOTHING;
  if (folder2 == NULL || folder2->n_messages == 0)
    return shows_part || is_listed_first(folder1, input) ? HAUL_LOOK_LIST : HAUL_LOOK_STREAM;
  return HAUL_LOOK_MATCH;
}

/* Two paths that differ by case, whatever letters they have. */
static bool
same_but_for_case(const char *a, const char *b)
{
  g_autofree char *valid_a = g_utf8_make_valid(a, -1), *valid_b = g_utf8_make_valid(b, -1);
  g_autofree char *folded_a = g_utf8_casefold(valid_a, -1);
  g_autofree char *folded_b = g_utf8_casefold(valid_b, -1);
  return strcmp(folded_a, folded_b) == 0;
}

/* Whether @known is of the folder under a name that the destination spells otherwise now. */
static bool
is_respelt(const HaulFolderPlan *plan, const HaulPlanKnown *known, GHashTable *index2)
{
  uint64_t now = plan->folder2 != NULL ? plan->folder2->epoch : 0;
  return plan->folder2 != NULL && g_hash_table_lookup(index2, known->path2) == NULL
         && same_but_for_case(known->path2, plan->path2)
         && (known->epoch2 == 0 || now == 0 || known->epoch2 == now);
}

/* Finds what the state knows of the pair. @known: of the source folder, which may have gone to several
 * others; or NULL. */
static const HaulPlanKnown *
find_known(const HaulFolderPlan *plan, const GPtrArray *known, bool is_spelt, GHashTable *index2)
{
  for (guint i = 0; known != NULL && i < known->len; i++)
    if (strcmp(((const HaulPlanKnown *)known->pdata[i])->path2, plan->path2) == 0)
      return known->pdata[i];
  for (guint i = 0; known != NULL && is_spelt && i < known->len; i++)
    if (is_respelt(plan, known->pdata[i], index2))
      return known->pdata[i];
  return NULL;
}

/* Returns path1 -> owned GPtrArray of HaulPlanKnown. */
static GHashTable *
index_known(const HaulPlanKnown *known, size_t n)
{
  GHashTable *index =
      g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
  for (size_t i = 0; i < n; i++) {
    GPtrArray *of_path = g_hash_table_lookup(index, known[i].path1);
    if (of_path == NULL)
      g_hash_table_insert(index, (char *)known[i].path1, of_path = g_ptr_array_new());
    g_ptr_array_add(of_path, (void *)&known[i]);
  }
  return index;
}

/* Lets one source folder have each folder of the destination: they are merged only when that is asked
 * for. */
static void
part_folders(GArray *plans)
{
  g_autoptr(GHashTable) takers = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint round = 0; round < 2; round++) { /* its very name first */
    for (guint i = 0; i < plans->len; i++) {
      HaulFolderPlan *plan = &g_array_index(plans, HaulFolderPlan, i);
      if ((strcmp(plan->path2, plan->folder1->path) == 0) != (round == 0))
        continue;
      plan->taken_by = g_hash_table_lookup(takers, plan->path2);
      if (plan->taken_by == NULL) {
        g_hash_table_insert(takers, (char *)plan->path2, (char *)plan->folder1->path);
        continue;
      }
      plan->look = HAUL_LOOK_NOTHING;
      plan->create = plan->subscribe = false;
    }
  }
}

/* @is_asked_for: by the user, for this folder. */
static bool
subscribes(const HaulFolderPlan *plan, HaulSubscribing subscribing, bool is_asked_for)
{
  bool is_there = plan->folder2 != NULL && (plan->folder2->attributes & HAUL_FOLDER_SUBSCRIBED);
  if (subscribing != HAUL_SUBSCRIBE_AS_SOURCE || is_there)
    return subscribing == HAUL_SUBSCRIBE_ALL && !is_there;
  return (is_asked_for || (plan->folder1->attributes & HAUL_FOLDER_SUBSCRIBED))
         && (plan->create || plan->known == NULL || !plan->known->was_subscribed);
}

GArray *
haul_plan_folders(const HaulFoldersInput *input)
{
  g_autoptr(GHashTable) index2 = index_folders(input->folders2, input->n_folders2);
  g_autoptr(GHashTable) known = index_known(input->known, input->n_known);

  GArray *plans = g_array_new(FALSE, TRUE, sizeof(HaulFolderPlan));
  for (size_t i = 0; i < input->n_folders1; i++) {
    const HaulPlanFolder *folder1 = &input->folders1[i];
    if (folder1->attributes & HAUL_FOLDER_NOSELECT)
      continue; /* its children bring it along, where the destination needs it */
    HaulFolderPlan plan = { .folder1 = folder1, .path2 = folder1->path, .rule = "same name" };
    const HaulMapping *mapping = input->mappings != NULL ? &input->mappings[i] : NULL;
    if (mapping != NULL) {
      plan.path2 = mapping->path2;
      plan.rule = mapping->rule;
      plan.is_sent_elsewhere = mapping->is_wish;
    }
    const char *spelling =
        input->spellings2 != NULL ? g_hash_table_lookup(input->spellings2, plan.path2) : NULL;
    if (spelling != NULL) {
      plan.path2 = spelling;
      plan.rule = mapping == NULL ? "same name but for case" : plan.rule;
    }
    plan.folder2 = g_hash_table_lookup(index2, plan.path2);
    if (plan.folder2 != NULL && (plan.folder2->attributes & HAUL_FOLDER_NOSELECT))
      plan.folder2 = NULL;
    plan.known =
        find_known(&plan, g_hash_table_lookup(known, folder1->path), spelling != NULL, index2);
    if (plan.known != NULL) {
      plan.keep_pairs1 = same_epoch(plan.known->epoch1, folder1->epoch);
      plan.keep_pairs2 =
          plan.folder2 != NULL && same_epoch(plan.known->epoch2, plan.folder2->epoch);
    }
    plan.create = plan.folder2 == NULL;
    plan.subscribe = subscribes(&plan, input->subscribing, mapping != NULL && mapping->subscribes);
    plan.look = look_at(&plan, input);
    g_array_append_val(plans, plan);
  }
  if (!input->merges && input->spellings2 != NULL && g_hash_table_size(input->spellings2) > 0)
    part_folders(plans);
  return plans;
}
