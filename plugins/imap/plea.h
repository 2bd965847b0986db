/*
 * What a session does about a server that asks for patience: it pauses between commands, and remembers
 * the plea, for many a server closes the connection behind it.
 */
#ifndef IMAP_PLEA_H
#define IMAP_PLEA_H

#include "session.h"

/* Takes note of a tagged answer. */
void imap_plea_note(ImapSession *session, const ImapResponse *response);

/* Pauses before a command, if the server has asked for it. */
bool imap_plea_pause(ImapSession *session, GError **error);

/* Sets @error to @why, which is taken: why nothing more comes from the server. If its last answer was a
 * plea for patience, that is why. Returns false. */
bool imap_plea_heed(const ImapSession *session, GError *why, GError **error);

#endif /* IMAP_PLEA_H */
