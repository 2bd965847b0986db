/* Telling a server who we are: SASL, APOP, USER and PASS. Which SASL mechanism, and what it says, is
 * <mailhaul/sasl.h>'s. */
#ifndef POP3_AUTH_H
#define POP3_AUTH_H

#include "session.h"

/*
 * Tells the server who we are.
 *
 * @stamp: the time stamp of its greeting, for APOP, or NULL.
 * Errors: as pop3_session_open().
 */
bool pop3_authenticate(Pop3Session *session, const char *stamp, GError **error);

/* Reads the answer to UTF8, which may be under way when pop3_authenticate() begins. */
bool pop3_settle_utf8(Pop3Session *session, GError **error);

/* Whether the settings say who we are, in a form that fits on a line. */
bool pop3_has_login(const HaulAccount *account, GError **error);

#endif /* POP3_AUTH_H */
