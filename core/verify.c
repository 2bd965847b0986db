/* Comparing two accounts. See verify.h. */
#include "verify.h"

#include <mailhaul/error.h>

#include "context.h"
#include "describing.h"
#include "journal-file.h"

/* One of the two looks: by keys; then, if asked to, by content. */
typedef struct {
  HaulReport *report; /* borrowed; what is told in the end */
  const char *reason; /* of messages without a counterpart */
  const char *says;   /* of such a message */
  bool counts_extra;
} Look;

/* The ids of a folder's messages that have no counterpart. */
typedef struct {
  const Look *look;
  HaulTally *tally;
} Finding;

static bool
take_missing(const HaulItem *item, void *data)
{
  const Finding *finding = data;
  HaulReport *report = finding->look->report;
  if (haul_report_is_in_trouble(report, finding->tally, item->id))
    return true;
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_MESSAGE, finding->look->reason, "%s", finding->look->says);
  haul_report_trouble(report, finding->tally, item->id, why);
  return true;
}

/* Names the messages that a run would copy. */
static bool
name_missing(const HaulPass *pass, const HaulFolderWork *work, HaulOpenStore *store1,
             Finding *finding, GError **error)
{
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HaulRange));
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, 2 * MAX(work->n_actions, 1));
  for (guint i = 0; i < work->n_actions; i++) {
    const HaulAction *action = &g_array_index(pass->actions, HaulAction, work->first_action + i);
    if (!haul_action_fetches(action))
      continue;
    HaulRange range = { haul_id_text(action->copy.first, &buffers[2 * i]),
                        haul_id_text(action->copy.last, &buffers[2 * i + 1]) };
    g_array_append_val(ranges, range);
  }
  if (ranges->len == 0)
    return true;
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  return haul_store_select(store1, work->plan.folder1->path, HAUL_READ, &folder, error)
         && haul_store_list(store1, (const HaulRange *)(void *)ranges->data, ranges->len, 0, NULL,
                            take_missing, finding, error);
}

/* Counts the messages that only the destination has. */
static bool
count_extra(const HaulContext *context, const HaulFolderWork *work, HaulTally *tally,
            GError **error)
{
  const HaulPlanFolder *folder2 = work->plan.folder2;
  if (work->plan.look == HAUL_LOOK_NOTHING) { /* it was not listed */
    bool any = folder2 != NULL && folder2->n_messages != HAUL_UNKNOWN;
    tally->n_extra = any ? folder2->n_messages : 0;
    return true;
  }
  g_autoptr(HaulIds) ids = haul_ids_new();
  g_autoptr(GArray) strays = g_array_new(FALSE, FALSE, sizeof(HaulId));
  if (!haul_journal_load_strays(context->journal, work->number, ids, strays, error))
    return false;
  tally->n_extra = strays->len;
  return true;
}

static guint
count_flags(const HaulPass *pass, const HaulFolderWork *work)
{
  guint n = 0;
  for (guint i = 0; i < work->n_actions; i++)
    n += g_array_index(pass->actions, HaulAction, work->first_action + i).deed == HAUL_DO_FLAGS;
  return n;
}

static bool
inspect(const HaulContext *context, const HaulPass *pass, HaulOpenStore *store1, void *data,
        GError **error)
{
  const Look *look = data;
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    Finding finding = {
      .look = look,
      .tally = haul_report_folder(look->report, work->plan.folder1->path, work->plan.path2),
    };
    if (work->unusable)
      continue;
    if (!name_missing(pass, work, store1, &finding, error))
      return false;
    if (!look->counts_extra)
      continue;
    haul_report_flags(look->report, finding.tally, count_flags(pass, work));
    if (!count_extra(context, work, finding.tally, error))
      return false;
  }
  haul_describe_troubles(look->report, store1);
  return true;
}

/* What has other octets was counted as there by its key. */
static void
take_back(HaulReport *report)
{
  GPtrArray *folders = haul_report_folders(report);
  for (guint i = 0; i < folders->len; i++) {
    HaulTally *tally = folders->pdata[i];
    uint64_t n_in_trouble = g_hash_table_size(tally->in_trouble);
    uint64_t left = tally->source - MIN(n_in_trouble, tally->source);
    tally->n[HAUL_STATE_THERE] = MIN(tally->n[HAUL_STATE_THERE], left);
  }
}

int
haul_verify_run(const HaulJobOptions *options, bool deep, HaulReport *report, GError **error)
{
  HaulJobOptions job = *options;
  Look by_key = { report, "missing", "it has no counterpart at the destination", true };
  Look by_content = { report, "differs", "its counterpart has other octets", false };
  job.dry = job.stateless = true;
  job.inspect = inspect;
  job.inspect_data = &by_key;
  if (deep && !haul_own_folder(options->state_folder, error)) /* large bodies are spooled there */
    return haul_reason_exit_code(haul_error_reason(*error), 0);
  int code = haul_job_run(&job, report, NULL, NULL, error);
  if (*error == NULL && deep) {
    g_autoptr(HaulReport) second = haul_report_new();
    job.policy.match = "content";
    job.inspect_data = &by_content;
    code = haul_job_run(&job, second, NULL, NULL, error);
    take_back(report);
  }
  if (*error != NULL)
    return code;
  haul_report_close(report, error);
  return *error != NULL ? haul_reason_exit_code(haul_error_reason(*error), 0)
                        : haul_report_exit_code(report);
}
