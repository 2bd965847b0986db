/* The survey: what is there on both sides, and what there is to do. */
#include "survey.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "listing.h"
#include "settle.h"

/* ---- the pass ---- */

static void
work_clear(HaulFolderWork *work)
{
  haul_ids_free(work->ids1);
  haul_ids_free(work->ids2);
}

static HaulPass *
pass_new(void)
{
  HaulPass *pass = g_new0(HaulPass, 1);
  pass->folders = g_array_new(FALSE, TRUE, sizeof(HaulFolderWork));
  g_array_set_clear_func(pass->folders, (GDestroyNotify)work_clear);
  pass->actions = g_array_new(FALSE, TRUE, sizeof(HaulAction));
  return pass;
}

void
haul_pass_free(HaulPass *pass)
{
  if (pass == NULL)
    return;
  g_array_unref(pass->folders);
  g_array_unref(pass->actions);
  g_free(pass);
}

/* What the state knows, as the planner takes it. */
static GArray *
known_folders(const GArray *journal)
{
  GArray *known = g_array_new(FALSE, TRUE, sizeof(HaulPlanKnown));
  for (guint i = 0; i < journal->len; i++) {
    const HaulJournalFolder *folder = &g_array_index(journal, HaulJournalFolder, i);
    HaulPlanKnown one = {
      .path1 = folder->path1,
      .path2 = folder->path2,
      .token1 = folder->token1,
      .token2 = folder->token2,
      .epoch1 = folder->epoch1,
      .epoch2 = folder->epoch2,
      .n_pairs = folder->n_pairs,
      .has_intents = folder->has_intents,
      .was_subscribed = folder->was_subscribed,
    };
    g_array_append_val(known, one);
  }
  return known;
}

/* Counts a folder in which nothing changed. */
static void
tally_unchanged(HaulFolderWork *work, const HaulJournalFolder *known)
{
  HaulTally *tally = work->tally;
  work->n_gone = known->n_gone;
  /* Each message of a complete folder has its pair. */
  bool is_counted = work->plan.folder1->n_messages != HAUL_UNKNOWN;
  tally->source = is_counted ? work->plan.folder1->n_messages : known->n_pairs;
  tally->n[HAUL_STATE_FILTERED] = MIN(known->n_gone, tally->source);
  tally->n[HAUL_STATE_THERE] =
      tally->source - tally->n[HAUL_STATE_FILTERED]
      - MIN(tally->n[HAUL_STATE_COPIED], tally->source - tally->n[HAUL_STATE_FILTERED]);
}

static const HaulJournalFolder *
find_known(const GArray *journal, const HaulFolderPlan *plan)
{
  for (guint i = 0; plan->known != NULL && i < journal->len; i++) {
    const HaulJournalFolder *folder = &g_array_index(journal, HaulJournalFolder, i);
    if (folder->path1 == plan->known->path1)
      return folder;
  }
  return NULL;
}

/* Ends a group of notes; what failed before counts more than what fails now. */
static bool
commit_group(HaulJournal *journal, bool going, GError **error)
{
  g_autoptr(GError) why = NULL;
  bool committed = haul_journal_commit(journal, &why);
  if (going && !committed)
    g_propagate_error(error, g_steal_pointer(&why));
  return going && committed;
}

/* Turns the folder plans into work, and lets the journal know of those that will be looked at. */
static bool
begin_folders(const HaulContext *context, HaulPass *pass, const GArray *plans,
              const GArray *journal, GError **error)
{
  for (guint i = 0; i < plans->len; i++) {
    HaulFolderWork work = { .plan = g_array_index(plans, HaulFolderPlan, i) };
    const HaulFolderPlan *plan = &work.plan;
    work.epoch1 = plan->folder1->epoch;
    work.epoch2 = plan->folder2 != NULL ? plan->folder2->epoch : 0;
    work.next_id2 = plan->folder2 != NULL ? plan->folder2->next_id : NULL;
    work.n_before2 = plan->folder2 != NULL ? plan->folder2->n_messages : 0;
    work.tally = haul_report_folder(context->report, plan->folder1->path, plan->path2);
    haul_report_retry(context->report, work.tally);
    const HaulJournalFolder *known = find_known(journal, plan);
    if (plan->look == HAUL_LOOK_NONE) {
      work.number = known->number;
      tally_unchanged(&work, known);
    } else {
      work.number = haul_journal_begin_folder(context->journal, plan->folder1->path, plan->path2,
                                              work.epoch1, work.epoch2, error);
      if (work.number < 0)
        return false;
      if (plan->folder1->n_messages != HAUL_UNKNOWN)
        work.tally->source = plan->folder1->n_messages;
    }
    g_array_append_val(pass->folders, work);
  }
  return true;
}

static void
folder_failed(const HaulContext *context, HaulFolderWork *work, const GError *why)
{
  work->unusable = work->incomplete = true;
  haul_report_folder_failed(context->report, work->tally, why);
  haul_log(HAUL_LOG_WARNING, "%s: %s", work->plan.folder1->path, why->message);
}

/* Handles the failure of one folder; returns false if it reaches farther, with @error set. */
static bool
contain(const HaulContext *context, HaulFolderWork *work, GError *why, GError **error)
{
  if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
    g_propagate_error(error, why);
    return false;
  }
  folder_failed(context, work, why);
  g_error_free(why);
  return true;
}

static bool
settle_all(const HaulContext *context, HaulOpenStore *store2, HaulPass *pass, GError **error)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    GError *why = NULL;
    if (work->plan.known != NULL && work->plan.known->has_intents
        && work->plan.look != HAUL_LOOK_NONE && !haul_settle(context, store2, work, &why)
        && !contain(context, work, why, error))
      return false;
  }
  return true;
}

/* ---- planning one folder from its listings ---- */

static GArray *
given_up_ids(const HaulTally *tally, HaulIds *ids)
{
  GArray *given_up = g_array_new(FALSE, FALSE, sizeof(HaulId));
  GHashTableIter iter;
  gpointer text;
  g_hash_table_iter_init(&iter, tally->in_trouble);
  while (g_hash_table_iter_next(&iter, &text, NULL)) {
    HaulId id = haul_id_intern(ids, text);
    g_array_append_val(given_up, id);
  }
  return given_up;
}

/* Tells the state what the plan found without anything being done. */
static bool
note_findings(const HaulContext *context, const HaulFolderWork *work, const HaulListing *listing1,
              const HaulListing *listing2, const HaulMessagesPlan *plan, GError **error)
{
  HaulIdBuffer buffer1, buffer2;
  HaulJournal *journal = context->journal;
  for (guint i = 0; i < plan->adopted->len; i++) {
    const HaulAdoption *adoption = &g_array_index(plan->adopted, HaulAdoption, i);
    const HaulEntry *item1 = &g_array_index(listing1->items, HaulEntry, adoption->index1);
    const HaulEntry *item2 = &g_array_index(listing2->items, HaulEntry, adoption->index2);
    uint32_t only1 = haul_keywords_minus(context->keywords, item1->keywords, item2->keywords);
    HaulCargo cargo = {
      .id1 = (char *)haul_id_text(item1->id, &buffer1),
      .size = item1->size,
      .flags = item1->flags & item2->flags,
      .keywords = haul_keywords_minus(context->keywords, item1->keywords, only1),
      .key = g_array_index(listing1->keys, HaulKey, adoption->index1),
    };
    if (!haul_journal_add_pair(journal, work->number, &cargo, haul_id_text(item2->id, &buffer2),
                               error))
      return false;
  }
  for (guint i = 0; i < plan->rebased->len; i++) {
    const HaulRebase *rebase = &g_array_index(plan->rebased, HaulRebase, i);
    if (!haul_journal_set_agreed(journal, work->number, haul_id_text(rebase->id1, &buffer1),
                                 rebase->flags, rebase->keywords, error))
      return false;
  }
  for (guint i = 0; i < plan->forgotten->len; i++)
    if (!haul_journal_forget_pair(journal, work->number,
                                  haul_id_text(g_array_index(plan->forgotten, HaulId, i), &buffer1),
                                  error))
      return false;
  return true;
}

static void
tally_plan(HaulFolderWork *work, const HaulMessagesPlan *plan, uint64_t n1)
{
  HaulTally *tally = work->tally;
  tally->source = n1;
  /* What an earlier pass of this run copied is there now, and counts as copied. */
  tally->n[HAUL_STATE_THERE] = plan->n_there - MIN(plan->n_there, tally->n[HAUL_STATE_COPIED]);
  tally->n[HAUL_STATE_FILTERED] = plan->n_gone;
  tally->n_conflicts = plan->n_conflicts;
  work->n_gone = plan->n_gone;
  if (plan->n_given_up > 0)
    work->incomplete = true;
}

/* A folder being planned: both listings, and what the state knows. */
typedef struct {
  HaulFolderWork *work;
  HaulListing *listing1, *listing2; /* owned */
  GArray *pairs;                    /* owned; of HaulPair */
  GArray *given_up;                 /* owned; of HaulId */
  GArray *contents1, *contents2;    /* owned; of HaulKey beside the items, or NULL */
} Planning;

static void
planning_free(Planning *planning)
{
  if (planning == NULL)
    return;
  haul_listing_free(planning->listing1);
  haul_listing_free(planning->listing2);
  g_array_unref(planning->pairs);
  g_clear_pointer(&planning->given_up, g_array_unref);
  g_clear_pointer(&planning->contents1, g_array_unref);
  g_clear_pointer(&planning->contents2, g_array_unref);
  g_free(planning);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Planning, planning_free)

static const HaulKey *
keys_in(const GArray *keys)
{
  return keys != NULL ? (const HaulKey *)(void *)keys->data : NULL;
}

static HaulMessagesInput
planner_input(const HaulContext *context, const Planning *planning)
{
  const HaulListing *listing1 = planning->listing1, *listing2 = planning->listing2;
  return (HaulMessagesInput){
    .items1 = (const HaulEntry *)(void *)listing1->items->data,
    .n1 = listing1->items->len,
    .keys1 = keys_in(listing1->keys),
    .contents1 = keys_in(planning->contents1),
    .items2 = (const HaulEntry *)(void *)listing2->items->data,
    .n2 = listing2->items->len,
    .keys2 = keys_in(listing2->keys),
    .contents2 = keys_in(planning->contents2),
    .pairs = (const HaulPair *)(void *)planning->pairs->data,
    .n_pairs = planning->pairs->len,
    .given_up = (const HaulId *)(void *)planning->given_up->data,
    .n_given_up = planning->given_up->len,
    .flags_mode = context->flags_mode,
    .keywords = context->keywords,
  };
}

static bool
plan_folder(const HaulContext *context, HaulPass *pass, Planning *planning, guint folder,
            GError **error)
{
  HaulFolderWork *work = planning->work;
  HaulMessagesInput input = planner_input(context, planning);
  HaulMessagesPlan plan;
  haul_plan_messages(&input, folder, &plan);
  bool noted = note_findings(context, work, planning->listing1, planning->listing2, &plan, error);
  tally_plan(work, &plan, input.n1);
  work->first_action = pass->actions->len;
  work->n_actions = plan.actions->len;
  g_array_append_vals(pass->actions, plan.actions->data, plan.actions->len);
  if (plan.actions->len > 0) {
    work->ids1 = g_steal_pointer(&planning->listing1->ids);
    work->ids2 = g_steal_pointer(&planning->listing2->ids);
  }
  haul_messages_plan_clear(&plan);
  return noted;
}

/* Whether listings are of the folders that we planned for. */
static bool
check_epochs(const Planning *planning, GError **error)
{
  const HaulFolderWork *work = planning->work;
  uint64_t epoch1 = planning->listing1->epoch, epoch2 = planning->listing2->epoch;
  bool other1 = epoch1 != 0 && work->epoch1 != 0 && epoch1 != work->epoch1;
  bool other2 = epoch2 != 0 && work->epoch2 != 0 && epoch2 != work->epoch2;
  if (!other1 && !other2)
    return true;
  haul_set_error(error, HAUL_ERROR_FOLDER, "epoch",
                 "%s: the folder was replaced while we looked at it; run again",
                 other1 ? "source" : "destination");
  return false;
}

/* ---- listing and planning all ---- */

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
  GPtrArray *plannings;             /* owned; of Planning, beside: what was known before */
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
    .plannings = g_ptr_array_new_with_free_func((GDestroyNotify)planning_free),
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
put_off(Round *next, Planning *planning, guint folder, const GArray *wanted1, const GArray *wanted2)
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

/* Takes what the first round tells. */
static bool
take_listings(const HaulContext *context, Planning *planning, GError **error)
{
  if (!haul_journal_load_pairs(context->journal, planning->work->number, planning->listing1->ids,
                               planning->listing2->ids, planning->pairs, error))
    return false;
  planning->given_up = given_up_ids(planning->work->tally, planning->listing1->ids);
  return true;
}

/* Plans a folder, or puts it off to a later round. @planning is taken. */
static bool
plan_or_put_off(Round *rounds, Planning *planning, guint folder, GError **error)
{
  g_autoptr(Planning) owned = planning;
  HaulMessagesInput input = planner_input(rounds->context, planning);
  g_autoptr(GArray) wanted1 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) wanted2 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  HaulListKind next = HAUL_LIST_IDS;
  if (input.keys1 == NULL && haul_plan_unpaired(&input, wanted1, wanted2))
    next = HAUL_LIST_KEYS;
  else if (input.keys1 != NULL && input.contents1 == NULL
           && haul_plan_ambiguous(&input, wanted1, wanted2))
    next = HAUL_LIST_CONTENTS;
  if (next == HAUL_LIST_IDS)
    return plan_folder(rounds->context, rounds->pass, planning, folder, error);
  put_off(&rounds[next], g_steal_pointer(&owned), folder, wanted1, wanted2);
  return true;
}

/* Adds what a later round found to what was known before. */
static Planning *
complete(Round *round, guint at, const Planning *found)
{
  Planning *planning = g_steal_pointer(&round->plannings->pdata[at]);
  GArray *keys1 = keys_beside(planning->listing1, found->listing1);
  GArray *keys2 = keys_beside(planning->listing2, found->listing2);
  bool contents = round->kind == HAUL_LIST_CONTENTS;
  *(contents ? &planning->contents1 : &planning->listing1->keys) = keys1;
  *(contents ? &planning->contents2 : &planning->listing2->keys) = keys2;
  return planning;
}

/* Waits for both listings of a folder. Returns NULL with *@why set if one failed. */
static Planning *
next_planning(HaulFolderWork *work, HaulLister *lister1, HaulLister *lister2, GError **why)
{
  g_autoptr(Planning) planning = g_new0(Planning, 1);
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
  if (!check_epochs(planning, why))
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
    g_autoptr(Planning) found = next_planning(work, lister1, lister2, &why);
    if (found == NULL) {
      going = contain(round->context, work, why, error);
      continue;
    }
    Planning *planning =
        kind == HAUL_LIST_IDS ? g_steal_pointer(&found) : complete(round, i, found);
    if (kind == HAUL_LIST_IDS && !take_listings(round->context, planning, error)) {
      planning_free(planning);
      going = false;
    } else
      going = plan_or_put_off(rounds, planning, folder, error);
  }
  return commit_group(journal, going, error);
}

static void
request_listings(Round *round)
{
  for (guint i = 0; i < round->pass->folders->len; i++) {
    const HaulFolderWork *work = &g_array_index(round->pass->folders, HaulFolderWork, i);
    if (work->unusable
        || (work->plan.look != HAUL_LOOK_LIST && work->plan.look != HAUL_LOOK_MATCH))
      continue;
    HaulListKind kind = work->plan.look == HAUL_LOOK_MATCH ? HAUL_LIST_KEYS : HAUL_LIST_IDS;
    HaulListRequest *request = haul_list_request_new(work->plan.folder1->path, kind);
    haul_list_request_add_range(request, NULL, NULL);
    g_ptr_array_add(round->requests1, request);
    if (work->plan.folder2 != NULL) {
      request = haul_list_request_new(work->plan.path2, kind);
      haul_list_request_add_range(request, NULL, NULL);
      g_ptr_array_add(round->requests2, request);
    }
    g_array_append_val(round->numbers, i);
  }
}

/* Looks at the folders in as many rounds as it takes to plan them all. */
static bool
look_in_rounds(const HaulContext *context, HaulPass *pass, HaulOpenStore *store1,
               HaulOpenStore *store2, GError **error)
{
  static const HaulListKind kinds[] = { HAUL_LIST_IDS, HAUL_LIST_KEYS, HAUL_LIST_CONTENTS };
  Round rounds[G_N_ELEMENTS(kinds)];
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    rounds[kinds[i]] = round_new(context, pass, kinds[i]);
  request_listings(&rounds[HAUL_LIST_IDS]);
  bool going = true;
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    going = going && look_at_folders(rounds, kinds[i], store1, store2, error);
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    round_clear(&rounds[i]);
  return going;
}

/* A destination folder that is empty, or not there, takes all. */
static void
plan_streams(HaulPass *pass)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    if (work->plan.look != HAUL_LOOK_STREAM)
      continue;
    HaulAction all = {
      .deed = HAUL_DO_COPY_ALL,
      .folder = i,
      .copy = { .n = work->plan.folder1->n_messages, .octets = work->plan.folder1->n_octets },
    };
    work->first_action = pass->actions->len;
    work->n_actions = 1;
    g_array_append_val(pass->actions, all);
  }
}

HaulPass *
haul_survey(const HaulContext *context, HaulOpenStore *store1, HaulOpenStore *store2,
            const GArray *folders1, const GArray *folders2, GError **error)
{
  GArray *journal = haul_journal_folders(context->journal, error);
  if (journal == NULL)
    return NULL;
  g_autoptr(GArray) known = known_folders(journal);
  HaulFoldersInput input = {
    .folders1 = (const HaulPlanFolder *)(void *)folders1->data,
    .n_folders1 = folders1->len,
    .folders2 = (const HaulPlanFolder *)(void *)folders2->data,
    .n_folders2 = folders2->len,
    .known = (const HaulPlanKnown *)(void *)known->data,
    .n_known = known->len,
  };
  g_autoptr(GArray) plans = haul_plan_folders(&input);
  g_autoptr(HaulPass) pass = pass_new();
  if (!haul_journal_begin(context->journal, error)
      || !commit_group(context->journal, begin_folders(context, pass, plans, journal, error), error)
      || !settle_all(context, store2, pass, error))
    return NULL;

  if (!look_in_rounds(context, pass, store1, store2, error))
    return NULL;
  plan_streams(pass);
  for (guint i = 0; i < pass->folders->len; i++) /* lent by this call alone */
    g_array_index(pass->folders, HaulFolderWork, i).plan.known = NULL;
  return g_steal_pointer(&pass);
}
