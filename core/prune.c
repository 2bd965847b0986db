/* Removing folders at the destination. See prune.h. */
#include "prune.h"

#include <inttypes.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "plan-prune.h"
#include "victims.h"

/* ---- what the user says ---- */

/* Compiles an expression, which may be written between slashes. */
static GRegex *
compile(const char *text, GError **error)
{
  size_t size = strlen(text);
  bool framed = size >= 2 && text[0] == '/' && text[size - 1] == '/';
  g_autofree char *plain = framed ? g_strndup(text + 1, size - 2) : g_strdup(text);
  return g_regex_new(plain, G_REGEX_RAW, 0, error);
}

static bool
check(const char *option, const char *text, GError **error)
{
  g_autoptr(GError) why = NULL;
  g_autoptr(GRegex) regex G_GNUC_UNUSED = text != NULL ? compile(text, &why) : NULL;
  if (why == NULL)
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--%s: %s", option, why->message);
  return false;
}

bool
haul_prune_check_policy(const HaulPolicy *policy, GError **error)
{
  return check("delete2foldersonly", policy->delete2_folders_only, error)
         && check("delete2foldersbutnot", policy->delete2_folders_but_not, error);
}

bool
haul_prune_check(const HaulPolicy *policy, const HaulOpenStore *store2, GError **error)
{
  if (!policy->delete2_folders || haul_store_can_remove(store2))
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "unsupported",
                 "destination: --delete2folders: this kind of store removes no folders");
  return false;
}

/* Whether a folder is what an expression means, by its path or by its name on the server. */
static bool
matches(const GRegex *regex, const char *path, const char *native)
{
  return regex != NULL
         && (g_regex_match(regex, path, 0, NULL)
             || (native != NULL && g_regex_match(regex, native, 0, NULL)));
}

/* ---- what is known ---- */

/* What the state and the source say of places at the destination. */
typedef struct {
  GHashTable *wanted, *known; /* owned; folded paths, borrowed paths */
  GHashTable *sources;        /* owned; path2 -> path1, borrowed */
  guint n_known, n_vanished;  /* folders of the source */
} Places;

static void
places_clear(Places *places)
{
  g_clear_pointer(&places->wanted, g_hash_table_unref);
  g_clear_pointer(&places->known, g_hash_table_unref);
  g_clear_pointer(&places->sources, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Places, places_clear)

static char *
fold(const char *path)
{
  g_autofree char *valid = g_utf8_make_valid(path, -1);
  return g_utf8_casefold(valid, -1);
}

/* Notes that a folder of the source goes there, and that what it lies in is needed for that: it may have been
 * made just now. */
static void
want(const Places *places, const char *path2)
{
  for (g_autofree char *path = g_strdup(path2); path != NULL;) {
    g_hash_table_add(places->wanted, fold(path));
    char *slash = strrchr(path, '/');
    if (slash == NULL)
      return;
    *slash = '\0';
  }
}

/* Finds out where folders of the source go, whether in this run or in another one: what differs by case alone is
 * one place. */
static bool
find_places(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
            Places *places, GError **error)
{
  places->wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  places->known = g_hash_table_new(g_str_hash, g_str_equal);
  places->sources = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < list1->folders->len; i++)
    g_hash_table_add(places->wanted, fold(g_array_index(list1->folders, HaulPlanFolder, i).path));
  for (guint i = 0; i < pass->folders->len; i++)
    want(places, g_array_index(pass->folders, HaulFolderWork, i).plan.path2);
  if (context->trash2 != NULL)
    g_hash_table_add(places->wanted, fold(context->trash2));
  GArray *rows = haul_journal_folders(context->journal, error);
  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    const HaulJournalFolder *row = &g_array_index(rows, HaulJournalFolder, i);
    bool is_there = haul_folder_list_find(list1, row->path1) != NULL;
    places->n_known++;
    places->n_vanished += !is_there;
    if (is_there)
      g_hash_table_add(places->wanted, fold(row->path2));
    else
      g_hash_table_add(places->known, (char *)row->path2);
    g_hash_table_insert(places->sources, (char *)row->path2, (char *)row->path1);
  }
  return rows != NULL;
}

static bool
pass_is_in_trouble(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1)
{
  GPtrArray *tallies = haul_report_folders(context->report);
  for (guint i = 0; i < tallies->len; i++) { /* also those of an earlier pass */
    const HaulTally *tally = tallies->pdata[i];
    if (tally->failed != NULL && haul_folder_list_find(list1, tally->path1) != NULL)
      return true;
  }
  for (guint i = 0; i < pass->folders->len; i++)
    if (haul_mirror_is_in_trouble(context, &g_array_index(pass->folders, HaulFolderWork, i)))
      return true;
  return false;
}

/* Why no folder may go at all; NULL if any may. */
static const char *
find_objection(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
               const Places *places)
{
  if (haul_mirror_is_empty(list1))
    return "the source shows no message at all";
  if (context->state_is_new)
    return "the state is new; if this run ends well, the next one may";
  if (places->n_vanished > 1 && 2 * places->n_vanished > places->n_known)
    return "the source does not show most of the folders that it had";
  if (haul_mirror_is_other_source(pass))
    return "the source has numbered most of its folders anew: it may be another account";
  return pass_is_in_trouble(context, pass, list1) ? "not all else went well" : NULL;
}

/* ---- one folder ---- */

/* Counts the messages that are no copies of what the source had there. */
static bool
count_others(const HaulContext *context, const HaulPlanFolder *folder, const HaulVictims *victims,
             guint *n, GError **error)
{
  g_autoptr(HaulIds) ids = haul_ids_new();
  g_autoptr(GArray) covered = g_array_new(FALSE, FALSE, sizeof(HaulId));
  if (!haul_journal_load_covered(context->journal, folder->path, folder->epoch, -1, ids, covered,
                                 error))
    return false;
  g_autoptr(GHashTable) ours = g_hash_table_new(g_int64_hash, g_int64_equal);
  for (guint i = 0; i < covered->len; i++)
    g_hash_table_add(ours, &g_array_index(covered, HaulId, i));
  *n = 0;
  for (guint i = 0; i < victims->ids->len; i++) {
    HaulId id = haul_id_intern(ids, victims->ids->pdata[i]);
    *n += !g_hash_table_contains(ours, &id);
  }
  return true;
}

/* Looks at all that a folder holds. What a listing does not show would go with it, uncounted. */
static bool
look_into(HaulOpenStore *store2, const HaulPlanFolder *folder, HaulVictims *victims, GError **error)
{
  if (!haul_victims_look(store2, folder->path, folder->epoch, NULL, victims, error))
    return false;
  if (victims->n_messages == HAUL_UNKNOWN || victims->n_messages <= victims->ids->len)
    return true;
  haul_set_error(error, HAUL_ERROR_FOLDER, "not-mirrored",
                 "the folder stays: fewer messages were listed than it is said to hold");
  return false;
}

/* Looks into a folder. *refusal: why it stays, owned, or NULL. */
static bool
judge(const HaulContext *context, HaulOpenStore *store2, const HaulPlanFolder *folder,
      bool is_named, HaulVictims *victims, char **refusal, GError **error)
{
  guint n_others;
  bool has_left;
  if (!look_into(store2, folder, victims, error)
      || !count_others(context, folder, victims, &n_others, error)
      || !haul_journal_has_left(context->journal, folder->path, &has_left, error))
    return false;
  guint n = victims->ids->len;
  HaulMirrorInput amounts = { .n2 = n,
                              .has_limit = context->policy->max_delete > 0,
                              .limit = context->policy->max_delete };
  if (has_left && n > 0)
    *refusal = g_strdup("the folder stays: it holds messages that were deleted at the source, by "
                        "--delete1");
  else if (n_others > 0 && !is_named)
    *refusal = g_strdup_printf("the folder stays: %u of its %u messages did not come from the "
                               "source; if it is meant, name it by --delete2foldersonly",
                               n_others, n);
  else if (haul_mirror_is_too_many(&amounts, n))
    *refusal = g_strdup_printf("the folder stays: its %u messages are more than --max-delete lets "
                               "go; if it is meant, say --max-delete %u",
                               n, n);
  return true;
}

static void
refuse(const HaulContext *context, HaulTally *tally, const char *text)
{
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_FOLDER, "not-mirrored", "%s", text);
  haul_report_folder_failed(context->report, tally, why);
  haul_log(HAUL_LOG_WARNING, "%s: %s", tally->path2, text);
}

static bool
remove_folder(const HaulContext *context, HaulOpenStore *store2, const HaulFolderList *list2,
              const char *path2, HaulVictims *victims, HaulTally *tally, GError **error)
{
  if (victims->ids->len > 0 && context->trash2 != NULL
      && !haul_victims_to_trash(context, store2, list2, path2, victims, error))
    return false;
  if (!haul_store_remove(store2, path2, error))
    return false;
  tally->leaving2.n_gone += victims->ids->len;
  haul_victims_log(context, path2, victims);
  haul_log(HAUL_LOG_INFO, "%s: deleted the folder", path2);
  return true;
}

/* Removes one folder, or tells that it would be. What befalls it is reported; false if that reaches farther. */
static bool
prune_one(const HaulContext *context, HaulOpenStore *store2, const HaulFolderList *list2,
          const HaulPlanFolder *folder, bool is_named, const char *objection, const char *path1,
          HaulPruneFunc show, void *data, GError **error)
{
  g_auto(HaulVictims) victims = { 0 };
  g_autofree char *refusal =
      objection != NULL ? g_strdup_printf("the folder stays: %s", objection) : NULL;
  GError *why = NULL;
  HaulTally *tally =
      show == NULL
          ? haul_report_folder(context->report, path1 != NULL ? path1 : folder->path, folder->path)
          : NULL;
  if (tally != NULL)
    haul_report_retry(context->report, tally);
  if (refusal == NULL && !judge(context, store2, folder, is_named, &victims, &refusal, &why)) {
    if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
      g_propagate_error(error, why);
      return false;
    }
    refusal = g_strdup(why->message);
    g_clear_error(&why);
  }
  if (show != NULL) {
    g_autofree char *text =
        refusal == NULL ? g_strdup_printf("delete the folder, with %u messages, at the destination",
                                          victims.ids->len)
                        : NULL;
    show(folder->path, refusal != NULL ? "refuse" : "delete2folder",
         refusal != NULL ? refusal : text, data);
    if (refusal != NULL) /* as the run will */
      refuse(
          context,
          haul_report_folder(context->report, path1 != NULL ? path1 : folder->path, folder->path),
          refusal);
    return true;
  }
  if (refusal == NULL
      && !remove_folder(context, store2, list2, folder->path, &victims, tally, &why)) {
    if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
      g_propagate_error(error, why);
      return false;
    }
    refusal = g_strdup(why->message);
    g_error_free(why);
  }
  if (refusal != NULL)
    refuse(context, tally, refusal);
  return true;
}

bool
haul_prune(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
           HaulOpenStore *store2, const HaulFolderList *list2, HaulPruneFunc show, void *data,
           GError **error)
{
  const HaulPolicy *policy = context->policy;
  g_auto(Places) places = { 0 };
  if (!find_places(context, pass, list1, &places, error))
    return false;
  g_autoptr(GRegex) only =
      policy->delete2_folders_only != NULL ? compile(policy->delete2_folders_only, NULL) : NULL;
  g_autoptr(GRegex) but_not = policy->delete2_folders_but_not != NULL
                                  ? compile(policy->delete2_folders_but_not, NULL)
                                  : NULL;
  guint n = list2->folders->len;
  g_autofree HaulPruneFolder *folders = g_new0(HaulPruneFolder, MAX(n, 1));
  for (guint i = 0; i < n; i++) {
    const HaulPlanFolder *folder = &g_array_index(list2->folders, HaulPlanFolder, i);
    const char *native = list2->natives->pdata[i];
    g_autofree char *folded = fold(folder->path);
    folders[i] = (HaulPruneFolder){
      .path = folder->path,
      .attributes = folder->attributes,
      .is_wanted = g_hash_table_contains(places.wanted, folded),
      .is_known = only == NULL && g_hash_table_contains(places.known, folder->path),
      .is_named = matches(only, folder->path, native),
      .is_excepted = matches(but_not, folder->path, native),
    };
  }
  g_autoptr(GArray) victims = haul_plan_prune(folders, n);
  const char *objection = find_objection(context, pass, list1, &places);
  for (guint i = 0; i < victims->len; i++) {
    guint at = g_array_index(victims, uint32_t, i);
    const char *path = folders[at].path;
    if (!prune_one(context, store2, list2, &g_array_index(list2->folders, HaulPlanFolder, at),
                   folders[at].is_named, objection, g_hash_table_lookup(places.sources, path), show,
                   data, error))
      return false;
  }
  return true;
}
