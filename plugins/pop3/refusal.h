/*
 * What a server means by -ERR: by response code (RFC 2449 §8, RFC 3206) where it gives one, by the words
 * that known servers use where not. Pure.
 */
#ifndef POP3_REFUSAL_H
#define POP3_REFUSAL_H

#include <glib.h>

#include "wire.h"

typedef enum {
  POP3_REFUSED,             /* what was asked for                                 */
  POP3_REFUSED_FOR_NOW,     /* the mailbox is locked, or the server wants a pause */
  POP3_REFUSED_FOR_GOOD,    /* the account: somebody must look at it              */
  POP3_REFUSED_AND_LEAVING, /* the server ends the session                        */
} Pop3Refusal;

/* Says what an answer of -ERR means. @text: as it came. */
Pop3Refusal pop3_classify(Pop3Code code, const char *text);

/* Says what the refusal of a command about one message means: a plea for patience by its code only, for
 * words may be about that message ("temporarily unavailable"), and for good no one is who was let in
 * (Cyrus says SYS/PERM of a message). */
Pop3Refusal pop3_classify_for_message(Pop3Code code, const char *text);

typedef enum {
  POP3_LOGIN_DENIED,      /* these credentials: trying on locks accounts            */
  POP3_LOGIN_UNEXPLAINED, /* these credentials, or a mechanism that is only offered */
  POP3_LOGIN_UNSUPPORTED, /* this way of logging in; another one may do             */
  POP3_LOGIN_FOR_NOW,     /* the server wants to be left alone for a while          */
} Pop3LoginRefusal;

/* Says why a login was refused. */
Pop3LoginRefusal pop3_classify_login(Pop3Code code, const char *text);

/* Returns how long a plea for patience asks us to wait, in milliseconds and at most an hour: "try again
 * in 5 minutes", "wait 30 seconds". 0 if it does not say. */
unsigned pop3_wait_asked_ms(const char *text);

#endif /* POP3_REFUSAL_H */
