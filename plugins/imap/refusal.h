/*
 * What a server means when it answers NO or BAD: by response code (RFC 5530) where it gives one, by
 * the words that known servers use where not. Pure.
 */
#ifndef IMAP_REFUSAL_H
#define IMAP_REFUSAL_H

#include <glib.h>
#include <stdbool.h>
#include <mailhaul/error.h>

typedef enum {
  IMAP_REFUSED,            /* this message, for a reason of its own          */
  IMAP_REFUSED_TOO_BIG,    /* this message                                   */
  IMAP_REFUSED_NO_FOLDER,  /* it says so; not all that say so mean it        */
  IMAP_REFUSED_OVER_QUOTA, /* this and all that follow                       */
  IMAP_REFUSED_FOR_NOW,    /* the server wants to be left alone for a while  */
} ImapRefusal;

/* Says why an APPEND was refused. @code: may be NULL. */
ImapRefusal imap_classify_append(const char *code, const char *text);

/* Whether a refusal asks us to come back later. Either may be NULL. */
bool imap_asks_for_patience(const char *code, const char *text);

/* Sets the error for an answer that was not OK: @reach and @reason, or HAUL_ERROR_BUSY where it asks
 * for patience. @what: put in front; @code, @text: the server's, or NULL. */
void imap_set_refusal(GError **error, HaulError reach, const char *reason, const char *what,
                      const char *code, const char *text);

#endif /* IMAP_REFUSAL_H */
