/* Taking back what a run has added. See undo.h. */
#include "undo.h"

#include <inttypes.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "acquaintance.h"
#include "journal-file.h"
#include "listing.h"
#include "plan-undo.h"
#include "sides.h"

typedef struct {
  HaulContext context;
  HaulSide side1, side2;
  int64_t run;
  HaulUndoFunc each;
  void *data;
  HaulUndoSum *sum;
} Undo;

static void
undo_clear(Undo *undo)
{
  haul_side_close(&undo->side1);
  haul_side_close(&undo->side2);
  g_clear_error(&undo->side1.error);
  g_clear_error(&undo->side2.error);
  haul_journal_close(undo->context.journal);
  haul_chain_free(undo->context.chain);
  haul_keywords_free(undo->context.keywords);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Undo, undo_clear)

/* ---- looking ---- */

/* Lists one side of a folder; empty where the side has no such folder. @known: the epoch on record. */
static HaulListing *
list_side(const Undo *undo, unsigned side, const char *path, uint64_t known, GError **error)
{
  HaulListKind kind = side == 1 ? HAUL_LIST_IDS : HAUL_LIST_KEYS;
  if (haul_folder_list_find(side == 1 ? undo->side1.list : undo->side2.list, path) == NULL)
    return haul_listing_new(kind);
  HaulListRequest *request = haul_list_request_new(path, kind);
  haul_list_request_add_range(request, NULL, NULL);
  g_autoptr(HaulListing) listing = haul_list_one(
      &undo->context, side == 1 ? undo->side1.store : undo->side2.store, request, error);
  if (listing == NULL)
    return NULL;
  if (listing->epoch != 0 && known != 0 && listing->epoch != known) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "not-deleted",
                   "%s: the folder is another one than at that run: what was added cannot be told",
                   side == 1 ? "source" : "destination");
    return NULL;
  }
  return g_steal_pointer(&listing);
}

/* ---- removing ---- */

static const char *const reasons[] = {
  [HAUL_UNDO_UNNAMED] = "the destination never told which message it is",
  [HAUL_UNDO_ALTERED] = "it is not what was added any more",
  [HAUL_UNDO_ALONE] = "the source does not show it: this may be the only copy",
};

static bool
expunge(const Undo *undo, const char *path2, uint64_t epoch2, const char *const *ids2, size_t n,
        GError **error)
{
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  if (!haul_store_select(undo->side2.store, path2, HAUL_READ | HAUL_WRITE, &folder, error))
    return false;
  if (folder.epoch != 0 && epoch2 != 0 && folder.epoch != epoch2) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "not-deleted",
                   "destination: the folder was replaced while we looked at it");
    return false;
  }
  return haul_store_expunge(undo->side2.store, ids2, n, error);
}

/* Says what stays, and counts; in a dry run, what would go. */
static void
tell(const Undo *undo, const char *path2, const GArray *added, const GArray *fates)
{
  HaulIdBuffer buffer;
  for (guint i = 0; i < added->len; i++) {
    HaulUndoFate fate = (HaulUndoFate)g_array_index(fates, uint8_t, i);
    if (fate == HAUL_UNDO_ABSENT || (fate == HAUL_UNDO_REMOVE && !undo->context.dry))
      continue;
    undo->each(path2, haul_id_text(g_array_index(added, HaulAddition, i).id2, &buffer),
               reasons[fate], undo->data);
    undo->sum->n_kept += fate != HAUL_UNDO_REMOVE;
  }
}

/* Removes what may go of a folder, and forgets it and what is not there any more. */
static bool
take_back(const Undo *undo, const HaulJournalFolder *folder, uint64_t epoch2, const GArray *added,
          const GArray *fates, GError **error)
{
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, 2 * added->len);
  g_autoptr(GPtrArray) ids1 = g_ptr_array_new(), ids2 = g_ptr_array_new();
  for (guint i = 0; i < added->len; i++) {
    const HaulAddition *one = &g_array_index(added, HaulAddition, i);
    uint8_t fate = g_array_index(fates, uint8_t, i);
    if (fate == HAUL_UNDO_REMOVE)
      g_ptr_array_add(ids2, (void *)haul_id_text(one->id2, &buffers[2 * i]));
    if (fate == HAUL_UNDO_REMOVE || fate == HAUL_UNDO_ABSENT)
      g_ptr_array_add(ids1, (void *)haul_id_text(one->id1, &buffers[2 * i + 1]));
  }
  unsigned most = undo->context.policy->max_delete;
  if (most > 0 && ids2->len > most) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "not-deleted",
                   "%u messages are more than --max-delete allows", ids2->len);
    return false;
  }
  if (!undo->context.dry
      && ((ids2->len > 0
           && !expunge(undo, folder->path2, epoch2, (const char *const *)ids2->pdata, ids2->len,
                       error))
          || (ids1->len > 0
              && !haul_journal_take_back(undo->context.journal, folder->number,
                                         (const char *const *)ids1->pdata, ids1->len, error))))
    return false;
  undo->sum->n_removed += ids2->len;
  undo->sum->n_absent += ids1->len - ids2->len;
  tell(undo, folder->path2, added, fates);
  return true;
}

static bool
undo_folder(const Undo *undo, const HaulJournalFolder *folder, GError **error)
{
  uint64_t n = 0;
  if (!haul_journal_count_added(undo->context.journal, folder->number, undo->run, &n, error))
    return false;
  if (n == 0)
    return true;
  g_autoptr(HaulListing) listing2 = list_side(undo, 2, folder->path2, folder->epoch2, error);
  g_autoptr(HaulListing) listing1 =
      listing2 != NULL ? list_side(undo, 1, folder->path1, folder->epoch1, error) : NULL;
  if (listing1 == NULL)
    return false;
  g_autoptr(GArray) added = g_array_new(FALSE, FALSE, sizeof(HaulAddition));
  if (!haul_journal_load_added(undo->context.journal, folder->number, undo->run, listing1->ids,
                               listing2->ids, added, error))
    return false;
  HaulUndoInput input = {
    .added = (const HaulAddition *)(void *)added->data,
    .n_added = added->len,
    .items2 = (const HaulEntry *)(void *)listing2->items->data,
    .keys2 = listing2->keys != NULL ? (const HaulKey *)(void *)listing2->keys->data : NULL,
    .n_items2 = listing2->items->len,
    .items1 = (const HaulEntry *)(void *)listing1->items->data,
    .n_items1 = listing1->items->len,
  };
  g_autoptr(GArray) fates = haul_plan_undo(&input);
  return take_back(undo, folder, listing2->epoch, added, fates, error);
}

static bool
undo_folders(const Undo *undo, GError **error)
{
  const GArray *folders = haul_journal_folders(undo->context.journal, error);
  for (guint i = 0; folders != NULL && i < folders->len; i++) {
    const HaulJournalFolder *folder = &g_array_index(folders, HaulJournalFolder, i);
    GError *why = NULL;
    if (undo_folder(undo, folder, &why))
      continue;
    if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
      g_propagate_error(error, why);
      return false;
    }
    undo->sum->code = haul_reason_exit_code(haul_error_reason(why), 2);
    haul_log(HAUL_LOG_WARNING, "%s: %s", folder->path2, why->message);
    g_error_free(why);
  }
  return folders != NULL;
}

/* ---- opening ---- */

/* Refuses a destination from which nothing can be removed, or nothing alone. */
static bool
check_destination(const Undo *undo, GError **error)
{
  const char *why =
      haul_store_can_expunge(undo->side2.store) ? NULL : "nothing can be removed there";
  for (guint i = 0; i < undo->side2.list->folders->len; i++)
    if (g_array_index(undo->side2.list->folders, HaulPlanFolder, i).attributes & HAUL_FOLDER_LABEL)
      why = "its folders are labels: a message that is taken from one is still in others";
  if (why != NULL)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "unsupported", "destination: %s", why);
  return why == NULL;
}

static bool
open_state(Undo *undo, const HaulJobOptions *options, bool changes, GError **error)
{
  g_autofree char *identity1 = haul_side_identity(&undo->side1);
  g_autofree char *identity2 = haul_side_identity(&undo->side2);
  bool was_rebuilt = false;
  undo->context.journal =
      haul_journal_open(options->state_folder, changes ? HAUL_JOURNAL_FILE : HAUL_JOURNAL_DRY,
                        identity1, identity2, undo->context.keywords, &was_rebuilt, error);
  if (undo->context.journal != NULL && was_rebuilt) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "state",
                   "the state is damaged: what runs have added is not known any more");
    return false;
  }
  return undo->context.journal != NULL;
}

/* Opens both sides and their state. The source is only looked at: who it is, and what it still has. */
static bool
open_all(Undo *undo, const HaulJobOptions *options, bool changes, GError **error)
{
  if (options->stateless) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "undo needs the state, and cannot be had with --stateless");
    return false;
  }
  haul_acquaintance_recall(options->state_folder, options->account1);
  haul_acquaintance_recall(options->state_folder, options->account2);
  undo->side1 = (HaulSide){ .account = options->account1, .intent = HAUL_READ };
  undo->side2 = (HaulSide){ .account = options->account2,
                            .intent = changes ? HAUL_READ | HAUL_WRITE : HAUL_READ };
  undo->context = (HaulContext){
    .account1 = options->account1,
    .account2 = options->account2,
    .cancel = options->cancel,
    .keywords = haul_keywords_new(),
    .spool = options->state_folder,
    .policy = &options->policy,
    .dry = !changes,
  };
  g_autofree char *chain = haul_chain_text(options->policy.match, options->policy.headers, error);
  return chain != NULL && (undo->context.chain = haul_chain_parse(chain, error)) != NULL
         && (!changes || haul_own_folder(options->state_folder, error))
         && haul_store_may_be_written(options->account2, error)
         && haul_sides_open(&undo->side1, &undo->side2, &undo->context.opening_us, error)
         && open_state(undo, options, changes, error);
}

/* ---- runs ---- */

bool
haul_undo_list(const HaulJobOptions *options, HaulRunFunc each, void *data, GError **error)
{
  g_auto(Undo) undo = { 0 };
  if (!open_all(&undo, options, false, error))
    return false;
  g_autoptr(GArray) runs = haul_journal_runs(undo.context.journal, error);
  for (guint i = 0; runs != NULL && i < runs->len; i++)
    each(&g_array_index(runs, HaulRun, i), data);
  return runs != NULL;
}

static bool
find_run(const Undo *undo, GError **error)
{
  g_autoptr(GArray) runs = haul_journal_runs(undo->context.journal, error);
  if (runs == NULL)
    return false;
  for (guint i = 0; i < runs->len; i++)
    if (g_array_index(runs, HaulRun, i).number == undo->run)
      return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "there is no run %" PRId64
                 " of these two accounts; undo without a number lists them",
                 undo->run);
  return false;
}

bool
haul_undo_run(const HaulJobOptions *options, int64_t run, HaulUndoFunc each, void *data,
              HaulUndoSum *sum, GError **error)
{
  *sum = (HaulUndoSum){ 0 };
  g_auto(Undo) undo = { .run = run, .each = each, .data = data, .sum = sum };
  return open_all(&undo, options, !options->dry, error) && find_run(&undo, error)
         && check_destination(&undo, error) && undo_folders(&undo, error)
         && (options->dry
             || (haul_journal_end_undo(undo.context.journal, run, error)
                 && haul_store_finish(undo.side2.store, error)));
}
