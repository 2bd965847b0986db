/* The survey: what is there on both sides, and what there is to do. */
#include "survey.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "moves.h"
#include "planning.h"
#include "rounds.h"
#include "selecting.h"
#include "sessions.h"
#include "settle.h"
#include "sharing.h"
#include "steady.h"

/* ---- the pass ---- */

static void
work_clear(HaulFolderWork *work)
{
  haul_ids_free(work->ids);
  g_clear_pointer(&work->sharers, g_array_unref);
}

static void
departure_clear(HaulDeparture *departure)
{
  haul_copy_clear(&departure->copy);
}

static HaulPass *
pass_new(void)
{
  HaulPass *pass = g_new0(HaulPass, 1);
  pass->folders = g_array_new(FALSE, TRUE, sizeof(HaulFolderWork));
  g_array_set_clear_func(pass->folders, (GDestroyNotify)work_clear);
  pass->actions = g_array_new(FALSE, TRUE, sizeof(HaulAction));
  pass->vanished = g_array_new(FALSE, TRUE, sizeof(HaulFolderWork));
  pass->departures = g_array_new(FALSE, TRUE, sizeof(HaulDeparture));
  g_array_set_clear_func(pass->departures, (GDestroyNotify)departure_clear);
  return pass;
}

void
haul_pass_free(HaulPass *pass)
{
  if (pass == NULL)
    return;
  g_array_unref(pass->folders);
  g_array_unref(pass->actions);
  g_array_unref(pass->departures);
  g_array_unref(pass->vanished);
  haul_objects_free(pass->objects);
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
      .n_gone = MIN(folder->n_gone, folder->n_pairs),
      .has_intents = folder->has_intents,
      .was_subscribed = folder->was_subscribed,
      .has_flags1 = folder->has_flags1,
    };
    g_array_append_val(known, one);
  }
  return known;
}

/* Counts a folder in which nothing changed. */
static bool
tally_unchanged(const HaulContext *context, HaulFolderWork *work, const HaulJournalFolder *known,
                GError **error)
{
  HaulTally *tally = work->tally;
  uint64_t n_left;
  if (!haul_journal_count_left(context->journal, known->number, &n_left, error))
    return false;
  uint64_t n_pairs = known->n_pairs - MIN(n_left, known->n_pairs);
  work->n_gone = known->n_gone;
  /* Each message of a complete folder has its pair, or is left to another folder. */
  bool is_counted = work->plan.folder1->n_messages != HAUL_UNKNOWN;
  tally->source = is_counted ? work->plan.folder1->n_messages : n_pairs;
  tally->source += tally->leaving.n_gone;
  bool is_label = (work->plan.folder1->attributes & HAUL_FOLDER_LABEL) != 0;
  uint64_t left = tally->source;
  if (is_label)
    left = MIN(n_pairs, left);
  tally->n[HAUL_STATE_DUPLICATE] = tally->source - left;
  tally->n[HAUL_STATE_FILTERED] = MIN(known->n_gone, left);
  left -= tally->n[HAUL_STATE_FILTERED];
  tally->n[HAUL_STATE_THERE] = left - MIN(tally->n[HAUL_STATE_COPIED], left);
  return true;
}

/*
 * Whether the epoch of a folder of the destination is still to come: it has no message, and we know of
 * none. Courier and Mailutils say another one at each time of asking, until the first message is there.
 */
static bool
has_no_epoch_yet(const HaulFolderPlan *plan)
{
  return plan->folder2 == NULL
         || (plan->folder2->n_messages == 0 && (plan->known == NULL || plan->known->n_pairs == 0));
}

/* Leaves a folder at which connections end. One message can be asked for alone, or left out, only where its
 * id is known. */
static void
heed_suspicions(const HaulContext *context, HaulFolderWork *work)
{
  const HaulSuspect *suspect = &work->tally->suspect;
  bool picks = suspect->reads_alone || g_hash_table_size(work->tally->in_trouble) > 0;
  if (picks && work->plan.look == HAUL_LOOK_STREAM)
    work->plan.look = HAUL_LOOK_LIST;
  const char *closed = haul_suspect_is_closed(suspect);
  if (closed == NULL)
    return;
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_FOLDER, "select",
                 "the connection was lost twice when this folder was opened: %s", closed);
  work->unusable = true;
  work->incomplete = true;
  haul_report_folder_failed(context->report, work->tally, why);
}

/* Fails a folder whose place at the destination another one has. */
static void
leave(const HaulContext *context, HaulFolderWork *work)
{
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_FOLDER, "create",
                 "cannot be made: at the destination it is the same as \"%s\", where \"%s\" goes",
                 work->plan.path2, work->plan.taken_by);
  haul_report_folder_failed(context->report, work->tally, why);
  work->unusable = work->incomplete = true;
}

/* Notes for haul_mirror() what earlier runs knew of the folder, and whether the destination's is empty. */
static void
note_known(const HaulFolderPlan *plan, HaulTally *tally)
{
  const HaulPlanKnown *known = plan->known;
  uint64_t epoch1 = plan->folder1->epoch;
  bool was_known = known != NULL && known->n_pairs > 0;
  tally->was_known |= was_known;
  tally->renumbered |= was_known && known->epoch1 != 0 && epoch1 != 0 && known->epoch1 != epoch1;
  if (plan->folder2 == NULL || plan->folder2->n_messages == 0)
    haul_leaving_confirm(&tally->leaving2);
}

/* Turns the folder plans into work, and lets the journal know of those that will be looked at.
 * @first_known: the planner's view of @journal, entry by entry. */
static bool
begin_folders(const HaulContext *context, HaulPass *pass, const GArray *plans,
              const GArray *journal, const HaulPlanKnown *first_known, GError **error)
{
  for (guint i = 0; i < plans->len; i++) {
    HaulFolderWork work = { .plan = g_array_index(plans, HaulFolderPlan, i) };
    const HaulFolderPlan *plan = &work.plan;
    work.epoch1 = plan->folder1->epoch;
    bool fresh2 = has_no_epoch_yet(plan);
    work.epoch2 = fresh2 ? 0 : plan->folder2->epoch;
    work.next_id2 = plan->folder2 != NULL ? plan->folder2->next_id : NULL;
    work.n_before2 = plan->folder2 != NULL ? plan->folder2->n_messages : 0;
    work.tally = haul_report_folder(context->report, plan->folder1->path, plan->path2);
    haul_report_retry(context->report, work.tally);
    if (g_hash_table_contains(context->made2, plan->path2))
      haul_report_created(context->report, work.tally);
    heed_suspicions(context, &work);
    HaulLeaving *leaving = &work.tally->leaving;
    leaving->matched_anew |= plan->known == NULL || !plan->keep_pairs1 || !plan->keep_pairs2
                             || plan->look == HAUL_LOOK_MATCH;
    if (plan->known != NULL && !plan->keep_pairs2)
      haul_report_begin_anew(context->report, work.tally);
    note_known(plan, work.tally);
    if (plan->folder1->n_messages == 0) /* then they are gone, all that were asked for */
      haul_leaving_confirm(leaving);
    const HaulJournalFolder *known =
        plan->known != NULL ? &g_array_index(journal, HaulJournalFolder, plan->known - first_known)
                            : NULL;
    /* What was on its way there when a run ended may come yet, and is looked for. */
    bool awaits = fresh2 && plan->folder2 != NULL && known != NULL && known->has_intents;
    uint64_t epoch2 = fresh2 && !awaits ? HAUL_EPOCH_GONE : work.epoch2;
    if (known != NULL && strcmp(known->path2, plan->path2) != 0
        && !haul_journal_rename_folder(context->journal, known->number, plan->path2, error))
      return false;
    if (plan->look == HAUL_LOOK_NONE) {
      work.number = known->number;
      if (!tally_unchanged(context, &work, known, error))
        return false;
    } else {
      work.number = haul_journal_begin_folder(context->journal, plan->folder1->path, plan->path2,
                                              work.epoch1, epoch2, error);
      if (work.number < 0
          || (awaits && !haul_journal_set_epoch2(context->journal, work.number, 0, error)))
        return false;
      /* Where the store did not tell, what is known is held against what it says on entering. */
      if (work.epoch1 == 0 && known != NULL && plan->keep_pairs1)
        work.epoch1 = known->epoch1;
      if (work.epoch2 == 0 && !fresh2 && known != NULL && plan->keep_pairs2)
        work.epoch2 = known->epoch2;
      if (plan->folder1->n_messages != HAUL_UNKNOWN)
        work.tally->source = plan->folder1->n_messages + leaving->n_gone;
    }
    if (plan->taken_by != NULL)
      leave(context, &work);
    g_array_append_val(pass->folders, work);
  }
  return true;
}

static bool
settle_all(const HaulContext *context, HaulOpenStore *store2, HaulPass *pass, GError **error)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    GError *why = NULL;
    bool opens =
        work->sharers != NULL || (work->plan.known != NULL && work->plan.known->has_intents);
    if (!work->unusable && opens && work->plan.look != HAUL_LOOK_NONE
        && !haul_settle(context, store2, work, &why) && !haul_contain(context, work, why, error))
      return false;
  }
  return true;
}

/* A destination folder that is empty, or not there, takes all. */
static void
plan_streams(HaulPass *pass)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    if (work->unusable || work->plan.look != HAUL_LOOK_STREAM)
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

static bool
has_labels(const HaulPlanFolder *folders, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if ((folders[i].attributes & HAUL_FOLDER_LABEL) != 0)
      return true;
  return false;
}

/* Prepares for messages that are in several folders: names these, and finds out what is known. */
static bool
begin_objects(const HaulContext *context, HaulPass *pass, GError **error)
{
  pass->objects = haul_objects_new();
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulPlanFolder *folder = g_array_index(pass->folders, HaulFolderWork, i).plan.folder1;
    if ((folder->attributes & HAUL_FOLDER_LABEL) != 0)
      haul_objects_add_folder(pass->objects, folder->path, i);
  }
  return haul_journal_has_objects(context->journal, &pass->knows_objects, error);
}

static int
compare_texts(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns what decides which folder gets a message that is in several: the mode, and which folders there
 * are to choose from. */
static char *
name_of_choice(const char *mode, const HaulFoldersInput *input)
{
  g_autoptr(GPtrArray) paths = g_ptr_array_new();
  for (size_t i = 0; i < input->n_folders1; i++)
    if (input->folders1[i].attributes & HAUL_FOLDER_LABEL)
      g_ptr_array_add(paths, (char *)input->folders1[i].path);
  g_ptr_array_sort(paths, compare_texts);
  g_autoptr(GChecksum) digest = g_checksum_new(G_CHECKSUM_SHA256);
  for (guint i = 0; i < paths->len; i++)
    g_checksum_update(digest, paths->pdata[i], (gssize)strlen(paths->pdata[i]) + 1);
  return g_strconcat(mode, " ", g_checksum_get_string(digest), NULL);
}

/* Notes how labels are copied. If that was another way before, what is complete need not be so now. */
static bool
note_labels(const HaulContext *context, const HaulFoldersInput *input, GArray *known,
            GError **error)
{
  static const char *const names[] = { "folders", "keywords", "first" };
  bool is_new = false;
  if (!has_labels(input->folders1, input->n_folders1))
    return true;
  g_autofree char *choice = name_of_choice(names[context->policy->labels], input);
  if (!haul_journal_set_labels(context->journal, choice, &is_new, error))
    return false;
  for (guint i = 0; is_new && i < known->len; i++)
    g_array_index(known, HaulPlanKnown, i).token1 = NULL;
  return true;
}

/* Plans the folders, and tells the state. */
static bool
plan_folders(const HaulContext *context, HaulPass *pass, const HaulFoldersInput *input,
             const GArray *journal, GArray *known, GError **error)
{
  if (!note_labels(context, input, known, error))
    return false;
  g_autoptr(GArray) plans = haul_plan_folders(input);
  if (!begin_folders(context, pass, plans, journal, input->known, error))
    return false;
  haul_sharing_begin(pass, journal);
  return true;
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
    .spellings2 = context->spellings2,
    .merges = context->policy->allow_merge,
    .mappings =
        context->mappings != NULL ? (const HaulMapping *)(void *)context->mappings->data : NULL,
    .subscribing = context->policy->subscribing,
    .known = (const HaulPlanKnown *)(void *)known->data,
    .n_known = known->len,
    .mirrors = context->policy->delete2,
    .selects = haul_selection_concerns(context->selection, 1),
  };
  input.lists_unknown = context->dry;
  input.lists_all =
      has_labels(input.folders1, input.n_folders1) || has_labels(input.folders2, input.n_folders2);
  g_autoptr(HaulPass) pass = pass_new();
  pass->links = haul_store_can_copy(store2);
  if (!haul_journal_begin(context->journal, error)
      || !haul_journal_commit_after(
          context->journal, plan_folders(context, pass, &input, journal, known, error), error)
      || !settle_all(context, store2, pass, error)
      || (input.lists_all && !begin_objects(context, pass, error))
      || !haul_check_ids(context, pass, store1, error)
      || !haul_look_at_folders(context, pass, store1, store2, error)
      || !haul_sessions_account(context, pass, error))
    return NULL;
  plan_streams(pass);
  if (!haul_find_moves(context, pass, store1, journal, folders2, error))
    return NULL;
  for (guint i = 0; i < pass->folders->len; i++) /* lent by this call alone */
    g_array_index(pass->folders, HaulFolderWork, i).plan.known = NULL;
  return g_steal_pointer(&pass);
}
