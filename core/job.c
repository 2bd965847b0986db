/* One source to one destination, with retries. */
#include "job.h"

#include <inttypes.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "acquaintance.h"
#include "choice.h"
#include "completion.h"
#include "context.h"
#include "crew.h"
#include "delivery.h"
#include "describing.h"
#include "fit.h"
#include "folder-list.h"
#include "id-map.h"
#include "journal-file.h"
#include "bounds.h"
#include "linking.h"
#include "mirror.h"
#include "moves.h"
#include "patience.h"
#include "preparing.h"
#include "preview.h"
#include "prune.h"
#include "removal.h"
#include "routes.h"
#include "selecting.h"
#include "sessions.h"
#include "sides.h"
#include "spelling.h"
#include "survey.h"
#include "transform.h"
#include "window.h"

typedef struct {
  const HaulJobOptions *options;
  HaulContext context;
  HaulSide side1, side2;
  /* Owned, or NULL. */
  HaulSelection *selection;
  GArray *folders1;  /* owned; of HaulPlanFolder: those that were chosen */
  HaulIdMap *id_map; /* owned, or NULL */
  char *target2;     /* owned; where the only one of them goes, or NULL */
  char *trash2;      /* owned; where goes what is deleted at the destination, or NULL */
  GArray *mappings;  /* owned; of HaulMapping: where each of them goes in this pass */
  bool routes_told;  /* what changed in where folders go: once is enough */
  bool fit_told;     /* whether all fits: once is enough */
  HaulPreviewFunc planned;
  void *planned_data;
  bool last_try; /* only of what could not be fetched: all else is done */
  bool began_new_state;
  bool next_session; /* only of what shows more when it is asked again: all else is done */
} Job;

/* ---- opening ---- */

static bool
has_labels(const HaulFolderList *list)
{
  for (guint i = 0; i < list->folders->len; i++)
    if (g_array_index(list->folders, HaulPlanFolder, i).attributes & HAUL_FOLDER_LABEL)
      return true;
  return false;
}

/* Whether a pass of what is left of the run is about the folder. */
static bool
is_left(const Job *job, const HaulPlanFolder *folder1)
{
  return job->last_try ? haul_report_has_lifted(job->context.report, folder1->path)
                       : !job->next_session || haul_sessions_are_needed(folder1);
}

/* Leaves out the folders that are done; but where folders are labels, one cannot be planned without the
 * others. */
static bool
keep_what_is_left(Job *job)
{
  if (has_labels(job->side1.list) || has_labels(job->side2.list))
    return true;
  for (guint i = job->folders1->len; i-- > 0;)
    if (!is_left(job, &g_array_index(job->folders1, HaulPlanFolder, i)))
      g_array_remove_index(job->folders1, i);
  return true;
}

static void
choose_trash(Job *job)
{
  const char *wanted = job->options->policy.trash2;
  g_clear_pointer(&job->trash2, g_free);
  if (wanted == NULL)
    return;
  const char *found = haul_choose_named(job->side2.list, wanted);
  job->context.trash2 = job->trash2 = g_strdup(found != NULL ? found : wanted);
}

/* A plan shows what it is not about, too. */
static void
show_left_out(const char *path, const char *why, void *data)
{
  const Job *job = data;
  g_autofree char *text = g_strdup_printf("left out: %s", why);
  if (job->options->dry && job->planned != NULL)
    job->planned(path, path, "left-out", text, job->planned_data);
}

static bool
choose_folders(Job *job, GError **error)
{
  g_clear_pointer(&job->folders1, g_array_unref);
  g_clear_pointer(&job->target2, g_free);
  choose_trash(job);
  job->folders1 =
      haul_choose_folders(job->side1.list, &job->options->policy, show_left_out, job, error);
  if (job->folders1 == NULL
      || !haul_routes_confine(&job->options->policy, job->side1.list, job->folders1, error))
    return false;
  if (job->options->policy.folder2 == NULL)
    return true;
  job->target2 =
      haul_choose_target(job->folders1, job->side2.list, job->options->policy.folder2, error);
  return job->target2 != NULL;
}

/* Opens both sides, and chooses the folders. */
static bool
open_sides(Job *job, GError **error)
{
  return haul_sides_open(&job->side1, &job->side2, &job->context.opening_us, error)
         && choose_folders(job, error) && keep_what_is_left(job);
}

/* ---- the state ---- */

#define DAMAGED "the state was damaged and is put aside; copies are found by matching in this run"

/* Whether a folder of the destination may hold mail. */
static bool
holds_mail(const HaulFolderList *list)
{
  for (guint i = 0; i < list->folders->len; i++) {
    const HaulPlanFolder *folder = &g_array_index(list->folders, HaulPlanFolder, i);
    if ((folder->attributes & HAUL_FOLDER_NOSELECT) == 0 && folder->n_messages != 0)
      return true;
  }
  return false;
}

/* Remembers who was found. That it cannot be makes a later guard weaker, and nothing of this run wrong. */
static void
note_acquaintance(const Job *job, const HaulAccount *account, HaulOpenStore *store)
{
  g_autofree char *identity = haul_store_identity(store);
  g_autoptr(GError) why = NULL;
  if (identity != NULL
      && !haul_acquaintance_note(job->options->state_folder, account, identity, &why))
    haul_log(HAUL_LOG_WARNING, "%s", why->message);
}

static bool
open_journal(Job *job, GError **error)
{
  HaulContext *context = &job->context;
  const HaulJobOptions *options = job->options;
  g_autofree char *identity1 = haul_side_identity(&job->side1);
  g_autofree char *identity2 = haul_side_identity(&job->side2);
  if (strcmp(identity1, identity2) == 0
      && haul_account_shares_port(options->account1, options->account2)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "source and destination are the same account");
    return false;
  }
  /* Large bodies are spooled there, with a state or without. */
  if (!options->dry && !haul_own_folder(options->state_folder, error))
    return false;
  HaulJournalMode mode = options->stateless ? HAUL_JOURNAL_MEMORY
                         : options->dry     ? HAUL_JOURNAL_DRY
                                            : HAUL_JOURNAL_FILE;
  bool was_rebuilt;
  context->journal = haul_journal_open(options->state_folder, mode, identity1, identity2,
                                       context->keywords, &was_rebuilt, error);
  if (was_rebuilt)
    haul_log(HAUL_LOG_WARNING, DAMAGED);
  if (context->journal != NULL)
    context->state_is_new = haul_journal_is_new(context->journal) && holds_mail(job->side2.list);
  if (context->journal != NULL && mode == HAUL_JOURNAL_FILE) {
    note_acquaintance(job, options->account1, job->side1.store);
    note_acquaintance(job, options->account2, job->side2.store);
  }
  return context->journal != NULL;
}

/* ---- a pass ---- */

/* A pass under way: what frames the work of the lanes. */
typedef struct {
  Job *job;
  HaulPass *pass;
  bool wrote;            /* at the destination, besides messages */
  HaulFolderList *after; /* owned; the destination's folders as they are in the end, or NULL */
} Frame;

static bool
warn_once(Job *job, const HaulPass *pass, GError **error)
{
  if (!job->fit_told && !haul_fit_warn(pass, job->side2.store, error))
    return false;
  job->fit_told = true;
  return true;
}

static bool
prepare_folders(void *data, GError **error)
{
  Frame *frame = data;
  return haul_prepare_folders(frame->pass, frame->job->context.report, frame->job->side2.store,
                              &frame->wrote, error)
         && warn_once(frame->job, frame->pass, error);
}

/* Asks what the destination's folders are with what was delivered, before the last of it is answered:
 * the numbers show whether all of it is in them. */
static bool
look_at_folders(void *data, GError **error)
{
  Frame *frame = data;
  frame->after = haul_folder_list_read(frame->job->side2.store, error);
  return frame->after != NULL;
}

/* Notes which folders are complete; the list of folders is read again where it was behind the deliveries. */
static bool
finish_folders(Frame *frame, GError **error)
{
  bool wrote = frame->wrote;
  for (guint i = 0; i < frame->pass->folders->len; i++)
    wrote |= g_array_index(frame->pass->folders, HaulFolderWork, i).wrote;
  if (wrote && frame->after != NULL && !haul_adds_up(frame->pass, frame->after))
    g_clear_pointer(&frame->after, haul_folder_list_free);
  return (!wrote || frame->after != NULL || look_at_folders(frame, error))
         && haul_note_complete(&frame->job->context, frame->pass, frame->after, error);
}

/* Maps the folders, and finds out how the destination spells what we are about to ask it for. */
static bool
map_folders(Job *job, GError **error)
{
  HaulContext *context = &job->context;
  HaulRoutesInput input = {
    .policy = &job->options->policy,
    .list1 = job->side1.list,
    .list2 = job->side2.list,
    .folders1 = job->folders1,
    .target2 = job->target2,
    .notation2 = { .prefix = (char *)job->options->policy.prefix2,
                   .separator =
                       job->options->policy.sep2 != NULL ? *job->options->policy.sep2 : '\0' },
    .journal = context->journal,
    .tells = !job->routes_told,
  };
  g_clear_pointer(&context->spellings2, g_hash_table_unref);
  g_clear_pointer(&job->mappings, g_array_unref);
  context->mappings = job->mappings = haul_routes_make(&input, error);
  job->routes_told = true;
  if (job->mappings == NULL)
    return false;
  context->spellings2 = job->options->dry
                            ? haul_spelling_look(job->folders1, job->mappings, job->side2.store,
                                                 job->side2.list, error)
                            : haul_spelling_ask(job->folders1, job->mappings, job->side2.store,
                                                &job->side2.list, context->made2, error);
  if (context->spellings2 == NULL)
    return false;
  haul_routes_note_spellings(job->mappings, context->spellings2);
  return true;
}

static bool
do_nothing(void *data, GError **error)
{
  return true;
}

static bool
has_links(const HaulPass *pass)
{
  for (guint i = 0; i < pass->actions->len; i++)
    if (g_array_index(pass->actions, HaulAction, i).deed == HAUL_DO_LINK)
      return true;
  return false;
}

/* Carries out the actions of a pass: in lanes; then what is at the destination by now is put into further
 * folders; and what cannot be is copied like the rest. */
static bool
carry_out(Frame *frame, GError **error)
{
  HaulContext *context = &frame->job->context;
  HaulOpenStore *store1 = frame->job->side1.store, *store2 = frame->job->side2.store;
  bool links = has_links(frame->pass), left = false;
  HaulDeliveryFrame first = { prepare_folders, links ? do_nothing : look_at_folders, frame };
  HaulDeliveryFrame second = { do_nothing, look_at_folders, frame };
  return haul_crew_run(context, frame->pass, store1, store2, &first, error)
         && (!links || haul_make_links(context, frame->pass, store2, &left, error))
         && (!left || haul_crew_run(context, frame->pass, store1, store2, &second, error))
         && haul_forget_departed(context, frame->pass, error);
}

static void
show_pruning(const char *path2, const char *deed, const char *text, void *data)
{
  const Job *job = data;
  job->planned("", path2, deed, text, job->planned_data);
}

/* Tells of a pass instead of carrying it out. */
static bool
show_pass(Job *job, HaulPass *pass, GError **error)
{
  return haul_preview(&job->context, pass, job->side1.list, job->planned, job->planned_data, error)
         && (!job->options->policy.delete2_folders
             || haul_prune(&job->context, pass, job->side1.list, job->side2.store, job->side2.list,
                           show_pruning, job, error))
         && warn_once(job, pass, error);
}

static bool
run_pass(Job *job, GError **error)
{
  haul_bounds_begin_pass(job->context.bounds);
  if (!map_folders(job, error))
    return false;
  job->context.all1 = job->side1.list->folders;
  g_autoptr(HaulPass) pass = haul_survey(&job->context, job->side1.store, job->side2.store,
                                         job->folders1, job->side2.list->folders, error);
  if (pass == NULL)
    return false;
  if (job->id_map != NULL)
    haul_id_map_note(job->id_map, pass);
  if (job->options->inspect != NULL)
    return job->options->inspect(&job->context, pass, job->side1.store, job->options->inspect_data,
                                 error);
  if (job->options->dry)
    return show_pass(job, pass, error);
  Frame frame = { .job = job, .pass = pass };
  bool done = carry_out(&frame, error)
              && (!job->options->policy.delete2
                  || haul_mirror(&job->context, pass, job->side1.list, job->side2.store,
                                 job->side2.list, error))
              && (!job->options->policy.delete2_folders
                  || haul_prune(&job->context, pass, job->side1.list, job->side2.store,
                                job->side2.list, NULL, NULL, error))
              && finish_folders(&frame, error);
  g_clear_pointer(&frame.after, haul_folder_list_free);
  done = done && haul_tell_origins(pass, job->side2.store, error);
  if (done && job->options->policy.delete1)
    done = haul_remove_at_source(&job->context, pass, job->side1.store, error);
  return done;
}

/* ---- passes until it is done ---- */

/* Waits before the next pass. Returns false if there is to be none: nothing more can be hoped for, or we
 * were asked to stop. */
static bool
wait_before_retry(const Job *job, const GError *why, unsigned n_failed)
{
  unsigned wait_ms;
  if (job->options->dry || !haul_patience_has(why, n_failed, g_random_double(), &wait_ms))
    return false;
  haul_patience_wait(why, wait_ms, job->options->cancel);
  return !haul_cancel_is_set(job->options->cancel);
}

/* Makes one pass, for which it opens what is not open. */
static bool
open_and_run_pass(Job *job, GError **error)
{
  if (job->side1.store == NULL && !open_sides(job, error))
    return false;
  if (job->options->policy.delete1 && !haul_removal_check(job->side1.store, job->side1.list, error))
    return false;
  const HaulPolicy *policy = &job->options->policy;
  if ((policy->delete2 || policy->delete2_folders)
      && (!haul_prune_check(policy, job->side2.store, error)
          || !haul_mirror_check(&job->options->policy, job->side1.list, job->side2.store,
                                job->side2.list, error)))
    return false;
  if (job->context.journal == NULL) {
    if (!open_journal(job, error))
      return false;
    haul_window_warn(job->folders1);
  }
  return run_pass(job, error);
}

/* Whether it is worth while to try again although not even the first login has succeeded. Who hung up gets
 * another try, one who asked for patience has it; who cannot be reached at all has a wrong address more
 * often than a bad moment. */
static bool
was_reached(const GError *why, unsigned n_failed)
{
  return haul_error_reach(why) == HAUL_ERROR_BUSY
         || (n_failed == 0 && strcmp(haul_error_reason(why), "closed") == 0);
}

/* Lets the next pass look at both sides anew, at the source in a new connection; the old one is ended in
 * good order, or the mailbox may still be locked. */
static void
leave_source(Job *job)
{
  g_autoptr(GError) why = NULL;
  if (!haul_store_finish(job->side1.store, &why))
    haul_log(HAUL_LOG_DEBUG, "%s", why->message); /* nothing hangs on it */
  haul_side_close(&job->side1);
  g_clear_pointer(&job->side2.list, haul_folder_list_free);
}

/* Prepares another session where the last one brought something from a folder that may have more. */
static bool
begin_next_session(Job *job)
{
  if (job->last_try || job->options->dry || !haul_sessions_go_on(job->context.report))
    return false;
  job->next_session = true;
  leave_source(job);
  return true;
}

/*
 * Prepares the last try of what could not be fetched, in company and alone: in a new connection to the
 * source, when all else is done. Returns false if there is nothing to try.
 */
static bool
begin_last_try(Job *job)
{
  unsigned n = job->last_try || job->options->dry ? 0 : haul_report_lift(job->context.report);
  if (n == 0)
    return false;
  haul_log(HAUL_LOG_INFO, "source: trying %u messages once more in a new connection", n);
  job->last_try = true;
  leave_source(job);
  return true;
}

/* Puts a state aside that turned out to be damaged, so that the next pass begins a new one. What was sent before may
 * still be being stored: it is given its time, or it would be missed by matching. Once in a run is enough. */
static bool
begin_new_state(Job *job)
{
  HaulContext *context = &job->context;
  if (context->journal == NULL || !haul_journal_is_damaged(context->journal) || job->began_new_state
      || context->dry || haul_cancel_is_set(context->cancel))
    return false;
  job->began_new_state = true;
  haul_log(HAUL_LOG_WARNING, DAMAGED);
  g_clear_pointer(&context->journal, haul_journal_close);
  haul_cancel_wait(context->cancel, NULL, 0,
                   g_get_monotonic_time() + context->policy->grace_s * G_USEC_PER_SEC);
  return !haul_cancel_is_set(context->cancel);
}

/* Runs passes until one ends well, or nothing more can be hoped for. */
static bool
run_passes(Job *job, HaulReport *report, GError **error)
{
  unsigned n_failed[HAUL_ERROR_CANCELLED + 1] = { 0 }; /* by reach: each has its own patience */
  HaulProgress progress = { 0 };
  uint64_t n_copied_at_first = 0;
  for (;;) {
    g_autoptr(GError) why = NULL;
    if (open_and_run_pass(job, &why)) {
      if (begin_next_session(job)) {
        memset(n_failed, 0, sizeof n_failed);
        continue;
      }
      if (begin_last_try(job)) {
        n_copied_at_first = haul_report_n_copied(report);
        continue;
      }
      haul_report_put_back(report);
      return true;
    }
    if (haul_patience_sees_progress(&progress, haul_report_n_copied(report),
                                    haul_report_n_given_up(report)))
      memset(n_failed, 0, sizeof n_failed);
    unsigned *failed = &n_failed[haul_error_reach(why)];
    haul_side_close(&job->side1);
    haul_side_close(&job->side2);
    if (begin_new_state(job))
      continue;
    bool reached = job->context.journal != NULL || was_reached(why, *failed);
    if (reached && wait_before_retry(job, why, (*failed)++))
      continue;
    if (haul_cancel_is_set(job->options->cancel)) {
      haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "stopped on request");
      return false;
    }
    bool came_to_nothing = haul_report_n_copied(report) == n_copied_at_first;
    bool is_unreachable =
        haul_error_reach(why) <= HAUL_ERROR_BUSY || strcmp(haul_error_reason(why), "login") == 0;
    if (job->last_try && (came_to_nothing || is_unreachable)) {
      haul_log(HAUL_LOG_WARNING, "%s", why->message);
      haul_report_put_back(report); /* the run was done but for them */
      return true;
    }
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
}

/* Tells a side that the run is done, in a new connection where the old one is lost. */
static bool
finish_side(const Job *job, HaulSide *side, GError **error)
{
  for (unsigned n_failed = 0;; n_failed++) {
    g_autoptr(GError) why = NULL;
    if (side->store == NULL)
      side->store = haul_store_open(side->account, side->intent, &why);
    if (side->store != NULL && haul_store_finish(side->store, &why))
      return true;
    haul_side_close(side);
    if (wait_before_retry(job, why, n_failed))
      continue;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
}

/*
 * Tells both sides that the run is done: the destination even if the last try has lost it, for what it has
 * to do concerns what was done before; then the source, unless it was lost for good.
 */
static bool
finish_sides(Job *job, GError **error)
{
  g_clear_error(&job->side1.error); /* of a last try */
  g_clear_error(&job->side2.error);
  return job->options->dry
         || ((!haul_store_can_finish(job->side2.account) || finish_side(job, &job->side2, error))
             && (job->side1.store == NULL || finish_side(job, &job->side1, error)));
}

/* Says which number the run has, if it has added something. */
static void
tell_run(const Job *job)
{
  HaulJournal *journal = job->context.journal;
  int64_t run = journal != NULL && !job->options->dry && !job->options->stateless
                    ? haul_journal_run(journal)
                    : 0;
  if (run > 0)
    haul_log(HAUL_LOG_INFO,
             "this was run %" PRId64 " of these accounts: undo %" PRId64
             " takes back what it has added",
             run, run);
}

/* Whatever the run came to: what the state knows is so. A second error is only logged. */
static void
write_id_map(const Job *job, GError **why)
{
  g_autoptr(GError) error = NULL;
  if (job->id_map == NULL || job->context.journal == NULL
      || haul_id_map_write(job->id_map, job->context.journal, &error))
    return;
  if (*why == NULL)
    g_propagate_error(why, g_steal_pointer(&error));
  else
    haul_log(HAUL_LOG_ERROR, "%s", error->message);
}

static bool
prepare_id_map(Job *job, GError **error)
{
  if (job->options->policy.id_map == NULL || job->options->dry)
    return true;
  job->id_map = haul_id_map_new(job->options->policy.id_map, error);
  return job->id_map != NULL;
}

static bool
prepare_selection(Job *job, GError **error)
{
  bool made = haul_selection_new(&job->options->policy, g_get_real_time() / G_USEC_PER_SEC,
                                 &job->selection, error);
  job->context.selection = job->selection;
  return made;
}

static void
job_clear(Job *job)
{
  haul_side_close(&job->side1);
  haul_side_close(&job->side2);
  g_clear_error(&job->side1.error);
  g_clear_error(&job->side2.error);
  g_clear_pointer(&job->folders1, g_array_unref);
  g_free(job->target2);
  g_free(job->trash2);
  g_clear_pointer(&job->mappings, g_array_unref);
  haul_selection_free(job->selection);
  haul_bounds_free(job->context.bounds);
  haul_id_map_free(job->id_map);
  haul_journal_close(job->context.journal);
  haul_chain_free(job->context.chain);
  haul_keywords_free(job->context.keywords);
  g_clear_pointer(&job->context.spellings2, g_hash_table_unref);
  g_hash_table_unref(job->context.made2);
}

/* Refuses what contradicts itself, before anything is connected. */
static bool
check_options(const HaulJobOptions *options, GError **error)
{
  if (haul_account_overlaps(options->account1, options->account2)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "source and destination are the same, or one lies in the other");
    return false;
  }
  return haul_choice_check_policy(&options->policy, error)
         && haul_routes_check(&options->policy, error)
         && haul_mirror_check_policy(&options->policy, options->stateless, error)
         && haul_prune_check_policy(&options->policy, error);
}

int
haul_job_run(const HaulJobOptions *options, HaulReport *report, HaulPreviewFunc planned, void *data,
             GError **error)
{
  Job job = {
    .options = options,
    .planned = planned,
    .planned_data = data,
    .side1 = { .account = options->account1, .intent = HAUL_READ },
    .side2 = { .account = options->account2,
               .intent = options->dry ? HAUL_READ : HAUL_READ | HAUL_WRITE },
    .context = {
      .account1 = options->account1,
      .account2 = options->account2,
      .cancel = options->cancel,
      .keywords = haul_keywords_new(),
      .report = report,
      .made2 = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
      .spool = options->state_folder,
      .policy = &options->policy,
      .bounds = haul_bounds_new(&options->policy, report, options->cancel),
      .n_lanes = options->policy.n_lanes,
      .dry = options->dry,
    },
  };
  GError *why = NULL;
  g_autoptr(HaulTransform) transform = NULL;
  if (!check_options(options, error)
      || !haul_transform_new(&options->policy, options->cancel, &transform, error)) {
    job_clear(&job);
    return haul_reason_exit_code("usage", 0);
  }
  if (!options->stateless) {
    haul_acquaintance_recall(options->state_folder, options->account1);
    haul_acquaintance_recall(options->state_folder, options->account2);
  }
  job.context.transform = transform;
  g_autofree char *chain = haul_chain_text(options->policy.match, options->policy.headers, &why);
  if (chain != NULL)
    job.context.chain = haul_chain_parse(chain, &why);
  bool done = job.context.chain != NULL && prepare_selection(&job, &why)
              && haul_store_may_be_written(options->account2, &why) && prepare_id_map(&job, &why)
              && run_passes(&job, report, &why);
  if (job.side1.store != NULL)
    haul_describe_troubles(report, job.side1.store);
  done = done && (options->dry || haul_journal_settle(job.context.journal, &why))
         && finish_sides(&job, &why);
  write_id_map(&job, &why);
  tell_run(&job);
  int code = 0;
  if (!done || why != NULL) {
    code = haul_sides_exit_code(&job.side1, &job.side2, why);
    g_propagate_error(error, why);
  }
  job_clear(&job);
  GError *unbalanced = NULL;
  if (!haul_report_close(report, &unbalanced)) {
    g_clear_error(error);
    code = haul_reason_exit_code(haul_error_reason(unbalanced), 0);
    g_propagate_error(error, unbalanced);
  }
  return code != 0 ? code : haul_report_exit_code(report);
}
