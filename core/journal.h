/*
 * The journal: what has been done, in one SQLite file per source-destination pair.
 *
 * It remembers, per folder pair, the epochs and change tokens; per message pair, both ids, its key,
 * the flags last agreed on and the SHA-256 of its octets; and the intents: deliveries that were
 * about to be made and whose end is not yet known. Methods may be called from any thread.
 *
 * Errors: HAUL_ERROR_ACCOUNT, reasons "state" (cannot be read or written), "disk-full", "locked".
 */
#ifndef HAUL_CORE_JOURNAL_H
#define HAUL_CORE_JOURNAL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "entry.h"
#include "keywords.h"

typedef struct HaulJournal HaulJournal;

typedef enum {
  HAUL_JOURNAL_FILE,
  HAUL_JOURNAL_MEMORY, /* --stateless: for this run alone                  */
  HAUL_JOURNAL_DRY,    /* --dry: what the file says; what is noted is lost */
} HaulJournalMode;

/*
 * Opens the journal of two accounts, making it if need be; a damaged, foreign or newer one is put
 * aside (NAME.damaged) and a new one begun, which *was_rebuilt tells.
 *
 * @folder: where state files live (0700); @identity1, @identity2: who both accounts are.
 */
HaulJournal *
haul_journal_open(const char *folder, HaulJournalMode mode, const char *identity1,
                  const char *identity2, HaulKeywords *keywords, bool *was_rebuilt, GError **error);
void haul_journal_close(HaulJournal *journal);

/* Whether what is not so was found in it since it was opened: closing it puts it aside. */
bool haul_journal_is_damaged(const HaulJournal *journal);

/* Whether no run has ended well since the journal was begun, or begun anew: what it does not know of may be
 * there all the same. A journal in memory is new, too. */
bool haul_journal_is_new(const HaulJournal *journal);
/* Notes that a run has ended well. */
bool haul_journal_settle(HaulJournal *journal, GError **error);

/* ---- folders ---- */

typedef struct {
  int64_t number; /* the journal's own */
  const char *path1, *path2;
  const char *token1, *token2; /* or NULL */
  uint64_t epoch1, epoch2;
  uint64_t n_pairs;
  uint64_t n_gone; /* pairs whose copy was removed at the destination */
  bool has_intents, was_subscribed;
  bool has_flags1; /* as haul_journal_end_folder() was told */
} HaulJournalFolder;

/* Returns all pairs of folders, of HaulJournalFolder; a folder of the source may have gone to several. Lent until the
 * next call. */
GArray *haul_journal_folders(HaulJournal *journal, GError **error);

/*
 * Begins work on a folder pair and returns its number, or -1 on error. Pairs of another epoch are
 * forgotten, and the tokens too, until haul_journal_end_folder() says that all is well.
 *
 * @epoch1, @epoch2: 0 if the store did not tell: what is known stays. HAUL_EPOCH_GONE if there is no
 * destination folder: nothing stays.
 */
#define HAUL_EPOCH_GONE UINT64_MAX
int64_t haul_journal_begin_folder(HaulJournal *journal, const char *path1, const char *path2,
                                  uint64_t epoch1, uint64_t epoch2, GError **error);

/* Notes that the folder pair is complete as of these tokens (each may be NULL). @has_flags1: whether what
 * its pairs agree on is what the source has. */
bool haul_journal_end_folder(HaulJournal *journal, int64_t folder, const char *token1,
                             const char *token2, uint64_t n_gone, bool subscribed, bool has_flags1,
                             GError **error);

/* Notes another name of a destination folder that is the same. A pair of that name is not known. */
bool
haul_journal_rename_folder(HaulJournal *journal, int64_t folder, const char *path2, GError **error);

/* Notes the epoch of a destination folder that was not there when work began. */
bool haul_journal_set_epoch2(HaulJournal *journal, int64_t folder, uint64_t epoch2, GError **error);

/* ---- pairs ---- */

/* Appends the pairs of a folder to @pairs, of HaulPair; text ids are interned in @ids1, @ids2. */
bool haul_journal_load_pairs(HaulJournal *journal, int64_t folder, HaulIds *ids1, HaulIds *ids2,
                             GArray *pairs, GError **error);

/* A message on its way: what an intent holds, and a receipt completes. */
typedef struct {
  char *id1; /* owned */
  uint64_t size;
  uint32_t flags, keywords;
  HaulKey key;
  uint8_t sha256[32];
  bool
      proven; /* of a copy that matching found: it is as large as the message, or has its content */
  bool altered; /* what is delivered has other octets than the source: these; only intents tell */
  uint64_t sent_size;
  uint8_t sent_sha256[32];
  int64_t run; /* which has added the copy to the destination, by the journal; 0: none of ours */
} HaulCargo;
void haul_cargo_clear(HaulCargo *cargo);

/* Tells of each message of the folder that has a copy: its key and size, and its SHA-256 if that is known. */
typedef void (*HaulCargoFunc)(const HaulCargo *cargo, bool has_sha256, void *data);
bool haul_journal_each_copied(HaulJournal *journal, int64_t folder, HaulCargoFunc each, void *data,
                              GError **error);

/* What is to be noted of pairs outside of deliveries. */
bool haul_journal_add_pair(HaulJournal *journal, int64_t folder, const HaulCargo *cargo,
                           const char *id2, GError **error);
bool haul_journal_set_agreed(HaulJournal *journal, int64_t folder, const char *id1, uint32_t flags,
                             uint32_t keywords, GError **error);
/* Notes whether the copy was removed at the destination. */
bool haul_journal_set_gone(HaulJournal *journal, int64_t folder, const char *id1, bool gone,
                           GError **error);
bool
haul_journal_forget_pair(HaulJournal *journal, int64_t folder, const char *id1, GError **error);
/* Forgets all pairs and intents of a folder. */
bool haul_journal_forget_pairs(HaulJournal *journal, int64_t folder, GError **error);

/* ---- messages that are removed at the source ---- */

/* Appends what is known of the pairs of a folder, of HaulProof; text ids are interned in @ids1. */
bool haul_journal_load_proofs(HaulJournal *journal, int64_t folder, HaulIds *ids1, GArray *proofs,
                              GError **error);
/* Makes durable, at once, that these source messages are about to be removed. */
bool haul_journal_set_leaving(HaulJournal *journal, int64_t folder, const char *const *ids1,
                              size_t n_ids, GError **error);
/* Notes that one of them is gone. Its pair stays, so that its copy is not taken for another's. */
bool haul_journal_set_left(HaulJournal *journal, int64_t folder, const char *id1, GError **error);
/* Counts the pairs of a folder whose source message is gone so. */
bool haul_journal_count_left(HaulJournal *journal, int64_t folder, uint64_t *n, GError **error);

/* ---- messages that are removed at the destination ---- */

/* Appends the ids (HaulId) of the copies that lie in @path2, of all folders that went there in this epoch (0:
 * any), but for the folder @except (-1: none); text ids are interned in @ids2. */
bool haul_journal_load_covered(HaulJournal *journal, const char *path2, uint64_t epoch2,
                               int64_t except, HaulIds *ids2, GArray *covered, GError **error);
/* Whether anything that lies in @path2 is a message that we have removed at the source, or were about to. */
bool haul_journal_has_left(HaulJournal *journal, const char *path2, bool *has, GError **error);
/* Appends the paths at the source (owned char *) of folders that have copies in @path2, but known by ids of
 * another epoch than @epoch2: which ones they are now, nobody knows. */
bool haul_journal_load_outdated(HaulJournal *journal, const char *path2, uint64_t epoch2,
                                GPtrArray *paths1, GError **error);

/* ---- strays: messages of the destination that no pair covers ---- */

/* Appends those that are known of a folder, of HaulId; text ids are interned in @ids2. */
bool haul_journal_load_strays(HaulJournal *journal, int64_t folder, HaulIds *ids2, GArray *strays,
                              GError **error);
/* Notes that a message is one of them, or no more. */
bool haul_journal_set_stray(HaulJournal *journal, int64_t folder, const char *id2, bool is_stray,
                            GError **error);

/* ---- messages that are in several folders ---- */

/* Whether any object is known. */
bool haul_journal_has_objects(HaulJournal *journal, bool *has, GError **error);

/* Notes the object id of a source message, whether it has a pair yet or not. */
bool haul_journal_note_object(HaulJournal *journal, const char *object, int64_t folder,
                              const char *id1, GError **error);

/* A copy that the destination has. */
typedef struct {
  HaulCargo cargo; /* owned; as it was delivered, and its flags as agreed on */
  int64_t folder;
  char *id2; /* owned */
} HaulCopy;
void haul_copy_clear(HaulCopy *copy);

/* Appends the copies of @object, of HaulCopy: those that have an id and were there when last looked at. */
bool
haul_journal_find_copies(HaulJournal *journal, const char *object, GArray *copies, GError **error);

/* The same of one pair: none is appended if there is no such copy. */
bool haul_journal_find_copy(HaulJournal *journal, int64_t folder, const char *id1, GArray *copies,
                            GError **error);
/* The same of the pairs of a folder, as far as there are @limit. */
bool haul_journal_load_copies(HaulJournal *journal, int64_t folder, unsigned limit, GArray *copies,
                              GError **error);

/* Notes by what it is decided which folder gets such a message, @labels, a text. *is_new: whether that was
 * another one before, or never noted: then the source's tokens of all folders are forgotten. Call it between begin and commit. */
bool
haul_journal_set_labels(HaulJournal *journal, const char *labels, bool *is_new, GError **error);

/* ---- runs ---- */

/* Runs that have added something to the destination are numbered from 1. Returns the number of the one that has
 * the journal open; 0 as long as it has added nothing. */
int64_t haul_journal_run(HaulJournal *journal);

typedef struct {
  int64_t number;
  int64_t started_at; /* Unix seconds */
  int64_t undone_at;  /* likewise; 0: it was not undone */
  uint64_t n_added;   /* the messages that it has added, as far as they are still known */
} HaulRun;

/* Returns all runs, of HaulRun, oldest first; to be freed. NULL on error. */
GArray *haul_journal_runs(HaulJournal *journal, GError **error);

bool haul_journal_count_added(HaulJournal *journal, int64_t folder, int64_t run, uint64_t *n,
                              GError **error);
/* Appends what a run has added to a folder, of HaulAddition (plan-undo.h); text ids are interned in @ids1, @ids2. */
bool haul_journal_load_added(HaulJournal *journal, int64_t folder, int64_t run, HaulIds *ids1,
                             HaulIds *ids2, GArray *added, GError **error);
/* Forgets the pairs of @ids1 together, and what was noted of the folder being complete. */
bool haul_journal_take_back(HaulJournal *journal, int64_t folder, const char *const *ids1,
                            size_t n_ids, GError **error);
/* Notes that a run was undone. */
bool haul_journal_end_undo(HaulJournal *journal, int64_t run, GError **error);

/* ---- deliveries ---- */

/* A batch of deliveries of one folder, in the order in which they are put. */
typedef struct {
  int64_t number; /* given by the journal */
  int64_t folder;
  uint64_t epoch2; /* 0: not known before the folder is made */
  char *next_id2;  /* owned; ids given from now on are not below it, or NULL */
  int64_t made_at; /* Unix seconds */
  GArray *cargo;   /* owned; of HaulCargo */
} HaulIntentBatch;

HaulIntentBatch *haul_intent_batch_new(int64_t folder, uint64_t epoch2, const char *next_id2);
void haul_intent_batch_free(HaulIntentBatch *batch);

/* What became of one of them. */
typedef struct {
  const HaulIntentBatch *batch; /* borrowed */
  guint index;                  /* of its cargo */
  bool delivered;               /* else refused: nothing is there */
  uint64_t epoch2;              /* 0: not told */
  char *id2;                    /* owned, or NULL: not told */
} HaulReceipt;
void haul_receipt_clear(HaulReceipt *receipt);

/*
 * A receipt of another epoch than the folder's is not noted: the folder was replaced meanwhile, and
 * will be matched anew. One whose epoch was not known sets it.
 *
 * Makes durable, at once: @receipts (of HaulReceipt), the end of the batches in @settled (pointers,
 * borrowed), and the intent of @batch (or NULL), which gets its number. Only then may it be put.
 */
bool haul_journal_note(HaulJournal *journal, GArray *receipts, GPtrArray *settled,
                       HaulIntentBatch *batch, GError **error);

/* Returns the open batches of a folder, oldest first, without the cargo that has a pair; of owned
 * HaulIntentBatch. */
GPtrArray *haul_journal_intents(HaulJournal *journal, int64_t folder, GError **error);

/* Returns the deliveries of a folder whose id the destination did not tell, in the order of their ids
 * at the source: a batch without a number. NULL on error. */
HaulIntentBatch *haul_journal_nameless(HaulJournal *journal, int64_t folder, GError **error);

/* Returns @n pairs of a folder, spread evenly over those that have a key and numbers as ids: a batch
 * without a number. NULL on error. */
HaulIntentBatch *
haul_journal_sample(HaulJournal *journal, int64_t folder, unsigned n, GError **error);

/* Between these two, what is noted becomes durable together, and quickly; other threads wait. Every
 * begin that succeeded needs its commit, whatever failed in between. */
bool haul_journal_begin(HaulJournal *journal, GError **error);
bool haul_journal_commit(HaulJournal *journal, GError **error);
/* The same, where @going says whether all went well before: what failed then counts more than what
 * fails now. Returns whether all went well. */
bool haul_journal_commit_after(HaulJournal *journal, bool going, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulJournal, haul_journal_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulIntentBatch, haul_intent_batch_free)

#endif /* HAUL_CORE_JOURNAL_H */
