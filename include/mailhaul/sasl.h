/*
 * Logging in by SASL (RFC 4422), the client's side: which mechanism, with which credentials, and what
 * to answer. How a protocol carries it (AUTHENTICATE, AUTH) and what its refusals mean is a plugin's.
 *
 *     sasl = haul_sasl_new(account, stream, NULL);
 *     mechanism = haul_sasl_begin(sasl, offered, &error)
 *     answer = haul_sasl_answer(sasl, challenge, size, &error)     for each challenge
 *     haul_sasl_accept(sasl, &error)                               when the server says OK
 *     haul_sasl_refuse(sasl, HAUL_SASL_DENIED)                     when it does not: begin anew?
 *
 * Passwords and tokens reach no log and no error, and are wiped. What a server sends is bounded:
 * challenges of 16 KiB, two million SCRAM iterations.
 */
#ifndef MAILHAUL_SASL_H
#define MAILHAUL_SASL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <mailhaul/account.h>
#include <mailhaul/stream.h>
#include <mailhaul/visibility.h>

G_BEGIN_DECLS

typedef struct HaulSasl HaulSasl;

/* The settings that logging in reads; a backend that logs in puts them into its table. */
#define HAUL_SASL_SETTINGS                                                                         \
  { "user", 's', NULL, "Login name of the account." }, { "password", '*', NULL, "Its password." }, \
      { "authuser", 's', "",                                                                       \
        "Login name of an administrator who acts for user, with the password." },                  \
      { "authmech", 's', "auto",                                                                   \
        "SASL mechanisms that may be used, such as SCRAM-SHA-256,PLAIN; auto: the strongest." },   \
      { "oauthaccesstoken", '*', "", "OAuth2 access token, or a file that holds one." },           \
  {                                                                                                \
    "tokencmd", 's', "", "Command whose first line of output is an OAuth2 access token."           \
  }

/* The strongest first; by an access token only the first two, by a password only the others. */
typedef enum {
  HAUL_SASL_OAUTHBEARER = 1 << 0, /* RFC 7628 */
  HAUL_SASL_XOAUTH2 = 1 << 1,
  HAUL_SASL_SCRAM_SHA_256_PLUS = 1 << 2, /* RFC 7677 */
  HAUL_SASL_SCRAM_SHA_256 = 1 << 3,
  HAUL_SASL_SCRAM_SHA_1_PLUS = 1 << 4, /* RFC 5802 */
  HAUL_SASL_SCRAM_SHA_1 = 1 << 5,
  HAUL_SASL_CRAM_MD5 = 1 << 6, /* RFC 2195 */
  HAUL_SASL_PLAIN = 1 << 7,    /* RFC 4616 */
  HAUL_SASL_LOGIN = 1 << 8,    /* or the protocol's own way of giving name and password */
} HaulSaslMechanism;

/* The mechanism that is called @name, without regard to case; 0 if it is none of ours. */
HAUL_PUBLIC uint32_t haul_sasl_mechanism(const char *name, size_t size);
HAUL_PUBLIC const char *haul_sasl_name(HaulSaslMechanism mechanism);

/*
 * Prepares to log in as "authuser", or where that is empty as "user".
 *
 * @stream: for channel binding. @act_for: whom the login is to act for (its authorisation identity),
 * NULL for itself. All are lent for the life of the object.
 */
HAUL_PUBLIC HaulSasl *
haul_sasl_new(const HaulAccount *account, const HaulStream *stream, const char *act_for);
HAUL_PUBLIC void haul_sasl_free(HaulSasl *sasl);

/*
 * Tells by which channel binding @type (RFC 5929, RFC 9266) alone the server is known to bind a login, whatever the
 * connection is like. Where this one is bound in another way, PLUS is left out unless the user asks for it: such a
 * server breaks the login off, and may take seconds for that. To be told before the first haul_sasl_begin().
 */
HAUL_PUBLIC void haul_sasl_know_binding(HaulSasl *sasl, const char *type);

/*
 * Begins, or begins anew, with the strongest of the mechanisms @offered (HaulSaslMechanism) that the
 * settings allow and that was not refused as unsupported before: in this login, or in one of this run
 * that went well in the end. Gets a token if one is needed.
 *
 * Returns it; 0 on error. Errors: HAUL_ERROR_ACCOUNT "login" where none is left or no token can be
 * had, "usage" for settings that make no sense; HAUL_ERROR_BUSY; HAUL_ERROR_CANCELLED.
 */
HAUL_PUBLIC HaulSaslMechanism haul_sasl_begin(HaulSasl *sasl, uint32_t offered, GError **error);

/* Whether the mechanism begun lets the client speak first (an initial response). */
HAUL_PUBLIC bool haul_sasl_speaks_first(const HaulSasl *sasl);

/*
 * Answers a challenge.
 *
 * @challenge: as it came, in base64; NULL for the initial response. Where the client speaks first and
 *             has not spoken, what the server says instead of nothing is passed over.
 * Returns the answer in base64, lent until the next call; it may be empty. NULL on error: cancel the
 * conversation ("*") and end the connection. Errors: HAUL_ERROR_ACCOUNT "login" where the server
 * fails to prove itself, "protocol" for a challenge that is none.
 */
HAUL_PUBLIC const char *
haul_sasl_answer(HaulSasl *sasl, const char *challenge, size_t size, GError **error);

/* To be asked when the server says that we are in: false, with an error "login", if the mechanism
 * lets it prove that it knows the password, and it did not. */
HAUL_PUBLIC bool haul_sasl_accept(HaulSasl *sasl, GError **error);

/* Why the server did not let us in. */
typedef enum {
  HAUL_SASL_DENIED,      /* these credentials: no other mechanism is tried with the same password,
                            for accounts get locked                                           */
  HAUL_SASL_UNSUPPORTED, /* this mechanism */
  HAUL_SASL_UNEXPLAINED, /* it says no more than that we are not let in: these credentials, or
                            a mechanism that it offers and cannot do                          */
} HaulSaslRefusal;

/* To be told when it does not. Returns whether to begin anew: with another mechanism, or, once, with
 * a token that differs from the one refused, or by PLAIN or LOGIN after a refusal that explains
 * nothing of a mechanism stronger than these. */
HAUL_PUBLIC bool haul_sasl_refuse(HaulSasl *sasl, HaulSaslRefusal why);

/* What the server's last challenge said of the failure, fit to be shown, lent; NULL if nothing. */
HAUL_PUBLIC const char *haul_sasl_detail(const HaulSasl *sasl);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulSasl, haul_sasl_free)

G_END_DECLS
#endif /* MAILHAUL_SASL_H */
