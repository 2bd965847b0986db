/* Looking at the folders of a pass in rounds. */
#include "rounds.h"

#include <mailhaul/error.h>

#include "listing.h"
#include "planning.h"

/* Folders are looked at in groups: what is listed and waits for a later round stays in memory. */
#define GROUP_MESSAGES 100000u
/* What a folder is reckoned at where the store does not count. */
#define USUAL_MESSAGES 1000u

static void
add_runs(HaulListRequest *request, const HaulListing *listing, const GArray *indices)
{
  for (guint i = 0; i < indices->len;) {
    guint end = i + 1;
    while (end < indices->len
           && g_array_index(indices, uint32_t, end)
                  == g_array_index(indices, uint32_t, end - 1) + 1)
      end++;
    HaulIdBuffer first, last;
    haul_list_request_add_range(
        request,
        haul_id_text(
            g_array_index(listing->items, HaulEntry, g_array_index(indices, uint32_t, i)).id,
            &first),
        haul_id_text(
            g_array_index(listing->items, HaulEntry, g_array_index(indices, uint32_t, end - 1)).id,
            &last));
    i = end;
  }
}

/* Returns what @found has for the items of @listing, beside them: keys or contents. */
static GArray *
keys_beside(HaulListing *listing, const HaulListing *found)
{
  g_autoptr(GHashTable) index = g_hash_table_new(g_str_hash, g_str_equal);
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, MAX(found->items->len, 1));
  for (guint i = 0; i < found->items->len; i++) {
    HaulId id = g_array_index(found->items, HaulEntry, i).id;
    g_hash_table_insert(index, (char *)haul_id_text(id, &buffers[i]), GUINT_TO_POINTER(i + 1));
  }
  GArray *keys = g_array_sized_new(FALSE, TRUE, sizeof(HaulKey), listing->items->len);
  g_array_set_size(keys, listing->items->len);
  for (guint i = 0; i < listing->items->len; i++) {
    HaulEntry *entry = &g_array_index(listing->items, HaulEntry, i);
    HaulIdBuffer buffer;
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(index, haul_id_text(entry->id, &buffer)));
    if (at == 0)
      continue;
    entry->size = g_array_index(found->items, HaulEntry, at - 1).size;
    g_array_index(keys, HaulKey, i) = g_array_index(found->keys, HaulKey, at - 1);
  }
  return keys;
}

/* The folders to be listed: what to ask, and later what came. First every folder is listed; then what
 * is new on both sides, with keys; then the contents of what keys do not tell apart. */
typedef struct {
  const HaulContext *context;
  HaulPass *pass;
  HaulListKind kind;
  GPtrArray *requests1, *requests2; /* owned; of HaulListRequest */
  GArray *numbers;                  /* owned; guint: which folder of the pass each is */
  GPtrArray *plannings;             /* owned; of HaulPlanning, beside: what was known before */
} Round;

static Round
round_new(const HaulContext *context, HaulPass *pass, HaulListKind kind)
{
  return (Round){
    .context = context,
    .pass = pass,
    .kind = kind,
    .requests1 = g_ptr_array_new_with_free_func((GDestroyNotify)haul_list_request_free),
    .requests2 = g_ptr_array_new_with_free_func((GDestroyNotify)haul_list_request_free),
    .numbers = g_array_new(FALSE, FALSE, sizeof(guint)),
    .plannings = g_ptr_array_new_with_free_func((GDestroyNotify)haul_planning_free),
  };
}

static void
round_clear(Round *round)
{
  g_clear_pointer(&round->requests1, g_ptr_array_unref);
  g_clear_pointer(&round->requests2, g_ptr_array_unref);
  g_clear_pointer(&round->numbers, g_array_unref);
  g_clear_pointer(&round->plannings, g_ptr_array_unref);
}

static HaulListing *
empty_listing(bool with_keys)
{
  HaulListing *listing = g_new0(HaulListing, 1);
  listing->ids = haul_ids_new();
  listing->items = g_array_new(FALSE, FALSE, sizeof(HaulEntry));
  if (with_keys)
    listing->keys = g_array_new(FALSE, FALSE, sizeof(HaulKey));
  return listing;
}

/* Puts @planning, which is taken, off until more is known of the items that @wanted1 and @wanted2 say. */
static void
put_off(Round *next, HaulPlanning *planning, guint folder, const GArray *wanted1,
        const GArray *wanted2)
{
  const HaulFolderWork *work = planning->work;
  HaulListRequest *request1 = haul_list_request_new(work->plan.folder1->path, next->kind);
  HaulListRequest *request2 = haul_list_request_new(work->plan.path2, next->kind);
  add_runs(request1, planning->listing1, wanted1);
  add_runs(request2, planning->listing2, wanted2);
  g_ptr_array_add(next->requests1, request1);
  g_ptr_array_add(next->requests2, request2);
  g_array_append_val(next->numbers, folder);
  g_ptr_array_add(next->plannings, planning);
}

/* Plans a folder, or puts it off to a later round. @planning is taken. */
static bool
plan_or_put_off(Round *rounds, HaulPlanning *planning, guint folder, GError **error)
{
  g_autoptr(HaulPlanning) owned = planning;
  HaulMessagesInput input = haul_planning_input(rounds->context, planning);
  g_autoptr(GArray) wanted1 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) wanted2 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  HaulListKind next = HAUL_LIST_IDS;
  if (input.keys1 == NULL && haul_plan_unpaired(&input, wanted1, wanted2))
    next = HAUL_LIST_KEYS;
  else if (input.keys1 != NULL && input.contents1 == NULL
           && haul_plan_ambiguous(&input, wanted1, wanted2))
    next = HAUL_LIST_CONTENTS;
  if (next == HAUL_LIST_IDS)
    return haul_planning_carry_out(rounds->context, rounds->pass, planning, folder, error);
  put_off(&rounds[next], g_steal_pointer(&owned), folder, wanted1, wanted2);
  return true;
}

/* Adds what a later round found to what was known before. */
static HaulPlanning *
complete(Round *round, guint at, const HaulPlanning *found)
{
  HaulPlanning *planning = g_steal_pointer(&round->plannings->pdata[at]);
  GArray *keys1 = keys_beside(planning->listing1, found->listing1);
  GArray *keys2 = keys_beside(planning->listing2, found->listing2);
  bool contents = round->kind == HAUL_LIST_CONTENTS;
  *(contents ? &planning->contents1 : &planning->listing1->keys) = keys1;
  *(contents ? &planning->contents2 : &planning->listing2->keys) = keys2;
  return planning;
}

/* Waits for both listings of a folder. Returns NULL with *@why set if one failed. */
static HaulPlanning *
next_planning(const HaulContext *context, HaulFolderWork *work, HaulLister *lister1,
              HaulLister *lister2, GError **why)
{
  g_autoptr(HaulPlanning) planning = g_new0(HaulPlanning, 1);
  planning->work = work;
  planning->pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  planning->listing1 = haul_lister_next(lister1);
  bool has_folder2 = work->plan.folder2 != NULL;
  planning->listing2 =
      has_folder2 ? haul_lister_next(lister2)
                  : empty_listing(planning->listing1 != NULL && planning->listing1->keys != NULL);
  g_assert(planning->listing1 != NULL && planning->listing2 != NULL);
  HaulListing *listings[] = { planning->listing1, planning->listing2 };
  GError *worst = NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(listings); i++)
    if (listings[i]->error != NULL
        && (worst == NULL || haul_error_reach(listings[i]->error) > haul_error_reach(worst)))
      worst = listings[i]->error;
  if (worst != NULL) {
    *why = g_error_copy(worst);
    return NULL;
  }
  if (!haul_planning_check_epochs(context, planning, why))
    return NULL;
  return g_steal_pointer(&planning);
}

/* Lists the folders of a round, and plans each or puts it off to a later one of @rounds. */
static bool
look_at_folders(Round *rounds, HaulListKind kind, HaulOpenStore *store1, HaulOpenStore *store2,
                GError **error)
{
  Round *round = &rounds[kind];
  if (round->numbers->len == 0)
    return true;
  HaulJournal *journal = round->context->journal;
  g_autoptr(HaulLister) lister1 = haul_lister_new(round->context, store1, round->requests1);
  g_autoptr(HaulLister) lister2 = haul_lister_new(round->context, store2, round->requests2);
  if (!haul_journal_begin(journal, error))
    return false;
  bool going = true;
  for (guint i = 0; going && i < round->numbers->len; i++) {
    guint folder = g_array_index(round->numbers, guint, i);
    HaulFolderWork *work = &g_array_index(round->pass->folders, HaulFolderWork, folder);
    GError *why = NULL;
    g_autoptr(HaulPlanning) found = next_planning(round->context, work, lister1, lister2, &why);
    if (found == NULL) {
      going = haul_contain(round->context, work, why, error);
      continue;
    }
    HaulPlanning *planning =
        kind == HAUL_LIST_IDS ? g_steal_pointer(&found) : complete(round, i, found);
    if (kind == HAUL_LIST_IDS && !haul_planning_take_state(round->context, planning, error)) {
      haul_planning_free(planning);
      going = false;
    } else
      going = plan_or_put_off(rounds, planning, folder, error);
  }
  return haul_journal_commit_after(journal, going, error);
}

static uint64_t
n_to_list(const HaulPlanFolder *folder)
{
  return folder == NULL                       ? 0
         : folder->n_messages == HAUL_UNKNOWN ? USUAL_MESSAGES
                                              : folder->n_messages;
}

/* Asks for the folders from *@next on, as many as may be in memory at once; *@next gets the one after. */
static void
request_listings(Round *round, guint *next)
{
  const GArray *folders = round->pass->folders;
  uint64_t n_messages = 0;
  for (; *next < folders->len && n_messages < GROUP_MESSAGES; ++*next) {
    const HaulFolderWork *work = &g_array_index(folders, HaulFolderWork, *next);
    const HaulFolderPlan *plan = &work->plan;
    if (work->unusable || (plan->look != HAUL_LOOK_LIST && plan->look != HAUL_LOOK_MATCH))
      continue;
    HaulListKind kind = plan->look == HAUL_LOOK_MATCH ? HAUL_LIST_KEYS : HAUL_LIST_IDS;
    HaulListRequest *request = haul_list_request_new(plan->folder1->path, kind);
    haul_list_request_add_range(request, NULL, NULL);
    g_ptr_array_add(round->requests1, request);
    if (plan->folder2 != NULL) {
      request = haul_list_request_new(plan->path2, kind);
      haul_list_request_add_range(request, NULL, NULL);
      g_ptr_array_add(round->requests2, request);
    }
    g_array_append_val(round->numbers, *next);
    n_messages += n_to_list(plan->folder1) + n_to_list(plan->folder2);
  }
}

/* Looks at one group of folders, in as many rounds as it takes to plan them all. */
static bool
look_at_group(const HaulContext *context, HaulPass *pass, HaulOpenStore *store1,
              HaulOpenStore *store2, guint *next, GError **error)
{
  static const HaulListKind kinds[] = { HAUL_LIST_IDS, HAUL_LIST_KEYS, HAUL_LIST_CONTENTS };
  Round rounds[G_N_ELEMENTS(kinds)];
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    rounds[kinds[i]] = round_new(context, pass, kinds[i]);
  request_listings(&rounds[HAUL_LIST_IDS], next);
  bool going = true;
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    going = going && look_at_folders(rounds, kinds[i], store1, store2, error);
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    round_clear(&rounds[i]);
  return going;
}

bool
haul_look_at_folders(const HaulContext *context, HaulPass *pass, HaulOpenStore *store1,
                     HaulOpenStore *store2, GError **error)
{
  for (guint next = 0; next < pass->folders->len;)
    if (!look_at_group(context, pass, store1, store2, &next, error))
      return false;
  return true;
}
