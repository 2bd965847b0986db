/*
 * The doorman: every call of a plugin's store goes through here and nowhere else.
 *
 * What a caller may rely on, whatever the plugin did: a call returns true with no error, or false
 * with an error that begins with its side, or false without one because the caller's own callback
 * ended it. Nothing is decided here; retries, order and policy are the caller's.
 */
#include "store.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

struct HaulOpenStore {
  const HaulAccount *account; /* borrowed */
  const HaulStoreOps *ops;    /* borrowed from the plugin, complete: core/plugin.c pads it */
  HaulStore *store;           /* owned */
};

/* One call on its way through the door. */
typedef struct {
  const HaulAccount *account;
  const char *name;
  int64_t start; /* 0 where nobody wants to know how long it takes */
  bool stopped;  /* the caller's callback has ended it */
  GError *error; /* owned: what the plugin set */
} Call;

static Call
begin(const HaulAccount *account, const char *name)
{
  return (Call){ .account = account,
                 .name = name,
                 .start = haul_log_wants(HAUL_LOG_DEBUG) ? g_get_monotonic_time() : 0 };
}

/* Returns @why with the side in front, unless a side is named already. To be freed. */
static GError *
with_side(const HaulAccount *account, const GError *why)
{
  if (g_str_has_prefix(why->message, "source: ") || g_str_has_prefix(why->message, "destination: "))
    return g_error_copy(why);
  GError *told = NULL;
  haul_set_error(&told, haul_error_reach(why), haul_error_reason(why), "%s: %s",
                 haul_account_side(account), why->message);
  haul_error_set_wait(told, haul_error_wait_ms(why));
  return told;
}

static void
log_time(const Call *call, bool ok)
{
  if (call->start == 0)
    return;
  const char *outcome = "";
  if (!ok)
    outcome = call->stopped ? ", ended by its caller" : ", failed: ";
  haul_log(HAUL_LOG_DEBUG, "%s: %s() took %.3f ms%s%s", haul_account_side(call->account),
           call->name, (double)(g_get_monotonic_time() - call->start) / 1000, outcome,
           call->error != NULL ? call->error->message : "");
}

/* Makes what the plugin returned into what a caller may rely on. */
static bool
end(Call *call, bool ok, GError **error)
{
  g_autoptr(GError) why = g_steal_pointer(&call->error);
  /* Ended by the caller: what the plugin makes of that is no news to it. */
  if (call->stopped) {
    log_time(call, false);
    return false;
  }
  /* "Done", but with an error set: it must not look complete. */
  ok = ok && why == NULL;
  call->error = why; /* lent for the record */
  log_time(call, ok);
  if (ok)
    return true;
  if (why == NULL)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "plugin",
                   "%s: the plugin %s broke its promise: %s() failed without saying why",
                   haul_account_side(call->account), haul_account_plugin(call->account)->name,
                   call->name);
  else
    g_propagate_error(error, with_side(call->account, why));
  return false;
}

static bool
unsupported(const HaulAccount *account, const char *name, GError **error)
{
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "unsupported", "%s: the plugin %s has no %s()",
                 haul_account_side(account), haul_account_plugin(account)->name, name);
  return false;
}

bool
haul_store_may_be_written(const HaulAccount *account, GError **error)
{
  const HaulPlugin *plugin = haul_account_plugin(account);
  if (plugin->store == NULL || plugin->store->put != NULL) /* what holds no mail, open() tells */
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "%s: mail can only be read by %s, not be put there; choose another destination",
                 haul_account_side(account), plugin->name);
  return false;
}

HaulOpenStore *
haul_store_open(const HaulAccount *account, HaulIntent intent, GError **error)
{
  const HaulPlugin *plugin = haul_account_plugin(account);
  if (plugin->store == NULL) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "%s: the plugin %s holds no mail; `mailhaul plugins` lists those that do",
                   haul_account_side(account), plugin->name);
    return NULL;
  }

  Call call = begin(account, "open");
  HaulStore *opened = plugin->store->open(account, intent, &call.error);
  if (opened != NULL && call.error != NULL) {
    plugin->store->close(opened);
    opened = NULL;
  }
  if (!end(&call, opened != NULL, error))
    return NULL;

  HaulOpenStore *store = g_new(HaulOpenStore, 1);
  store->account = account;
  store->ops = plugin->store;
  store->store = opened;
  return store;
}

void
haul_store_close(HaulOpenStore *store)
{
  if (store == NULL)
    return;
  Call call = begin(store->account, "close");
  store->ops->close(store->store);
  log_time(&call, true);
  g_free(store);
}

char *
haul_store_identity(HaulOpenStore *store)
{
  return store->ops->identity == NULL ? NULL : store->ops->identity(store->store);
}

/* Callbacks pass through these, which remember whether the caller ended the call. */
typedef struct {
  Call *call;
  HaulFolderFunc each;
  void *data;
} FolderRelay;

static bool
relay_folder(const HaulFolder *folder, void *data)
{
  FolderRelay *relay = data;
  if (relay->call->stopped)
    return false;
  relay->call->stopped = !relay->each(folder, relay->data);
  return !relay->call->stopped;
}

bool
haul_store_folders(HaulOpenStore *store, HaulFolderFunc each, void *data, GError **error)
{
  if (store->ops->folders == NULL)
    return unsupported(store->account, "folders", error);
  Call call = begin(store->account, "folders");
  FolderRelay relay = { &call, each, data };
  bool ok = store->ops->folders(store->store, relay_folder, &relay, &call.error);
  return end(&call, ok, error);
}

typedef struct {
  const HaulAccount *account;
  HaulFolderResultFunc each;
  void *data;
} ResultRelay;

static void
relay_result(const char *path, const GError *why, void *data)
{
  const ResultRelay *relay = data;
  g_autoptr(GError) told = why == NULL ? NULL : with_side(relay->account, why);
  relay->each(path, told, relay->data);
}

bool
haul_store_create(HaulOpenStore *store, const HaulFolder *folders, size_t n_folders,
                  HaulFolderResultFunc each, void *data, GError **error)
{
  if (store->ops->create == NULL)
    return unsupported(store->account, "create", error);
  Call call = begin(store->account, "create");
  ResultRelay relay = { store->account, each, data };
  bool ok = store->ops->create(store->store, folders, n_folders, relay_result, &relay, &call.error);
  return end(&call, ok, error);
}

bool
haul_store_subscribe(HaulOpenStore *store, const HaulFolder *folders, size_t n_folders,
                     HaulFolderResultFunc each, void *data, GError **error)
{
  if (store->ops->subscribe == NULL) {
    for (size_t i = 0; i < n_folders; i++)
      each(folders[i].path, NULL, data);
    return true;
  }
  Call call = begin(store->account, "subscribe");
  ResultRelay relay = { store->account, each, data };
  bool ok =
      store->ops->subscribe(store->store, folders, n_folders, relay_result, &relay, &call.error);
  return end(&call, ok, error);
}

void
haul_store_ahead(HaulOpenStore *store, const HaulVisit *visits, size_t n_visits)
{
  if (store->ops->ahead == NULL)
    return;
  Call call = begin(store->account, "ahead");
  store->ops->ahead(store->store, visits, n_visits);
  log_time(&call, true);
}

bool
haul_store_select(HaulOpenStore *store, const char *path, HaulIntent intent, HaulFolder *folder,
                  GError **error)
{
  if (store->ops->select == NULL)
    return unsupported(store->account, "select", error);
  Call call = begin(store->account, "select");
  bool ok = store->ops->select(store->store, path, intent, folder, &call.error);
  return end(&call, ok, error);
}

typedef struct {
  Call *call;
  HaulItemFunc each;
  void *data;
} ItemRelay;

static bool
relay_item(const HaulItem *item, void *data)
{
  ItemRelay *relay = data;
  if (relay->call->stopped)
    return false;
  relay->call->stopped = !relay->each(item, relay->data);
  return !relay->call->stopped;
}

bool
haul_store_list(HaulOpenStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
                const char *const *header_fields, HaulItemFunc each, void *data, GError **error)
{
  if (store->ops->list == NULL)
    return unsupported(store->account, "list", error);
  Call call = begin(store->account, "list");
  ItemRelay relay = { &call, each, data };
  bool ok = store->ops->list(store->store, ranges, n_ranges, want, header_fields, relay_item,
                             &relay, &call.error);
  return end(&call, ok, error);
}

bool
haul_store_can_tell_changes(const HaulOpenStore *store)
{
  return store->ops->changes != NULL;
}

typedef struct {
  ItemRelay items;
  HaulGoneFunc gone;
} ChangeRelay;

static bool
relay_changed(const HaulItem *item, void *data)
{
  ChangeRelay *relay = data;
  return relay_item(item, &relay->items);
}

static bool
relay_gone(const HaulRange *range, void *data)
{
  ChangeRelay *relay = data;
  if (relay->items.call->stopped)
    return false;
  relay->items.call->stopped = !relay->gone(range, relay->items.data);
  return !relay->items.call->stopped;
}

bool
haul_store_changes(HaulOpenStore *store, const char *since_token, HaulItemFunc changed,
                   HaulGoneFunc gone, void *data, GError **error)
{
  if (store->ops->changes == NULL)
    return unsupported(store->account, "changes", error);
  Call call = begin(store->account, "changes");
  ChangeRelay relay = { { &call, changed, data }, gone };
  bool ok = store->ops->changes(store->store, since_token, relay_changed, relay_gone, &relay,
                                &call.error);
  return end(&call, ok, error);
}

bool
haul_store_fetch(HaulOpenStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
                 GError **error)
{
  if (store->ops->fetch == NULL)
    return unsupported(store->account, "fetch", error);
  Call call = begin(store->account, "fetch");
  bool ok = store->ops->fetch(store->store, ranges, n_ranges, intake, &call.error);
  return end(&call, ok, error);
}

bool
haul_store_put(HaulOpenStore *store, HaulMessage *message, HaulTicket *ticket, GError **error)
{
  if (store->ops->put == NULL) {
    /* A failing put() settles the ticket that it was handed; so does an absent one. */
    g_autoptr(GError) why = NULL;
    unsupported(store->account, "put", &why);
    haul_ticket_fail(ticket, why);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  Call call = begin(store->account, "put");
  bool ok = store->ops->put(store->store, message, ticket, &call.error);
  return end(&call, ok, error);
}

bool
haul_store_flush(HaulOpenStore *store, GError **error)
{
  if (store->ops->flush == NULL)
    return true;
  Call call = begin(store->account, "flush");
  bool ok = store->ops->flush(store->store, &call.error);
  return end(&call, ok, error);
}

bool
haul_store_takes_origins(const HaulOpenStore *store)
{
  return store->ops->origin != NULL;
}

void
haul_store_origin(HaulOpenStore *store, const HaulFolder *source)
{
  if (store->ops->origin == NULL)
    return;
  Call call = begin(store->account, "origin");
  store->ops->origin(store->store, source);
  log_time(&call, true);
}

bool
haul_store_can_finish(const HaulAccount *account)
{
  return haul_account_plugin(account)->store->finish != NULL;
}

bool
haul_store_finish(HaulOpenStore *store, GError **error)
{
  if (store->ops->finish == NULL)
    return true;
  Call call = begin(store->account, "finish");
  return end(&call, store->ops->finish(store->store, &call.error), error);
}

bool
haul_store_rename(HaulOpenStore *store, const char *from, const char *to, GError **error)
{
  if (store->ops->rename == NULL)
    return unsupported(store->account, "rename", error);
  Call call = begin(store->account, "rename");
  return end(&call, store->ops->rename(store->store, from, to, &call.error), error);
}

bool
haul_store_remove(HaulOpenStore *store, const char *path, GError **error)
{
  if (store->ops->remove == NULL)
    return unsupported(store->account, "remove", error);
  Call call = begin(store->account, "remove");
  return end(&call, store->ops->remove(store->store, path, &call.error), error);
}

bool
haul_store_can_remove(const HaulOpenStore *store)
{
  return store->ops->remove != NULL;
}

bool
haul_store_can_search(const HaulOpenStore *store)
{
  return store->ops->search != NULL;
}

bool
haul_store_search(HaulOpenStore *store, const char *key, HaulItemFunc each, void *data,
                  GError **error)
{
  if (store->ops->search == NULL)
    return unsupported(store->account, "search", error);
  Call call = begin(store->account, "search");
  ItemRelay relay = { &call, each, data };
  bool ok = store->ops->search(store->store, key, relay_item, &relay, &call.error);
  return end(&call, ok, error);
}

bool
haul_store_can_expunge(const HaulOpenStore *store)
{
  return store->ops->expunge != NULL;
}

bool
haul_store_expunge(HaulOpenStore *store, const char *const *ids, size_t n_ids, GError **error)
{
  if (store->ops->expunge == NULL)
    return unsupported(store->account, "expunge", error);
  Call call = begin(store->account, "expunge");
  return end(&call, store->ops->expunge(store->store, ids, n_ids, &call.error), error);
}

bool
haul_store_wait(HaulOpenStore *store, unsigned timeout_s, bool *changed, GError **error)
{
  *changed = false;
  if (store->ops->wait == NULL)
    return unsupported(store->account, "wait", error);
  Call call = begin(store->account, "wait");
  return end(&call, store->ops->wait(store->store, timeout_s, changed, &call.error), error);
}

bool
haul_store_quota(HaulOpenStore *store, uint64_t *used_octets, uint64_t *limit_octets,
                 GError **error)
{
  *used_octets = *limit_octets = HAUL_UNKNOWN;
  if (store->ops->quota == NULL)
    return true;
  Call call = begin(store->account, "quota");
  bool ok = store->ops->quota(store->store, used_octets, limit_octets, &call.error);
  return end(&call, ok, error);
}

bool
haul_store_can_set_flags(const HaulOpenStore *store)
{
  return store->ops->set_flags != NULL;
}

bool
haul_store_set_flags(HaulOpenStore *store, const char *const *ids, size_t n_ids,
                     const HaulFlagChange *change, GError **error)
{
  if (store->ops->set_flags == NULL)
    return unsupported(store->account, "set_flags", error);
  Call call = begin(store->account, "set_flags");
  bool ok = store->ops->set_flags(store->store, ids, n_ids, change, &call.error);
  return end(&call, ok, error);
}

typedef struct {
  Call *call;
  HaulCopiedFunc each;
  void *data;
} CopiedRelay;

static bool
relay_copied(const char *id, const char *new_id, void *data)
{
  CopiedRelay *relay = data;
  if (relay->call->stopped)
    return false;
  relay->call->stopped = !relay->each(id, new_id, relay->data);
  return !relay->call->stopped;
}

bool
haul_store_can_copy(const HaulOpenStore *store)
{
  return store->ops->copy != NULL;
}

bool
haul_store_copy(HaulOpenStore *store, const char *const *ids, size_t n_ids, const char *to_path,
                bool move, HaulCopiedFunc each, void *data, GError **error)
{
  if (store->ops->copy == NULL)
    return unsupported(store->account, "copy", error);
  Call call = begin(store->account, "copy");
  CopiedRelay relay = { &call, each, data };
  bool ok =
      store->ops->copy(store->store, ids, n_ids, to_path, move, relay_copied, &relay, &call.error);
  return end(&call, ok, error);
}
