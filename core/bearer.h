/* Access tokens in the words of OAUTHBEARER and XOAUTH2, and what servers say of them. Pure. */
#ifndef HAUL_CORE_BEARER_H
#define HAUL_CORE_BEARER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether @text can be a token: visible ASCII, at least one octet (RFC 6750 §2.1, if more liberal). */
bool haul_bearer_is_token(const char *text);

/* The initial response of OAUTHBEARER (RFC 7628 §3.1); to be wiped. @user may hold no control octets. */
GString *
haul_bearer_oauthbearer(const char *user, const char *host, uint64_t port, const char *token);
/* The same of XOAUTH2, as Google and Microsoft describe it. */
GString *haul_bearer_xoauth2(const char *user, const char *token);

/*
 * Finds what a server says of a failure (RFC 7628 §3.2.2): the string "status" of the JSON in
 * @octets. Returns it fit to be shown, to be freed; NULL if there is none, or if it holds @token.
 */
char *haul_bearer_status(const char *octets, size_t size, const char *token);

#endif /* HAUL_CORE_BEARER_H */
