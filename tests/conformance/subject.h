/*
 * The store under test: opened by plugin file and settings, and what its answers look like once
 * they are gathered. Cases read like sentences because the bookkeeping is here.
 */
#ifndef CONFORMANCE_SUBJECT_H
#define CONFORMANCE_SUBJECT_H

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>

#include "cancel.h"
#include "store.h"

#include "../unit/suite.h"

/* What is under test. A lenient suite puts up with a store that refuses or alters what mail hardly
 * holds, as servers do; what it does keep must still be right. */
typedef struct {
  const HaulPlugin *plugin;
  char **settings; /* KEY=VALUE, NULL-terminated */
  bool lenient;
  char *base; /* folder that this run works in: its own, so that it may be repeated */
  char *spool;
} Subject;
extern Subject subject;

typedef struct {
  HaulCancel *cancel;
  HaulAccount *account;
  HaulOpenStore *store;
} Opened;

/* Opens the store as a destination; ends the program if it cannot be had. */
Opened open_subject(HaulIntent intent);
void close_subject(Opened *opened);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opened, close_subject)

/* Tries what may fail, says why it did, and asserts that it did not. */
#define MUST(call)                                                                                 \
  do {                                                                                             \
    g_autoptr(GError) why_ = NULL;                                                                 \
    GError **error = &why_;                                                                        \
    bool ok_ = (call);                                                                             \
    CU_ASSERT(ok_);                                                                                \
    if (!ok_)                                                                                      \
      printf("%s:%d: %s\n", __FILE__, __LINE__, why_ != NULL ? why_->message : "no error");        \
  } while (0)

/* Folders. */
char *folder_called(const char *level); /* below the base; to be freed */
bool create_one(Opened *opened, const char *path, GError **error);
char *create_fresh(Opened *opened, const char *level); /* its path; to be freed */

/* What folders() told: copies, keyed by path. */
typedef struct {
  char *path;
  uint64_t epoch, n_messages;
  uint32_t attributes;
  char *change_token;
  unsigned times; /* told */
} ToldFolder;
GHashTable *told_folders(Opened *opened); /* of path -> ToldFolder */

/* Messages. */
HaulMessage *message_of(const HaulItem *item, const void *octets, size_t size);
GBytes *octets_of(HaulMessage *message);

typedef struct {
  unsigned settled; /* times */
  uint64_t epoch;
  char *id;
  HaulError reach;
  bool refused;
} Receipt;
void receipt_clear(Receipt *receipt);
/* Hands over one message of these octets; @receipt is filled by the time flush() returns. */
bool put_one(Opened *opened, const HaulItem *item, const void *octets, size_t size,
             Receipt *receipt, GError **error);

typedef struct {
  char *id;
  uint64_t size;
  int64_t date;
  uint32_t flags;
  char **keywords; /* sorted; never NULL */
  GBytes *header;  /* NULL if not given */
} ListedItem;

/* What list() told, in its order: of ListedItem *. NULL with @error. */
GPtrArray *list_all(Opened *opened, uint32_t want, const char *const *fields, GError **error);
GPtrArray *list_ranges(Opened *opened, const HaulRange *ranges, size_t n_ranges, uint32_t want,
                       const char *const *fields, GError **error);
static inline const ListedItem *
listed(const GPtrArray *items, guint index)
{
  return items->pdata[index];
}

/* What fetch() gave: messages and ids skipped, in its order. */
typedef struct {
  GPtrArray *messages; /* of HaulMessage * */
  GPtrArray *skipped;  /* of char * */
} Fetched;
bool fetch_ranges(Opened *opened, const HaulRange *ranges, size_t n_ranges, Fetched *fetched,
                  GError **error);
void fetched_clear(Fetched *fetched);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fetched, fetched_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Receipt, receipt_clear)

/* The cases, in the order in which a new plugin will want to pass them. */
extern const Case folder_cases[], message_cases[], copy_cases[], upkeep_cases[], edge_cases[];
extern const size_t n_folder_cases, n_message_cases, n_copy_cases, n_upkeep_cases, n_edge_cases;
/* Those of a store that is only read, which has mail already. */
extern const Case reading_cases[];
extern const size_t n_reading_cases;

/* The message cases build upon each other; this frees what they share. */
void forget_receipts(void);

#endif /* CONFORMANCE_SUBJECT_H */
