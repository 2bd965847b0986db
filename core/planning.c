/* Planning one folder pair from its listings. */
#include "planning.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "rebuild.h"
#include "selecting.h"
#include "sharing.h"

static void
folder_failed(const HaulContext *context, HaulFolderWork *work, const GError *why)
{
  work->unusable = true;
  work->incomplete = true;
  haul_report_folder_failed(context->report, work->tally, why);
  haul_log(HAUL_LOG_WARNING, "%s: %s", work->plan.folder1->path, why->message);
}

bool
haul_contain(const HaulContext *context, HaulFolderWork *work, GError *why, GError **error)
{
  if (haul_suspect_opened(&work->tally->suspect, HAUL_OPENED_TO_LOOK, false, why))
    haul_report_left_folder(context->report);
  if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
    g_propagate_error(error, why);
    return false;
  }
  folder_failed(context, work, why);
  g_error_free(why);
  return true;
}

/* Whether both are known, of what was asked for on both sides, if it was. */
static bool
are_known(const HaulKey *keys1, const HaulKey *keys2, const HaulAdoption *adoption, bool *equal)
{
  static const HaulKey nothing;
  if (keys1 == NULL || keys2 == NULL)
    return false;
  const HaulKey *key1 = &keys1[adoption->index1], *key2 = &keys2[adoption->index2];
  *equal = haul_key_equal(key1, key2);
  return !haul_key_equal(key1, &nothing) && !haul_key_equal(key2, &nothing);
}

/* Whether a copy that matching found is as large as the message, or has its content. */
static bool
is_proven(const HaulPlanning *planning, const HaulAdoption *adoption)
{
  const HaulEntry *item1 = &g_array_index(planning->listing1->items, HaulEntry, adoption->index1);
  const HaulEntry *item2 = &g_array_index(planning->listing2->items, HaulEntry, adoption->index2);
  bool equal;
  if (are_known(planning->traits1, planning->traits2, adoption, &equal) && equal)
    return true;
  if (are_known(planning->contents1, planning->contents2, adoption, &equal))
    return equal;
  return item1->size != HAUL_UNKNOWN && item1->size == item2->size;
}

/* Those that a later round found, or else came with the listing; NULL if there are none. */
static const HaulKey *
keys_of(const HaulKey *found, const HaulListing *listing)
{
  return found != NULL || listing->keys == NULL ? found
                                                : (const HaulKey *)(void *)listing->keys->data;
}

/* Puts off forgetting a pair whose message may have come to another folder. *@departs: whether that is so. */
static bool
note_departure(const HaulContext *context, HaulPass *pass, HaulFolderWork *work, const char *id1,
               const HaulEntry *item2, bool *departs, GError **error)
{
  g_autoptr(GArray) copies = g_array_new(FALSE, TRUE, sizeof(HaulCopy));
  *departs = false;
  /* Where folders are merged, it may have come to another one that goes there: the copy is free for that. */
  if (!pass->links || work->sharers != NULL || pass->departures->len >= HAUL_MAX_DEPARTURES)
    return true;
  if (!haul_journal_find_copy(context->journal, work->number, id1, copies, error))
    return false;
  *departs = copies->len > 0;
  if (!*departs)
    return true;
  HaulDeparture departure = { .from = work,
                              .copy = g_array_index(copies, HaulCopy, 0),
                              .flags2 = item2->flags,
                              .keywords2 = item2->keywords };
  g_array_append_val(pass->departures, departure);
  return true;
}

/* Tells the state what the plan found without anything being done. */
static bool
note_findings(const HaulContext *context, HaulPass *pass, const HaulPlanning *planning,
              const HaulMessagesPlan *plan, GError **error)
{
  HaulIdBuffer buffer1, buffer2;
  HaulFolderWork *work = planning->work;
  const HaulListing *listing1 = planning->listing1, *listing2 = planning->listing2;
  HaulLeaving *leaving = &work->tally->leaving;
  HaulJournal *journal = context->journal;
  const HaulKey *keys1 = keys_of(planning->keys1, listing1);
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
      .key = keys1[adoption->index1],
      .proven = is_proven(planning, adoption),
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
  for (guint i = 0; i < plan->absences->len; i++) {
    const HaulAbsence *absence = &g_array_index(plan->absences, HaulAbsence, i);
    if (!haul_journal_set_gone(journal, work->number, haul_id_text(absence->id1, &buffer1),
                               absence->gone, error))
      return false;
  }
  for (guint i = 0; i < plan->strays->len; i++) {
    const HaulStray *stray = &g_array_index(plan->strays, HaulStray, i);
    if (!haul_journal_set_stray(journal, work->number, haul_id_text(stray->id2, &buffer2),
                                stray->is_stray, error))
      return false;
  }
  guint n_parted = 0;
  for (guint i = 0; i < plan->forgotten->len; i++) {
    HaulId forgotten = g_array_index(plan->forgotten, HaulId, i);
    const char *id1 = haul_id_text(forgotten, &buffer1);
    const HaulParting *parting = n_parted < plan->partings->len
                                     ? &g_array_index(plan->partings, HaulParting, n_parted)
                                     : NULL;
    bool parts = parting != NULL && parting->id1 == forgotten, departs = false;
    n_parted += parts;
    if (parts
        && !note_departure(context, pass, work, id1,
                           &g_array_index(listing2->items, HaulEntry, parting->index2), &departs,
                           error))
      return false;
    if (!departs && !haul_journal_forget_pair(journal, work->number, id1, error))
      return false;
    haul_leaving_missed(leaving, id1);
    haul_batch_left(&work->tally->batch, id1);
  }
  for (guint i = 0; i < plan->departed->len; i++) {
    const char *id1 = haul_id_text(g_array_index(plan->departed, HaulId, i), &buffer1);
    if (!haul_journal_set_left(journal, work->number, id1, error))
      return false;
    haul_leaving_missed(leaving, id1);
    haul_batch_left(&work->tally->batch, id1);
  }
  haul_leaving_stay(leaving);
  return true;
}

/* Counts what is not selected, by the reason for it. */
static void
tally_left_out(const HaulContext *context, HaulFolderWork *work, const HaulMessagesPlan *plan)
{
  work->n_left_out = 0;
  for (unsigned verdict = HAUL_VERDICT_SELECTED + 1; verdict < HAUL_N_VERDICTS; verdict++) {
    haul_report_filtered(context->report, work->tally, (HaulVerdict)verdict,
                         plan->n_left_out[verdict]);
    work->n_left_out += plan->n_left_out[verdict];
  }
}

static void
tally_plan(HaulFolderWork *work, const HaulMessagesPlan *plan, uint64_t n1)
{
  HaulTally *tally = work->tally;
  tally->source = n1 + tally->leaving.n_gone;
  /* What an earlier pass of this run copied is there now, and counts as copied. What it removed at the
   * source was there, too. */
  work->n_there = plan->n_there + tally->leaving.n_gone;
  tally->n[HAUL_STATE_THERE] = work->n_there - MIN(work->n_there, tally->n[HAUL_STATE_COPIED]);
  /* What an earlier pass found to be no message is given up, too, but its folder is complete so. */
  work->n_gone = plan->n_gone + tally->n_pseudo;
  tally->n[HAUL_STATE_FILTERED] = work->n_gone;
  tally->n[HAUL_STATE_DUPLICATE] = plan->n_elsewhere + tally->n_twice;
  tally->n_conflicts = plan->n_conflicts;
  if (plan->n_given_up > tally->n_pseudo + tally->n_twice)
    work->incomplete = true;
}

/* Notes how many were listed, and what of an earlier pass of the run is gone at the destination. */
static void
note_listed(const HaulPlanning *planning)
{
  HaulFolderWork *work = planning->work;
  const HaulListing *listing1 = planning->listing1, *listing2 = planning->listing2;
  const HaulPlanFolder *folder1 = work->plan.folder1;
  HaulLeaving *leaving2 = &work->tally->leaving2;
  HaulIdBuffer buffer;
  work->is_listed = true;
  work->n_listed1 = listing1->items->len;
  work->n_listed2 = listing2->items->len;
  work->is_short =
      (listing1->n_messages != HAUL_UNKNOWN && listing1->n_messages > work->n_listed1)
      || (listing2->n_messages != HAUL_UNKNOWN && listing2->n_messages > work->n_listed2)
      || (folder1->n_messages != HAUL_UNKNOWN && folder1->n_messages > work->n_listed1);
  for (guint i = 0; leaving2->asked != NULL && i < listing2->items->len; i++)
    haul_leaving_found(leaving2,
                       haul_id_text(g_array_index(listing2->items, HaulEntry, i).id, &buffer));
  haul_leaving_confirm(leaving2);
}

/* Notes what a folder shows that may show other messages later. */
static void
note_shown(HaulFolderWork *work, const HaulListing *listing1)
{
  HaulIdBuffer buffer;
  if ((work->plan.folder1->attributes & HAUL_FOLDER_BATCHES) == 0)
    return;
  HaulBatch *batch = &work->tally->batch;
  haul_batch_begin_listing(batch);
  for (guint i = 0; i < listing1->items->len; i++)
    haul_batch_listed(batch,
                      haul_id_text(g_array_index(listing1->items, HaulEntry, i).id, &buffer));
}

void
haul_planning_free(HaulPlanning *planning)
{
  if (planning == NULL)
    return;
  haul_listing_free(planning->listing1);
  haul_listing_free(planning->listing2);
  g_array_unref(planning->pairs);
  g_array_unref(planning->strays);
  g_array_unref(planning->covered2);
  g_clear_pointer(&planning->given_up, g_array_unref);
  g_free(planning->keys1);
  g_free(planning->keys2);
  g_free(planning->contents1);
  g_free(planning->contents2);
  g_clear_pointer(&planning->verdicts1, g_array_unref);
  g_clear_pointer(&planning->verdicts2, g_array_unref);
  g_free(planning->likes1);
  g_free(planning->likes2);
  g_free(planning->traits1);
  g_free(planning->traits2);
  g_free(planning);
}

static const uint8_t *
verdicts_in(const GArray *verdicts)
{
  return verdicts != NULL ? (const uint8_t *)(void *)verdicts->data : NULL;
}

HaulMessagesInput
haul_planning_input(const HaulContext *context, const HaulPass *pass, const HaulPlanning *planning)
{
  const HaulListing *listing1 = planning->listing1, *listing2 = planning->listing2;
  const HaulFolderWork *work = planning->work;
  uint32_t attributes = work->plan.folder1->attributes;
  bool is_label = (attributes & HAUL_FOLDER_LABEL) != 0;
  HaulMessagesInput input = {
    .items1 = (const HaulEntry *)(void *)listing1->items->data,
    .n1 = listing1->items->len,
    .keys1 = keys_of(planning->keys1, listing1),
    .contents1 = planning->contents1,
    .items2 = (const HaulEntry *)(void *)listing2->items->data,
    .n2 = listing2->items->len,
    .keys2 = keys_of(planning->keys2, listing2),
    .contents2 = planning->contents2,
    .likes1 = planning->likes1,
    .likes2 = planning->likes2,
    .traits1 = planning->traits1,
    .traits2 = planning->traits2,
    .pairs = (const HaulPair *)(void *)planning->pairs->data,
    .n_pairs = planning->pairs->len,
    .strays = (const HaulId *)(void *)planning->strays->data,
    .n_strays = planning->strays->len,
    .covered2 = (const HaulId *)(void *)planning->covered2->data,
    .n_covered2 = planning->covered2->len,
    .given_up = (const HaulId *)(void *)planning->given_up->data,
    .n_given_up = planning->given_up->len,
    .verdicts1 = verdicts_in(planning->verdicts1),
    .verdicts2 = verdicts_in(planning->verdicts2),
    .shows_part = (attributes & HAUL_FOLDER_BATCHES) != 0,
    .first_alone = planning->work->tally->suspect.reads_alone,
    .flags_mode = attributes & HAUL_FOLDER_FLAGLESS ? HAUL_FLAGS_NONE : context->policy->flags_mode,
    .keywords = context->keywords,
  };
  if (listing1->twins == NULL)
    return input;
  input.twins1 = (const HaulTwin *)(void *)listing1->twins->data;
  input.place = (uint32_t)(work - (const HaulFolderWork *)(void *)pass->folders->data);
  input.is_rest = is_label && (attributes & HAUL_FOLDER_ALL) != 0;
  input.labels = is_label ? context->policy->labels : HAUL_LABELS_FOLDERS;
  input.providers = pass->links ? haul_objects_providers(pass->objects) : NULL;
  return input;
}

/* The place of a folder of the pass that has a copy of @object at the destination; HAUL_NO_PLACE if none
 * but @work has. */
static bool
find_provider(const HaulContext *context, const HaulPass *pass, const HaulFolderWork *work,
              const char *object, uint32_t *place, GError **error)
{
  g_autoptr(GArray) copies = g_array_new(FALSE, TRUE, sizeof(HaulCopy));
  g_array_set_clear_func(copies, (GDestroyNotify)haul_copy_clear);
  *place = HAUL_NO_PLACE;
  if (!haul_journal_find_copies(context->journal, object, copies, error))
    return false;
  for (guint i = 0; i < copies->len && *place == HAUL_NO_PLACE; i++) {
    const HaulFolderWork *from = haul_pass_find(pass, g_array_index(copies, HaulCopy, i).folder);
    if (from != NULL && from != work && !from->unusable)
      *place = (uint32_t)(from - (const HaulFolderWork *)(void *)pass->folders->data);
  }
  return true;
}

/* Notes the objects of messages that have no pair yet, and finds out which of them the destination has in
 * folders that are not looked at. */
static bool
take_objects(const HaulContext *context, const HaulPass *pass, const HaulPlanning *planning,
             const HaulMessagesInput *input, GError **error)
{
  g_autoptr(GArray) fresh = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  haul_plan_unpaired(input, fresh, others);
  for (guint i = 0; i < fresh->len; i++) {
    uint32_t index = g_array_index(fresh, uint32_t, i);
    uint32_t object = input->twins1[index].object;
    if (object == 0)
      continue;
    const char *id = haul_objects_id(pass->objects, object);
    HaulIdBuffer buffer;
    if (input->providers[object] == HAUL_NO_PLACE && pass->knows_objects
        && !find_provider(context, pass, planning->work, id, &input->providers[object], error))
      return false;
    if (!haul_journal_note_object(context->journal, id, planning->work->number,
                                  haul_id_text(input->items1[index].id, &buffer), error))
      return false;
  }
  return true;
}

void
haul_planning_keep_id(HaulFolderWork *work, HaulId *id)
{
  if (*id == 0 || haul_id_is_number(*id))
    return;
  if (work->ids == NULL)
    work->ids = haul_ids_new();
  HaulIdBuffer buffer;
  *id = haul_id_intern(work->ids, haul_id_text(*id, &buffer));
}

/* Lets the ids of the actions outlive the listings, which hold many more. */
static void
keep_ids(HaulFolderWork *work, GArray *actions)
{
  for (guint i = 0; i < work->n_actions; i++) {
    HaulAction *action = &g_array_index(actions, HaulAction, work->first_action + i);
    if (action->deed == HAUL_DO_LINK) {
      haul_planning_keep_id(work, &action->link.id1);
      continue;
    }
    bool flags = action->deed == HAUL_DO_FLAGS;
    haul_planning_keep_id(work, flags ? &action->flags.id1 : &action->copy.first);
    haul_planning_keep_id(work, flags ? &action->flags.id2 : &action->copy.last);
  }
}

/* Takes what others of the pass have got at the destination by now. */
static bool
take_covered(const HaulContext *context, HaulPlanning *planning, GError **error)
{
  g_array_set_size(planning->covered2, 0);
  return haul_sharing_load(context, planning->work, planning->listing2->ids, planning->covered2,
                           error);
}

bool
haul_planning_carry_out(const HaulContext *context, HaulPass *pass, HaulPlanning *planning,
                        guint folder, GError **error)
{
  HaulFolderWork *work = planning->work;
  if (!take_covered(context, planning, error)) /* others may have found theirs since */
    return false;
  HaulMessagesInput input = haul_planning_input(context, pass, planning);
  HaulMessagesPlan plan;
  if (input.providers != NULL && !take_objects(context, pass, planning, &input, error))
    return false;
  haul_plan_messages(&input, folder, &plan);
  note_shown(work, planning->listing1);
  note_listed(planning);
  bool noted = note_findings(context, pass, planning, &plan, error);
  tally_plan(work, &plan, input.n1);
  tally_left_out(context, work, &plan);
  work->first_action = pass->actions->len;
  work->n_actions = plan.actions->len;
  g_array_append_vals(pass->actions, plan.actions->data, plan.actions->len);
  keep_ids(work, pass->actions);
  haul_messages_plan_clear(&plan);
  return noted;
}

bool
haul_planning_check_epochs(const HaulContext *context, const HaulPlanning *planning, GError **error)
{
  const HaulFolderWork *work = planning->work;
  uint64_t epoch1 = planning->listing1 != NULL ? planning->listing1->epoch : 0;
  uint64_t epoch2 = planning->listing2 != NULL ? planning->listing2->epoch : 0;
  bool other1 = epoch1 != 0 && work->epoch1 != 0 && epoch1 != work->epoch1;
  bool other2 = epoch2 != 0 && work->epoch2 != 0 && epoch2 != work->epoch2;
  if (!other1 && !other2)
    return true;
  /* What the state has of it is of no more use: the next run begins anew. */
  if (haul_journal_begin_folder(context->journal, work->plan.folder1->path, work->plan.path2,
                                epoch1, epoch2, error)
      < 0)
    return false;
  haul_set_error(error, HAUL_ERROR_FOLDER, "epoch",
                 "%s: the folder was replaced while we looked at it; run again",
                 other1 ? "source" : "destination");
  return false;
}

HaulSource
haul_planning_source(const HaulContext *context, const HaulFolderPlan *plan,
                     const HaulOpenStore *store, unsigned side)
{
  const HaulPlanKnown *known = plan->known;
  if (side == 1
      && haul_selection_concerns(context->selection, 1)) /* the state does not know the others */
    return HAUL_SOURCE_LISTING;
  if (plan->look != HAUL_LOOK_LIST || context->policy->flags_mode != HAUL_FLAGS_MERGE
      || known == NULL || !plan->keep_pairs1 || !plan->keep_pairs2 || known->has_intents
      || !known->has_flags1)
    return HAUL_SOURCE_LISTING;
  const char *since = side == 1 ? known->token1 : known->token2;
  const char *now = side == 1 ? plan->folder1->token : plan->folder2->token;
  if (since == NULL || now == NULL)
    return HAUL_SOURCE_LISTING;
  if (strcmp(since, now) == 0)
    return HAUL_SOURCE_STATE;
  if (context->dry && side == 1)
    return HAUL_SOURCE_LISTING; /* changes tell no sizes, and a plan says how much is to be copied */
  return haul_store_can_tell_changes(store) ? HAUL_SOURCE_CHANGES : HAUL_SOURCE_LISTING;
}

bool
haul_planning_take_state(const HaulContext *context, HaulPlanning *planning, GError **error)
{
  g_array_set_size(planning->pairs, 0);
  g_array_set_size(planning->strays, 0);
  g_clear_pointer(&planning->given_up, g_array_unref);
  if (!haul_journal_load_pairs(context->journal, planning->work->number, planning->listing1->ids,
                               planning->listing2->ids, planning->pairs, error)
      || !haul_journal_load_strays(context->journal, planning->work->number,
                                   planning->listing2->ids, planning->strays, error)
      || !take_covered(context, planning, error))
    return false;
  planning->given_up = haul_tally_troubled(planning->work->tally, planning->listing1->ids);
  return true;
}

bool
haul_planning_rebuild(HaulPlanning *planning, unsigned side, HaulSource source)
{
  HaulListing **listing = side == 1 ? &planning->listing1 : &planning->listing2;
  const char *why = source == HAUL_SOURCE_LISTING ? "nothing else will do"
                    : (*listing)->error != NULL   ? (*listing)->error->message
                                                  : NULL;
  if (why == NULL
      && haul_rebuild_listing(*listing, planning->pairs, planning->strays, side,
                              source == HAUL_SOURCE_CHANGES))
    return true;
  haul_log(HAUL_LOG_DEBUG, "%s: side %u is listed: %s", planning->work->plan.folder1->path, side,
           why != NULL ? why : "what changed does not add up");
  g_clear_pointer(listing, haul_listing_free);
  return false;
}
