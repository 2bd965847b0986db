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

typedef enum {
  IMAP_LOGIN_DENIED,      /* these credentials: trying on locks accounts          */
  IMAP_LOGIN_UNEXPLAINED, /* these credentials, or a mechanism that is only offered */
  IMAP_LOGIN_UNSUPPORTED, /* this way of logging in; another one may do           */
  IMAP_LOGIN_FOR_NOW,     /* the server wants to be left alone for a while        */
} ImapLoginRefusal;

/* Says why a login was refused. @bad: the answer was BAD, not NO. @code: may be NULL. */
ImapLoginRefusal imap_classify_login(bool bad, const char *code, const char *text);

/* Whether a NO to a command, on a connection that was logged in, says that it no longer is. @code:
 * may be NULL. */
bool imap_says_logged_out(const char *code, const char *text);

/* Whether a folder is not opened for want of an ID (field: 163.com and its sisters). */
bool imap_wants_id(const char *text);

/* Whether a refusal asks us to come back later. Either may be NULL. */
bool imap_asks_for_patience(const char *code, const char *text);

/* The same of what only reads, or ends the session: there [OVERQUOTA] is said of bandwidth, not of a full
 * mailbox (Gmail). */
bool imap_puts_reading_off(const char *code, const char *text);

/* Returns how long a plea for patience asks us to wait, in milliseconds and at most an hour: "Suggested
 * Backoff Time: 299961 milliseconds", "try again in 5 minutes", "Retry-After: 30". 0 if it does not say. */
unsigned imap_wait_asked_ms(const char *text);

/* Whether an answer says "[THROTTLED]" anywhere (Gmail: at its end). */
bool imap_says_throttled(const char *text, size_t size);

/* Sets the error for an answer that was not OK: @reach and @reason, or HAUL_ERROR_BUSY where it asks
 * for patience. @what: put in front; @code, @text: the server's, or NULL. */
void imap_set_refusal(GError **error, HaulError reach, const char *reason, const char *what,
                      const char *code, const char *text);

/* The same for an answer to what only reads, or that ends the session. */
void imap_set_reading_refusal(GError **error, HaulError reach, const char *reason, const char *what,
                              const char *code, const char *text);

/* The same, with @reach and @reason as they are given. */
void imap_set_plain_refusal(GError **error, HaulError reach, const char *reason, const char *what,
                            const char *code, const char *text);

#endif /* IMAP_REFUSAL_H */
