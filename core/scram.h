/* What SCRAM lets a server ask of a client, checked before a library acts upon it. Pure. */
#ifndef HAUL_CORE_SCRAM_H
#define HAUL_CORE_SCRAM_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Each costs a hash or two; at this many a login takes about a second of CPU. */
#define HAUL_SCRAM_ITERATIONS_LIMIT 2000000u

/*
 * Checks the server's first message (RFC 5802 §5.1, §7).
 *
 * @nonce: what the client's first message sent as its own. Errors: HAUL_ERROR_ACCOUNT "login" for a
 * nonce that does not continue it, "protocol" for what is no such message or asks for too much work.
 */
bool haul_scram_check(const char *message, size_t size, const char *nonce, GError **error);

/* Finds the nonce in the client's first message; to be freed, NULL if there is none. */
char *haul_scram_nonce(const char *message, size_t size);

#endif /* HAUL_CORE_SCRAM_H */
