/*
 * GNU SASL, looked up when a login needs it and not before: loading it costs a run more than all of
 * its start-up. What it does here is compute: SCRAM and CRAM-MD5.
 */
#ifndef HAUL_CORE_GNU_SASL_H
#define HAUL_CORE_GNU_SASL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct HaulGnuSasl HaulGnuSasl; /* one conversation */

/* What it is to log in with; lent for the call. */
typedef struct {
  const char *user, *act_for, *password; /* act_for: NULL for nobody else */
  const char *binding_type;              /* "tls-exporter", "tls-unique", or NULL */
  GBytes *binding;
} HaulGnuCredentials;

/*
 * Begins a conversation. Returns NULL, and @why not (static), where the library is missing, does not
 * know @mechanism, or cannot prepare name or password (SASLprep, RFC 4013).
 */
HaulGnuSasl *
haul_gnu_sasl_new(const char *mechanism, const HaulGnuCredentials *credentials, const char **why);
void haul_gnu_sasl_free(HaulGnuSasl *sasl); /* wipes the password */

/*
 * Answers a challenge. @done: gets whether the mechanism is through, which for SCRAM means that the
 * server has proved itself. Returns the answer, to be freed; NULL on error, and @why.
 */
char *haul_gnu_sasl_step(HaulGnuSasl *sasl, const char *challenge, size_t size, size_t *answer_size,
                         bool *done, const char **why);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulGnuSasl, haul_gnu_sasl_free)

#endif /* HAUL_CORE_GNU_SASL_H */
