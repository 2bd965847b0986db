/*
 * The doorman: the only room that calls through a plugin's pointers. An absent callback gets its
 * default, an error gets its side in front, a call gets its timing (log, debug).
 */
#ifndef HAUL_CORE_STORE_H
#define HAUL_CORE_STORE_H

#include <mailhaul/plugin.h>

#include "account.h"

typedef struct HaulOpenStore HaulOpenStore;

/* Whether stores of this account can take messages; else an error "usage". */
bool haul_store_may_be_written(const HaulAccount *account, GError **error);

HaulOpenStore *haul_store_open(const HaulAccount *account, HaulIntent intent, GError **error);
void haul_store_close(HaulOpenStore *store); /* NULL is fine */

/* Each as its namesake of HaulStoreOps. Where the plugin has no such callback: "unsupported" with
 * HAUL_ERROR_ACCOUNT, but ahead(), flush(), origin() and finish() do nothing, subscribe() says done for each, and
 * identity() is NULL. */
char *haul_store_identity(HaulOpenStore *store);
bool haul_store_folders(HaulOpenStore *store, HaulFolderFunc each, void *data, GError **error);
bool haul_store_create(HaulOpenStore *store, const HaulFolder *folders, size_t n_folders,
                       HaulFolderResultFunc each, void *data, GError **error);
bool haul_store_subscribe(HaulOpenStore *store, const HaulFolder *folders, size_t n_folders,
                          HaulFolderResultFunc each, void *data, GError **error);
void haul_store_ahead(HaulOpenStore *store, const HaulVisit *visits, size_t n_visits);
bool haul_store_select(HaulOpenStore *store, const char *path, HaulIntent intent,
                       HaulFolder *folder, GError **error);
bool
haul_store_list(HaulOpenStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
                const char *const *header_fields, HaulItemFunc each, void *data, GError **error);
bool haul_store_can_tell_changes(const HaulOpenStore *store);
bool haul_store_changes(HaulOpenStore *store, const char *since_token, HaulItemFunc changed,
                        HaulGoneFunc gone, void *data, GError **error);
bool haul_store_fetch(HaulOpenStore *store, const HaulRange *ranges, size_t n_ranges,
                      HaulIntake *intake, GError **error);
bool haul_store_put(HaulOpenStore *store, HaulMessage *message, HaulTicket *ticket, GError **error);
bool haul_store_flush(HaulOpenStore *store, GError **error);
bool haul_store_rename(HaulOpenStore *store, const char *from, const char *to, GError **error);
bool haul_store_remove(HaulOpenStore *store, const char *path, GError **error);
/* Whether it has a remove(). */
bool haul_store_can_remove(const HaulOpenStore *store);
bool haul_store_can_search(const HaulOpenStore *store);
bool haul_store_search(HaulOpenStore *store, const char *key, HaulItemFunc each, void *data,
                       GError **error);
bool haul_store_can_expunge(const HaulOpenStore *store);
bool haul_store_expunge(HaulOpenStore *store, const char *const *ids, size_t n_ids, GError **error);
bool haul_store_wait(HaulOpenStore *store, unsigned timeout_s, bool *changed, GError **error);
/* Whether it has an origin(). */
bool haul_store_takes_origins(const HaulOpenStore *store);
void haul_store_origin(HaulOpenStore *store, const HaulFolder *source);
/* Whether the stores of @account want to know when a run is done. */
bool haul_store_can_finish(const HaulAccount *account);
bool haul_store_finish(HaulOpenStore *store, GError **error);
/* HAUL_UNKNOWN for both where the store has no quota(). */
bool haul_store_quota(HaulOpenStore *store, uint64_t *used_octets, uint64_t *limit_octets,
                      GError **error);
bool haul_store_can_set_flags(const HaulOpenStore *store);
bool haul_store_set_flags(HaulOpenStore *store, const char *const *ids, size_t n_ids,
                          const HaulFlagChange *change, GError **error);

bool haul_store_can_copy(const HaulOpenStore *store);
bool
haul_store_copy(HaulOpenStore *store, const char *const *ids, size_t n_ids, const char *to_path,
                bool move, HaulCopiedFunc each, void *data, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulOpenStore, haul_store_close)

#endif /* HAUL_CORE_STORE_H */
