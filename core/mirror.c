/* Removing messages at the destination that the source does not have. */
#include "mirror.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "victims.h"
#include "window.h"

bool
haul_mirror_check_policy(const HaulPolicy *policy, bool stateless, GError **error)
{
  if (policy->delete2_duplicates && !policy->delete2) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--delete2duplicates is a part of --delete2 and works with it alone; mailhaul "
                   "dedupe finds what one account has more than once");
    return false;
  }
  bool contradicts = policy->delete1 && policy->delete2;
  if (!contradicts && (!stateless || !(policy->delete2 || policy->delete2_folders)))
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 contradicts
                     ? "--delete1 and --delete2 contradict each other: what is deleted at the "
                       "source would be deleted at the destination"
                     : "--delete2 needs a state: without it nobody knows what the source had");
  return false;
}

bool
haul_mirror_check(const HaulPolicy *policy, const HaulFolderList *list1,
                  const HaulOpenStore *store2, const HaulFolderList *list2, GError **error)
{
  if (policy->trash2 != NULL && !haul_store_can_copy(store2)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "unsupported",
                   "destination: --trash2: this kind of store copies no messages");
    return false;
  }
  if (!haul_store_can_expunge(store2)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "unsupported",
                   "destination: --delete2: this kind of store removes no messages");
    return false;
  }
  for (guint i = 0; i < list1->folders->len; i++)
    if (g_array_index(list1->folders, HaulPlanFolder, i).attributes
        & (HAUL_FOLDER_BATCHES | HAUL_FOLDER_UIDLS)) {
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "not-mirrored",
                     "source: --delete2: POP3 may show a part of the messages; what it does not "
                     "show may be there");
      return false;
    }
  const HaulFolderList *lists[] = { list1, list2 };
  for (size_t side = 0; side < G_N_ELEMENTS(lists); side++)
    for (guint i = 0; i < lists[side]->folders->len; i++)
      if (g_array_index(lists[side]->folders, HaulPlanFolder, i).attributes & HAUL_FOLDER_LABEL) {
        haul_set_error(error, HAUL_ERROR_ACCOUNT, "not-mirrored",
                       "%s: --delete2: folders are labels there: one message is in several, and "
                       "that it is not in one does not mean that it is gone",
                       side == 0 ? "source" : "destination");
        return false;
      }
  return true;
}

/* ---- what is known ---- */

bool
haul_mirror_is_empty(const HaulFolderList *list)
{
  for (guint i = 0; i < list->folders->len; i++) {
    const HaulPlanFolder *folder = &g_array_index(list->folders, HaulPlanFolder, i);
    if (folder->n_messages != 0 && (folder->attributes & HAUL_FOLDER_NOSELECT) == 0)
      return false;
  }
  return true;
}

/* Whether most of the folders that earlier runs knew were numbered anew. */
bool
haul_mirror_is_other_source(const HaulPass *pass)
{
  guint n_known = 0, n_renumbered = 0;
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulTally *tally = g_array_index(pass->folders, HaulFolderWork, i).tally;
    n_known += tally->was_known;
    n_renumbered += tally->renumbered;
  }
  return n_known > 1 && 2 * n_renumbered > n_known;
}

bool
haul_mirror_is_in_trouble(const HaulContext *context, const HaulFolderWork *work)
{
  return work->unusable || work->incomplete
         || (!context->dry && !haul_tally_is_complete(work->tally));
}

static bool
has_nameless(const HaulContext *context, const HaulFolderWork *work, bool *has, GError **error)
{
  g_autoptr(HaulIntentBatch) nameless =
      haul_journal_nameless(context->journal, work->number, error);
  *has = nameless != NULL && nameless->cargo->len > 0;
  return nameless != NULL;
}

/* Whether a folder that is there at the source, and left out of the run, has copies in the place of @work that
 * nobody can tell any more. */
static bool
has_unknown_copies(const HaulContext *context, const HaulFolderList *list1,
                   const HaulFolderWork *work, bool *has, GError **error)
{
  g_autoptr(GPtrArray) paths1 = g_ptr_array_new_with_free_func(g_free);
  *has = false;
  if (!haul_journal_load_outdated(context->journal, work->plan.path2, work->epoch2, paths1, error))
    return false;
  for (guint i = 0; i < paths1->len && !*has; i++)
    *has = haul_folder_list_find(list1, paths1->pdata[i]) != NULL;
  return true;
}

/* Notes what speaks against deleting in the place of @work: for it, or for another one that goes there, too,
 * whose copies are strays of @work where the state has lost them. */
static bool
look_at_place(const HaulContext *context, const HaulPass *pass, const HaulFolderWork *work,
              HaulMirrorInput *input, GError **error)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderWork *other = &g_array_index(pass->folders, HaulFolderWork, i);
    const HaulTally *tally = other->tally;
    if (strcmp(other->plan.path2, work->plan.path2) != 0)
      continue;
    bool nameless;
    if (!has_nameless(context, other, &nameless, error))
      return false;
    input->has_nameless |= nameless;
    input->matched_anew |= tally->leaving.matched_anew;
    input->is_short |= other->is_short;
    input->in_trouble |= haul_mirror_is_in_trouble(context, other);
    input->leaves_out |= other->n_left_out > 0 || tally->n[HAUL_STATE_FILTERED] > other->n_gone
                         || tally->n[HAUL_STATE_DUPLICATE] > 0;
    if (!other->is_listed)
      continue;
    input->n1 = MIN(input->n1, other->n_listed1);
    input->is_round |= haul_window_is_round(other->n_listed1);
  }
  return true;
}

bool
haul_mirror_foresee(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
                    const HaulFolderWork *work, HaulIds *ids, HaulMirrorPlan *plan, GError **error)
{
  g_autoptr(GArray) strays = g_array_new(FALSE, FALSE, sizeof(HaulId));
  g_autoptr(GArray) covered = g_array_new(FALSE, FALSE, sizeof(HaulId));
  /* What was not listed has nothing that we would know of; see haul_plan_folders(). What lies in the trash
   * stays there. */
  bool knows =
      work->is_listed && !work->unusable && g_strcmp0(work->plan.path2, context->trash2) != 0;
  if (knows && !haul_journal_load_strays(context->journal, work->number, ids, strays, error))
    return false;
  bool unknown = false;
  if (strays->len == 0) {
    haul_plan_mirror(&(HaulMirrorInput){ .n2 = work->n_listed2 }, plan);
    return true;
  }
  if (!haul_journal_load_covered(context->journal, work->plan.path2, work->epoch2, work->number,
                                 ids, covered, error)
      || !has_unknown_copies(context, list1, work, &unknown, error))
    return false;
  const HaulPolicy *policy = context->policy;
  HaulMirrorInput input = {
    .strays = (const HaulId *)(void *)strays->data,
    .n_strays = strays->len,
    .covered = (const HaulId *)(void *)covered->data,
    .n_covered = covered->len,
    .n1 = work->n_listed1,
    .n2 = work->n_listed2,
    .has_limit = policy->max_delete > 0,
    .limit = policy->max_delete,
    .source_empty = haul_mirror_is_empty(list1),
    .other_source = haul_mirror_is_other_source(pass),
    .state_is_new = context->state_is_new,
    .leaves_out = unknown,
  };
  if (!look_at_place(context, pass, work, &input, error))
    return false;
  haul_plan_mirror(&input, plan);
  return true;
}

/* ---- doing it ---- */

void
haul_mirror_refuse(const HaulContext *context, const HaulFolderWork *work, const char *text)
{
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_FOLDER, "not-mirrored", "%s", text);
  haul_report_folder_failed(context->report, work->tally, why);
  haul_log(HAUL_LOG_WARNING, "%s: %s", work->plan.path2, text);
}

static bool
forget_strays(const HaulContext *context, const HaulFolderWork *work, const GArray *victims,
              GError **error)
{
  HaulIdBuffer buffer;
  if (!haul_journal_begin(context->journal, error))
    return false;
  bool going = true;
  for (guint i = 0; going && i < victims->len; i++)
    going = haul_journal_set_stray(context->journal, work->number,
                                   haul_id_text(g_array_index(victims, HaulId, i), &buffer), false,
                                   error);
  return haul_journal_commit_after(context->journal, going, error);
}

/* What befell a folder is reported; false if it reaches farther. @why is taken. */
static bool
contain(const HaulContext *context, const HaulFolderWork *work, GError *why, GError **error)
{
  if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
    g_propagate_error(error, why);
    return false;
  }
  haul_mirror_refuse(context, work, why->message);
  g_error_free(why);
  return true;
}

/* Removes what is still there of @victims. */
static bool
remove_victims(const HaulContext *context, HaulOpenStore *store2, const HaulFolderList *list2,
               HaulFolderWork *work, const GArray *victims, GError **error)
{
  HaulLeaving *leaving = &work->tally->leaving2;
  g_auto(HaulVictims) present = { 0 };
  if (!haul_victims_look(store2, work->plan.path2, work->epoch2, victims, &present, error))
    return false;
  if (present.ids->len > 0 && context->trash2 != NULL
      && !haul_victims_to_trash(context, store2, list2, work->plan.path2, &present, error))
    return false;
  const char *const *ids = (const char *const *)present.ids->pdata;
  guint n = present.ids->len;
  work->wrote = true;
  haul_leaving_ask(leaving, ids, n);
  if (n > 0 && !haul_store_expunge(store2, ids, n, error))
    return false;
  haul_leaving_confirm(leaving);
  work->n_removed2 += n;
  haul_victims_log(context, work->plan.path2, &present);
  return true;
}

/* Finds out after a removal that failed which of the victims are gone; what cannot be found out stays open. */
static void
count_gone(HaulOpenStore *store2, HaulFolderWork *work, const GArray *victims)
{
  g_autoptr(GError) why = NULL;
  g_auto(HaulVictims) present = { 0 };
  if (!haul_victims_look(store2, work->plan.path2, work->epoch2, victims, &present, &why)) {
    haul_log(HAUL_LOG_DEBUG, "%s: nobody knows what was deleted: %s", work->plan.path2,
             why->message);
    return;
  }
  for (guint i = 0; i < present.ids->len; i++)
    haul_leaving_found(&work->tally->leaving2, present.ids->pdata[i]);
  haul_leaving_confirm(&work->tally->leaving2);
}

static bool
mirror_folder(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
              HaulOpenStore *store2, const HaulFolderList *list2, HaulFolderWork *work,
              GError **error)
{
  g_autoptr(HaulIds) ids = haul_ids_new();
  g_auto(HaulMirrorPlan) plan = { 0 };
  if (!haul_mirror_foresee(context, pass, list1, work, ids, &plan, error))
    return false;
  g_autofree char *refusal = haul_mirror_refusal(&plan);
  if (refusal != NULL)
    haul_mirror_refuse(context, work, refusal);
  if (refusal != NULL || plan.victims->len == 0)
    return true;
  GError *why = NULL;
  if (remove_victims(context, store2, list2, work, plan.victims, &why))
    return forget_strays(context, work, plan.victims, error);
  if (haul_error_reach(why) <= HAUL_ERROR_FOLDER)
    count_gone(store2, work, plan.victims);
  return contain(context, work, why, error);
}

bool
haul_mirror_report_vanished(const HaulContext *context, const HaulFolderList *list1, GError **error)
{
  if (!haul_mirror_is_empty(list1))
    return true;
  GArray *rows = haul_journal_folders(context->journal, error);
  if (rows == NULL)
    return false;
  for (guint i = 0; i < rows->len; i++) {
    const HaulJournalFolder *row = &g_array_index(rows, HaulJournalFolder, i);
    if (row->n_pairs == 0 || haul_folder_list_find(list1, row->path1) != NULL)
      continue;
    g_autoptr(GError) why = NULL;
    haul_set_error(&why, HAUL_ERROR_FOLDER, "not-mirrored",
                   "nothing is deleted: the source does not show this folder any more, nor any "
                   "message");
    haul_report_folder_failed(context->report,
                              haul_report_folder(context->report, row->path1, row->path2), why);
  }
  return true;
}

bool
haul_mirror(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
            HaulOpenStore *store2, const HaulFolderList *list2, GError **error)
{
  if (!haul_mirror_report_vanished(context, list1, error))
    return false;
  for (guint i = 0; i < pass->folders->len; i++)
    if (!mirror_folder(context, pass, list1, store2, list2,
                       &g_array_index(pass->folders, HaulFolderWork, i), error))
      return false;
  return true;
}
