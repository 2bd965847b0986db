/* Missing folders are made, and subscribed to. See preparing.h. */
#include "preparing.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "creation.h"

/* What one call of create() came to. */
typedef struct {
  GHashTable *refused; /* owned; path -> owned text of why */
  guint n_made;
} Made;

static void
made_clear(Made *made)
{
  g_clear_pointer(&made->refused, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Made, made_clear)

static void
create_result(const char *path, const GError *why, void *data)
{
  Made *made = data;
  if (why == NULL)
    made->n_made++;
  else
    g_hash_table_insert(made->refused, g_strdup(path), g_strdup(why->message));
}

static bool
create(HaulOpenStore *store2, const GArray *folders, Made *made, GError **error)
{
  made->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return folders->len == 0
         || haul_store_create(store2, (const HaulFolder *)(void *)folders->data, folders->len,
                              create_result, made, error);
}

static const HaulFolderPlan *
plan_of(const HaulPass *pass, guint i)
{
  return &g_array_index(pass->folders, HaulFolderWork, i).plan;
}

static void
append_folder(GArray *folders, const HaulFolderPlan *plan)
{
  const HaulPlanFolder *source = plan->folder1;
  HaulFolder folder = {
    .path = plan->path2,
    .epoch = source->epoch,
    .next_id = source->next_id,
    .n_messages = source->n_messages,
    .attributes = plan->is_sent_elsewhere ? 0 : source->attributes,
  };
  g_array_append_val(folders, folder);
}

/* Returns the folders that are to be made, in the order in which that is best tried. */
static GArray *
missing_folders(const HaulPass *pass)
{
  g_autoptr(GArray) creations = g_array_new(FALSE, FALSE, sizeof(HaulCreation));
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderPlan *plan = plan_of(pass, i);
    HaulCreation one = { plan->path2, plan->folder1->n_messages == 0, i };
    if (plan->create)
      g_array_append_val(creations, one);
  }
  haul_creation_order((HaulCreation *)(void *)creations->data, creations->len);
  GArray *folders = g_array_new(FALSE, TRUE, sizeof(HaulFolder));
  for (guint i = 0; i < creations->len; i++)
    append_folder(folders, plan_of(pass, (guint)g_array_index(creations, HaulCreation, i).index));
  return folders;
}

static void
note_made(HaulPass *pass, HaulReport *report, const Made *made)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    if (work->plan.create && !g_hash_table_contains(made->refused, work->plan.path2))
      haul_report_created(report, work->tally);
  }
}

/* Makes what is missing. What was refused is asked for once more where others were made meanwhile: some
 * servers make no folder before that which it lies in. */
static bool
create_folders(const HaulPass *pass, HaulOpenStore *store2, Made *made, GError **error)
{
  g_autoptr(GArray) folders = missing_folders(pass);
  if (!create(store2, folders, made, error))
    return false;
  if (g_hash_table_size(made->refused) == 0 || made->n_made == 0)
    return true;
  g_array_set_size(folders, 0);
  for (guint i = 0; i < pass->folders->len; i++) { /* parents before their children */
    const HaulFolderPlan *plan = plan_of(pass, i);
    if (plan->create && g_hash_table_contains(made->refused, plan->path2))
      append_folder(folders, plan);
  }
  made_clear(made);
  return create(store2, folders, made, error);
}

static void
note_refusals(HaulPass *pass, HaulReport *report, const Made *made)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    const char *why =
        work->plan.create ? g_hash_table_lookup(made->refused, work->plan.path2) : NULL;
    if (why == NULL)
      continue;
    g_autoptr(GError) told = NULL;
    haul_set_error(&told, HAUL_ERROR_FOLDER, "create", "%s", why);
    haul_report_folder_failed(report, work->tally, told);
    work->incomplete = true;
    work->unusable = true;
  }
}

/* @data: set of owned paths that were refused. */
static void
subscribe_result(const char *path, const GError *why, void *data)
{
  if (why == NULL)
    return;
  haul_log(HAUL_LOG_WARNING, "cannot subscribe to %s: %s", path, why->message);
  g_hash_table_add(data, g_strdup(path));
}

static bool
subscribe_to_folders(const HaulPass *pass, HaulReport *report, HaulOpenStore *store2,
                     const Made *made, GError **error)
{
  g_autoptr(GArray) folders = g_array_new(FALSE, TRUE, sizeof(HaulFolder));
  g_autoptr(GHashTable) refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderPlan *plan = plan_of(pass, i);
    if (plan->subscribe && !g_hash_table_contains(made->refused, plan->path2))
      append_folder(folders, plan); /* servers subscribe to what is not there, too */
  }
  if (folders->len > 0
      && !haul_store_subscribe(store2, (const HaulFolder *)(void *)folders->data, folders->len,
                               subscribe_result, refused, error))
    return false;
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderPlan *plan = plan_of(pass, i);
    if (plan->subscribe && !g_hash_table_contains(made->refused, plan->path2)
        && !g_hash_table_contains(refused, plan->path2))
      haul_report_subscribed(report, g_array_index(pass->folders, HaulFolderWork, i).tally);
  }
  return true;
}

bool
haul_prepare_folders(HaulPass *pass, HaulReport *report, HaulOpenStore *store2, bool *wrote,
                     GError **error)
{
  g_auto(Made) made = { 0 };
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderPlan *plan = plan_of(pass, i);
    *wrote |= plan->create || plan->subscribe;
  }
  if (!create_folders(pass, store2, &made, error))
    return false;
  note_refusals(pass, report, &made);
  note_made(pass, report, &made);
  return subscribe_to_folders(pass, report, store2, &made, error);
}
