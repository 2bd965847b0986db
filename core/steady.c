/* Whether ids still name the same messages. See steady.h. */
#include "steady.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "listing.h"

/* How many messages of a folder are looked at, and how many of these must have other keys, one of them
 * another size, too. Less may be the server's doing, whose listing may differ from what it sends in
 * either, or ours, if keys are made in another way than when they were noted. */
#define SAMPLE 10u
#define A_QUARTER 4u

/* One folder that is looked at. */
typedef struct {
  HaulFolderWork *work;
  HaulIntentBatch *sample; /* owned; as the state has it */
} Suspect;

static void
suspect_clear(Suspect *suspect)
{
  haul_intent_batch_free(suspect->sample);
}

static bool
is_suspect(const HaulFolderWork *work)
{
  const HaulFolderPlan *plan = &work->plan;
  return plan->look == HAUL_LOOK_LIST && !work->unusable && plan->known != NULL
         && plan->known->n_pairs > 0 && plan->folder1->token == NULL;
}

/* Asks for the messages of a sample. */
static HaulListRequest *
request_sample(const Suspect *suspect)
{
  HaulListRequest *request =
      haul_list_request_new(suspect->work->plan.folder1->path, HAUL_LIST_KEYS);
  const GArray *cargo = suspect->sample->cargo;
  request->header_alone = true;
  for (guint i = 0; i < cargo->len; i++) {
    const char *id = g_array_index(cargo, HaulCargo, i).id1;
    haul_list_request_add_range(request, id, id);
  }
  return request;
}

static const HaulCargo *
find_cargo(const HaulIntentBatch *sample, HaulId id)
{
  HaulIdBuffer buffer;
  const char *text = haul_id_text(id, &buffer);
  for (guint i = 0; i < sample->cargo->len; i++) {
    const HaulCargo *cargo = &g_array_index(sample->cargo, HaulCargo, i);
    if (strcmp(cargo->id1, text) == 0)
      return cargo;
  }
  return NULL;
}

/* Whether so many of @sample have become others that ids mean nothing. What is not there any more says
 * nothing of that. */
static bool
has_moved(const HaulIntentBatch *sample, const HaulListing *listing)
{
  static const HaulKey none;
  guint n = 0, n_others = 0;
  bool other_size = false;
  for (guint i = 0; i < listing->items->len; i++) {
    const HaulEntry *item = &g_array_index(listing->items, HaulEntry, i);
    const HaulKey *key = &g_array_index(listing->keys, HaulKey, i);
    const HaulCargo *cargo = find_cargo(sample, item->id);
    if (cargo == NULL || haul_key_equal(key, &none))
      continue;
    bool other = !haul_key_equal(key, &cargo->key);
    n++;
    n_others += other;
    other_size |= other && (item->size == HAUL_UNKNOWN || item->size != cargo->size);
  }
  return other_size && n_others * A_QUARTER >= n;
}

/* Lets the folder be matched as one that the state does not know. */
static bool
forget(const HaulContext *context, HaulFolderWork *work, GError **error)
{
  HaulFolderPlan *plan = &work->plan;
  bool empty = plan->folder2 == NULL || plan->folder2->n_messages == 0;
  haul_log(
      HAUL_LOG_WARNING,
      "source: \"%s\": the server has numbered its messages anew and does not say so; they are "
      "matched by what they are",
      plan->folder1->path);
  plan->keep_pairs1 = plan->keep_pairs2 = false;
  plan->look = empty ? HAUL_LOOK_STREAM : HAUL_LOOK_MATCH;
  return haul_journal_forget_pairs(context->journal, work->number, error);
}

static bool
look_at_samples(const HaulContext *context, const GArray *suspects, HaulOpenStore *store1,
                const GPtrArray *requests, GError **error)
{
  g_autoptr(HaulLister) lister = haul_lister_new(context, store1, requests);
  for (guint i = 0; i < suspects->len; i++) {
    const Suspect *suspect = &g_array_index(suspects, Suspect, i);
    g_autoptr(HaulListing) listing = haul_lister_next(lister);
    if (listing->error != NULL && haul_error_reach(listing->error) > HAUL_ERROR_FOLDER) {
      g_propagate_error(error, g_steal_pointer(&listing->error));
      return false;
    }
    if (listing->error == NULL && has_moved(suspect->sample, listing)
        && !forget(context, suspect->work, error))
      return false;
  }
  return true;
}

bool
haul_check_ids(const HaulContext *context, HaulPass *pass, HaulOpenStore *store1, GError **error)
{
  g_autoptr(GArray) suspects = g_array_new(FALSE, FALSE, sizeof(Suspect));
  g_array_set_clear_func(suspects, (GDestroyNotify)suspect_clear);
  g_autoptr(GPtrArray) requests =
      g_ptr_array_new_with_free_func((GDestroyNotify)haul_list_request_free);
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    if (!is_suspect(work))
      continue;
    Suspect suspect = { work, haul_journal_sample(context->journal, work->number, SAMPLE, error) };
    if (suspect.sample == NULL)
      return false;
    g_array_append_val(suspects, suspect);
    if (suspect.sample->cargo->len > 0)
      g_ptr_array_add(requests, request_sample(&suspect));
    else
      g_array_set_size(suspects, suspects->len - 1);
  }
  return requests->len == 0 || look_at_samples(context, suspects, store1, requests, error);
}
