/* Mechanisms by name and by setting. See mechanisms.h. */
#include "mechanisms.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

static const char *const names[] = {
  /* by bit */
  "OAUTHBEARER",
  "XOAUTH2",
  "SCRAM-SHA-256-PLUS",
  "SCRAM-SHA-256",
  "SCRAM-SHA-1-PLUS",
  "SCRAM-SHA-1",
  "CRAM-MD5",
  "PLAIN",
  "LOGIN",
};

uint32_t
haul_sasl_mechanism(const char *name, size_t size)
{
  for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
    if (strlen(names[i]) == size && g_ascii_strncasecmp(names[i], name, size) == 0)
      return 1u << i;
  return 0;
}

const char *
haul_sasl_name(HaulSaslMechanism mechanism)
{
  return names[g_bit_nth_lsf(mechanism, -1)];
}

uint32_t
haul_mechanisms_allowed(const HaulAccount *account, GError **error)
{
  const char *setting = haul_account_string(account, "authmech");
  uint32_t allowed = 0;
  if (setting == NULL || *setting == '\0' || g_ascii_strcasecmp(setting, "auto") == 0)
    return UINT32_MAX;
  g_auto(GStrv) words = g_strsplit_set(setting, ", ", -1);
  for (char **word = words; *word != NULL; word++) {
    uint32_t mechanism = haul_sasl_mechanism(*word, strlen(*word));
    if (mechanism == 0 && **word != '\0') {
      g_autofree char *shown = haul_text_display(*word, strlen(*word));
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                     "--authmech%u: \"%s\" is no mechanism that can be used here",
                     haul_account_number_of_side(account), shown);
      return 0;
    }
    allowed |= mechanism;
  }
  return allowed == 0 ? UINT32_MAX : allowed;
}

char *
haul_mechanisms_list(uint32_t mechanisms)
{
  GString *list = g_string_new(NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
    if ((mechanisms >> i & 1) != 0)
      g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", names[i]);
  return g_string_free(list, FALSE);
}

static char *
name_of_extension(unsigned bit)
{
  return g_strconcat("AUTH=", names[bit], NULL);
}

void
haul_mechanisms_forgo(const HaulAccount *account, HaulSaslMechanism mechanism)
{
  g_autofree char *name = name_of_extension((unsigned)g_bit_nth_lsf(mechanism, -1));
  haul_account_forgo(account, name);
}

bool
haul_mechanisms_are_forgone(const HaulAccount *account, uint32_t mechanisms)
{
  for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *name = name_of_extension(i);
    if ((mechanisms >> i & 1) != 0 && haul_account_forgoes(account, name))
      return true;
  }
  return false;
}

void
haul_mechanisms_note_broken(const HaulAccount *account, uint32_t mechanisms)
{
  for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
    if ((mechanisms >> i & 1) != 0)
      haul_account_forgo(account, names[i]);
}

uint32_t
haul_mechanisms_broken(const HaulAccount *account)
{
  uint32_t broken = 0;
  for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
    if (haul_account_forgoes(account, names[i]))
      broken |= 1u << i;
  return broken;
}
