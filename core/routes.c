/* Where the folders of a run go. See routes.h. */
#include "routes.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

#include "choice.h"

/* What the mapping is made of, as long as it is made. */
typedef struct {
  GArray *renames;     /* owned; of HaulRename */
  GPtrArray *texts;    /* owned; of char *: what they point to */
  GPtrArray *rewrites; /* owned; of HaulRewrite */
  GArray *known;       /* owned; of HaulPlanKnown */
  HaulNotation notation;
} Words;

static void
words_clear(Words *words)
{
  g_array_unref(words->renames);
  g_ptr_array_unref(words->texts);
  g_ptr_array_unref(words->rewrites);
  g_array_unref(words->known);
  haul_notation_clear(&words->notation);
}

static void
words_init(Words *words)
{
  *words = (Words){
    .renames = g_array_new(FALSE, TRUE, sizeof(HaulRename)),
    .texts = g_ptr_array_new_with_free_func(g_free),
    .rewrites = g_ptr_array_new_with_free_func((GDestroyNotify)haul_rewrite_free),
    .known = g_array_new(FALSE, TRUE, sizeof(HaulPlanKnown)),
  };
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Words, words_clear)

static char *
keep(Words *words, char *text)
{
  g_ptr_array_add(words->texts, text);
  return text;
}

/* Whether a level of @path is empty: "/a", "a//b". */
static bool
is_path(const char *path)
{
  return g_utf8_validate(path, -1, NULL) && *path != '\0' && *path != '/'
         && !g_str_has_suffix(path, "/") && strstr(path, "//") == NULL;
}

/* Splits "OLD=NEW" at the first '=' behind something; NULL where there are not two names. */
static const char *
split_rename(const char *text)
{
  const char *equals = *text != '\0' ? strchr(text + 1, '=') : NULL;
  return equals != NULL && is_path(equals + 1) ? equals : NULL;
}

static bool
parse_rewrites(const HaulPolicy *policy, GPtrArray *rewrites, GError **error)
{
  for (const char *const *text = policy->rewrites; text != NULL && *text != NULL; text++) {
    HaulRewrite *rewrite = haul_rewrite_parse(*text, error);
    if (rewrite == NULL)
      return false;
    g_ptr_array_add(rewrites, rewrite);
  }
  return true;
}

bool
haul_routes_check(const HaulPolicy *policy, GError **error)
{
  g_auto(Words) words;
  words_init(&words);
  for (const char *const *text = policy->renames; text != NULL && *text != NULL; text++) {
    g_autofree char *shown = haul_text_display(*text, strlen(*text));
    if (split_rename(*text) != NULL && g_utf8_validate(*text, -1, NULL))
      continue;
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--f1f2 takes OLD=NEW, two paths of folders, not \"%s\"", shown);
    return false;
  }
  if (policy->folder2 != NULL && policy->subfolder2 != NULL) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--folder2 says all of where a folder goes: --subfolder2 contradicts it");
    return false;
  }
  return parse_rewrites(policy, words.rewrites, error);
}

bool
haul_routes_confine(const HaulPolicy *policy, const HaulFolderList *list1, GArray *folders1,
                    GError **error)
{
  if (policy->subfolder1 == NULL)
    return true;
  const char *found = haul_choose_named(list1, policy->subfolder1);
  const char *root = found != NULL ? found : policy->subfolder1;
  g_autofree char *inbox = g_strconcat(root, "/INBOX", NULL);
  bool has_inbox = haul_folder_list_find(list1, inbox) != NULL, any = found != NULL;
  for (guint i = folders1->len; i-- > 0;) {
    const HaulPlanFolder *folder = &g_array_index(folders1, HaulPlanFolder, i);
    const char *rest = haul_path_below(folder->path, root);
    any |= rest != NULL;
    /* The folder itself is only what its INBOX and the others lie in, unless there is mail in it. */
    bool is_shell = rest != NULL && *rest == '\0' && has_inbox && folder->n_messages == 0;
    if (rest == NULL || is_shell)
      g_array_remove_index(folders1, i);
  }
  if (any)
    return true;
  g_autofree char *shown = haul_text_display(policy->subfolder1, strlen(policy->subfolder1));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "no-folder",
                 "source: there is no folder \"%s\", which --subfolder1 names; --dry without it "
                 "lists them",
                 shown);
  return false;
}

/* The path of a folder of the destination that the user names, which need not be there: canonical, or as the
 * destination writes it. */
static char *
read_target(const HaulRoutesInput *input, const HaulNotation *notation, const char *name)
{
  const char *found = haul_choose_named(input->list2, name);
  if (found != NULL)
    return g_strdup(found);
  if (haul_path_is_inbox(name))
    return g_strdup("INBOX");
  bool has_prefix = notation->prefix != NULL && *notation->prefix != '\0'
                    && g_str_has_prefix(name, notation->prefix);
  bool is_theirs = notation->separator != '\0' && notation->separator != '/'
                   && strchr(name, '/') == NULL && strchr(name, notation->separator) != NULL;
  return has_prefix || is_theirs ? haul_notation_read(notation, name) : g_strdup(name);
}

/* Whether a folder lies at @path or below. */
static bool
has_below(const HaulFolderList *list, const char *path)
{
  for (guint i = 0; i < list->folders->len; i++)
    if (haul_path_below(g_array_index(list->folders, HaulPlanFolder, i).path, path) != NULL)
      return true;
  return false;
}

static void
read_renames(const HaulRoutesInput *input, Words *words)
{
  for (const char *const *text = input->policy->renames; text != NULL && *text != NULL; text++) {
    const char *equals = split_rename(*text);
    char *from = keep(words, g_strndup(*text, (size_t)(equals - *text)));
    const char *found = haul_choose_named(input->list1, from);
    HaulRename rename = { .from = found != NULL ? found : from,
                          .to = keep(words, read_target(input, &words->notation, equals + 1)),
                          .text = *text };
    if (input->tells && !has_below(input->list1, rename.from))
      haul_log(HAUL_LOG_WARNING, "source: --f1f2 %s: there is no such folder", *text);
    g_array_append_val(words->renames, rename);
  }
}

static bool
read_words(const HaulRoutesInput *input, Words *words, GError **error)
{
  GArray *folders2 = input->list2->folders;
  haul_notation_learn((const HaulPlanFolder *)(void *)folders2->data,
                      (const char *const *)input->list2->natives->pdata, folders2->len,
                      &words->notation);
  if (input->notation2.separator != '\0')
    words->notation.separator = input->notation2.separator;
  if (input->notation2.prefix != NULL) {
    g_free(words->notation.prefix);
    words->notation.prefix = g_strdup(input->notation2.prefix);
  }
  read_renames(input, words);
  GArray *folders = haul_journal_folders(input->journal, error); /* lent */
  if (folders == NULL)
    return false;
  for (guint i = 0; i < folders->len; i++) {
    const HaulJournalFolder *folder = &g_array_index(folders, HaulJournalFolder, i);
    HaulPlanKnown one = { .path1 = folder->path1, .path2 = folder->path2 };
    g_array_append_val(words->known, one);
  }
  return parse_rewrites(input->policy, words->rewrites, error);
}

/* Tells of a folder that goes elsewhere than it did: what was copied stays where it is. */
static void
tell_moves(const HaulRoutesInput *input, const GArray *known, const GArray *mappings)
{
  g_autoptr(GHashTable) last = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GHashTable) gone_on = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GHashTable) targets = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < mappings->len; i++)
    g_hash_table_insert(targets, (char *)g_array_index(input->folders1, HaulPlanFolder, i).path,
                        g_array_index(mappings, HaulMapping, i).path2);
  for (guint i = 0; i < known->len; i++) {
    const HaulPlanKnown *one = &g_array_index(known, HaulPlanKnown, i);
    const char *target = g_hash_table_lookup(targets, one->path1);
    g_hash_table_insert(last, (char *)one->path1, (char *)one->path2);
    if (target != NULL && strcmp(target, one->path2) == 0)
      g_hash_table_add(gone_on, (char *)one->path1);
  }
  for (guint i = 0; i < mappings->len; i++) {
    const HaulPlanFolder *folder = &g_array_index(input->folders1, HaulPlanFolder, i);
    const HaulMapping *mapping = &g_array_index(mappings, HaulMapping, i);
    const char *before = g_hash_table_lookup(last, folder->path);
    if (before != NULL && !g_hash_table_contains(gone_on, folder->path)
        && (folder->attributes & HAUL_FOLDER_NOSELECT) == 0)
      haul_log(
          HAUL_LOG_INFO,
          "source: folder \"%s\" goes to \"%s\" now (%s), in an earlier run it went to \"%s\"; "
          "what was copied stays there",
          folder->path, mapping->path2, mapping->rule, before);
  }
}

/* Refuses that two folders become one, unless that is asked for. */
static bool
check_meetings(const HaulRoutesInput *input, const GArray *mappings, GError **error)
{
  const HaulPlanFolder *folders1 = (const HaulPlanFolder *)(void *)input->folders1->data;
  guint a, b;
  if (input->policy->allow_merge || !haul_mapping_meets(folders1, mappings, &a, &b))
    return true;
  const HaulMapping *first = &g_array_index(mappings, HaulMapping, a);
  const HaulMapping *second = &g_array_index(mappings, HaulMapping, b);
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "merge",
                 "folders \"%s\" (%s) and \"%s\" (%s) would both go to \"%s\"; --f1f2 sends one "
                 "elsewhere, --allow-merge puts them together",
                 folders1[a].path, first->rule, folders1[b].path, second->rule, first->path2);
  return false;
}

GArray *
haul_routes_make(const HaulRoutesInput *input, GError **error)
{
  g_auto(Words) words;
  words_init(&words);
  if (!read_words(input, &words, error))
    return NULL;
  const HaulPolicy *policy = input->policy;
  const char *root =
      policy->subfolder1 != NULL ? haul_choose_named(input->list1, policy->subfolder1) : NULL;
  g_autofree char *below =
      policy->subfolder2 != NULL ? read_target(input, &words.notation, policy->subfolder2) : NULL;
  HaulMappingInput mapping = {
    .folders1 = (const HaulPlanFolder *)(void *)input->folders1->data,
    .n_folders1 = input->folders1->len,
    .folders2 = (const HaulPlanFolder *)(void *)input->list2->folders->data,
    .n_folders2 = input->list2->folders->len,
    .known = (const HaulPlanKnown *)(void *)words.known->data,
    .n_known = words.known->len,
    .target2 = input->target2,
    .renames = (const HaulRename *)(void *)words.renames->data,
    .n_renames = words.renames->len,
    .subfolder1 = root != NULL ? root : policy->subfolder1,
    .subfolder2 = below,
    .automaps = !policy->no_automap,
    .rewrites = (const HaulRewrite *const *)words.rewrites->pdata,
    .n_rewrites = words.rewrites->len,
    .notation2 = &words.notation,
  };
  g_autoptr(GArray) mappings = haul_map_folders(&mapping, error);
  if (mappings == NULL || !check_meetings(input, mappings, error))
    return NULL;
  if (input->tells)
    tell_moves(input, words.known, mappings);
  return g_steal_pointer(&mappings);
}

void
haul_routes_note_spellings(GArray *mappings, GHashTable *spellings2)
{
  for (guint i = 0; spellings2 != NULL && i < mappings->len; i++) {
    HaulMapping *mapping = &g_array_index(mappings, HaulMapping, i);
    if (!g_hash_table_contains(spellings2, mapping->path2))
      continue;
    char *rule = g_strconcat(mapping->rule, " but for case", NULL);
    g_free(mapping->rule);
    mapping->rule = rule;
  }
}
