/*
 * Visits: a folder opened, and the one call made there. Those that come next are under way while
 * this one is still answered, so that a folder does not cost a round trip.
 *
 * A visit that was sent ahead and is not made after all, or whose answer came while nobody looked,
 * is passed over and made anew where it is wanted: what was sent ahead only reads.
 */
#ifndef IMAP_VISIT_H
#define IMAP_VISIT_H

#include "fetch.h"
#include "store.h"

typedef struct ImapVisit ImapVisit;

/* Gets the data of the call of @visit. */
typedef bool (*ImapVisitFunc)(ImapVisit *visit, const ImapResponse *response, GError **error);

struct ImapVisit {
  HaulStore *store;   /* borrowed */
  ImapFolder *folder; /* borrowed */

  /* from SELECT or EXAMINE */
  bool writing;
  ImapReply select;
  uint64_t n_messages; /* EXISTS */
  uint64_t n_newest;   /* EXISTS, as it was said last */
  uint64_t n_gone;     /* EXPUNGE and VANISHED since */
  uint32_t epoch, next_id;
  uint64_t mod_sequence;
  ImapFlagList flags; /* PERMANENTFLAGS, if has_flags */
  bool has_flags;

  /* the call */
  GPtrArray *lines; /* owned commands that it consists of, without tag */
  guint n_sent, n_answered;
  bool made;          /* the core has asked for it */
  bool spoiled;       /* data came before it did */
  bool misunderstood; /* a line of it was answered BAD */
  bool refused;       /* a line of it was answered NO or BAD: */
  char *code, *text;  /* owned; the first such answer */
  bool refused_last;  /* it was the last line */
  unsigned last_tag;  /* of the line sent last */
  ImapVisitFunc take; /* while the call lasts: of FETCH ... */
  ImapVisitFunc
      take_other; /* ... and of VANISHED (EARLIER) and ESEARCH; NULL: they are passed over */
  void *context;  /* of both: borrowed */
};

ImapVisits *imap_visits_new(void);
void imap_visits_free(ImapVisits *visits);

void imap_ahead(HaulStore *store, const HaulVisit *visits, size_t n_visits);
bool imap_select(HaulStore *store, const char *path, HaulIntent intent, HaulFolder *folder,
                 GError **error);

/* Returns the visit of the selected folder, which is open at the server, for @writing or not, unless
 * a call sent ahead fits @lines: that is under way then. NULL on error. */
ImapVisit *imap_visit_begin(HaulStore *store, bool writing, GPtrArray *lines, GError **error);

/* Sends what is not yet sent of the call of @visit, and behind it the visits that come next; hands
 * what comes to @take until all is answered. */
bool imap_visit_run(ImapVisit *visit, ImapVisitFunc take, void *context, GError **error);

/* Counts what @response, data of a command beside a call, tells to be gone: EXPUNGE, or VANISHED where
 * QRESYNC is on (RFC 7162 §3.2.10). */
uint64_t imap_visit_count_gone(const ImapResponse *response);

/* Leaves the folder: nothing more is expected of its visit. */
void imap_visit_end(HaulStore *store);

/*
 * Sends what makes @folder the selected one no more, if it is: what is appended to it then is lost by
 * Mailutils, and refused by Courier if it is open for reading only. Nothing is waited for.
 */
bool imap_visit_leave(HaulStore *store, ImapFolder *folder, GError **error);

#endif /* IMAP_VISIT_H */
