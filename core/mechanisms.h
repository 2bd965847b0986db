/* SASL mechanisms: their names, which of them a user allows, and which were found not to work. */
#ifndef HAUL_CORE_MECHANISMS_H
#define HAUL_CORE_MECHANISMS_H

#include <mailhaul/sasl.h>

#include "account.h"

#define HAUL_MECHANISMS_BY_TOKEN ((uint32_t)(HAUL_SASL_OAUTHBEARER | HAUL_SASL_XOAUTH2))
#define HAUL_MECHANISMS_SCRAM_PLUS                                                                 \
  ((uint32_t)(HAUL_SASL_SCRAM_SHA_256_PLUS | HAUL_SASL_SCRAM_SHA_1_PLUS))
#define HAUL_MECHANISMS_SCRAM                                                                      \
  (HAUL_MECHANISMS_SCRAM_PLUS | HAUL_SASL_SCRAM_SHA_256 | HAUL_SASL_SCRAM_SHA_1)

/* What the setting "authmech" allows: UINT32_MAX where it leaves the choice to us; 0 with an error
 * "usage" where it names something unknown. */
uint32_t haul_mechanisms_allowed(const HaulAccount *account, GError **error);

/* Returns their names with commas between them. */
char *haul_mechanisms_list(uint32_t mechanisms);

/* Notes, for the run, that a mechanism which the server offers gave way to one that shows the password. */
void haul_mechanisms_forgo(const HaulAccount *account, HaulSaslMechanism mechanism);

/* Whether that was noted of one of these. */
bool haul_mechanisms_are_forgone(const HaulAccount *account, uint32_t mechanisms);

/* Notes, for the run, that the server offers @mechanisms and refused them as unsupported. */
void haul_mechanisms_note_broken(const HaulAccount *account, uint32_t mechanisms);

/* Returns those of which that was noted. */
uint32_t haul_mechanisms_broken(const HaulAccount *account);

#endif /* HAUL_CORE_MECHANISMS_H */
