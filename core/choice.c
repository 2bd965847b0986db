/* Which folders a run is about. */
#include "choice.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "plan-choice.h"

static bool
is_named(const char *wanted, const char *path, const char *native)
{
  if (strcmp(wanted, path) == 0 || g_strcmp0(wanted, native) == 0)
    return true;
  if (haul_path_is_inbox(wanted) && haul_path_is_inbox(path))
    return true;
  g_autofree char *decoded = native != NULL ? haul_utf7_decode(native) : NULL;
  return g_strcmp0(wanted, decoded) == 0;
}

/* ---- by name ---- */

static bool
is_below(const char *wanted, const char *path)
{
  size_t size = strlen(wanted);
  return strncmp(wanted, path, size) == 0 && path[size] == '/';
}

/* Adds the folder of that name, and with @tree those below it. */
static bool
name_folder(const HaulFolderList *list, const char *wanted, bool tree, GArray *named,
            GError **error)
{
  const char *found = haul_choose_named(list, wanted);
  if (found == NULL) {
    g_autofree char *shown = haul_text_display(wanted, strlen(wanted));
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "no-folder",
                   "source: there is no folder \"%s\"; --dry without --folder lists them", shown);
    return false;
  }
  for (uint32_t i = 0; i < list->folders->len; i++) {
    const char *path = g_array_index(list->folders, HaulPlanFolder, i).path;
    if (strcmp(path, found) == 0 || (tree && is_below(found, path)))
      g_array_append_val(named, i);
  }
  return true;
}

static bool
name_folders(const HaulFolderList *list, const char *const *wanted, bool tree, GArray *named,
             GError **error)
{
  for (; wanted != NULL && *wanted != NULL; wanted++)
    if (!name_folder(list, *wanted, tree, named, error))
      return false;
  return true;
}

/* ---- by rule ---- */

static void
clear_rule(HaulChoiceRule *rule)
{
  haul_pattern_free(rule->pattern);
}

/* Reads rules as the policy holds them: "+PATTERN", "-PATTERN". */
static GArray *
read_rules(const char *const *texts, GError **error)
{
  g_autoptr(GArray) rules = g_array_new(FALSE, TRUE, sizeof(HaulChoiceRule));
  g_array_set_clear_func(rules, (GDestroyNotify)clear_rule);
  for (; texts != NULL && *texts != NULL; texts++) {
    HaulChoiceRule rule = { .includes = **texts == '+', .text = *texts + 1 };
    rule.pattern = haul_pattern_parse(rule.text, error);
    if (rule.pattern == NULL)
      return NULL;
    g_array_append_val(rules, rule);
  }
  return g_steal_pointer(&rules);
}

static GPtrArray *
read_patterns(const char *const *texts, GError **error)
{
  g_autoptr(GPtrArray) patterns = g_ptr_array_new_with_free_func((GDestroyNotify)haul_pattern_free);
  for (; texts != NULL && *texts != NULL; texts++) {
    HaulPattern *pattern = haul_pattern_parse(*texts, error);
    if (pattern == NULL)
      return NULL;
    g_ptr_array_add(patterns, pattern);
  }
  return g_steal_pointer(&patterns);
}

static void
tell(const HaulFolderList *list, const HaulChoicePlan *plan, const GArray *rules,
     HaulLeftOutFunc left_out, void *data)
{
  for (guint i = 0; i < plan->left_out->len; i++) {
    uint32_t place = g_array_index(plan->left_out, uint32_t, i);
    const char *path = g_array_index(list->folders, HaulPlanFolder, place).path;
    haul_log(HAUL_LOG_INFO, "source: \"%s\" is left out: %s", path,
             (const char *)plan->why->pdata[i]);
    if (left_out != NULL)
      left_out(path, plan->why->pdata[i], data);
  }
  for (guint i = 0; i < plan->idle->len; i++) {
    uint32_t number = g_array_index(plan->idle, uint32_t, i);
    haul_log(HAUL_LOG_WARNING, "source: no folder is meant by \"%s\"",
             g_array_index(rules, HaulChoiceRule, number).text);
  }
}

bool
haul_choice_check_policy(const HaulPolicy *policy, GError **error)
{
  g_autoptr(GArray) rules = read_rules(policy->choices, error);
  g_autoptr(GPtrArray) first = rules != NULL ? read_patterns(policy->folders_first, error) : NULL;
  g_autoptr(GPtrArray) last = first != NULL ? read_patterns(policy->folders_last, error) : NULL;
  return last != NULL;
}

GArray *
haul_choose_folders(const HaulFolderList *list, const HaulPolicy *policy, HaulLeftOutFunc left_out,
                    void *data, GError **error)
{
  g_autoptr(GArray) named = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) rules = read_rules(policy->choices, error);
  g_autoptr(GPtrArray) first = rules != NULL ? read_patterns(policy->folders_first, error) : NULL;
  g_autoptr(GPtrArray) last = first != NULL ? read_patterns(policy->folders_last, error) : NULL;
  if (last == NULL || !name_folders(list, policy->folders, false, named, error)
      || !name_folders(list, policy->trees, true, named, error))
    return NULL;
  HaulChoiceInput input = {
    .folders = (const HaulPlanFolder *)(void *)list->folders->data,
    .natives = (const char *const *)list->natives->pdata,
    .n = list->folders->len,
    .named = (const uint32_t *)(void *)named->data,
    .n_named = named->len,
    .only_subscribed = policy->subscribed,
    .skip_empty = policy->skip_empty,
    .rules = (const HaulChoiceRule *)(void *)rules->data,
    .n_rules = rules->len,
    .first = (const HaulPattern *const *)first->pdata,
    .n_first = first->len,
    .last = (const HaulPattern *const *)last->pdata,
    .n_last = last->len,
  };
  g_auto(HaulChoicePlan) plan = { 0 };
  haul_plan_choice(&input, &plan);
  tell(list, &plan, rules, left_out, data);
  GArray *chosen = g_array_new(FALSE, TRUE, sizeof(HaulPlanFolder));
  for (guint i = 0; i < plan.chosen->len; i++) {
    uint32_t place = g_array_index(plan.chosen, uint32_t, i);
    g_array_append_val(chosen, g_array_index(list->folders, HaulPlanFolder, place));
  }
  return chosen;
}

/* ---- where one goes ---- */

/* Finds the folder that is @wanted: its canonical path counts more than what the store calls another. */
const char *
haul_choose_named(const HaulFolderList *list, const char *wanted)
{
  if (haul_folder_list_find(list, wanted) != NULL)
    return wanted;
  for (guint i = 0; i < list->folders->len; i++) {
    const char *path = g_array_index(list->folders, HaulPlanFolder, i).path;
    if (is_named(wanted, path, list->natives->pdata[i]))
      return path;
  }
  return NULL;
}

char *
haul_choose_target(const GArray *folders1, const HaulFolderList *list2, const char *wanted,
                   GError **error)
{
  guint n = 0;
  for (guint i = 0; i < folders1->len; i++)
    n += (g_array_index(folders1, HaulPlanFolder, i).attributes & HAUL_FOLDER_NOSELECT) == 0;
  if (n > 1) {
    haul_set_error(
        error, HAUL_ERROR_ACCOUNT, "usage",
        "--folder2 says where one folder goes, but %u are chosen; name one with --folder", n);
    return NULL;
  }
  const char *found = haul_choose_named(list2, wanted);
  return g_strdup(found != NULL ? found : haul_path_is_inbox(wanted) ? "INBOX" : wanted);
}
