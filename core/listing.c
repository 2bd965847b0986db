/* Listing folders of both sides at once. */
#include "listing.h"

#include <pthread.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "intake.h"
#include "likeness.h"
#include "queue.h"
#include "selecting.h"

/* Listings that wait to be compared; a larger one passes alone. */
#define WAITING_OCTETS (4u << 20)
/* Ranges of what is gone: what has more holes than that is listed as quickly. */
#define GONE_LIMIT 500000u
/* How many folders are announced to the store. */
#define AHEAD 16u

HaulListRequest *
haul_list_request_new(const char *path, HaulListKind kind)
{
  HaulListRequest *request = g_new0(HaulListRequest, 1);
  request->path = path;
  request->kind = kind;
  request->ranges = g_array_new(FALSE, TRUE, sizeof(HaulRange));
  return request;
}

void
haul_list_request_add_range(HaulListRequest *request, const char *first, const char *last)
{
  HaulRange range = { g_strdup(first), g_strdup(last) };
  g_array_append_val(request->ranges, range);
}

void
haul_list_request_free(HaulListRequest *request)
{
  for (guint i = 0; i < request->ranges->len; i++) {
    HaulRange *range = &g_array_index(request->ranges, HaulRange, i);
    g_free((char *)range->first);
    g_free((char *)range->last);
  }
  g_array_unref(request->ranges);
  g_free(request);
}

HaulListing *
haul_listing_new(HaulListKind kind)
{
  HaulListing *listing = g_new0(HaulListing, 1);
  listing->ids = haul_ids_new();
  listing->items = g_array_new(FALSE, FALSE, sizeof(HaulEntry));
  if (kind != HAUL_LIST_CHANGES && kind != HAUL_LIST_IDS)
    listing->keys = g_array_new(FALSE, TRUE, sizeof(HaulKey));
  if (kind == HAUL_LIST_SELECTION)
    listing->verdicts = g_array_new(FALSE, FALSE, sizeof(uint8_t));
  if (kind == HAUL_LIST_CHANGES)
    listing->gone = g_array_new(FALSE, FALSE, sizeof(HaulIdRange));
  listing->n_messages = HAUL_UNKNOWN;
  return listing;
}

void
haul_listing_free(HaulListing *listing)
{
  if (listing == NULL)
    return;
  haul_ids_free(listing->ids);
  g_array_unref(listing->items);
  if (listing->keys != NULL)
    g_array_unref(listing->keys);
  if (listing->gone != NULL)
    g_array_unref(listing->gone);
  if (listing->verdicts != NULL)
    g_array_unref(listing->verdicts);
  if (listing->twins != NULL)
    g_array_unref(listing->twins);
  g_clear_error(&listing->error);
  g_free(listing);
}

struct HaulLister {
  const HaulContext *context;
  HaulOpenStore *store;
  const GPtrArray *requests;
  HaulQueue *queue; /* of HaulListing */
  pthread_t thread;
  uint64_t taken; /* room of the listing that was handed out last */
  GArray *visits; /* of HaulVisit */
};

/* A listing being made. */
typedef struct {
  const HaulContext *context;
  HaulListing *listing;
  const HaulListRequest *request;
  HaulKeyMaker *maker;  /* NULL without keys */
  HaulDigest *digest;   /* NULL but for likeness and traits */
  GHashTable *bodies;   /* owned; ids whose key needs the body -> index */
  HaulObjects *objects; /* NULL if not wanted */
} Making;

static bool
take_item(const HaulItem *item, void *data)
{
  Making *making = data;
  HaulListing *listing = making->listing;
  HaulEntry entry = {
    .id = haul_id_intern(listing->ids, item->id),
    .size = item->size,
    .flags = item->flags,
    .keywords = haul_keywords_intern(making->context->keywords, item->keywords),
  };
  g_array_append_val(listing->items, entry);
  if (making->objects != NULL) {
    HaulTwin twin = haul_objects_twin(making->objects, item);
    g_array_append_val(listing->twins, twin);
  }
  HaulKey key;
  if (making->request->kind == HAUL_LIST_LIKENESS) {
    haul_likeness_of_item(making->digest, item, making->request->by_id, &key);
    g_array_append_val(listing->keys, key);
  }
  if (making->maker == NULL)
    return true;
  if (haul_key_of_item(making->maker, item, &key) == HAUL_KEY_NEEDS_BODY)
    g_hash_table_insert(making->bodies, g_strdup(item->id),
                        GUINT_TO_POINTER(listing->items->len - 1));
  g_array_append_val(listing->keys, key);
  return true;
}

/* Takes what is gone, as ranges: a store may name all ids that there can be. */
static bool
take_gone(const HaulRange *range, void *data)
{
  Making *making = data;
  HaulListing *listing = making->listing;
  HaulIdRange gone = { 0, UINT64_MAX };
  if (range->first != NULL)
    gone.first = haul_id_intern(listing->ids, range->first);
  if (range->last != NULL)
    gone.last = haul_id_intern(listing->ids, range->last);
  bool numbers = (range->first == NULL || haul_id_is_number(gone.first))
                 && (range->last == NULL || haul_id_is_number(gone.last));
  if (!numbers || listing->gone->len == GONE_LIMIT)
    return false;
  g_array_append_val(listing->gone, gone);
  return true;
}

static bool
take_body(HaulMessage *message, void *data, GError **error)
{
  Making *making = data;
  gpointer index;
  uint8_t sha256[HAUL_SHA256_SIZE];
  if (g_hash_table_lookup_extended(making->bodies, haul_message_item(message)->id, NULL, &index))
    haul_key_of_message(making->maker, message,
                        &g_array_index(making->listing->keys, HaulKey, GPOINTER_TO_UINT(index)),
                        sha256);
  haul_message_unref(message);
  return true;
}

static void
skip_body(const char *id, const GError *why, void *data)
{
  /* Without its body it has no key, and matches nothing: at worst it is copied. */
  haul_log(HAUL_LOG_WARNING, "message %s cannot be read for matching: %s", id, why->message);
}

static bool
take_content(HaulMessage *message, void *data, GError **error)
{
  Making *making = data;
  const HaulItem *item = haul_message_item(message);
  HaulEntry entry = { .id = haul_id_intern(making->listing->ids, item->id), .size = item->size };
  HaulKey content;
  if (making->digest != NULL ? haul_traits_of_message(making->digest, message, &content)
                             : haul_content_of_message(message, &content)) {
    g_array_append_val(making->listing->items, entry);
    g_array_append_val(making->listing->keys, content);
  }
  haul_message_unref(message);
  return true;
}

static void
take_verdict(const HaulItem *item, HaulVerdict verdict, void *data)
{
  Making *making = data;
  uint8_t octet = (uint8_t)verdict;
  HaulEntry entry = { .id = haul_id_intern(making->listing->ids, item->id), .size = item->size };
  g_array_append_val(making->listing->items, entry);
  g_array_append_val(making->listing->verdicts, octet);
}

/* Fetches what has a key by its content alone. */
static bool
read_bodies(HaulLister *lister, Making *making, GError **error)
{
  if (making->bodies == NULL || g_hash_table_size(making->bodies) == 0)
    return true;
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HaulRange));
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, g_hash_table_size(making->bodies));
  const GArray *items = making->listing->items;
  for (guint i = 0, n = 0; i < items->len; i++) {
    HaulId id = g_array_index(items, HaulEntry, i).id;
    HaulIdBuffer buffer;
    if (!g_hash_table_contains(making->bodies, haul_id_text(id, &buffer)))
      continue;
    const char *text = haul_id_text(id, &buffers[n++]);
    HaulRange one = { text, text };
    g_array_append_val(ranges, one);
  }
  g_autoptr(HaulIntake) intake = haul_intake_new(
      lister->context->spool, NULL, lister->context->cancel, take_body, skip_body, making);
  return haul_store_fetch(lister->store, (const HaulRange *)(void *)ranges->data, ranges->len,
                          intake, error);
}

static const char *const *
fields_of(const HaulLister *lister, const HaulListRequest *request)
{
  return request->kind == HAUL_LIST_KEYS       ? haul_chain_header_fields(lister->context->chain)
         : request->kind == HAUL_LIST_LIKENESS ? haul_likeness_fields()
                                               : NULL;
}

static uint32_t
want_of(const HaulLister *lister, const HaulListRequest *request)
{
  return (request->kind == HAUL_LIST_KEYS       ? HAUL_WANT_SIZE | HAUL_WANT_DATE
          : request->kind == HAUL_LIST_LIKENESS ? HAUL_WANT_SIZE
                                                : 0)
         | (lister->context->dry ? HAUL_WANT_SIZE : 0) /* a plan says how much is to be copied */
         | (request->objects != NULL ? HAUL_WANT_OBJECT_ID : 0);
}

/* Whether messages are read for it. */
static bool
is_read(HaulListKind kind)
{
  return kind == HAUL_LIST_CONTENTS || kind == HAUL_LIST_MORE || kind == HAUL_LIST_TRAITS;
}

static HaulVisitKind
visit_of(HaulListKind kind)
{
  return kind == HAUL_LIST_CHANGES ? HAUL_VISIT_CHANGES
         : is_read(kind)           ? HAUL_VISIT_FETCH
                                   : HAUL_VISIT_LIST;
}

/* Tells the store of the request at @first and those after it. */
static void
announce(HaulLister *lister, guint first)
{
  g_array_set_size(lister->visits, 0);
  for (guint i = first; i < lister->requests->len && i < first + AHEAD; i++) {
    const HaulListRequest *request = lister->requests->pdata[i];
    if (request->kind == HAUL_LIST_SELECTION) /* what it will ask hangs on the answers */
      continue;
    HaulVisit visit = {
      .path = request->path,
      .kind = visit_of(request->kind),
      .since = request->since,
      .ranges = (const HaulRange *)(void *)request->ranges->data,
      .n_ranges = request->ranges->len,
      .want = want_of(lister, request),
      .header_fields = fields_of(lister, request),
    };
    g_array_append_val(lister->visits, visit);
  }
  haul_store_ahead(lister->store, (const HaulVisit *)(void *)lister->visits->data,
                   lister->visits->len);
}

/* Lists, or reads, what @request says of the folder that is selected. */
static bool
fill_listing(HaulLister *lister, const HaulListRequest *request, Making *making, GError **error)
{
  const HaulRange *ranges = (const HaulRange *)(void *)request->ranges->data;
  if (request->kind == HAUL_LIST_CHANGES) {
    GError *why = NULL;
    if (haul_store_changes(lister->store, request->since, take_item, take_gone, making, &why))
      return true;
    if (why == NULL) /* we ended it */
      haul_set_error(error, HAUL_ERROR_FOLDER, "unsupported", "too much changed");
    else
      g_propagate_error(error, why);
    return false;
  }
  if (request->kind == HAUL_LIST_SELECTION) {
    bool found_any;
    bool done = haul_select_messages(lister->context, lister->store, request->side, request->ranges,
                                     take_verdict, making, &found_any, error);
    making->listing->finds_nothing = done && !found_any;
    return done;
  }
  if (is_read(request->kind)) {
    g_autoptr(HaulIntake) intake = haul_intake_new(
        lister->context->spool, NULL, lister->context->cancel, take_content, skip_body, making);
    return haul_store_fetch(lister->store, ranges, request->ranges->len, intake, error);
  }
  return haul_store_list(lister->store, ranges, request->ranges->len, want_of(lister, request),
                         fields_of(lister, request), take_item, making, error)
         && (request->header_alone || read_bodies(lister, making, error));
}

static HaulListing *
make_listing(HaulLister *lister, const HaulListRequest *request)
{
  HaulListing *listing = haul_listing_new(request->kind);
  g_autoptr(HaulKeyMaker) maker = NULL;
  g_autoptr(GHashTable) bodies = NULL;
  if (request->kind == HAUL_LIST_KEYS) {
    maker = haul_key_maker_new(lister->context->chain);
    bodies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  }
  g_autoptr(HaulDigest) digest = NULL;
  if (request->kind == HAUL_LIST_LIKENESS || request->kind == HAUL_LIST_TRAITS)
    digest = haul_digest_new();
  if (request->objects != NULL)
    listing->twins = g_array_new(FALSE, FALSE, sizeof(HaulTwin));
  Making making = { lister->context, listing, request, maker, digest, bodies, request->objects };
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  bool open = haul_store_select(lister->store, request->path, HAUL_READ, &folder, &listing->error);
  listing->epoch = folder.epoch;
  listing->n_messages = folder.n_messages;
  if (open)
    fill_listing(lister, request, &making, &listing->error);
  return listing;
}

static uint64_t
room_of(const HaulListing *listing)
{
  return 1 + (uint64_t)listing->items->len * sizeof(HaulEntry)
         + (listing->keys != NULL ? (uint64_t)listing->keys->len * sizeof(HaulKey) : 0)
         + (listing->twins != NULL ? (uint64_t)listing->twins->len * sizeof(HaulTwin) : 0)
         + (listing->gone != NULL ? (uint64_t)listing->gone->len * sizeof(HaulIdRange) : 0);
}

static void *
list_all(void *data)
{
  HaulLister *lister = data;
  for (guint i = 0; i < lister->requests->len; i++) {
    if (!haul_queue_reserve(lister->queue, 1))
      break;
    announce(lister, i);
    HaulListing *listing = make_listing(lister, lister->requests->pdata[i]);
    haul_queue_overdraw(lister->queue, room_of(listing) - 1);
    bool last = listing->error != NULL && haul_error_reach(listing->error) > HAUL_ERROR_FOLDER;
    if (!haul_queue_push(lister->queue, listing)) {
      haul_listing_free(listing);
      break;
    }
    if (last)
      break;
  }
  haul_queue_close(lister->queue);
  return NULL;
}

HaulLister *
haul_lister_new(const HaulContext *context, HaulOpenStore *store, const GPtrArray *requests)
{
  HaulLister *lister = g_new0(HaulLister, 1);
  lister->context = context;
  lister->store = store;
  lister->requests = requests;
  lister->queue = haul_queue_new(WAITING_OCTETS);
  lister->visits = g_array_new(FALSE, TRUE, sizeof(HaulVisit));
  int failure = pthread_create(&lister->thread, NULL, list_all, lister);
  g_assert(failure == 0);
  return lister;
}

HaulListing *
haul_lister_next(HaulLister *lister)
{
  if (lister->taken > 0)
    haul_queue_release(lister->queue, lister->taken);
  lister->taken = 0;
  void *listing = NULL;
  HaulQueueState state;
  do
    state = haul_queue_pop(lister->queue, 60000, &listing);
  while (state == HAUL_QUEUE_IDLE || state == HAUL_QUEUE_STARVED);
  if (state == HAUL_QUEUE_CLOSED)
    return NULL;
  lister->taken = room_of(listing);
  return listing;
}

void
haul_lister_free(HaulLister *lister)
{
  if (lister == NULL)
    return;
  haul_queue_break(lister->queue);
  void *listing;
  while (haul_queue_pop(lister->queue, 0, &listing) == HAUL_QUEUE_ENTRY)
    haul_listing_free(listing);
  pthread_join(lister->thread, NULL);
  while (haul_queue_pop(lister->queue, 0, &listing) == HAUL_QUEUE_ENTRY)
    haul_listing_free(listing);
  haul_queue_unref(lister->queue);
  g_array_unref(lister->visits);
  g_free(lister);
}

HaulListing *
haul_list_one(const HaulContext *context, HaulOpenStore *store, HaulListRequest *request,
              GError **error)
{
  g_autoptr(GPtrArray) requests =
      g_ptr_array_new_with_free_func((GDestroyNotify)haul_list_request_free);
  g_ptr_array_add(requests, request);
  g_autoptr(HaulLister) lister = haul_lister_new(context, store, requests);
  g_autoptr(HaulListing) listing = haul_lister_next(lister);
  if (listing != NULL && listing->error == NULL)
    return g_steal_pointer(&listing);
  if (listing != NULL)
    g_propagate_error(error, g_steal_pointer(&listing->error));
  else
    haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "stopped on request");
  return NULL;
}
