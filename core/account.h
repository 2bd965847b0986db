/* The host's side of accounts: values are set by option or job, checked against the plugin's table. */
#ifndef HAUL_CORE_ACCOUNT_H
#define HAUL_CORE_ACCOUNT_H

#include <mailhaul/account.h>
#include <mailhaul/plugin.h>

#include "cancel.h"
#include "findings.h"

/* @side: 1 is the source, 2 the destination. @plugin, @cancel: borrowed, to outlive the account. */
HaulAccount *haul_account_new(unsigned side, const HaulPlugin *plugin, HaulCancel *cancel);
void haul_account_free(HaulAccount *account); /* wipes secrets */

unsigned haul_account_number_of_side(const HaulAccount *account);
const HaulPlugin *haul_account_plugin(const HaulAccount *account);
HaulCancel *haul_account_cancel(const HaulAccount *account);
HaulFindings *haul_account_findings(const HaulAccount *account);
/* @identity: copied, before the account's first store is opened; or NULL. */
void haul_account_set_known_identity(HaulAccount *account, const char *identity);

/* Whether the plugin declares @key. */
bool haul_account_has(const HaulAccount *account, const char *key);
/* Whether the user set @key (a default does not count). */
bool haul_account_is_set(const HaulAccount *account, const char *key);

/* Sets one value from its text. Errors: HAUL_ERROR_ACCOUNT "usage" for an unknown key (the nearest
 * one is suggested) or a malformed value. */
bool haul_account_set(HaulAccount *account, const char *key, const char *value, GError **error);

/* Whether @text is a value of the type of @setting; for core/plugin.c, which checks defaults. */
bool haul_setting_accepts(const HaulSetting *setting, const char *text);

/* Whether every required setting has a value; else an error "usage" that names the option. */
bool haul_account_check(const HaulAccount *account, GError **error);

/* Whether both settings lead to one account, as far as settings tell: the same host (all names of loopback
 * are one), port and user; or the same path, or one within the other. */
bool haul_account_overlaps(const HaulAccount *a, const HaulAccount *b);

/* What an account on this machine is called before it is opened: its backend, host, user and path, which is made
 * absolute and real. To be freed; NULL for one that has no path. */
char *haul_account_place(const HaulAccount *account);

/* Whether both have the same port, or none. */
bool haul_account_shares_port(const HaulAccount *a, const HaulAccount *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulAccount, haul_account_free)

#endif /* HAUL_CORE_ACCOUNT_H */
