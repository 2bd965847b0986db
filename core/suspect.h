/*
 * Suspects: what a run learns of a folder by losing connections there. One message, or the folder itself,
 * may be what ends a connection each time; it is found by asking for it alone, or by the order in which
 * deliveries are answered, and left where it is, so that the rest can go on.
 *
 * A connection that is lost while there are several to the same server makes nobody a culprit: some servers
 * end one for the sake of another (@crowded). The run goes on with fewer, and finds out.
 *
 * This remembers and decides; it does nothing. Each function says which end of a lane calls it: they may
 * run at the same time.
 */
#ifndef HAUL_CORE_SUSPECT_H
#define HAUL_CORE_SUSPECT_H

#include <glib.h>
#include <stdbool.h>

/* The ways to open a folder. Where a connection is lost at the same one twice in a row, the folder is left. */
typedef enum {
  HAUL_OPENED_TO_LOOK,
  HAUL_OPENED_TO_READ,
  HAUL_OPENED_TO_WRITE,
  HAUL_N_OPENINGS,
} HaulOpening;

/* All zero at first. */
typedef struct {
  unsigned n_lost[HAUL_N_OPENINGS]; /* connections lost in a row */
  char *closed[HAUL_N_OPENINGS];    /* owned; why the folder is left, or NULL */
  bool reads_alone;                 /* the next message to be read is asked for alone */
  bool writes_singly;               /* deliveries are to be answered one by one, in order */
  bool lost_writing;                /* a connection was lost, or deliveries were put off; what that
                                     * left is not looked into yet */
  bool put_off;                     /* it was the latter */
  bool crowded;                     /* while there were several */
  char *unsettled;                  /* owned; the first that the last loss left undelivered */
  unsigned n_first;                 /* how often in a row it was the first */
  char *words;                      /* owned; why it was lost */
} HaulSuspect;

void haul_suspect_clear(HaulSuspect *suspect);

/* Takes note of how opening the folder ended. @why: NULL if well; what is no lost connection does not
 * count. Returns whether the folder is left from now on. Survey, reader, writer, by @opening. */
bool
haul_suspect_opened(HaulSuspect *suspect, HaulOpening opening, bool crowded, const GError *why);

/* Returns why the folder is left, lent; NULL if it is not. Survey. */
const char *haul_suspect_is_closed(const HaulSuspect *suspect);

/* Takes note of how reading messages ended. @alone: of one that was asked for alone, and did not come, with
 * no other connection to the server.
 * Returns whether that one is to be given up. Reader. */
bool haul_suspect_read(HaulSuspect *suspect, bool alone, const GError *why);

/* Takes note that a connection was lost with deliveries under way, or that the server put them off. The
 * latter may be said of one message only, which would keep back all that is behind it in every run. Writer. */
void haul_suspect_lost_writing(HaulSuspect *suspect, bool crowded, const GError *why);

/* Takes note of what that loss left undelivered. @first: in the order of sending; NULL for nothing.
 * Returns whether that one is to be given up. Survey. */
bool haul_suspect_looked(HaulSuspect *suspect, const char *first);

#endif /* HAUL_CORE_SUSPECT_H */
