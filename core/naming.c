/* Deliveries whose ids the store did not tell; and their flags, which such stores may lose. */
#include "naming.h"

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "sharing.h"

/* A delivery whose id the store did not tell. */
typedef struct {
  HaulFolderWork *work;
  HaulCargo cargo; /* owned */
  char *id2;       /* owned; once it is found */
} Unnamed;

static void
unnamed_clear(Unnamed *unnamed)
{
  haul_cargo_clear(&unnamed->cargo);
  g_free(unnamed->id2);
}

static GArray *
unnamed_array(guint room)
{
  GArray *array = g_array_sized_new(FALSE, TRUE, sizeof(Unnamed), room);
  g_array_set_clear_func(array, (GDestroyNotify)unnamed_clear);
  return array;
}

struct HaulNaming {
  const HaulContext *context;
  HaulOpenStore *store2;
  GArray *unnamed; /* owned; of Unnamed, in the order of delivery */
};

HaulNaming *
haul_naming_new(const HaulContext *context, HaulOpenStore *store2)
{
  HaulNaming *naming = g_new0(HaulNaming, 1);
  naming->context = context;
  naming->store2 = store2;
  naming->unnamed = unnamed_array(0);
  return naming;
}

void
haul_naming_free(HaulNaming *naming)
{
  g_array_unref(naming->unnamed);
  g_free(naming);
}

void
haul_naming_add(HaulNaming *naming, HaulFolderWork *work, const HaulCargo *cargo)
{
  Unnamed unnamed = { work, *cargo, NULL };
  unnamed.cargo.id1 = g_strdup(cargo->id1);
  g_array_append_val(naming->unnamed, unnamed);
}

bool
haul_naming_is_empty(const HaulNaming *naming)
{
  return naming->unnamed->len == 0;
}

/* A look at one folder. */
typedef struct {
  HaulNaming *naming;
  HaulFolderWork *work;
  HaulKeyMaker *maker; /* borrowed */
  GHashTable *paired;  /* borrowed; a set of ids that pairs have */
  GHashTable *by_key;  /* owned; HaulKey -> GQueue of Unnamed, in the order of delivery */
  GHashTable *by_size; /* owned; the same by size */
  /* owned, NULL until used; ids by the flags that were delivered with them and did not arrive */
  GPtrArray *lacking[HAUL_ALL_FLAGS + 1];
} Look;

static void
look_clear(Look *look)
{
  g_clear_pointer(&look->by_key, g_hash_table_unref);
  g_clear_pointer(&look->by_size, g_hash_table_unref);
  for (size_t i = 0; i < G_N_ELEMENTS(look->lacking); i++)
    g_clear_pointer(&look->lacking[i], g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

static void
queue_up(GHashTable *queues, gpointer key, Unnamed *unnamed)
{
  GQueue *queue = g_hash_table_lookup(queues, key);
  if (queue == NULL)
    g_hash_table_insert(queues, key, queue = g_queue_new());
  g_queue_push_tail(queue, unnamed);
}

/* The first that waits under @key and has no name yet, or NULL. */
static Unnamed *
next_in_queue(GHashTable *queues, gconstpointer key)
{
  GQueue *queue = g_hash_table_lookup(queues, key);
  Unnamed *unnamed = NULL;
  while (queue != NULL && (unnamed = g_queue_pop_head(queue)) != NULL && unnamed->id2 != NULL)
    continue;
  return unnamed;
}

/* Notes what @item lacks of the flags that it was delivered with. */
static void
compare_flags(Look *look, const HaulItem *item, uint32_t flags)
{
  uint32_t lacking = flags & ~item->flags & HAUL_ALL_FLAGS;
  if (lacking == 0)
    return;
  if (look->lacking[lacking] == NULL)
    look->lacking[lacking] = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(look->lacking[lacking], g_strdup(item->id));
}

/* Gives a listed message to the first unnamed delivery with its key. What has a key by its content alone
 * is known by its size here: its neighbours are ours. */
static bool
name_one(const HaulItem *item, void *data)
{
  Look *look = data;
  HaulKey key;
  if (g_hash_table_contains(look->paired, item->id))
    return true;
  Unnamed *unnamed = haul_key_of_item(look->maker, item, &key) == HAUL_KEY_FOUND
                         ? next_in_queue(look->by_key, &key)
                         : next_in_queue(look->by_size, GSIZE_TO_POINTER((gsize)item->size));
  if (unnamed != NULL) {
    unnamed->id2 = g_strdup(item->id);
    compare_flags(look, item, unnamed->cargo.flags);
  }
  return true;
}

/* Makes the queues of what was delivered to the folder. */
static void
line_up(Look *look)
{
  GDestroyNotify free_queue = (GDestroyNotify)g_queue_free;
  look->by_key = g_hash_table_new_full(haul_key_hash, haul_key_equal, NULL, free_queue);
  look->by_size = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_queue);
  for (guint i = 0; i < look->naming->unnamed->len; i++) {
    Unnamed *unnamed = &g_array_index(look->naming->unnamed, Unnamed, i);
    if (unnamed->work != look->work)
      continue;
    queue_up(look->by_key, &unnamed->cargo.key, unnamed);
    const HaulCargo *cargo = &unnamed->cargo;
    uint64_t size = cargo->altered ? cargo->sent_size : cargo->size;
    queue_up(look->by_size, GSIZE_TO_POINTER((gsize)size), unnamed);
  }
}

/* The ids of the destination that belong to pairs, of this folder or of others that go there. */
static GHashTable *
paired_ids(const HaulContext *context, const HaulFolderWork *work, GError **error)
{
  g_autoptr(HaulIds) ids1 = haul_ids_new();
  g_autoptr(HaulIds) ids2 = haul_ids_new();
  g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(HaulPair));
  if (!haul_journal_load_pairs(context->journal, work->number, ids1, ids2, pairs, error))
    return NULL;
  g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(HaulId));
  for (guint i = 0; i < pairs->len; i++)
    g_array_append_val(taken, g_array_index(pairs, HaulPair, i).id2);
  if (!haul_sharing_load(context, work, ids2, taken, error))
    return NULL;
  GHashTable *paired = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < taken->len; i++) {
    HaulIdBuffer buffer;
    HaulId id2 = g_array_index(taken, HaulId, i);
    if (id2 != 0)
      g_hash_table_add(paired, g_strdup(haul_id_text(id2, &buffer)));
  }
  return paired;
}

static void
forget_deliveries(HaulNaming *naming, const HaulFolderWork *work)
{
  GArray *all = naming->unnamed;
  naming->unnamed = unnamed_array(all->len);
  for (guint i = 0; i < all->len; i++) {
    Unnamed *unnamed = &g_array_index(all, Unnamed, i);
    if (unnamed->work == work)
      continue;
    g_array_append_vals(naming->unnamed, unnamed, 1);
    *unnamed = (Unnamed){ 0 }; /* given away */
  }
  g_array_unref(all);
}

/* Notes the ids that were found in @work, and forgets its deliveries. */
static bool
note_names(HaulNaming *naming, const HaulFolderWork *work, GError **error)
{
  HaulJournal *journal = naming->context->journal;
  if (!haul_journal_begin(journal, error))
    return false;
  bool going = true;
  guint n_lost = 0;
  for (guint i = 0; i < naming->unnamed->len; i++) {
    Unnamed *unnamed = &g_array_index(naming->unnamed, Unnamed, i);
    if (unnamed->work != work)
      continue;
    n_lost += unnamed->id2 == NULL;
    if (unnamed->id2 != NULL)
      going = going
              && haul_journal_add_pair(journal, work->number, &unnamed->cargo, unnamed->id2, error);
  }
  forget_deliveries(naming, work);
  if (n_lost > 0)
    haul_log(HAUL_LOG_WARNING, "%s: %u messages were acknowledged, but are not to be found",
             work->plan.path2, n_lost);
  return haul_journal_commit_after(journal, going, error);
}

/* Sets the flags that the server lost when it stored the messages (FTGate, MailEnable). What it refuses
 * it cannot keep: flags fail no message. */
static bool
supply_flags(HaulNaming *naming, const Look *look, GError **error)
{
  bool selected = false;
  for (uint32_t flags = 1; flags <= HAUL_ALL_FLAGS; flags++) {
    const GPtrArray *ids = look->lacking[flags];
    HaulFlagChange change = { .add = flags };
    HaulFolder folder = { 0 };
    g_autoptr(GError) why = NULL;
    if (ids == NULL)
      continue;
    selected =
        selected
        || haul_store_select(naming->store2, look->work->plan.path2, HAUL_WRITE, &folder, &why);
    if (selected
        && haul_store_set_flags(naming->store2, (const char *const *)ids->pdata, ids->len, &change,
                                &why))
      continue;
    if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
      g_propagate_error(error, g_steal_pointer(&why));
      return false;
    }
    haul_log(HAUL_LOG_WARNING, "%s: flags of %u messages were lost: %s", look->work->plan.path2,
             ids->len, why->message);
  }
  return true;
}

/* Looks at what came to @work since, and names the deliveries that are found. */
static bool
look_for_names(HaulNaming *naming, HaulFolderWork *work, GError **error)
{
  const HaulContext *context = naming->context;
  g_autoptr(GHashTable) paired = paired_ids(context, work, error);
  if (paired == NULL)
    return false;
  g_autoptr(HaulKeyMaker) maker = haul_key_maker_new(context->chain);
  g_auto(Look) look = { .naming = naming, .work = work, .maker = maker, .paired = paired };
  line_up(&look);
  HaulFolder folder = { 0 };
  HaulRange since = { work->next_id2, NULL };
  if (!haul_store_select(naming->store2, work->plan.path2, HAUL_READ, &folder, error))
    return false;
  if (folder.epoch != 0 && work->epoch2 != 0 && folder.epoch != work->epoch2) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "epoch", "destination: the folder was replaced");
    return false;
  }
  return haul_store_list(naming->store2, &since, 1, HAUL_WANT_SIZE | HAUL_WANT_DATE,
                         haul_chain_header_fields(context->chain), name_one, &look, error)
         /* A folder that we made: the names are of the epoch that it has now. */
         && (folder.epoch == 0 || work->epoch2 != 0
             || haul_journal_set_epoch2(context->journal, work->number, folder.epoch, error))
         && note_names(naming, work, error) && supply_flags(naming, &look, error);
}

/* Whether what is listed came in this run, and not before it: else names would be guesses. */
static bool
can_tell_what_came(const HaulFolderWork *work)
{
  return work->next_id2 != NULL || work->n_before2 == 0;
}

/* Leaves it to the next run, which matches what has no name by key and content. */
static void
leave_nameless(HaulNaming *naming, HaulFolderWork *work)
{
  work->incomplete = true;
  forget_deliveries(naming, work);
}

bool
haul_naming_look(HaulNaming *naming, GError **error)
{
  while (naming->unnamed->len > 0) {
    HaulFolderWork *work = g_array_index(naming->unnamed, Unnamed, 0).work;
    if (!can_tell_what_came(work)) {
      leave_nameless(naming, work);
      continue;
    }
    GError *why = NULL;
    if (look_for_names(naming, work, &why))
      continue;
    if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
      g_propagate_error(error, why);
      return false;
    }
    haul_log(HAUL_LOG_WARNING, "%s: %s; the next run looks for what was delivered",
             work->plan.path2, why->message);
    leave_nameless(naming, work);
    g_error_free(why);
  }
  return true;
}
