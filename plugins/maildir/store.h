/*
 * An open Maildir as the callbacks see it: the tree, the selected folder, and what waits to be
 * settled. plugin.c opens and selects, reader.c and writer.c do the rest.
 */
#ifndef MAILDIR_STORE_H
#define MAILDIR_STORE_H

#include <mailhaul/plugin.h>

#include "epilogue.h"
#include "folder.h"
#include "numbering.h"
#include "scan.h"
#include "tree.h"

/* Octets looked at in one go; as large as a header may be. */
#define MAILDIR_BUFFER (256u << 10)

/* When deliveries are put on disk: several at a time, one by one, or when the system likes. */
typedef enum { MAILDIR_FSYNC_BATCH, MAILDIR_FSYNC_ALWAYS, MAILDIR_FSYNC_NEVER } MaildirFsync;

struct HaulStore {
  const HaulAccount *account; /* borrowed */
  MaildirTree *tree;          /* owned */
  MaildirFsync fsync;
  bool verify;             /* whether what was put on disk is read back */
  char *host;              /* owned; for names */
  MaildirFolder *selected; /* owned; NULL until select() */
  bool scanned;            /* whether scan is of it */
  MaildirScan scan;
  MaildirScan later;           /* read again, where a file of scan had another name by then */
  uint8_t *buffer;             /* owned; MAILDIR_BUFFER octets, and one */
  GArray *pending;             /* owned; writer.c: deliveries in tmp */
  MaildirNumbering *numbering; /* owned; of what is put; NULL: whoever finds it numbers it */
  MaildirEpilogue *epilogue;   /* joined */
  uint64_t pending_octets;
  char *native; /* owned; lent by select() */
};

/* Reads the selected folder if it was not yet, or @again. */
bool maildir_store_scan(HaulStore *store, bool again, GError **error);

/* Lets go of what a large folder's listing holds: the core has copied what it wants, and both sides
 * are often listed before anything is done. To read it again costs a microsecond per message. */
void maildir_store_forget_large(HaulStore *store);

/*
 * Finds the file of a message that is no longer where the scan saw it: others rename files when
 * flags change. Returns its entry in store->later; NULL if it is gone, or with @error.
 */
MaildirEntry *maildir_store_find_again(HaulStore *store, const char *id, GError **error);

/* reader.c */
bool maildir_list(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
                  const char *const *header_fields, HaulItemFunc each, void *data, GError **error);
bool maildir_fetch(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
                   GError **error);

/* writer.c */
void maildir_writer_init(HaulStore *store);
void maildir_writer_clear(HaulStore *store); /* removes what is not settled */
bool maildir_put(HaulStore *store, HaulMessage *message, HaulTicket *ticket, GError **error);
bool maildir_flush(HaulStore *store, GError **error);

/* flags.c */
bool maildir_set_flags(HaulStore *store, const char *const *ids, size_t n_ids,
                       const HaulFlagChange *change, GError **error);

/* expunge.c */
bool maildir_expunge(HaulStore *store, const char *const *ids, size_t n_ids, GError **error);

/* copier.c */
bool maildir_copy(HaulStore *store, const char *const *ids, size_t n_ids, const char *to_path,
                  bool move, HaulCopiedFunc each, void *data, GError **error);

#endif /* MAILDIR_STORE_H */
