/* How a session begins: greeting, STARTTLS, authentication, capabilities. Which SASL mechanism, and
 * what it says, is <mailhaul/sasl.h>'s. */
#ifndef IMAP_LOGIN_H
#define IMAP_LOGIN_H

#include "session.h"

/*
 * Connects and logs in. Returns an authenticated session whose capabilities are known.
 *
 * Errors: HAUL_ERROR_ACCOUNT "login" where the server refused, "tls" where it will not encrypt;
 * HAUL_ERROR_BUSY; those of haul_stream_open().
 */
ImapSession *imap_login(const HaulAccount *account, GError **error);

/* Says who we are (RFC 2971), which some servers want to know. @reply: may be NULL. */
bool imap_identify(ImapSession *session, ImapReply *reply, GError **error);

#endif /* IMAP_LOGIN_H */
