/*
 * What lies in the mailbox, as one session sees it: numbers, sizes, ids.
 *
 * Numbers hold for the session alone (RFC 1939 §4), so each looks the ids up anew. Here are the listings,
 * by UIDL and LIST; naming.c makes ids of messages that have no UIDL.
 */
#ifndef POP3_MAILBOX_H
#define POP3_MAILBOX_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <mailhaul/plugin.h>

typedef struct {
  const char *id; /* lent by the mailbox; NULL: no UIDL that can be used, and none made yet */
  uint64_t size;  /* as LIST has it, or HAUL_UNKNOWN */
  uint32_t number;
} Pop3Entry;

typedef struct {
  GArray *entries;      /* owned; of Pop3Entry, by number: the order of the mailbox */
  GStringChunk *texts;  /* owned; the ids */
  GHashTable *by_id;    /* owned; id -> index + 1; keys lent by texts */
  GHashTable *contents; /* owned; first id of a content -> how many have it */
  GArray *
      left_out; /* owned; of Pop3Entry: those that LIST showed and UIDL did not, not yet among the others */
  bool has_uidls;   /* the server knows UIDL */
  bool has_sizes;   /* LIST was asked */
  bool lacks_names; /* there may be entries without ids */
  char *token;      /* owned; NULL unless UIDLs name every message */
} Pop3Mailbox;

Pop3Mailbox *pop3_mailbox_new(void);
void pop3_mailbox_free(Pop3Mailbox *mailbox);

static inline bool
pop3_range_is_single(const HaulRange *range)
{
  return range->first != NULL && range->last != NULL && strcmp(range->first, range->last) == 0;
}

/* What of the listings must be known: UIDLs alone, or all that is there, with sizes: some servers leave
 * messages out of one of the two. */
typedef enum { POP3_LOOK_UIDLS, POP3_LOOK_ALL } Pop3Look;

/*
 * Makes sure that a session is open, and that store->mailbox has what @look says; where that is so
 * already, nothing is asked.
 */
bool pop3_mailbox_look(HaulStore *store, Pop3Look look, GError **error);

/*
 * LIST in company: where UIDLs name what is there, messages can be asked for behind LIST in one flight.
 *
 * can_ask_along(): whether that is so, and sizes are not known yet.
 * take_sizes(): reads the answer. Nothing moves among the entries.
 * admit_left_out(): adds what UIDL has left out, which moves entries. Returns their indices (guint), to be
 * unreffed.
 */
bool pop3_mailbox_can_ask_along(const HaulStore *store);
bool pop3_mailbox_take_sizes(HaulStore *store, GError **error);
GArray *pop3_mailbox_admit_left_out(Pop3Mailbox *mailbox);

static inline Pop3Entry *
pop3_mailbox_entry(const Pop3Mailbox *mailbox, guint index)
{
  return &g_array_index(mailbox->entries, Pop3Entry, index);
}

/* Returns the index of the message with that id; mailbox->entries->len if there is none. */
guint pop3_mailbox_find(const Pop3Mailbox *mailbox, const char *id);

/* Gives @entry the id that messages of its content have: @first for the first of them, and the next such
 * for the others, so that equal messages are told apart. */
void pop3_mailbox_give_name(Pop3Mailbox *mailbox, guint index, const char *first);

/* How many messages have the content of the one with the id @id, which was made. */
guint pop3_mailbox_n_alike(const Pop3Mailbox *mailbox, const char *id);

/*
 * Chooses the messages of @ranges. A range that is one message which is not there chooses nothing; one
 * with an end that is not there cannot be told: somebody else changed the mailbox between two sessions.
 *
 * Returns indices (guint), ascending, each once, to be unreffed; NULL on error: HAUL_ERROR_CONNECTION, for
 * another pass finds out.
 */
GArray *pop3_mailbox_choose(const Pop3Mailbox *mailbox, const HaulRange *ranges, size_t n_ranges,
                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pop3Mailbox, pop3_mailbox_free)

#endif /* POP3_MAILBOX_H */
