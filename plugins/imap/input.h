/*
 * Responses as they come from the stream: lines and literals are gathered to one run of octets, but
 * for the bodies of messages, which are left in the stream. All of it is bounded (limits.h).
 */
#ifndef IMAP_INPUT_H
#define IMAP_INPUT_H

#include "session.h"

/* Reads a response, valid until the next. @streams: a body stays in the stream; session->in_body
 * tells, and the response ends with its announcement. */
bool
imap_input_response(ImapSession *session, bool streams, ImapResponse *response, GError **error);

/* While session->in_body: reads some of the body; 0 on error. */
size_t imap_input_body(ImapSession *session, void *buffer, size_t size, GError **error);
/* Passes over what is left of the body, and reads what follows it in the response. */
bool imap_input_end_body(ImapSession *session, ImapCursor *rest, GError **error);

#endif /* IMAP_INPUT_H */
