/*
 * Extensions of one session: which the server offers, which we do without because the user said so
 * ("no-ext") or because they have failed at this server before.
 *
 * One that failed is dropped for the run, in sessions beside this one and after it: the account
 * remembers (<mailhaul/account.h>).
 */
#ifndef IMAP_EXTENSIONS_H
#define IMAP_EXTENSIONS_H

#include "session.h"

/* Learns which extensions to do without from the start. */
void imap_extensions_begin(ImapSession *session);

/* Takes a list of capabilities, whether told or asked for. */
void imap_extensions_take(ImapSession *session, ImapCursor list);

/* Forgets what was told, as after STARTTLS. */
void imap_extensions_reset(ImapSession *session);

/* Does without @capabilities for this session. */
void imap_extensions_drop(ImapSession *session, uint64_t capabilities);

/* Does with @capabilities again, which were dropped for nothing. */
void imap_extensions_restore(ImapSession *session, uint64_t capabilities);

/* Takes that back: without @capabilities it went no better. */
void imap_extensions_regain(ImapSession *session, uint64_t capabilities);

/* Does without @capabilities, which the server offered and cannot do, for the run. */
void imap_extensions_forgo(ImapSession *session, uint64_t capabilities);

/* The same of LITERAL+ and LITERAL-, whichever is offered. */
void imap_extensions_forgo_literals(ImapSession *session);

/* Sends ENABLE (RFC 5161) for what a session must turn on to have, or to be let in; before LIST, which
 * then names folders in UTF-8. Nothing is waited for. */
bool imap_extensions_enable(ImapSession *session, GError **error);

#endif /* IMAP_EXTENSIONS_H */
