/* Messages that an account has more than once. See dedupe.h. */
#include "dedupe.h"

#include <inttypes.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "choice.h"
#include "context.h"
#include "folder-list.h"
#include "journal-file.h"
#include "listing.h"
#include "plan-dedupe.h"

typedef struct {
  HaulContext context;
  HaulOpenStore *reading, *writing; /* owned; the latter NULL where nothing is removed */
  HaulDedupeFunc each;
  void *data;
  HaulDedupeSum *sum;
} Dedupe;

static void
dedupe_clear(Dedupe *dedupe)
{
  haul_store_close(dedupe->reading);
  haul_store_close(dedupe->writing);
  haul_chain_free(dedupe->context.chain);
  haul_keywords_free(dedupe->context.keywords);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Dedupe, dedupe_clear)

/* ---- looking ---- */

/* Reads the contents of @suspects; returns hashes beside the items of @listing, all zero where not read. */
static GArray *
read_contents(const Dedupe *dedupe, const char *path, const HaulListing *listing,
              const GArray *suspects, GError **error)
{
  HaulListRequest *request = haul_list_request_new(path, HAUL_LIST_CONTENTS);
  HaulIdBuffer buffer;
  g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < suspects->len; i++) {
    uint32_t index = g_array_index(suspects, uint32_t, i);
    const char *id = haul_id_text(g_array_index(listing->items, HaulEntry, index).id, &buffer);
    haul_list_request_add_range(request, id, id);
    g_hash_table_insert(places, g_strdup(id), GUINT_TO_POINTER(index));
  }
  g_autoptr(HaulListing) read = haul_list_one(&dedupe->context, dedupe->reading, request, error);
  if (read == NULL)
    return NULL;
  GArray *contents = g_array_new(FALSE, TRUE, sizeof(HaulKey));
  g_array_set_size(contents, listing->items->len);
  for (guint i = 0; i < read->items->len; i++) {
    gpointer place;
    const char *id = haul_id_text(g_array_index(read->items, HaulEntry, i).id, &buffer);
    if (g_hash_table_lookup_extended(places, id, NULL, &place))
      g_array_index(contents, HaulKey, GPOINTER_TO_UINT(place)) =
          g_array_index(read->keys, HaulKey, i);
  }
  return contents;
}

/* Returns the duplicates of a folder, of HaulDuplicate. NULL on error. */
static GArray *
find(const Dedupe *dedupe, const char *path, const HaulListing *listing, GError **error)
{
  HaulDedupeInput input = {
    .items = (const HaulEntry *)(void *)listing->items->data,
    .keys = (const HaulKey *)(void *)listing->keys->data,
    .n = listing->items->len,
  };
  g_autoptr(GArray) suspects = haul_dedupe_suspects(&input);
  if (suspects->len == 0)
    return g_array_new(FALSE, FALSE, sizeof(HaulDuplicate));
  g_autoptr(GArray) contents = read_contents(dedupe, path, listing, suspects, error);
  if (contents == NULL)
    return NULL;
  input.contents = (const HaulKey *)(void *)contents->data;
  return haul_plan_dedupe(&input);
}

/* ---- removing ---- */

/* Gives the message that stays what its duplicate was marked with. */
static bool
unite_flags(const Dedupe *dedupe, const HaulEntry *kept, const HaulEntry *victim, GError **error)
{
  HaulKeywords *keywords = dedupe->context.keywords;
  uint32_t more = haul_keywords_minus(keywords, victim->keywords, kept->keywords);
  HaulFlagChange change = {
    .add = victim->flags & ~kept->flags,
    .add_keywords = haul_keywords_names(keywords, more),
  };
  if ((change.add == 0 && *change.add_keywords == NULL)
      || !haul_store_can_set_flags(dedupe->writing))
    return true;
  HaulIdBuffer buffer;
  const char *id = haul_id_text(kept->id, &buffer);
  return haul_store_set_flags(dedupe->writing, &id, 1, &change, error);
}

static bool
remove_duplicates(Dedupe *dedupe, const char *path, const HaulListing *listing,
                  const GArray *duplicates, GError **error)
{
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  if (!haul_store_select(dedupe->writing, path, HAUL_READ | HAUL_WRITE, &folder, error))
    return false;
  if (folder.epoch != 0 && listing->epoch != 0 && folder.epoch != listing->epoch) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "epoch",
                   "the folder was replaced while we looked at it; run again");
    return false;
  }
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, duplicates->len);
  g_autofree const char **ids = g_new(const char *, duplicates->len);
  HaulEntry *items = (HaulEntry *)(void *)listing->items->data;
  for (guint i = 0; i < duplicates->len; i++) {
    const HaulDuplicate *duplicate = &g_array_index(duplicates, HaulDuplicate, i);
    HaulEntry *kept = &items[duplicate->kept], *victim = &items[duplicate->victim];
    ids[i] = haul_id_text(victim->id, &buffers[i]);
    if (!unite_flags(dedupe, kept, victim, error))
      return false;
    kept->flags |= victim->flags;
    kept->keywords = haul_keywords_plus(dedupe->context.keywords, kept->keywords, victim->keywords);
    haul_log(HAUL_LOG_INFO, "%s: removing message %s, which is there more than once", path, ids[i]);
  }
  if (!haul_store_expunge(dedupe->writing, ids, duplicates->len, error))
    return false;
  dedupe->sum->n_removed += duplicates->len;
  return true;
}

static bool
exceeds(const Dedupe *dedupe, guint n)
{
  unsigned most = dedupe->context.policy->max_delete;
  return most > 0 && n > most;
}

static bool
look_at_folder(Dedupe *dedupe, const char *path, GError **error)
{
  HaulListRequest *request = haul_list_request_new(path, HAUL_LIST_KEYS);
  haul_list_request_add_range(request, NULL, NULL);
  g_autoptr(HaulListing) listing = haul_list_one(&dedupe->context, dedupe->reading, request, error);
  if (listing == NULL)
    return false;
  g_autoptr(GArray) duplicates = find(dedupe, path, listing, error);
  if (duplicates == NULL)
    return false;
  dedupe->sum->n_messages += listing->items->len;
  dedupe->sum->n_duplicates += duplicates->len;
  for (guint i = 0; i < duplicates->len; i++) {
    const HaulDuplicate *duplicate = &g_array_index(duplicates, HaulDuplicate, i);
    const HaulEntry *items = (const HaulEntry *)(void *)listing->items->data;
    HaulIdBuffer victim, kept;
    dedupe->each(path, haul_id_text(items[duplicate->victim].id, &victim),
                 haul_id_text(items[duplicate->kept].id, &kept), items[duplicate->victim].size,
                 dedupe->data);
  }
  if (dedupe->writing == NULL || duplicates->len == 0)
    return true;
  if (exceeds(dedupe, duplicates->len)) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "not-deleted",
                   "%u duplicates are more than --max-delete allows", duplicates->len);
    return false;
  }
  return remove_duplicates(dedupe, path, listing, duplicates, error);
}

/* ---- the account ---- */

static bool
look_at_folders(Dedupe *dedupe, const GArray *folders, GError **error)
{
  for (guint i = 0; i < folders->len; i++) {
    const HaulPlanFolder *folder = &g_array_index(folders, HaulPlanFolder, i);
    GError *why = NULL;
    if ((folder->attributes & HAUL_FOLDER_NOSELECT) != 0 || folder->n_messages == 0)
      continue;
    dedupe->sum->n_folders++;
    if (look_at_folder(dedupe, folder->path, &why))
      continue;
    if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
      g_propagate_error(error, why);
      return false;
    }
    dedupe->sum->code = haul_reason_exit_code(haul_error_reason(why), 1);
    haul_log(HAUL_LOG_WARNING, "%s: %s", folder->path, why->message);
    g_error_free(why);
  }
  return true;
}

/* Refuses folders of which a message may be in several, or that show a part: there a duplicate is none, or
 * nobody knows. */
static bool
check_folders(const GArray *folders, GError **error)
{
  for (guint i = 0; i < folders->len; i++)
    if (g_array_index(folders, HaulPlanFolder, i).attributes
        & (HAUL_FOLDER_LABEL | HAUL_FOLDER_BATCHES)) {
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "unsupported",
                     "source: its folders are labels, or show a part of their messages: what is "
                     "there twice cannot be told");
      return false;
    }
  return true;
}

static HaulOpenStore *
open_for_removal(const Dedupe *dedupe, GError **error)
{
  HaulOpenStore *store = haul_store_open(dedupe->context.account1, HAUL_READ | HAUL_WRITE, error);
  if (store == NULL || haul_store_can_expunge(store))
    return store;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "unsupported", "source: nothing can be removed there");
  haul_store_close(store);
  return NULL;
}

bool
haul_dedupe_run(const HaulJobOptions *options, bool apply, HaulDedupeFunc each, void *data,
                HaulDedupeSum *sum, GError **error)
{
  *sum = (HaulDedupeSum){ 0 };
  g_auto(Dedupe) dedupe = {
    .context = {
      .account1 = options->account1,
      .cancel = options->cancel,
      .keywords = haul_keywords_new(),
      .spool = options->state_folder,
      .policy = &options->policy,
    },
    .each = each,
    .data = data,
    .sum = sum,
  };
  g_autofree char *chain = haul_chain_text(options->policy.match, options->policy.headers, error);
  if (chain == NULL || (dedupe.context.chain = haul_chain_parse(chain, error)) == NULL
      || !haul_own_folder(options->state_folder, error) /* large bodies are spooled there */
      || (apply && !haul_store_may_be_written(options->account1, error)))
    return false;
  dedupe.reading = haul_store_open(options->account1, HAUL_READ, error);
  g_autoptr(HaulFolderList) folders =
      dedupe.reading != NULL ? haul_folder_list_read(dedupe.reading, error) : NULL;
  if (folders == NULL)
    return false;
  g_autoptr(GArray) chosen = haul_choose_folders(folders, &options->policy, NULL, NULL, error);
  return chosen != NULL && check_folders(chosen, error)
         && (!apply || (dedupe.writing = open_for_removal(&dedupe, error)) != NULL)
         && look_at_folders(&dedupe, chosen, error)
         && (!apply || haul_store_finish(dedupe.writing, error));
}
