/* Removing messages at the source. */
#include "removal.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "plan-removal.h"

bool
haul_removal_check(const HaulOpenStore *store1, const HaulFolderList *list1, GError **error)
{
  if (!haul_store_can_expunge(store1)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "unsupported",
                   "source: --delete1: this kind of store removes no messages");
    return false;
  }
  for (guint i = 0; i < list1->folders->len; i++)
    if (g_array_index(list1->folders, HaulPlanFolder, i).attributes & HAUL_FOLDER_LABEL) {
      haul_set_error(
          error, HAUL_ERROR_ACCOUNT, "not-deleted",
          "source: --delete1: folders are labels there: a message that is taken from one "
          "is still in others, and would be copied from there again");
      return false;
    }
  return true;
}

/* Leaves out what the folder does not show now, where it shows a part. */
static void
drop_hidden(const HaulFolderWork *work, GArray *proofs)
{
  HaulIdBuffer buffer;
  if ((work->plan.folder1->attributes & HAUL_FOLDER_BATCHES) == 0)
    return;
  guint n = 0;
  for (guint i = 0; i < proofs->len; i++) {
    HaulProof proof = g_array_index(proofs, HaulProof, i);
    if (haul_batch_shows(&work->tally->batch, haul_id_text(proof.id1, &buffer)))
      g_array_index(proofs, HaulProof, n++) = proof;
  }
  g_array_set_size(proofs, n);
}

/*
 * Whether copies that were found can be told from the messages themselves. Both accounts may be one, under
 * two names, or by two protocols: then each message is found to be its own copy. Ids show that where both
 * sides' are UIDs, and nothing does elsewhere.
 */
static bool
can_tell_apart(const HaulFolderWork *work)
{
  const HaulFolderPlan *plan = &work->plan;
  return plan->folder2 != NULL
         && (plan->folder1->attributes & plan->folder2->attributes & HAUL_FOLDER_UIDS) != 0;
}

/* Finds what may go of a folder; ids that are texts are interned in @ids. */
static bool
plan(const HaulContext *context, const HaulFolderWork *work, HaulIds *ids, HaulRemovalPlan *plan,
     GError **error)
{
  g_autoptr(GArray) proofs = g_array_new(FALSE, FALSE, sizeof(HaulProof));
  g_autoptr(GArray) troubled = haul_tally_troubled(work->tally, ids);
  /* Pairs whose message is not listed any more were forgotten when the pass was planned. */
  bool any = !work->unusable && work->plan.folder1->n_messages != 0;
  if (any && !haul_journal_load_proofs(context->journal, work->number, ids, proofs, error))
    return false;
  drop_hidden(work, proofs);
  HaulRemovalInput input = {
    .proofs = (const HaulProof *)(void *)proofs->data,
    .n_proofs = proofs->len,
    .troubled = (const HaulId *)(void *)troubled->data,
    .n_troubled = troubled->len,
    .now = g_get_real_time() / G_USEC_PER_SEC,
    .min_age_s = context->policy->delete1_after_days * INT64_C(86400),
    .only_delivered =
        work->incomplete || work->tally->leaving.matched_anew || !can_tell_apart(work),
    .same_epoch = work->epoch1 == work->epoch2,
  };
  haul_plan_removal(&input, plan);
  work->tally->leaving.n_unproven = plan->n_unproven;
  return true;
}

bool
haul_removal_count(const HaulContext *context, const HaulFolderWork *work, guint *n, GError **error)
{
  g_autoptr(HaulIds) ids = haul_ids_new();
  g_auto(HaulRemovalPlan) found = { 0 };
  if (!plan(context, work, ids, &found, error))
    return false;
  *n = found.ids->len;
  return true;
}

static bool
expunge(HaulOpenStore *store1, const HaulFolderWork *work, const char *const *ids, size_t n,
        GError **error)
{
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  if (!haul_store_select(store1, work->plan.folder1->path, HAUL_READ, &folder, error))
    return false;
  if (folder.epoch != 0 && work->epoch1 != 0 && folder.epoch != work->epoch1) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "epoch",
                   "source: the folder was replaced while we looked at it; run again");
    return false;
  }
  return haul_store_expunge(store1, ids, n, error);
}

static bool
take_present(const HaulItem *item, void *data)
{
  g_hash_table_remove(data, item->id);
  return true;
}

/* Notes which messages are gone: an id that comes back from now on may be another message's. */
static bool
note_left(const HaulContext *context, const HaulFolderWork *work, const char *const *ids, size_t n,
          GError **error)
{
  HaulJournal *journal = context->journal;
  if (!haul_journal_begin(journal, error))
    return false;
  bool going = true;
  for (size_t i = 0; going && i < n; i++)
    going = haul_journal_set_left(journal, work->number, ids[i], error);
  return haul_journal_commit_after(journal, going, error);
}

/* Finds out which messages are gone after a removal that failed: some may be. What cannot be found out now is
 * left open. */
static bool
count_gone(const HaulContext *context, HaulOpenStore *store1, const HaulFolderWork *work,
           const char *const *ids, size_t n, GError **error)
{
  g_autoptr(GHashTable) absent = g_hash_table_new(g_str_hash, g_str_equal);
  for (size_t i = 0; i < n; i++)
    g_hash_table_add(absent, (char *)ids[i]);
  g_autoptr(GError) why = NULL;
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  HaulRange all = { NULL, NULL };
  if (!haul_store_select(store1, work->plan.folder1->path, HAUL_READ, &folder, &why)
      || (folder.epoch != 0 && work->epoch1 != 0 && folder.epoch != work->epoch1)
      || !haul_store_list(store1, &all, 1, 0, NULL, take_present, absent, &why)) {
    haul_log(HAUL_LOG_DEBUG, "%s: nobody knows what was deleted%s%s", work->plan.folder1->path,
             why != NULL ? ": " : "", why != NULL ? why->message : "");
    return true;
  }
  guint n_gone;
  g_autofree const char **gone = (const char **)g_hash_table_get_keys_as_array(absent, &n_gone);
  for (guint i = 0; i < n_gone; i++)
    haul_leaving_missed(&work->tally->leaving, gone[i]);
  return note_left(context, work, gone, n_gone, error);
}

/* Reports that a folder's messages stay. @why is taken. Returns false if it reaches farther. */
static bool
contain(const HaulContext *context, const HaulFolderWork *work, GError *why, GError **error)
{
  if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
    g_propagate_error(error, why);
    return false;
  }
  g_autoptr(GError) told = NULL;
  haul_set_error(&told, HAUL_ERROR_FOLDER, "not-deleted", "%s", why->message);
  haul_report_folder_failed(context->report, work->tally, told);
  haul_log(HAUL_LOG_WARNING, "%s: %s", work->plan.folder1->path, told->message);
  g_error_free(why);
  return true;
}

static bool
remove_from(const HaulContext *context, const HaulFolderWork *work, HaulOpenStore *store1,
            GError **error)
{
  g_autoptr(HaulIds) texts = haul_ids_new();
  g_auto(HaulRemovalPlan) found = { 0 };
  if (!plan(context, work, texts, &found, error))
    return false;
  guint n = found.ids->len;
  if (n == 0)
    return true;
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, n);
  g_autofree const char **ids = g_new(const char *, n);
  for (guint i = 0; i < n; i++)
    ids[i] = haul_id_text(g_array_index(found.ids, HaulId, i), &buffers[i]);
  GError *why = NULL;
  if (!haul_journal_set_leaving(context->journal, work->number, ids, n, error))
    return false;
  HaulLeaving *leaving = &work->tally->leaving;
  haul_leaving_ask(leaving, ids, n);
  if (expunge(store1, work, ids, n, &why)) {
    haul_leaving_confirm(leaving);
    return note_left(context, work, ids, n, error);
  }
  if (haul_error_reach(why) <= HAUL_ERROR_FOLDER
      && !count_gone(context, store1, work, ids, n, error)) {
    g_error_free(why);
    return false;
  }
  return contain(context, work, why, error);
}

bool
haul_remove_at_source(const HaulContext *context, const HaulPass *pass, HaulOpenStore *store1,
                      GError **error)
{
  for (guint i = 0; i < pass->folders->len; i++)
    if (!remove_from(context, &g_array_index(pass->folders, HaulFolderWork, i), store1, error))
      return false;
  return true;
}
