/*
 * The scripted server: a thread that plays the S: and C: lines of a transcript to whoever connects
 * to its port of the loopback interface.
 */
#ifndef TRANSCRIPTS_SERVER_H
#define TRANSCRIPTS_SERVER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "script.h"

typedef struct Server Server;

/*
 * Listens on a free port and begins to play.
 *
 * @octets: whether to send one octet at a time. @cut_after: number of the line of the file after
 * which the connection ends, or 0. @tls: to shake hands with; borrowed, NULL if no line needs it.
 */
Server *
server_start(const Script *script, bool octets, unsigned cut_after, SSL_CTX *tls, GError **error);
uint16_t server_port(const Server *server);

/* Says that the client comes to the step of this line: what stands behind it may be sent. */
void server_come_to(Server *server, unsigned line);

/* Ends it. Returns what went wrong, to be freed, or NULL. */
char *server_stop(Server *server);

#endif /* TRANSCRIPTS_SERVER_H */
