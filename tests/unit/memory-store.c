/* A store in memory: the plugin's side. What a box holds is memory-box.c's affair. */
#include "memory-store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

struct HaulStore {
  MemoryBox *box;         /* borrowed */
  MemoryFolder *selected; /* borrowed */
  GQueue open_tickets;    /* of Delivery, owned */
  char texts[3][32];      /* what *folder of select() points to */
  unsigned number;        /* of the opens of the box */
  bool writes;            /* the selected folder is open for writing */
  bool singly;            /* nothing is held */
  bool dead;
};

/* A ticket that is not settled yet. */
typedef struct {
  HaulTicket *ticket;
  MemoryFolder *folder;   /* borrowed */
  MemoryMessage *message; /* borrowed from the folder once it is kept there */
  bool kept;
} Delivery;

/* ---- ids ---- */

static const char *
id_text(const MemoryBox *box, uint64_t uid, char text[static 32])
{
  g_snprintf(text, 32, box->faults.text_ids ? "m%06" PRIu64 ",x" : "%" PRIu64, uid);
  return text;
}

static uint64_t
uid_of(const char *id)
{
  return strtoull(*id == 'm' ? id + 1 : id, NULL, 10);
}

static bool
in_ranges(uint64_t uid, const HaulRange *ranges, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if ((ranges[i].first == NULL || uid_of(ranges[i].first) <= uid)
        && (ranges[i].last == NULL || uid <= uid_of(ranges[i].last)))
      return true;
  return false;
}

/* ---- the connection ---- */

static bool
lost(HaulStore *store, GError **error)
{
  store->dead = true;
  if (store->box->faults.cancel != NULL)
    haul_cancel_set(store->box->faults.cancel);
  haul_set_error(error, HAUL_ERROR_CONNECTION, "closed", "the connection was lost");
  return false;
}

/* Counts a call; false if the connection is lost at it, or was before. */
static bool
alive(HaulStore *store, unsigned *counter, unsigned lose_at, GError **error)
{
  MemoryBox *box = store->box;
  pthread_mutex_lock(&box->mutex);
  bool now = ++*counter == lose_at;
  if (box->faults.kills_older)
    store->dead |= store->number + box->faults.max_open <= box->calls.opens;
  pthread_mutex_unlock(&box->mutex);
  return (!now && !store->dead) || lost(store, error);
}

/* Whether a connection is to be lost now, for the sake of what was asked of it. */
static bool
cuts(MemoryBox *box, bool asked)
{
  pthread_mutex_lock(&box->mutex);
  bool cut = asked && (box->faults.n_cuts == 0 || box->n_cut < box->faults.n_cuts);
  box->n_cut += cut;
  pthread_mutex_unlock(&box->mutex);
  return cut;
}

static void
ask_for_patience(const MemoryBox *box, GError **error)
{
  haul_set_error(error, HAUL_ERROR_BUSY, "busy", "not now");
  haul_error_set_wait(*error, box->faults.asks_ms);
}

static HaulStore *
memory_open(const HaulAccount *account, HaulIntent intent, GError **error)
{
  MemoryBox *box = memory_box_find(haul_account_string(account, "box"));
  g_assert(box != NULL);
  const MemoryFaults *faults = &box->faults;
  pthread_mutex_lock(&box->mutex);
  unsigned number = ++box->calls.opens;
  bool busy = number <= faults->busy_opens
              || (faults->max_open > 0 && !faults->kills_older && box->n_open >= faults->max_open);
  bool refused =
      faults->refuses_login || (faults->refuses_from > 0 && number >= faults->refuses_from);
  if (!busy && !refused)
    box->n_open++;
  box->most_open = MAX(box->most_open, box->n_open);
  g_free(box->known);
  box->known = g_strdup(haul_account_known_identity(account));
  pthread_cond_broadcast(&box->opened);
  pthread_mutex_unlock(&box->mutex);
  if (refused) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "login", "no such user");
    return NULL;
  }
  if (busy) {
    ask_for_patience(box, error);
    return NULL;
  }
  HaulStore *store = g_new0(HaulStore, 1);
  store->box = box;
  store->number = number;
  g_queue_init(&store->open_tickets);
  return store;
}

static void
memory_close(HaulStore *store)
{
  g_assert(g_queue_is_empty(&store->open_tickets));
  pthread_mutex_lock(&store->box->mutex);
  store->box->n_open--;
  pthread_mutex_unlock(&store->box->mutex);
  g_free(store);
}

static char *
memory_identity(HaulStore *store)
{
  return g_strconcat("memory:", store->box->name, NULL);
}

/* ---- folders ---- */

/* Whether the connection shows a message, of which *@n were new to it before this one. */
static bool
is_shown(const HaulStore *store, const MemoryMessage *message, unsigned *n)
{
  const MemoryFaults *faults = &store->box->faults;
  bool is_new = message->read_by == 0 || message->read_by == store->number;
  return faults->batch == 0 || (is_new ? ++*n <= faults->batch : !faults->hides_read);
}

/* With the token, what it stands for is remembered. */
static void
tell_folder(const HaulStore *store, const MemoryFolder *folder, char texts[static 3][32],
            HaulFolder *told)
{
  const MemoryBox *box = store->box;
  const MemoryFaults *faults = &box->faults;
  uint64_t octets = 0, n_messages = 0, shown = 0;
  unsigned n = 0;
  for (guint i = 0; i < folder->messages->len; i++) {
    const MemoryMessage *message = folder->messages->pdata[i];
    if (!is_shown(store, message, &n))
      continue;
    octets += g_bytes_get_size(message->octets);
    n_messages++;
    shown = (shown * 31 + message->uid) & 0xffffff;
  }
  uint64_t token = folder->n_changes + (faults->batch > 0 ? shown << 32 : 0);
  g_snprintf(texts[1], 32, "%" PRIu64, token);
  g_hash_table_insert(folder->pasts, GSIZE_TO_POINTER((gsize)token), memory_folder_past(folder));
  *told = (HaulFolder){
    .path = folder->path,
    .epoch = faults->no_epochs ? 0 : folder->epoch,
    .next_id =
        faults->no_next_id || faults->text_ids ? NULL : id_text(box, folder->next_uid, texts[0]),
    .n_messages = faults->no_counts ? HAUL_UNKNOWN : n_messages,
    .n_octets = faults->no_counts || faults->no_sizes ? HAUL_UNKNOWN : octets,
    .max_message_octets = HAUL_UNKNOWN,
    .change_token = faults->no_tokens ? NULL : texts[1],
    .attributes = folder->attributes | (faults->labels ? (uint32_t)HAUL_FOLDER_LABEL : 0)
                  | (faults->batch > 0 ? (uint32_t)HAUL_FOLDER_BATCHES : 0),
    .settable_flags = HAUL_ALL_FLAGS,
    .any_keyword = true,
  };
}

static bool
memory_folders(HaulStore *store, HaulFolderFunc each, void *data, GError **error)
{
  MemoryBox *box = store->box;
  if (!alive(store, &box->calls.folders, box->faults.lose_folders, error))
    return false;
  pthread_mutex_lock(&box->mutex);
  bool going = true;
  for (guint i = 0; going && i < box->folders->len; i++) {
    char texts[3][32];
    HaulFolder folder;
    tell_folder(store, box->folders->pdata[i], texts, &folder);
    going = each(&folder, data);
  }
  pthread_mutex_unlock(&box->mutex);
  return going;
}

static MemoryFolder *
find_folder(const MemoryBox *box, const char *path)
{
  for (guint i = 0; i < box->folders->len; i++)
    if (strcmp(((MemoryFolder *)box->folders->pdata[i])->path, path) == 0)
      return box->folders->pdata[i];
  return NULL;
}

static bool
has_folder(const MemoryBox *box, const char *path)
{
  for (guint i = 0; i < box->folders->len; i++)
    if (strcmp(((const MemoryFolder *)box->folders->pdata[i])->path, path) == 0)
      return true;
  return false;
}

static bool
has_folder_below(const MemoryBox *box, const char *path)
{
  g_autofree char *start = g_strconcat(path, "/", NULL);
  for (guint i = 0; i < box->folders->len; i++)
    if (g_str_has_prefix(((const MemoryFolder *)box->folders->pdata[i])->path, start))
      return true;
  return false;
}

/* Makes one folder. Returns NULL, or why not. */
static const char *
create_one(MemoryBox *box, const char *path)
{
  const MemoryFaults *faults = &box->faults;
  g_autofree char *parent = g_strdup(path);
  char *slash = strrchr(parent, '/');
  if (slash != NULL)
    *slash = '\0';
  bool in_one = slash != NULL && has_folder(box, parent);
  if (g_strcmp0(path, faults->uncreatable) == 0)
    return "that name is not allowed";
  if (faults->makes_no_parents && slash != NULL && !in_one)
    return "it would lie in nothing";
  if (faults->holds_either && in_one)
    return "there are no folders below this one";
  if (!(faults->holds_either && has_folder_below(box, path)))
    memory_box_folder(box, path)->attributes &= ~(uint32_t)HAUL_FOLDER_NOSELECT;
  return NULL;
}

static bool
memory_create(HaulStore *store, const HaulFolder *folders, size_t n_folders,
              HaulFolderResultFunc each, void *data, GError **error)
{
  MemoryBox *box = store->box;
  if (!alive(store, &box->calls.creates, 0, error))
    return false;
  for (size_t i = 0; i < n_folders; i++) {
    g_autoptr(GError) why = NULL;
    pthread_mutex_lock(&box->mutex);
    const char *refusal = create_one(box, folders[i].path);
    pthread_mutex_unlock(&box->mutex);
    if (refusal != NULL)
      haul_set_error(&why, HAUL_ERROR_FOLDER, "create", "%s", refusal);
    each(folders[i].path, why, data);
  }
  return true;
}

static bool
memory_subscribe(HaulStore *store, const HaulFolder *folders, size_t n_folders,
                 HaulFolderResultFunc each, void *data, GError **error)
{
  MemoryBox *box = store->box;
  if (!alive(store, &box->calls.subscribes, 0, error))
    return false;
  for (size_t i = 0; i < n_folders; i++) {
    g_autoptr(GError) why = NULL;
    pthread_mutex_lock(&box->mutex);
    MemoryFolder *folder = find_folder(box, folders[i].path);
    if (folder != NULL)
      folder->attributes |= HAUL_FOLDER_SUBSCRIBED;
    else
      haul_set_error(&why, HAUL_ERROR_FOLDER, "no-folder", "there is none");
    pthread_mutex_unlock(&box->mutex);
    each(folders[i].path, why, data);
  }
  return true;
}

static bool
memory_select(HaulStore *store, const char *path, HaulIntent intent, HaulFolder *folder,
              GError **error)
{
  MemoryBox *box = store->box;
  if (!alive(store, &box->calls.selects, box->faults.lose_select, error))
    return false;
  if (cuts(box, g_strcmp0(path, box->faults.cuts_select) == 0))
    return lost(store, error);
  pthread_mutex_lock(&box->mutex);
  store->selected = find_folder(box, path);
  bool found = store->selected != NULL && g_strcmp0(path, box->faults.unselectable) != 0;
  store->writes = (intent & HAUL_WRITE) != 0;
  store->singly = (intent & HAUL_WRITE_SINGLY) != 0;
  if (intent & HAUL_WRITE) {
    box->calls.selects_for_writing++;
    if (found && g_strcmp0(path, box->faults.replaces) == 0) {
      box->faults.replaces = NULL;
      memory_box_renumber(box, path);
    }
  }
  if (found)
    tell_folder(store, store->selected, store->texts, folder);
  pthread_mutex_unlock(&box->mutex);
  if (!found)
    haul_set_error(error, HAUL_ERROR_FOLDER, "select", "%s cannot be opened", path);
  return found;
}

/* ---- reading ---- */

/* What a client sees of a message, with its octets referenced. */
typedef struct {
  char id[32];
  GBytes *octets;    /* owned */
  char **keywords;   /* owned */
  char *object_id;   /* owned, or NULL */
  GPtrArray *labels; /* of borrowed paths, or NULL */
  HaulItem item;
} Sight;

static void
sight_free(Sight *sight)
{
  g_bytes_unref(sight->octets);
  g_strfreev(sight->keywords);
  g_free(sight->object_id);
  g_clear_pointer(&sight->labels, g_ptr_array_unref);
  g_free(sight);
}

/* Tells in which other folders the same octets are; that all mail has them goes without saying. */
static void
tell_labels(const MemoryBox *box, const MemoryFolder *folder, Sight *sight)
{
  sight->object_id = g_compute_checksum_for_bytes(G_CHECKSUM_MD5, sight->octets);
  sight->labels = g_ptr_array_new();
  for (guint i = 0; i < box->folders->len; i++) {
    const MemoryFolder *other = box->folders->pdata[i];
    bool told = other != folder && (other->attributes & HAUL_FOLDER_ALL) == 0;
    for (guint k = 0; told && k < other->messages->len; k++)
      if (g_bytes_equal(((const MemoryMessage *)other->messages->pdata[k])->octets,
                        sight->octets)) {
        g_ptr_array_add(sight->labels, other->path);
        break;
      }
  }
  g_ptr_array_add(sight->labels, NULL);
  sight->item.object_id = sight->object_id;
  sight->item.labels = (const char *const *)sight->labels->pdata;
}

/* The messages of the selected folder in @ranges, as they are now. */
static GPtrArray *
look(HaulStore *store, const HaulRange *ranges, size_t n_ranges)
{
  MemoryBox *box = store->box;
  GPtrArray *sights = g_ptr_array_new_with_free_func((GDestroyNotify)sight_free);
  int64_t now = g_get_monotonic_time();
  unsigned n = 0;
  pthread_mutex_lock(&box->mutex);
  for (guint i = 0; i < store->selected->messages->len; i++) {
    const MemoryMessage *message = store->selected->messages->pdata[i];
    if (!is_shown(store, message, &n) || message->visible_at_us > now
        || !in_ranges(message->uid, ranges, n_ranges))
      continue;
    Sight *sight = g_new0(Sight, 1);
    sight->octets = g_bytes_ref(message->octets);
    sight->keywords = g_strdupv(message->keywords);
    sight->item = (HaulItem){
      .id = id_text(box, message->uid, sight->id),
      .size = HAUL_UNKNOWN,
      .date = message->date,
      .date_zone = message->zone,
      .flags = message->flags,
      .keywords = (const char *const *)sight->keywords,
    };
    if (box->faults.labels)
      tell_labels(box, store->selected, sight);
    g_ptr_array_add(sights, sight);
  }
  pthread_mutex_unlock(&box->mutex);
  return sights;
}

/* A listing of such a folder says nothing of flags. */
static void
hide_flags(const HaulStore *store, Sight *sight)
{
  if ((store->selected->attributes & HAUL_FOLDER_FLAGLESS) == 0)
    return;
  sight->item.flags = 0;
  sight->item.keywords = NULL;
}

static bool
memory_list(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
            const char *const *header_fields, HaulItemFunc each, void *data, GError **error)
{
  MemoryBox *box = store->box;
  const MemoryFaults *faults = &box->faults;
  if (!alive(store, &box->calls.lists, faults->lose_list, error))
    return false;
  bool fails = g_strcmp0(store->selected->path, faults->unlistable) == 0;
  g_autoptr(GPtrArray) sights = look(store, ranges, n_ranges);
  g_autoptr(GByteArray) header = g_byte_array_new();
  guint end = fails ? MAX(faults->cuts_list, faults->ends_list) : sights->len;
  fails = fails && faults->ends_list == 0;
  for (guint i = 0; i < MIN(end, sights->len); i++) {
    Sight *sight = sights->pdata[i];
    gsize size;
    const uint8_t *octets = g_bytes_get_data(sight->octets, &size);
    if ((want & HAUL_WANT_SIZE) && !faults->no_sizes)
      sight->item.size = size;
    if (!(want & HAUL_WANT_DATE))
      sight->item.date = HAUL_NO_DATE;
    hide_flags(store, sight);
    g_byte_array_set_size(header, 0);
    if (header_fields != NULL) {
      haul_header_select(octets, size, header_fields, header);
      sight->item.header = header->data;
      sight->item.header_size = header->len;
    }
    pthread_mutex_lock(&box->mutex);
    box->calls.items_listed++;
    pthread_mutex_unlock(&box->mutex);
    if (!each(&sight->item, data))
      return false;
  }
  if (fails)
    haul_set_error(error, HAUL_ERROR_FOLDER, "select", "the listing ended early");
  return !fails;
}

/* Tells what of @past is not in @now. */
static bool
tell_gone(const MemoryBox *box, MemoryPast *past, MemoryPast *now, HaulGoneFunc gone, void *data)
{
  GHashTableIter iter;
  gpointer uid;
  g_hash_table_iter_init(&iter, past);
  while (g_hash_table_iter_next(&iter, &uid, NULL)) {
    char text[32];
    HaulRange range = { id_text(box, GPOINTER_TO_SIZE(uid), text), text };
    if (!g_hash_table_contains(now, uid) && !gone(&range, data))
      return false;
  }
  return true;
}

static bool
memory_changes(HaulStore *store, const char *since_token, HaulItemFunc changed, HaulGoneFunc gone,
               void *data, GError **error)
{
  MemoryBox *box = store->box;
  const MemoryFaults *faults = &box->faults;
  if (!alive(store, &box->calls.changes, faults->lose_changes, error))
    return false;
  pthread_mutex_lock(&box->mutex);
  gsize token = (gsize)strtoull(since_token, NULL, 10);
  MemoryPast *past = g_hash_table_lookup(store->selected->pasts, GSIZE_TO_POINTER(token));
  g_autoptr(GHashTable) now = memory_folder_past(store->selected);
  pthread_mutex_unlock(&box->mutex);
  if (faults->no_changes || past == NULL) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "unsupported", "nobody can tell what changed");
    return false;
  }
  HaulRange all = { "1", NULL };
  HaulRange everything = { NULL, NULL };
  if ((faults->all_gone && !gone(&all, data))
      || (!faults->hides_gone && !tell_gone(box, past, now, gone, data)))
    return false;
  g_autoptr(GPtrArray) sights = look(store, &everything, 1);
  for (guint i = 0; i < sights->len; i++) {
    Sight *sight = sights->pdata[i];
    hide_flags(store, sight);
    gpointer uid = GSIZE_TO_POINTER((gsize)uid_of(sight->id));
    const char *before = g_hash_table_lookup(past, uid), *after = g_hash_table_lookup(now, uid);
    if (g_strcmp0(before, after) == 0 || (before == NULL && faults->hides_news))
      continue;
    pthread_mutex_lock(&box->mutex);
    box->calls.items_changed++;
    pthread_mutex_unlock(&box->mutex);
    if (!changed(&sight->item, data))
      return false;
  }
  return true;
}

/* Gives one message, a few octets at a time. */
static bool
give(HaulStore *store, const Sight *sight, HaulIntake *intake, GError **error)
{
  gsize size;
  const uint8_t *octets = g_bytes_get_data(sight->octets, &size);
  g_autoptr(HaulBodyWriter) body =
      haul_intake_begin(intake, store->box->faults.no_sizes ? HAUL_UNKNOWN : size, error);
  if (body == NULL)
    return false;
  for (gsize done = 0; done < size;) {
    size_t room;
    void *buffer = haul_body_writer_reserve(body, MIN(size - done, 1000), &room, error);
    if (buffer == NULL)
      return false;
    memcpy(buffer, octets + done, room);
    haul_body_writer_advance(body, room);
    done += room;
  }
  return haul_intake_commit(intake, g_steal_pointer(&body), &sight->item, error);
}

/* Remembers that a message of the selected folder was given. */
static void
mark_read(HaulStore *store, const char *id)
{
  GPtrArray *messages = store->selected->messages;
  pthread_mutex_lock(&store->box->mutex);
  for (guint i = 0; i < messages->len; i++) {
    MemoryMessage *message = messages->pdata[i];
    if (message->uid == uid_of(id))
      message->read_by = store->number;
  }
  pthread_mutex_unlock(&store->box->mutex);
}

static bool
holds(GBytes *octets, const char *text)
{
  gsize size;
  const char *data = g_bytes_get_data(octets, &size);
  return text != NULL && size > 0 && g_strstr_len(data, (gssize)size, text) != NULL;
}

static bool
memory_fetch(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
             GError **error)
{
  MemoryBox *box = store->box;
  if (!alive(store, &box->calls.fetches, 0, error))
    return false;
  pthread_mutex_lock(&box->mutex);
  while (box->calls.opens < box->faults.fetches_after_opens)
    pthread_cond_wait(&box->opened, &box->mutex);
  pthread_mutex_unlock(&box->mutex);
  g_autoptr(GPtrArray) sights = look(store, ranges, n_ranges);
  for (guint i = 0; i < sights->len; i++) {
    const Sight *sight = sights->pdata[i];
    if (!alive(store, &box->calls.messages_fetched, box->faults.lose_fetch, error))
      return false;
    if (cuts(box, holds(sight->octets, box->faults.cuts_fetch)))
      return lost(store, error);
    if (box->faults.batch > 0)
      mark_read(store, sight->id);
    if (holds(sight->octets, box->faults.unfetchable)
        && (box->faults.heals_at == 0 || store->number < box->faults.heals_at)) {
      g_autoptr(GError) why = NULL;
      haul_set_error(&why, HAUL_ERROR_MESSAGE, "unfetchable", "it is damaged");
      haul_intake_skip(intake, sight->id, why);
    } else if (!give(store, sight, intake, error))
      return false;
  }
  return true;
}

static bool
memory_search(HaulStore *store, const char *key, HaulItemFunc each, void *data, GError **error)
{
  const char *text = store->box->faults.finds;
  if (text == NULL) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "unsupported", "this box is not searched");
    return false;
  }
  const HaulRange all = { NULL, NULL };
  g_autoptr(GPtrArray) sights = look(store, &all, 1);
  for (guint i = 0; i < sights->len; i++) {
    const Sight *sight = sights->pdata[i];
    if (holds(sight->octets, text) && !each(&sight->item, data))
      return false;
  }
  return true;
}

/* ---- writing ---- */

static MemoryMessage *
copy_of(const MemoryBox *box, HaulMessage *message)
{
  const HaulItem *item = haul_message_item(message);
  MemoryMessage *copy = g_new0(MemoryMessage, 1);
  g_autoptr(GByteArray) octets = g_byte_array_new();
  if (box->faults.adds != NULL)
    g_byte_array_append(octets, (const uint8_t *)box->faults.adds, (guint)strlen(box->faults.adds));
  for (uint64_t offset = 0; offset < item->size;) {
    size_t size;
    const uint8_t *window = haul_message_window(message, offset, &size);
    g_assert(window != NULL);
    g_byte_array_append(octets, window, (guint)size);
    offset += size;
  }
  copy->octets = g_byte_array_free_to_bytes(g_steal_pointer(&octets));
  copy->keywords = item->keywords != NULL && !box->faults.no_keywords
                       ? g_strdupv((char **)item->keywords)
                       : g_new0(char *, 1);
  copy->flags = item->flags;
  copy->date = item->date;
  copy->zone = item->date_zone;
  return copy;
}

static void
keep(MemoryBox *box, MemoryFolder *folder, MemoryMessage *message, unsigned late_ms)
{
  pthread_mutex_lock(&box->mutex);
  message->uid = folder->next_uid++;
  message->visible_at_us = late_ms > 0 ? g_get_monotonic_time() + late_ms * INT64_C(1000) : 0;
  g_ptr_array_add(folder->messages, message);
  folder->n_changes++;
  pthread_mutex_unlock(&box->mutex);
}

static void
settle(HaulStore *store, Delivery *delivery)
{
  MemoryBox *box = store->box;
  g_autoptr(GError) why = NULL;
  char id[32];
  if (g_strcmp0(delivery->folder->path, box->faults.refuses_folder) == 0) {
    haul_set_error(&why, HAUL_ERROR_FOLDER, "append", "the folder takes nothing");
    haul_ticket_fail(delivery->ticket, why);
    if (!delivery->kept)
      memory_message_free(delivery->message);
    g_free(delivery);
    return;
  }
  if (!delivery->kept)
    keep(box, delivery->folder, delivery->message, 0);
  if (box->faults.no_ids)
    haul_ticket_done(delivery->ticket, 0, NULL);
  else
    haul_ticket_done(delivery->ticket, delivery->folder->epoch,
                     id_text(box, delivery->message->uid, id));
  g_free(delivery);
}

/* Stores what waits to be stored, without saying so. */
static void
keep_open_deliveries(HaulStore *store)
{
  if (!store->box->faults.stores_late)
    return;
  for (GList *link = store->open_tickets.head; link != NULL; link = link->next) {
    Delivery *delivery = link->data;
    keep(store->box, delivery->folder, delivery->message, 0);
    delivery->kept = true;
  }
}

/* Fails all tickets that are open. */
static bool
end_deliveries(HaulStore *store, HaulTicket *last, const GError *why, GError **error)
{
  Delivery *delivery;
  while ((delivery = g_queue_pop_head(&store->open_tickets)) != NULL) {
    haul_ticket_fail(delivery->ticket, why);
    if (!delivery->kept)
      memory_message_free(delivery->message);
    g_free(delivery);
  }
  if (last != NULL)
    haul_ticket_fail(last, why);
  g_propagate_error(error, g_error_copy(why));
  return false;
}

/* Ends the connection with them. */
static bool
lose_deliveries(HaulStore *store, HaulTicket *last, GError **error)
{
  g_autoptr(GError) why = NULL;
  lost(store, &why);
  return end_deliveries(store, last, why, error);
}

static bool
memory_put(HaulStore *store, HaulMessage *message, HaulTicket *ticket, GError **error)
{
  MemoryBox *box = store->box;
  const MemoryFaults *faults = &box->faults;
  pthread_mutex_lock(&box->mutex);
  unsigned n = ++box->calls.puts;
  pthread_mutex_unlock(&box->mutex);
  if (store->dead || n == faults->lose_put)
    return lose_deliveries(store, ticket, error);
  if (n == faults->busy_put) {
    g_autoptr(GError) why = NULL;
    ask_for_patience(box, &why);
    return end_deliveries(store, ticket, why, error);
  }
  MemoryMessage *copy = copy_of(box, message);
  if (cuts(box, holds(copy->octets, faults->cuts_put))) {
    memory_message_free(copy);
    return lose_deliveries(store, ticket, error);
  }
  if (n == faults->swaps_put) {
    pthread_mutex_lock(&box->mutex);
    memory_box_remove(box, store->selected->path, 1);
    memory_box_add(box, store->selected->path, MEMORY_OTHERS);
    pthread_mutex_unlock(&box->mutex);
  }
  if (n == faults->lose_stored) {
    keep_open_deliveries(store); /* in order: this one is not stored before them */
    keep(box, store->selected, copy, faults->late_ms);
    return lose_deliveries(store, ticket, error);
  }
  bool refused = holds(copy->octets, faults->refuses);
  bool closed = g_strcmp0(store->selected->path, faults->refuses_folder) == 0;
  if (refused || (closed && !faults->stores_late)) {
    memory_message_free(copy);
    g_autoptr(GError) why = NULL;
    haul_set_error(&why, refused ? HAUL_ERROR_MESSAGE : HAUL_ERROR_FOLDER,
                   refused ? "refused" : "append", "we do not want that");
    haul_ticket_fail(ticket, why);
    return true;
  }
  Delivery *delivery = g_new0(Delivery, 1);
  *delivery = (Delivery){ ticket, store->selected, copy, !faults->stores_late };
  if (!faults->stores_late)
    keep(box, store->selected, copy, 0);
  g_queue_push_tail(&store->open_tickets, delivery);
  while (g_queue_get_length(&store->open_tickets) > (store->singly ? 0 : faults->hold))
    settle(store, g_queue_pop_head(&store->open_tickets));
  return true;
}

static bool
memory_flush(HaulStore *store, GError **error)
{
  MemoryBox *box = store->box;
  if (!alive(store, &box->calls.flushes, box->faults.lose_flush, NULL))
    return lose_deliveries(store, NULL, error);
  while (!g_queue_is_empty(&store->open_tickets))
    settle(store, g_queue_pop_head(&store->open_tickets));
  return true;
}

static void
memory_origin(HaulStore *store, const HaulFolder *source)
{
  MemoryBox *box = store->box;
  g_assert(store->selected != NULL && store->writes);
  pthread_mutex_lock(&box->mutex);
  g_ptr_array_add(box->origins,
                  g_strdup_printf("%s %" PRIu64 " %s %x -> %s", source->path, source->epoch,
                                  source->next_id != NULL ? source->next_id : "-",
                                  source->attributes, store->selected->path));
  pthread_mutex_unlock(&box->mutex);
}

static bool
memory_finish(HaulStore *store, GError **error)
{
  MemoryBox *box = store->box;
  g_assert(g_queue_is_empty(&store->open_tickets));
  if (!alive(store, &box->calls.finishes, box->faults.lose_finish, error))
    return false;
  if (box->faults.fails_finish)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "maildir", "the end cannot be written");
  return !box->faults.fails_finish;
}

static void
change_keywords(MemoryMessage *message, const HaulFlagChange *change)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (char **name = message->keywords; *name != NULL; name++)
    if (change->remove_keywords == NULL || !g_strv_contains(change->remove_keywords, *name))
      g_ptr_array_add(names, *name); /* moved */
    else
      g_free(*name);
  for (size_t i = 0; change->add_keywords != NULL && change->add_keywords[i] != NULL; i++)
    g_ptr_array_add(names, g_strdup(change->add_keywords[i]));
  g_free(message->keywords);
  g_ptr_array_add(names, NULL);
  message->keywords = (char **)g_ptr_array_steal(names, NULL);
}

static bool
memory_set_flags(HaulStore *store, const char *const *ids, size_t n_ids,
                 const HaulFlagChange *change, GError **error)
{
  MemoryBox *box = store->box;
  if (!alive(store, &box->calls.flag_changes, box->faults.lose_set_flags, error))
    return false;
  if (box->faults.refuses_flags) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "flags", "the folder is read-only");
    return false;
  }
  pthread_mutex_lock(&box->mutex);
  GPtrArray *messages = store->selected->messages;
  for (size_t i = 0; i < n_ids; i++)
    for (guint k = 0; k < messages->len; k++) {
      MemoryMessage *message = messages->pdata[k];
      if (message->uid != uid_of(ids[i]))
        continue;
      message->flags = (message->flags | change->add) & ~change->remove;
      if (!box->faults.no_keywords)
        change_keywords(message, change);
    }
  store->selected->n_changes++;
  pthread_mutex_unlock(&box->mutex);
  return true;
}

/* Copies one message to the end of @to; NULL if it is not there. */
static MemoryMessage *
copy_one(HaulStore *store, uint64_t uid, MemoryFolder *to)
{
  for (guint i = 0; i < store->selected->messages->len; i++) {
    const MemoryMessage *message = store->selected->messages->pdata[i];
    if (message->uid != uid)
      continue;
    MemoryMessage *copy = g_new(MemoryMessage, 1);
    *copy = *message;
    copy->octets = g_bytes_ref(message->octets);
    copy->keywords = g_strdupv(message->keywords);
    const MemoryFaults *faults = &store->box->faults;
    bool late = store->box->calls.copies == faults->lose_copied;
    keep(store->box, to, copy, late ? faults->late_ms : 0);
    return copy;
  }
  return NULL;
}

/* Marks the message, or removes it. */
static void
expunge_one(MemoryBox *box, MemoryFolder *folder, uint64_t uid, bool marks)
{
  for (guint i = 0; i < folder->messages->len; i++) {
    MemoryMessage *message = folder->messages->pdata[i];
    if (message->uid != uid)
      continue;
    folder->n_changes++;
    box->calls.messages_expunged += !marks;
    if (marks)
      message->flags |= HAUL_DELETED;
    else
      g_ptr_array_remove_index(folder->messages, i);
    return;
  }
}

static bool
memory_copy(HaulStore *store, const char *const *ids, size_t n_ids, const char *to_path, bool move,
            HaulCopiedFunc each, void *data, GError **error)
{
  MemoryBox *box = store->box;
  if (!alive(store, &box->calls.copies, box->faults.lose_copy, error))
    return false;
  MemoryFolder *to = find_folder(box, to_path);
  if (box->faults.refuses_copies || to == NULL) {
    haul_set_error(error, HAUL_ERROR_FOLDER, to == NULL ? "no-folder" : "refused", "no copies");
    return false;
  }
  g_autoptr(GPtrArray) copies = g_ptr_array_new();
  for (size_t i = 0; i < n_ids; i++) {
    g_ptr_array_add(copies, copy_one(store, uid_of(ids[i]), to));
    box->calls.messages_copied += copies->pdata[i] != NULL;
  }
  for (size_t i = 0; move && i < n_ids; i++)
    if (copies->pdata[i] != NULL)
      expunge_one(box, store->selected, uid_of(ids[i]), false);
  if (box->calls.copies == box->faults.lose_copied)
    return lost(store, error);
  for (size_t i = 0; i < n_ids; i++) {
    const MemoryMessage *copy = copies->pdata[i];
    char text[32];
    if (copy != NULL
        && !each(ids[i], box->faults.no_copy_ids ? NULL : id_text(box, copy->uid, text), data))
      return false;
  }
  return true;
}

static bool
memory_expunge(HaulStore *store, const char *const *ids, size_t n_ids, GError **error)
{
  MemoryBox *box = store->box;
  const MemoryFaults *faults = &box->faults;
  if (!alive(store, &box->calls.expunges, faults->lose_expunge, error))
    return false;
  if (faults->refuses_expunge) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "refused", "nothing is removed here");
    return false;
  }
  pthread_mutex_lock(&box->mutex);
  unsigned n = box->calls.expunges;
  size_t n_heeded = faults->expunges_one ? MIN(n_ids, 1) : n_ids;
  for (size_t i = 0; i < n_heeded; i++)
    expunge_one(box, store->selected, uid_of(ids[i]), n == faults->lose_marked);
  pthread_mutex_unlock(&box->mutex);
  if (n_heeded < n_ids) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "refused", "one is enough");
    return false;
  }
  return (n != faults->lose_marked && n != faults->lose_expunged) || lost(store, error);
}

static const HaulSetting settings[] = {
  { "box", 's', NULL, "Name of the box." },
  { "path", 'p', "", "Where it is said to lie." },
  { NULL, 0, NULL, NULL },
};

static bool
memory_remove(HaulStore *store, const char *path, GError **error)
{
  MemoryBox *box = store->box;
  if (!alive(store, &box->calls.removals, box->faults.lose_remove, error))
    return false;
  MemoryFolder *folder = find_folder(box, path);
  if (folder == NULL) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "no-folder", "%s is not there", path);
    return false;
  }
  if (store->selected == folder)
    store->selected = NULL;
  g_ptr_array_remove(box->folders, folder);
  return true;
}

static const HaulStoreOps ops = {
  .struct_size = sizeof ops,
  .open = memory_open,
  .close = memory_close,
  .folders = memory_folders,
  .create = memory_create,
  .subscribe = memory_subscribe,
  .remove = memory_remove,
  .select = memory_select,
  .list = memory_list,
  .changes = memory_changes,
  .fetch = memory_fetch,
  .search = memory_search,
  .put = memory_put,
  .flush = memory_flush,
  .set_flags = memory_set_flags,
  .copy = memory_copy,
  .expunge = memory_expunge,
  .identity = memory_identity,
  .origin = memory_origin,
  .finish = memory_finish,
};

HAUL_PLUGIN(memory) = {
  HAUL_PLUGIN_HEAD,        .name = "memory",
  .version = HAUL_VERSION, .summary = "Boxes in memory, for tests.",
  .settings = settings,    .store = &ops,
};
