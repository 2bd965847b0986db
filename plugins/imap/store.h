/*
 * One open IMAP account, as the files of this plugin share it: session, folders, and what is under
 * way for reading and writing. Each file has its own part and leaves the others alone.
 */
#ifndef IMAP_STORE_H
#define IMAP_STORE_H

#include <mailhaul/log.h>
#include <mailhaul/plugin.h>

#include "names.h"
#include "session.h"

typedef struct ImapVisits ImapVisits; /* visit.h  */
typedef struct ImapWriter ImapWriter; /* writer.h */

/* What is known of a mailbox; lives as long as the store. */
typedef struct {
  char *wire; /* owned; C string: names with NULs are left alone */
  char *path; /* owned; NULL while the listing that names it runs, or if it is not ours */
  char separator;
  uint32_t attributes;                         /* HaulFolderAttributes */
  bool listed;                                 /* by the last LIST, or made since */
  bool told;                                   /* its STATUS, since then */
  uint64_t epoch;                              /* 0: not known */
  uint64_t next_id;                            /* 0: not known */
  uint64_t n_messages, n_octets, mod_sequence; /* or HAUL_UNKNOWN */
  uint64_t append_limit;                       /* its own, or HAUL_UNKNOWN */
  char *object_id;                             /* owned */
  bool flags_known;                            /* the next two, from SELECT */
  uint32_t settable_flags;
  bool any_keyword;
  bool no_keywords;       /* what had two different sets of them went through only without */
  char *refused_keywords; /* owned; the first such set, or NULL */
  uint64_t n_left_out;    /* keywords of messages that are there */
  GError *gone;       /* owned; found gone since it was selected: why nothing can be put there */
  char next_text[24]; /* for HaulFolder */
  char token[96];
} ImapFolder;

struct HaulStore {
  const HaulAccount *account; /* borrowed */
  HaulIntent intent;
  ImapSession *session; /* owned */

  /* folders.c */
  ImapNames names;
  GPtrArray *folders;  /* owned ImapFolders, in the order they became known */
  GHashTable *by_wire; /* borrowed from folders; INBOX in upper case */
  GHashTable *by_path; /* borrowed from folders */
  ImapReply list_reply, lsub_reply;
  bool listing;              /* under way */
  bool listing_told;         /* to the core */
  bool listing_has_status;   /* STATUS was asked for with it */
  unsigned listing_sent_at;  /* session->n_tags then */
  bool status_misunderstood; /* a STATUS was answered BAD */
  size_t n_entries;
  size_t n_left_alone; /* folders whose names cannot be used */
  bool left_out_told;  /* that there are folders of others */

  /* quota.c */
  ImapQuota quota;
  ImapReply quota_reply;
  bool quota_asked; /* for quota() to tell */

  bool changes_refused; /* what changed cannot be told, though it is offered */

  ImapFolder *current; /* selected by the core */
  HaulIntent current_intent;
  bool marks_read;      /* the server, what we peek at */
  ImapVisits *visits;   /* owned */
  uint64_t octets_read; /* of bodies */
  ImapWriter *writer;   /* owned */
};

/* folders.c */
#define IMAP_FOLDERS_FLIGHT 200 /* commands about folders under way at once */
bool imap_folders(HaulStore *store, HaulFolderFunc each, void *data, GError **error);
/* Sends LIST, so that folders() finds it answered, or under way. */
bool imap_folders_request(HaulStore *store, GError **error);
/* Waits for its answer. */
bool imap_folders_await(HaulStore *store, GError **error);
/* Returns the folder of @path, by the name that the server gave it, or else would. NULL on error. */
ImapFolder *imap_folder_find(HaulStore *store, const char *path, GError **error);
/* Describes @folder; strings are lent until something more is learnt of it. */
void imap_folder_describe(const HaulStore *store, ImapFolder *folder, HaulFolder *out);
void imap_folder_free(gpointer folder);
/* Data function of LIST, LSUB and STATUS; its context is the store. */
bool imap_folders_take(ImapSession *session, ImapCommand *command, const ImapResponse *response,
                       GError **error);
/* Returns what we ask STATUS for, in parentheses, to be freed. */
char *imap_status_items(const HaulStore *store);

/* upkeep.c */
bool imap_rename(HaulStore *store, const char *from, const char *to, GError **error);
bool imap_remove(HaulStore *store, const char *path, GError **error);

/* orders.c */
bool imap_create(HaulStore *store, const HaulFolder *folders, size_t n_folders,
                 HaulFolderResultFunc each, void *data, GError **error);
bool imap_subscribe(HaulStore *store, const HaulFolder *folders, size_t n_folders,
                    HaulFolderResultFunc each, void *data, GError **error);

#endif /* IMAP_STORE_H */
