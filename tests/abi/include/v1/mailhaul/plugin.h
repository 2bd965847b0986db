/*
 * The contract between mailhaul and its plugins: what a backend or a matcher is.
 *
 * A plugin is a shared object NAME.so that exports one constant, `haul_plugin`, and runs no code
 * when it is loaded. It answers "how does this store do it?"; what, when, how often and what if it
 * fails is decided by the core. mailhaul-plugin(7) walks through a complete one.
 *
 * A vtable begins with its own size; new callbacks go to its end, and a plugin built before them is
 * loaded with NULL in their place. HaulItem, HaulFolder, HaulRange, HaulVisit, HaulFlagChange and
 * HaulSetting are frozen for the life of HAUL_ABI_VERSION.
 */
#ifndef MAILHAUL_PLUGIN_H
#define MAILHAUL_PLUGIN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <mailhaul/account.h>
#include <mailhaul/intake.h>
#include <mailhaul/message.h>
#include <mailhaul/ticket.h>
#include <mailhaul/visibility.h>

G_BEGIN_DECLS

#define HAUL_ABI_VERSION 1u

typedef struct HaulDigest HaulDigest; /* host: a matcher feeds the octets of a key */
typedef struct HaulStore HaulStore;   /* plugin: one open connection or tree       */

typedef enum {
  HAUL_FOLDER_NOSELECT = 1 << 0, /* holds folders, no messages: cannot be opened         */
  HAUL_FOLDER_SUBSCRIBED = 1 << 1,
  HAUL_FOLDER_ALL = 1 << 2, /* special use (RFC 6154) */
  HAUL_FOLDER_ARCHIVE = 1 << 3,
  HAUL_FOLDER_DRAFTS = 1 << 4,
  HAUL_FOLDER_FLAGGED = 1 << 5,
  HAUL_FOLDER_JUNK = 1 << 6,
  HAUL_FOLDER_SENT = 1 << 7,
  HAUL_FOLDER_TRASH = 1 << 8,
  HAUL_FOLDER_IMPORTANT = 1 << 9,
  HAUL_FOLDER_LABEL = 1 << 10, /* its messages may be in several such folders at once: equal
                                  object ids are one message, and copy() adds it to another */
  HAUL_FOLDER_UIDS = 1 << 11,  /* ids are IMAP UIDs, epoch and next id UIDVALIDITY and UIDNEXT  */
  HAUL_FOLDER_UIDLS = 1 << 12, /* ids are POP3 UIDLs (RFC 1939 §7); one with a blank in it was
                                  made by the store where the server gave none                  */
  HAUL_FOLDER_FLAGLESS = 1 << 13, /* flags are told by fetch() alone, for the copy: a listing
                                     says nothing of them                                       */
  HAUL_FOLDER_BATCHES = 1 << 14,  /* it may show a part of its messages, and others in a further
                                     connection, when these have been fetched                   */
} HaulFolderAttributes;

typedef struct {
  const char *path;            /* canonical: UTF-8, '/' between levels (<mailhaul/text.h>)       */
  const char *native;          /* as the store itself writes it, for --folder and messages; NULL */
  const char *object_id;       /* stays when the folder is renamed (MAILBOXID), or NULL          */
  uint64_t epoch;              /* ids compare only while this stays (UIDVALIDITY); 0: not known  */
  const char *next_id;         /* ids given from now on are not below it (UIDNEXT), or NULL      */
  uint64_t n_messages;         /* or HAUL_UNKNOWN                                                */
  uint64_t n_octets;           /* or HAUL_UNKNOWN                                                */
  uint64_t max_message_octets; /* APPENDLIMIT, or HAUL_UNKNOWN                                   */
  const char *change_token;    /* equal tokens: nothing changed since; NULL if the store has none */
  uint32_t attributes;         /* HaulFolderAttributes                                           */
  uint32_t settable_flags;     /* HaulFlags the folder can keep; known after select()            */
  bool any_keyword;            /* whether it takes keywords that it does not know yet; likewise  */
} HaulFolder;

typedef enum {
  HAUL_READ = 1 << 0,
  HAUL_WRITE = 1 << 1,
  /* With HAUL_WRITE, to select() alone: what a connection that is lost leaves unsettled begins with the
   * message that it was lost at. Where that cannot be otherwise, there is nothing to heed. */
  HAUL_WRITE_SINGLY = 1 << 2,
} HaulIntent;

/* Messages first <= id <= last in the store's own order; a NULL end is open. */
typedef struct {
  const char *first, *last;
} HaulRange;

/* What list() is to tell of each item, besides id, flags and keywords. */
typedef enum {
  HAUL_WANT_SIZE = 1 << 0,
  HAUL_WANT_DATE = 1 << 1,
  HAUL_WANT_OBJECT_ID = 1 << 2,
} HaulWant;

/* What the core is about to ask of a folder, in this order: each visit is a select(), READ but for
 * PUT, and then the call of its kind with just these arguments. See ahead(). */
typedef enum {
  HAUL_VISIT_LIST,
  HAUL_VISIT_CHANGES,
  HAUL_VISIT_FETCH,
  HAUL_VISIT_PUT
} HaulVisitKind;
typedef struct {
  const char *path;
  HaulVisitKind kind;
  uint64_t epoch;          /* the one expected, or 0                     */
  const char *since;       /* CHANGES: the token                         */
  const HaulRange *ranges; /* LIST, FETCH                                */
  size_t n_ranges;
  uint32_t want;                    /* LIST: HaulWant                             */
  const char *const *header_fields; /* LIST, CHANGES                              */
} HaulVisit;

typedef struct {
  uint32_t add, remove;                                     /* HaulFlags */
  const char *const *add_keywords, *const *remove_keywords; /* NULL-terminated, or NULL */
} HaulFlagChange;

typedef void (*HaulFolderResultFunc)(const char *path, const GError *why,
                                     void *data); /* why: NULL if done */
typedef bool (*HaulFolderFunc)(const HaulFolder *folder, void *data);
typedef bool (*HaulItemFunc)(const HaulItem *item, void *data);
typedef bool (*HaulGoneFunc)(const HaulRange *range, void *data);
typedef bool (*HaulCopiedFunc)(const char *id, const char *new_id,
                               void *data); /* new_id: NULL if unknown */
typedef void (*HaulNeedFunc)(const char *name, void *data);

/*
 * A backend. A store is used by one thread at a time. Callbacks get what is lent for the call;
 * one that returns false ends the call, which then returns false without setting an error.
 */
typedef struct {
  size_t struct_size;

  /* One connection, or one open tree. It is open when the account's mail can be reached, not when
   * the password was taken. close() also takes a store whose connection has died, and never waits
   * for a server. */
  HaulStore *(*open)(const HaulAccount *account, HaulIntent intent, GError **error);
  void (*close)(HaulStore *store);

  /* Folders, many at a time: over a slow link one by one costs a round trip each. folders() knows
   * what LIST and STATUS tell: attributes, epoch, next id, counts, change token. create() makes
   * parents before children and counts one that exists as done. */
  bool (*folders)(HaulStore *store, HaulFolderFunc each, void *data, GError **error);
  bool (*create)(HaulStore *store, const HaulFolder *folders, size_t n_folders,
                 HaulFolderResultFunc each, void *data, GError **error);
  bool (*subscribe)(HaulStore *store, const HaulFolder *folders, size_t n_folders,
                    HaulFolderResultFunc each, void *data, GError **error);
  bool (*rename)(HaulStore *store, const char *from, const char *to, GError **error);
  bool (*remove)(HaulStore *store, const char *path, GError **error);

  /* A hint: the next visits, the first of them the one that comes next, so that a store can have
   * their commands under way while it still answers this one. Visits named before and not yet made
   * are named again. Ignoring it is right, only slower; making other visits is, too. Borrowed until
   * the next ahead(). */
  void (*ahead)(HaulStore *store, const HaulVisit *visits, size_t n_visits);

  /* Enters a folder, READ without any effect on it. For writing it need not wait for the server if
   * *folder is known, and tickets of the folder before may still be unsettled. Fills what it knows;
   * strings are lent until the next call on the store. */
  bool (*select)(HaulStore *store, const char *path, HaulIntent intent, HaulFolder *folder,
                 GError **error);

  /* Reading the selected folder. list() gives every item of the ranges, in the store's order, with
   * the header fields asked for, and fails rather than end early: an incomplete listing must never
   * look complete. changes() gives what differs since a token: each item that is new or has other
   * flags, and ranges of what is gone; ids ascend as numbers then. Where it is NULL, or fails for
   * this folder ("unsupported"), or its answer does not add up, the core lists and compares.
   * fetch() answers each message of the ranges once, by haul_intake_commit() or haul_intake_skip(),
   * in the store's order where it can: no listing need come before. No ranges: nothing; a range of
   * two NULLs: all. How many it keeps in flight is its own affair. search() takes an IMAP SEARCH
   * key (RFC 9051 §6.4.4) and may refuse what it cannot. */
  bool (*list)(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
               const char *const *header_fields, HaulItemFunc each, void *data, GError **error);
  bool (*changes)(HaulStore *store, const char *since_token, HaulItemFunc changed,
                  HaulGoneFunc gone, void *data, GError **error);
  bool (*search)(HaulStore *store, const char *key, HaulItemFunc each, void *data, GError **error);
  bool (*fetch)(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
                GError **error);

  /* Writing to the selected folder, in order. put() may return before the store has answered: a
   * ticket is settled there, in a later call, or in flush(), which returns with none outstanding and
   * with everything promised done: files on disk, POP3 deletions confirmed by QUIT. What concerns a
   * message or a folder only its tickets tell. put() fails, as flush() does, for what reaches beyond
   * folders; then every ticket it was handed is settled first, this one too. */
  bool (*put)(HaulStore *store, HaulMessage *message, HaulTicket *ticket, GError **error);
  bool (*flush)(HaulStore *store, GError **error);

  /* Upkeep of the selected folder; any of these may be NULL. expunge() removes these and no other.
   * copy() puts messages into another folder, with their flags and dates, and tells of each that is
   * there (in no order): those that it does not tell of are not, unless it fails for what reaches
   * beyond a folder. expunge() fails rather than remove others that are marked as deleted, too.
   * quota() is of what is written, wherever that goes; HAUL_UNKNOWN twice if there is no limit. wait()
   * returns when the selected folder has changed, as far as the store notices, or when the time is up. */
  bool (*set_flags)(HaulStore *store, const char *const *ids, size_t n_ids,
                    const HaulFlagChange *change, GError **error);
  bool (*copy)(HaulStore *store, const char *const *ids, size_t n_ids, const char *to_path,
               bool move, HaulCopiedFunc each, void *data, GError **error);
  bool (*expunge)(HaulStore *store, const char *const *ids, size_t n_ids, GError **error);
  bool (*quota)(HaulStore *store, uint64_t *used_octets, uint64_t *limit_octets, GError **error);
  bool (*wait)(HaulStore *store, unsigned timeout_s, bool *changed, GError **error);

  /* Who the account is, for the state file: "host/user", a tree's UUID; to be freed. NULL if the
   * store has not found out. Two accounts with the same answer are the same account, whatever they
   * are opened for. Asked when both sides are open, before anything is written: a store opened for
   * writing may make what it needs to answer, which open() does not. */
  char *(*identity)(HaulStore *store);

  /* Says, behind a select() for writing, which folder of the source the messages come from that are
   * put until the next select(): its path, epoch, next id and attributes, lent for the call. So a
   * store can keep what the source called them, where the item's id is something that lasts. Of a
   * folder that may have changed it is said even if no message comes. */
  void (*origin)(HaulStore *store, const HaulFolder *source);

  /* Says that a run has done what it could do, all tickets settled: once, at its end, to a store that
   * is open for writing, and to the source; to the latter also where it is left for another connection.
   * Not after one that was cut short. */
  bool (*finish)(HaulStore *store, GError **error);
} HaulStoreOps;

/* A duplicate detector: says what makes two messages the same one. */
typedef struct {
  size_t struct_size;
  const char *const *header_fields; /* what key() reads from item->header; NULL for none         */
  bool reads_body;                  /* key() wants the whole message, not just item; else it may be
                                       NULL                                                      */
  /* Feeds the identity of a message to @digest. Returns false if the message has none by this
   * detector: the next one in the chain is asked. Pure: no I/O, no state, linear in its input. */
  bool (*key)(const HaulItem *item, const HaulMessage *message, HaulDigest *digest);

  /* Of a matcher that has a setting: a chain gives its value behind the name, "header:X-Number", and may
   * name it several times. Both or neither; with them key() is not called and may be NULL. configure()
   * checks the value and names the header fields that key_by() reads with it, beyond header_fields; they
   * are lent for the call. key_by() is key(), with the value. */
  bool (*configure)(const char *value, HaulNeedFunc needs, void *data, GError **error);
  bool (*key_by)(const char *value, const HaulItem *item, const HaulMessage *message,
                 HaulDigest *digest);
} HaulMatcherOps;

/* Feeds octets to the key, with their name and length, so that no two feedings run together. */
HAUL_PUBLIC void
haul_digest_field(HaulDigest *digest, const char *name, const uint8_t *value, size_t size);

/* The same for a value of a header field: unfolded, blanks dropped, runs of 8-bit and control octets
 * (and '?') as one '?', the name in lower case, so that what servers do to headers does not change
 * the key. */
HAUL_PUBLIC void
haul_digest_header(HaulDigest *digest, const char *name, const uint8_t *value, size_t size);

/* Feeds the whole body, by its SHA-256. False if the spool cannot be read: then there is no key. */
HAUL_PUBLIC bool haul_digest_body(HaulDigest *digest, const HaulMessage *message);

typedef struct {
  const char *key; /* as written after the option or in the configuration; NULL ends the table */
  char type;       /* 's'tring 'b'ool 'n'umber 'p'ath 'd'uration '*'secret                     */
  const char
      *fallback;    /* default, as text; NULL makes the setting required                        */
  const char *help; /* one sentence, shown by `mailhaul plugins -v`                             */
} HaulSetting;

typedef struct {
  uint32_t abi_version; /* these two keep their place for ever */
  uint32_t struct_size;
  const char *name, *version, *summary;
  const HaulSetting *settings;
  const HaulStoreOps *store;     /* a backend, or NULL  */
  const HaulMatcherOps *matcher; /* a detector, or NULL */
} HaulPlugin;

#ifdef HAUL_STATIC_PLUGINS /* tests link several plugins into one program; a '-' becomes '_' here */
#define HAUL_PLUGIN(name)                                                                          \
  extern const HaulPlugin haul_plugin_##name;                                                      \
  const HaulPlugin haul_plugin_##name
#else
#define HAUL_PLUGIN(name)                                                                          \
  extern HAUL_PUBLIC const HaulPlugin haul_plugin;                                                 \
  const HaulPlugin haul_plugin
#endif
#define HAUL_PLUGIN_HEAD .abi_version = HAUL_ABI_VERSION, .struct_size = sizeof(HaulPlugin)

G_END_DECLS
#endif /* MAILHAUL_PLUGIN_H */
