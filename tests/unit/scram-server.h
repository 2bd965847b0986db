/* A server of SCRAM (RFC 5802, RFC 7677) as a test plays it, by arithmetic of its own. */
#ifndef TESTS_SCRAM_SERVER_H
#define TESTS_SCRAM_SERVER_H

#include <glib.h>
#include <stdbool.h>

/* What a server knows of a user, in the password itself. */
typedef struct {
  const char *digest;          /* "SHA1" or "SHA256" */
  const char *password, *salt; /* salt: base64 */
  unsigned iterations;
} ScramUser;

/* Appends salt and iterations to the nonce of the client: the server's first message, to be freed.
 * @client_first: with its GS2 header. */
char *scram_server_first(const ScramUser *user, const char *client_first, const char *more_nonce);

/*
 * Checks the client's last message against what went before it.
 *
 * Returns the server's last message, to be freed; NULL if the proof is wrong.
 */
char *scram_server_final(const ScramUser *user, const char *client_first, const char *server_first,
                         const char *client_final);

#endif /* TESTS_SCRAM_SERVER_H */
