/* What was found out, and how <mailhaul/account.h> tells it to stores. See findings.h. */
#include "findings.h"

#include <pthread.h>

#include <mailhaul/log.h>

#include "account.h"

#define REFUSED_SIZE " refused-size" /* no extension is called so */

struct HaulFindings {
  pthread_mutex_t lock;
  GHashTable *numbers; /* owned; by owned name in lower case, owned uint64_t */
};

HaulFindings *
haul_findings_new(void)
{
  HaulFindings *findings = g_new0(HaulFindings, 1);
  pthread_mutex_init(&findings->lock, NULL);
  findings->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return findings;
}

void
haul_findings_free(HaulFindings *findings)
{
  if (findings == NULL)
    return;
  g_hash_table_unref(findings->numbers);
  pthread_mutex_destroy(&findings->lock);
  g_free(findings);
}

bool
haul_findings_note(HaulFindings *findings, const char *name, uint64_t number)
{
  g_autofree char *key = g_ascii_strdown(name, -1);
  pthread_mutex_lock(&findings->lock);
  const uint64_t *noted = g_hash_table_lookup(findings->numbers, key);
  bool news = noted == NULL || number < *noted;
  if (news)
    g_hash_table_insert(findings->numbers, g_steal_pointer(&key),
                        g_memdup2(&number, sizeof number));
  pthread_mutex_unlock(&findings->lock);
  return news;
}

uint64_t
haul_findings_get(HaulFindings *findings, const char *name)
{
  g_autofree char *key = g_ascii_strdown(name, -1);
  pthread_mutex_lock(&findings->lock);
  const uint64_t *noted = g_hash_table_lookup(findings->numbers, key);
  uint64_t number = noted != NULL ? *noted : UINT64_MAX;
  pthread_mutex_unlock(&findings->lock);
  return number;
}

bool
haul_account_forgo(const HaulAccount *account, const char *name)
{
  bool news = haul_findings_note(haul_account_findings(account), name, 0);
  if (news)
    haul_log(HAUL_LOG_WARNING, "%s: %s does not work here, done without",
             haul_account_side(account), name);
  return news;
}

bool
haul_account_forgoes(const HaulAccount *account, const char *name)
{
  return haul_findings_get(haul_account_findings(account), name) == 0;
}

void
haul_account_note_refused_size(const HaulAccount *account, uint64_t octets)
{
  haul_findings_note(haul_account_findings(account), REFUSED_SIZE, octets);
}

uint64_t
haul_account_refused_size(const HaulAccount *account)
{
  return haul_findings_get(haul_account_findings(account), REFUSED_SIZE);
}
