/* OAuth2 access tokens: asked for at each login, from where the settings say. */
#ifndef HAUL_CORE_TOKEN_H
#define HAUL_CORE_TOKEN_H

#include "account.h"

/* Whether the account logs in by token: "tokencmd" or "oauthaccesstoken" is set. */
bool haul_token_is_wanted(const HaulAccount *account);

/*
 * Gets a token: runs the command, or reads the file, or takes the text.
 *
 * Returns it, to be freed by haul_secret_free(). Errors: HAUL_ERROR_ACCOUNT "login", which say how
 * the command ended and what it complained of; "input", "usage"; HAUL_ERROR_BUSY where it ended with
 * EX_TEMPFAIL (75); HAUL_ERROR_CONNECTION "timeout" after a minute; HAUL_ERROR_CANCELLED.
 */
char *haul_token_fetch(const HaulAccount *account, GError **error);

#endif /* HAUL_CORE_TOKEN_H */
