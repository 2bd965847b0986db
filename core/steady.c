/* Whether ids still name the same messages. See steady.h. */
#include "steady.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "intake.h"
#include "listing.h"
#include "planning.h"

/* How many messages of a folder are looked at, and how many of these must be listed with other keys, one of
 * them with another size, too, before bodies are asked for. Less may be the server's doing, whose listing
 * may differ from what it sends in either, or ours, if keys are made in another way than when they were
 * noted. As many must then be others by their bodies: a server may list all sizes wrongly. */
#define SAMPLE 10u
#define A_QUARTER 4u

/* One folder that is looked at. */
typedef struct {
  HaulFolderWork *work;
  HaulIntentBatch *sample; /* owned; as the state has it */
  guint n;                 /* of the sample, those that are there and have keys */
  GPtrArray *others;       /* owned; of these, ids of those with other keys; lent by the sample */
  HaulKeyMaker *maker;     /* borrowed */
  guint n_moved;           /* of the others, those that are other messages */
} Suspect;

static void
suspect_clear(Suspect *suspect)
{
  haul_intent_batch_free(suspect->sample);
  g_clear_pointer(&suspect->others, g_ptr_array_unref);
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
find_cargo(const HaulIntentBatch *sample, const char *id)
{
  for (guint i = 0; i < sample->cargo->len; i++) {
    const HaulCargo *cargo = &g_array_index(sample->cargo, HaulCargo, i);
    if (strcmp(cargo->id1, id) == 0)
      return cargo;
  }
  return NULL;
}

/* Whether @n_others of @n are so many that ids mean nothing. */
static bool
are_many(guint n_others, guint n)
{
  return n_others > 0 && n_others * A_QUARTER >= n;
}

/* Finds those of the sample whose keys are others in @listing. Returns whether so many that their bodies are
 * to be looked at. What is not there any more says nothing. */
static bool
looks_moved(Suspect *suspect, const HaulListing *listing)
{
  static const HaulKey none;
  bool other_size = false;
  for (guint i = 0; i < listing->items->len; i++) {
    const HaulEntry *item = &g_array_index(listing->items, HaulEntry, i);
    const HaulKey *key = &g_array_index(listing->keys, HaulKey, i);
    HaulIdBuffer buffer;
    const HaulCargo *cargo = find_cargo(suspect->sample, haul_id_text(item->id, &buffer));
    if (cargo == NULL || haul_key_equal(key, &none))
      continue;
    suspect->n++;
    if (haul_key_equal(key, &cargo->key))
      continue;
    g_ptr_array_add(suspect->others, cargo->id1);
    other_size |= item->size == HAUL_UNKNOWN || item->size != cargo->size;
  }
  return other_size && are_many(suspect->others->len, suspect->n);
}

/* Counts a message that is another, and not only listed as one: neither its octets nor its key are those
 * that were noted. */
static bool
compare_body(HaulMessage *message, void *data, GError **error)
{
  static const uint8_t unknown[HAUL_SHA256_SIZE]; /* its body never came by */
  Suspect *suspect = data;
  const HaulCargo *cargo = find_cargo(suspect->sample, haul_message_item(message)->id);
  HaulKey key;
  uint8_t sha256[HAUL_SHA256_SIZE];
  if (cargo != NULL && haul_key_of_message(suspect->maker, message, &key, sha256))
    suspect->n_moved += !haul_key_equal(&key, &cargo->key)
                        && (memcmp(cargo->sha256, unknown, sizeof unknown) == 0
                            || memcmp(cargo->sha256, sha256, sizeof sha256) != 0);
  haul_message_unref(message);
  return true;
}

static void
skip_body(const char *id, const GError *why, void *data)
{
  /* Nobody knows what it is. */
}

/* Reads what is listed as another. */
static bool
read_others(const HaulContext *context, Suspect *suspect, HaulOpenStore *store1, GError **error)
{
  HaulRange ranges[SAMPLE];
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  guint n = MIN(suspect->others->len, SAMPLE);
  for (guint i = 0; i < n; i++)
    ranges[i] = (HaulRange){ suspect->others->pdata[i], suspect->others->pdata[i] };
  g_autoptr(HaulKeyMaker) maker = haul_key_maker_new(context->chain);
  suspect->maker = maker;
  g_autoptr(HaulIntake) intake =
      haul_intake_new(context->spool, NULL, context->cancel, compare_body, skip_body, suspect);
  return haul_store_select(store1, suspect->work->plan.folder1->path, HAUL_READ, &folder, error)
         && haul_store_fetch(store1, ranges, n, intake, error);
}

/* Lets the folder be matched as one that the state does not know. */
static bool
forget(const HaulContext *context, const HaulPass *pass, HaulFolderWork *work, GError **error)
{
  HaulFolderPlan *plan = &work->plan;
  HaulTally *tally = work->tally;
  tally->leaving.matched_anew = true;
  bool picks = pass->objects != NULL || tally->suspect.reads_alone
               || g_hash_table_size(tally->in_trouble) > 0;
  bool empty = plan->folder2 == NULL || plan->folder2->n_messages == 0;
  haul_log(
      HAUL_LOG_WARNING,
      "source: \"%s\": the server has numbered its messages anew and does not say so; they are "
      "matched by what they are",
      plan->folder1->path);
  plan->keep_pairs1 = plan->keep_pairs2 = false;
  plan->look = !empty  ? HAUL_LOOK_MATCH
               : picks ? HAUL_LOOK_LIST /* one by one */
                       : HAUL_LOOK_STREAM;
  return haul_journal_forget_pairs(context->journal, work->number, error);
}

/* Lists the samples, and leaves in @suspects what looks moved. What is wrong with one folder shows when all
 * of it is listed, next; that this goes well, too, ends the count of connections lost there. */
static bool
list_samples(const HaulContext *context, GArray *suspects, HaulOpenStore *store1,
             const GPtrArray *requests, GError **error)
{
  g_autoptr(HaulLister) lister = haul_lister_new(context, store1, requests);
  guint kept = 0;
  for (guint i = 0; i < requests->len; i++) {
    Suspect *suspect = &g_array_index(suspects, Suspect, kept);
    g_autoptr(HaulListing) listing = haul_lister_next(lister);
    if (listing->error != NULL && haul_error_reach(listing->error) > HAUL_ERROR_FOLDER)
      return haul_contain(context, suspect->work, g_steal_pointer(&listing->error), error);
    if (listing->error == NULL && looks_moved(suspect, listing))
      kept++;
    else
      g_array_remove_index(suspects, kept);
  }
  return true;
}

/* Forgets the state of those folders whose messages are others. */
static bool
read_suspects(const HaulContext *context, const HaulPass *pass, GArray *suspects,
              HaulOpenStore *store1, GError **error)
{
  for (guint i = 0; i < suspects->len; i++) {
    Suspect *suspect = &g_array_index(suspects, Suspect, i);
    g_autoptr(GError) why = NULL;
    if (!read_others(context, suspect, store1, &why)) {
      if (haul_error_reach(why) <= HAUL_ERROR_FOLDER)
        continue;
      return haul_contain(context, suspect->work, g_steal_pointer(&why), error);
    }
    if (are_many(suspect->n_moved, suspect->n) && !forget(context, pass, suspect->work, error))
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
    Suspect suspect = { .work = work };
    suspect.sample = haul_journal_sample(context->journal, work->number, SAMPLE, error);
    if (suspect.sample == NULL)
      return false;
    suspect.others = g_ptr_array_new();
    g_array_append_val(suspects, suspect);
    if (suspect.sample->cargo->len > 0)
      g_ptr_array_add(requests, request_sample(&suspect));
    else
      g_array_set_size(suspects, suspects->len - 1);
  }
  return requests->len == 0
         || (list_samples(context, suspects, store1, requests, error)
             && read_suspects(context, pass, suspects, store1, error));
}
