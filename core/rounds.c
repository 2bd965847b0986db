/* Looking at the folders of a pass in rounds. */
#include "rounds.h"

#include <string.h>

#include <mailhaul/error.h>

#include "listing.h"
#include "planning.h"
#include "selecting.h"

/* Folders are looked at in groups: what is listed and waits for a later round stays in memory. */
#define GROUP_MESSAGES 100000u
/* What a folder is reckoned at where the store does not count. */
#define USUAL_MESSAGES 1000u

static void
add_runs(HaulListRequest *request, const HaulListing *listing, const GArray *indices)
{
  for (guint i = 0; i < indices->len;) {
    guint end = i + 1;
    while (!listing->unordered && end < indices->len
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

/* Returns what @found has for the items of @listing, beside them: keys or contents. Its flags replace those
 * that were only taken for granted. */
static HaulKey *
keys_beside(HaulListing *listing, const HaulListing *found, bool has_flags)
{
  g_autoptr(GHashTable) index = g_hash_table_new(g_str_hash, g_str_equal);
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, MAX(found->items->len, 1));
  for (guint i = 0; i < found->items->len; i++) {
    HaulId id = g_array_index(found->items, HaulEntry, i).id;
    g_hash_table_insert(index, (char *)haul_id_text(id, &buffers[i]), GUINT_TO_POINTER(i + 1));
  }
  HaulKey *keys = g_new0(HaulKey, MAX(listing->items->len, 1));
  for (guint i = 0; i < listing->items->len; i++) {
    HaulEntry *entry = &g_array_index(listing->items, HaulEntry, i);
    HaulIdBuffer buffer;
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(index, haul_id_text(entry->id, &buffer)));
    if (at == 0)
      continue;
    const HaulEntry *told = &g_array_index(found->items, HaulEntry, at - 1);
    entry->size = told->size;
    if (has_flags) {
      entry->flags = told->flags;
      entry->keywords = told->keywords;
    }
    keys[i] = g_array_index(found->keys, HaulKey, at - 1);
  }
  return keys;
}

/* Returns the verdicts that @found has on items of @listing, beside them; what was not asked about is
 * selected. Takes the sizes, too. */
static GArray *
verdicts_beside(HaulListing *listing, const HaulListing *found)
{
  g_autoptr(GHashTable) index = g_hash_table_new(g_str_hash, g_str_equal);
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, MAX(found->items->len, 1));
  for (guint i = 0; i < found->items->len; i++) {
    HaulId id = g_array_index(found->items, HaulEntry, i).id;
    g_hash_table_insert(index, (char *)haul_id_text(id, &buffers[i]), GUINT_TO_POINTER(i + 1));
  }
  GArray *verdicts = g_array_sized_new(FALSE, TRUE, sizeof(uint8_t), listing->items->len);
  g_array_set_size(verdicts, listing->items->len);
  for (guint i = 0; i < listing->items->len; i++) {
    HaulEntry *entry = &g_array_index(listing->items, HaulEntry, i);
    HaulIdBuffer buffer;
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(index, haul_id_text(entry->id, &buffer)));
    if (at == 0)
      continue;
    entry->size = g_array_index(found->items, HaulEntry, at - 1).size;
    g_array_index(verdicts, uint8_t, i) = g_array_index(found->verdicts, uint8_t, at - 1);
  }
  return verdicts;
}

/* A folder of a round: what is known of it so far, and of which sides more is asked. */
typedef struct {
  guint number;           /* of the pass */
  HaulPlanning *planning; /* owned */
  bool asks1, asks2;
  HaulSource source1, source2; /* of a round of changes */
} Candidate;

static void
candidate_clear(Candidate *candidate)
{
  g_clear_pointer(&candidate->planning, haul_planning_free);
}

/* The folders to be listed: what to ask, and later what came. First what changed is asked for where the
 * state knows the rest; what cannot be had so is listed whole; then what is new on both sides, with keys;
 * then the contents of what keys do not tell apart. */
typedef struct {
  const HaulContext *context;
  HaulPass *pass;
  HaulListKind kind;
  GPtrArray *requests1, *requests2; /* owned; of HaulListRequest, of those candidates that ask */
  GArray *candidates;               /* owned; of Candidate */
} Round;

static Round
round_new(const HaulContext *context, HaulPass *pass, HaulListKind kind)
{
  Round round = {
    .context = context,
    .pass = pass,
    .kind = kind,
    .requests1 = g_ptr_array_new_with_free_func((GDestroyNotify)haul_list_request_free),
    .requests2 = g_ptr_array_new_with_free_func((GDestroyNotify)haul_list_request_free),
    .candidates = g_array_new(FALSE, TRUE, sizeof(Candidate)),
  };
  g_array_set_clear_func(round.candidates, (GDestroyNotify)candidate_clear);
  return round;
}

static void
round_clear(Round *round)
{
  g_clear_pointer(&round->requests1, g_ptr_array_unref);
  g_clear_pointer(&round->requests2, g_ptr_array_unref);
  g_clear_pointer(&round->candidates, g_array_unref);
}

/* Adds a folder to a round. @planning and the requests are taken; NULL: nothing is asked of that side. */
static void
add_candidate(Round *round, guint number, HaulPlanning *planning, HaulListRequest *request1,
              HaulListRequest *request2)
{
  Candidate candidate = {
    .number = number, .planning = planning, .asks1 = request1 != NULL, .asks2 = request2 != NULL
  };
  g_array_append_val(round->candidates, candidate);
  if (request1 != NULL)
    g_ptr_array_add(round->requests1, request1);
  if (request2 != NULL)
    g_ptr_array_add(round->requests2, request2);
}

static HaulPlanning *
planning_new(HaulFolderWork *work)
{
  HaulPlanning *planning = g_new0(HaulPlanning, 1);
  planning->work = work;
  planning->pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  planning->strays = g_array_new(FALSE, FALSE, sizeof(HaulId));
  planning->covered2 = g_array_new(FALSE, FALSE, sizeof(HaulId));
  return planning;
}

/* Puts @planning, which is taken, off until more is known of the items that @wanted1 and @wanted2 say. */
static void
put_off(Round *next, HaulPlanning *planning, guint folder, const GArray *wanted1,
        const GArray *wanted2, bool by_id)
{
  const HaulFolderWork *work = planning->work;
  HaulListRequest *request1 = haul_list_request_new(work->plan.folder1->path, next->kind);
  HaulListRequest *request2 = haul_list_request_new(work->plan.path2, next->kind);
  request1->by_id = request2->by_id = by_id;
  add_runs(request1, planning->listing1, wanted1);
  add_runs(request2, planning->listing2, wanted2);
  add_candidate(next, folder, planning, request1, request2);
}

/* What has to be known of a folder before it can be planned, and of which items; IDS if nothing. */
static HaulListKind
find_open_question(const HaulContext *context, const HaulPlanning *planning,
                   const HaulMessagesInput *input, GArray *wanted1, GArray *wanted2, bool *by_id)
{
  if (input->keys1 == NULL)
    return haul_plan_unpaired(input, wanted1, wanted2) ? HAUL_LIST_KEYS : HAUL_LIST_IDS;
  bool asked = input->likes1 != NULL;
  if (!asked && !planning->read_more && haul_plan_ambiguous(input, wanted1, wanted2))
    return input->contents1 == NULL ? HAUL_LIST_CONTENTS : HAUL_LIST_MORE;
  if (!asked && haul_chain_is_auto(context->chain)
      && haul_plan_unlike(input, wanted1, wanted2, by_id))
    return HAUL_LIST_LIKENESS;
  if (asked && input->traits1 == NULL && haul_plan_alike(input, wanted1, wanted2))
    return HAUL_LIST_TRAITS;
  return HAUL_LIST_IDS;
}

static HaulListRequest *
request_selection(const HaulContext *context, unsigned side, const char *path,
                  const HaulListing *listing, const GArray *wanted)
{
  if (!haul_selection_concerns(context->selection, side) || wanted->len == 0)
    return NULL;
  HaulListRequest *request = haul_list_request_new(path, HAUL_LIST_SELECTION);
  request->side = side;
  add_runs(request, listing, wanted);
  return request;
}

/* Puts @planning, which is taken then, off until it is known which messages are selected. Returns whether
 * there is something to ask. */
static bool
put_off_selection(Round *next, HaulPlanning *planning, guint folder, const HaulMessagesInput *input)
{
  g_autoptr(GArray) wanted1 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) wanted2 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  if (next->context->selection == NULL || planning->is_selected)
    return false;
  const HaulFolderWork *work = planning->work;
  planning->is_selected = true;
  haul_plan_unpaired(input, wanted1, wanted2);
  HaulListRequest *request1 =
      request_selection(next->context, 1, work->plan.folder1->path, planning->listing1, wanted1);
  HaulListRequest *request2 =
      request_selection(next->context, 2, work->plan.path2, planning->listing2, wanted2);
  if (request1 == NULL && request2 == NULL)
    return false;
  add_candidate(next, folder, planning, request1, request2);
  return true;
}

/* Plans a folder, or puts it off to a later round. @planning is taken. */
static bool
plan_or_put_off(Round *rounds, HaulPlanning *planning, guint folder, GError **error)
{
  g_autoptr(HaulPlanning) owned = planning;
  HaulMessagesInput input = haul_planning_input(rounds->context, rounds->pass, planning);
  g_autoptr(GArray) wanted1 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) wanted2 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  if (put_off_selection(&rounds[HAUL_LIST_SELECTION], planning, folder, &input)) {
    owned = NULL;
    return true;
  }
  bool by_id = false;
  HaulListKind next =
      find_open_question(rounds->context, planning, &input, wanted1, wanted2, &by_id);
  if (next == HAUL_LIST_IDS)
    return haul_planning_carry_out(rounds->context, rounds->pass, planning, folder, error);
  planning->read_more |= next == HAUL_LIST_MORE;
  put_off(&rounds[next], g_steal_pointer(&owned), folder, wanted1, wanted2, by_id);
  return true;
}

/* Where what a round of @kind found goes. */
static HaulKey **
place_of(HaulPlanning *planning, HaulListKind kind, unsigned side)
{
  switch (kind) {
  case HAUL_LIST_CONTENTS:
  case HAUL_LIST_MORE:
    return side == 1 ? &planning->contents1 : &planning->contents2;
  case HAUL_LIST_LIKENESS:
    return side == 1 ? &planning->likes1 : &planning->likes2;
  case HAUL_LIST_TRAITS:
    return side == 1 ? &planning->traits1 : &planning->traits2;
  default:
    return side == 1 ? &planning->keys1 : &planning->keys2;
  }
}

/* Puts what @found has for the items beside them, in *@place, and leaves there what was known before. */
static void
put_beside(HaulListing *listing, const HaulListing *found, bool has_flags, HaulKey **place)
{
  static const HaulKey nothing;
  g_autofree HaulKey *before = *place;
  *place = keys_beside(listing, found, has_flags);
  for (guint i = 0; before != NULL && i < listing->items->len; i++)
    if (!haul_key_equal(&before[i], &nothing))
      (*place)[i] = before[i];
}

/* Adds keys or contents, which a later round found, to what was known before, and goes on. */
static bool
take_keys(Round *rounds, const Round *round, Candidate *candidate, const HaulPlanning *found,
          GError **error)
{
  HaulPlanning *planning = g_steal_pointer(&candidate->planning);
  bool has_flags = round->kind == HAUL_LIST_KEYS || round->kind == HAUL_LIST_LIKENESS;
  put_beside(planning->listing1, found->listing1, has_flags, place_of(planning, round->kind, 1));
  put_beside(planning->listing2, found->listing2, has_flags, place_of(planning, round->kind, 2));
  return plan_or_put_off(rounds, planning, candidate->number, error);
}

/* Adds what is selected to what was known before, and goes on. */
static bool
take_selection(Round *rounds, Candidate *candidate, const HaulPlanning *found, GError **error)
{
  HaulPlanning *planning = g_steal_pointer(&candidate->planning);
  if (found->listing1 != NULL) {
    planning->verdicts1 = verdicts_beside(planning->listing1, found->listing1);
    planning->work->finds_nothing = found->listing1->finds_nothing;
  }
  if (found->listing2 != NULL)
    planning->verdicts2 = verdicts_beside(planning->listing2, found->listing2);
  return plan_or_put_off(rounds, planning, candidate->number, error);
}

/* Takes the listings that were found, and goes on. */
static bool
take_listings(Round *rounds, Candidate *candidate, HaulPlanning *found, GError **error)
{
  g_autoptr(HaulPlanning) planning = g_steal_pointer(&candidate->planning);
  if (planning->listing1 == NULL)
    planning->listing1 = g_steal_pointer(&found->listing1);
  if (planning->listing2 == NULL)
    planning->listing2 = g_steal_pointer(&found->listing2);
  if (planning->listing2 == NULL) /* no folder is there */
    planning->listing2 =
        haul_listing_new(planning->listing1->keys != NULL ? HAUL_LIST_KEYS : HAUL_LIST_IDS);
  return haul_planning_take_state(rounds->context, planning, error)
         && plan_or_put_off(rounds, g_steal_pointer(&planning), candidate->number, error);
}

/* @objects: of the source, where they are wanted. */
static HaulListRequest *
request_all(const char *path, HaulListKind kind, HaulObjects *objects)
{
  HaulListRequest *request = haul_list_request_new(path, kind);
  request->objects = objects;
  haul_list_request_add_range(request, NULL, NULL);
  return request;
}

/* A listing of a side of which nothing was asked. */
static HaulListing *
unasked_listing(const HaulPlanFolder *folder)
{
  HaulListing *listing = haul_listing_new(HAUL_LIST_IDS);
  listing->epoch = folder->epoch;
  listing->n_messages = folder->n_messages;
  return listing;
}

/* Makes complete listings of what changed, and goes on; what is not to be believed is listed whole. */
static bool
take_changes(Round *rounds, Candidate *candidate, HaulPlanning *found, GError **error)
{
  g_autoptr(HaulPlanning) planning = g_steal_pointer(&candidate->planning);
  const HaulFolderPlan *plan = &planning->work->plan;
  planning->listing1 =
      candidate->asks1 ? g_steal_pointer(&found->listing1) : unasked_listing(plan->folder1);
  planning->listing2 =
      candidate->asks2 ? g_steal_pointer(&found->listing2) : unasked_listing(plan->folder2);
  if (!haul_planning_take_state(rounds->context, planning, error))
    return false;
  HaulListRequest *request1 = NULL, *request2 = NULL;
  if (!haul_planning_rebuild(planning, 1, candidate->source1))
    request1 = request_all(plan->folder1->path, HAUL_LIST_IDS, NULL);
  if (!haul_planning_rebuild(planning, 2, candidate->source2))
    request2 = request_all(plan->path2, HAUL_LIST_IDS, NULL);
  if (request1 == NULL && request2 == NULL)
    return plan_or_put_off(rounds, g_steal_pointer(&planning), candidate->number, error);
  add_candidate(&rounds[HAUL_LIST_IDS], candidate->number, g_steal_pointer(&planning), request1,
                request2);
  return true;
}

/* Waits for the listings of a folder. Returns NULL with *@why set if one failed; but where only changes
 * were asked for, what does not reach beyond the folder stays with the listing. */
static HaulPlanning *
next_planning(const Round *round, const Candidate *candidate, HaulLister *lister1,
              HaulLister *lister2, GError **why)
{
  g_autoptr(HaulPlanning) planning = planning_new(candidate->planning->work);
  planning->listing1 = candidate->asks1 ? haul_lister_next(lister1) : NULL;
  planning->listing2 = candidate->asks2 ? haul_lister_next(lister2) : NULL;
  const HaulListing *listings[] = { planning->listing1, planning->listing2 };
  GError *worst = NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(listings); i++)
    if (listings[i] != NULL && listings[i]->error != NULL
        && (worst == NULL || haul_error_reach(listings[i]->error) > haul_error_reach(worst)))
      worst = listings[i]->error;
  bool contained = worst != NULL && round->kind == HAUL_LIST_CHANGES
                   && haul_error_reach(worst) <= HAUL_ERROR_FOLDER;
  if (worst != NULL && !contained) {
    *why = g_error_copy(worst);
    return NULL;
  }
  if (!haul_planning_check_epochs(round->context, planning, why))
    return NULL;
  return g_steal_pointer(&planning);
}

/* Goes on with a folder of which the listings have come. */
static bool
take_found(Round *rounds, const Round *round, Candidate *candidate, HaulPlanning *found,
           GError **error)
{
  switch (round->kind) {
  case HAUL_LIST_CHANGES:
    return take_changes(rounds, candidate, found, error);
  case HAUL_LIST_IDS:
    return take_listings(rounds, candidate, found, error);
  case HAUL_LIST_SELECTION:
    return take_selection(rounds, candidate, found, error);
  default:
    return take_keys(rounds, round, candidate, found, error);
  }
}

/* Lists the folders of a round, and plans each or puts it off to a later one of @rounds. */
static bool
look_at_folders(Round *rounds, HaulListKind kind, HaulOpenStore *store1, HaulOpenStore *store2,
                GError **error)
{
  Round *round = &rounds[kind];
  if (round->candidates->len == 0)
    return true;
  HaulJournal *journal = round->context->journal;
  g_autoptr(HaulLister) lister1 = haul_lister_new(round->context, store1, round->requests1);
  g_autoptr(HaulLister) lister2 = haul_lister_new(round->context, store2, round->requests2);
  if (!haul_journal_begin(journal, error))
    return false;
  bool going = true;
  for (guint i = 0; going && i < round->candidates->len; i++) {
    Candidate *candidate = &g_array_index(round->candidates, Candidate, i);
    HaulFolderWork *work = candidate->planning->work;
    GError *why = NULL;
    g_autoptr(HaulPlanning) found = next_planning(round, candidate, lister1, lister2, &why);
    if (found != NULL)
      haul_suspect_opened(&work->tally->suspect, HAUL_OPENED_TO_LOOK, false, NULL);
    going = found != NULL ? take_found(rounds, round, candidate, found, error)
                          : haul_contain(round->context, work, why, error);
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

/* Asks for what changed in a folder, where that is its source. */
static HaulListRequest *
request_changes(const char *path, const char *since, HaulSource source)
{
  if (source != HAUL_SOURCE_CHANGES)
    return NULL;
  HaulListRequest *request = haul_list_request_new(path, HAUL_LIST_CHANGES);
  request->since = since;
  return request;
}

/* Adds a folder of which the state knows one side at least. */
static void
request_what_changed(Round *round, guint number, HaulFolderWork *work, HaulSource source1,
                     HaulSource source2)
{
  const HaulFolderPlan *plan = &work->plan;
  add_candidate(round, number, planning_new(work),
                request_changes(plan->folder1->path, plan->known->token1, source1),
                request_changes(plan->path2, plan->known->token2, source2));
  Candidate *candidate = &g_array_index(round->candidates, Candidate, round->candidates->len - 1);
  candidate->source1 = source1;
  candidate->source2 = source2;
}

/* Asks for the folders from *@next on, as many as may be in memory at once; *@next gets the one after. */
static void
request_listings(Round *rounds, const HaulOpenStore *store1, const HaulOpenStore *store2,
                 guint *next)
{
  const HaulContext *context = rounds->context;
  const GArray *folders = rounds->pass->folders;
  HaulObjects *objects = rounds->pass->objects;
  uint64_t n_messages = 0;
  for (; *next < folders->len && n_messages < GROUP_MESSAGES; ++*next) {
    HaulFolderWork *work = &g_array_index(folders, HaulFolderWork, *next);
    const HaulFolderPlan *plan = &work->plan;
    if (work->unusable || (plan->look != HAUL_LOOK_LIST && plan->look != HAUL_LOOK_MATCH))
      continue;
    bool matches = plan->look == HAUL_LOOK_MATCH && context->selection == NULL;
    HaulListKind kind = matches ? HAUL_LIST_KEYS : HAUL_LIST_IDS;
    HaulSource source1 = haul_planning_source(context, plan, store1, 1);
    HaulSource source2 = haul_planning_source(context, plan, store2, 2);
    /* Object ids are not among what a store tells of changes. */
    if (objects == NULL && (source1 != HAUL_SOURCE_LISTING || source2 != HAUL_SOURCE_LISTING))
      request_what_changed(&rounds[HAUL_LIST_CHANGES], *next, work, source1, source2);
    else
      add_candidate(&rounds[HAUL_LIST_IDS], *next, planning_new(work),
                    request_all(plan->folder1->path, kind, objects),
                    plan->folder2 != NULL ? request_all(plan->path2, kind, NULL) : NULL);
    n_messages += n_to_list(plan->folder1) + n_to_list(plan->folder2);
  }
}

/* Looks at one group of folders, in as many rounds as it takes to plan them all. */
static bool
look_at_group(const HaulContext *context, HaulPass *pass, HaulOpenStore *store1,
              HaulOpenStore *store2, guint *next, GError **error)
{
  static const HaulListKind kinds[] = { HAUL_LIST_CHANGES,  HAUL_LIST_IDS,      HAUL_LIST_SELECTION,
                                        HAUL_LIST_KEYS,     HAUL_LIST_CONTENTS, HAUL_LIST_MORE,
                                        HAUL_LIST_LIKENESS, HAUL_LIST_TRAITS };
  Round rounds[G_N_ELEMENTS(kinds)];
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    rounds[kinds[i]] = round_new(context, pass, kinds[i]);
  request_listings(rounds, store1, store2, next);
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
