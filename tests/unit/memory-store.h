/*
 * A store in memory, as a plugin, that misbehaves on request. Accounts name a box, which lives longer
 * than the connections to it; boxes may be looked at and changed between runs.
 */
#ifndef TESTS_MEMORY_STORE_H
#define TESTS_MEMORY_STORE_H

#include <glib.h>
#include <pthread.h>

#include <mailhaul/plugin.h>

#include "cancel.h"

typedef struct {
  uint64_t uid;
  GBytes *octets; /* owned */
  uint32_t flags;
  char **keywords; /* owned; sorted */
  int64_t date;
  int32_t zone;
  int64_t visible_at_us; /* the monotonic time from which on it can be seen */
  unsigned read_by;      /* the open of the box that has given it last, or 0 */
} MemoryMessage;

typedef struct {
  char *path; /* owned */
  uint64_t epoch, next_uid;
  GPtrArray *messages; /* owned; of MemoryMessage, owned */
  uint32_t attributes;
  uint64_t n_changes;
  GHashTable
      *pasts; /* owned; n_changes -> owned MemoryPast: what there was when a token was told */
} MemoryFolder;

/* What a folder held once: uid -> owned text of flags and keywords. */
typedef GHashTable MemoryPast;

#define MEMORY_OTHERS                                                                              \
  "Message-ID: <other@x>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\nof another\r\n"

/* What a box does wrong, or leaves out. All counts are over the life of the box; 0: never. */
typedef struct {
  unsigned lose_put; /* the put() at which the connection is lost, before the message is stored */
  unsigned lose_stored; /* likewise, after it was stored */
  unsigned lose_flush, lose_fetch, lose_list, lose_set_flags, lose_select, lose_folders;
  unsigned lose_changes;
  unsigned late_ms;   /* what was stored at lose_stored can be seen so much later */
  bool ends_run;      /* what loses the connection ends the run, too */
  HaulCancel *cancel; /* borrowed; how: engine.c sets it for each run */
  unsigned hold;      /* so many tickets stay open until more come, or flush() */
  bool stores_late;   /* and what they are for is stored only when they are settled */

  bool no_ids; /* put() tells neither id nor epoch */
  bool no_next_id, no_tokens, no_counts, no_sizes, no_epochs;
  bool no_changes;  /* changes() says that it cannot tell */
  bool hides_gone;  /* or leaves out what is gone ... */
  bool hides_news;  /* ... or what is new */
  bool all_gone;    /* or says that every id there can be is gone, before it tells what is there */
  bool text_ids;    /* ids are no numbers */
  bool no_keywords; /* keywords are not kept */
  const char *adds; /* header lines that are put in front of every message */

  const char *finds;          /* search() finds messages that hold this text; NULL: it is refused */
  const char *refuses;        /* a message that holds this text is refused */
  const char *unfetchable;    /* a message that holds this text cannot be given */
  const char *refuses_folder; /* deliveries to this folder fail for the whole folder */
  const char *uncreatable, *unselectable, *unlistable; /* folders */
  bool makes_no_parents; /* a folder is made only in one that is there */
  bool holds_either;     /* a folder holds mail or folders; what comes first decides */
  bool refuses_flags;
  unsigned batch;  /* of what no connection has given before, a connection shows so many ... */
  bool hides_read; /* ... and nothing else */
  bool labels;     /* folders are labels: equal octets in several are one message */
  bool refuses_copies, no_copy_ids;
  unsigned lose_copy,
      lose_copied; /* the copy() at which the connection is lost, before and after it */
  /* The expunge() at which the connection is lost: before anything, when the messages are marked as
   * deleted, and when they are gone. */
  unsigned lose_expunge, lose_marked, lose_expunged;
  bool refuses_expunge;
  bool expunges_one;    /* and refuses the rest */
  unsigned cuts_list;   /* a listing of unlistable fails after so many items ... */
  unsigned ends_list;   /* ... or ends there, as if it was complete */
  const char *replaces; /* this folder is replaced when it is selected for writing */
  bool refuses_login;
  unsigned refuses_from; /* the login of this number, and all that follow, are refused */

  /* The connection is lost when a message that holds this text is to be given, or is put, or when this
   * folder is opened: whenever it is, or n_cuts times. */
  const char *cuts_fetch, *cuts_put, *cuts_select;
  unsigned n_cuts;
  unsigned heals_at;   /* unfetchable: until the box was opened so often */
  unsigned busy_opens; /* the first so many opens are asked for patience, for asks_ms */
  unsigned busy_put;   /* so is the put() of this number */
  unsigned asks_ms;
  unsigned max_open;  /* connections at a time: one more is asked for patience ... */
  bool kills_older;   /* ... or ends the oldest */
  unsigned swaps_put; /* at this put() another client takes a message and brings MEMORY_OTHERS */
  unsigned lose_finish, lose_remove;
  bool fails_finish;
  unsigned fetches_after_opens; /* fetch() waits until the box was opened so often */
} MemoryFaults;

/* How often the box was asked for what. */
typedef struct {
  unsigned opens, folders, creates, subscribes, selects, selects_for_writing, lists, items_listed;
  unsigned changes, items_changed;
  unsigned fetches, messages_fetched, puts, flushes, flag_changes;
  unsigned copies, messages_copied;
  unsigned finishes;
  unsigned removals;
  unsigned expunges, messages_expunged;
} MemoryCalls;

typedef struct {
  char *name; /* owned */
  pthread_mutex_t mutex;
  pthread_cond_t opened;
  GPtrArray *folders; /* owned; of MemoryFolder, owned */
  MemoryFaults faults;
  MemoryCalls calls;
  GPtrArray *
      origins; /* owned; of char *: what origin() was told: "PATH EPOCH NEXT-ID ATTRIBUTES -> PATH" */
  char *known;        /* owned; who was known to be here when it was last opened, or NULL */
  unsigned n_open;    /* connections */
  unsigned most_open; /* of them, at a time */
  unsigned n_cut;     /* connections lost for what n_cuts counts */
} MemoryBox;

extern const HaulPlugin haul_plugin_memory;

/* Boxes have names of their own; an account reaches one by its setting "box". */
MemoryBox *memory_box_new(const char *name);
void memory_box_free(MemoryBox *box);
MemoryBox *memory_box_find(const char *name); /* NULL if there is none */

/* Makes the folder, if need be. */
MemoryFolder *memory_box_folder(MemoryBox *box, const char *path);
/* Adds a message; @octets: text. Its date follows from its uid. Lent by the box. */
MemoryMessage *memory_box_add(MemoryBox *box, const char *path, const char *octets);
void memory_message_free(MemoryMessage *message);
void memory_message_set_keywords(MemoryMessage *message, const char *keywords);
void memory_box_remove(MemoryBox *box, const char *path, uint64_t uid);
/* What the folder holds now; lent to changes() as the past, later. To be freed with
 * g_hash_table_unref(). */
MemoryPast *memory_folder_past(const MemoryFolder *folder);
/* Gives the folder another epoch, and its messages other uids. */
void memory_box_renumber(MemoryBox *box, const char *path);

/* All messages of all folders as text, a line each, sorted: folder, content, date, flags and keywords.
 * Two boxes with the same text hold the same mail: lines that the box adds do not count. To be freed. */
char *memory_box_text(const MemoryBox *box, bool with_flags);
/* How many messages there are. */
guint memory_box_count(const MemoryBox *box);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MemoryBox, memory_box_free)

#endif /* TESTS_MEMORY_STORE_H */
