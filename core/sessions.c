/* Folders that show a part of their messages at a time. See sessions.h. */
#include "sessions.h"

#include <inttypes.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/plugin.h>

bool
haul_sessions_are_needed(const HaulPlanFolder *folder1)
{
  return (folder1->attributes & HAUL_FOLDER_BATCHES) != 0;
}

/* What became of a message that has a pair. */
typedef enum { FATE_THERE, FATE_GONE, FATE_LEFT } Fate;

/* What a folder does not show any more. */
typedef struct {
  const HaulContext *context;
  HaulFolderWork *work;
  GHashTable *copies;                 /* borrowed; id at the source -> Fate */
  uint64_t n_there, n_gone, n_others; /* the latter: in trouble */
} Absent;

/* Returns what the state knows of the folder's pairs: id at the source -> Fate. */
static GHashTable *
load_copies(const HaulContext *context, const HaulFolderWork *work, GError **error)
{
  g_autoptr(HaulIds) ids1 = haul_ids_new();
  g_autoptr(HaulIds) ids2 = haul_ids_new();
  g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  if (!haul_journal_load_pairs(context->journal, work->number, ids1, ids2, pairs, error))
    return NULL;
  GHashTable *copies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < pairs->len; i++) {
    const HaulPair *pair = &g_array_index(pairs, HaulPair, i);
    HaulIdBuffer buffer;
    g_hash_table_insert(copies, g_strdup(haul_id_text(pair->id1, &buffer)),
                        GINT_TO_POINTER(pair->leaving || pair->left ? FATE_LEFT
                                        : pair->gone                ? FATE_GONE
                                                                    : FATE_THERE));
  }
  return copies;
}

static void
account_for(const char *id, void *data)
{
  Absent *absent = data;
  HaulTally *tally = absent->work->tally;
  gpointer fate;
  if (g_hash_table_lookup_extended(absent->copies, id, NULL, &fate)) {
    absent->n_there += GPOINTER_TO_INT(fate) == FATE_THERE;
    absent->n_gone += GPOINTER_TO_INT(fate) == FATE_GONE;
    return; /* what left is counted as that */
  }
  absent->n_others++;
  if (haul_report_is_in_trouble(absent->context->report, tally, id))
    return;
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_MESSAGE, "withdrawn",
                 "the source has shown it, and does so no more; it was not copied");
  haul_log(HAUL_LOG_WARNING, "%s, message %s: %s", tally->path1, id, why->message);
  haul_report_trouble(absent->context->report, tally, id, why);
}

static bool
account(const HaulContext *context, HaulFolderWork *work, GError **error)
{
  HaulTally *tally = work->tally;
  g_autoptr(GHashTable) copies = load_copies(context, work, error);
  if (copies == NULL)
    return false;
  if (work->plan.look == HAUL_LOOK_NOTHING) {
    haul_batch_begin_listing(&tally->batch); /* and nothing is in it */
    work->n_there = tally->leaving.n_gone;
  }
  Absent absent = { .context = context, .work = work, .copies = copies };
  haul_batch_end_listing(&tally->batch, account_for, &absent);
  uint64_t n_there = work->n_there + absent.n_there;
  tally->source += absent.n_there + absent.n_gone + absent.n_others;
  tally->n[HAUL_STATE_THERE] = n_there - MIN(n_there, tally->n[HAUL_STATE_COPIED]);
  tally->n[HAUL_STATE_FILTERED] = work->n_gone + absent.n_gone;
  return true;
}

bool
haul_sessions_account(const HaulContext *context, const HaulPass *pass, GError **error)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    bool is_known = work->plan.look == HAUL_LOOK_NOTHING || work->tally->batch.is_listed;
    if (haul_sessions_are_needed(work->plan.folder1) && !work->unusable && is_known
        && !account(context, work, error))
      return false;
  }
  return true;
}

bool
haul_sessions_go_on(HaulReport *report)
{
  bool more = false;
  GPtrArray *folders = haul_report_folders(report);
  for (guint i = 0; i < folders->len; i++) {
    HaulTally *tally = folders->pdata[i];
    uint64_t n_copied = tally->n[HAUL_STATE_COPIED];
    if (!haul_batch_has_shown(&tally->batch)
        || !haul_batch_goes_on(&tally->batch, n_copied + g_hash_table_size(tally->in_trouble)))
      continue;
    more = true;
    haul_log(HAUL_LOG_INFO,
             "source: %s comes in batches: session %u, %" PRIu64 " messages copied so far",
             tally->path1, tally->batch.n_sessions, n_copied);
  }
  return more;
}
